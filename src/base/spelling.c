/* SPDX-License-Identifier: MIT */
/* base/spelling: the ways in which programs write one and the same text. */
#include "base/spelling.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

/* ---- in URLs ---- */

/* What stays as it is beside letters, digits and "_.-~"; `is_plus`: a blank is written "+". */
static const struct percent {
	const char *safe;
	bool is_plus;
} percents[] = {
	{ "", false },                             /* quote(safe="") */
	{ "/", false },                            /* quote() */
	{ "", true },                              /* quote_plus(), forms */
	{ " +", false },                           /* SQLAlchemy 2 */
	{ "!'()*", false },                        /* encodeURIComponent() */
	{ ";,/?:@&=+$#!'()*", false },             /* encodeURI() */
	{ "$&+,;=", false },                       /* Go, user information */
	{ "!$&'()*+,%", false },                   /* browsers and node, user information */
	{ " !\"#$%&'()*+,;<=>?[\\]^`{|}", false }, /* SQLAlchemy 1.4 */
};

static bool is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte && strchr("_.-~", byte));
}

static void put_percent(const struct percent *way, bool is_upper, const char *text, size_t len,
			struct ath_str *out)
{
	for (size_t i = 0; i < len; i++) {
		if (way->is_plus && text[i] == ' ')
			ath_str_putc(out, '+');
		else if (is_plain(text[i]) || (text[i] && strchr(way->safe, text[i])))
			ath_str_putc(out, text[i]);
		else
			ath_str_printf(out, is_upper ? "%%%02X" : "%%%02x", (unsigned char)text[i]);
	}
}

/* ---- behind backslashes ---- */

/* How characters outside of ASCII are written. */
enum wide {
	WIDE_RAW,
	WIDE_UNITS,      /* \uXXXX of UTF-16 */
	WIDE_BYTES,      /* \xXX of UTF-8 */
	WIDE_CHARACTERS, /* \xXX, \uXXXX or \UXXXXXXXX, the shortest */
};

static const struct escape {
	const char *quoted;  /* what gets a backslash */
	const char *by_code; /* what is written as \u00XX */
	char control;        /* 'u': \u00XX, 'x': \xXX; both know \n, \r and \t; 0: raw */
	enum wide wide;
	bool is_upper; /* hexadecimal digits */
} escapes[] = {
	{ "\"\\", "", 'u', WIDE_RAW, false },
	{ "\"\\/", "", 'u', WIDE_RAW, false },
	{ "\"\\", "", 'u', WIDE_UNITS, false }, /* json.dumps() */
	{ "\"\\", "", 'u', WIDE_UNITS, true },
	{ "\"\\/", "", 'u', WIDE_UNITS, false }, /* PHP */
	{ "\"\\", "<>&", 'u', WIDE_RAW, false }, /* Go */
	{ "\"\\", "<>&'", 'u', WIDE_UNITS, false },
	{ "\"\\", "<>&'", 'u', WIDE_UNITS, true },
	{ "\\", "", 'x', WIDE_RAW, false }, /* repr() */
	{ "\\'", "", 'x', WIDE_RAW, false },
	{ "\\", "", 'x', WIDE_BYTES, false }, /* repr() of bytes */
	{ "\\'", "", 'x', WIDE_BYTES, false },
	{ "\\", "", 'x', WIDE_CHARACTERS, false }, /* ascii() */
	{ "\\'", "", 'x', WIDE_CHARACTERS, false },
	{ "\"\\$`", "", 0, WIDE_RAW, false },                     /* a shell's double quotes */
	{ " !\"#$&'()*,;<>?[\\]^`{|}~", "", 0, WIDE_RAW, false }, /* printf %q */
};

/* The character at `text`; returns its bytes, 1 for what is not UTF-8. */
static size_t read_character(const char *text, size_t len, unsigned long *out)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;

	*out = more ? at[0] & (0x3fU >> more) : at[0];
	if (more >= len)
		more = 0;
	for (size_t i = 1; i <= more; i++)
		*out = *out << 6 | (at[i] & 0x3fU);
	return more + 1;
}

static void put_code(struct ath_str *out, char letter, unsigned long code, bool is_upper)
{
	int digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;

	ath_str_printf(out, is_upper ? "\\%c%0*lX" : "\\%c%0*lx", letter, digits, code);
}

static void put_wide(const struct escape *way, const char *text, size_t len, unsigned long code,
		     struct ath_str *out)
{
	if (way->wide == WIDE_RAW) {
		ath_str_add(out, text, len);
	} else if (way->wide == WIDE_BYTES) {
		for (size_t i = 0; i < len; i++)
			put_code(out, 'x', (unsigned char)text[i], false);
	} else if (way->wide == WIDE_CHARACTERS) {
		put_code(out, code < 0x100 ? 'x' : code < 0x10000 ? 'u' : 'U', code, false);
	} else if (code < 0x10000) {
		put_code(out, 'u', code, way->is_upper);
	} else {
		put_code(out, 'u', 0xd800 + ((code - 0x10000) >> 10), way->is_upper);
		put_code(out, 'u', 0xdc00 + ((code - 0x10000) & 0x3ff), way->is_upper);
	}
}

