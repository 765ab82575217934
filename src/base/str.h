/* SPDX-License-Identifier: MIT */
/*
 * base/str: a growing byte string.
 *
 * Zeroed storage is an empty string. The bytes are always followed by a NUL, so ath_str_get() is
 * a C string as long as no NUL was appended.
 */
#ifndef ATH_BASE_STR_H
#define ATH_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ath_str {
	char *data; /* owned; NULL while nothing was ever appended */
	size_t len; /* bytes, without the NUL */
	size_t cap; /* bytes allocated */
};

/* Release the bytes; the string is empty and usable again. */
void ath_str_fini(struct ath_str *str);

/* Forget the contents but keep the memory. */
void ath_str_reset(struct ath_str *str);

/* The contents as a C string; borrowed, valid until the next change; never NULL. */
const char *ath_str_get(const struct ath_str *str);

/* The contents as an owned C string (free() it); the string is left empty. */
char *ath_str_steal(struct ath_str *str);

/* Append `len` bytes, a C string, one byte, formatted text. */
void ath_str_add(struct ath_str *str, const char *bytes, size_t len);

/* Append a C string. */
void ath_str_puts(struct ath_str *str, const char *text);

/* Append one byte. */
void ath_str_putc(struct ath_str *str, char byte);

/* Append formatted text. */
void ath_str_printf(struct ath_str *str, const char *format, ...) ATH_PRINTF(2, 3);

/* As ath_str_printf, with an argument list. */
void ath_str_vprintf(struct ath_str *str, const char *format, va_list args);

/*
 * Append text that came from outside in a form that is safe on a terminal: valid UTF-8 stays,
 * control characters (C0, C1, ESC, DEL), bidirectional controls and invalid bytes become '?'.
 * A tab becomes a space.
 */
void ath_str_put_clean(struct ath_str *str, const char *bytes, size_t len);

/*
 * Append a text as one word of a shell's command line, to be copied from the screen: as it is where
 * that says the same to a shell, else in single quotes.
 */
void ath_str_put_word(struct ath_str *str, const char *text);

/* Is `text` equal to `other`? NULL equals NULL only. */
bool ath_str_is(const char *text, const char *other);

/* Does `text` begin with `head`? */
bool ath_str_has_prefix(const char *text, const char *head);

/* Does `text` end with `tail`? */
bool ath_str_has_suffix(const char *text, const char *tail);

#endif
