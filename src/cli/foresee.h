/* SPDX-License-Identifier: MIT */
/*
 * cli/foresee: from what an inspection found to what a run would do with the database: each pending
 * revision, and, where the run would not act, the statements that a person could.
 */
#ifndef ATH_CLI_FORESEE_H
#define ATH_CLI_FORESEE_H

#include "cli/inspect.h"

/*
 * Inspect the project's database for a plan. False: nothing can be told before the application has
 * been asked which database it is, or before Alembic has read the chain; the run itself will say it.
 * Fini in any case.
 */
bool ath_foresee_inspect(const struct ath_project *project, struct ath_inspection *out);

/* Must a person decide, and would --assume-revision be the answer? */
bool ath_foresee_is_question(const struct ath_inspection *inspection);

/* What install would do, as a sentence; in the inspection's arena. */
const char *ath_foresee_install(struct ath_inspection *inspection);

/*
 * The walk of an install after the decision (alembic/walk), as far as it can be told before anything
 * has run; empty where the run would stop. In the inspection's arena.
 */
struct ath_walk ath_foresee_walk(struct ath_inspection *inspection);

/*
 * Shell commands by which a person could write the row that the schema has, where it is known and
 * only the rows are unknown to the chain: backup first, one transaction. NULL: none is right.
 */
const char *ath_foresee_by_hand(struct ath_inspection *inspection);

#endif
