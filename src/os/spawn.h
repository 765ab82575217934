/* SPDX-License-Identifier: MIT */
/*
 * os/spawn: starts one process in a session of its own, with pipes for what it says.
 *
 * The new process has /dev/null on descriptor 0, pipes on 1, 2 and perhaps 3, and no other
 * descriptor; no signal is blocked or ignored in it. Waiting for it is the caller's.
 */
#ifndef ATH_OS_SPAWN_H
#define ATH_OS_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/environ.h"

enum {
	ATH_SPAWN_PIPES = 3, /* at most; the n-th is the process's descriptor n + 1 */
};

/* What to start; borrowed for the call. */
struct ath_spawn_form {
	const char *const *argv; /* argv[0] is a path or is looked up in PATH below */
	const char *cwd;         /* NULL: ours */
	const struct ath_environ *environment;
	const char *mark_entry; /* "ATHANOR_STEP=...", replaces one there; or NULL */
	unsigned pipe_count;    /* 2, or 3 with a reply pipe */
};

/* A process that was started. */
struct ath_spawn {
	pid_t pid;                  /* unreaped child of ours, and its session */
	int pipes[ATH_SPAWN_PIPES]; /* owned by the caller; what we read from; -1: none */
};

/*
 * Start it. When this returns true, the program is running, not just a copy of ours.
 * Fails with: ATH_ERR_NOT_FOUND (no such program, interpreter or folder), ATH_ERR_CHILD.
 */
ATH_NODISCARD bool ath_spawn_start(const struct ath_spawn_form *form, struct ath_spawn *out_spawn,
				   struct ath_err *err);

/* Open /dev/null where descriptor 0, 1 or 2 is closed, so that no other file lands there. */
void ath_spawn_fill_standard(void);

#endif
