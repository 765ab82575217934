/* SPDX-License-Identifier: MIT */
/* engine/run: fake step types, a real loop and a real journal. */
#include "tests/unit/cmocka_all.h"

#include "tests/unit/db_files.h"

#include <errno.h>
#include <sys/resource.h>

#include "engine/run.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/file.h"
#include "sqlite/handle.h"

enum {
	STEPS_MAX = 6,
};

/* Everything of one run; the fake steps reach it as world->notes. */
struct scene {
	struct ath_arena arena;
	struct ath_loop *loop;
	struct ath_journal *journal;
	struct ath_environ environment;
	struct ath_pairs facts;
	struct ath_str trace; /* "step:state " of every event, and what sections did */
	struct ath_report report;
	struct ath_redact *redact;
	size_t learnt; /* how often the run asked for new secrets */
	char run_dir[128];
	size_t ends;          /* how often the end of the run was told */
	size_t attempts;      /* of the step that fails at first */
	struct ath_lock lock; /* in use if it has a pipe */
	bool is_durable;      /* a note was found in the journal when it was confirmed */
};

/* One step of a test. */
struct act {
	const char *name, *act, *needs, *section;
	const char *skip_reason;
	bool is_optional, is_always;
	unsigned retries;
	uint64_t timeout_ms;
};

/* ---- the fake step type: its configuration says what it does ---- */

struct fake_config {
	const char *act;
};

static const struct ath_field fake_fields[] = {
	ATH_FIELD_REQUIRED(fake_config, act, TEXT, "What it does."),
	{ 0 },
};

static struct scene *scene_of(const struct ath_step *step)
{
	return ath_step_world(step)->notes;
}

static void fail_with(struct ath_step *step, enum ath_err_code code, const char *text)
{
	struct ath_err err = { 0 };

	ath_err_set(&err, code, "%s", text);
	ath_step_fail(step, &err);
}

/* What another process would find in the journal. */
static bool is_note_there(const char *name)
{
	struct ath_err err = { 0 };
	struct ath_pairs pairs = { 0 };
	struct ath_journal *journal = ath_journal_open_read(db_path("journal.db"), &err);
	bool is_there = journal && ath_replay_find_note(journal, name, &pairs, &err);

	assert_non_null(journal);
	ath_pairs_fini(&pairs);
	ath_journal_close(journal);
	return is_there;
}

static void on_durable(struct ath_step *step)
{
	scene_of(step)->is_durable = is_note_there("mine");
	ath_step_done(step);
}

static void do_note(struct ath_step *step)
{
	struct ath_pairs pairs = { 0 };

	ath_pairs_set(&pairs, "key", "value");
	ath_step_record(step, "mine", &pairs, on_durable);
	ath_pairs_fini(&pairs);
	assert_false(is_note_there("mine"));
}

static void on_exit_of_child(struct ath_step *step, const struct ath_child_result *result)
{
	struct ath_err err = { 0 };

	if (ath_step_check_exit(result, "the child", &err))
		ath_step_done(step);
	else
		ath_step_fail(step, &err);
}

/* The place is of the attempt's own memory, which is gone when the cause is reported. */
static void do_point(struct ath_step *step)
{
	const char *file = ath_arena_strdup(ath_step_arena(step), "versions/b.py");
	struct ath_err err = { 0 };

	ath_err_at(&err, ATH_ERR_CHAIN, (struct ath_pos){ file, 7, 0 }, "missing parent");
	ath_step_fail(step, &err);
}

static void do_child(struct ath_step *step)
{
	static const char *const argv[] = { "/bin/sh", "-c", "echo said; exit 3", NULL };
	const struct ath_step_command command = { .argv = argv, .on_exit = on_exit_of_child };
	struct ath_err err = { 0 };

	if (!ath_step_exec(step, &command, &err))
		ath_step_fail(step, &err);
}

