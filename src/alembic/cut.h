/* SPDX-License-Identifier: MIT */
/*
 * alembic/cut: all cuts of a chain, each scored against the live schema.
 *
 * A cut is a set of revisions closed under "needs"; a linear chain of n revisions has n + 1. They
 * are enumerated in the chain's order, a revision being taken before it is left out, so the whole
 * chain comes first; one step changes only what one revision touches. Kept are the cuts that
 * nothing strong contradicts, and those that only revisions of unknown content may explain.
 */
#ifndef ATH_ALEMBIC_CUT_H
#define ATH_ALEMBIC_CUT_H

#include "alembic/score.h"

enum {
	ATH_CUT_LEAVES_MAX = 100000,
	ATH_CUT_KEPT_MAX = 4096,
	ATH_CUT_BLIND_REACH = 4, /* missing elements that one blind revision may explain */
};

struct ath_cut {
	const bool *set; /* by number of revision; NULL: there is none */
	size_t counts[ATH_WEIGHT_COUNT_];
};

struct ath_cuts {
	const struct ath_cut *free; /* nothing strong against them; the latest first */
	size_t free_len;
	const struct ath_cut *possible; /* only what a blind revision may have dropped is missing */
	size_t possible_len;
	const struct ath_cut *skipped; /* only what their own tips drop is still there */
	size_t skipped_len;
	struct ath_cut nearest; /* of all others, the one with the least against it */
	bool is_complete;       /* false: there are too many cuts */
};

/* Enumerate and score; everything in `arena`. */
void ath_cut_find(const struct ath_intervals *intervals, struct ath_arena *arena,
		  struct ath_cuts *out);

/* Is there less against `cut` than against `other`, the strongest first? */
bool ath_cut_is_nearer(const struct ath_cut *cut, const struct ath_cut *other);

/* Does `cut` hold every member of `other`? Both by number of revision. */
bool ath_cut_holds(const struct ath_chain *chain, const bool *cut, const bool *other);

/* Is `cut` the same set as `other`? */
bool ath_cut_is(const struct ath_chain *chain, const bool *cut, const bool *other);

#endif
