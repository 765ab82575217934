/* SPDX-License-Identifier: MIT */
/*
 * alembic/token: the words, strings and signs of Python source, one at a time.
 *
 * The only text that versions of Python cut up differently is a formatted string: since 3.12 its
 * replacement fields may hold the string's own quotes, backslashes and comments. A field with one
 * of these is BAD; all others end at the same byte in every version.
 */
#include "alembic/token.h"

#include <string.h>

enum {
	SPACE = 1, /* blank, tab, form feed */
	LINE = 2,  /* line feed, carriage return */
	ALPHA = 4, /* begins a name */
	DIGIT = 8,
	MARK = 16, /* begins or continues a sign */
	QUOTE = 32,
	OPEN = 64,
	CLOSE = 128,
};

/* Bytes that are not listed do not occur in Python outside strings and comments. */
static const unsigned char classes[256] = {
	[' '] = SPACE,         ['\t'] = SPACE,        ['\f'] = SPACE,        ['\n'] = LINE,
	['\r'] = LINE,         ['a' ... 'z'] = ALPHA, ['A' ... 'Z'] = ALPHA, ['_'] = ALPHA,
	['0' ... '9'] = DIGIT, ['\''] = QUOTE,        ['"'] = QUOTE,         ['('] = OPEN,
	['['] = OPEN,          ['{'] = OPEN,          [')'] = CLOSE,         [']'] = CLOSE,
	['}'] = CLOSE,         ['+'] = MARK,          ['-'] = MARK,          ['*'] = MARK,
	['/'] = MARK,          ['%'] = MARK,          ['@'] = MARK,          ['&'] = MARK,
	['|'] = MARK,          ['^'] = MARK,          ['~'] = MARK,          ['<'] = MARK,
	['>'] = MARK,          ['='] = MARK,          ['!'] = MARK,          ['.'] = MARK,
	[','] = MARK,          [':'] = MARK,          [';'] = MARK,
};

static bool is_class(char byte, unsigned wanted)
{
	return classes[(unsigned char)byte] & wanted;
}

static bool fail(struct ath_token_reader *reader, const char *reason)
{
	reader->reason = reason;
	return false;
}

/* Step over one line end: LF, CR LF or CR. */
static const char *after_line_end(struct ath_token_reader *reader, const char *at)
{
	reader->line++;
	return at + (at[0] == '\r' && at + 1 < reader->end && at[1] == '\n' ? 2 : 1);
}

static const char *to_line_end(const struct ath_token_reader *reader, const char *at)
{
	while (at < reader->end && !is_class(*at, LINE))
		at++;
	return at;
}

/* Encodings in which every ASCII byte means itself; anything else might hide code. */
static bool is_known_encoding(const char *name, size_t len)
{
	static const char *const known[] = { "utf-8",  "utf8",       "latin-1",
					     "latin1", "ascii",      "us-ascii",
					     "cp1252", "iso-8859-1", "iso-8859-15" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t at = 0;

		while (at < len && known[i][at] &&
		       known[i][at] == (name[at] == '_' ? '-' : name[at] | 0x20))
			at++;
		if (at == len && !known[i][at])
			return true;
	}
	return false;
}

/* PEP 263: a comment in one of the first two lines that has "coding:" or "coding=". */
static bool check_encoding(const char *line, const char *end, bool *out_is_blank)
{
	while (line < end && is_class(*line, SPACE))
		line++;
	*out_is_blank = line == end || *line == '#';
	if (line == end || *line != '#')
		return true;
	for (; end - line > 7; line++) {
		const char *name = line + 7, *last;

		if (memcmp(line, "coding", 6) != 0 || (line[6] != ':' && line[6] != '='))
			continue;
		while (name < end && (*name == ' ' || *name == '\t'))
			name++;
		for (last = name; last < end &&
				  (is_class(*last, ALPHA | DIGIT) || *last == '-' || *last == '.');)
			last++;
		if (last > name)
			return is_known_encoding(name, last - name);
	}
	return true;
}