/* The journal's file system is full, or has become read-only, while a note waits. */
static void do_break(struct ath_step *step, bool is_full)
{
	struct rlimit limit;
	struct ath_err err = { 0 };

	if (is_full) {
		getrlimit(RLIMIT_FSIZE, &limit);
		limit.rlim_cur = 1;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	} else {
		assert_true(ath_db_exec(ath_journal_db(scene_of(step)->journal),
					"PRAGMA query_only = ON", &err));
	}
	ath_step_record(step, "mine", &(struct ath_pairs){ 0 }, on_durable);
}

/* Says what is to be masked, in every way that a step has. */
static void do_tell(struct ath_step *step)
{
	static const char *const argv[] = { "/bin/sh", "-c",
					    "printf out-sec; sleep 0.1; echo ret-1; "
					    "printf err-secret-1 >&2; exit 3",
					    NULL };
	const struct ath_step_command command = { .argv = argv, .on_exit = on_exit_of_child };
	struct ath_err err = { 0 };

	ath_step_say(step, "say %s", "secret-1");
	ath_step_logf(step, "log %s", "secret-1");
	ath_step_log_held(step, "held %s", "secret-1");
	ath_step_fact(step, "told", "fact secret-1");
	if (!ath_step_exec(step, &command, &err))
		ath_step_fail(step, &err);
}

static void fake_start(struct ath_step *step)
{
	const struct fake_config *config = ath_step_config(step);
	const char *act = config->act;

	if (strcmp(act, "ok") == 0)
		ath_step_done(step);
	else if (strcmp(act, "fail") == 0)
		fail_with(step, ATH_ERR_STEP, "it broke");
	else if (strcmp(act, "refuse") == 0)
		fail_with(step, ATH_ERR_REFUSED, "must not");
	else if (strcmp(act, "first") == 0 && !scene_of(step)->attempts++)
		fail_with(step, ATH_ERR_CHILD, "not yet");
	else if (strcmp(act, "first") == 0)
		ath_step_done(step);
	else if (strcmp(act, "note") == 0)
		do_note(step);
	else if (strcmp(act, "point") == 0)
		do_point(step);
	else if (strcmp(act, "child") == 0)
		do_child(step);
	else if (strcmp(act, "tell") == 0)
		do_tell(step);
	else if (strcmp(act, "blame") == 0)
		fail_with(step, ATH_ERR_STEP, "not with secret-1");
	else if (strcmp(act, "full") == 0 || strcmp(act, "readonly") == 0)
		do_break(step, strcmp(act, "full") == 0);
	else if (strcmp(act, "signal") == 0)
		assert_int_equal(kill(getpid(), SIGINT), 0);
	else if (strcmp(act, "inside") == 0 && ath_step_section(step))
		ath_step_done(step);
	else if (strcmp(act, "hang") != 0)
		fail_with(step, ATH_ERR_STEP, "was not expected");
}

static void fake_cancel(struct ath_step *step, bool at_once)
{
	const struct fake_config *config = ath_step_config(step);

	(void)at_once;
	if (strcmp(config->act, "hang") == 0 || strcmp(config->act, "signal") == 0)
		fail_with(step, ATH_ERR_CANCELLED, "was asked to end");
}

static void fake_probe(const struct ath_step_world *world, const void *config,
		       struct ath_step_look *out)
{
	(void)world, (void)config, (void)out;
}

static const struct ath_step_type fake = {
	.name = "fake",
	.summary = "Fake.",
	.fields = fake_fields,
	.config_size = sizeof(struct fake_config),
	.probe = fake_probe,
	.start = fake_start,
	.cancel = fake_cancel,
};

/* ---- the fake sections: one is good, one cannot be undone ---- */

static void *section_open(const struct ath_step_world *world)
{
	const char **verdict = calloc(1, sizeof(*verdict));

	assert_non_null(verdict);
	*verdict = "unchanged";
	ath_str_puts(&((struct scene *)world->notes)->trace, "open ");
	return verdict;
}

