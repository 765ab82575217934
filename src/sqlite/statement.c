/* SPDX-License-Identifier: MIT */
/* sqlite/statement: statements, queries and transactions of sqlite/handle.h. */
#include "sqlite/handle.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sqlite/handle_parts.h"

bool ath_db_exec(struct ath_db *db, const char *sql, struct ath_err *err)
{
	int result = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);

	return result == SQLITE_OK || ath_db_fail(db, result, err, "cannot use database");
}

static struct ath_stmt *prepare(struct ath_db *db, const char *sql, unsigned flags,
				struct ath_err *err)
{
	struct sqlite3_stmt *raw;
	struct ath_stmt *stmt;
	const char *rest;
	int result = sqlite3_prepare_v3(db->raw, sql, -1, flags, &raw, &rest);

	if (result != SQLITE_OK) {
		ath_db_fail(db, result, err, "cannot use database");
		return NULL;
	}
	assert(raw && !rest[strspn(rest, " \t\n;")]); /* exactly one statement */
	stmt = ath_mem_new(1, sizeof(*stmt));
	*stmt = (struct ath_stmt){ .raw = raw, .db = db, .next = db->first, .link = &db->first };
	if (stmt->next)
		stmt->next->link = &stmt->next;
	db->first = stmt;
	return stmt;
}

struct ath_stmt *ath_db_prepare(struct ath_db *db, const char *sql, struct ath_err *err)
{
	return prepare(db, sql, SQLITE_PREPARE_PERSISTENT, err);
}

void ath_stmt_free(struct ath_stmt *stmt)
{
	if (!stmt)
		return;
	sqlite3_finalize(stmt->raw); /* repeats the result of the last step, known by now */
	*stmt->link = stmt->next;
	if (stmt->next)
		stmt->next->link = stmt->link;
	free(stmt);
}

void ath_stmt_bind_text(struct ath_stmt *stmt, int idx, const char *text)
{
	if (sqlite3_bind_text(stmt->raw, idx, text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		abort();
}

void ath_stmt_bind_int(struct ath_stmt *stmt, int idx, int64_t number)
{
	if (sqlite3_bind_int64(stmt->raw, idx, number) != SQLITE_OK)
		abort();
}

void ath_stmt_reset(struct ath_stmt *stmt)
{
	sqlite3_reset(stmt->raw); /* repeats the result of the last step, known by now */
	sqlite3_clear_bindings(stmt->raw);
}

bool ath_stmt_run(struct ath_stmt *stmt, struct ath_err *err)
{
	while (ath_stmt_next(stmt, err))
		;
	return err->code == ATH_ERR_OK;
}

bool ath_stmt_next(struct ath_stmt *stmt, struct ath_err *err)
{
	int result = sqlite3_step(stmt->raw);

	if (result == SQLITE_ROW)
		return true;
	if (result != SQLITE_DONE)
		ath_db_fail(stmt->db, result, err, "cannot use database");
	ath_stmt_reset(stmt);
	return false;
}

const char *ath_stmt_text(struct ath_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt->raw, column);

	if (!text && sqlite3_column_type(stmt->raw, column) != SQLITE_NULL)
		abort(); /* out of memory */
	return text;
}

int64_t ath_stmt_int(struct ath_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->raw, column);
}

/* The first row of a query, or NULL and an error. */
static struct ath_stmt *first_row(struct ath_db *db, const char *sql, struct ath_err *err)
{
	struct ath_stmt *stmt = prepare(db, sql, 0, err);

	if (!stmt)
		return NULL;
	if (ath_stmt_next(stmt, err))
		return stmt;
	ath_stmt_free(stmt);
	if (err->code == ATH_ERR_OK)
		ath_err_set(err, ATH_ERR_DATABASE, "database '%s': no row for: %s", db->path, sql);
	return NULL;
}

bool ath_db_query_int(struct ath_db *db, const char *sql, int64_t *out_number, struct ath_err *err)
{
	struct ath_stmt *stmt = first_row(db, sql, err);

	if (!stmt)
		return false;
	*out_number = ath_stmt_int(stmt, 0);
	ath_stmt_free(stmt);
	return true;
}

bool ath_db_query_text(struct ath_db *db, const char *sql, char **out_text, struct ath_err *err)
{
	struct ath_stmt *stmt = first_row(db, sql, err);
	const char *text;

	if (!stmt)
		return false;
	text = ath_stmt_text(stmt, 0);
	*out_text = text ? ath_mem_strdup(text) : NULL;
	ath_stmt_free(stmt);
	return true;
}

/* Run a statement that is kept for the next time. */
static bool run_kept(struct ath_db *db, struct ath_stmt **kept, const char *sql,
		     struct ath_err *err)
{
	if (!*kept)
		*kept = ath_db_prepare(db, sql, err);
	return *kept && ath_stmt_run(*kept, err);
}

bool ath_db_begin(struct ath_db *db, struct ath_err *err)
{
	return run_kept(db, &db->begin, "BEGIN IMMEDIATE", err);
}

bool ath_db_commit(struct ath_db *db, struct ath_err *err)
{
	return run_kept(db, &db->commit, "COMMIT", err);
}

void ath_db_rollback(struct ath_db *db)
{
	/* An error that SQLite rolls back by itself ends the transaction before we come. */
	if (!sqlite3_get_autocommit(db->raw))
		sqlite3_exec(db->raw, "ROLLBACK", NULL, NULL, NULL);
}

int64_t ath_db_last_id(struct ath_db *db)
{
	return sqlite3_last_insert_rowid(db->raw);
}

void ath_db_put_identifier(struct ath_str *out, const char *name)
{
	ath_str_putc(out, '"');
	for (; *name; name++) {
		if (*name == '"')
			ath_str_putc(out, '"');
		ath_str_putc(out, *name);
	}
	ath_str_putc(out, '"');
}
