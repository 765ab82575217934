/* SPDX-License-Identifier: MIT */
/*
 * steps/installer: the commands of uv and pip that install into one virtual environment.
 */
#ifndef ATH_STEPS_INSTALLER_H
#define ATH_STEPS_INSTALLER_H

#include "engine/step.h"

struct ath_installer {
	const char *python; /* absolute path of the environment's interpreter */
	const char *uv;     /* absolute path of uv, or NULL: pip is used */
};

/* The world's environment without what would put packages elsewhere; the caller releases it. */
void ath_installer_init_environment(struct ath_environ *out, const struct ath_step_world *world);

/*
 * Install requirements files and, if it is not NULL, a project editable; run in the root. Of a
 * pyproject.toml among the files the dependencies are installed, not the project itself.
 */
const char *const *ath_installer_install(const struct ath_installer *installer,
					 const struct ath_texts *files, const char *project,
					 struct ath_arena *arena);

/* Ask whether what is installed goes together. */
const char *const *ath_installer_check(const struct ath_installer *installer,
				       struct ath_arena *arena);

#endif
