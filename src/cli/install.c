/* SPDX-License-Identifier: MIT */
/*
 * cli/install: plans and runs every step until the application is installed; typed again it resumes,
 * upgrades, or finds that nothing is to be done.
 */
#include "cli/commands.h"
#include "cli/runner.h"

static int install_run(const struct ath_options *options)
{
	static const struct ath_runner_kind kind = { .command = "install", .question = "Install" };

	return ath_runner_go(&kind, options);
}

const struct ath_command ath_cmd_install = {
	.name = "install",
	.operands = "[DIR]",
	.summary = "Install or upgrade the application, or go on where a run stopped.",
	.takes_dir = true,
	.run = install_run,
};