static bool section_close(void *work, struct ath_err *err)
{
	(void)err;
	*(const char **)work = "upgraded";
	return true;
}

static bool section_abandon(void *work, struct ath_err *err)
{
	(void)err;
	*(const char **)work = "restored";
	return true;
}

static bool section_break(void *work, struct ath_err *err)
{
	*(const char **)work = "needs-you";
	return ath_err_set(err, ATH_ERR_NEEDS_YOU, "nobody knows");
}

static const char *section_verdict(const void *work)
{
	return *(const char *const *)work;
}

static const struct ath_section_type good_section = {
	"good", section_open, section_close, section_abandon, section_verdict, free,
};
static const struct ath_section_type bad_section = {
	"bad", section_open, section_break, section_break, section_verdict, free,
};

static const struct ath_step_type *const types[] = { &fake, NULL };
static const struct ath_section_type *const sections[] = { &good_section, &bad_section, NULL };
static const struct ath_step_table table = { types, sections };

/* ---- the run ---- */

static bool find_no_note(void *user, const char *name, struct ath_pairs *out)
{
	(void)user, (void)name, (void)out;
	return false;
}

static void learn(void *notes)
{
	((struct scene *)notes)->learnt++;
}

static void on_event(void *user, const struct ath_event *event)
{
	struct scene *scene = user;

	assert_string_equal(event->run, "mark");
	assert_int_equal(scene->ends, 0); /* nothing comes after the end */
	if (event->kind == ATH_EVENT_STATE)
		ath_str_printf(&scene->trace, "%s:%s ", event->step, event->state);
	if (event->kind == ATH_EVENT_PROGRESS && scene->redact)
		ath_str_printf(&scene->trace, "<%s> ", event->text);
	if (event->kind == ATH_EVENT_RUN_ENDED) {
		scene->ends++;
		assert_int_equal(event->done, event->total);
	}
}

static void set_up(struct scene *scene)
{
	const struct ath_journal_run begin = { "mark", "boot", "install", 0 };
	struct ath_err err = { 0 };

	*scene = (struct scene){ .lock.control_fd = -1 };
	snprintf(scene->run_dir, sizeof(scene->run_dir), "%s", db_path("run"));
	assert_int_equal(mkdir(scene->run_dir, 0700), 0);
	scene->loop = ath_loop_new(&err);
	scene->journal = ath_journal_open(db_path("journal.db"), &err);
	assert_non_null(scene->loop);
	assert_non_null(scene->journal);
	assert_true(ath_child_prepare(scene->loop, &err));
	assert_true(ath_journal_begin_run(scene->journal, &begin, &err));
	ath_environ_init(&scene->environment);
}

static void tear_down(struct scene *scene)
{
	ath_journal_close(scene->journal);
	assert_true(ath_loop_free(scene->loop));
	ath_environ_fini(&scene->environment);
	ath_pairs_fini(&scene->facts);
	ath_str_fini(&scene->trace);
	ath_arena_fini(&scene->arena);
}

static struct ath_spec make_spec(struct scene *scene, const struct act *acts)
{
	struct ath_spec_step *steps = ath_arena_new(&scene->arena, STEPS_MAX, sizeof(*steps));
	size_t len = 0;

	for (; acts[len].name; len++) {
		struct ath_value *config = ath_value_new_map(&scene->arena);
		const char **needs = ath_arena_new(&scene->arena, 2, sizeof(*needs));

		needs[0] = acts[len].needs;
		ath_value_put_text(&scene->arena, config, "act", acts[len].act);
		steps[len] = (struct ath_spec_step){
			.name = acts[len].name,
			.type = "fake",
			.needs = { needs, acts[len].needs ? 1 : 0 },
			.section = acts[len].section,
			.skip_reason = acts[len].skip_reason,
			.is_optional = acts[len].is_optional,
			.is_always = acts[len].is_always,
			.timeout_ms = acts[len].timeout_ms,
			.retries = acts[len].retries,
			.config = config,
		};
	}
	return (struct ath_spec){ steps, len };
}

