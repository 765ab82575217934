/* SPDX-License-Identifier: MIT */
/*
 * os/environ: the environment that children get.
 *
 * Inherited from the operator, so that PIP_*, UV_*, NPM_CONFIG_*, proxy and certificate settings
 * keep working, minus what would make another Python or shell of the child (SAFETY.md 4.8), plus
 * what the caller sets. Later settings win.
 */
#ifndef ATH_OS_ENVIRON_H
#define ATH_OS_ENVIRON_H

#include "base/err.h"

struct ath_environ {
	char **items; /* owned; "NAME=value", ends with NULL; NULL while empty */
	size_t len;
};

/*
 * Start from this process's environment without PYTHONHOME, PYTHONPATH, VIRTUAL_ENV, BASH_ENV, ENV,
 * LD_PRELOAD, LD_LIBRARY_PATH and GIT_*; sets PIP_NO_INPUT=1, GIT_TERMINAL_PROMPT=0,
 * DEBIAN_FRONTEND=noninteractive and PIP_DISABLE_PIP_VERSION_CHECK=1.
 */
void ath_environ_init(struct ath_environ *environment);

/* Release; the object is zeroed. */
void ath_environ_fini(struct ath_environ *environment);

/* Set a variable, replacing an earlier value. A NULL value removes it. */
void ath_environ_set(struct ath_environ *environment, const char *name, const char *value);

/* Value of a variable, borrowed until the next change, or NULL. */
const char *ath_environ_find(const struct ath_environ *environment, const char *name);

/* A copy that has a life of its own. */
void ath_environ_copy(struct ath_environ *out_copy, const struct ath_environ *from);

/* Absolute path of a program looked up in PATH of that environment (owned, free it), or NULL. */
char *ath_environ_find_program(const struct ath_environ *environment, const char *name);

#endif
