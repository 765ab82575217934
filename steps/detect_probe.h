/* SPDX-License-Identifier: MIT */
/*
 * steps/detect_probe: what can be said of the database before the application is asked.
 */
#ifndef ATH_STEPS_DETECT_PROBE_H
#define ATH_STEPS_DETECT_PROBE_H

#include "engine/step.h"
#include "steps/database_state.h"

/* The probe of `detect`: see engine/step.h. */
void ath_detect_probe(const struct ath_step_world *world, const void *config,
		      struct ath_step_look *out);

/* The inputs of `detect`: the revision files, and the variables that may decide which database it is. */
void ath_detect_inputs(const struct ath_step_world *world, const void *config, struct ath_str *out);

/*
 * A new database is made only where none was before.
 * Fails with: ATH_ERR_DECISION (one was seen there, and has gone).
 */
ATH_NODISCARD bool ath_detect_check_gone(const struct ath_step_world *world,
					 const struct ath_database_plan *plan, const char *path,
					 struct ath_err *err);

#endif
