/* SPDX-License-Identifier: MIT */
/* sqlite/audit: SQLite's own checks, a count of every table, and the comparison of two of them. */
#include "sqlite/audit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "sqlite/catalog.h"
#include "sqlite/handle.h"

static const char leftover_prefix[] = "_alembic_tmp_";

/*
 * A refusal of the check itself is a finding too, unless it is the system's: the database may be so
 * damaged that no statement can be prepared, or need a collation that only the application has.
 */
static bool read_soundness(struct ath_db *db, struct ath_audit *audit, struct ath_err *err)
{
	struct ath_err failure = { 0 };
	struct ath_stmt *stmt = ath_db_prepare(db, "PRAGMA integrity_check(1)", &failure);
	const char *said = NULL;

	if (stmt && ath_stmt_next(stmt, &failure))
		said = ath_stmt_text(stmt, 0);
	if (failure.code != ATH_ERR_OK && failure.code != ATH_ERR_DATABASE)
		*err = failure;
	audit->is_sound = ath_str_is(said, "ok");
	if (!audit->is_sound)
		audit->fault = ath_arena_strdup(&audit->arena, said ? said : failure.msg);
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

static const char *read_pragma(struct ath_db *db, const char *sql, struct ath_audit *audit,
			       struct ath_err *err)
{
	const char *kept;
	char *text;

	if (!ath_db_query_text(db, sql, &text, err))
		return NULL;
	kept = ath_arena_strdup(&audit->arena, text);
	free(text);
	return kept;
}

static bool read_traits(struct ath_db *db, struct ath_audit *audit, struct ath_err *err)
{
	audit->encoding = read_pragma(db, "PRAGMA encoding", audit, err);
	if (!audit->encoding)
		return false;
	audit->journal_mode = read_pragma(db, "PRAGMA journal_mode", audit, err);
	return audit->journal_mode &&
	       ath_db_query_int(db, "PRAGMA page_size", &audit->page_size, err);
}

/* Runs a query whose only parameter, if any, is the table's name. */
static bool count(struct ath_db *db, const char *sql, const char *table, int64_t *out_count,
		  struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(db, sql, err);

	if (!stmt)
		return false;
	if (table)
		ath_stmt_bind_text(stmt, 1, table);
	if (ath_stmt_next(stmt, err))
		*out_count = ath_stmt_int(stmt, 0);
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

static bool count_rows(struct ath_db *db, const char *table, int64_t *out_rows, struct ath_err *err)
{
	struct ath_str sql = { 0 };
	bool is_read;

	ath_str_puts(&sql, "SELECT count(*) FROM ");
	ath_db_put_identifier(&sql, table);
	is_read = count(db, ath_str_get(&sql), NULL, out_rows, err);
	ath_str_fini(&sql);
	return is_read;
}

/* SQLite refuses to check a table whose foreign keys name no unique columns of the parent ("foreign
 * key mismatch"); applications live with that as long as enforcement is off. */
static bool count_faults(struct ath_db *db, const char *table, int64_t *out_faults,
			 struct ath_err *err)
{
	struct ath_err failure = { 0 };

	if (count(db, "SELECT count(*) FROM pragma_foreign_key_check(?1)", table, out_faults,
		  &failure))
		return true;
	if (failure.code != ATH_ERR_DATABASE || ath_db_last_result(db) != SQLITE_ERROR) {
		*err = failure;
		return false;
	}
	*out_faults = 1;
	return true;
}

static bool is_virtual(struct ath_db *db, const char *table, bool *out_is, struct ath_err *err)
{
	int64_t roots = 0;

	if (!count(db,
		   "SELECT count(*) FROM sqlite_schema"
		   " WHERE type = 'table' AND name = ?1 AND rootpage > 0",
		   table, &roots, err))
		return false;
	*out_is = roots == 0;
	return true;
}

static int compare_tables(const void *left, const void *right)
{
	const struct ath_audit_table *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static bool read_tables(struct ath_db *db, const struct ath_schema *schema,
			const char *version_table, struct ath_audit *audit, struct ath_err *err)
{
	struct ath_audit_table *tables =
		ath_arena_new(&audit->arena, schema->len + 1, sizeof(*tables));

	for (size_t i = 0; i < schema->len; i++) {
		const struct ath_schema_object *one = &schema->objects[i];
		struct ath_audit_table *table = &tables[audit->tables_len];
		int64_t faults = 0;
		bool has_no_rows;

		if (one->kind != ATH_SCHEMA_TABLE)
			continue;
		if (ath_str_has_prefix(one->name, leftover_prefix))
			audit->leftover = ath_arena_strdup(&audit->arena, one->name);
		if (!is_virtual(db, one->name, &has_no_rows, err))
			return false;
		if (has_no_rows)
			continue;
		if (!count_faults(db, one->name, &faults, err))
			return false;
		audit->foreign_key_faults += faults;
		if (ath_schema_is_name(one->name, version_table))
			continue;
		if (!count_rows(db, one->name, &table->rows, err))
			return false;
		table->name = ath_arena_strdup(&audit->arena, one->name);
		audit->tables_len++;
	}
	if (audit->tables_len)
		qsort(tables, audit->tables_len, sizeof(*tables), compare_tables);
	audit->tables = tables;
	return true;
}

static bool read_all(struct ath_db *db, const char *version_table, struct ath_audit *audit,
		     struct ath_err *err)
{
	struct ath_schema schema = { 0 };
	bool is_read;

	if (!read_soundness(db, audit, err))
		return false;
	if (!audit->is_sound)
		return true;
	is_read = read_traits(db, audit, err) && ath_catalog_read(db, &schema, err) &&
		  read_tables(db, &schema, version_table, audit, err);
	ath_schema_fini(&schema);
	return is_read;
}

bool ath_audit_read(const char *path, const char *version_table, struct ath_audit *out,
		    struct ath_err *err)
{
	return ath_audit_read_while(path, version_table, &(struct ath_audit_wish){ 0 }, out, err);
}

bool ath_audit_read_while(const char *path, const char *version_table,
			  const struct ath_audit_wish *wish, struct ath_audit *out,
			  struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_READ, 0, err);
	struct ath_audit audit = { 0 };
	bool is_read;

	if (db)
		ath_db_watch(db, wish->is_wanted, wish->user);
	is_read = db && read_all(db, version_table, &audit, err);

	if (is_read)
		*out = audit;
	else
		ath_audit_fini(&audit);
	ath_db_close(db);
	return is_read;
}

void ath_audit_fini(struct ath_audit *audit)
{
	ath_arena_fini(&audit->arena);
	*audit = (struct ath_audit){ 0 };
}

static const struct ath_audit_table *find_table(const struct ath_audit *audit, const char *name)
{
	for (size_t i = 0; i < audit->tables_len; i++)
		if (ath_schema_is_name(audit->tables[i].name, name))
			return &audit->tables[i];
	return NULL;
}

static bool compare_rows(const struct ath_audit *before, const struct ath_audit *after,
			 struct ath_err *err)
{
	struct ath_str text = { 0 };

	for (size_t i = 0; i < before->tables_len; i++) {
		const struct ath_audit_table *old = &before->tables[i];
		const struct ath_audit_table *new = find_table(after, old->name);

		if (new &&new->rows < old->rows)
			ath_str_printf(&text, "%stable '%s' has %lld rows instead of %lld",
				       text.len ? ", " : "", old->name, (long long)new->rows,
				       (long long)old->rows);
	}
	if (text.len)
		ath_err_set(err, ATH_ERR_DECISION, "%s", ath_str_get(&text));
	ath_str_fini(&text);
	return err->code == ATH_ERR_OK;
}

bool ath_audit_compare(const struct ath_audit *before, const struct ath_audit *after,
		       struct ath_err *err)
{
	if (!before->is_sound)
		return ath_err_set(err, ATH_ERR_VERIFY, "the database was damaged before: %s",
				   before->fault);
	if (!after->is_sound)
		return ath_err_set(err, ATH_ERR_VERIFY, "the new database is damaged: %s",
				   after->fault);
	if (after->foreign_key_faults > before->foreign_key_faults)
		return ath_err_set(err, ATH_ERR_VERIFY,
				   "%lld foreign keys point nowhere, %lld did before",
				   (long long)after->foreign_key_faults,
				   (long long)before->foreign_key_faults);
	if (after->leftover && !ath_str_is(after->leftover, before->leftover))
		return ath_err_set(err, ATH_ERR_VERIFY,
				   "table '%s' was left over by an interrupted migration",
				   after->leftover);
	if (after->page_size != before->page_size)
		return ath_err_set(err, ATH_ERR_VERIFY, "the page size changed from %lld to %lld",
				   (long long)before->page_size, (long long)after->page_size);
	if (!ath_str_is(after->encoding, before->encoding))
		return ath_err_set(err, ATH_ERR_VERIFY, "the encoding changed from %s to %s",
				   before->encoding, after->encoding);
	return compare_rows(before, after, err);
}
