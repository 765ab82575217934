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
		       const struct ath_foresight *foresight)
{
	struct ath_str text = { 0 };

	for (size_t i = 0; i < project->recipe.findings.len; i++)
		ath_str_printf(&text, "found: %s\n", project->recipe.findings.items[i]);
	if (project->plan.runs) {
		ath_print_plan(project, options->verbose, &text);
		ath_print_given_up(project, &text);
	} else {
		ath_str_printf(&text, "nothing to do, %s is installed\n", project->recipe.name);
	}
	if (foresight->is_told) {
		ath_str_putc(&text, '\n');
		ath_inspect_put_plan(&foresight->inspection, &text);
	} else if (foresight->untold.code != ATH_ERR_OK) {
		ath_str_puts(&text, "\ndatabase: ");
		ath_str_put_clean(&text, foresight->untold.msg, strlen(foresight->untold.msg));
		ath_str_putc(&text, '\n');
	}
	ath_print_flush(&text, false);
}

static int plan_run(const struct ath_options *options)
{
	struct ath_project project;
	struct ath_foresight foresight = { 0 };
	struct ath_err err = { 0 };
	int status;

	if (!ath_project_open(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) ||
	    !ath_project_plan(&project, options, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
	} else {
		if (project.plan.runs)
			ath_foresee_inspect(&project, &foresight);
		if (options->json)
			ath_foresee_print_json(&project, &foresight);
		else
			print_text(&project, options, &foresight);
		status = ath_foresee_exit_status(&project, &foresight, options);
	}
	ath_inspect_fini(&foresight.inspection);
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
