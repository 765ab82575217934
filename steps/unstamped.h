/* SPDX-License-Identifier: MIT */
/*
 * steps/unstamped: a database that has tables and no version row: its revision is inferred from the
 * schema (alembic/infer), and only what the evidence decides is stamped, on the copy.
 */
#ifndef ATH_STEPS_UNSTAMPED_H
#define ATH_STEPS_UNSTAMPED_H

#include "alembic/effects.h"
#include "alembic/infer.h"
#include "bridge/request.h"
#include "steps/database_state.h"

/* Is it one? */
bool ath_unstamped_is(const struct ath_look *look, const char *version_table);

/* The bridge's command that reads what each revision does; texts are in `arena`. */
struct ath_bridge_command ath_unstamped_command(const struct ath_chain *chain,
						struct ath_arena *arena);

/* What is asked; all borrowed. */
struct ath_unstamped {
	const char *path;
	const char *version_table;
	const struct ath_chain *chain;
	const struct ath_effects *effects; /* one per revision, in the chain's numbering */
};

/*
 * Infer, with these version rows (none: NULL); texts are in `arena`.
 * Fails with: ATH_ERR_LOCKED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_unstamped_infer(const struct ath_unstamped *unstamped,
				       const struct ath_texts *rows, struct ath_arena *arena,
				       struct ath_inference *out, struct ath_err *err);

/*
 * Infer and decide; texts are in `arena`.
 * Fails with: ATH_ERR_DECISION (the schema does not decide: a person must), ATH_ERR_REFUSED (it is
 * of another application), ATH_ERR_LOCKED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_unstamped_decide(const struct ath_unstamped *unstamped,
					struct ath_arena *arena, struct ath_database_plan *out,
					struct ath_err *err);

#endif
