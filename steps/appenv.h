/* SPDX-License-Identifier: MIT */
/*
 * steps/appenv: the surroundings in which the application's own commands run.
 *
 * That is the world's environment, the variables of the application's env file that are not set
 * already, and its virtual environment as if it were activated. Paths are relative to the
 * application's folder.
 */
#ifndef ATH_STEPS_APPENV_H
#define ATH_STEPS_APPENV_H

#include "engine/step.h"

/* Absolute path of bin/python in the virtual environment; owned. */
char *ath_appenv_python(const struct ath_step_world *world, const char *venv);

/*
 * Fill `out`; the caller releases it. `env_file` may be NULL, and the file may be absent.
 * Fails with: ATH_ERR_IO, ATH_ERR_LIMIT (the env file).
 */
ATH_NODISCARD bool ath_appenv_init(struct ath_environ *out, const struct ath_step_world *world,
				   const char *venv, const char *env_file, struct ath_err *err);

/*
 * The argument vector of a command that the operator wrote, in `arena`: `python` and `pip` are the
 * virtual environment's; a first word with a slash is looked for in `folder` (absolute), then in the
 * application's folder.
 */
const char *const *ath_appenv_argv(const struct ath_step_world *world, const char *venv,
				   const char *folder, const struct ath_texts *run,
				   struct ath_arena *arena);

#endif