/* Run the steps; the report and the trace are in the scene. */
static void run(struct scene *scene, const struct act *acts)
{
	const struct ath_spec spec = make_spec(scene, acts);
	const struct ath_history history = { 0 };
	const struct ath_step_world world = {
		.root = db_root,
		.state_dir = db_root,
		.run_dir = scene->run_dir,
		.run = "mark",
		.environment = &scene->environment,
		.facts = &scene->facts,
		.find_note = find_no_note,
		.notes = scene,
		.redact = scene->redact,
		.learn = learn,
	};
	struct ath_plan_look looks[STEPS_MAX] = { 0 };
	const struct ath_bound *bound;
	struct ath_graph graph;
	struct ath_plan plan;
	struct ath_err err = { 0 };

	assert_true(ath_graph_build(&spec, &scene->arena, &graph, &err));
	assert_true(ath_survey_bind(&spec, &table, &scene->arena, &bound, &err));
	ath_survey_look_all(&spec, &graph, bound, &history, &world, &scene->arena, looks, NULL);
	assert_true(ath_plan_make(&spec, &graph, looks, &scene->facts,
				  &(struct ath_plan_choice){ 0 }, &scene->arena, &plan, &err));
	ath_run(&(struct ath_run_setup){ .loop = scene->loop,
					 .journal = scene->journal,
					 .spec = &spec,
					 .graph = &graph,
					 .plan = &plan,
					 .bound = bound,
					 .history = &history,
					 .table = &table,
					 .world = &world,
					 .lock = scene->lock.control_fd < 0 ? NULL : &scene->lock,
					 .jobs = 2,
					 .on_event = on_event,
					 .on_event_user = scene },
		&scene->report);
	assert_int_equal(scene->ends, 1);
}

static void check_end(const struct scene *scene, const char *outcome, int exit_status,
		      const char *trace)
{
	if (strcmp(scene->report.outcome, outcome) != 0 || scene->report.exit_status != exit_status)
		fail_msg("%s, %d: %s", scene->report.outcome, scene->report.exit_status,
			 scene->report.cause.msg);
	assert_string_equal(ath_str_get(&scene->trace), trace);
}

/* The journal holds these transitions, and the end that was reported. */
static void check_journal(struct scene *scene, const char *transitions)
{
	struct ath_replay_transitions rows;
	struct ath_replay_runs runs;
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };

	assert_true(ath_replay_load_transitions(scene->journal, 1, &scene->arena, &rows, &err));
	for (size_t i = 0; i < rows.len; i++)
		ath_str_printf(&text, "%s:%s/%u ", rows.items[i].step, rows.items[i].state,
			       rows.items[i].attempt);
	assert_string_equal(ath_str_get(&text), transitions);
	ath_str_fini(&text);
	assert_true(ath_replay_load_runs(scene->journal, true, 1, &scene->arena, &runs, &err));
	assert_string_equal(runs.items[0].outcome, scene->report.outcome);
	assert_int_equal(runs.items[0].exit_status, scene->report.exit_status);
}

static void load_log(const struct scene *scene, const char *step, struct ath_str *out)
{
	struct ath_err err = { 0 };
	char path[200];

	snprintf(path, sizeof(path), "%s/%s.log", scene->run_dir, step);
	assert_true(ath_file_read(path, 4096, out, &err));
}

