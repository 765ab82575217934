/* SPDX-License-Identifier: MIT */
/* base/value: a tree of text, lists and maps with positions. */
#include "base/value.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

const struct ath_value *ath_value_find(const struct ath_value *map, const char *key)
{
	if (!map || map->kind != ATH_VALUE_MAP)
		return NULL;
	ATH_VALUE_EACH (map, one) {
		if (strcmp(one->key, key) == 0)
			return one;
	}
	return NULL;
}

const char *ath_value_kind_name(enum ath_value_kind kind)
{
	static const char *const names[] = {
		[ATH_VALUE_NULL] = "nothing",
		[ATH_VALUE_TEXT] = "a text",
		[ATH_VALUE_LIST] = "a list",
		[ATH_VALUE_MAP] = "a mapping",
	};

	return names[kind];
}

static struct ath_value *append(struct ath_arena *arena, struct ath_value *parent,
				enum ath_value_kind kind, const char *key)
{
	struct ath_value **end = &parent->items;
	struct ath_value *one = ath_arena_new(arena, 1, sizeof(*one));

	while (*end)
		end = &(*end)->next;
	one->kind = kind;
	one->key = ath_arena_strdup(arena, key);
	*end = one;
	return one;
}

struct ath_value *ath_value_new_map(struct ath_arena *arena)
{
	struct ath_value *map = ath_arena_new(arena, 1, sizeof(*map));

	map->kind = ATH_VALUE_MAP;
	return map;
}

void ath_value_put_text(struct ath_arena *arena, struct ath_value *map, const char *key,
			const char *text)
{
	if (text)
		append(arena, map, ATH_VALUE_TEXT, key)->text = ath_arena_strdup(arena, text);
}

struct ath_value *ath_value_put_list(struct ath_arena *arena, struct ath_value *map,
				     const char *key)
{
	return append(arena, map, ATH_VALUE_LIST, key);
}

void ath_value_add_text(struct ath_arena *arena, struct ath_value *list, const char *text)
{
	append(arena, list, ATH_VALUE_TEXT, NULL)->text = ath_arena_strdup(arena, text);
}

void ath_value_put_value(struct ath_arena *arena, struct ath_value *map, const char *key,
			 const struct ath_value *value)
{
	struct ath_value *copy = append(arena, map, value->kind, key);
	const char *own_key = copy->key;

	*copy = *value;
	copy->key = own_key;
	copy->next = NULL;
}

static void put(struct ath_json *json, const struct ath_value *value)
{
	bool is_map = value->kind == ATH_VALUE_MAP;

	if (value->kind == ATH_VALUE_NULL || value->kind == ATH_VALUE_TEXT) {
		ath_json_text(json, value->kind == ATH_VALUE_TEXT ? value->text : NULL);
		return;
	}
	ath_json_open(json, is_map ? '{' : '[');
	ATH_VALUE_EACH (value, one) {
		if (is_map)
			ath_json_key(json, one->key);
		put(json, one);
	}
	ath_json_close(json, is_map ? '}' : ']');
}

void ath_value_put_canonical(struct ath_str *out, const struct ath_value *value)
{
	struct ath_json json = { .out = out };

	put(&json, value);
}
