/* SPDX-License-Identifier: MIT */
/*
 * engine/survey: asks each step's probe and takes its inputs' fingerprint, as plain values for the
 * plan. Reads only; starts nothing.
 */
#ifndef ATH_ENGINE_SURVEY_H
#define ATH_ENGINE_SURVEY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/hash.h"
#include "engine/history.h"
#include "engine/step.h"
#include "plan/graph.h"
#include "plan/make.h"

/* A step instance bound to its type. */
struct ath_bound {
	const struct ath_step_type *type;
	const void *config;
};

/*
 * Bind every step of a spec to its type and its configuration; the result is in `arena`. A step that
 * never runs has neither.
 * Fails with: ATH_ERR_RECIPE (unknown type, wrong configuration; positioned).
 */
ATH_NODISCARD bool ath_survey_bind(const struct ath_spec *spec, const struct ath_step_table *table,
				   struct ath_arena *arena, const struct ath_bound **out_bound,
				   struct ath_err *err);

/*
 * Look at one step. Texts are made in `arena`. `out_refusal` (may be NULL) is filled if it is clean
 * and the probe is certain that the run must refuse.
 */
void ath_survey_look(const struct ath_spec_step *step, const struct ath_bound *bound,
		     const struct ath_history *history, const struct ath_step_world *world,
		     struct ath_arena *arena, struct ath_plan_look *out_look,
		     struct ath_err *out_refusal);

/* Look at all steps, in the graph's order, so that facts of earlier ones are known to later ones. */
void ath_survey_look_all(const struct ath_spec *spec, const struct ath_graph *graph,
			 const struct ath_bound *bound, const struct ath_history *history,
			 const struct ath_step_world *world, struct ath_arena *arena,
			 struct ath_plan_look *out_looks, struct ath_err *out_refusal);

/* The fingerprint of a step's inputs now. */
void ath_survey_fingerprint(const struct ath_spec_step *step, const struct ath_bound *bound,
			    const struct ath_step_world *world, char out_text[ATH_HASH_TEXT]);

#endif