static void what_a_step_says_is_masked_on_every_way(void **state)
{
	static const struct act acts[] = { { "a", "tell", .is_optional = true },
					   { "b", "blame", .needs = "a" },
					   { 0 } };
	struct ath_str log = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene);
	scene.redact = ath_redact_new();
	ath_redact_add(scene.redact, "secret-1");
	ath_journal_hide(scene.journal, scene.redact);
	run(&scene, acts);
	load_log(&scene, "a", &log);
	assert_null(strstr(ath_str_get(&log), "secret-1"));
	assert_non_null(strstr(ath_str_get(&log), "log ***\nheld ***\n"));
	assert_non_null(strstr(ath_str_get(&log), "out-***\n"));
	assert_non_null(strstr(ath_str_get(&log), "err-***"));
	ath_str_reset(&log);
	load_log(&scene, "b", &log);
	assert_string_equal(ath_str_get(&log), "athanor: not with ***\n");
	assert_string_equal(scene.report.cause.msg, "not with ***");
	assert_non_null(strstr(ath_str_get(&scene.trace), "<say ***>"));
	assert_int_equal(scene.learnt, 4); /* before and after each step */
	ath_str_fini(&log);
	ath_redact_free(scene.redact);
	tear_down(&scene);
}

static void steps_that_succeed_are_recorded_and_counted(void **state)
{
	static const struct act acts[] = {
		{ "b", "ok", .needs = "a" },
		{ "a", "ok" },
		{ 0 },
	};
	struct ath_replay_successes successes;
	struct ath_err err = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0,
		  "a:ready a:running a:succeeded b:ready b:running b:succeeded ");
	check_journal(&scene,
		      "a:ready/1 a:running/1 a:succeeded/1 b:ready/1 b:running/1 b:succeeded/1 ");
	assert_int_equal(scene.report.succeeded, 2);
	assert_string_equal(scene.report.step, "");
	assert_true(ath_replay_load_successes(scene.journal, &scene.arena, &successes, &err));
	assert_int_equal(successes.len, 2);
	assert_int_equal(strlen(successes.items[0].fingerprint), ATH_HASH_TEXT - 1);
	tear_down(&scene);
}

static void no_steps_at_all_are_a_success(void **state)
{
	static const struct act acts[] = { { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0, "");
	tear_down(&scene);
}

static void a_failure_is_reported_with_its_step_cause_and_log(void **state)
{
	static const struct act acts[] = {
		{ "a", "child" },
		{ "b", "ok", .needs = "a" },
		{ "c", "ok", .needs = "b", .is_always = true },
		{ 0 },
	};
	struct ath_str log = { 0 };
	struct ath_err err = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "failed", 1,
		  "a:ready a:running a:failed b:blocked c:ready c:running c:succeeded ");
	assert_string_equal(scene.report.step, "a");
	assert_string_equal(scene.report.cause.msg, "the child ended with exit status 3");
	assert_int_equal(scene.report.failed, 1);
	assert_int_equal(scene.report.blocked, 1);
	assert_int_equal(scene.report.succeeded, 1);
	assert_true(ath_str_has_suffix(scene.report.log, "/run/a.log"));
	assert_true(ath_file_read(scene.report.log, 1 << 16, &log, &err));
	assert_string_equal(ath_str_get(&log),
			    "said\nathanor: the child ended with exit status 3\n");
	ath_str_fini(&log);
	tear_down(&scene);
}

