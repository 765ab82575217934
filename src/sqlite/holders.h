/* SPDX-License-Identifier: MIT */
/*
 * sqlite/holders: which processes hold a file's locks, for messages.
 *
 * Read from /proc/locks by device and inode, so nothing is opened that SQLite might have locked. A
 * hint only: it may be out of date, and processes of another PID namespace have no name here.
 */
#ifndef ATH_SQLITE_HOLDERS_H
#define ATH_SQLITE_HOLDERS_H

#include <stdbool.h>

struct ath_str;

/*
 * Append the holders of SQLite's locks on the database `path`: "gunicorn (process 812), python3
 * (process 815)". False and nothing appended if none is known.
 */
bool ath_holders_put(struct ath_str *out, const char *path);

#endif
