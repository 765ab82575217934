/* SPDX-License-Identifier: MIT */
/*
 * alembic/infer: at which revision is this database really?
 *
 * Schema and chain in, revision out, with evidence; "between two" and "unknown" are answers
 * (docs/inference.md). Pure: the elements of the live schema, the graph, each revision's effects
 * and the version rows are plain values. One confident wrong answer is worse than ten questions, so
 * every rule errs towards asking.
 */
#ifndef ATH_ALEMBIC_INFER_H
#define ATH_ALEMBIC_INFER_H

#include "alembic/verdict.h"

/* Infer; everything in the result lives in `arena` or is borrowed from the input. */
void ath_infer(const struct ath_infer_input *input, struct ath_arena *arena,
	       struct ath_inference *out);

#endif