static void a_refusal_of_a_step_is_the_refusal_of_the_run(void **state)
{
	static const struct act acts[] = { { "a", "refuse", .retries = 5 }, { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "refused", 3, "a:ready a:running a:failed ");
	tear_down(&scene);
}

static void the_place_of_a_fault_outlives_its_step(void **state)
{
	static const struct act acts[] = { { "a", "point" }, { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "failed", 78, "a:ready a:running a:failed ");
	assert_string_equal(scene.report.cause.msg, "versions/b.py:7: missing parent");
	assert_null(scene.report.cause.pos.file);
	tear_down(&scene);
}

static void an_optional_step_fails_nothing_but_itself(void **state)
{
	static const struct act acts[] = {
		{ "a", "fail", .is_optional = true },
		{ "b", "ok", .needs = "a" },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0,
		  "a:ready a:running a:failed b:ready b:running b:succeeded ");
	assert_int_equal(scene.report.failed, 1);
	assert_int_equal(scene.report.cause.code, ATH_ERR_OK);
	tear_down(&scene);
}

static void a_step_is_tried_again_after_a_delay(void **state)
{
	static const struct act acts[] = { { "a", "first", .retries = 1 }, { 0 } };
	struct ath_mono since = ath_time_mono();
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0,
		  "a:ready a:running a:waiting_retry a:ready a:running a:succeeded ");
	check_journal(
		&scene,
		"a:ready/1 a:running/1 a:waiting_retry/1 a:ready/2 a:running/2 a:succeeded/2 ");
	assert_true(ath_time_elapsed_ms(since) >= 1990);
	tear_down(&scene);
}

static void a_step_that_takes_too_long_is_ended(void **state)
{
	static const struct act acts[] = { { "a", "hang", .timeout_ms = 50 }, { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "failed", 1, "a:ready a:running a:failed ");
	assert_int_equal(scene.report.cause.code, ATH_ERR_TIMEOUT);
	tear_down(&scene);
}

static void a_section_is_closed_when_all_of_it_went_well(void **state)
{
	static const struct act acts[] = {
		{ "a", "inside", .section = "good" },
		{ "b", "inside", .needs = "a", .section = "good" },
		{ "c", "ok", .needs = "b" },
		{ 0 },
	};
	struct ath_replay_successes successes;
	struct ath_err err = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0,
		  "a:ready a:running open a:succeeded b:ready b:running b:succeeded c:ready "
		  "c:running c:succeeded ");
	assert_string_equal(scene.report.database, "upgraded");
	assert_true(ath_replay_load_successes(scene.journal, &scene.arena, &successes, &err));
	assert_int_equal(successes.len, 1); /* a section's steps do not stand for themselves */
	assert_true(is_note_there("section"));
	tear_down(&scene);
}

static void a_section_is_abandoned_when_one_of_its_steps_fails(void **state)
{
	static const struct act acts[] = {
		{ "a", "inside", .section = "good" },
		{ "b", "fail", .needs = "a", .section = "good" },
		{ "c", "ok", .needs = "a" },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "failed", 1,
		  "a:ready a:running open a:succeeded b:ready b:running b:failed c:blocked ");
	assert_string_equal(scene.report.database, "restored");
	assert_string_equal(scene.report.step, "b");
	tear_down(&scene);
}

static void a_section_that_cannot_be_undone_outranks_the_first_cause(void **state)
{
	static const struct act acts[] = { { "a", "fail", .section = "bad" }, { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "failed", 4, "a:ready a:running open a:failed ");
	assert_string_equal(scene.report.database, "needs-you");
	assert_string_equal(scene.report.cause.msg, "nobody knows");
	tear_down(&scene);
}

static void a_note_is_durable_before_it_is_confirmed(void **state)
{
	static const struct act acts[] = { { "a", "note" }, { 0 } };
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "succeeded", 0, "a:ready a:running a:succeeded ");
	assert_true(scene.is_durable);
	tear_down(&scene);
}

static void nothing_starts_when_the_journal_cannot_be_written(void **state)
{
	static const char *const breaks[] = { "full", "readonly" };
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < 2; i++) {
		const struct act acts[] = {
			{ "a", breaks[i] },
			{ "b", "hang" },
			{ "c", "ok", .needs = "a" },
			{ "d", "ok", .needs = "a", .is_always = true },
			{ 0 },
		};
		struct ath_replay_transitions rows;
		struct ath_err err = { 0 };
		struct scene scene;

		set_up(&scene);
		run(&scene, acts);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_string_equal(scene.report.outcome, "failed");
		assert_int_equal(scene.report.exit_status, 1);
		assert_int_equal(scene.report.succeeded, 0);
		assert_int_equal(scene.report.cancelled, 3);
		assert_non_null(strstr(scene.report.cause.msg, "journal"));
		assert_false(scene.is_durable);
		assert_null(strstr(ath_str_get(&scene.trace), "c:ready c:running"));
		assert_true(
			ath_replay_load_transitions(scene.journal, 1, &scene.arena, &rows, &err));
		assert_int_equal(rows.len, 4); /* a and b ready and running: what was durable */
		tear_down(&scene);
		assert_int_equal(db_tear_down(NULL), 0);
		assert_int_equal(db_set_up(NULL), 0);
	}
	signal(SIGXFSZ, SIG_DFL);
}

