/* SPDX-License-Identifier: MIT */
/*
 * sqlite/failing_vfs: points of base/failpoint.h inside SQLite's own transactions. Only in test builds.
 */
#ifndef ATH_SQLITE_FAILING_VFS_H
#define ATH_SQLITE_FAILING_VFS_H

#ifdef ATH_FAILPOINTS

/* The name of a file layer for sqlite3_open_v2 that passes a point at each change of a file. */
const char *ath_failing_vfs(void);

#define ATH_DB_VFS ath_failing_vfs()
#else
#define ATH_DB_VFS NULL
#endif

#endif
