/* SPDX-License-Identifier: MIT */
/*
 * base/pairs: a small set of names with text values: facts, the fields of a journal note.
 *
 * Written as one line per pair, "name=value"; in values a backslash, a line feed and a carriage
 * return are escaped, so any text survives a round trip. Names hold no '=' and no line end.
 */
#ifndef ATH_BASE_PAIRS_H
#define ATH_BASE_PAIRS_H

#include <stddef.h>

#include "base/str.h"

struct ath_pair {
	char *name;  /* owned */
	char *value; /* owned */
};

/* Zeroed storage is an empty set. */
struct ath_pairs {
	struct ath_pair *items; /* owned; in the order in which the names were first set */
	size_t len, cap;
};

/* Release; the set is empty and usable again. */
void ath_pairs_fini(struct ath_pairs *pairs);

/* Set a value, replacing an earlier one. A NULL value removes the pair. */
void ath_pairs_set(struct ath_pairs *pairs, const char *name, const char *value);

/* As ath_pairs_set, with formatted text. */
void ath_pairs_setf(struct ath_pairs *pairs, const char *name, const char *format, ...)
	ATH_PRINTF(3, 4);

/* The value of a name, borrowed until the next change, or NULL. */
const char *ath_pairs_find(const struct ath_pairs *pairs, const char *name);

/* As ath_pairs_find, with "" where there is none. */
const char *ath_pairs_get(const struct ath_pairs *pairs, const char *name);

/* Append all pairs as text. */
void ath_pairs_write(const struct ath_pairs *pairs, struct ath_str *out);

/* Set all pairs that a text holds; lines without '=' are passed over. */
void ath_pairs_read(struct ath_pairs *pairs, const char *text);

#endif
