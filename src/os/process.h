/* SPDX-License-Identifier: MIT */
/*
 * os/process: looks at other processes through /proc and ends them without hitting a stranger.
 *
 * A direct child keeps its pid until we reap it, so it may be signalled by pid. Any other process
 * is signalled through a pidfd, after a second look at what made us choose it. No allocation and no
 * library here: the warden runs this code after its fork.
 */
#ifndef ATH_OS_PROCESS_H
#define ATH_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	ATH_PROCESS_NAME = 64,   /* bytes of a process's name in the kernel, with the NUL */
	ATH_PROCESS_LIST = 1024, /* children looked at in one pass; the next pass sees the rest */
};

/* One process as /proc/PID/stat shows it. */
struct ath_process_facts {
	pid_t parent;
	pid_t session;
	char state; /* 'R', 'S', 'D', 'Z', ... */
	char name[ATH_PROCESS_NAME];
};

/* A set of process ids. */
struct ath_process_list {
	pid_t pids[ATH_PROCESS_LIST];
	size_t len;
};

/* Called once for a process that is still there 5 s after it was killed first. */
typedef void ath_process_stuck_fn(pid_t pid, const struct ath_process_facts *facts);

/* Look at a process; false if there is none. */
bool ath_process_look(pid_t pid, struct ath_process_facts *out_facts);

/* The children of a process (of all its threads), zombies too; empty where /proc does not tell. */
void ath_process_list_children(pid_t pid, struct ath_process_list *out_list);

/* Does the list hold this process? */
bool ath_process_has(const struct ath_process_list *list, pid_t pid);

/* Does the environment that a process was started with hold exactly `entry` ("NAME=value")? */
bool ath_process_has_variable(pid_t pid, const char *entry);

/*
 * Send a signal to a direct, unreaped child of ours and to all its descendants, parents first.
 * Returns false if the child itself may not be signalled by us.
 */
bool ath_process_signal_tree(pid_t child, int signum);

/*
 * Kill and reap all descendants of this process until none is left, but not the direct children in
 * `spared` (NULL: none); those that end by themselves are taken out of it, and children that we may
 * not signal are put into it. Blocks. `on_stuck` may be NULL.
 */
void ath_process_end_all(struct ath_process_list *spared, ath_process_stuck_fn *on_stuck);

/*
 * Kill every process that was started with the variable `entry`, until three passes in a row find
 * none; never this process or an ancestor. `out_killed` is how many. Blocks. `on_stuck` may be NULL.
 * Fails with: ATH_ERR_IO (a look at the processes was not possible, so one of them may be alive).
 */
ATH_NODISCARD bool ath_process_sweep(const char *entry, ath_process_stuck_fn *on_stuck,
				     unsigned *out_killed, struct ath_err *err);

#endif
