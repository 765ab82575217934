/* SPDX-License-Identifier: MIT */
/*
 * base/json: writes JSON (RFC 8259), never reads it.
 *
 *	struct ath_json json = { .out = &text };
 *	ath_json_open(&json, '{');
 *	ath_json_key(&json, "name");
 *	ath_json_text(&json, "kahani");
 *	ath_json_close(&json, '}');
 *
 * Commas are placed by the writer. Bytes that are not valid UTF-8 come out as '?'.
 */
#ifndef ATH_BASE_JSON_H
#define ATH_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct ath_json {
	struct ath_str *out; /* borrowed */
	bool needs_comma;    /* a value stands before this place in the same container */
};

/* Open an object or an array: `bracket` is '{' or '['. */
void ath_json_open(struct ath_json *json, char bracket);

/* Close it: `bracket` is '}' or ']'. */
void ath_json_close(struct ath_json *json, char bracket);

/* The key of the next value. */
void ath_json_key(struct ath_json *json, const char *key);

/* A string value; NULL writes null. */
void ath_json_text(struct ath_json *json, const char *text);

/* A number. */
void ath_json_int(struct ath_json *json, int64_t number);

/* true or false. */
void ath_json_bool(struct ath_json *json, bool value);

/* A key with a string (NULL: null), a number, a truth value. */
void ath_json_put_text(struct ath_json *json, const char *key, const char *text);

/* A key with a number. */
void ath_json_put_int(struct ath_json *json, const char *key, int64_t number);

/* A key with a truth value. */
void ath_json_put_bool(struct ath_json *json, const char *key, bool value);

/* A key with a list of `len` strings. */
void ath_json_put_texts(struct ath_json *json, const char *key, const char *const *items,
			size_t len);

#endif
