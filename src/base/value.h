/* SPDX-License-Identifier: MIT */
/*
 * base/value: a tree of text, lists and maps with positions, the form in which configuration
 * travels from the recipe's text to a step's own struct.
 *
 * Values live in an arena and are const once built. Maps keep the order of the text.
 */
#ifndef ATH_BASE_VALUE_H
#define ATH_BASE_VALUE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct ath_str;

enum ath_value_kind {
	ATH_VALUE_NULL,
	ATH_VALUE_TEXT,
	ATH_VALUE_LIST,
	ATH_VALUE_MAP,
	ATH_VALUE_COUNT_
};

struct ath_value {
	enum ath_value_kind kind;
	struct ath_pos pos;      /* of the value; zeroed if the program made it */
	const char *text;        /* TEXT */
	bool is_quoted;          /* TEXT: written with quotes, so never a number or a bool */
	const char *key;         /* as an entry of a map; else NULL */
	struct ath_pos key_pos;  /* of the key */
	struct ath_value *items; /* LIST and MAP: first child */
	struct ath_value *next;  /* sibling, in the order of the text */
};

#define ATH_VALUE_EACH(parent, one) \
	for (const struct ath_value *one = (parent)->items; one; one = one->next)

/* The entry of a map with that key, or NULL. */
const struct ath_value *ath_value_find(const struct ath_value *map, const char *key);

/* What a value is, for messages: "a text", "a list". */
const char *ath_value_kind_name(enum ath_value_kind kind);

/* A new, empty map. */
struct ath_value *ath_value_new_map(struct ath_arena *arena);

/* Append `key: text` to a map; a NULL text appends nothing. */
void ath_value_put_text(struct ath_arena *arena, struct ath_value *map, const char *key,
			const char *text);

/* Append `key: [texts]` to a map; returns the list, to which ath_value_add_text appends. */
struct ath_value *ath_value_put_list(struct ath_arena *arena, struct ath_value *map,
				     const char *key);

/* Append a text to a list. */
void ath_value_add_text(struct ath_arena *arena, struct ath_value *list, const char *text);

/* Append `key: value`, where value is an existing subtree (borrowed from an arena that lives on). */
void ath_value_put_value(struct ath_arena *arena, struct ath_value *map, const char *key,
			 const struct ath_value *value);

/* Append the tree as canonical text: equal trees give equal text, whatever their layout. */
void ath_value_put_canonical(struct ath_str *out, const struct ath_value *value);

#endif
