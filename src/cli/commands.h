/* SPDX-License-Identifier: MIT */
/*
 * cli/commands: every command, listed by hand.
 */
#ifndef ATH_CLI_COMMANDS_H
#define ATH_CLI_COMMANDS_H

#include <stdbool.h>

#include "cli/options.h"

struct ath_command {
	const char *name;
	const char *operands; /* for help: "[DIR]" */
	const char *summary;  /* one sentence */
	bool takes_dir;       /* the first operand is the application's folder */
	size_t most_operands; /* further ones */
	/* Returns the exit status of the program. */
	int (*run)(const struct ath_options *options);
};

extern const struct ath_command ath_cmd_install, ath_cmd_plan, ath_cmd_status, ath_cmd_log,
	ath_cmd_init, ath_cmd_inspect, ath_cmd_repair, ath_cmd_revisions, ath_cmd_backups,
	ath_cmd_restore;

#endif
