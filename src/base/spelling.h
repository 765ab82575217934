/* SPDX-License-Identifier: MIT */
/*
 * base/spelling: the ways in which programs write one and the same text.
 *
 * A secret is not only printed as it is: it stands in URLs, in JSON, in Python's repr(), in what a
 * shell echoes, and in base64. Each way is a row of a table here; a text in which a way changes
 * nothing comes out as it is, so a plain secret has few spellings.
 */
#ifndef ATH_BASE_SPELLING_H
#define ATH_BASE_SPELLING_H

#include <stddef.h>

/* Receives one spelling, borrowed for the call. The same one may come more than once. */
typedef void ath_spelling_fn(void *user, const char *bytes, size_t len);

/*
 * Call `fn` for each spelling of the text, the text itself first.
 *
 * Of base64 only the part that does not depend on the neighbours is told, for each of the three
 * places that a byte can have in its group.
 */
void ath_spelling_each(const char *text, size_t len, ath_spelling_fn *fn, void *user);

#endif
