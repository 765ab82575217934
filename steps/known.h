/* SPDX-License-Identifier: MIT */
/*
 * steps/known: what a run knows of the chain: its graph, and what each revision does.
 *
 * `detect` finds it out and keeps it in the run's folder; the steps of the section read it from
 * there, so that they decide by the same knowledge. The file is the lines in which the bridge told graph
 * and target, and behind them the effects (alembic/effects_text).
 */
#ifndef ATH_STEPS_KNOWN_H
#define ATH_STEPS_KNOWN_H

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/str.h"
#include "engine/step.h"
#include "schema/element.h"

struct ath_known {
	struct ath_chain chain;
	struct ath_elements models; /* tables of the project's metadata: a second opinion only */
	const struct ath_effects *effects; /* one per revision; NULL: they could not be read */
};

/*
 * Read the lines in which the bridge told graph and target, in this order; everything is in `arena`,
 * `effects` stays NULL. `out_len` is the length of these lines.
 * Fails with: ATH_ERR_BRIDGE (not such lines), ATH_ERR_CHAIN.
 */
ATH_NODISCARD bool ath_known_read(const struct ath_str *lines, struct ath_arena *arena,
				  struct ath_known *out, size_t *out_len, struct ath_err *err);

/* Keep it for the steps behind; `lines` are those it was read from. Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_known_save(const struct ath_step_world *world, const struct ath_str *lines,
				  const struct ath_known *known, struct ath_err *err);

/*
 * Read what was kept, into `arena`.
 * Fails with: as ath_known_read; ATH_ERR_IO, ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT.
 */
ATH_NODISCARD bool ath_known_load(const struct ath_step_world *world, struct ath_arena *arena,
				  struct ath_known *out, struct ath_err *err);

#endif
