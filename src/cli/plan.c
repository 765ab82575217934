/* SPDX-License-Identifier: MIT */
/*
 * cli/plan: prints each step, whether it would run, and why, and what would be done with the database;
 * changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/foresee.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"

static void print_text(const struct ath_project *project, const struct ath_options *options,
		       const struct ath_inspection *inspection, const struct ath_err *untold)
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
	} else if (untold->code != ATH_ERR_OK) {
		ath_str_puts(&text, "\ndatabase: ");
		ath_str_put_clean(&text, untold->msg, strlen(untold->msg));
		ath_str_putc(&text, '\n');
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
			ath_foresee_print_json(&project, seen);
		else
			print_text(&project, options, seen, &untold);
		status = untold.code == ATH_ERR_CHAIN ? ath_err_exit_status(ATH_ERR_CHAIN)
						      : exit_status(&project, seen, options);
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
