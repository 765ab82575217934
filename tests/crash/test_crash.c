/* SPDX-License-Identifier: MIT */
/*
 * A run that is stopped at any point and started again ends where an undisturbed one ends.
 *
 *	test_crash [K]                  only the stop at point K, telling what the world is then
 *
 * Engine, plan, journal and loop are the real ones; the steps are not: they change a small world in
 * shared memory, which outlives the process. A point is every transition that is told (before its
 * commit), every start (after it), and both sides of every change of the world. The process ends
 * there without a word, as by SIGKILL; what the journal holds is all that the next one knows.
 *
 *	tools -- packages --+-- ledger
 *	                    +-- backup -- migrate -- commit -- audit      (a section)
 *	every
 *
 * The control turns one rule around: the ledger acts before its note is durable. That must be seen.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/value.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "journal/replay.h"

enum {
	HEAD = 2,          /* revision of the database when all is done */
	MOST_POINTS = 400, /* more than a run has */
	MOST_RUNS = 10,    /* until a resumed run must have come to its end */
	STOPPED = 77,      /* exit status of a process that was stopped */
	REPEATED = 78,     /* a finished step was started again */
};

enum slot {
	TOOLS,
	PACKAGES,
	LEDGER,
	BACKUP,
	MIGRATE,
	COMMIT,
	AUDIT,
	EVERY,
	SLOTS,
};

static const char *const names[] = { "tools",   "packages", "ledger", "backup",
				     "migrate", "commit",   "audit",  "every" };

/* What outlives a process. The first part is what a user would see. */
struct world {
	int parts[SLOTS]; /* of the effects: 2 is whole */
	int lines;        /* in the ledger: one and only one is right */
	int live, image;  /* revisions: of the database, of its copy */
	int clone;        /* swept by every new run */
	int starts[SLOTS];
	_Atomic int points; /* passed so far, by any thread */
	int stop_at;        /* where to stop, 0: nowhere */
	int wanted;         /* steps that the last plan wanted to run */
	bool acts_before_note;
};

static struct world *world; /* shared between processes */
static char root[64];

/* A point at which the process may end. */
static void pass(void)
{
	if (++world->points == world->stop_at)
		_exit(STOPPED);
}

static void change(int *what, int value)
{
	pass();
	*what = value;
	pass();
}

/* ---- step types ---- */

struct config {
	const char *slot;
};

static const struct ath_field fields[] = {
	ATH_FIELD_REQUIRED(config, slot, TEXT, "Its place in the world."),
	{ 0 },
};

static enum slot slot_of(const void *config)
{
	return (enum slot)atoi(((const struct config *)config)->slot);
}

static enum slot begin(struct ath_step *step)
{
	enum slot slot = slot_of(ath_step_config(step));

	world->starts[slot]++;
	pass();
	return slot;
}

/* Two parts, which can be seen. */
static void effect_probe(const struct ath_step_world *where, const void *config,
			 struct ath_step_look *out)
{
	static const enum ath_probe probes[] = { ATH_PROBE_ABSENT, ATH_PROBE_PARTIAL,
						 ATH_PROBE_WHOLE };

	(void)where;
	out->probe = probes[world->parts[slot_of(config)]];
}

static bool effect_work(void *data, struct ath_err *err)
{
	int *parts = data;

	(void)err;
	change(parts, 1);
	change(parts, 2);
	return true;
}

static void effect_done(struct ath_step *step, const struct ath_err *err)
{
	(void)err;
	ath_step_done(step);
}

static void effect_start(struct ath_step *step)
{
	ath_step_work(step, effect_work, &world->parts[begin(step)], effect_done);
}

/* Nothing tells whether it was done. */
static void every_probe(const struct ath_step_world *where, const void *config,
			struct ath_step_look *out)
{
	(void)where, (void)config;
	out->probe = ATH_PROBE_EVERY;
}

static void every_start(struct ath_step *step)
{
	begin(step);
	ath_step_done(step);
}

