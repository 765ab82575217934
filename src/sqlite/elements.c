/* SPDX-License-Identifier: MIT */
/*
 * sqlite/elements: four statements over all tables at once; the table-valued pragmas are joined in
 * the order in which they stand (CROSS JOIN), so the columns of one index come in a row.
 */
#include "sqlite/elements.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"

enum {
	ELEMENTS_MAX = 500000,
	DEADLINE_MS = 10 * 1000, /* for all statements of a reading */
};

/* Behind the join: tables with rows of their own; ?1 is the version table. */
#define OF_TABLES                                       \
	" WHERE t.type = 'table' AND t.rootpage > 0"    \
	" AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'" \
	" AND t.name <> ?1 COLLATE NOCASE"

/* A column of a primary key: what a foreign key without columns on the other side means. */
struct key {
	const char *table; /* folded */
	int64_t place;     /* in the key, from 1 */
	const char *column;
};

struct reader {
	struct ath_db *db;
	const char *version_table;
	struct ath_arena *arena;
	ATH_VEC(struct ath_element) elements;
	ATH_VEC(struct key) keys; /* sorted once all are there */
	/* the index or foreign key that is being put together */
	struct ath_element part;
	const char *other; /* table of the other side */
	ATH_VEC(const char *) columns, other_columns;
	bool is_partless; /* it has a column without a name: an expression */
};

static bool add(struct reader *reader, struct ath_element element, struct ath_err *err)
{
	if (reader->elements.len == ELEMENTS_MAX)
		return ath_err_set(err, ATH_ERR_LIMIT,
				   "cannot read database '%s': its schema has more than %d parts",
				   ath_db_path(reader->db), ELEMENTS_MAX);
	*ath_vec_push(&reader->elements) = element;
	return true;
}

static const char *copy(struct reader *reader, struct ath_stmt *stmt, int column)
{
	return ath_arena_strdup(reader->arena, ath_stmt_text(stmt, column));
}

/* A folded name of the current row. */
static const char *name_of(struct reader *reader, struct ath_stmt *stmt, int column)
{
	const char *name = ath_stmt_text(stmt, column);

	return ath_element_fold(reader->arena, name ? name : "");
}

static struct ath_stmt *prepare(struct reader *reader, const char *sql, struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(reader->db, sql, err);

	if (stmt)
		ath_stmt_bind_text(stmt, 1, reader->version_table);
	return stmt;
}

static bool read_objects(struct reader *reader, struct ath_err *err)
{
	struct ath_stmt *stmt = prepare(reader,
					"SELECT type, name FROM sqlite_schema"
					" WHERE type IN ('table', 'view', 'trigger')"
					" AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
					" AND name <> ?1 COLLATE NOCASE",
					err);

	while (stmt && err->code == ATH_ERR_OK && ath_stmt_next(stmt, err)) {
		const char *type = ath_stmt_text(stmt, 0);
		enum ath_element_kind kind = ath_str_is(type, "table")  ? ATH_ELEMENT_TABLE
					     : ath_str_is(type, "view") ? ATH_ELEMENT_VIEW
									: ATH_ELEMENT_TRIGGER;
		const char *name = name_of(reader, stmt, 1);

		if (!add(reader,
			 (struct ath_element){
				 .kind = kind,
				 .table = name,
				 .key = ath_element_named_key(reader->arena, kind, name),
				 .name = copy(reader, stmt, 1),
			 },
			 err))
			break;
	}
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK;
}

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	int order = strcmp(a->table, b->table);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static void keep_key(struct reader *reader, struct ath_stmt *stmt, const char *table)
{
	int64_t place = ath_stmt_int(stmt, 5);

	if (place > 0)
		*ath_vec_push(&reader->keys) = (struct key){ table, place, copy(reader, stmt, 1) };
}

/* The column at a place of a table's primary key; "" if there is none. */
static const char *find_key(const struct reader *reader, const char *table, int64_t place)
{
	const struct key wanted = { .table = table, .place = place };
	const struct key *found = reader->keys.len
					  ? bsearch(&wanted, reader->keys.items, reader->keys.len,
						    sizeof(wanted), compare_keys)
					  : NULL;

	return found && found->column ? found->column : "";
}

static bool read_columns(struct reader *reader, struct ath_err *err)
{
	/* hidden: 1 is a column of a virtual table, 2 and 3 are generated ones */
	struct ath_stmt *stmt = prepare(
		reader,
		"SELECT t.name, c.name, c.type, c.dflt_value, c.\"notnull\", c.pk"
		" FROM sqlite_schema AS t"
		" CROSS JOIN pragma_table_xinfo(t.name) AS c" OF_TABLES " AND c.hidden <> 1",
		err);
	const char *table = "";

	while (stmt && err->code == ATH_ERR_OK && ath_stmt_next(stmt, err)) {
		const char *name = ath_stmt_text(stmt, 1), *here = name_of(reader, stmt, 0);

		table = strcmp(table, here) ? here : table;
		keep_key(reader, stmt, table);
		if (!add(reader,
			 (struct ath_element){
				 .kind = ATH_ELEMENT_COLUMN,
				 .table = table,
				 .key = ath_element_column_key(reader->arena, table,
							       name ? name : ""),
				 .name = copy(reader, stmt, 1),
				 .attributes = {
					.type = ath_element_type(reader->arena,
								 ath_stmt_text(stmt, 2)),
					.default_value = copy(reader, stmt, 3),
					.is_nullable = !ath_stmt_int(stmt, 4),
					.is_key = ath_stmt_int(stmt, 5) > 0,
				 },
			 },
			 err))
			break;
	}
	ath_stmt_free(stmt);
	if (reader->keys.len)
		qsort(reader->keys.items, reader->keys.len, sizeof(*reader->keys.items),
		      compare_keys);
	return err->code == ATH_ERR_OK;
}

