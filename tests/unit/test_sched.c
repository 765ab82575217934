/* SPDX-License-Identifier: MIT */
/* engine/sched: the exact actions of small graphs; tests/sim has the random ones. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "engine/sched.h"

/* A scheduler over a few steps, and what it said so far. */
struct fixture {
	struct ath_arena arena;
	struct ath_spec spec;
	struct ath_graph graph;
	struct ath_sched *sched;
	struct ath_str said;
};

#define NEEDS(...)                                                                    \
	{                                                                             \
		(const char *const[]){ __VA_ARGS__, NULL },                           \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *) \
	}

static void put_action(struct fixture *fix, const struct ath_sched_action *action)
{
	static const char *const words[] = {
		[ATH_SCHED_ASK] = "ask",           [ATH_SCHED_RECORD] = "record",
		[ATH_SCHED_START] = "start",       [ATH_SCHED_CANCEL] = "cancel",
		[ATH_SCHED_RETRY_LATER] = "later", [ATH_SCHED_CLOSE] = "close",
		[ATH_SCHED_ABANDON] = "abandon",   [ATH_SCHED_FINISH] = "finish",
	};

	ath_str_printf(&fix->said, "%s%s", fix->said.len ? ", " : "", words[action->act]);
	if (action->act == ATH_SCHED_CLOSE || action->act == ATH_SCHED_ABANDON)
		ath_str_printf(&fix->said, " %s", fix->spec.steps[action->step].section);
	else if (action->act != ATH_SCHED_FINISH)
		ath_str_printf(&fix->said, " %s", fix->spec.steps[action->step].name);
	if (action->act == ATH_SCHED_RECORD)
		ath_str_printf(&fix->said, " %s", ath_state_name(action->state));
	if (action->subject < fix->spec.len)
		ath_str_printf(&fix->said, " by %s", fix->spec.steps[action->subject].name);
	if (action->attempt > 1)
		ath_str_printf(&fix->said, " #%u", action->attempt);
	if (action->at_once)
		ath_str_puts(&fix->said, " at once");
}

/* All actions that are due now, as text. */
static const char *take(struct fixture *fix)
{
	struct ath_sched_action action;

	ath_str_reset(&fix->said);
	while (ath_sched_take(fix->sched, &action))
		put_action(fix, &action);
	return ath_str_get(&fix->said);
}

static void set_up(struct fixture *fix, const struct ath_spec_step *steps, size_t len,
		   unsigned jobs)
{
	static const bool all_use_jobs[8] = { true, true, true, true, true, true, true, true };
	struct ath_err err = { 0 };

	*fix = (struct fixture){ .spec = { steps, len } };
	assert_true(ath_graph_build(&fix->spec, &fix->arena, &fix->graph, &err));
	fix->sched = ath_sched_new(&fix->spec, &fix->graph, all_use_jobs, jobs);
	ath_sched_begin(fix->sched);
}

static void tear_down(struct fixture *fix)
{
	ath_sched_free(fix->sched);
	ath_str_fini(&fix->said);
	ath_arena_fini(&fix->arena);
}

/* a -- b */
static void a_chain_is_recorded_before_it_starts(void **state)
{
	const struct ath_spec_step steps[] = { { .name = "a" },
					       { .name = "b", .needs = NEEDS("a") } };
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 2, 4);
	assert_string_equal(take(&fix), "ask a");
	ath_sched_answer(fix.sched, 0, ATH_SCHED_RUN);
	assert_string_equal(take(&fix), "record a ready, record a running, start a");
	ath_sched_ended(fix.sched, 0, ATH_SCHED_OK);
	assert_string_equal(take(&fix), "record a succeeded, ask b");
	ath_sched_answer(fix.sched, 1, ATH_SCHED_HOLDS);
	assert_string_equal(take(&fix), "record b satisfied, finish");
	assert_true(ath_sched_is_good(fix.sched));
	tear_down(&fix);
}

