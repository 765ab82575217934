/* SPDX-License-Identifier: MIT */
/* sqlite/catalog: one query, then the model's order. */
#include "sqlite/catalog.h"

#include <string.h>

#include "base/vec.h"

enum {
	OBJECTS_MAX = 100000,
};

static bool find_kind(const char *name, enum ath_schema_kind *out_kind)
{
	for (int kind = 0; kind < ATH_SCHEMA_KIND_COUNT_; kind++) {
		if (!strcmp(name, ath_schema_kind_name((enum ath_schema_kind)kind))) {
			*out_kind = (enum ath_schema_kind)kind;
			return true;
		}
	}
	return false;
}

static const char *take_text(struct ath_arena *arena, struct ath_stmt *stmt, int column)
{
	const char *text = ath_stmt_text(stmt, column);

	return ath_arena_strdup(arena, text ? text : "");
}

bool ath_catalog_read(struct ath_db *db, struct ath_schema *out, struct ath_err *err)
{
	ATH_VEC(struct ath_schema_object) objects = { 0 };
	struct ath_schema schema = { 0 };
	struct ath_stmt *stmt;

	stmt = ath_db_prepare(db,
			      "SELECT type, name, tbl_name, sql FROM sqlite_schema"
			      " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
			      err);
	if (!stmt)
		return false;
	while (ath_stmt_next(stmt, err)) {
		struct ath_schema_object one = { 0 };
		const char *type = ath_stmt_text(stmt, 0);

		if (!type || !find_kind(type, &one.kind))
			continue;
		if (objects.len == OBJECTS_MAX) {
			ath_err_set(err, ATH_ERR_LIMIT,
				    "cannot read database '%s': more than %d tables and indexes",
				    ath_db_path(db), OBJECTS_MAX);
			break;
		}
		one.name = take_text(&schema.arena, stmt, 1);
		one.table = take_text(&schema.arena, stmt, 2);
		one.sql = take_text(&schema.arena, stmt, 3);
		*ath_vec_push(&objects) = one;
	}
	ath_stmt_free(stmt);
	if (err->code == ATH_ERR_OK) {
		struct ath_schema_object *sorted = ath_arena_new(
			&schema.arena, objects.len ? objects.len : 1, sizeof(*sorted));

		if (objects.len)
			memcpy(sorted, objects.items, objects.len * sizeof(*sorted));
		ath_schema_sort(sorted, objects.len);
		schema.objects = sorted;
		schema.len = objects.len;
		*out = schema;
	} else {
		ath_schema_fini(&schema);
	}
	ath_vec_fini(&objects);
	return err->code == ATH_ERR_OK;
}
