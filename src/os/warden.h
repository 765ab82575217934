/* SPDX-License-Identifier: MIT */
/*
 * os/warden: the lock that lets one run at a time work on a target, and the process that lets go of
 * it only when no process of the run is left (SAFETY.md, protocol L).
 *
 * Order of calls: ath_lock_take, then a decision that nothing is to be done (ath_lock_free) or
 * ath_warden_split, before any thread exists and with no library handle open. In the warden,
 * ath_warden_split does not return: it waits, ends every descendant and exits with the
 * orchestrator's status. In the orchestrator it returns true.
 */
#ifndef ATH_OS_WARDEN_H
#define ATH_OS_WARDEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/time.h"
#include "os/cgroup.h"
#include "os/process.h"

struct ath_lock {
	int fd;         /* owned; the open file description is shared by warden and orchestrator */
	int control_fd; /* owned; in the orchestrator: reads end of file when the warden is dead */
	pid_t holder;   /* process that took the lock: after the split, the warden */
	struct ath_wall since; /* when it was taken */
	char boot_id[40];      /* of the running kernel, for the hint */
};

/* What the holder says of itself in the lock file: a hint for people, never trusted. */
struct ath_lock_hint {
	char run_id[40];
	char started[32]; /* RFC 3339 */
	char step[64];
	pid_t pid; /* 0: nothing legible */
};

/* Called once when the lock is held by another run and the wait begins. */
typedef void ath_lock_wait_fn(void *user, const struct ath_lock_hint *holder);

/*
 * Take the lock file `path` (made with mode 0600, never unlinked, O_NOFOLLOW), waiting up to
 * `timeout_ms`. Blocks. `on_wait` may be NULL.
 * Fails with: ATH_ERR_LOCKED (still held; the message names holder, since when, step),
 * ATH_ERR_IO (cannot be made or opened).
 */
ATH_NODISCARD bool ath_lock_take(const char *path, uint64_t timeout_ms, ath_lock_wait_fn *on_wait,
				 void *user, struct ath_lock *out_lock, struct ath_err *err);

/* Say in the lock file who holds it. Failing to write a hint is no failure. */
void ath_lock_hint(const struct ath_lock *lock, const char *run_id, const char *step);

/* Read the hint of a lock file without taking the lock; `pid` is 0 if there is none. */
void ath_lock_read_hint(const char *path, struct ath_lock_hint *out_hint);

/*
 * Is the lock file held by somebody at this moment? It is tried with a shared lock that is let go
 * at once; ath_lock_take tries more than once and is not disturbed.
 */
bool ath_lock_is_held(const char *path);

/* Close the descriptors. The lock is free when its last holder has closed them or has died. */
void ath_lock_free(struct ath_lock *lock);

/*
 * Fork into warden (the parent, which the shell waits for) and orchestrator (the child).
 *
 * Children that this process had before (a script's background jobs, after `exec athanor`) are left
 * alone. SIGINT and SIGQUIT from the terminal reach both processes by themselves; every other
 * signal of the four is passed on. The warden puts the orchestrator into `group` (its path may be
 * empty) and removes that at the end; ath_warden_wait_until_ready returns once it is in.
 * Fails with: ATH_ERR_IO (no pipe, no process). On failure the caller still holds the lock.
 */
ATH_NODISCARD bool ath_warden_split(struct ath_lock *lock, struct ath_cgroup *group,
				    struct ath_err *err);

/* In the orchestrator, before its first child: wait for the warden, or for its death. */
void ath_warden_wait_until_ready(const struct ath_lock *lock);

/* In the orchestrator: is the warden dead? */
bool ath_warden_is_dead(const struct ath_lock *lock);

/* Say on stderr that a killed process does not end, and that the lock is kept until it does. */
void ath_warden_report_stuck(pid_t pid, const struct ath_process_facts *facts);

/* Boot id of the running kernel, 36 characters; "-" where the system does not tell. */
void ath_warden_boot_id(char out_id[40]);

#endif
