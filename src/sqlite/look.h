/* SPDX-License-Identifier: MIT */
/*
 * sqlite/look: what a database file is, at a glance and without writing to it.
 *
 * Reads the version rows and sqlite_schema, never the data: the cost does not depend on its amount.
 * A WAL is read through. A hot journal is recognised and reported, not rolled back.
 */
#ifndef ATH_SQLITE_LOOK_H
#define ATH_SQLITE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/model.h"

enum ath_look_state {
	ATH_LOOK_MISSING, /* no file */
	ATH_LOOK_EMPTY,   /* zero bytes, or a valid database without any object */
	ATH_LOOK_OK,
	ATH_LOOK_LOCKED,     /* another process holds an exclusive lock */
	ATH_LOOK_RECOVERY,   /* a hot journal waits to be rolled back by a writable open */
	ATH_LOOK_UNREADABLE, /* not a database, damaged, or no permission: `reason` says which */
	ATH_LOOK_COUNT_
};

/* How the version table looks. */
enum ath_look_stamp {
	ATH_STAMP_NO_TABLE,
	ATH_STAMP_NO_ROWS,
	ATH_STAMP_ROWS,
	ATH_STAMP_WRONG_SHAPE, /* not Alembic's: a view, no column version_num, ... */
	ATH_STAMP_COUNT_
};

struct ath_db;

struct ath_look {
	enum ath_look_state state;
	char reason[200];          /* for LOCKED, RECOVERY and UNREADABLE, for people */
	uint64_t bytes;            /* of the main file */
	uint64_t wal_bytes;        /* of a -wal beside it */
	char journal_mode[16];     /* "delete", "wal", ...; "" unless read */
	enum ath_look_stamp stamp; /* if state is OK or EMPTY */
	const char **rows;         /* of the version table, sorted; in schema.arena */
	size_t rows_len;
	struct ath_schema schema; /* if state is OK or EMPTY */
};

/*
 * Look at `path`, waiting `busy_ms` for a lock. `version_table` is "alembic_version" unless the
 * project says otherwise. Everything that can be wrong with a file is a state, not a failure.
 * Fails with: ATH_ERR_IO (memory or system trouble of our own).
 */
ATH_NODISCARD bool ath_look(const char *path, const char *version_table, unsigned busy_ms,
			    struct ath_look *out, struct ath_err *err);

/*
 * The same through a handle that is already open, in one read transaction: sets journal_mode, stamp,
 * rows, schema, and the state to OK or EMPTY; `bytes` and `wal_bytes` stay zero.
 * Fails with: ATH_ERR_LOCKED, ATH_ERR_DATABASE, ATH_ERR_IO, ATH_ERR_LIMIT (absurd amounts),
 * ATH_ERR_TIMEOUT (a hostile database).
 */
ATH_NODISCARD bool ath_look_read(struct ath_db *db, const char *version_table, struct ath_look *out,
				 struct ath_err *err);

enum {
	ATH_LOOK_CHECKED_BYTES = 1 << 20, /* the largest database whose rows are gone through */
};

/*
 * Go through the pages of a small database (PRAGMA quick_check) in the caller's transaction: where they
 * are damaged, the state becomes UNREADABLE. What is said of values (a NULL where none may be) is no
 * damage, and a check that cannot be made says nothing. A larger database is left as it is: to look
 * takes the same time whatever it holds.
 */
void ath_look_check(struct ath_db *db, struct ath_look *look);

/* Release; zeroed afterwards. */
void ath_look_fini(struct ath_look *look);

/*
 * Name of a state as `inspect --json` prints it: ok, missing, empty, unreadable, locked. RECOVERY is
 * "unreadable" there.
 */
const char *ath_look_state_name(enum ath_look_state state);

#endif
