/* SPDX-License-Identifier: MIT */
/* engine/survey: binds steps to a table of fake types, and looks at them. */
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "engine/survey.h"

/* What the fake types are told by their configuration. */
struct fake_config {
	const char *name;
	const char *refuse; /* the probe is certain that the run must refuse, with this text */
};

static const struct ath_field fake_fields[] = {
	ATH_FIELD_OPTIONAL(fake_config, name, TEXT, "What it calls itself."),
	ATH_FIELD_OPTIONAL(fake_config, refuse, TEXT, "Why the run must refuse."),
	{ 0 },
};

/* The file behind the fact "input" is its input. */
static void fake_inputs(const struct ath_step_world *world, const void *config, struct ath_str *out)
{
	(void)config;
	ath_str_puts(out, ath_pairs_get(world->facts, "input"));
}

/* Tells what was known when it was asked, by a fact and by its detail. */
static void fake_probe(const struct ath_step_world *world, const void *user,
		       struct ath_step_look *out)
{
	const struct fake_config *config = user;
	struct ath_str asked = { 0 };

	out->probe = ATH_PROBE_PARTIAL;
	snprintf(out->detail, sizeof(out->detail), "%s", ath_pairs_get(world->facts, "asked"));
	if (config->refuse)
		ath_err_set(&out->refusal, ATH_ERR_REFUSED, "%s", config->refuse);
	ath_str_printf(&asked, "%s%s", ath_pairs_get(world->facts, "asked"), config->name);
	ath_pairs_set(world->facts, "asked", ath_str_get(&asked));
	ath_str_fini(&asked);
}

static void fake_start(struct ath_step *step)
{
	(void)step;
	fail_msg("a survey starts nothing");
}

#define FAKE(type_name, take_inputs)                                              \
	{                                                                         \
		.name = (type_name), .summary = "Fake.", .fields = fake_fields,   \
		.config_size = sizeof(struct fake_config), .inputs = take_inputs, \
		.probe = fake_probe, .start = fake_start                          \
	}

static const struct ath_step_type fake = FAKE("fake", fake_inputs), blind = FAKE("blind", NULL);
static const struct ath_step_type *const types[] = { &fake, &blind, NULL };
static const struct ath_section_type *const sections[] = { NULL };
static const struct ath_step_table table = { types, sections };

/* A configuration of pairs "key", "value", ..., NULL. */
static const struct ath_value *make_config(struct ath_arena *arena, const char *const *pairs)
{
	struct ath_value *map = ath_value_new_map(arena);

	for (; pairs[0]; pairs += 2)
		ath_value_put_text(arena, map, pairs[0], pairs[1]);
	map->pos = (struct ath_pos){ "athanor.yaml", 5, 2 };
	return map;
}

#define CONFIG(arena, ...) make_config(arena, (const char *const[]){ __VA_ARGS__, NULL })

/* The fingerprint of one step. */
static void take(const struct ath_step_type *type, const struct ath_value *config,
		 const char *input, char out_text[ATH_HASH_TEXT])
{
	const struct ath_spec_step step = { .name = "x", .type = type->name, .config = config };
	struct ath_spec spec = { &step, 1 };
	struct ath_arena arena = { 0 };
	struct ath_pairs facts = { 0 };
	const struct ath_step_world world = { .facts = &facts };
	const struct ath_bound *bound;
	struct ath_err err = { 0 };

	ath_pairs_set(&facts, "input", input);
	assert_true(ath_survey_bind(&spec, &table, &arena, &bound, &err));
	ath_survey_fingerprint(&step, bound, &world, out_text);
	ath_pairs_fini(&facts);
	ath_arena_fini(&arena);
}

static void the_fingerprint_changes_with_type_configuration_and_inputs(void **state)
{
	struct ath_arena arena = { 0 };
	const struct ath_value *one = CONFIG(&arena, "name", "a"),
			       *other = CONFIG(&arena, "name", "b"),
			       *more = CONFIG(&arena, "name", "a", "refuse", "b"),
			       *same = CONFIG(&arena, "name", "a");
	char prints[6][ATH_HASH_TEXT], again[ATH_HASH_TEXT];

	(void)state;
	take(&fake, one, "input", prints[0]);
	take(&fake, other, "input", prints[1]);
	take(&fake, more, "input", prints[2]);
	take(&fake, one, "other input", prints[3]);
	take(&fake, one, "", prints[4]);
	take(&blind, one, "input", prints[5]);
	for (size_t i = 0; i < 6; i++)
		for (size_t n = 0; n < i; n++)
			assert_string_not_equal(prints[i], prints[n]);
	take(&fake, same, "input", again);
	assert_string_equal(again, prints[0]);
	take(&blind, one, "other input", again);
	assert_string_equal(again, prints[5]);
	ath_arena_fini(&arena);
}

