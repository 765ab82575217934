/* SPDX-License-Identifier: MIT */
/*
 * sqlite/look: asks SQLite through a read-only handle and turns what it says into a state.
 *
 * The file is never opened by ourselves: closing a descriptor of it would drop the locks that SQLite
 * holds in this process. Everything read comes from one read transaction.
 */
#include "sqlite/look.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "sqlite/catalog.h"
#include "sqlite/handle.h"
#include "sqlite/holders.h"

enum {
	VALUE_BYTES_MAX = 16 * 1024 * 1024, /* of one value, such as the text of a table */
	DEADLINE_MS = 10 * 1000,            /* for all statements of a look */
	ROWS_MAX = 1000,                    /* of a version table */
	ROW_BYTES_MAX = 1000,               /* of a revision id */
};

static bool has_version_column(struct ath_db *db, const char *version_table, bool *out_has,
			       struct ath_err *err)
{
	struct ath_stmt *stmt =
		ath_db_prepare(db,
			       "SELECT 1 FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c"
			       " WHERE s.type = 'table' AND s.rootpage > 0"
			       " AND s.name = ?1 COLLATE NOCASE"
			       " AND c.name = 'version_num' COLLATE NOCASE AND c.hidden = 0",
			       err);

	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, version_table);
	*out_has = ath_stmt_next(stmt, err);
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

static int compare_rows(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

/* False also for a row that cannot be a revision id; then the error is clean. */
static bool collect_rows(struct ath_stmt *stmt, struct ath_look *look, struct ath_err *err)
{
	ATH_VEC(const char *) rows = { 0 };
	bool is_fine = true;

	while (is_fine && ath_stmt_next(stmt, err)) {
		is_fine = ath_stmt_int(stmt, 0) && rows.len < ROWS_MAX;
		if (is_fine)
			*ath_vec_push(&rows) =
				ath_arena_strdup(&look->schema.arena, ath_stmt_text(stmt, 1));
	}
	is_fine = is_fine && err->code == ATH_ERR_OK;
	if (is_fine && rows.len) {
		qsort(rows.items, rows.len, sizeof(*rows.items), compare_rows);
		look->rows = ath_arena_new(&look->schema.arena, rows.len, sizeof(*look->rows));
		memcpy(look->rows, rows.items, rows.len * sizeof(*look->rows));
		look->rows_len = rows.len;
	}
	ath_vec_fini(&rows);
	return is_fine;
}

static bool read_rows(struct ath_db *db, const char *version_table, struct ath_look *look,
		      struct ath_err *err)
{
	struct ath_str sql = { 0 };
	struct ath_stmt *stmt;

	/* Text of a sane length without NUL; anything else is not Alembic's. */
	ath_str_printf(&sql,
		       "SELECT typeof(version_num) = 'text'"
		       " AND length(CAST(version_num AS BLOB)) <= %d"
		       " AND NOT instr(CAST(version_num AS BLOB), x'00'), version_num FROM ",
		       ROW_BYTES_MAX);
	ath_db_put_identifier(&sql, version_table);
	stmt = ath_db_prepare(db, ath_str_get(&sql), err);
	ath_str_fini(&sql);
	if (!stmt)
		return false;
	if (!collect_rows(stmt, look, err))
		look->stamp = ATH_STAMP_WRONG_SHAPE;
	else
		look->stamp = look->rows_len ? ATH_STAMP_ROWS : ATH_STAMP_NO_ROWS;
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

static bool read_stamp(struct ath_db *db, const char *version_table, struct ath_look *look,
		       struct ath_err *err)
{
	const struct ath_schema *schema = &look->schema;
	bool has_column;

	look->stamp = ATH_STAMP_NO_TABLE;
	for (size_t i = 0; i < schema->len; i++) {
		const struct ath_schema_object *one = &schema->objects[i];

		if (one->kind <= ATH_SCHEMA_VIEW && ath_schema_is_name(one->name, version_table))
			look->stamp = ATH_STAMP_WRONG_SHAPE;
	}
	if (!ath_schema_find_table(schema, version_table))
		return true;
	if (!has_version_column(db, version_table, &has_column, err))
		return false;
	return !has_column || read_rows(db, version_table, look, err);
}

static bool read_all(struct ath_db *db, const char *version_table, struct ath_look *look,
		     struct ath_err *err)
{
	char *mode;

	if (!ath_catalog_read(db, &look->schema, err) ||
	    !ath_db_query_text(db, "PRAGMA journal_mode", &mode, err))
		return false;
	snprintf(look->journal_mode, sizeof(look->journal_mode), "%s", mode ? mode : "");
	free(mode);
	look->state = look->schema.len ? ATH_LOOK_OK : ATH_LOOK_EMPTY;
	return read_stamp(db, version_table, look, err);
}

bool ath_look_read(struct ath_db *db, const char *version_table, struct ath_look *out,
		   struct ath_err *err)
{
	struct sqlite3 *raw = ath_db_raw(db);
	bool is_ours = sqlite3_get_autocommit(raw);
	struct ath_look look = { 0 };
	int limit = sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);

	ath_db_limit_time(db, DEADLINE_MS);
	if ((!is_ours || ath_db_exec(db, "BEGIN", err)) && read_all(db, version_table, &look, err))
		*out = look;
	else
		ath_look_fini(&look);
	ath_db_limit_time(db, 0);
	sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, limit);
	if (is_ours)
		ath_db_rollback(db);
	return err->code == ATH_ERR_OK;
}

static void set_state(struct ath_look *look, enum ath_look_state state, const char *reason)
{
	struct ath_str clean = { 0 };

	ath_str_put_clean(&clean, reason, strlen(reason));
	look->state = state;
	snprintf(look->reason, sizeof(look->reason), "%s", ath_str_get(&clean));
	ath_str_fini(&clean);
}