static void put_control(const struct escape *way, char byte, struct ath_str *out)
{
	static const char known[] = "\n\r\t\b\f", letters[] = "nrtbf";
	const char *at = byte ? strchr(known, byte) : NULL;

	if (!way->control)
		ath_str_putc(out, byte);
	else if (at && (way->control == 'u' || at - known < 3))
		ath_str_printf(out, "\\%c", letters[at - known]);
	else
		put_code(out, way->control, (unsigned char)byte, way->is_upper);
}

static void put_quoted(const char *quoted, char byte, struct ath_str *out)
{
	if (strchr(quoted, byte))
		ath_str_putc(out, '\\');
	ath_str_putc(out, byte);
}

static void put_escape(const struct escape *way, const char *text, size_t len, struct ath_str *out)
{
	unsigned long code;

	for (size_t i = 0, part; i < len; i += part) {
		part = read_character(text + i, len - i, &code);
		if (code >= 0x80)
			put_wide(way, text + i, part, code, out);
		else if (code < 0x20)
			put_control(way, text[i], out);
		else if (strchr(way->by_code, text[i]))
			put_code(out, 'u', code, way->is_upper);
		else
			put_quoted(way->quoted, text[i], out);
	}
}

/* ---- a shell's single quotes ---- */

static const char *const single_quotes[] = { "'\\''", "'\"'\"'" };

static void put_single(const char *quote, const char *text, size_t len, struct ath_str *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'')
			ath_str_puts(out, quote);
		else
			ath_str_putc(out, text[i]);
	}
}

/* ---- base64 ---- */

static const char *const last_digits[] = { "+/", "-_" };

/* Widths of lines of the tools that break them. */
static const size_t widths[] = { 64, 76 };

static char digit_of(unsigned value, const char *last_two)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return value < 62 ? digits[value] : last_two[value - 62];
}

/* The digits that depend on the text alone, if `shift` bytes stand before it in its group of three. */
static void put_base64(const char *text, size_t len, size_t shift, const char *last_two,
		       struct ath_str *out)
{
	size_t first = (8 * shift + 5) / 6, end = 8 * (shift + len) / 6;

	for (size_t i = first; i < end; i++) {
		unsigned value = 0;

		for (size_t bit = 6 * i; bit < 6 * i + 6; bit++) {
			unsigned byte = (unsigned char)text[bit / 8 - shift];

			value = value << 1 | (byte >> (7 - bit % 8) & 1);
		}
		ath_str_putc(out, digit_of(value, last_two));
	}
}

static void tell(ath_spelling_fn *fn, void *user, struct ath_str *spelling)
{
	fn(user, ath_str_get(spelling), spelling->len);
	ath_str_reset(spelling);
}

static void tell_base64(const char *text, size_t len, ath_spelling_fn *fn, void *user,
			struct ath_str *out)
{
	for (size_t i = 0; i < 6; i++) {
		put_base64(text, len, i / 2, last_digits[i % 2], out);
		tell(fn, user, out);
	}
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		struct ath_str whole = { 0 };

		put_base64(text, len, 0, last_digits[0], &whole);
		for (size_t at = 0; whole.len > widths[i] && at < whole.len; at += widths[i]) {
			size_t left = whole.len - at;

			ath_str_add(out, whole.data + at, left < widths[i] ? left : widths[i]);
			ath_str_puts(out, left > widths[i] ? "\n" : "");
		}
		if (out->len)
			tell(fn, user, out);
		ath_str_fini(&whole);
	}
}

/* No way but base64 changes anything: most generated secrets are so. */
static bool is_always_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_plain(text[i]) || text[i] == '~')
			return false;
	}
	return true;
}

static void tell_quoted(const char *text, size_t len, ath_spelling_fn *fn, void *user,
			struct ath_str *out)
{
	for (size_t i = 0; i < 2 * sizeof(percents) / sizeof(percents[0]); i++) {
		put_percent(&percents[i / 2], i % 2, text, len, out);
		tell(fn, user, out);
	}
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		put_escape(&escapes[i], text, len, out);
		tell(fn, user, out);
	}
	for (size_t i = 0; i < sizeof(single_quotes) / sizeof(single_quotes[0]); i++) {
		put_single(single_quotes[i], text, len, out);
		tell(fn, user, out);
	}
}

void ath_spelling_each(const char *text, size_t len, ath_spelling_fn *fn, void *user)
{
	struct ath_str out = { 0 };

	fn(user, text, len);
	if (!is_always_plain(text, len))
		tell_quoted(text, len, fn, user, &out);
	tell_base64(text, len, fn, user, &out);
	ath_str_fini(&out);
}