static void a_step_of_an_unknown_type_or_wrong_configuration_is_refused_in_place(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_spec_step step = { .name = "x",
				      .type = "nothing",
				      .config = CONFIG(&arena, "colour", "red"),
				      .pos = { "athanor.yaml", 4, 3 } };
	struct ath_spec spec = { &step, 1 };
	const struct ath_bound *bound = NULL;
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_survey_bind(&spec, &table, &arena, &bound, &err));
	assert_int_equal(err.code, ATH_ERR_RECIPE);
	assert_int_equal(err.pos.line, 4);
	assert_non_null(strstr(err.msg, "'nothing'"));
	ath_err_clear(&err);
	step.type = "fake";
	assert_false(ath_survey_bind(&spec, &table, &arena, &bound, &err));
	assert_int_equal(err.code, ATH_ERR_RECIPE);
	assert_non_null(strstr(err.msg, "'colour'"));
	assert_null(bound);
	ath_arena_fini(&arena);
}

/*
 *	last ──► never ──► first        `never` has an unknown type and is not asked
 */
static void steps_are_asked_in_order_and_those_that_never_run_are_not(void **state)
{
	static const char *const needs_never[] = { "never", NULL }, *const needs_first[] = {
		"first", NULL
	};
	struct ath_arena arena = { 0 };
	const struct ath_spec_step steps[] = {
		{ .name = "last",
		  .type = "fake",
		  .needs = { needs_never, 1 },
		  .config = CONFIG(&arena, "name", "C", "refuse", "second refusal") },
		{ .name = "never",
		  .type = "unknown",
		  .needs = { needs_first, 1 },
		  .skip_reason = "no frontend" },
		{ .name = "first",
		  .type = "fake",
		  .config = CONFIG(&arena, "name", "A", "refuse", "first refusal") },
	};
	const struct ath_spec spec = { steps, 3 };
	const struct ath_replay_satisfied success = { "last", "0123" };
	const struct ath_history_step past = { "first", ATH_PAST_FAILED };
	const struct ath_history history = { .successes = { &success, 1 },
					     .steps = &past,
					     .steps_len = 1 };
	struct ath_pairs facts = { 0 };
	const struct ath_step_world world = { .facts = &facts };
	struct ath_plan_look looks[3] = { 0 };
	const struct ath_bound *bound;
	struct ath_graph graph;
	struct ath_err err = { 0 }, refusal = { 0 };

	(void)state;
	assert_true(ath_graph_build(&spec, &arena, &graph, &err));
	assert_true(ath_survey_bind(&spec, &table, &arena, &bound, &err));
	assert_null(bound[1].type);
	ath_survey_look_all(&spec, &graph, bound, &history, &world, &arena, looks, &refusal);
	assert_string_equal(ath_pairs_get(&facts, "asked"), "AC");
	assert_null(looks[2].detail); /* nothing was known to the first */
	assert_string_equal(looks[0].detail, "A");
	assert_null(looks[1].fingerprint);
	assert_int_equal(looks[0].probe, ATH_PROBE_PARTIAL);
	assert_string_equal(looks[0].past_fingerprint, "0123");
	assert_null(looks[2].past_fingerprint);
	assert_int_equal(looks[2].past, ATH_PAST_FAILED);
	assert_int_equal(looks[0].past, ATH_PAST_NONE);
	assert_int_equal(refusal.code, ATH_ERR_REFUSED);
	assert_string_equal(refusal.msg, "first refusal");
	ath_survey_look_all(&spec, &graph, bound, &history, &world, &arena, looks, NULL);
	ath_pairs_fini(&facts);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fingerprint_changes_with_type_configuration_and_inputs),
		cmocka_unit_test(
			a_step_of_an_unknown_type_or_wrong_configuration_is_refused_in_place),
		cmocka_unit_test(steps_are_asked_in_order_and_those_that_never_run_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
