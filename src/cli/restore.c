/* SPDX-License-Identifier: MIT */
/*
 * cli/restore: puts a database back as it was before a run changed it, on the path of every change:
 * lock, copy of what is there, proof, one transaction.
 *
 * The application's Python is not needed: a backup's own record says which file it is of.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/restoration.h"
#include "cli/runner.h"
#include "os/file.h"

/* Without a state directory there is no backup, and none is made to find that out. */
static bool restore_open(void *user, struct ath_project *project, const struct ath_options *options,
			 struct ath_err *err)
{
	struct ath_restoration *restoration = user;

	restoration->project = project;
	if (!ath_project_open_state(project, options, err))
		return false;
	return ath_file_kind(project->state_dir) == ATH_FILE_FOLDER ||
	       ath_err_set(err, ATH_ERR_NOT_FOUND, "no backup has been kept in '%s'",
			   project->state_dir);
}

static bool restore_plan(void *user, const struct ath_options *options, struct ath_err *err)
{
	return ath_restoration_gather(user, options, err);
}

static bool restore_must_ask(const void *user)
{
	const struct ath_restoration *restoration = user;

	return restoration->is_newer && !restoration->discards_newer;
}

static bool restore_fail_unasked(const void *user, struct ath_err *err)
{
	const struct ath_restoration *restoration = user;

	return ath_err_set(err, ATH_ERR_DECISION,
			   restoration->look.place == ATH_RESTORE_BROKEN
				   ? "'%s' cannot be read, so what was written to it since cannot "
				     "be told: --discard-newer gives it up (its bytes are kept)"
				   : "'%s' was written to since that backup was kept, and that "
				     "would be lost: --discard-newer gives it up",
			   restoration->path);
}

static bool restore_agree(void *user, const struct ath_options *options, struct ath_err *err)
{
	return ath_restoration_agree(user, options, err);
}

static void restore_put_plan(const void *user, struct ath_str *out)
{
	ath_restoration_put(user, out);
}

static void restore_put_json(const void *user, struct ath_json *json)
{
	ath_restoration_put_json(user, json);
}

static void restore_put_end(const void *user, const struct ath_report *report, struct ath_str *out)
{
	ath_restoration_put_end(user, report, out);
}

static bool read_operands(const struct ath_options *given, struct ath_options *out,
			  struct ath_err *err)
{
	*out = *given;
	if (!given->operands.len)
		return ath_err_set(err, ATH_ERR_USAGE,
				   "restore takes the backup's ID, or 'last'; `athanor backups` "
				   "lists them");
	if (given->only.len || given->skip.len || given->no_backup)
		return ath_err_set(err, ATH_ERR_USAGE,
				   "restore chooses its steps itself and keeps what is there: "
				   "--only, --skip and --no-backup are not for it");
	if (given->operands.len > 1 && strcmp(given->dir, ".") != 0)
		return ath_err_set(err, ATH_ERR_USAGE, "both -C '%s' and the folder '%s' are given",
				   given->dir, given->operands.items[1]);
	if (given->operands.len > 1)
		out->dir = given->operands.items[1];
	return true;
}

static int restore_run(const struct ath_options *given)
{
	struct ath_restoration restoration = { 0 };
	const struct ath_runner_own own = {
		.user = &restoration,
		.open = restore_open,
		.plan = restore_plan,
		.must_ask = restore_must_ask,
		.fail_unasked = restore_fail_unasked,
		.agree = restore_agree,
		.put_plan = restore_put_plan,
		.put_json = restore_put_json,
		.put_end = restore_put_end,
	};
	const struct ath_runner_kind kind = {
		.command = "restore",
		.question = "Restore the database of",
		.own = &own,
	};
	struct ath_options options;
	struct ath_err err = { 0 };
	int status;

	if (!read_operands(given, &options, &err))
		return ath_print_error(&err, NULL);
	restoration.typed = options.operands.items[0];
	status = ath_runner_go(&kind, &options);
	ath_restoration_fini(&restoration);
	return status;
}

const struct ath_command ath_cmd_restore = {
	.name = "restore",
	.operands = "ID|last [DIR]",
	.summary = "Put the database back as a backup has it; says first what would be lost.",
	.most_operands = 2,
	.run = restore_run,
};