/* The index or foreign key is complete: make it an element. */
static bool end_part(struct reader *reader, struct ath_err *err)
{
	struct ath_texts columns = { reader->columns.items, reader->columns.len };
	struct ath_texts others = { reader->other_columns.items, reader->other_columns.len };
	struct ath_element *part = &reader->part;

	if (!part->table)
		return true;
	if (part->kind == ATH_ELEMENT_FOREIGN)
		part->key = ath_element_foreign_key(reader->arena, part->table, &columns,
						    reader->other, &others);
	else if (reader->is_partless)
		part->key = ath_element_named_index_key(reader->arena, part->table, part->name);
	else
		part->key = ath_element_index_key(reader->arena, part->table, &columns,
						  part->kind == ATH_ELEMENT_UNIQUE);
	if (reader->is_partless)
		part->kind = ATH_ELEMENT_INDEX;
	reader->columns.len = reader->other_columns.len = 0;
	reader->is_partless = false;
	reader->other = NULL;
	if (!add(reader, *part, err))
		return false;
	*part = (struct ath_element){ 0 };
	return true;
}

static bool read_indexes(struct reader *reader, struct ath_err *err)
{
	struct ath_stmt *stmt = prepare(reader,
					"SELECT t.name, i.name, i.\"unique\", x.name, x.seqno = 0"
					" FROM sqlite_schema AS t"
					" CROSS JOIN pragma_index_list(t.name) AS i"
					" CROSS JOIN pragma_index_xinfo(i.name) AS x" OF_TABLES
					" AND i.origin <> 'pk' AND x.key",
					err);

	while (stmt && err->code == ATH_ERR_OK && ath_stmt_next(stmt, err)) {
		const char *column = copy(reader, stmt, 3);

		if (ath_stmt_int(stmt, 4)) {
			if (!end_part(reader, err))
				break;
			reader->part = (struct ath_element){
				.kind = ath_stmt_int(stmt, 2) ? ATH_ELEMENT_UNIQUE
							      : ATH_ELEMENT_INDEX,
				.table = name_of(reader, stmt, 0),
				.name = copy(reader, stmt, 1),
			};
		}
		reader->is_partless = reader->is_partless || !column;
		*ath_vec_push(&reader->columns) = column ? column : "";
	}
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK && end_part(reader, err);
}

static bool read_foreign_keys(struct reader *reader, struct ath_err *err)
{
	/*
	 * Without columns on the other side, the primary key is meant. It is not asked of SQLite, for
	 * it may be a view's, or asked for too often. A pragma is prepared for each table, so that one
	 * without the keyword in its text is passed over.
	 */
	struct ath_stmt *stmt = prepare(
		reader,
		"SELECT t.name, f.seq, f.\"table\", f.\"from\", f.\"to\""
		" FROM sqlite_schema AS t CROSS JOIN pragma_foreign_key_list(t.name) AS f" OF_TABLES
		" AND t.sql LIKE '%REFERENCES%'",
		err);

	while (stmt && err->code == ATH_ERR_OK && ath_stmt_next(stmt, err)) {
		const char *from = copy(reader, stmt, 3), *to = copy(reader, stmt, 4);
		int64_t place = ath_stmt_int(stmt, 1);

		if (!place) {
			if (!end_part(reader, err))
				break;
			reader->part = (struct ath_element){
				.kind = ATH_ELEMENT_FOREIGN,
				.table = name_of(reader, stmt, 0),
			};
			reader->other = name_of(reader, stmt, 2);
		}
		*ath_vec_push(&reader->columns) = from ? from : "";
		*ath_vec_push(&reader->other_columns) =
			to ? to : find_key(reader, reader->other ? reader->other : "", place + 1);
	}
	ath_stmt_free(stmt);
	return err->code == ATH_ERR_OK && end_part(reader, err);
}

bool ath_elements_read(struct ath_db *db, const char *version_table, struct ath_arena *arena,
		       struct ath_elements *out, struct ath_err *err)
{
	struct reader reader = { .db = db,
				 .version_table = version_table ? version_table : "",
				 .arena = arena };

	ath_db_limit_time(db, DEADLINE_MS);
	if (read_objects(&reader, err) && read_columns(&reader, err) &&
	    read_indexes(&reader, err) && read_foreign_keys(&reader, err)) {
		struct ath_element *items =
			ath_arena_new(arena, reader.elements.len, sizeof(*items));

		if (reader.elements.len)
			memcpy(items, reader.elements.items, reader.elements.len * sizeof(*items));
		out->len = ath_element_sort(items, reader.elements.len);
		out->items = items;
	}
	ath_db_limit_time(db, 0);
	ath_vec_fini(&reader.elements);
	ath_vec_fini(&reader.keys);
	ath_vec_fini(&reader.columns);
	ath_vec_fini(&reader.other_columns);
	return err->code == ATH_ERR_OK;
}
