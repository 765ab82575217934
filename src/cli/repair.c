/* SPDX-License-Identifier: MIT */
/*
 * cli/repair: makes the database's version row true and finishes what was interrupted; upgrades
 * nothing.
 *
 * These are the steps of an installation that are about the database, on the same path (lock,
 * pre-image, copy, commit); the application's environment has to be there.
 */
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/runner.h"

static int repair_run(const struct ath_options *given)
{
	static const struct ath_runner_kind kind = {
		.command = "repair",
		.question = "Repair the database of",
	};
	const char *steps[] = {
		"detect", "init", "backup", "repair", "migrate", "commit", "verify"
	};
	struct ath_options options = *given;
	struct ath_err err = { 0 };

	if (given->only.len || given->skip.len) {
		ath_err_set(&err, ATH_ERR_USAGE,
			    "repair chooses its steps itself: --only and "
			    "--skip are for install");
		return ath_print_error(&err, NULL);
	}
	options.repairs_only = true;
	options.only = (struct ath_texts){ steps, sizeof(steps) / sizeof(steps[0]) };
	return ath_runner_go(&kind, &options);
}

const struct ath_command ath_cmd_repair = {
	.name = "repair",
	.operands = "[DIR]",
	.summary = "Make the database's version row true, finish what was interrupted; upgrade "
		   "nothing.",
	.takes_dir = true,
	.run = repair_run,
};
