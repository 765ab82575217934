/* SPDX-License-Identifier: MIT */
/* base/json: writes JSON. */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

static void begin_value(struct ath_json *json)
{
	if (json->needs_comma)
		ath_str_putc(json->out, ',');
	json->needs_comma = true;
}

void ath_json_open(struct ath_json *json, char bracket)
{
	begin_value(json);
	ath_str_putc(json->out, bracket);
	json->needs_comma = false;
}

void ath_json_close(struct ath_json *json, char bracket)
{
	ath_str_putc(json->out, bracket);
	json->needs_comma = true;
}

static void put_escaped(struct ath_str *out, unsigned char byte)
{
	switch (byte) {
	case '"':
		ath_str_puts(out, "\\\"");
		break;
	case '\\':
		ath_str_puts(out, "\\\\");
		break;
	case '\n':
		ath_str_puts(out, "\\n");
		break;
	default:
		ath_str_printf(out, "\\u%04x", byte);
	}
}

static void put_string(struct ath_json *json, const char *text)
{
	size_t len = strlen(text), from = 0;

	ath_str_putc(json->out, '"');
	for (size_t i = 0; i <= len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (i < len && byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)
			continue;
		ath_str_put_clean(json->out, text + from, i - from);
		if (i < len)
			put_escaped(json->out, byte);
		from = i + 1;
	}
	ath_str_putc(json->out, '"');
}

void ath_json_key(struct ath_json *json, const char *key)
{
	begin_value(json);
	put_string(json, key);
	ath_str_putc(json->out, ':');
	json->needs_comma = false;
}

void ath_json_text(struct ath_json *json, const char *text)
{
	begin_value(json);
	if (text)
		put_string(json, text);
	else
		ath_str_puts(json->out, "null");
}

void ath_json_int(struct ath_json *json, int64_t number)
{
	begin_value(json);
	ath_str_printf(json->out, "%" PRId64, number);
}

void ath_json_bool(struct ath_json *json, bool value)
{
	begin_value(json);
	ath_str_puts(json->out, value ? "true" : "false");
}

void ath_json_put_text(struct ath_json *json, const char *key, const char *text)
{
	ath_json_key(json, key);
	ath_json_text(json, text);
}

void ath_json_put_int(struct ath_json *json, const char *key, int64_t number)
{
	ath_json_key(json, key);
	ath_json_int(json, number);
}

void ath_json_put_bool(struct ath_json *json, const char *key, bool value)
{
	ath_json_key(json, key);
	ath_json_bool(json, value);
}

void ath_json_put_texts(struct ath_json *json, const char *key, const char *const *items,
			size_t len)
{
	ath_json_key(json, key);
	ath_json_open(json, '[');
	for (size_t i = 0; i < len; i++)
		ath_json_text(json, items[i]);
	ath_json_close(json, ']');
}
