/* SPDX-License-Identifier: MIT */
/*
 * alembic/toml: the lexical part of TOML 1.0.0 that is needed to step over any document.
 */
#include "alembic/toml.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

bool ath_toml_fail(struct ath_toml *toml, const char *what)
{
	return ath_err_at(toml->err, ATH_ERR_CHAIN,
			  (struct ath_pos){ .file = toml->name, .line = toml->line }, "%s", what);
}

char ath_toml_peek(const struct ath_toml *toml, size_t ahead)
{
	return (size_t)(toml->end - toml->at) > ahead ? toml->at[ahead] : '\0';
}

bool ath_toml_is_line_end(const struct ath_toml *toml)
{
	return ath_toml_peek(toml, 0) == '\n' ||
	       (ath_toml_peek(toml, 0) == '\r' && ath_toml_peek(toml, 1) == '\n');
}

void ath_toml_skip_blanks(struct ath_toml *toml)
{
	while (ath_toml_peek(toml, 0) == ' ' || ath_toml_peek(toml, 0) == '\t')
		toml->at++;
	if (ath_toml_peek(toml, 0) == '#')
		while (toml->at < toml->end && !ath_toml_is_line_end(toml))
			toml->at++;
}

void ath_toml_skip_lines(struct ath_toml *toml)
{
	ath_toml_skip_blanks(toml);
	while (ath_toml_is_line_end(toml)) {
		toml->at += ath_toml_peek(toml, 0) == '\r' ? 2 : 1;
		toml->line++;
		ath_toml_skip_blanks(toml);
	}
}

bool ath_toml_end_line(struct ath_toml *toml)
{
	ath_toml_skip_blanks(toml);
	if (toml->at < toml->end && !ath_toml_is_line_end(toml))
		return ath_toml_fail(toml, "a statement is not understood as TOML");
	return true;
}

/* \uXXXX and \UXXXXXXXX as UTF-8. */
static bool read_unicode(struct ath_toml *toml, size_t digits, struct ath_str *out)
{
	unsigned long code = 0;

	for (size_t i = 0; i < digits; i++) {
		static const char hex[] = "0123456789abcdef";
		char digit = ath_toml_peek(toml, 0);
		const char *found = digit ? strchr(hex, digit < 'A' ? digit : digit | 0x20) : NULL;

		if (!found)
			return false;
		code = code * 16 + (unsigned long)(found - hex);
		toml->at++;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return false;
	if (code >= 0x10000)
		ath_str_putc(out, (char)(0xf0 | code >> 18));
	else if (code >= 0x800)
		ath_str_putc(out, (char)(0xe0 | code >> 12));
	else if (code >= 0x80)
		ath_str_putc(out, (char)(0xc0 | code >> 6));
	else
		ath_str_putc(out, code ? (char)code : '\1'); /* a control character either way */
	for (int shift = code >= 0x10000 ? 12
			 : code >= 0x800 ? 6
					 : 0;
	     code >= 0x80 && shift >= 0; shift -= 6)
		ath_str_putc(out, (char)(0x80 | (code >> shift & 0x3f)));
	return true;
}

static bool read_escape(struct ath_toml *toml, struct ath_str *out)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char letter = ath_toml_peek(toml, 0);
	const char *found = letter ? strchr(names, letter) : NULL;

	if (!letter)
		return false;
	toml->at++;
	if (found)
		ath_str_putc(out, values[found - names]);
	return found || (letter == 'u' && read_unicode(toml, 4, out)) ||
	       (letter == 'U' && read_unicode(toml, 8, out));
}

bool ath_toml_read_string(struct ath_toml *toml, struct ath_str *out)
{
	char quote = *toml->at++;

	for (;;) {
		char byte = ath_toml_peek(toml, 0);

		if (toml->at == toml->end || (byte >= 0 && byte < ' ' && byte != '\t') ||
		    byte == 0x7f)
			return ath_toml_fail(toml, "a string does not end on its line");
		toml->at++;
		if (byte == quote)
			return true;
		if (byte != '\\' || quote == '\'')
			ath_str_putc(out, byte);
		else if (!read_escape(toml, out))
			return ath_toml_fail(toml,
					     "a string holds an escape that TOML does not know");
	}
}

bool ath_toml_is_long_string(const struct ath_toml *toml)
{
	char quote = ath_toml_peek(toml, 0);

	return (quote == '"' || quote == '\'') && ath_toml_peek(toml, 1) == quote &&
	       ath_toml_peek(toml, 2) == quote;
}

static bool skip_long_string(struct ath_toml *toml)
{
	char quote = *toml->at;

	for (toml->at += 3; toml->at < toml->end; toml->at++) {
		if (ath_toml_is_long_string(toml) && *toml->at == quote) {
			toml->at += 3;
			/* one or two quotes may stand before the three that close */
			for (int more = 0; more < 2 && ath_toml_peek(toml, 0) == quote; more++)
				toml->at++;
			return true;
		}
		if (*toml->at == '\\' && quote == '"' && toml->end - toml->at > 1)
			toml->at++;
		toml->line += *toml->at == '\n';
	}
	return ath_toml_fail(toml, "a string never ends");
}

static bool skip_string(struct ath_toml *toml)
{
	struct ath_str unused = { 0 };
	bool is_read = ath_toml_is_long_string(toml) ? skip_long_string(toml)
						     : ath_toml_read_string(toml, &unused);

	ath_str_fini(&unused);
	return is_read;
}

bool ath_toml_skip_value(struct ath_toml *toml)
{
	const char *start = toml->at;
	size_t depth = 0;

	for (;;) {
		char byte;

		if (depth)
			ath_toml_skip_lines(toml);
		byte = ath_toml_peek(toml, 0);
		if (toml->at == toml->end ||
		    (!depth && (ath_toml_is_line_end(toml) || strchr(",#]}", byte))))
			break;
		if (byte == '"' || byte == '\'') {
			if (!skip_string(toml))
				return false;
			continue;
		}
		depth += byte == '[' || byte == '{';
		depth -= byte == ']' || byte == '}';
		toml->at++;
	}
	if (depth || toml->at == start)
		return ath_toml_fail(toml, "a value is not understood as TOML");
	return true;
}

static bool is_bare(char byte)
{
	return (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' ||
	       ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static bool read_part(struct ath_toml *toml, struct ath_str *out)
{
	if (ath_toml_is_long_string(toml))
		return ath_toml_fail(toml, "a key is not understood as TOML");
	if (ath_toml_peek(toml, 0) == '"' || ath_toml_peek(toml, 0) == '\'')
		return ath_toml_read_string(toml, out);
	while (is_bare(ath_toml_peek(toml, 0)))
		ath_str_putc(out, *toml->at++);
	return out->len || ath_toml_fail(toml, "a key is not understood as TOML");
}

bool ath_toml_read_key(struct ath_toml *toml, struct ath_toml_path *path)
{
	struct ath_str part = { 0 };
	bool is_read = true, has_dot = true;

	while (is_read && has_dot) {
		ath_str_reset(&part);
		ath_toml_skip_blanks(toml);
		is_read = read_part(toml, &part);
		if (is_read && path->len < ATH_TOML_PARTS_MAX)
			path->parts[path->len] =
				ath_arena_strndup(toml->arena, ath_str_get(&part), part.len);
		path->len++;
		ath_toml_skip_blanks(toml);
		has_dot = ath_toml_peek(toml, 0) == '.';
		toml->at += has_dot;
	}
	ath_str_fini(&part);
	return is_read;
}
