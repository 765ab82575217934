/* SPDX-License-Identifier: MIT */
/*
 * alembic/score: what the live schema says against one cut.
 *
 *	missing     the cut has it, the schema does not
 *	premature   the cut does not have it yet, the schema does
 *	leftover    the chain dropped it, it is still there: strong only where the drop is a tip of
 *	            the cut, as create_all never drops and drops get skipped
 *	type        a column has another type, which the chain gives it elsewhere
 *
 * A part of a table is judged only where its table is expected and exists, and only if it does more
 * than come and go with it.
 */
#ifndef ATH_ALEMBIC_SCORE_H
#define ATH_ALEMBIC_SCORE_H

#include "alembic/interval.h"

enum ath_contra {
	ATH_CONTRA_NONE,
	ATH_CONTRA_MISSING,
	ATH_CONTRA_PREMATURE,
	ATH_CONTRA_LEFTOVER,
	ATH_CONTRA_TYPE,
	ATH_CONTRA_COUNT_
};

enum ath_weight {
	ATH_WEIGHT_LIGHT,
	ATH_WEIGHT_MEDIUM,
	ATH_WEIGHT_STRONG,
	ATH_WEIGHT_COUNT_
};

/* What one track is expected to be. */
struct ath_score_state {
	enum ath_presence presence;
	enum ath_presence table; /* of its table; anything where it has none */
	const char *type;        /* of a column; NULL: any */
	bool is_tip;             /* the presence is due to a tip of the cut */
};

/* One contradiction. */
struct ath_score_item {
	size_t track;
	enum ath_contra contra;
	enum ath_weight weight;
};

struct ath_score {
	const struct ath_score_item *items; /* strongest first, then by key */
	size_t len;
	size_t counts[ATH_WEIGHT_COUNT_];
};

/* Judge one track; `out_weight` is set unless the result is NONE. */
enum ath_contra ath_score_judge(const struct ath_intervals *intervals,
				const struct ath_track *track, const struct ath_score_state *state,
				enum ath_weight *out_weight);

/* All contradictions of a cut (a set by number of revision), in `arena`. */
struct ath_score ath_score_cut(const struct ath_intervals *intervals, const bool *cut,
			       struct ath_arena *arena);

/* Number of the revision that a contradiction of a cut is about; chain->len: none. */
size_t ath_score_find_revision(const struct ath_intervals *intervals, const bool *cut,
			       const struct ath_score_item *item);

/* Is the revision in the cut, and needed by no other member? */
bool ath_score_is_tip(const struct ath_chain *chain, const bool *cut, size_t revision);

#endif
