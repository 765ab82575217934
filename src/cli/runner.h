/* SPDX-License-Identifier: MIT */
/*
 * cli/runner: a run of steps, from the lock to the last line; typed again it resumes, or finds that
 * nothing is to be done. What `install`, `repair` and `restore` share.
 */
#ifndef ATH_CLI_RUNNER_H
#define ATH_CLI_RUNNER_H

#include "base/json.h"
#include "cli/options.h"
#include "cli/project.h"
#include "engine/event.h"

/* What a command does its own way that does not run the graph of the recipe. */
struct ath_runner_own {
	void *user; /* first argument of all of them */
	/* Before the lock; instead of ath_project_open. */
	bool (*open)(void *user, struct ath_project *project, const struct ath_options *options,
		     struct ath_err *err);
	/* Under the lock, with the journal; makes graph and plan. No step runs: nothing to do. */
	bool (*plan)(void *user, const struct ath_options *options, struct ath_err *err);
	/* Is there a question that --yes does not answer? */
	bool (*must_ask)(const void *user);
	/* There is, and nobody who could be asked; returns false. */
	bool (*fail_unasked)(const void *user, struct ath_err *err);
	/* A person has said yes to it. */
	bool (*agree)(void *user, const struct ath_options *options, struct ath_err *err);
	void (*put_plan)(const void *user, struct ath_str *out);   /* what would be done */
	void (*put_json)(const void *user, struct ath_json *json); /* members of the result */
	void (*put_end)(const void *user, const struct ath_report *report,
			struct ath_str *out); /* the last lines after a good end */
};

struct ath_runner_kind {
	const char *command;              /* name of the command, for the journal */
	const char *question;             /* what the go-ahead is asked for: "Install" */
	const struct ath_runner_own *own; /* NULL: the graph of the recipe */
};

/* Do it. Returns the exit status of the program. */
int ath_runner_go(const struct ath_runner_kind *kind, const struct ath_options *options);

#endif
