/* SPDX-License-Identifier: MIT */
/*
 * alembic/token: the value of a string literal.
 *
 * Only what is certain in every version of Python 3 and harmless in a message is a value: printable
 * ASCII. An escape that Python keeps with its backslash has no value here, nor has a name outside
 * ASCII (Python would compare it byte by byte, people would not).
 */
#include "alembic/token.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

/* The text between the quotes. */
struct body {
	const char *at, *end;
	bool is_raw;
};

static bool find_body(const struct ath_token *token, struct body *out_body)
{
	const char *quote = token->text;
	size_t len = 1;

	for (; *quote != '\'' && *quote != '"'; quote++)
		out_body->is_raw = *quote == 'r' || *quote == 'R';
	if (quote - token->text > 1 || (quote > token->text && !strchr("rRuU", *token->text)))
		return false;
	if (token->text + token->len - quote >= 6 && quote[1] == *quote && quote[2] == *quote)
		len = 3;
	out_body->at = quote + len;
	out_body->end = token->text + token->len - len;
	return true;
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
		return (digit | 0x20) - 'a' + 10;
	return 99;
}

/* Up to `most` digits of `base`, at least `least`; -1 if they are not there. */
static long read_digits(struct body *body, int base, int least, int most)
{
	long value = 0;
	int count = 0;

	for (; count < most && body->at < body->end && digit_value(*body->at) < base; count++)
		value = value * base + digit_value(*body->at++);
	return count < least ? -1 : value;
}

/* The character behind a backslash; 0: none (a joined line), -1: not certain. */
static long read_escape(struct body *body)
{
	char letter = *body->at++;

	switch (letter) {
	case '\\':
	case '\'':
	case '"':
		return letter;
	case '\r':
		if (body->at < body->end && *body->at == '\n')
			body->at++;
		return 0;
	case '\n':
		return 0;
	case 'x':
		return read_digits(body, 16, 2, 2);
	case 'u':
		return read_digits(body, 16, 4, 4);
	case 'U':
		return read_digits(body, 16, 8, 8);
	default:
		if (letter < '0' || letter > '7')
			return -1;
		body->at--;
		return read_digits(body, 8, 1, 3);
	}
}

/* Append one character of the value; false if it has none that is certain. */
static bool add_next(struct body *body, struct ath_str *value)
{
	long letter = (unsigned char)*body->at++;

	if (letter == '\\' && !body->is_raw) {
		bool is_line_end = *body->at == '\n' || *body->at == '\r';

		letter = read_escape(body);
		if (is_line_end)
			return true;
	}
	if (letter < ' ' || letter > '~')
		return false;
	ath_str_putc(value, (char)letter);
	return true;
}

const char *ath_token_find_value(const struct ath_token *token, struct ath_arena *arena,
				 const char **out_reason)
{
	struct body body = { 0 };
	struct ath_str value = { 0 };
	const char *found = NULL;
	bool is_certain = true;

	if (!find_body(token, &body)) {
		*out_reason = "the string has a prefix other than r or u";
		return NULL;
	}
	if (!memchr(body.at, '\\', body.end - body.at)) {
		const char *at = body.at;

		while (at < body.end && *at >= ' ' && *at <= '~')
			at++;
		if (at == body.end)
			return ath_arena_strndup(arena, body.at, body.end - body.at);
	}
	while (is_certain && body.at < body.end)
		is_certain = add_next(&body, &value);
	if (is_certain)
		found = ath_arena_strndup(arena, ath_str_get(&value), value.len);
	else
		*out_reason = "the string has an escape or a character that is not plain";
	ath_str_fini(&value);
	return found;
}
