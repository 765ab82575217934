/* SPDX-License-Identifier: MIT */
/* schema/element: canonical keys, and sets of elements as sorted arrays. */
#include "schema/element.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const kind_names[] = {
	[ATH_ELEMENT_TABLE] = "table",     [ATH_ELEMENT_COLUMN] = "column",
	[ATH_ELEMENT_INDEX] = "index",     [ATH_ELEMENT_UNIQUE] = "unique",
	[ATH_ELEMENT_FOREIGN] = "foreign", [ATH_ELEMENT_VIEW] = "view",
	[ATH_ELEMENT_TRIGGER] = "trigger",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == ATH_ELEMENT_KIND_COUNT_,
	      "one name per kind");

const char *ath_element_kind_name(enum ath_element_kind kind)
{
	assert((unsigned)kind < ATH_ELEMENT_KIND_COUNT_);
	return kind_names[kind];
}

/* SQLite folds the 26 letters only, whatever the locale. */
static char fold(char byte)
{
	return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

static bool is_plain(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr(".,()[]{}\"'`", *name))
			return false;
	}
	return true;
}

/* Longest form of a name: every byte doubled, two quotes. */
static size_t most_bytes(const char *name)
{
	return 2 * strlen(name) + 2;
}

static char *put_text(char *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len);
	return at + len;
}

static char *put_name(char *at, const char *name)
{
	bool is_quoted = !is_plain(name);

	if (is_quoted)
		*at++ = '"';
	for (; *name; name++) {
		if (*name == '"')
			*at++ = '"';
		*at++ = fold(*name);
	}
	if (is_quoted)
		*at++ = '"';
	return at;
}

static size_t most_bytes_of_list(const char *table, const struct ath_texts *columns)
{
	size_t bytes = most_bytes(table) + 2;

	for (size_t i = 0; i < columns->len; i++)
		bytes += most_bytes(columns->items[i]) + 1;
	return bytes;
}

/* TABLE(COLUMN,COLUMN) */
static char *put_list(char *at, const char *table, const struct ath_texts *columns)
{
	at = put_name(at, table);
	*at++ = '(';
	for (size_t i = 0; i < columns->len; i++) {
		if (i)
			*at++ = ',';
		at = put_name(at, columns->items[i]);
	}
	*at++ = ')';
	return at;
}

/* "KIND NAME", with room for `more` bytes behind it; `out_end` is where they begin. */
static char *start_key(struct ath_arena *arena, enum ath_element_kind kind, const char *name,
		       size_t more, char **out_end)
{
	const char *word = ath_element_kind_name(kind);
	char *key = ath_arena_new(arena, strlen(word) + 1 + most_bytes(name) + more + 1, 1);
	char *at = put_text(key, word);

	*at++ = ' ';
	*out_end = put_name(at, name);
	return key;
}

const char *ath_element_named_key(struct ath_arena *arena, enum ath_element_kind kind,
				  const char *name)
{
	char *end;

	return start_key(arena, kind, name, 0, &end);
}

const char *ath_element_table_key(struct ath_arena *arena, const char *table)
{
	return ath_element_named_key(arena, ATH_ELEMENT_TABLE, table);
}

const char *ath_element_column_key(struct ath_arena *arena, const char *table, const char *column)
{
	char *end, *key = start_key(arena, ATH_ELEMENT_COLUMN, table, 1 + most_bytes(column), &end);

	*end++ = '.';
	put_name(end, column);
	return key;
}

const char *ath_element_named_index_key(struct ath_arena *arena, const char *table,
					const char *name)
{
	char *end, *key = start_key(arena, ATH_ELEMENT_INDEX, table, 1 + most_bytes(name), &end);

	*end++ = ' ';
	put_name(end, name);
	return key;
}

const char *ath_element_index_key(struct ath_arena *arena, const char *table,
				  const struct ath_texts *columns, bool is_unique)
{
	const char *word =
		ath_element_kind_name(is_unique ? ATH_ELEMENT_UNIQUE : ATH_ELEMENT_INDEX);
	char *key =
		ath_arena_new(arena, strlen(word) + 1 + most_bytes_of_list(table, columns) + 1, 1);
	char *at = put_text(key, word);

	*at++ = ' ';
	put_list(at, table, columns);
	return key;
}

