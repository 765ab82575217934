/* SPDX-License-Identifier: MIT */
/*
 * cli/inspect: at which revision is this database really, by what evidence, and what would be
 * decided; changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/foresee.h"
#include "cli/print.h"
#include "os/file.h"

static int exit_status(const struct ath_inspection *inspection, bool is_detailed)
{
	if (inspection->found.look.state == ATH_LOOK_LOCKED)
		return ath_err_exit_status(ATH_ERR_LOCKED);
	switch (inspection->found.result.decision) {
	case ATH_DECISION_NONE:
		return 0;
	case ATH_DECISION_ASK:
		return ath_err_exit_status(ATH_ERR_DECISION);
	case ATH_DECISION_REFUSE:
		return ath_err_exit_status(ATH_ERR_REFUSED);
	default:
		return is_detailed ? 2 : 0;
	}
}

/* The operand is the application's folder or a database; a database is of the folder of -C. */
static bool read_operand(struct ath_options *options, const char **out_file, struct ath_err *err)
{
	const char *operand = options->operands.len ? options->operands.items[0] : NULL;

	*out_file = NULL;
	if (!operand)
		return true;
	switch (ath_file_kind(operand)) {
	case ATH_FILE_REGULAR:
		*out_file = operand;
		return true;
	case ATH_FILE_FOLDER:
		if (strcmp(options->dir, ".") != 0)
			return ath_err_set(err, ATH_ERR_USAGE,
					   "both -C '%s' and the folder '%s' are given",
					   options->dir, operand);
		options->dir = operand;
		return true;
	default:
		return ath_err_set(err, ATH_ERR_USAGE, "there is no folder and no database '%s'",
				   operand);
	}
}

static bool open_project(struct ath_project *project, const struct ath_options *options,
			 const char *file, struct ath_err *err)
{
	if (ath_project_open(project, options, err))
		return ath_project_look_at_journal(project, err);
	if (file && err->code == ATH_ERR_NOT_FOUND)
		ath_err_prefix(err, "whose database '%s' is has to be said with -C DIR", file);
	return false;
}

static void print_text(const struct ath_inspection *inspection)
{
	struct ath_str text = { 0 };

	ath_inspect_put(inspection, &text);
	ath_print_flush(&text, false);
}

static int inspect_run(const struct ath_options *given)
{
	struct ath_options options = *given;
	struct ath_project project = { 0 };
	struct ath_inspection inspection = { .project = &project };
	struct ath_err err = { 0 };
	const char *file;
	int status, signum = 0;

	if (!read_operand(&options, &file, &err) || !open_project(&project, &options, file, &err) ||
	    !ath_inspect_gather(&inspection, file, &signum, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
		if (signum)
			status = 128 + signum;
	} else {
		ath_foresee_fill(&inspection);
		if (options.json)
			ath_inspect_print_json(&inspection);
		else
			print_text(&inspection);
		status = exit_status(&inspection, options.detailed_exitcode);
	}
	ath_inspect_fini(&inspection);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_inspect = {
	.name = "inspect",
	.operands = "[DIR|DATABASE]",
	.summary = "Say at which revision the database really is, by what evidence.",
	.most_operands = 1,
	.run = inspect_run,
};
