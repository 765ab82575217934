/* SPDX-License-Identifier: MIT */
/*
 * cli/foresee: from what an inspection found to what a run would do with the database: each pending
 * revision, and, where the run would not act, the statements that a person could.
 */
#ifndef ATH_CLI_FORESEE_H
#define ATH_CLI_FORESEE_H

#include "cli/inspection.h"

/*
 * Inspect the project's database for a plan. On failure nothing can be told yet, mostly because only
 * env.py knows which database it is, or only Alembic the chain; the run itself asks them. Fini in any
 * case.
 * Fails with: as ath_inspect_gather.
 */
ATH_NODISCARD bool ath_foresee_inspect(const struct ath_project *project,
				       struct ath_inspection *out, struct ath_err *err);

/* Print the object of `plan --json`; `inspection` is NULL where nothing can be told of the database. */
void ath_foresee_print_json(const struct ath_project *project,
			    const struct ath_inspection *inspection);

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
