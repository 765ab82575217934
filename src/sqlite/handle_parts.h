/* SPDX-License-Identifier: MIT */
/*
 * sqlite/handle_parts: what a database handle and its statements are made of.
 *
 * Shared by the two files behind sqlite/handle.h only: handle.c opens, closes and judges results,
 * statement.c runs statements.
 */
#ifndef ATH_SQLITE_HANDLE_PARTS_H
#define ATH_SQLITE_HANDLE_PARTS_H

#include <stdbool.h>

#include "base/time.h"

struct ath_db {
	struct sqlite3 *raw;           /* owned; NULL until it is open */
	char *path;                    /* owned; as given */
	struct ath_stmt *first;        /* owned; every statement that is alive */
	struct ath_stmt *begin;        /* in that list; made at the first transaction */
	struct ath_stmt *commit;       /* likewise */
	int mode;                      /* enum ath_db_mode */
	unsigned busy_ms;              /* how long a lock is waited for */
	int last_result;               /* extended result code of the last failure, or 0 */
	struct ath_mono waiting;       /* since when for the lock that is waited for */
	bool (*is_wanted)(void *user); /* NULL: always */
	void *wanted_by;
	struct ath_mono since; /* when the time began to be limited */
	unsigned
		limit_ms; /* how long all statements together may take from then; 0: as they like */
};

struct ath_stmt {
	struct sqlite3_stmt *raw; /* owned */
	struct ath_db *db;        /* borrowed */
	struct ath_stmt *next;    /* in the list of the database */
	struct ath_stmt **link;   /* the pointer that points here */
};

#endif
