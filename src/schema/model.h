/* SPDX-License-Identifier: MIT */
/*
 * schema/model: the objects of a database's schema as plain structs.
 *
 * An object is one row of SQLite's sqlite_schema (https://www.sqlite.org/schematab.html), without
 * the internal objects whose name begins with "sqlite_". Sorted by kind, table, name. Const once
 * read; everything is in the schema's arena.
 */
#ifndef ATH_SCHEMA_MODEL_H
#define ATH_SCHEMA_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum ath_schema_kind {
	ATH_SCHEMA_TABLE,
	ATH_SCHEMA_INDEX,
	ATH_SCHEMA_VIEW,
	ATH_SCHEMA_TRIGGER,
	ATH_SCHEMA_KIND_COUNT_
};

struct ath_schema_object {
	enum ath_schema_kind kind;
	const char *name;
	const char *table; /* the table it belongs to; for a table its own name */
	const char *sql;   /* as stored; "" for an automatic index */
};

struct ath_schema {
	struct ath_arena arena; /* owns everything below */
	const struct ath_schema_object *objects;
	size_t len;
};

/* Release; zeroed afterwards. Accepts a zeroed object. */
void ath_schema_fini(struct ath_schema *schema);

/* Bring objects into the model's order: kind, table, name; names byte by byte. */
void ath_schema_sort(struct ath_schema_object *objects, size_t len);

/* Name of a kind as SQLite writes it: "table", "index", "view", "trigger"; static text. */
const char *ath_schema_kind_name(enum ath_schema_kind kind);

/* Is `name` equal to `other` as SQLite compares names (ASCII case folded)? */
bool ath_schema_is_name(const char *name, const char *other);

/* The table of that name (compared as SQLite does, ASCII case folded), or NULL. */
const struct ath_schema_object *ath_schema_find_table(const struct ath_schema *schema,
						      const char *name);

/* How many tables, not counting `version_table` (NULL: counting all). */
size_t ath_schema_count_tables(const struct ath_schema *schema, const char *version_table);

#endif
