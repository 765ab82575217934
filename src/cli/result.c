/* SPDX-License-Identifier: MIT */
/* cli/result: the result of a command as one JSON object on stdout. */
#include "cli/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print.h"
#include "engine/state.h"

void ath_result_add(struct ath_result *result, const struct ath_event *event)
{
	struct ath_result_step *step;
	size_t *place;

	if (event->kind != ATH_EVENT_STATE)
		return;
	if (!result->places)
		result->places = ath_mem_new(event->total, sizeof(*result->places));
	place = &result->places[event->idx];
	if (!*place) {
		*ath_vec_push(&result->steps) =
			(struct ath_result_step){ .name = ath_mem_strdup(event->step) };
		*place = result->steps.len;
	}
	step = &result->steps.items[*place - 1];
	free(step->reason);
	step->reason = event->reason ? ath_mem_strdup(event->reason) : NULL;
	step->state = ath_state_name(ath_state_find(event->state));
	step->ms = event->ms;
}

void ath_result_open(struct ath_json *json, const struct ath_project *project)
{
	ath_json_open(json, '{');
	ath_json_put_text(json, "athanor", ATH_VERSION);
	ath_json_put_text(json, "app", project->recipe.name);
	ath_json_put_text(json, "root", project->root);
}

void ath_result_put_plan(struct ath_json *json, const struct ath_project *project)
{
	ath_json_key(json, "steps");
	ath_json_open(json, '[');
	for (size_t i = 0; i < project->plan.len; i++) {
		const struct ath_plan_row *row = &project->plan.rows[i];
		const struct ath_spec_step *step = &project->spec.steps[row->step];
		struct ath_str reason = { 0 };

		ath_plan_put_reason(step, row, &reason);
		ath_json_open(json, '{');
		ath_json_put_text(json, "name", step->name);
		ath_json_put_text(json, "verdict", ath_plan_verdict_name(row->verdict));
		ath_json_put_text(json, "reason", ath_str_get(&reason));
		ath_json_put_bool(json, "asked_again", row->is_asked_again);
		ath_json_close(json, '}');
		ath_str_fini(&reason);
	}
	ath_json_close(json, ']');
}

static void put_steps(struct ath_json *json, const struct ath_result *result)
{
	ath_json_key(json, "steps");
	ath_json_open(json, '[');
	ath_vec_each (&result->steps, one) {
		ath_json_open(json, '{');
		ath_json_put_text(json, "name", one->name);
		ath_json_put_text(json, "state", one->state);
		ath_json_put_text(json, "reason", one->reason);
		ath_json_put_int(json, "ms", (int64_t)one->ms);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

static void put_cause(struct ath_json *json, const struct ath_report *report)
{
	bool has_failed = report->cause.code != ATH_ERR_OK;

	ath_json_put_text(json, "step", report->step[0] ? report->step : NULL);
	ath_json_put_text(json, "code", has_failed ? ath_err_name(report->cause.code) : NULL);
	ath_json_put_text(json, "cause", has_failed ? report->cause.msg : NULL);
	ath_json_put_text(json, "log", report->log[0] ? report->log : NULL);
	ath_json_put_text(json, "incomplete_log", report->gap_errnum ? report->gap : NULL);
}

/* Where the database stands now: a run may fail behind its commit. */
static const char *revision(const struct ath_project *project, const struct ath_report *report)
{
	const char *rows = ath_pairs_find(&project->facts, "database.rows");
	bool is_new = ath_str_is(report->database, "upgraded") ||
		      ath_str_is(report->database, "created") ||
		      ath_str_is(report->database, "restored");

	if (ath_str_is(report->database, "needs-you"))
		return NULL;
	if (is_new || (!rows && report->exit_status == 0))
		return ath_pairs_find(&project->facts, "database.heads");
	return rows;
}

void ath_result_print(const struct ath_result *result, const struct ath_project *project,
		      const struct ath_report *report, ath_result_more_fn *more, const void *user)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	char *next = report->exit_status ? ath_project_command(project, project->again) : NULL;

	ath_result_open(&json, project);
	ath_json_put_text(&json, "run", project->world.run);
	ath_json_put_text(&json, "outcome", report->outcome);
	ath_json_put_int(&json, "exit_status", report->exit_status);
	ath_json_put_bool(&json, "changed", report->has_changed);
	put_cause(&json, report);
	ath_json_key(&json, "database");
	ath_json_open(&json, '{');
	ath_json_put_text(&json, "path", ath_pairs_find(&project->facts, "database.path"));
	ath_json_put_text(&json, "state", report->database[0] ? report->database : "unchanged");
	ath_json_put_text(&json, "revision", revision(project, report));
	ath_json_put_text(&json, "recovered",
			  ath_pairs_find(&project->facts, "database.recovered"));
	ath_json_put_text(&json, "head", ath_pairs_find(&project->facts, "database.heads"));
	ath_json_close(&json, '}');
	ath_json_put_text(&json, "next", next);
	if (more)
		more(user, &json);
	put_steps(&json, result);
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
	free(next);
}

void ath_result_fini(struct ath_result *result)
{
	ath_vec_each (&result->steps, one) {
		free(one->name);
		free(one->reason);
	}
	ath_vec_fini(&result->steps);
	free(result->places);
	*result = (struct ath_result){ 0 };
}