void ath_look_check(struct ath_db *db, struct ath_look *look)
{
	static const char pages[] =
		"*** in database"; /* the first words of what is not of values */
	struct ath_err ignored = { 0 };
	struct ath_stmt *stmt;
	const char *said = NULL;

	if (look->state != ATH_LOOK_OK || look->bytes + look->wal_bytes > ATH_LOOK_CHECKED_BYTES)
		return;
	ath_db_limit_time(db, DEADLINE_MS);
	stmt = ath_db_prepare(db, "PRAGMA quick_check", &ignored);
	while (stmt && (!said || !ath_str_has_prefix(said, pages)) && ath_stmt_next(stmt, &ignored))
		said = ath_stmt_text(stmt, 0);
	if (said && ath_str_has_prefix(said, pages))
		set_state(look, ATH_LOOK_UNREADABLE, "damaged: some of its pages cannot be read");
	ath_stmt_free(stmt);
	ath_db_limit_time(db, 0);
}

static bool is_folder_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? ath_mem_strndup(path, slash == path ? 1 : (size_t)(slash - path))
			     : ath_mem_strdup(".");
	bool is_writable = !faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS);

	free(folder);
	return is_writable;
}

static void judge_locked(const char *path, struct ath_look *look)
{
	struct ath_str reason = { 0 };

	ath_str_puts(&reason, "another process holds it exclusively");
	if (ath_holders_put(&reason, path)) {
		ath_str_reset(&reason);
		ath_str_puts(&reason, "in use by ");
		ath_holders_put(&reason, path);
	}
	set_state(look, ATH_LOOK_LOCKED, ath_str_get(&reason));
	ath_str_fini(&reason);
}

/* What stands behind the path in a message of sqlite/handle. */
static const char *cause_of(const char *message, const char *path)
{
	const char *at = strstr(message, path);
	size_t skipped = at ? (size_t)(at - message) + strlen(path) + strlen("': ") : 0;

	return skipped < strlen(message) ? message + skipped : message;
}

/* What SQLite's refusal says about the file. */
static void judge(const char *path, int result, const struct ath_err *failure,
		  struct ath_look *look)
{
	const char *message = cause_of(failure->msg, path);
	struct ath_str reason = { 0 };

	if (result == SQLITE_READONLY_ROLLBACK) {
		set_state(look, ATH_LOOK_RECOVERY,
			  "needs recovery: a journal of an interrupted write waits to be rolled "
			  "back");
		return;
	}
	switch (result & 0xff) {
	case SQLITE_BUSY:
		judge_locked(path, look);
		return;
	case SQLITE_NOTADB:
		ath_str_puts(&reason, "not a SQLite database");
		break;
	case SQLITE_CORRUPT:
		ath_str_printf(&reason, "damaged: %s", message);
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		if (is_folder_writable(path))
			ath_str_puts(&reason, message);
		else
			ath_str_puts(&reason,
				     "in WAL mode, which cannot be read in a folder that is "
				     "not writable for this account");
		break;
	default:
		ath_str_puts(&reason, message);
		break;
	}
	set_state(look, ATH_LOOK_UNREADABLE, ath_str_get(&reason));
	ath_str_fini(&reason);
}

/* What the file system says of the file; true if SQLite has to be asked. */
static bool judge_file(const char *path, struct ath_look *look)
{
	struct ath_str wal = { 0 };
	struct stat st;

	if (stat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			look->state = ATH_LOOK_MISSING;
		else
			set_state(look, ATH_LOOK_UNREADABLE, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		set_state(look, ATH_LOOK_UNREADABLE, "not a regular file");
		return false;
	}
	look->bytes = (uint64_t)st.st_size;
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS)) {
		set_state(look, ATH_LOOK_UNREADABLE, "no permission to read it");
		return false;
	}
	look->state = ATH_LOOK_EMPTY;
	ath_str_printf(&wal, "%s-wal", path);
	if (!stat(ath_str_get(&wal), &st))
		look->wal_bytes = (uint64_t)st.st_size;
	ath_str_fini(&wal);
	return look->bytes > 0;
}

bool ath_look(const char *path, const char *version_table, unsigned busy_ms, struct ath_look *out,
	      struct ath_err *err)
{
	struct ath_look look = { 0 }, contents = { 0 };
	struct ath_err failure = { 0 };
	struct ath_db *db;

	(void)err; /* all that can go wrong so far is a state of the file */
	if (judge_file(path, &look)) {
		db = ath_db_open(path, ATH_DB_READ, busy_ms, &failure);
		if (db && ath_look_read(db, version_table, &contents, &failure)) {
			contents.bytes = look.bytes;
			contents.wal_bytes = look.wal_bytes;
			look = contents;
		} else {
			judge(path, db ? ath_db_last_result(db) : SQLITE_CANTOPEN, &failure, &look);
		}
		ath_db_close(db);
	}
	*out = look;
	return true;
}

void ath_look_fini(struct ath_look *look)
{
	ath_schema_fini(&look->schema);
	*look = (struct ath_look){ 0 };
}

const char *ath_look_state_name(enum ath_look_state state)
{
	static const char *const names[] = {
		[ATH_LOOK_MISSING] = "missing",
		[ATH_LOOK_EMPTY] = "empty",
		[ATH_LOOK_OK] = "ok",
		[ATH_LOOK_LOCKED] = "locked",
		[ATH_LOOK_RECOVERY] = "unreadable",
		[ATH_LOOK_UNREADABLE] = "unreadable",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == ATH_LOOK_COUNT_, "one name per state");

	assert((unsigned)state < ATH_LOOK_COUNT_);
	return names[state];
}