const char *ath_element_foreign_key(struct ath_arena *arena, const char *table,
				    const struct ath_texts *columns, const char *other,
				    const struct ath_texts *other_columns)
{
	const char *word = ath_element_kind_name(ATH_ELEMENT_FOREIGN);
	char *key = ath_arena_new(arena,
				  strlen(word) + 2 + most_bytes_of_list(table, columns) +
					  most_bytes_of_list(other, other_columns) + 1,
				  1);
	char *at = put_text(key, word);

	*at++ = ' ';
	at = put_list(at, table, columns);
	*at++ = ' ';
	put_list(at, other, other_columns);
	return key;
}

const char *ath_element_fold(struct ath_arena *arena, const char *name)
{
	char *copy = ath_arena_strdup(arena, name);

	for (char *at = copy; *at; at++)
		*at = fold(*at);
	return copy;
}

static bool is_blank(char byte)
{
	return byte && strchr(" \t\n\v\f\r", byte);
}

const char *ath_element_type(struct ath_arena *arena, const char *declared)
{
	char *type = ath_arena_strdup(arena, declared ? declared : ""), *to = type;

	for (const char *from = type; *from; from++) {
		if (!is_blank(*from))
			*to++ = (char)(*from >= 'a' && *from <= 'z' ? *from - 'a' + 'A' : *from);
		else if (to > type && from[1] && !is_blank(from[1]))
			*to++ = ' ';
	}
	*to = '\0';
	return type;
}

/* Behind the name that begins at `at`; a quoted one ends at its first single quote. */
static const char *skip_name(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, ".,() ");
	for (at++; *at; at++) {
		if (*at == '"' && at[1] != '"')
			return at + 1;
		if (*at == '"')
			at++;
	}
	return at;
}

/* Behind the kind and the name of the table. */
static const char *skip_table(const struct ath_element *element)
{
	return skip_name(element->key + strlen(ath_element_kind_name(element->kind)) + 1);
}

struct ath_element ath_element_retable(struct ath_arena *arena, const struct ath_element *element,
				       const char *table)
{
	const char *rest = skip_table(element);
	struct ath_element renamed = *element;
	char *end, *key = start_key(arena, element->kind, table, strlen(rest), &end);

	put_text(end, rest);
	renamed.key = key;
	renamed.table = ath_element_fold(arena, table);
	return renamed;
}

bool ath_element_is_over(const struct ath_element *element, const struct ath_element *column)
{
	const char *at = skip_table(element), *wanted = skip_table(column);
	bool is_over = false;

	if (column->kind != ATH_ELEMENT_COLUMN || strcmp(element->table, column->table))
		return false;
	for (wanted++; !is_over && (*at == '(' || *at == ',');) {
		const char *name = at + 1;

		at = skip_name(name);
		is_over = (size_t)(at - name) == strlen(wanted) &&
			  !memcmp(name, wanted, (size_t)(at - name));
	}
	return is_over;
}

static int compare_keys(const void *left, const void *right)
{
	const struct ath_element *a = left, *b = right;
	int order = strcmp(a->key, b->key);

	if (order || !a->name || !b->name)
		return order ? order : !!b->name - !!a->name;
	return strcmp(a->name, b->name);
}

size_t ath_element_sort(struct ath_element *items, size_t len)
{
	size_t kept = 0;

	if (len > 1)
		qsort(items, len, sizeof(*items), compare_keys);
	for (size_t i = 0; i < len; i++) {
		if (!kept || strcmp(items[kept - 1].key, items[i].key))
			items[kept++] = items[i];
	}
	return kept;
}

const struct ath_element *ath_element_find(const struct ath_elements *set, const char *key)
{
	size_t low = 0, high = set->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->items[middle].key, key);

		if (!order)
			return &set->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
