/* SPDX-License-Identifier: MIT */
/*
 * cli/runner_go: a run of steps, from the lock to the last line.
 *
 *	lock ── journal ── sweep of a dead run ── plan ──► nothing to do: say so, end
 *	                                            │      (no process was started, no handle is open)
 *	                                  close all ▼ handles
 *	                                 warden ── orchestrator: loop, journal, engine/run ──► report
 */
#include "cli/runner_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/retention.h"
#include "cli/screen.h"
#include "journal/journal.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/process.h"
#include "steps/table.h"
#include "ui/json.h"

enum {
	MARK_LEN = 16,    /* hexadecimal digits of a run's mark */
	ONLINE_TRIES = 3, /* beside an application that goes on writing, before one under a lock */
};

/* ---- before anything runs ---- */

static void on_wait(void *user, const struct ath_lock_hint *holder)
{
	const struct ath_runner *runner = user;
	struct ath_str text = { 0 };

	if (runner->options->quiet)
		return;
	ath_str_puts(&text, "athanor: another run is at work");
	if (holder->pid) /* else it has the lock, and has started no step yet */
		ath_str_printf(&text, " (process %d, since %s, at step '%s')", (int)holder->pid,
			       holder->started, holder->step);
	ath_str_puts(&text, ", waiting\n");
	ath_print_flush(&text, true);
}

static bool take_lock(struct ath_runner *runner, struct ath_err *err)
{
	char *path = ath_file_join(runner->project.root, ".athanor/lock");
	bool is_taken = ath_lock_take(path, runner->options->lock_timeout_ms, on_wait, runner,
				      &runner->lock, err);

	if (is_taken)
		ath_lock_hint(&runner->lock, runner->mark, "plan"); /* until its first step */
	free(path);
	return is_taken;
}

static bool open_journal(struct ath_runner *runner, struct ath_err *err)
{
	char *path = ath_project_path(&runner->project, "journal.db");

	runner->project.journal = ath_journal_open(path, err);
	if (runner->project.journal)
		ath_journal_hide(runner->project.journal, runner->project.redact);
	free(path);
	return runner->project.journal != NULL;
}

static bool open_project(struct ath_runner *runner, struct ath_err *err)
{
	const struct ath_runner_own *own = runner->kind->own;

	return own ? own->open(own->user, &runner->project, runner->options, err)
		   : ath_project_open(&runner->project, runner->options, err);
}

/* A run that failed may not have got rid of its copies either. */
static bool plan(struct ath_runner *runner, struct ath_err *err)
{
	const struct ath_runner_own *own = runner->kind->own;

	if (own ? !own->plan(own->user, runner->options, err)
		: !ath_project_plan(&runner->project, runner->options, err))
		return false;
	if (runner->project.history.continued)
		ath_retention_sweep_run(&runner->project, runner->project.history.continued);
	return true;
}

static void make_mark(struct ath_runner *runner)
{
	ath_secret_make(runner->mark);
	runner->mark[MARK_LEN] = '\0';
}

static bool prepare(struct ath_runner *runner, struct ath_err *err)
{
	ath_warden_boot_id(runner->boot_id);
	make_mark(runner);
	return open_project(runner, err) && ath_folder_make_state(&runner->project, err) &&
	       take_lock(runner, err) && open_journal(runner, err) &&
	       ath_project_bury_dead(&runner->project, runner->boot_id, err) && plan(runner, err);
}

static struct ath_journal_run journal_run(const struct ath_runner *runner)
{
	return (struct ath_journal_run){
		.mark = runner->mark,
		.boot_id = runner->boot_id,
		.command = runner->kind->command,
		.continues = runner->project.history.continues,
	};
}

/* ---- nothing to do ---- */

static void put_nothing(const struct ath_runner *runner, struct ath_str *out)
{
	const struct ath_runner_own *own = runner->kind->own;

	ath_str_puts(out, "athanor: nothing to do");
	if (own) {
		ath_str_puts(out, "\n");
		own->put_plan(own->user, out);
		return;
	}
	ath_str_printf(out, ", %s %s\n", runner->project.recipe.name,
		       runner->options->repairs_only ? "needs no repair"
		       : runner->project.is_partial  ? "has the chosen steps"
						     : "is installed");
	ath_print_doubt(&runner->project, out);
}