void ath_token_init(struct ath_token_reader *reader, const char *text, size_t len)
{
	const char *second;
	bool is_blank = true;

	*reader = (struct ath_token_reader){ .at = text, .end = text + len, .line = 1 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader->at += 3;
	second = to_line_end(reader, reader->at);
	if (!check_encoding(reader->at, second, &is_blank))
		reader->reason = "the file names an encoding that is not known here";
	if (is_blank && second < reader->end) {
		second = after_line_end(reader, second);
		reader->line = 1;
		if (!check_encoding(second, to_line_end(reader, second), &is_blank))
			reader->reason = "the file names an encoding that is not known here";
	}
}

/* Step over the indentation of the next line that holds code; false: none follows, or BAD. */
static bool start_line(struct ath_token_reader *reader)
{
	const char *at = reader->at;
	unsigned indent = 0;

	for (; at < reader->end; at++) {
		if (*at == ' ') {
			indent++;
		} else if (*at == '\t') {
			indent = (indent / 8 + 1) * 8;
		} else if (*at == '\f') {
			indent = 0;
		} else if (*at == '#') {
			at = to_line_end(reader, at) - 1;
		} else if (is_class(*at, LINE)) {
			at = after_line_end(reader, at) - 1;
			indent = 0;
		} else {
			break;
		}
	}
	reader->at = at;
	reader->indent = indent;
	reader->is_continued = false;
	reader->is_in_line = at < reader->end;
	if (reader->is_in_line && *at == '\\')
		return fail(reader, "a line begins with a backslash");
	return reader->is_in_line;
}

/* Step over blanks, comments and joined line ends inside a logical line. */
static bool skip_blanks(struct ath_token_reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end) {
		if (is_class(*at, SPACE)) {
			at++;
		} else if (*at == '#') {
			at = to_line_end(reader, at);
		} else if (is_class(*at, LINE) && reader->depth) {
			at = after_line_end(reader, at);
		} else if (*at == '\\') {
			if (at + 1 == reader->end || !is_class(at[1], LINE))
				return fail(reader, "a backslash stands inside a line");
			at = after_line_end(reader, at + 1);
			reader->is_continued = true;
		} else {
			break;
		}
	}
	reader->at = at;
	return true;
}

static bool is_triple(const struct ath_token_reader *reader, const char *at)
{
	return reader->end - at >= 3 && at[1] == at[0] && at[2] == at[0];
}

/* The byte behind a backslash and what it escapes. */
static const char *after_escape(struct ath_token_reader *reader, const char *at)
{
	if (++at == reader->end)
		return at;
	return is_class(*at, LINE) ? after_line_end(reader, at) : at + 1;
}

static bool skip_plain_string(struct ath_token_reader *reader, const char *at)
{
	char quote = *at;
	bool is_long = is_triple(reader, at);

	for (at += is_long ? 3 : 1; at < reader->end;) {
		if (*at == quote && (!is_long || is_triple(reader, at))) {
			reader->at = at + (is_long ? 3 : 1);
			return true;
		}
		if (*at == '\\') {
			at = after_escape(reader, at);
		} else if (is_class(*at, LINE)) {
			if (!is_long)
				return fail(reader, "a string does not end on its line");
			at = after_line_end(reader, at);
		} else {
			at++;
		}
	}
	return fail(reader, "a string never ends");
}

/* From the quote of a string inside a field to its closing one; NULL where it is not plain. */
static const char *skip_inner_string(const struct ath_token_reader *reader, const char *at,
				     char outer)
{
	char quote = *at;

	if (is_triple(reader, at))
		return NULL;
	for (at++; at < reader->end && *at != quote; at++)
		if (*at == outer || strchr("\\{}\n\r", *at))
			return NULL;
	return at < reader->end ? at : NULL;
}

/* From '{' to behind its '}'; NULL where versions of Python may differ. */
static const char *skip_field(struct ath_token_reader *reader, const char *at, char quote,
			      bool is_long)
{
	unsigned depth = 0;

	while (at < reader->end) {
		char byte = *at;

		if (byte == '\\' || byte == '#' ||
		    (byte == quote && (!is_long || is_triple(reader, at))))
			return NULL;
		if (is_class(byte, LINE)) {
			if (!is_long)
				return NULL;
			at = after_line_end(reader, at);
			continue;
		}
		if (is_class(byte, QUOTE)) {
			at = skip_inner_string(reader, at, quote);
			if (!at)
				return NULL;
		}
		depth += (byte == '{') - (byte == '}');
		at++;
		if (!depth)
			return at;
	}
	return NULL;
}

/* Behind "{{", or behind a field; NULL as skip_field. */
static const char *after_brace(struct ath_token_reader *reader, const char *at, char quote,
			       bool is_long)
{
	bool is_doubled = at + 1 < reader->end && at[1] == '{';

	return is_doubled ? at + 2 : skip_field(reader, at, quote, is_long);
}

/* Behind a backslash and what belongs to it: not a brace, unless it is that of a name ("\N{DASH}"). */
static const char *after_formatted_escape(struct ath_token_reader *reader, const char *at,
					  bool is_raw)
{
	char next = at + 1 < reader->end ? at[1] : '\0';

	if (next == 'N' && !is_raw)
		return at + 2 + (at + 2 < reader->end && at[2] == '{');
	return next == '{' ? at + 1 : after_escape(reader, at);
}

static bool skip_formatted_string(struct ath_token_reader *reader, const char *at, bool is_raw)
{
	char quote = *at;
	bool is_long = is_triple(reader, at);

	for (at += is_long ? 3 : 1; at < reader->end;) {
		if (*at == quote && (!is_long || is_triple(reader, at))) {
			reader->at = at + (is_long ? 3 : 1);
			return true;
		}
		if (*at == '{') {
			at = after_brace(reader, at, quote, is_long);
			if (!at)
				return fail(reader, "a formatted string has a field that "
						    "versions of Python read differently");
		} else if (*at == '\\') {
			at = after_formatted_escape(reader, at, is_raw);
		} else if (is_class(*at, LINE)) {
			if (!is_long)
				return fail(reader, "a string does not end on its line");
			at = after_line_end(reader, at);
		} else {
			at++;
		}
	}
	return fail(reader, "a string never ends");
}

