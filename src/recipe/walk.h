/* SPDX-License-Identifier: MIT */
/*
 * recipe/walk: the folders of a source tree, level by level.
 */
#ifndef ATH_RECIPE_WALK_H
#define ATH_RECIPE_WALK_H

#include "base/field.h"

struct ath_walk {
	const char *root;        /* borrowed; absolute */
	struct ath_arena *arena; /* borrowed; holds the paths */
	size_t entries_left;     /* entries that may still be looked at */
};

/*
 * The folders directly below those of `level`, sorted by path; "." is the root.
 *
 * Not entered: hidden folders, symbolic links, virtual environments, and names such as
 * node_modules, build or tests. A folder that may not be read has no folders.
 * Fails with: ATH_ERR_LIMIT (more entries than allowed), ATH_ERR_IO (the root cannot be read).
 */
ATH_NODISCARD bool ath_walk_below(struct ath_walk *walk, const struct ath_texts *level,
				  struct ath_texts *out_level, struct ath_err *err);

/* `name` inside `folder`, which may be "."; in `arena`. */
const char *ath_walk_join(struct ath_arena *arena, const char *folder, const char *name);

/* The folder of a path, "." for none; in `arena`. */
const char *ath_walk_folder(struct ath_arena *arena, const char *path);

#endif
