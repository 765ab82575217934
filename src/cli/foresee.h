/* SPDX-License-Identifier: MIT */
/*
 * cli/foresee: from what an inspection found to what a run would do with the database: each pending
 * revision, and, where the run would not act, the statements that a person could.
 */
#ifndef ATH_CLI_FORESEE_H
#define ATH_CLI_FORESEE_H

#include "cli/inspection.h"

/* What a plan can tell of the database. Zeroed: nothing was looked at. */
struct ath_foresight {
	struct ath_inspection inspection; /* owned */
	bool is_told;                     /* it is filled; else */
	struct ath_err untold;            /* why not */
	int signum;                       /* the signal that ended the look, or 0 */
};

/*
 * Inspect the project's database for a plan. On failure nothing can be told yet, mostly because only
 * env.py knows which database it is, or only Alembic the chain; the run itself asks them. Fini in any
 * case (ath_inspect_fini).
 */
void ath_foresee_inspect(const struct ath_project *project, struct ath_foresight *out);

/*
 * Exit status of a command that only foresees: what is seen of the database ends it as it would end
 * the run. Prints the refusal, if there is one.
 */
int ath_foresee_exit_status(const struct ath_project *project,
			    const struct ath_foresight *foresight,
			    const struct ath_options *options);

/* Print the object of `plan --json`. */
void ath_foresee_print_json(const struct ath_project *project,
			    const struct ath_foresight *foresight);

/* Must a person decide, and would --assume-revision be the answer? */
bool ath_foresee_is_question(const struct ath_inspection *inspection);

/*
 * Add to what was found: what install would do, as a sentence; the walk of an install after the
 * decision (alembic/walk), as far as it can be told before anything has run, empty where it would stop;
 * and, where the schema tells a revision and only the rows are unknown to the chain, the shell commands
 * by which a person could write the right row: backup first, one transaction.
 */
void ath_foresee_fill(struct ath_inspection *inspection);

#endif
