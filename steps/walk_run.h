/* SPDX-License-Identifier: MIT */
/*
 * steps/walk_run: carries a walk (alembic/walk) out on a copy of the database.
 *
 * Before each part of the walk the copy itself is looked at, so that the acts follow from what is
 * there and not from how an earlier part ended:
 *
 *	look ─► plan ─► take away what a REDO names ─► one bridge process: stamp, or upgrade ─► look ...
 *
 * The struct must be the first member of the step's data (as ath_bridge_run, which is its first).
 */
#ifndef ATH_STEPS_WALK_RUN_H
#define ATH_STEPS_WALK_RUN_H

#include "steps/bridge_run.h"
#include "steps/known.h"

struct ath_walk_run {
	struct ath_bridge_run bridge; /* first member; private but for `is_of_schema` */

	/* set by the caller; all borrowed until the end */
	const struct ath_database_config *config;
	const char *clone, *live, *version_table;
	const struct ath_known *known;
	const bool *goal;          /* what is to be applied at the end, by number of revision */
	ath_bridge_end_fn *on_end; /* comes once; `err` is clean if the goal is reached */

	/* filled while it runs */
	bool *ran; /* by number of revision: run by this walk; in the step's arena */

	/* private */
	struct ath_arena *arena;
	struct ath_walk_part *part;
	bool *before; /* the cut of the last look; NULL: none yet */
};

/*
 * Start. On true `on_end` comes exactly once, with the error of a part that failed; a STOP of the walk
 * and an undo that would lose something are ATH_ERR_DECISION.
 */
void ath_walk_run_start(struct ath_step *step);

#endif
