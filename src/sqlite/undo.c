/* SPDX-License-Identifier: MIT */
/* sqlite/undo: one check and one statement per part, in an order in which they can go. */
#include "sqlite/undo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sqlite/handle.h"

struct undo {
	struct ath_db *db;
	const struct ath_elements *parts;
	struct ath_arena arena;
};

/* What depends on other parts goes before them. */
static const enum ath_element_kind order[] = {
	ATH_ELEMENT_TRIGGER, ATH_ELEMENT_VIEW,  ATH_ELEMENT_INDEX,   ATH_ELEMENT_UNIQUE,
	ATH_ELEMENT_COLUMN,  ATH_ELEMENT_TABLE, ATH_ELEMENT_FOREIGN,
};

/* What SQLite refuses to drop (something else needs it) is for a person, not a failure. */
static bool run(struct undo *undo, struct ath_str *sql, struct ath_err *err)
{
	bool is_done = ath_db_exec(undo->db, ath_str_get(sql), err);

	if (!is_done && err->code == ATH_ERR_DATABASE)
		err->code = ATH_ERR_DECISION;
	ath_str_fini(sql);
	return is_done;
}

static bool drop_named(struct undo *undo, const char *kind, const char *name, struct ath_err *err)
{
	struct ath_str sql = { 0 };

	ath_str_printf(&sql, "DROP %s ", kind);
	ath_db_put_identifier(&sql, name);
	return run(undo, &sql, err);
}

/* ---- columns ---- */

/* The column's own spelling and its default, in the arena; the key of an element is folded. */
static bool find_column(struct undo *undo, const struct ath_element *part, const char **out_name,
			const char **out_default, struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		undo->db, "SELECT name, dflt_value FROM pragma_table_xinfo(?1)", err);

	*out_name = NULL;
	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, part->table);
	while (!*out_name && ath_stmt_next(stmt, err)) {
		const char *name = ath_stmt_text(stmt, 0);

		if (strcmp(ath_element_column_key(&undo->arena, part->table, name ? name : ""),
			   part->key) != 0)
			continue;
		*out_name = ath_arena_strdup(&undo->arena, name ? name : "");
		*out_default = ath_arena_strdup(&undo->arena, ath_stmt_text(stmt, 1));
	}
	ath_stmt_free(stmt);
	if (!*out_name && err->code == ATH_ERR_OK)
		ath_err_set(err, ATH_ERR_DATABASE, "there is no '%s' any more", part->key);
	return err->code == ATH_ERR_OK;
}

/*
 * Append "and it is not the default". The default is evaluated without a table, so that a name in it is
 * no column, and compared as a literal: with the column's affinity, as it was stored, but byte for byte.
 * One that cannot be told so equals no value.
 */
static void put_not_default(struct undo *undo, const char *name, const char *default_value,
			    struct ath_str *out)
{
	struct ath_err ignored = { 0 };
	struct ath_str query = { 0 };
	char *literal = NULL;

	ath_str_printf(&query, "SELECT quote(%s)", default_value);
	if (ath_db_query_text(undo->db, ath_str_get(&query), &literal, &ignored) && literal) {
		ath_str_puts(out, " AND ");
		ath_db_put_identifier(out, name);
		ath_str_printf(out, " IS NOT %s COLLATE BINARY", literal);
	}
	free(literal);
	ath_str_fini(&query);
}

/* Rows whose value would be lost. */
static bool count_values(struct undo *undo, const char *table, const char *name,
			 const char *default_value, int64_t *out_count, struct ath_err *err)
{
	struct ath_str sql = { 0 };
	bool is_counted;

	ath_str_puts(&sql, "SELECT count(*) FROM ");
	ath_db_put_identifier(&sql, table);
	ath_str_puts(&sql, " WHERE ");
	ath_db_put_identifier(&sql, name);
	ath_str_puts(&sql, " IS NOT NULL");
	if (default_value)
		put_not_default(undo, name, default_value, &sql);
	is_counted = ath_db_query_int(undo->db, ath_str_get(&sql), out_count, err);
	ath_str_fini(&sql);
	return is_counted;
}

static bool undo_column(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	const char *name, *default_value = NULL;
	struct ath_str sql = { 0 };
	int64_t values = 0;

	if (!find_column(undo, part, &name, &default_value, err) ||
	    !count_values(undo, part->table, name, default_value, &values, err))
		return false;
	if (values)
		return ath_err_set(err, ATH_ERR_DECISION,
				   "'%s' holds values of its own in %" PRId64
				   " row%s, which would be lost",
				   part->key, values, values == 1 ? "" : "s");
	ath_str_puts(&sql, "ALTER TABLE ");
	ath_db_put_identifier(&sql, part->table);
	ath_str_puts(&sql, " DROP COLUMN ");
	ath_db_put_identifier(&sql, name);
	return run(undo, &sql, err);
}

/* ---- tables ---- */

static bool count_rows(struct undo *undo, const char *table, int64_t *out_count,
		       struct ath_err *err)
{
	struct ath_str sql = { 0 };
	bool is_counted;

	ath_str_puts(&sql, "SELECT count(*) FROM ");
	ath_db_put_identifier(&sql, table);
	is_counted = ath_db_query_int(undo->db, ath_str_get(&sql), out_count, err);
	ath_str_fini(&sql);
	return is_counted;
}

static bool is_undone(const struct undo *undo, const char *table)
{
	for (size_t i = 0; i < undo->parts->len; i++) {
		if (undo->parts->items[i].kind == ATH_ELEMENT_TABLE &&
		    strcmp(undo->parts->items[i].table, table) == 0)
			return true;
	}
	return false;
}

