/* SPDX-License-Identifier: MIT */
/*
 * base/arena: many small objects that die together.
 *
 * Zeroed storage is an empty arena. One life, one arena: a loaded recipe, a plan, a replayed
 * journal.
 */
#ifndef ATH_BASE_ARENA_H
#define ATH_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct ath_arena {
	struct ath_arena_block *last; /* owned; newest block first */
};

/* Release every object of the arena; it is empty and usable again. */
void ath_arena_fini(struct ath_arena *arena);

/* Zeroed memory for `count` items of `size` bytes, aligned for any type. */
void *ath_arena_new(struct ath_arena *arena, size_t count, size_t size);

/* A copy of a string; NULL stays NULL. */
char *ath_arena_strdup(struct ath_arena *arena, const char *text);

/* A NUL-terminated copy of `len` bytes. */
char *ath_arena_strndup(struct ath_arena *arena, const char *text, size_t len);

/* Formatted text. */
char *ath_arena_printf(struct ath_arena *arena, const char *format, ...) ATH_PRINTF(2, 3);

#endif
