/* SPDX-License-Identifier: MIT */
/*
 * recipe/load: the text of a recipe as a tree of values that know their places.
 *
 * Only the plain part of YAML has a meaning here: mappings with text keys, lists and texts. What
 * would make one text mean two things (aliases, anchors, tags, merge keys, directives, a second
 * document, a key that stands twice) is refused at its place.
 */
#ifndef ATH_RECIPE_LOAD_H
#define ATH_RECIPE_LOAD_H

#include "base/value.h"

enum {
	ATH_LOAD_BYTES = 256 * 1024, /* longest text */
	ATH_LOAD_DEPTH = 16,         /* lists and mappings inside each other */
	ATH_LOAD_NODES = 10000,      /* keys and values */
};

/* A text to be read; all borrowed. */
struct ath_load_source {
	const char *text; /* need not end with a NUL */
	size_t len;       /* bytes */
	const char *file; /* for positions; outlives the tree and the error; or NULL */
};

/*
 * Read a text into a tree made in `arena`.
 *
 * Positions point at the first byte of a value's own text (behind an opening quote), so an offset
 * into a value on one line is an offset of its column. An empty text is a NULL value.
 * Fails with: ATH_ERR_RECIPE (syntax, something that is refused, too large; positioned).
 */
ATH_NODISCARD bool ath_load_text(const struct ath_load_source *source, struct ath_arena *arena,
				 const struct ath_value **out_tree, struct ath_err *err);

#endif