static int say_nothing(struct ath_runner *runner)
{
	struct ath_journal_run run = journal_run(runner);
	struct ath_err err = { 0 };
	struct ath_report report = { .outcome = "nothing" };
	struct ath_str text = { 0 };

	if (!ath_journal_add_nothing(runner->project.journal, &run, &err))
		return ath_print_error(&err, NULL);
	if (!runner->options->quiet && !runner->options->json) {
		put_nothing(runner, &text);
		ath_print_flush(&text, false);
	}
	if (runner->options->json)
		ath_runner_print_result(runner, &report);
	return 0;
}

/* ---- the orchestrator ---- */

/* A step that looks at the live database after a change. */
static bool is_proof(const char *step)
{
	return strcmp(step, "verify") == 0 || strcmp(step, "audit") == 0;
}

static void on_event(void *user, const struct ath_event *event)
{
	struct ath_runner *runner = user;

	runner->plain.hidden = runner->project.redact;
	if (event->kind == ATH_EVENT_STATE && is_proof(event->step) &&
	    ath_str_is(event->state, "succeeded"))
		runner->is_verified = true;
	if (runner->options->json)
		ath_result_add(&runner->result, event);
	if (runner->options->output == ATH_OUTPUT_JSON)
		ath_ui_json(runner->project.redact, event);
	else
		ath_ui_plain(&runner->plain, event);
}

static bool enter_run(struct ath_runner *runner, struct ath_err *err)
{
	struct ath_journal_run run = journal_run(runner);
	struct ath_str path = { 0 };

	if ((!runner->project.journal && !open_journal(runner, err)) ||
	    !ath_journal_begin_run(runner->project.journal, &run, err))
		return false;
	ath_str_printf(&path, "%s/runs/%s", runner->project.state_dir, runner->mark);
	free(runner->run_dir);
	runner->run_dir = ath_str_steal(&path);
	runner->project.world.run = runner->mark;
	runner->project.world.run_dir = runner->run_dir;
	ath_environ_set(&runner->project.environment, "ATHANOR_RUN", runner->mark);
	return ath_file_make_folders(runner->run_dir, 0700, err);
}

static unsigned jobs_of(const struct ath_options *options)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (options->jobs)
		return options->jobs;
	return processors > 0 ? (unsigned)processors : 1;
}

static void run_steps(struct ath_runner *runner, struct ath_loop *loop, struct ath_report *report)
{
	struct ath_project *project = &runner->project;
	struct ath_run_setup setup = {
		.loop = loop,
		.journal = project->journal,
		.spec = &project->spec,
		.graph = &project->graph,
		.plan = &project->plan,
		.bound = project->bound,
		.history = &project->history,
		.table = &ath_steps,
		.world = &project->world,
		.lock = &runner->lock,
		.jobs = jobs_of(runner->options),
		.on_event = on_event,
		.on_event_user = runner,
	};

	ath_run(&setup, report);
}

/* One run, on a loop of its own. */
static bool run_once(struct ath_runner *runner, bool is_first, struct ath_report *report,
		     struct ath_err *err)
{
	struct ath_loop *loop = ath_loop_new(err);
	bool is_done = loop && ath_child_prepare(loop, err) && enter_run(runner, err);

	if (is_done && is_first)
		ath_warden_wait_until_ready(&runner->lock);
	if (is_done)
		run_steps(runner, loop, report);
	ath_process_end_all(NULL, ath_warden_report_stuck);
	ath_loop_free(loop);
	return is_done;
}

/* Did the commit find that the application had written since the copy, so that nothing was done? */
static bool was_outrun(const struct ath_runner *runner, const struct ath_report *report)
{
	return report->exit_status && strcmp(report->outcome, "cancelled") != 0 &&
	       ath_str_is(ath_pairs_find(&runner->project.facts, "database.outrun"), "yes");
}

/* A group within the one that the warden knows: should both be killed, it is found by this run's mark. */
static void enter_own_group(struct ath_runner *runner)
{
	struct ath_cgroup last = runner->own_group;
	struct ath_cgroup_place place = { 0 };

	memcpy(place.own, runner->group.path, sizeof(place.own));
	ath_cgroup_make(&place, runner->mark, &runner->own_group);
	ath_cgroup_take_in(&runner->own_group, getpid());
	ath_cgroup_remove(&last);
}

