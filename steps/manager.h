/* SPDX-License-Identifier: MIT */
/*
 * steps/manager: the package manager of a frontend, chosen by its lock file.
 */
#ifndef ATH_STEPS_MANAGER_H
#define ATH_STEPS_MANAGER_H

#include "engine/step.h"

struct ath_manager {
	const char *lock;             /* file that tells it; NULL: none, and it is npm */
	const char *program;          /* npm, pnpm, yarn */
	const char *const *install;   /* argument vector */
	const char *const *build;     /* likewise */
	const char *const *installed; /* files of which one is there after an installation */
};

/* The manager of the folder (absolute); static data. */
const struct ath_manager *ath_manager_find(const char *folder);

/* Append what an installation in `dir` (relative to the root) depends on. */
void ath_manager_put_inputs(const struct ath_step_world *world, const char *dir,
			    struct ath_str *out);

/* The first file that shows that an installation came to its end, relative; NULL if there is none. */
const char *ath_manager_find_installed(const struct ath_manager *manager, const char *folder);

/*
 * Fill the environment of its programs; the caller releases it.
 * Fails with: ATH_ERR_NOT_FOUND (the program is not on PATH, and what to do).
 */
ATH_NODISCARD bool ath_manager_init_environment(const struct ath_manager *manager,
						const struct ath_step_world *world, const char *dir,
						struct ath_environ *out, struct ath_err *err);

#endif