/* A table that stays and has a foreign key to this one. */
static bool find_referrer(struct undo *undo, const char *table, const char **out_name,
			  struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		undo->db,
		"SELECT m.name FROM sqlite_schema m CROSS JOIN pragma_foreign_key_list(m.name) f"
		" WHERE m.type = 'table' AND m.rootpage > 0 AND f.\"table\" = ?1 COLLATE NOCASE"
		" AND m.name <> ?1 COLLATE NOCASE",
		err);

	*out_name = NULL;
	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, table);
	while (!*out_name && ath_stmt_next(stmt, err)) {
		const char *name = ath_element_fold(&undo->arena, ath_stmt_text(stmt, 0));

		if (!is_undone(undo, name))
			*out_name = name;
	}
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

/* Of a query whose parameter is the table's name. */
static bool count_of(struct undo *undo, const char *query, const char *table, int64_t *out_count,
		     struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(undo->db, query, err);

	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, table);
	if (ath_stmt_next(stmt, err))
		*out_count = ath_stmt_int(stmt, 0);
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

/* Has it triggers, or had it rows whose numbers are not to be given again? */
static bool is_in_use(struct undo *undo, const char *table, bool *out_is, struct ath_err *err)
{
	int64_t triggers = 0, has_sequence = 0, numbers = 0;

	if (!count_of(undo,
		      "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 "
		      "COLLATE NOCASE",
		      table, &triggers, err) ||
	    !ath_db_query_int(undo->db,
			      "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'",
			      &has_sequence, err) ||
	    (has_sequence &&
	     !count_of(undo, "SELECT count(*) FROM sqlite_sequence WHERE name = ?1 COLLATE NOCASE",
		       table, &numbers, err)))
		return false;
	*out_is = triggers || numbers;
	return true;
}

static bool undo_table(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	const char *referrer;
	int64_t rows;
	bool is_used;

	if (!count_rows(undo, part->table, &rows, err) ||
	    !find_referrer(undo, part->table, &referrer, err) ||
	    !is_in_use(undo, part->table, &is_used, err))
		return false;
	if (is_used)
		return ath_err_set(err, ATH_ERR_DECISION,
				   "'%s' has no rows, but it has been in use: it has triggers, or "
				   "has given numbers to rows",
				   part->key);
	if (rows)
		return ath_err_set(err, ATH_ERR_DECISION,
				   "'%s' has %" PRId64 " row%s, which would be lost", part->key,
				   rows, rows == 1 ? "" : "s");
	if (referrer)
		return ath_err_set(err, ATH_ERR_DECISION,
				   "'%s' cannot be taken away: '%s' refers to it", part->key,
				   referrer);
	return drop_named(undo, "TABLE", part->table, err);
}

/* ---- what holds nothing of its own ---- */

static bool undo_index(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	if (!part->name)
		return ath_err_set(err, ATH_ERR_DECISION, "'%s' has no name to drop it by",
				   part->key);
	return drop_named(undo, "INDEX", part->name, err);
}

static bool undo_view(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	return drop_named(undo, "VIEW", part->table, err);
}

static bool undo_trigger(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	return drop_named(undo, "TRIGGER", part->table, err);
}

static bool undo_foreign(struct undo *undo, const struct ath_element *part, struct ath_err *err)
{
	(void)undo;
	return ath_err_set(err, ATH_ERR_DECISION, "'%s' can be taken away only with its table",
			   part->key);
}

typedef bool undo_fn(struct undo *undo, const struct ath_element *part, struct ath_err *err);

static undo_fn *const kinds[] = {
	[ATH_ELEMENT_TABLE] = undo_table,     [ATH_ELEMENT_COLUMN] = undo_column,
	[ATH_ELEMENT_INDEX] = undo_index,     [ATH_ELEMENT_UNIQUE] = undo_index,
	[ATH_ELEMENT_VIEW] = undo_view,       [ATH_ELEMENT_TRIGGER] = undo_trigger,
	[ATH_ELEMENT_FOREIGN] = undo_foreign,
};

static bool undo_all(struct undo *undo, struct ath_err *err)
{
	for (size_t kind = 0; kind < sizeof(order) / sizeof(order[0]); kind++) {
		for (size_t i = 0; i < undo->parts->len; i++) {
			const struct ath_element *part = &undo->parts->items[i];

			if (part->kind == order[kind] && !kinds[part->kind](undo, part, err))
				return false;
		}
	}
	return true;
}

bool ath_undo(const char *path, const struct ath_elements *parts, struct ath_err *err)
{
	struct undo undo = { .parts = parts };
	bool is_done;

	if (!parts->len)
		return true;
	undo.db = ath_db_open(path, ATH_DB_WRITE, 0, err);
	is_done = undo.db && ath_db_begin(undo.db, err) && undo_all(&undo, err) &&
		  ath_db_commit(undo.db, err);
	if (undo.db)
		ath_db_rollback(undo.db);
	ath_db_close(undo.db);
	ath_arena_fini(&undo.arena);
	return is_done;
}

bool ath_undo_empty(const char *path, const struct ath_elements *tables, size_t *out_left,
		    struct ath_err *err)
{
	*out_left = 0;
	for (size_t i = 0; i < tables->len; i++) {
		const struct ath_elements one = { &tables->items[i], 1 };

		if (ath_undo(path, &one, err))
			continue;
		if (err->code != ATH_ERR_DECISION)
			return false;
		ath_err_clear(err);
		++*out_left;
	}
	return true;
}