/* Another run, from a look at what is there now; after some of them one that locks the database. */
static bool begin_again(struct ath_runner *runner, unsigned tries, struct ath_err *err)
{
	struct ath_project *project = &runner->project;
	bool is_online = tries < ONLINE_TRIES;
	struct ath_str text = { 0 };

	ath_str_printf(&text,
		       "athanor: the application has written to its database meanwhile, %s\n",
		       is_online ? "trying again"
				 : "trying again under a lock that keeps it from writing");
	if (!runner->options->quiet)
		ath_print_flush(&text, true);
	ath_str_fini(&text);
	make_mark(runner);
	enter_own_group(runner);
	ath_pairs_fini(&project->facts);
	project->world.run = NULL;
	project->world.run_dir = NULL;
	project->world.is_online = is_online;
	if (!plan(runner, err))
		return false;
	*err = project->refusal;
	return err->code == ATH_ERR_OK;
}

static void put_report(const struct ath_runner *runner, const struct ath_report *report,
		       struct ath_str *out)
{
	const struct ath_runner_own *own = runner->kind->own;

	if (own && report->exit_status == 0)
		own->put_end(own->user, report, out);
	else
		ath_print_report(&runner->project, report, out);
}

static int orchestrate(struct ath_runner *runner)
{
	struct ath_err err = { 0 };
	struct ath_report report;
	struct ath_str text = { 0 };
	unsigned tries = 1;

	if (!run_once(runner, true, &report, &err))
		return ath_print_error(&err, NULL);
	for (; runner->project.world.is_online && was_outrun(runner, &report); tries++) {
		if (!begin_again(runner, tries, &err) || !run_once(runner, false, &report, &err))
			return ath_print_error(&err, NULL);
	}
	if (report.exit_status == 0)
		ath_retention_apply(&runner->project, runner->is_verified);
	put_report(runner, &report, &text);
	ath_print_flush(&text, report.exit_status != 0 || runner->options->json);
	if (runner->options->json)
		ath_runner_print_result(runner, &report);
	if (ath_warden_is_dead(&runner->lock)) {
		ath_cgroup_leave(&runner->group);
		ath_cgroup_remove(&runner->group);
	}
	return report.exit_status;
}

/* The plan says that something runs. */
static int carry_out(struct ath_runner *runner)
{
	static const char nothing[] = "athanor: nothing was done\n";
	struct ath_cgroup_place place;
	struct ath_err err = { 0 };

	if (runner->options->dry_run)
		return ath_runner_show_dry_run(runner);
	if (!ath_runner_ask(runner, &err)) {
		if (err.code != ATH_ERR_OK)
			return ath_print_error(&err, NULL);
		ath_screen_write(nothing, strlen(nothing), true);
		return runner->signum ? 128 + runner->signum : 3;
	}
	ath_journal_close(runner->project.journal);
	runner->project.journal = NULL;
	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, runner->mark, &runner->group);
	if (!ath_warden_split(&runner->lock, &runner->group, &err)) {
		ath_cgroup_remove(&runner->group);
		return ath_print_error(&err, NULL);
	}
	return orchestrate(runner);
}

int ath_runner_go(const struct ath_runner_kind *kind, const struct ath_options *options)
{
	struct ath_runner runner = {
		.kind = kind,
		.options = options,
		.lock = { -1, -1 },
		.plain = { options->verbose, options->quiet, NULL },
	};
	struct ath_err err = { 0 };
	int status;

	if (!prepare(&runner, &err))
		status = ath_print_error(&err, ath_str_get(&runner.project.text));
	else if (runner.project.refusal.code != ATH_ERR_OK)
		status = ath_print_error(&runner.project.refusal, NULL);
	else if (!runner.project.plan.runs)
		status = say_nothing(&runner);
	else
		status = carry_out(&runner);
	ath_result_fini(&runner.result);
	free(runner.run_dir);
	ath_project_fini(&runner.project);
	ath_lock_free(&runner.lock);
	return status;
}