/* Adds one line; the note beforehand says how many there were, so that a half-done try is undone. */
static void ledger_probe(const struct ath_step_world *where, const void *config,
			 struct ath_step_look *out)
{
	(void)where, (void)config;
	out->probe = ATH_PROBE_UNKNOWN;
}

static void ledger_write(struct ath_step *step)
{
	change(&world->lines, world->lines + 1);
	ath_step_done(step);
}

static void ledger_start(struct ath_step *step)
{
	struct ath_pairs note = { 0 };

	begin(step);
	if (ath_step_past(step, "ledger", &note))
		change(&world->lines, atoi(ath_pairs_get(&note, "lines")));
	ath_pairs_setf(&note, "lines", "%d", world->lines);
	if (world->acts_before_note)
		change(&world->lines, world->lines + 1);
	ath_step_record(step, "ledger", &note,
			world->acts_before_note ? ath_step_done : ledger_write);
	ath_pairs_fini(&note);
}

/* The section: all that is done to the database is done to the clone until the commit. */
static void database_probe(const struct ath_step_world *where, const void *config,
			   struct ath_step_look *out)
{
	(void)where, (void)config;
	out->probe = world->live == HEAD ? ATH_PROBE_WHOLE : ATH_PROBE_ABSENT;
}

static void database_start(struct ath_step *step)
{
	enum slot slot = begin(step);

	if (slot == BACKUP) {
		change(&world->image, world->live);
		change(&world->clone, world->live);
	} else if (slot == MIGRATE) {
		change(&world->clone, world->clone + 1);
	} else {
		change(&world->live, world->clone);
	}
	ath_step_done(step);
}

static void *section_open(const struct ath_step_world *where)
{
	(void)where;
	pass();
	return world;
}

static bool section_end(void *work, struct ath_err *err)
{
	(void)work, (void)err;
	change(&world->clone, 0);
	return true;
}

static const char *section_verdict(const void *work)
{
	(void)work;
	return world->live == HEAD ? "upgraded" : "unchanged";
}

static void section_free(void *work)
{
	(void)work;
}

#define TYPE(id, probe_fn, start_fn, is_job)                                                       \
	{                                                                                          \
		.name = id, .summary = id, .fields = fields, .config_size = sizeof(struct config), \
		.uses_job = (is_job), .probe = (probe_fn), .start = (start_fn)                     \
	}
static const struct ath_step_type effect_type = TYPE("effect", effect_probe, effect_start, true),
				  every_type = TYPE("every", every_probe, every_start, true),
				  ledger_type = TYPE("ledger", ledger_probe, ledger_start, false),
				  database_type =
					  TYPE("database", database_probe, database_start, true);
static const struct ath_section_type database_section = {
	"database", section_open, section_end, section_end, section_verdict, section_free
};
static const struct ath_step_type *const types[] = { &effect_type, &every_type, &ledger_type,
						     &database_type, NULL };
static const struct ath_section_type *const sections[] = { &database_section, NULL };
static const struct ath_step_table table = { types, sections };

/* ---- one run, as cli/install does it ---- */

#define NEEDS(name)                                    \
	{                                              \
		(const char *const[]){ name, NULL }, 1 \
	}
static const struct ath_spec_step plain_steps[] = {
	[TOOLS] = { .type = "effect" },
	[PACKAGES] = { .type = "effect", .needs = NEEDS("tools") },
	[LEDGER] = { .type = "ledger", .needs = NEEDS("packages") },
	[BACKUP] = { .type = "database", .needs = NEEDS("packages"), .section = "database" },
	[MIGRATE] = { .type = "database", .needs = NEEDS("backup"), .section = "database" },
	[COMMIT] = { .type = "database", .needs = NEEDS("migrate"), .section = "database" },
	[AUDIT] = { .type = "effect", .needs = NEEDS("commit") },
	[EVERY] = { .type = "every" },
};

