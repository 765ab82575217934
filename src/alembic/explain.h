/* SPDX-License-Identifier: MIT */
/*
 * alembic/explain: what an inference tells people: names of cuts, evidence, drift.
 *
 * Drift is what differs from an answer and does not decide. Nothing here changes a decision.
 */
#ifndef ATH_ALEMBIC_EXPLAIN_H
#define ATH_ALEMBIC_EXPLAIN_H

#include "alembic/interval.h"
#include "alembic/verdict.h"
#include "base/vec.h"

enum {
	ATH_EXPLAIN_EVIDENCE_MAX = 100, /* of one contradicted answer */
};

/* The rows of a cut, sorted. */
struct ath_texts ath_explain_rows(const struct ath_chain *chain, const bool *cut,
				  struct ath_arena *arena);

/* The same, joined by commas: "" before the first revision. */
const char *ath_explain_cut(const struct ath_chain *chain, const bool *cut,
			    struct ath_arena *arena);

/* Ids in the chain's order of the revisions outside a cut. */
struct ath_texts ath_explain_pending(const struct ath_chain *chain, const bool *cut,
				     struct ath_arena *arena);

/* Ids of the revisions with data steps that `cut` has and `from` (NULL: the empty cut) has not. */
struct ath_texts ath_explain_passed(const struct ath_intervals *intervals, const bool *cut,
				    const bool *from, struct ath_arena *arena);

/* Append what speaks against a cut to the evidence of the result. */
void ath_explain_against(const struct ath_intervals *intervals, const bool *cut,
			 struct ath_arena *arena, struct ath_inference *out);

/* Set the drift of the result as seen from a cut; parts of result's `half` are left out. */
void ath_explain_drift(const struct ath_intervals *intervals, const bool *cut,
		       const struct ath_elements *models, struct ath_arena *arena,
		       struct ath_inference *out);

#endif
