/* SPDX-License-Identifier: MIT */
/*
 * cli/plan: prints each step, whether it would run, and why, and what would be done with the database;
 * changes nothing.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/foresee.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"

/* `inspection` is NULL where nothing can be told of the database yet. */
static void print_json(const struct ath_project *project, const struct ath_inspection *inspection)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	bool is_refused = project->refusal.code != ATH_ERR_OK;

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_int(&json, "pending", (int64_t)(project->plan.runs - project->plan.every));
	ath_json_put_text(&json, "refusal", is_refused ? project->refusal.msg : NULL);
	ath_result_put_plan(&json, project);
	ath_json_key(&json, "inspection");
	if (inspection) {
		ath_json_open(&json, '{');
		ath_inspect_put_plan_json(inspection, &json);
		ath_json_close(&json, '}');
	} else {
		ath_json_text(&json, NULL);
	}
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

static void print_text(const struct ath_project *project, const struct ath_options *options,
		       const struct ath_inspection *inspection)
{
	struct ath_str text = { 0 };

	for (size_t i = 0; i < project->recipe.findings.len; i++)
		ath_str_printf(&text, "found: %s\n", project->recipe.findings.items[i]);
	if (project->plan.runs)
		ath_print_plan(project, options->verbose, &text);
	else
		ath_str_printf(&text, "nothing to do, %s is installed\n", project->recipe.name);
	if (inspection) {
		ath_str_putc(&text, '\n');
		ath_inspect_put_plan(inspection, &text);
	}
	ath_print_flush(&text, false);
}

/* What is seen of the database ends the plan as it would end the run. */
static int exit_status(const struct ath_project *project, const struct ath_inspection *inspection,
		       const struct ath_options *options)
{
	if (project->refusal.code != ATH_ERR_OK)
		return ath_print_error(&project->refusal, NULL);
	if (inspection && inspection->found.look.state == ATH_LOOK_LOCKED)
		return ath_err_exit_status(ATH_ERR_LOCKED);
	if (inspection && inspection->found.look.state != ATH_LOOK_RECOVERY &&
	    !options->assume_revision &&
	    (inspection->found.result.decision == ATH_DECISION_ASK ||
	     inspection->found.result.decision == ATH_DECISION_REFUSE))
		return ath_err_exit_status(ATH_ERR_DECISION);
	return project->plan.runs > project->plan.every && options->detailed_exitcode ? 2 : 0;
}

static int plan_run(const struct ath_options *options)
{
	struct ath_project project;
	struct ath_inspection inspection = { 0 }, *seen = NULL;
	struct ath_err err = { 0 }, untold = { 0 }; /* of the database: the run will tell it */
	int status;

	if (!ath_project_open(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) ||
	    !ath_project_plan(&project, options, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
	} else {
		if (project.plan.runs && ath_foresee_inspect(&project, &inspection, &untold))
			seen = &inspection;
		if (options->json)
			print_json(&project, seen);
		else
			print_text(&project, options, seen);
		status = exit_status(&project, seen, options);
	}
	ath_inspect_fini(&inspection);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_plan = {
	.name = "plan",
	.operands = "[DIR]",
	.summary = "Show each step, whether it would run, and why.",
	.takes_dir = true,
	.run = plan_run,
};
