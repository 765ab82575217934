/* SPDX-License-Identifier: MIT */
/*
 * steps/table: every step type, listed by hand.
 */
#ifndef ATH_STEPS_TABLE_H
#define ATH_STEPS_TABLE_H

#include "engine/step.h"

extern const struct ath_step_type ath_step_backup, ath_step_build, ath_step_command,
	ath_step_commit, ath_step_detect, ath_step_directories, ath_step_env_file, ath_step_init,
	ath_step_migrate, ath_step_node, ath_step_preflight, ath_step_repair, ath_step_requirements,
	ath_step_venv, ath_step_verify;

/* Those of a restore (steps/restore.h). */
extern const struct ath_step_type ath_step_audit, ath_step_keep, ath_step_restore;

/* All step types and section types. */
extern const struct ath_step_table ath_steps;

#endif
