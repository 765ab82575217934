/* SPDX-License-Identifier: MIT */
/* base/str: a growing byte string, and text made safe for a terminal. */
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ath_str_fini(struct ath_str *str)
{
	free(str->data);
	*str = (struct ath_str){ 0 };
}

void ath_str_reset(struct ath_str *str)
{
	str->len = 0;
	if (str->data)
		str->data[0] = '\0';
}

const char *ath_str_get(const struct ath_str *str)
{
	return str->data ? str->data : "";
}

char *ath_str_steal(struct ath_str *str)
{
	char *text = str->data ? str->data : ath_mem_strdup("");

	*str = (struct ath_str){ 0 };
	return text;
}

static void reserve(struct ath_str *str, size_t more)
{
	size_t need = str->len + more + 1;

	if (need <= str->cap)
		return;
	while (str->cap < need)
		str->cap = str->cap ? 2 * str->cap : 64;
	str->data = ath_mem_grow(str->data, str->cap, 1);
}

void ath_str_add(struct ath_str *str, const char *bytes, size_t len)
{
	reserve(str, len);
	if (len)
		memcpy(str->data + str->len, bytes, len);
	str->len += len;
	str->data[str->len] = '\0';
}

void ath_str_puts(struct ath_str *str, const char *text)
{
	ath_str_add(str, text, strlen(text));
}

void ath_str_putc(struct ath_str *str, char byte)
{
	ath_str_add(str, &byte, 1);
}

void ath_str_printf(struct ath_str *str, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ath_str_vprintf(str, format, args);
	va_end(args);
}

void ath_str_vprintf(struct ath_str *str, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len > 0) {
		reserve(str, (size_t)len);
		vsnprintf(str->data + str->len, (size_t)len + 1, format, again);
		str->len += (size_t)len;
	}
	va_end(again);
}

/* Length of the valid UTF-8 sequence at `s` and its code point, or 0 (RFC 3629, section 4). */
static size_t decode(const unsigned char *s, size_t len, uint32_t *out_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t point = need == 1 ? s[0] : s[0] & (0x7fU >> need);

	if (!need || s[0] > 0xf4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point < least[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*out_point = point;
	return need;
}

static bool is_shown(uint32_t point)
{
	bool is_control = point < 0x20 || (point >= 0x7f && point < 0xa0);
	bool is_bidi = (point >= 0x202a && point <= 0x202e) ||
		       (point >= 0x2066 && point <= 0x2069) || point == 0x200e || point == 0x200f ||
		       point == 0x061c;

	return !is_control && !is_bidi && point != 0x2028 && point != 0x2029;
}

void ath_str_put_clean(struct ath_str *str, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t used = decode((const unsigned char *)bytes + i, len - i, &point);

		if (bytes[i] == '\t')
			ath_str_putc(str, ' ');
		else if (used && is_shown(point))
			ath_str_add(str, bytes + i, used);
		else
			ath_str_putc(str, '?');
		i += used ? used : 1;
	}
}

void ath_str_put_word(struct ath_str *str, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (*text && !text[strspn(text, plain)]) {
		ath_str_puts(str, text);
		return;
	}
	ath_str_putc(str, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			ath_str_puts(str, "'\\''");
		else
			ath_str_putc(str, *text);
	}
	ath_str_putc(str, '\'');
}

bool ath_str_is(const char *text, const char *other)
{
	return text == other || (text && other && strcmp(text, other) == 0);
}

bool ath_str_has_prefix(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

bool ath_str_has_suffix(const char *text, const char *tail)
{
	size_t len = strlen(text), want = strlen(tail);

	return len >= want && memcmp(text + len - want, tail, want) == 0;
}