/* Also the steps that always run: a run that nobody could end must not begin. */
static void nothing_starts_when_the_warden_cannot_be_watched(void **state)
{
	static const struct act acts[] = {
		{ "a", "ok" },
		{ "b", "ok", .needs = "a", .is_always = true },
		{ "c", "ok", .is_always = true },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene);
	scene.lock.control_fd = 1000; /* nothing is open there */
	run(&scene, acts);
	assert_string_equal(scene.report.outcome, "failed");
	assert_int_equal(scene.report.exit_status, 1);
	assert_int_equal(scene.report.cancelled, 3);
	assert_int_not_equal(scene.report.cause.code, ATH_ERR_OK);
	tear_down(&scene);
}

static void a_signal_calls_the_run_off(void **state)
{
	static const struct act acts[] = {
		{ "a", "signal", .section = "good", .timeout_ms = 20000 },
		{ "b", "ok", .needs = "a" },
		{ "c", "ok", .needs = "a", .is_always = true },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene);
	run(&scene, acts);
	check_end(&scene, "cancelled", 130,
		  "a:ready a:running open b:cancelled a:cancelled c:ready c:running c:succeeded ");
	assert_string_equal(scene.report.database, "restored");
	assert_int_equal(scene.report.cancelled, 2);
	tear_down(&scene);
}

/* A step that never runs passes a failure on to those behind it. */
static void a_failure_reaches_steps_behind_one_that_is_left_out(void **state)
{
	static const struct {
		const char *act, *outcome, *trace;
		int exit_status;
	} rows[] = {
		{ "fail", "failed", "a:ready a:running a:failed b:blocked c:blocked ", 1 },
		{ "ok", "succeeded",
		  "a:ready a:running a:succeeded b:skipped c:ready c:running c:succeeded ", 0 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct act acts[] = {
			{ "a", rows[i].act },
			{ "b", "ok", .needs = "a", .skip_reason = "no frontend" },
			{ "c", "ok", .needs = "b" },
			{ 0 },
		};
		struct scene scene;

		set_up(&scene);
		run(&scene, acts);
		check_end(&scene, rows[i].outcome, rows[i].exit_status, rows[i].trace);
		tear_down(&scene);
		assert_int_equal(db_tear_down(NULL), 0);
		assert_int_equal(db_set_up(NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(what_a_step_says_is_masked_on_every_way),
		db_test(steps_that_succeed_are_recorded_and_counted),
		db_test(no_steps_at_all_are_a_success),
		db_test(a_failure_is_reported_with_its_step_cause_and_log),
		db_test(a_refusal_of_a_step_is_the_refusal_of_the_run),
		db_test(the_place_of_a_fault_outlives_its_step),
		db_test(an_optional_step_fails_nothing_but_itself),
		db_test(a_step_is_tried_again_after_a_delay),
		db_test(a_step_that_takes_too_long_is_ended),
		db_test(a_section_is_closed_when_all_of_it_went_well),
		db_test(a_section_is_abandoned_when_one_of_its_steps_fails),
		db_test(a_section_that_cannot_be_undone_outranks_the_first_cause),
		db_test(a_note_is_durable_before_it_is_confirmed),
		db_test(nothing_starts_when_the_journal_cannot_be_written),
		db_test(nothing_starts_when_the_warden_cannot_be_watched),
		db_test(a_signal_calls_the_run_off),
		db_test(a_failure_reaches_steps_behind_one_that_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
