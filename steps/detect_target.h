/* SPDX-License-Identifier: MIT */
/*
 * steps/detect_target: which database it is, by what env.py said and what the recipe says.
 */
#ifndef ATH_STEPS_DETECT_TARGET_H
#define ATH_STEPS_DETECT_TARGET_H

#include "bridge/reply.h"
#include "engine/step.h"

/*
 * The database that env.py would open ("target"): absolute, without links, in the step's arena. NULL
 * on failure.
 * Fails with: ATH_ERR_REFUSED (not SQLite, in memory, several, a version table elsewhere),
 * ATH_ERR_DECISION (the recipe names another one), ATH_ERR_BRIDGE, ATH_ERR_RECIPE, ATH_ERR_IO.
 */
const char *ath_detect_find_database(struct ath_step *step, const struct ath_bridge_reply *target,
				     struct ath_err *err);

/* Record what was learned of it and of the chain ("heads") for later looks: the note "target". */
void ath_detect_record(struct ath_step *step, const struct ath_bridge_reply *heads,
		       const struct ath_bridge_reply *target, const char *path);

#endif
