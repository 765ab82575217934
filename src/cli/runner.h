/* SPDX-License-Identifier: MIT */
/*
 * cli/runner: a run of steps, from the lock to the last line; typed again it resumes, or finds that
 * nothing is to be done. What `install` and `repair` share.
 */
#ifndef ATH_CLI_RUNNER_H
#define ATH_CLI_RUNNER_H

#include "cli/options.h"

struct ath_runner_kind {
	const char *command;  /* name of the command, for the journal */
	const char *question; /* what the go-ahead is asked for: "Install" */
};

/* Do it. Returns the exit status of the program. */
int ath_runner_go(const struct ath_runner_kind *kind, const struct ath_options *options);

#endif
