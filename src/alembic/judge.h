/* SPDX-License-Identifier: MIT */
/*
 * alembic/judge: the verdict and the decision of one inference, from what has been found.
 *
 * Order of tests with a stamp: the stamp itself; the stamp and part of the next revision; all cuts;
 * the stamp and whole tables that create_all made early. Without a stamp: an empty version table
 * may be what an interrupted first revision has left; then all cuts. Every branch that is not
 * certain ends in a question. Used by alembic/infer only; three files: what both ways share, with a
 * stamp (judge_stamp.c), and a revision that is half there (judge_half.c).
 */
#ifndef ATH_ALEMBIC_JUDGE_H
#define ATH_ALEMBIC_JUDGE_H

#include "alembic/choose.h"
#include "alembic/cut.h"
#include "alembic/half.h"
#include "alembic/interval.h"
#include "alembic/score.h"
#include "alembic/verdict.h"

/* All that is known of one case. */
struct ath_inquiry {
	const struct ath_infer_input *input;
	const struct ath_chain *chain;
	struct ath_arena *arena;
	struct ath_intervals in;
	struct ath_cuts cuts;
	struct ath_choice choice;
	bool *stamp;              /* the cut of the rows; without rows the empty cut */
	struct ath_score against; /* what contradicts the stamp */
	struct ath_half_find half;
	struct ath_half_rebuild rebuild;
	const bool *answer; /* the cut that the result is about; NULL: none */
	struct ath_inference *out;
};

/* Judge a case that has version rows, all of them known. */
void ath_judge_stamped(struct ath_inquiry *q);

/* Judge a case without version rows. */
void ath_judge_unstamped(struct ath_inquiry *q);

/* Set verdict, decision, the cut that they are about (NULL: none), and the reason. */
void ath_judge_answer(struct ath_inquiry *q, enum ath_verdict verdict, enum ath_decision decision,
		      const bool *cut, const char *reason);

/* Answer with a question. */
void ath_judge_ask(struct ath_inquiry *q, enum ath_verdict verdict, const char *reason);

/* No cut is free: foreign, or damaged. */
void ath_judge_damaged(struct ath_inquiry *q);

/* Part of a next revision is there, or all of one that did more than the schema shows. */
void ath_judge_half(struct ath_inquiry *q);

/* A table is left of an interrupted rebuild above a cut, which is known for sure or not. */
void ath_judge_rebuild(struct ath_inquiry *q, const bool *cut, bool is_sure);

/*
 * What does not prove that a tip of the chosen cut, outside the stamp, ran to its end; NULL: nothing.
 * `out_revision` is that tip.
 */
const struct ath_track *ath_judge_find_unproven(const struct ath_inquiry *q, size_t *out_revision);

/* The same as a sentence. */
const char *ath_judge_say_unproven(struct ath_inquiry *q, const struct ath_track *track,
				   size_t revision);

/* Is the left-over explained by a revision above the cut? Otherwise it is drift. */
bool ath_judge_is_rebuilding(const struct ath_inquiry *q);

/* Is all of exactly one literal revision there: did the crash come before the version row? */
bool ath_judge_is_ahead_by_one(const struct ath_inquiry *q);

/* Does the chosen cut go elsewhere than to the revision that seems half there? */
bool ath_judge_is_half_contested(const struct ath_inquiry *q);

/* The free cut that is that set, or NULL. */
const struct ath_cut *ath_judge_find_free(const struct ath_inquiry *q, const bool *cut);

/* Has the version table rows? */
bool ath_judge_has_rows(const struct ath_inquiry *q);

/* Set lowest and highest of the result. */
void ath_judge_set_range(struct ath_inquiry *q, const bool *lowest, const bool *highest);

/* Name of a cut, why the choice is in doubt, id of a revision: for sentences. */
const char *ath_judge_say(struct ath_inquiry *q, const bool *cut);

/* Why the choice is in doubt, as a sentence. */
const char *ath_judge_say_doubt(struct ath_inquiry *q);

/* Id of a revision. */
const char *ath_judge_id(const struct ath_inquiry *q, size_t revision);

#endif