static void make_spec(struct ath_arena *arena, struct ath_spec *out)
{
	struct ath_spec_step *steps = ath_arena_new(arena, SLOTS, sizeof(*steps));

	for (int i = 0; i < SLOTS; i++) {
		struct ath_value *config = ath_value_new_map(arena);

		steps[i] = plain_steps[i];
		steps[i].name = names[i];
		ath_value_put_text(arena, config, "slot", ath_arena_printf(arena, "%d", i));
		steps[i].config = config;
	}
	*out = (struct ath_spec){ steps, SLOTS };
}

static void must(bool is_done, const struct ath_err *err)
{
	if (is_done)
		return;
	fprintf(stderr, "test_crash: %s\n", err->msg);
	exit(1);
}

static bool find_note(void *journal, const char *name, struct ath_pairs *out)
{
	struct ath_err err = { 0 };

	return ath_replay_find_note(journal, name, out, &err);
}

static void on_event(void *user, const struct ath_event *event)
{
	(void)user;
	if (event->kind != ATH_EVENT_PROGRESS)
		pass();
}

/* Did a step start again that the attempt had finished already? Sections start again as a whole. */
static bool is_repeated(const struct ath_history *history, const int *starts)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!plain_steps[i].section && world->starts[i] > starts[i] &&
		    ath_history_find(history, names[i]) == ATH_PAST_DONE)
			return true;
	}
	return false;
}

static struct ath_journal *begin_run(const char *mark, struct ath_history *out_history)
{
	char path[100];
	struct ath_err err = { 0 };
	struct ath_journal *journal;
	struct ath_journal_run begin = { mark, "boot", "install", 0 };

	snprintf(path, sizeof(path), "%s/journal.db", root);
	journal = ath_journal_open(path, &err);
	must(journal != NULL, &err);
	must(ath_history_load(journal, out_history, &err), &err);
	for (size_t i = 0; i < out_history->open.len; i++)
		must(ath_journal_mark_dead(journal, out_history->open.items[i].id, &err), &err);
	begin.continues = out_history->continues;
	pass();
	must(ath_journal_begin_run(journal, &begin, &err), &err);
	pass();
	return journal;
}

/* Plan and run; the exit status of the process. */
static int run(void)
{
	struct ath_arena arena = { 0 };
	struct ath_pairs facts = { 0 };
	struct ath_history history;
	struct ath_spec spec;
	struct ath_graph graph;
	struct ath_plan plan;
	struct ath_plan_look looks[SLOTS];
	struct ath_err err = { 0 };
	struct ath_report report;
	const struct ath_bound *bound;
	int starts[SLOTS];
	char mark[40];
	struct ath_journal *journal;
	struct ath_step_world where = { .root = root,
					.state_dir = root,
					.run_dir = root,
					.run = mark,
					.facts = &facts,
					.find_note = find_note };
	struct ath_run_setup setup = { .spec = &spec,
				       .graph = &graph,
				       .plan = &plan,
				       .history = &history,
				       .table = &table,
				       .world = &where,
				       .jobs = 2,
				       .on_event = on_event };

	world->clone = 0;
	memcpy(starts, world->starts, sizeof(starts));
	snprintf(mark, sizeof(mark), "run-%d", getpid());
	where.notes = setup.journal = journal = begin_run(mark, &history);
	make_spec(&arena, &spec);
	must(ath_graph_build(&spec, &arena, &graph, &err), &err);
	must(ath_survey_bind(&spec, &table, &arena, &bound, &err), &err);
	setup.bound = bound;
	ath_survey_look_all(&spec, &graph, bound, &history, &where, &arena, looks, NULL);
	must(ath_plan_make(&spec, &graph, looks, &facts, &(struct ath_plan_choice){ 0 }, &arena,
			   &plan, &err),
	     &err);
	world->wanted = (int)plan.runs;
	setup.loop = ath_loop_new(&err);
	must(setup.loop != NULL, &err);
	ath_run(&setup, &report);
	if (is_repeated(&history, starts))
		report.exit_status = REPEATED;
	ath_journal_close(journal);
	if (!ath_loop_free(setup.loop))
		report.exit_status = 1;
	ath_history_fini(&history);
	ath_pairs_fini(&facts);
	ath_arena_fini(&arena);
	return report.exit_status;
}

