/* SPDX-License-Identifier: MIT */
/* engine/turn: what becomes of a step when its turn has come. */
#include "engine/turn.h"

static bool is_fixed(enum ath_plan_reason reason)
{
	return reason == ATH_PLAN_REASON_STATIC || reason == ATH_PLAN_REASON_LEFT_OUT ||
	       reason == ATH_PLAN_REASON_NOT_CHOSEN;
}

/* Decide again by what is there now. */
static struct ath_plan_row look_again(const struct ath_turn *turn, struct ath_arena *arena)
{
	struct ath_plan_look look;

	ath_survey_look(turn->step, turn->bound, turn->history, turn->world, arena, &look, NULL);
	return ath_plan_decide(turn->step, &look, turn->world->facts);
}

struct ath_plan_row ath_turn_decide(const struct ath_turn *turn, struct ath_arena *arena)
{
	const struct ath_spec_when *when = &turn->step->when;
	struct ath_plan_row row = *turn->planned;
	bool is_known;

	if (is_fixed(row.reason))
		return row;
	if (!ath_plan_when_holds(when, turn->world->facts, &is_known)) {
		row.verdict = ATH_PLAN_SKIP;
		row.reason = ATH_PLAN_REASON_CONDITION;
		row.subject = ath_pairs_get(turn->world->facts, when->fact);
		return row;
	}
	if (row.verdict == ATH_PLAN_RUN ||
	    (row.verdict == ATH_PLAN_SATISFIED && !turn->is_behind_change))
		return row;
	return look_again(turn, arena);
}
