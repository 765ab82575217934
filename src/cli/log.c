/* SPDX-License-Identifier: MIT */
/* cli/log: every state transition of a run, or the full output of a step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"
#include "cli/screen.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/file.h"

enum {
	MOST_RUNS = 1000, /* that are searched for a mark */
	DIGITS_LEAST = 4, /* of a mark, to be typed */
};

/* Is it the number of the run? A mark may begin with the digits of another run's number. */
static bool is_number_of(const char *wanted, const struct ath_replay_run *run)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, run->id);
	return strcmp(wanted, number) == 0;
}

/* The run whose mark alone begins with that, as a backup's is shortened; NULL: none, or several. */
static const struct ath_replay_run *find_by_beginning(const struct ath_replay_runs *runs,
						      const char *wanted)
{
	const struct ath_replay_run *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < runs->len; i++) {
		if (!ath_str_has_prefix(runs->items[i].mark, wanted))
			continue;
		found = &runs->items[i];
		count++;
	}
	return count == 1 && strlen(wanted) >= DIGITS_LEAST ? found : NULL;
}

/* The run of that mark, its beginning or number, or the newest one that did something for NULL. */
static bool find_run(struct ath_project *project, const char *wanted, struct ath_replay_run *out,
		     struct ath_err *err)
{
	struct ath_replay_runs runs = { 0 };
	const struct ath_replay_run *begun;

	if (project->journal &&
	    !ath_replay_load_runs(project->journal, false, MOST_RUNS, &project->arena, &runs, err))
		return false;
	for (size_t i = 0; i < runs.len; i++) {
		if (!wanted || strcmp(wanted, runs.items[i].mark) == 0 ||
		    is_number_of(wanted, &runs.items[i])) {
			*out = runs.items[i];
			return true;
		}
	}
	begun = wanted ? find_by_beginning(&runs, wanted) : NULL;
	if (begun) {
		*out = *begun;
		return true;
	}
	if (wanted)
		return ath_err_set(err, ATH_ERR_NOT_FOUND, "there is no run '%s' in '%s'", wanted,
				   project->state_dir);
	return ath_err_set(err, ATH_ERR_NOT_FOUND, "no run is recorded in '%s'",
			   project->state_dir);
}

static void print_row(const struct ath_replay_transition *row, struct ath_str *out)
{
	ath_time_put_wall(out, (struct ath_wall){ row->at_ms });
	ath_str_printf(out, "  %-16s %-14s", row->step, row->state);
	if (row->attempt > 1)
		ath_str_printf(out, " attempt %u", row->attempt);
	if (row->reason) {
		ath_str_putc(out, ' ');
		ath_str_put_clean(out, row->reason, strlen(row->reason));
	}
	ath_str_putc(out, '\n');
}

static void print_text(const struct ath_replay_run *run, const struct ath_replay_transitions *rows)
{
	struct ath_str text = { 0 };

	ath_str_printf(&text, "run %s (%s %s): %s\n", run->mark, run->command, run->version,
		       run->outcome ? run->outcome : "not ended");
	for (size_t i = 0; i < rows->len; i++)
		print_row(&rows->items[i], &text);
	ath_print_flush(&text, false);
}

static void print_json(const struct ath_project *project, const struct ath_replay_run *run,
		       const struct ath_replay_transitions *rows)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_text(&json, "run", run->mark);
	ath_json_put_text(&json, "outcome", run->outcome);
	ath_json_key(&json, "transitions");
	ath_json_open(&json, '[');
	for (size_t i = 0; i < rows->len; i++) {
		struct ath_str at = { 0 };

		ath_time_put_wall(&at, (struct ath_wall){ rows->items[i].at_ms });
		ath_json_open(&json, '{');
		ath_json_put_text(&json, "at", ath_str_get(&at));
		ath_json_put_text(&json, "step", rows->items[i].step);
		ath_json_put_text(&json, "state", rows->items[i].state);
		ath_json_put_int(&json, "attempt", rows->items[i].attempt);
		ath_json_put_text(&json, "reason", rows->items[i].reason);
		ath_json_close(&json, '}');
		ath_str_fini(&at);
	}
	ath_json_close(&json, ']');
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

/* Where the log is; its contents are the step's own and need not be text. */
static void print_step_json(const struct ath_project *project, const struct ath_replay_run *run,
			    const char *step, const char *path)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_text(&json, "run", run->mark);
	ath_json_put_text(&json, "step", step);
	ath_json_put_text(&json, "log", path);
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

static bool print_step_log(struct ath_project *project, bool as_json,
			   const struct ath_replay_run *run, const char *step, struct ath_err *err)
{
	const char *name = ath_arena_printf(&project->arena, "runs/%s/%s.log", run->mark, step);
	char *path = ath_project_path(project, name);
	FILE *file = strchr(step, '/') ? NULL : fopen(path, "re");
	bool is_there = file != NULL;

	if (!is_there)
		ath_err_set(err, ATH_ERR_NOT_FOUND,
			    "step '%s' has no log in run %s: it wrote nothing, or there is no such "
			    "step",
			    step, run->mark);
	else if (as_json)
		print_step_json(project, run, step, path);
	else
		ath_screen_copy(file);
	if (is_there)
		fclose(file);
	free(path);
	return is_there;
}

static bool print_log(struct ath_project *project, const struct ath_options *options,
		      struct ath_err *err)
{
	const char *wanted = options->operands.len ? options->operands.items[0] : NULL;
	struct ath_replay_transitions rows;
	struct ath_replay_run run = { 0 };

	if (!find_run(project, wanted && strcmp(wanted, "last") != 0 ? wanted : NULL, &run, err))
		return false;
	if (options->operands.len > 1)
		return print_step_log(project, options->json, &run, options->operands.items[1],
				      err);
	if (!ath_replay_load_transitions(project->journal, run.id, &project->arena, &rows, err))
		return false;
	if (options->json)
		print_json(project, &run, &rows);
	else
		print_text(&run, &rows);
	return true;
}

/* A folder where a run is named; no mark and no number has a slash or begins with a dot. */
static bool check_operand(const struct ath_options *options, struct ath_err *err)
{
	const char *wanted = options->operands.len ? options->operands.items[0] : "last";

	return (wanted[0] != '.' && !strchr(wanted, '/')) ||
	       ath_err_set(err, ATH_ERR_USAGE,
			   "'%s' is no run; a folder is named by -C: athanor log -C '%s'", wanted,
			   wanted);
}

static int log_run(const struct ath_options *options)
{
	struct ath_project project;
	struct ath_err err = { 0 };
	int status = 0;

	if (!check_operand(options, &err))
		return ath_print_error(&err, NULL);
	if (!ath_project_open(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) || !print_log(&project, options, &err))
		status = ath_print_error(&err, ath_str_get(&project.text));
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_log = {
	.name = "log",
	.operands = "[RUN|last [STEP]]",
	.summary = "Show every state transition of a run, or the full output of a step.",
	.most_operands = 2,
	.run = log_run,
};
