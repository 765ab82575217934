/* SPDX-License-Identifier: MIT */
/*
 * sqlite/holders: which processes hold a file's locks, for messages.
 *
 * Read from /proc/locks by device and inode, so nothing is opened that SQLite might have locked: of the
 * main file, and of the -shm, on which every connection to a WAL database keeps a lock, also an idle
 * one. Locks of open file descriptions have no owner there; theirs are looked for in /proc/PID/fdinfo.
 * A hint only: it may be out of date, and processes of another PID namespace or, for the latter kind
 * of lock, of another account have no name here.
 */
#ifndef ATH_SQLITE_HOLDERS_H
#define ATH_SQLITE_HOLDERS_H

#include <stdbool.h>

#include "base/err.h"

struct ath_str;

/*
 * Append the holders of SQLite's locks on the database `path`: "gunicorn (process 812), python3
 * (process 815)". False and nothing appended if none is known.
 */
bool ath_holders_put(struct ath_str *out, const char *path);

/* Set ATH_ERR_LOCKED for the database `path`, with its holders where they are known; returns false. */
bool ath_holders_fail(const char *path, struct ath_err *err);

#endif
