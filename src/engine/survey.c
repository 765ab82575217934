/* SPDX-License-Identifier: MIT */
/* engine/survey: looks at every step for the plan. */
#include "engine/survey.h"

#include <string.h>

static bool bind(const struct ath_spec_step *step, const struct ath_step_table *table,
		 struct ath_arena *arena, struct ath_bound *out, struct ath_err *err)
{
	const struct ath_step_type *type = ath_step_find_type(table, step->type);
	void *config;

	if (!type)
		return ath_err_at(err, ATH_ERR_RECIPE, step->pos,
				  "step '%s' has the unknown type '%s'", step->name, step->type);
	config = ath_arena_new(arena, 1, type->config_size);
	if (!ath_field_bind(type->fields, step->config, step->name, arena, config, err))
		return false;
	*out = (struct ath_bound){ type, config };
	return true;
}

bool ath_survey_bind(const struct ath_spec *spec, const struct ath_step_table *table,
		     struct ath_arena *arena, const struct ath_bound **out_bound,
		     struct ath_err *err)
{
	struct ath_bound *bound = ath_arena_new(arena, spec->len, sizeof(*bound));

	for (size_t i = 0; i < spec->len; i++) {
		if (!spec->steps[i].skip_reason &&
		    !bind(&spec->steps[i], table, arena, &bound[i], err))
			return false;
	}
	*out_bound = bound;
	return true;
}

void ath_survey_fingerprint(const struct ath_spec_step *step, const struct ath_bound *bound,
			    const struct ath_step_world *world, char out_text[ATH_HASH_TEXT])
{
	struct ath_hash hash = ath_hash_start();
	struct ath_str text = { 0 };

	ath_hash_add_text(&hash, bound->type->name);
	ath_value_put_canonical(&text, step->config);
	ath_hash_add_text(&hash, ath_str_get(&text));
	ath_str_reset(&text);
	if (bound->type->inputs)
		bound->type->inputs(world, bound->config, &text);
	ath_hash_add(&hash, ath_str_get(&text), text.len);
	ath_str_fini(&text);
	ath_hash_text(hash, out_text);
}

void ath_survey_look(const struct ath_spec_step *step, const struct ath_bound *bound,
		     const struct ath_history *history, const struct ath_step_world *world,
		     struct ath_arena *arena, struct ath_plan_look *out_look,
		     struct ath_err *out_refusal)
{
	struct ath_step_look look = { 0 };
	char fingerprint[ATH_HASH_TEXT];

	bound->type->probe(world, bound->config, &look);
	if (out_refusal && out_refusal->code == ATH_ERR_OK)
		*out_refusal = look.refusal;
	ath_survey_fingerprint(step, bound, world, fingerprint);
	*out_look = (struct ath_plan_look){
		.probe = look.probe,
		.detail = look.detail[0] ? ath_arena_strdup(arena, look.detail) : NULL,
		.fingerprint = ath_arena_strdup(arena, fingerprint),
		.past_fingerprint = ath_replay_find_success(&history->successes, step->name),
		.past = ath_history_find(history, step->name),
	};
}

void ath_survey_look_all(const struct ath_spec *spec, const struct ath_graph *graph,
			 const struct ath_bound *bound, const struct ath_history *history,
			 const struct ath_step_world *world, struct ath_arena *arena,
			 struct ath_plan_look *out_looks, struct ath_err *out_refusal)
{
	for (size_t i = 0; i < spec->len; i++) {
		size_t idx = graph->order[i];

		if (spec->steps[idx].skip_reason)
			continue; /* never runs, so nobody asks */
		ath_survey_look(&spec->steps[idx], &bound[idx], history, world, arena,
				&out_looks[idx], out_refusal);
	}
}
