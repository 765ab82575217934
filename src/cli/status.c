/* SPDX-License-Identifier: MIT */
/* cli/status: the last run, where it stopped, what is true now, the next command to type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pairs.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/file.h"
#include "os/warden.h"

/* What is known of the last run that did something. */
struct last {
	struct ath_replay_run run; /* id 0: there was none */
	const char *step;          /* where it failed or stopped; NULL: nowhere */
	const char *log;           /* of that step, if there is one */
	const char *restored; /* the backup of a restore that did not come to its end, or NULL */
	bool is_working;      /* it is at work at this moment */
};

static void find_stop(const struct ath_replay_transitions *rows, struct last *last)
{
	for (size_t i = 0; i < rows->len; i++) {
		const char *state = rows->items[i].state;

		/* steps that were never begun are called off, too, when one is interrupted */
		if (strcmp(state, "failed") == 0 || strcmp(state, "running") == 0 ||
		    ((strcmp(state, "cancelled") == 0 || strcmp(state, "ready") == 0) &&
		     !last->step))
			last->step = rows->items[i].step;
		else if (strcmp(state, "cancelled") != 0 && last->step &&
			 strcmp(last->step, rows->items[i].step) == 0)
			last->step = NULL; /* it went on well after that */
		if (strcmp(state, "failed") == 0)
			return;
	}
}

/* Which backup a restore was to put back; it says so before it touches anything. */
static bool find_restored(struct ath_project *project, struct last *last, struct ath_err *err)
{
	bool is_over = ath_str_is(last->run.outcome, "succeeded") || last->is_working;
	struct ath_replay_notes notes;
	struct ath_pairs pairs = { 0 };

	if (is_over || strcmp(last->run.command, "restore") != 0)
		return true;
	if (!ath_replay_load_notes(project->journal, "restore.chosen", &project->arena, &notes,
				   err))
		return false;
	if (notes.len && notes.items[0].run.id == last->run.id) {
		ath_pairs_read(&pairs, notes.items[0].pairs);
		last->restored = ath_arena_strdup(&project->arena, ath_pairs_get(&pairs, "backup"));
	}
	ath_pairs_fini(&pairs);
	return true;
}

static bool load_last(struct ath_project *project, struct last *out, struct ath_err *err)
{
	struct ath_replay_transitions rows;
	struct ath_replay_runs runs;
	char *lock, *log;

	if (!project->journal)
		return true;
	if (!ath_replay_load_runs(project->journal, false, 1, &project->arena, &runs, err))
		return false;
	if (!runs.len)
		return true;
	out->run = runs.items[0];
	if (!ath_replay_load_transitions(project->journal, out->run.id, &project->arena, &rows,
					 err))
		return false;
	if (!ath_str_is(out->run.outcome, "succeeded"))
		find_stop(&rows, out);
	lock = ath_file_join(project->root, ".athanor/lock");
	out->is_working = !out->run.outcome && ath_lock_is_held(lock);
	free(lock);
	if (out->step) {
		log = ath_file_join(project->state_dir,
				    ath_arena_printf(&project->arena, "runs/%s/%s.log",
						     out->run.mark, out->step));
		if (ath_file_kind(log) == ATH_FILE_REGULAR)
			out->log = ath_arena_strdup(&project->arena, log);
		free(log);
	}
	return find_restored(project, out, err);
}

/* What to type next; the caller frees. NULL: nothing is to be done, or somebody is at it. */
static char *find_next(struct ath_project *project, const struct last *last)
{
	if (last->is_working)
		return NULL;
	if (last->restored)
		return ath_project_command(
			project, ath_arena_printf(&project->arena, "restore %s", last->restored));
	if (project->plan.runs > project->plan.every && project->refusal.code == ATH_ERR_OK)
		return ath_project_command(project, "install");
	return NULL;
}

static const char *outcome_of(const struct last *last)
{
	if (!last->run.id)
		return "none";
	if (last->run.outcome)
		return last->run.outcome;
	return last->is_working ? "running" : "died";
}

static void print_last(const struct last *last, struct ath_str *out)
{
	if (!last->run.id) {
		ath_str_puts(out, "last run: none\n");
		return;
	}
	ath_str_printf(out, "last run: %s, %s, started ", last->run.mark, outcome_of(last));
	ath_time_put_wall(out, (struct ath_wall){ last->run.started_ms });
	ath_str_putc(out, '\n');
	if (last->step)
		ath_str_printf(out, "%s at step '%s'\n",
			       last->is_working ? "now is: " : "stopped:", last->step);
	if (last->run.message) {
		ath_str_puts(out, "cause:    ");
		ath_str_put_clean(out, last->run.message, strlen(last->run.message));
		ath_str_putc(out, '\n');
	}
	if (last->run.database)
		ath_str_printf(out, "database: %s by that run\n", last->run.database);
	if (last->log)
		ath_str_printf(out, "log:      %s\n", last->log);
}

static void print_text(struct ath_project *project, const struct last *last)
{
	struct ath_str text = { 0 };
	char *command = find_next(project, last);

	ath_str_printf(&text, "%s in %s\n", project->recipe.name, project->root);
	print_last(last, &text);
	if (last->is_working)
		ath_str_puts(&text, "now:      a run is at work\n");
	else if (project->refusal.code != ATH_ERR_OK)
		ath_str_printf(&text, "now:      refused: %s\n", project->refusal.msg);
	else if (project->plan.runs > project->plan.every)
		ath_str_printf(&text, "now:      %zu step%s to run\n", project->plan.runs,
			       project->plan.runs == 1 ? "" : "s");
	else if (project->plan.every)
		ath_str_printf(&text, "now:      installed; %zu step%s of its own in every run\n",
			       project->plan.every, project->plan.every == 1 ? " runs" : "s run");
	else
		ath_str_puts(&text, "now:      installed, nothing to do\n");
	if (command)
		ath_str_printf(&text, "next:     %s%s\n", command,
			       last->restored ? "   (goes on with that restore; `athanor install` "
						"goes on with the database as it is)"
					      : "");
	free(command);
	ath_print_flush(&text, false);
}

static void print_json(struct ath_project *project, const struct last *last)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	char *command = find_next(project, last);
	bool is_refused = project->refusal.code != ATH_ERR_OK;

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_text(&json, "run", last->run.id ? last->run.mark : NULL);
	ath_json_put_text(&json, "outcome", outcome_of(last));
	ath_json_put_text(&json, "step", last->step);
	ath_json_put_text(&json, "cause", last->run.message);
	ath_json_put_text(&json, "log", last->log);
	ath_json_put_int(&json, "pending", (int64_t)(project->plan.runs - project->plan.every));
	ath_json_put_text(&json, "refusal", is_refused ? project->refusal.msg : NULL);
	ath_json_put_text(&json, "next", command);
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	free(command);
	ath_print_flush(&text, false);
}

static int status_run(const struct ath_options *options)
{
	struct ath_project project;
	struct last last = { 0 };
	struct ath_err err = { 0 };
	int status = 0;

	if (!ath_project_open(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) ||
	    !ath_project_plan(&project, options, &err) || !load_last(&project, &last, &err))
		status = ath_print_error(&err, ath_str_get(&project.text));
	else if (options->json)
		print_json(&project, &last);
	else
		print_text(&project, &last);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_status = {
	.name = "status",
	.operands = "[DIR]",
	.summary = "Say how the last run ended, what is true now, and what to type next.",
	.takes_dir = true,
	.run = status_run,
};