/* A run in a process of its own, stopped at point `stop_at` (0: not); its exit status. */
static int run_apart(int stop_at)
{
	int status;
	pid_t pid;

	world->points = 0;
	world->stop_at = stop_at;
	fflush(NULL);
	pid = fork();
	if (!pid)
		exit(run());
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* ---- the folder of the journal ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void start_anew(bool acts_before_note)
{
	if (root[0])
		nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	snprintf(root, sizeof(root), "/tmp/athanor-test-XXXXXX");
	if (!mkdtemp(root))
		abort();
	*world = (struct world){ .live = HEAD - 1, .acts_before_note = acts_before_note };
}

/* ---- the checks ---- */

static bool is_as_undisturbed(void)
{
	return world->parts[TOOLS] == 2 && world->parts[PACKAGES] == 2 &&
	       world->parts[AUDIT] == 2 && world->lines == 1 && world->live == HEAD &&
	       world->image == HEAD - 1 && world->clone == 0;
}

static void tell_world(const char *what, int first, int second, int status)
{
	printf("%s: stopped at %d and %d, status %d: tools %d, packages %d, audit %d, lines %d, "
	       "live %d, image %d, clone %d\n",
	       what, first, second, status, world->parts[TOOLS], world->parts[PACKAGES],
	       world->parts[AUDIT], world->lines, world->live, world->image, world->clone);
}

/*
 * Stop at `first`, start again and stop at `second` (0: not), then run to the end: 1 if that is not
 * where an undisturbed run ends. *out_was_stopped: is there a point `first`?
 */
static int disturb(int first, int second, bool is_control, bool *out_was_stopped)
{
	int status = run_apart(first);

	*out_was_stopped = status == STOPPED;
	if (status == STOPPED && second)
		status = run_apart(second);
	for (int i = 0; status == STOPPED && i < MOST_RUNS; i++)
		status = run_apart(0);
	if (status == 0 && is_as_undisturbed())
		return 0;
	if (!is_control)
		tell_world("not as undisturbed", first, second, status);
	return 1;
}

/* Every point, and a second stop at every seventh point of the second run. */
static int check_all_points(void)
{
	bool was_stopped = true;
	int wrong = 0, stops = 0;

	for (int first = 1; was_stopped && first < MOST_POINTS; first++) {
		start_anew(false);
		wrong += disturb(first, 0, false, &was_stopped);
		stops += was_stopped;
		for (int second = 1 + first % 7; was_stopped && second < stops + 7; second += 7) {
			bool ignored;

			start_anew(false);
			wrong += disturb(first, second, false, &ignored);
		}
	}
	printf("stopped at %d points, %d wrong\n", stops, wrong);
	return wrong + (stops < 30);
}

static int check_control(void)
{
	bool was_stopped = true;
	int wrong = 0;

	for (int first = 1; was_stopped && first < MOST_POINTS; first++) {
		start_anew(true);
		wrong += disturb(first, 0, true, &was_stopped);
	}
	printf("control: an act before its note ends differently after %d stops\n", wrong);
	return wrong == 0;
}

/* Undisturbed; and once more: only the step runs that nothing can tell of. */
static int check_undisturbed(void)
{
	int status;

	start_anew(false);
	status = run_apart(0);
	if (status || !is_as_undisturbed() || world->wanted != SLOTS) {
		tell_world("undisturbed", 0, 0, status);
		return 1;
	}
	status = run_apart(0);
	if (status || !is_as_undisturbed() || world->wanted != 1 || world->starts[EVERY] != 2) {
		tell_world("once more", 0, 0, status);
		printf("%d steps wanted to run\n", world->wanted);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool ignored;
	int wrong;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED)
		abort();
	if (argc > 1) {
		start_anew(false);
		wrong = disturb(atoi(argv[1]), 0, false, &ignored);
		tell_world("then", atoi(argv[1]), 0, wrong);
	} else {
		wrong = check_undisturbed() + check_all_points() + check_control();
	}
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return wrong != 0;
}
