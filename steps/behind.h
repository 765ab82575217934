/* SPDX-License-Identifier: MIT */
/*
 * steps/behind: a database whose version row claims more than its schema has.
 *
 * A stamp that resolves is a claim, not a proof (ALEMBIC.md 11). Where the schema contradicts it by
 * two strong elements or more and fits an earlier revision (alembic/infer: behind, to be stamped), the
 * run stops: to go on from the row would call an installation done that is not. The operator may
 * confirm the earlier revision by --assume-revision.
 */
#ifndef ATH_STEPS_BEHIND_H
#define ATH_STEPS_BEHIND_H

#include "steps/unstamped.h"

/* Does it have rows, and does the chain know them all? */
bool ath_behind_may_be(const struct ath_look *look, const struct ath_chain *chain);

/*
 * Hold the rows of `look` against the schema. `assume` is --assume-revision, or NULL. `out_decided`:
 * `out` holds the plan; otherwise the rows decide by themselves.
 * Fails with: ATH_ERR_DECISION (behind, and the operator has not confirmed it), ATH_ERR_LOCKED,
 * ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_behind_check(const struct ath_unstamped *asked, const struct ath_look *look,
				    const char *assume, struct ath_arena *arena,
				    struct ath_database_plan *out, bool *out_decided,
				    struct ath_err *err);

#endif