/* A name, or a string with a prefix. */
static bool read_name(struct ath_token_reader *reader, struct ath_token *token)
{
	const char *at = reader->at;
	bool is_raw = false, is_prefix = true, is_formatted = false;

	while (at < reader->end && is_class(*at, ALPHA | DIGIT))
		at++;
	if (at == reader->end || !is_class(*at, QUOTE) || at - reader->at > 2) {
		reader->at = at;
		token->kind = ATH_TOKEN_NAME;
		return true;
	}
	for (const char *letter = reader->at; letter < at; letter++) {
		is_prefix = is_prefix && strchr("rRbBuUfFtT", *letter);
		is_raw = is_raw || *letter == 'r' || *letter == 'R';
		is_formatted = is_formatted || strchr("fFtT", *letter);
	}
	if (!is_prefix) {
		reader->at = at;
		token->kind = ATH_TOKEN_NAME;
		return true;
	}
	token->kind = ATH_TOKEN_STRING;
	token->is_formatted = is_formatted;
	return is_formatted ? skip_formatted_string(reader, at, is_raw)
			    : skip_plain_string(reader, at);
}

static bool read_bracket(struct ath_token_reader *reader, struct ath_token *token)
{
	char byte = *reader->at++;

	token->kind = ATH_TOKEN_SIGN;
	token->sign = byte;
	if (is_class(byte, OPEN)) {
		if (reader->depth == ATH_TOKEN_DEPTH_MAX)
			return fail(reader, "brackets are nested too deeply");
		reader->closers[reader->depth++] = byte == '(' ? ')' : byte == '[' ? ']' : '}';
		return true;
	}
	if (!reader->depth || reader->closers[reader->depth - 1] != byte)
		return fail(reader, "a bracket is closed that is not open");
	reader->depth--;
	return true;
}

/* How many bytes the sign at `at` has, by the longest match. */
static size_t sign_len(const char *at, size_t left)
{
	if (left < 2 || !is_class(at[1], MARK))
		return 1;
	if (at[0] == '-' && at[1] == '>')
		return 2;
	if (at[1] == at[0] && strchr("*/<>", at[0]))
		return left > 2 && at[2] == '=' ? 3 : 2;
	return at[1] == '=' && !strchr(".,;~", at[0]) ? 2 : 1;
}

static bool read_sign(struct ath_token_reader *reader, struct ath_token *token)
{
	const char *at = reader->at;
	size_t len = sign_len(at, reader->end - at);

	reader->at += len;
	token->kind = ATH_TOKEN_SIGN;
	if (len == 1)
		token->sign = at[0];
	else if (at[0] == ':')
		token->sign = ATH_TOKEN_WALRUS;
	else if (at[len - 1] == '=' && (len == 3 || !strchr("=!<>", at[0])))
		token->sign = ATH_TOKEN_AUGMENTED;
	else
		token->sign = ATH_TOKEN_OTHER;
	return true;
}

static bool read_token(struct ath_token_reader *reader, struct ath_token *token)
{
	switch (classes[(unsigned char)*reader->at]) {
	case ALPHA:
		return read_name(reader, token);
	case DIGIT:
		/* loose on purpose: letters that touch a number can only be a keyword */
		while (reader->at < reader->end &&
		       (is_class(*reader->at, ALPHA | DIGIT) || *reader->at == '.'))
			reader->at++;
		token->kind = ATH_TOKEN_NUMBER;
		return true;
	case QUOTE:
		token->kind = ATH_TOKEN_STRING;
		return skip_plain_string(reader, reader->at);
	case OPEN:
	case CLOSE:
		return read_bracket(reader, token);
	case MARK:
		return read_sign(reader, token);
	case LINE:
		reader->at = after_line_end(reader, reader->at);
		reader->is_in_line = false;
		token->kind = ATH_TOKEN_NEWLINE;
		return true;
	default:
		return fail(reader, "a character outside strings is not plain Python");
	}
}

/* At the end of the source a line without a line end is closed first. */
static bool read_end(struct ath_token_reader *reader, struct ath_token *token)
{
	if (reader->depth)
		return fail(reader, "a bracket is never closed");
	token->kind = reader->is_in_line ? ATH_TOKEN_NEWLINE : ATH_TOKEN_END;
	reader->is_in_line = false;
	return true;
}

void ath_token_next(struct ath_token_reader *reader, struct ath_token *out_token)
{
	bool is_read = !reader->reason;

	*out_token = (struct ath_token){ .kind = ATH_TOKEN_END, .line = reader->line };
	if (is_read && !(reader->is_in_line ? skip_blanks(reader) : start_line(reader)))
		is_read = !reader->reason;
	out_token->text = reader->at;
	out_token->line = reader->line;
	if (is_read)
		is_read = reader->at == reader->end ? read_end(reader, out_token)
						    : read_token(reader, out_token);
	out_token->len = reader->at - out_token->text;
	if (!is_read) {
		out_token->kind = ATH_TOKEN_BAD;
		out_token->reason = reader->reason;
	}
}
