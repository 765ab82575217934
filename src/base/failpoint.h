/* SPDX-License-Identifier: MIT */
/*
 * base/failpoint: numbered points at which a test build can be killed, made to fail, or delayed.
 *
 * A build without -Dfailpoints=true has nothing of this: the macros are the bare calls. With it,
 * every process numbers the points that it passes (a forked one counts on from its parent's number),
 * and the environment says what happens at which:
 *
 *	ATHANOR_FAILPOINT=[ROLE/]WHICH:ACTION[,...]
 *		ROLE    warden (the process that was started) or orchestrator (the one it forks)
 *		WHICH   N, the N-th point; NAME:N, the N-th of that name; NAME@TEXT:N, the N-th whose
 *		        detail holds the text; each with N+ for it and all that follow
 *		NAME    of the table below, with /after for the point behind a call
 *		ACTION  kill, kill-warden, kill-both; fail:ERRNO (EIO, ENOSPC, ...); delay:MS
 *	ATHANOR_FAILPOINT_LOG=FILE      a line for every point: role pid number name detail
 *	ATHANOR_TORTURE=SEED            kills, failures and delays at random, each one told
 *	ATHANOR_SABOTAGE=NAME           switches a guard off: the control of a test
 */
#ifndef ATH_BASE_FAILPOINT_H
#define ATH_BASE_FAILPOINT_H

#include <stdbool.h>

#include "base/err.h"

#define ATH_FAILPOINTS_TABLE(X)               \
	X(JOURNAL_EVENT, "journal.event")     \
	X(JOURNAL_COMMIT, "journal.commit")   \
	X(JOURNAL_RUN, "journal.run")         \
	X(FILE_CREATE, "file.create")         \
	X(FILE_WRITE, "file.write")           \
	X(FILE_MODE, "file.mode")             \
	X(FILE_SYNC, "file.sync")             \
	X(FILE_RENAME, "file.rename")         \
	X(FILE_LINK, "file.link")             \
	X(FILE_UNLINK, "file.unlink")         \
	X(FOLDER_MAKE, "folder.make")         \
	X(FOLDER_REMOVE, "folder.remove")     \
	X(LOG_WRITE, "log.write")             \
	X(LOCK_TAKE, "lock.take")             \
	X(WARDEN_FORK, "warden.fork")         \
	X(WARDEN_END, "warden.end")           \
	X(PROCESS_KILL, "process.kill")       \
	X(PROCESS_SPAWN, "process.spawn")     \
	X(CGROUP_MAKE, "cgroup.make")         \
	X(CGROUP_WRITE, "cgroup.write")       \
	X(CGROUP_REMOVE, "cgroup.remove")     \
	X(DB_CREATE, "db.create")             \
	X(DB_UNLINK, "db.unlink")             \
	X(DB_SYNC, "db.sync")                 \
	X(DB_BACKUP, "db.backup")             \
	X(DB_BACKUP_END, "db.backup_end")     \
	X(DB_SETTLE, "db.settle")             \
	X(LIVE_LOCK, "live.lock")             \
	X(LIVE_COMMIT, "live.commit")         \
	X(LIVE_CHECKPOINT, "live.checkpoint") \
	X(LIVE_CLOSE, "live.close")           \
	X(VFS_OPEN, "vfs.open")               \
	X(VFS_WRITE, "vfs.write")             \
	X(VFS_TRUNCATE, "vfs.truncate")       \
	X(VFS_SYNC, "vfs.sync")               \
	X(VFS_DELETE, "vfs.delete")

enum ath_failpoint {
#define X(id, name) ATH_FAILPOINT_##id,
	ATH_FAILPOINTS_TABLE(X)
#undef X
	ATH_FAILPOINT_COUNT_
};

enum ath_failpoint_side {
	ATH_FAILPOINT_BEFORE, /* a call has not been made */
	ATH_FAILPOINT_AFTER,  /* it has */
};

#ifdef ATH_FAILPOINTS

/* Pass a point; true with errno set if what stands there shall fail. `detail` may be NULL. */
bool ath_failpoint_pass(enum ath_failpoint point, enum ath_failpoint_side side, const char *detail);

/* As ath_failpoint_pass, for a function that fills an error: false with `err` filled if it shall fail. */
bool ath_failpoint_may(enum ath_failpoint point, enum ath_failpoint_side side, struct ath_err *err,
		       const char *format, ...) ATH_PRINTF(4, 5);

/* Behind a system call, if it has succeeded: its result, or -1 with errno set. */
long ath_failpoint_result(enum ath_failpoint point, const char *detail, long result);

/* Is a guard switched off by ATHANOR_SABOTAGE=NAME, so that a test can show that it would be missed? */
bool ath_failpoint_is_sabotaged(const char *name);

#define ATH_SABOTAGE(name) ath_failpoint_is_sabotaged(name)

/* Before a call: shall it fail, with errno set? Its result does not matter where it cannot. */
#define ATH_FAIL(point, detail) \
	ath_failpoint_pass(ATH_FAILPOINT_##point, ATH_FAILPOINT_BEFORE, detail)

/* Behind a call that has succeeded: shall it be taken for one that failed? */
#define ATH_FAIL_AFTER(point, detail) \
	ath_failpoint_pass(ATH_FAILPOINT_##point, ATH_FAILPOINT_AFTER, detail)

/* The same in a chain of functions that fill an error; the detail is formatted. */
#define ATH_MAY(point, err, ...) \
	ath_failpoint_may(ATH_FAILPOINT_##point, ATH_FAILPOINT_BEFORE, err, __VA_ARGS__)
#define ATH_MAY_AFTER(point, err, ...) \
	ath_failpoint_may(ATH_FAILPOINT_##point, ATH_FAILPOINT_AFTER, err, __VA_ARGS__)

/* A system call (-1 and errno), with a point before and one behind it. */
#define ATH_ACT(point, detail, call)                \
	((__typeof__(call))(ATH_FAIL(point, detail) \
				    ? -1            \
				    : ath_failpoint_result(ATH_FAILPOINT_##point, detail, call)))

#else
#define ATH_SABOTAGE(name)             false
#define ATH_FAIL(point, detail)        false
#define ATH_FAIL_AFTER(point, detail)  false
#define ATH_MAY(point, err, ...)       true
#define ATH_MAY_AFTER(point, err, ...) true
#define ATH_ACT(point, detail, call)   (call)
#endif

#endif
