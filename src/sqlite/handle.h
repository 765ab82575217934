/* SPDX-License-Identifier: MIT */
/*
 * sqlite/handle: a database opened with our settings, its statements and transactions; every result
 * code is checked here.
 *
 * Two kinds of database: our own (the journal), and the user's. The user's are opened with DEFENSIVE
 * on, TRUSTED_SCHEMA off (unless this SQLite then refuses its own JSON functions), extension loading
 * off, cell_size_check on, mmap off (SAFETY.md 7), and never created. The header owns the meaning of SQLITE_BUSY (ATH_ERR_LOCKED), SQLITE_NOTADB and
 * SQLITE_CORRUPT (ATH_ERR_DATABASE), SQLITE_CANTOPEN (ATH_ERR_NOT_FOUND or ATH_ERR_IO),
 * SQLITE_FULL and SQLITE_IOERR (ATH_ERR_IO, errnum kept). A value or statement above a limit is
 * ATH_ERR_LIMIT, an interrupted statement ATH_ERR_TIMEOUT (ATH_ERR_CANCELLED: it is not wanted any more),
 * what is left ATH_ERR_DATABASE.
 */
#ifndef ATH_SQLITE_HANDLE_H
#define ATH_SQLITE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ath_db;
struct ath_stmt;

enum ath_db_mode {
	ATH_DB_READ,  /* read-only: looking never writes the main file; no views, no triggers */
	ATH_DB_WRITE, /* must exist and be writable */
	ATH_DB_OWN,   /* our own: created if missing (0600), WAL, synchronous=FULL, foreign keys */
	ATH_DB_OWN_READ, /* our own, only looked at, also in a folder that is not writable */
	ATH_DB_MODE_COUNT_
};

struct ath_str;

/*
 * Open a database; nothing is read yet unless it is our own. `busy_ms` is the time to wait for
 * another process's lock. NULL and an error on failure.
 */
ATH_NODISCARD struct ath_db *ath_db_open(const char *path, enum ath_db_mode mode, unsigned busy_ms,
					 struct ath_err *err);

/*
 * Finalise what is left and close; NULL is fine. Our own database is not checkpointed by that unless
 * its WAL has outgrown 1 MiB.
 */
void ath_db_close(struct ath_db *db);

/* Asked from time to time while something takes long: is it still wanted? */
typedef bool ath_db_wanted_fn(void *user);

/* How a database of somebody else is to be opened, and how patiently; all borrowed. */
struct ath_db_form {
	const char *path;            /* resolved */
	unsigned busy_ms;            /* how long another's lock is waited for */
	ath_db_wanted_fn *is_wanted; /* ends the wait, and later ones (ath_db_watch); or NULL */
	void *wanted_by;
};

/* The path it was opened with. */
const char *ath_db_path(const struct ath_db *db);

/* Run one or several statements without parameters or results. */
ATH_NODISCARD bool ath_db_exec(struct ath_db *db, const char *sql, struct ath_err *err);

/* Prepare a statement; it belongs to the database and is released with it or by ath_stmt_free. */
ATH_NODISCARD struct ath_stmt *ath_db_prepare(struct ath_db *db, const char *sql,
					      struct ath_err *err);

/* Release a statement; NULL is fine. */
void ath_stmt_free(struct ath_stmt *stmt);

/* Bind parameter `idx` (from 1); text is copied, NULL binds NULL. A wrong index is a bug: aborts. */
void ath_stmt_bind_text(struct ath_stmt *stmt, int idx, const char *text);

/* Bind a number. */
void ath_stmt_bind_int(struct ath_stmt *stmt, int idx, int64_t number);

/* Run a statement without results; reset afterwards, bindings cleared. */
ATH_NODISCARD bool ath_stmt_run(struct ath_stmt *stmt, struct ath_err *err);

/* Next row; false also at the end with a clean error; then the statement is reset. */
bool ath_stmt_next(struct ath_stmt *stmt, struct ath_err *err);

/* End reading early: reset, bindings cleared. */
void ath_stmt_reset(struct ath_stmt *stmt);

/* Column of the current row as text, borrowed until the next call; NULL for NULL. */
const char *ath_stmt_text(struct ath_stmt *stmt, int column);

/* Column of the current row as a number. */
int64_t ath_stmt_int(struct ath_stmt *stmt, int column);

/* First column of the first row of a query without parameters. Fails also if there is no row. */
ATH_NODISCARD bool ath_db_query_int(struct ath_db *db, const char *sql, int64_t *out_number,
				    struct ath_err *err);

/* As ath_db_query_int, as owned text. */
ATH_NODISCARD bool ath_db_query_text(struct ath_db *db, const char *sql, char **out_text,
				     struct ath_err *err);

/* Begin (IMMEDIATE), commit, and roll back; rolling back cannot fail. */
ATH_NODISCARD bool ath_db_begin(struct ath_db *db, struct ath_err *err);

/* Commit the transaction. */
ATH_NODISCARD bool ath_db_commit(struct ath_db *db, struct ath_err *err);

/* Roll back if a transaction is open. */
void ath_db_rollback(struct ath_db *db);

/* Row id of the last insert. */
int64_t ath_db_last_id(struct ath_db *db);

/* Append `name` quoted as an SQL identifier. */
void ath_db_put_identifier(struct ath_str *out, const char *name);

/*
 * From now on all statements together may take `ms`; then they fail with ATH_ERR_TIMEOUT. 0 lifts
 * the limit. A database that somebody has made up may keep a statement busy for years.
 */
void ath_db_limit_time(struct ath_db *db, unsigned ms);

/*
 * From now on a wait for a lock and a statement that takes long end soon after `is_wanted` has said
 * no; they fail with ATH_ERR_CANCELLED then. It is asked on the thread that uses the handle.
 */
void ath_db_watch(struct ath_db *db, ath_db_wanted_fn *is_wanted, void *user);

/* For the other files of this layer: the raw handle, borrowed. */
struct sqlite3;
struct sqlite3 *ath_db_raw(struct ath_db *db);

/*
 * For the other files of this layer: fill `err` from the result code of a call on `db`; returns
 * false. `what` is what was tried: "cannot read database"; path and cause follow it.
 */
bool ath_db_fail(struct ath_db *db, int result, struct ath_err *err, const char *what);

/* For the other files of this layer: the extended result code of the last failure, or 0. */
int ath_db_last_result(const struct ath_db *db);

#endif
