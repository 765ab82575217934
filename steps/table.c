/* SPDX-License-Identifier: MIT */
/* steps/table: every step type, listed by hand. */
#include "steps/table.h"

#include "steps/database.h"

static const struct ath_step_type *const types[] = {
	&ath_step_preflight,
	&ath_step_directories,
	&ath_step_env_file,
	&ath_step_venv,
	&ath_step_requirements,
	&ath_step_node,
	&ath_step_build,
	&ath_step_command,
	&ath_step_detect,
	&ath_step_init,
	&ath_step_backup,
	&ath_step_repair,
	&ath_step_migrate,
	&ath_step_commit,
	&ath_step_verify,
	&ath_step_keep,
	&ath_step_restore,
	&ath_step_audit,
	NULL,
};

static const struct ath_section_type *const sections[] = {
	&ath_section_database,
	NULL,
};

const struct ath_step_table ath_steps = { types, sections };
