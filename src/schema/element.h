/* SPDX-License-Identifier: MIT */
/*
 * schema/element: the parts of a schema as canonical texts, so that two schemas, or a schema and
 * what a migration says, can be compared part by part.
 *
 *	table users
 *	column users.email
 *	index stories(author_id,created)      by table, columns and their order
 *	unique users(email)                   a UNIQUE constraint or a unique index alike
 *	index stories ix_stories_lower        where the columns are expressions: by name
 *	foreign stories(author_id) users(id)
 *	view recent
 *	trigger stories_ai
 *
 * Names are folded to lower case (ASCII), as SQLite compares them; an empty name and one with a
 * blank, a control character, a dot, a comma, a bracket or a quote is quoted ("..."; a quote inside
 * is doubled). Attributes of a column are kept apart: they never decide.
 */
#ifndef ATH_SCHEMA_ELEMENT_H
#define ATH_SCHEMA_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/field.h"

enum ath_element_kind {
	ATH_ELEMENT_TABLE,
	ATH_ELEMENT_COLUMN,
	ATH_ELEMENT_INDEX,
	ATH_ELEMENT_UNIQUE,
	ATH_ELEMENT_FOREIGN,
	ATH_ELEMENT_VIEW,
	ATH_ELEMENT_TRIGGER,
	ATH_ELEMENT_KIND_COUNT_
};

/* Attributes of a column; empty for every other kind. */
struct ath_element_attributes {
	const char *type;          /* as declared, upper case, single blanks; "" if none */
	const char *default_value; /* SQL text, or NULL */
	bool is_nullable;
	bool is_key; /* part of the primary key */
};

struct ath_element {
	enum ath_element_kind kind;
	const char *table; /* folded; of a view or trigger: its own name */
	const char *key;   /* the canonical text; equal elements have equal keys */
	const char *name;  /* of an index, constraint, ...: its own name, or NULL */
	struct ath_element_attributes attributes;
};

/* A set of elements, sorted by key, without duplicates. */
struct ath_elements {
	const struct ath_element *items;
	size_t len;
};

/* The element of that key, or NULL. */
const struct ath_element *ath_element_find(const struct ath_elements *set, const char *key);

/* Sort `len` elements by key and drop duplicates; returns how many are left. */
size_t ath_element_sort(struct ath_element *items, size_t len);

/* A name as `table` holds it: ASCII letters in lower case, without quotes. */
const char *ath_element_fold(struct ath_arena *arena, const char *name);

/* A declared type as `attributes.type` holds it: upper case, single blanks; NULL gives "". */
const char *ath_element_type(struct ath_arena *arena, const char *declared);

/*
 * The element when its table is called `table` instead; key and table are made anew. The table
 * itself, a view and a trigger become the one of that name.
 */
struct ath_element ath_element_retable(struct ath_arena *arena, const struct ath_element *element,
				       const char *table);

/* Is it an index, a unique or a foreign key over that column of its own table, among others? */
bool ath_element_is_over(const struct ath_element *element, const struct ath_element *column);

/* "table TABLE". Keys are made in `arena`; columns are names, in order. */
const char *ath_element_table_key(struct ath_arena *arena, const char *table);

/* "column TABLE.COLUMN" */
const char *ath_element_column_key(struct ath_arena *arena, const char *table, const char *column);

/* "index TABLE(COLUMNS)" or "unique TABLE(COLUMNS)" */
const char *ath_element_index_key(struct ath_arena *arena, const char *table,
				  const struct ath_texts *columns, bool is_unique);

/* "index TABLE NAME": an index over expressions */
const char *ath_element_named_index_key(struct ath_arena *arena, const char *table,
					const char *name);

/* "foreign TABLE(COLUMNS) OTHER(COLUMNS)" */
const char *ath_element_foreign_key(struct ath_arena *arena, const char *table,
				    const struct ath_texts *columns, const char *other,
				    const struct ath_texts *other_columns);

/* "view NAME", "trigger NAME" */
const char *ath_element_named_key(struct ath_arena *arena, enum ath_element_kind kind,
				  const char *name);

/* Name of a kind: table, column, ...; static text. */
const char *ath_element_kind_name(enum ath_element_kind kind);

#endif
