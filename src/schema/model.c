/* SPDX-License-Identifier: MIT */
/* schema/model: order, names and look-up of a schema's objects. */
#include "schema/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[ATH_SCHEMA_TABLE] = "table",
	[ATH_SCHEMA_INDEX] = "index",
	[ATH_SCHEMA_VIEW] = "view",
	[ATH_SCHEMA_TRIGGER] = "trigger",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == ATH_SCHEMA_KIND_COUNT_,
	      "one name per kind");

void ath_schema_fini(struct ath_schema *schema)
{
	ath_arena_fini(&schema->arena);
	*schema = (struct ath_schema){ 0 };
}

static int compare_objects(const void *left, const void *right)
{
	const struct ath_schema_object *a = left, *b = right;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = strcmp(a->table, b->table);
	return order ? order : strcmp(a->name, b->name);
}

void ath_schema_sort(struct ath_schema_object *objects, size_t len)
{
	if (len > 1)
		qsort(objects, len, sizeof(*objects), compare_objects);
}

const char *ath_schema_kind_name(enum ath_schema_kind kind)
{
	assert((unsigned)kind < ATH_SCHEMA_KIND_COUNT_);
	return kind_names[kind];
}

/* SQLite folds the 26 letters only, whatever the locale. */
static unsigned char fold(char byte)
{
	return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

bool ath_schema_is_name(const char *name, const char *other)
{
	for (; *name && fold(*name) == fold(*other); name++)
		other++;
	return fold(*name) == fold(*other);
}

const struct ath_schema_object *ath_schema_find_table(const struct ath_schema *schema,
						      const char *name)
{
	for (size_t i = 0; i < schema->len; i++) {
		const struct ath_schema_object *one = &schema->objects[i];

		if (one->kind == ATH_SCHEMA_TABLE && ath_schema_is_name(one->name, name))
			return one;
	}
	return NULL;
}

size_t ath_schema_count_tables(const struct ath_schema *schema, const char *version_table)
{
	size_t count = 0;

	for (size_t i = 0; i < schema->len; i++) {
		const struct ath_schema_object *one = &schema->objects[i];

		if (one->kind != ATH_SCHEMA_TABLE)
			continue;
		if (!version_table || !ath_schema_is_name(one->name, version_table))
			count++;
	}
	return count;
}
