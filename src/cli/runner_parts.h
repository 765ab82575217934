/* SPDX-License-Identifier: MIT */
/* cli/runner_parts: what the files of cli/runner share. */
#ifndef ATH_CLI_RUNNER_PARTS_H
#define ATH_CLI_RUNNER_PARTS_H

#include "cli/result.h"
#include "cli/runner.h"
#include "engine/run.h"
#include "os/cgroup.h"
#include "os/warden.h"
#include "trust/secret.h"
#include "ui/plain.h"

struct ath_runner {
	const struct ath_runner_kind *kind; /* borrowed */
	const struct ath_options *options;  /* borrowed */
	struct ath_project project;         /* owned */
	struct ath_lock lock;               /* owned */
	struct ath_cgroup group;            /* of all that is done under this lock */
	struct ath_cgroup own_group;        /* in it, of a run that began again */
	struct ath_result result;           /* owned; the states of steps, for --json */
	struct ath_ui_plain plain;
	int signum;    /* the signal that ended a look, or 0 */
	char *run_dir; /* owned; of the run that is going on, or was */
	char mark[ATH_SECRET_TEXT];
	char boot_id[40];
	bool is_verified; /* the database, in this run */
	char word[256];   /* the revision that a person at the terminal has named */
};

/* The result as one JSON object. */
void ath_runner_print_result(struct ath_runner *runner, const struct ath_report *report);

/*
 * Show the plan and ask for the go-ahead, and what the evidence leaves open, where somebody can be
 * asked. True: go on. With a clean error on false, a person has said no, or a signal has come.
 */
ATH_NODISCARD bool ath_runner_ask(struct ath_runner *runner, struct ath_err *err);

/* What would be done (--dry-run). Returns the exit status of the program. */
int ath_runner_show_dry_run(struct ath_runner *runner);

#endif