/* a -- b -- c, and o marked always behind c */
static void a_failure_blocks_what_needs_it_but_not_what_runs_always(void **state)
{
	const struct ath_spec_step steps[] = {
		{ .name = "a" },
		{ .name = "b", .needs = NEEDS("a") },
		{ .name = "c", .needs = NEEDS("b") },
		{ .name = "o", .needs = NEEDS("c"), .is_always = true },
	};
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 4, 1);
	take(&fix);
	ath_sched_answer(fix.sched, 0, ATH_SCHED_RUN);
	take(&fix);
	ath_sched_ended(fix.sched, 0, ATH_SCHED_BAD);
	assert_string_equal(take(&fix),
			    "record a failed, record b blocked by a, record c blocked by b, ask o");
	ath_sched_answer(fix.sched, 3, ATH_SCHED_RUN);
	assert_string_equal(take(&fix), "record o ready, record o running, start o");
	ath_sched_ended(fix.sched, 3, ATH_SCHED_OK);
	assert_string_equal(take(&fix), "record o succeeded, finish");
	assert_false(ath_sched_is_good(fix.sched));
	tear_down(&fix);
}

static void an_optional_failure_blocks_nothing(void **state)
{
	const struct ath_spec_step steps[] = { { .name = "a", .is_optional = true },
					       { .name = "b", .needs = NEEDS("a") } };
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 2, 1);
	take(&fix);
	ath_sched_answer(fix.sched, 0, ATH_SCHED_RUN);
	take(&fix);
	ath_sched_ended(fix.sched, 0, ATH_SCHED_BAD);
	assert_string_equal(take(&fix), "record a failed, ask b");
	ath_sched_answer(fix.sched, 1, ATH_SCHED_PASS_OVER);
	assert_string_equal(take(&fix), "record b skipped, finish");
	assert_true(ath_sched_is_good(fix.sched));
	tear_down(&fix);
}

static void a_step_is_tried_again_as_often_as_it_may(void **state)
{
	const struct ath_spec_step steps[] = { { .name = "a", .retries = 1 } };
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 1, 1);
	take(&fix);
	ath_sched_answer(fix.sched, 0, ATH_SCHED_RUN);
	take(&fix);
	ath_sched_ended(fix.sched, 0, ATH_SCHED_TRY_AGAIN);
	assert_string_equal(take(&fix), "record a waiting_retry, later a");
	ath_sched_retry_due(fix.sched, 0);
	assert_string_equal(take(&fix), "record a ready #2, record a running #2, start a #2");
	ath_sched_ended(fix.sched, 0, ATH_SCHED_TRY_AGAIN);
	assert_string_equal(take(&fix), "record a failed #2, finish");
	tear_down(&fix);
}

static void jobs_limit_how_many_run(void **state)
{
	const struct ath_spec_step steps[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 3, 2);
	take(&fix);
	for (size_t i = 0; i < 3; i++)
		ath_sched_answer(fix.sched, i, ATH_SCHED_RUN);
	assert_string_equal(
		take(&fix),
		"record a ready, record a running, start a, record b ready, record b running, "
		"start b, record c ready");
	ath_sched_ended(fix.sched, 1, ATH_SCHED_OK);
	assert_string_equal(take(&fix), "record b succeeded, record c running, start c");
	tear_down(&fix);
}

/* section s: a -- b; outside: v needs a */
static const struct ath_spec_step section_steps[] = {
	{ .name = "a", .section = "s" },
	{ .name = "b", .needs = NEEDS("a"), .section = "s" },
	{ .name = "v", .needs = NEEDS("a") },
};

