/* SPDX-License-Identifier: MIT */
/*
 * alembic/half: a revision that is partly there although the cut below it is all that is applied.
 *
 * On SQLite this is the normal result of an error or a crash: every statement commits at once, the
 * version row comes last. What speaks against the cut must then all be the work of one revision
 * that is next, or a table `_alembic_tmp_X` is left of a rebuild.
 */
#ifndef ATH_ALEMBIC_HALF_H
#define ATH_ALEMBIC_HALF_H

#include "alembic/score.h"

struct ath_half_find {
	size_t count;    /* next revisions that explain all that is strong, and something */
	size_t revision; /* the first of them; chain->len: none */
	bool is_whole;   /* nothing of it is missing */
	bool has_lost;   /* it has dropped something: that cannot be undone */
	bool has_others; /* something of another revision is there: one crash cannot do that */
	struct ath_elements there; /* what it has made; parts of a table in the list are left out */
};

/* Look for it above a cut whose contradictions are given. */
struct ath_half_find ath_half_find(const struct ath_intervals *intervals, const bool *cut,
				   const struct ath_score *score, struct ath_arena *arena);

/* The name (folded) of the table that a table `_alembic_tmp_X` was to replace; NULL: it is none. */
const char *ath_half_original_of(const struct ath_element *table);

/* A left-over of a batch rebuild. */
struct ath_half_rebuild {
	const struct ath_element *table; /* `_alembic_tmp_X` in the live schema; NULL: none */
	bool has_original;               /* X is there too; otherwise this may be the only copy */
	size_t revision; /* the first that is next and touches X; chain->len: none */
};

/* Look for one; the first in the order of the live schema. */
struct ath_half_rebuild ath_half_find_rebuild(const struct ath_intervals *intervals,
					      const bool *cut, struct ath_arena *arena);

/*
 * The first thing that a revision does and that what is there does not prove: an altered attribute, a
 * view or trigger, a table that shares less than half of its columns; and, if it is to be proven `strictly`
 * (a row says that it did not run), a part of another shape, something dropped and made anew. A tip of a
 * cut may have been interrupted before it; behind an inner revision others have run. NULL: none.
 */
const struct ath_track *ath_half_find_unproven(const struct ath_intervals *intervals,
					       size_t revision, bool strictly);

/*
 * The first effect of a revision of the cut that is not there, an index or the like; NULL: none. A
 * revision that is a tip may have been interrupted before it.
 */
const struct ath_track *ath_half_find_lack(const struct ath_intervals *intervals, const bool *cut,
					   size_t revision);

#endif
