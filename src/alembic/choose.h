/* SPDX-License-Identifier: MIT */
/*
 * alembic/choose: which of the cuts that nothing strong contradicts.
 *
 * The least contradicted are one class where nothing that can be seen lies between them. Its latest
 * member is chosen if running what lies between would do nothing: no data step, no attribute,
 * nothing unknown. A cut with less against it wins over one with more if all that speaks against it
 * speaks against the other too, and no data step lies between. Anything else is in doubt.
 */
#ifndef ATH_ALEMBIC_CHOOSE_H
#define ATH_ALEMBIC_CHOOSE_H

#include "alembic/cut.h"

struct ath_choice {
	const bool *set;              /* the latest of the class; NULL: no cut is free */
	const bool *lowest, *highest; /* of the class */
	size_t class_len;
	bool is_sure;
	const char *doubt; /* why not, for people; NULL if it is sure */
};

/* Choose. */
struct ath_choice ath_choose(const struct ath_intervals *intervals, const struct ath_cuts *cuts,
			     struct ath_arena *arena);

/*
 * Does `other` drop something that `cut` takes for granted, and that is not there? No evidence, as
 * it may never have been there, but a reason to ask.
 */
bool ath_choose_is_hinted(const struct ath_intervals *intervals, const bool *cut,
			  const bool *other);

/* Does all that a score holds speak against the cut `other` too? */
bool ath_choose_is_shared(const struct ath_intervals *intervals, const struct ath_score *score,
			  const bool *other, struct ath_arena *arena);

/* Is one cut's list of what is not strong shorter than the other's? */
bool ath_choose_is_better(const struct ath_cut *cut, const struct ath_cut *other);

/*
 * Of the revisions that one set has and the other has not: the first with data steps or unknown
 * content, or chain->len.
 */
size_t ath_choose_find_risk(const struct ath_intervals *intervals, const bool *one,
			    const bool *other);

#endif