static void run_section(struct fixture *fix, enum ath_sched_end end_of_b)
{
	set_up(fix, section_steps, 3, 4);
	take(fix);
	ath_sched_answer(fix->sched, 0, ATH_SCHED_RUN);
	take(fix);
	ath_sched_ended(fix->sched, 0, ATH_SCHED_OK);
	assert_string_equal(take(fix), "record a succeeded, ask b");
	ath_sched_answer(fix->sched, 1, ATH_SCHED_RUN);
	take(fix);
	ath_sched_ended(fix->sched, 1, end_of_b);
}

static void who_waits_for_a_section_waits_until_it_is_closed(void **state)
{
	struct fixture fix;

	(void)state;
	run_section(&fix, ATH_SCHED_OK);
	assert_string_equal(take(&fix), "record b succeeded, close s");
	ath_sched_section_settled(fix.sched, 1);
	assert_string_equal(take(&fix), "ask v");
	tear_down(&fix);
}

/* a succeeded, but what it did was undone with the section. */
static void nobody_builds_on_an_abandoned_section(void **state)
{
	struct fixture fix;

	(void)state;
	run_section(&fix, ATH_SCHED_BAD);
	assert_string_equal(take(&fix), "record b failed, abandon s");
	ath_sched_section_settled(fix.sched, 1);
	assert_string_equal(take(&fix), "record v blocked by a, finish");
	tear_down(&fix);
}

static void a_section_of_which_nothing_ran_needs_no_end(void **state)
{
	struct fixture fix;

	(void)state;
	set_up(&fix, section_steps, 3, 4);
	take(&fix);
	ath_sched_answer(fix.sched, 0, ATH_SCHED_HOLDS);
	take(&fix);
	ath_sched_answer(fix.sched, 1, ATH_SCHED_PASS_OVER);
	assert_string_equal(take(&fix), "record b skipped, ask v");
	tear_down(&fix);
}

/* a runs, b is marked always and runs, c waits for a */
static void cancelling_spares_what_runs_always_until_it_is_meant_at_once(void **state)
{
	const struct ath_spec_step steps[] = {
		{ .name = "a" },
		{ .name = "b", .is_always = true },
		{ .name = "c", .needs = NEEDS("a") },
	};
	struct fixture fix;

	(void)state;
	set_up(&fix, steps, 3, 4);
	take(&fix);
	ath_sched_answer(fix.sched, 0, ATH_SCHED_RUN);
	ath_sched_answer(fix.sched, 1, ATH_SCHED_RUN);
	take(&fix);
	ath_sched_cancel(fix.sched, false);
	assert_string_equal(take(&fix), "cancel a, record c cancelled");
	ath_sched_cancel(fix.sched, false);
	assert_string_equal(take(&fix), "");
	ath_sched_cancel(fix.sched, true);
	assert_string_equal(take(&fix), "cancel a at once, cancel b at once");
	ath_sched_ended(fix.sched, 0, ATH_SCHED_CALLED_OFF);
	ath_sched_ended(fix.sched, 1, ATH_SCHED_OK);
	assert_string_equal(take(&fix), "record a cancelled, record b succeeded, finish");
	tear_down(&fix);
}

static void no_steps_finish_at_once(void **state)
{
	struct fixture fix;

	(void)state;
	set_up(&fix, NULL, 0, 1);
	assert_string_equal(take(&fix), "finish");
	tear_down(&fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_is_recorded_before_it_starts),
		cmocka_unit_test(a_failure_blocks_what_needs_it_but_not_what_runs_always),
		cmocka_unit_test(an_optional_failure_blocks_nothing),
		cmocka_unit_test(a_step_is_tried_again_as_often_as_it_may),
		cmocka_unit_test(jobs_limit_how_many_run),
		cmocka_unit_test(who_waits_for_a_section_waits_until_it_is_closed),
		cmocka_unit_test(nobody_builds_on_an_abandoned_section),
		cmocka_unit_test(a_section_of_which_nothing_ran_needs_no_end),
		cmocka_unit_test(cancelling_spares_what_runs_always_until_it_is_meant_at_once),
		cmocka_unit_test(no_steps_finish_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
