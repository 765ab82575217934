/* SPDX-License-Identifier: MIT */
/*
 * engine/turn: what becomes of a step when its turn has come: the plan's decision, or a new one by
 * the facts and the effects that are there now.
 */
#ifndef ATH_ENGINE_TURN_H
#define ATH_ENGINE_TURN_H

#include "engine/survey.h"

/* One step at its turn; all borrowed. */
struct ath_turn {
	const struct ath_spec_step *step;
	const struct ath_bound *bound;
	const struct ath_history *history;
	const struct ath_step_world *world;
	const struct ath_plan_row *planned;
	bool is_behind_change; /* a step before it has run, so its probe is asked again */
};

/* Decide; texts are made in `arena`. */
struct ath_plan_row ath_turn_decide(const struct ath_turn *turn, struct ath_arena *arena);

#endif
