/* SPDX-License-Identifier: MIT */
/*
 * steps/known: what a run knows of the chain: its graph, and what each revision does.
 *
 * `detect` asks the bridge and keeps the lines of its answer in the run's folder; the steps of the
 * section read them from there, so that they decide by the same knowledge.
 */
#ifndef ATH_STEPS_KNOWN_H
#define ATH_STEPS_KNOWN_H

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/str.h"
#include "engine/step.h"

struct ath_known {
	struct ath_chain chain;
	const struct ath_effects *effects; /* one per revision; NULL: they could not be read */
};

/*
 * Read kept lines: the graph ("heads") and then the effects, in any number. A revision without
 * effects is UNKNOWN; without any, `effects` is NULL. Everything is in `arena`.
 * Fails with: ATH_ERR_BRIDGE (not such lines), ATH_ERR_CHAIN.
 */
ATH_NODISCARD bool ath_known_read(const char *lines, size_t len, struct ath_arena *arena,
				  struct ath_known *out, struct ath_err *err);

/* Keep the lines for the steps behind. Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_known_save(const struct ath_step_world *world, const struct ath_str *lines,
				  struct ath_err *err);

/* Read what was kept. Fails with: as ath_known_read; ATH_ERR_IO, ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT. */
ATH_NODISCARD bool ath_known_load(const struct ath_step_world *world, struct ath_arena *arena,
				  struct ath_known *out, struct ath_err *err);

#endif
