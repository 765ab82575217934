/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/infer_lab: chains and live schemas for tests of the inference, as short texts.
 *
 *	+T:users(id,name)   create a table with columns          -T:users
 *	+C:users.age:INT    add a column, with a type or without -C:users.age   ~C:users.age:BIGINT
 *	~C:users.age:INT<X  alter a column that had the type X    -N:users.ix   an index by its name
 *	+I:users(age)       an index; +U: unique; +F:a(x)>b(id) a foreign key
 *	+V:recent +G:stamp  a view, a trigger
 *	-T:a@1 +T:b@1       a rename: the same number behind @
 *
 * Words are parted by blanks. A live schema is made by running the same words as SQLite would: the
 * parts of a table go and move with it, an index goes with its columns.
 */
#ifndef ATH_TESTS_INFER_LAB_H
#define ATH_TESTS_INFER_LAB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/infer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

typedef ATH_VEC(struct ath_effect) lab_effects;

struct lab_row {
	const char *id, *downs, *effects;
	const char *traits; /* words: data, blind, possible, lower, replay; NULL: literal */
};

struct lab {
	struct ath_arena arena;
	struct ath_chain_entry *entries;
	struct ath_effects *effects;
	struct ath_chain chain;
};

/* A live schema; unsorted while it is being made. */
struct lab_live {
	ATH_VEC(struct ath_element) items;
};

static inline struct ath_texts lab_words(struct ath_arena *arena, const char *text,
					 const char *parted_by)
{
	const char **items = ath_arena_new(arena, text ? strlen(text) + 2 : 1, sizeof(*items));
	char *at = ath_arena_strdup(arena, text ? text : ""), *word;
	size_t len = 0;

	while ((word = strtok_r(at, parted_by, &at)))
		items[len++] = word;
	return (struct ath_texts){ items, len };
}

/* "a(x,y)": the name stays, the columns are given back; "" where there are none. */
static inline struct ath_texts lab_columns(struct ath_arena *arena, char *name)
{
	char *open = strchr(name, '('), *close = open ? strchr(open, ')') : NULL;

	if (!open || !close)
		return (struct ath_texts){ 0 };
	*open = *close = '\0';
	return lab_words(arena, open + 1, ",");
}

static inline struct ath_element lab_column(struct ath_arena *arena, const char *table,
					    const char *column, const char *type)
{
	return (struct ath_element){
		.kind = ATH_ELEMENT_COLUMN,
		.table = table,
		.key = ath_element_column_key(arena, table, column),
		.name = column,
		.attributes = { .type = ath_element_type(arena, type), .is_nullable = true },
	};
}

static inline struct ath_element lab_part(struct ath_arena *arena, char kind, char *name)
{
	char *other = strchr(name, '>');
	struct ath_texts columns, others = { 0 };
	struct ath_element one = { .name = "ix" };

	if (other) {
		*other++ = '\0';
		others = lab_columns(arena, other);
	}
	columns = lab_columns(arena, name);
	one.table = name;
	one.kind = kind == 'F'   ? ATH_ELEMENT_FOREIGN
		   : kind == 'U' ? ATH_ELEMENT_UNIQUE
				 : ATH_ELEMENT_INDEX;
	one.key = kind == 'F' ? ath_element_foreign_key(arena, name, &columns, other, &others)
			      : ath_element_index_key(arena, name, &columns, kind == 'U');
	return one;
}

static inline void lab_read_word(struct ath_arena *arena, const char *text, lab_effects *out)
{
	char *word = ath_arena_strdup(arena, text), *tie = strchr(word, '@'), *name = word + 3;
	struct ath_effect effect = { .verb = *word == '+'   ? ATH_EFFECT_ADD
					     : *word == '-' ? ATH_EFFECT_DROP
							    : ATH_EFFECT_ALTER };
	struct ath_texts columns = { 0 };

	if (tie) {
		*tie = '\0';
		effect.tie = (unsigned)atoi(tie + 1);
	}
	if (word[1] == 'C') {
		char *dot = strchr(name, '.'), *type = strchr(name, ':');
		char *was = strchr(name, '<');

		*dot = '\0';
		if (type)
			*type++ = '\0';
		if (was) {
			*was++ = '\0';
			effect.was = ath_element_type(arena, was);
		}
		effect.element = lab_column(arena, name, dot + 1, type);
	} else if (word[1] == 'N') {
		char *dot = strchr(name, '.');

		*dot = '\0';
		effect.element = (struct ath_element){
			.kind = ATH_ELEMENT_INDEX,
			.table = name,
			.key = ath_element_named_index_key(arena, name, dot + 1),
			.name = dot + 1,
		};
	} else if (strchr("IUF", word[1])) {
		effect.element = lab_part(arena, word[1], name);
	} else {
		columns = lab_columns(arena, name);
		effect.element = (struct ath_element){
			.kind = word[1] == 'T'   ? ATH_ELEMENT_TABLE
				: word[1] == 'V' ? ATH_ELEMENT_VIEW
						 : ATH_ELEMENT_TRIGGER,
			.table = name,
		};
		effect.element.key = ath_element_named_key(arena, effect.element.kind, name);
	}
	*ath_vec_push(out) = effect;
	for (size_t i = 0; i < columns.len; i++)
		*ath_vec_push(out) = (struct ath_effect){
			.verb = effect.verb,
			.element = lab_column(arena, name, columns.items[i], NULL),
		};
}

static inline void lab_read_effects(struct ath_arena *arena, const char *text, lab_effects *out)
{
	struct ath_texts words = lab_words(arena, text, " \n\t");

	for (size_t i = 0; i < words.len; i++)
		lab_read_word(arena, words.items[i], out);
}

static inline bool lab_has_trait(const struct lab_row *row, const char *trait)
{
	return row->traits && strstr(row->traits, trait);
}

static inline void lab_set_up(struct lab *lab, const struct lab_row *rows, size_t len)
{
	struct ath_err err = { 0 };

	memset(lab, 0, sizeof(*lab));
	lab->entries = ath_arena_new(&lab->arena, len, sizeof(*lab->entries));
	lab->effects = ath_arena_new(&lab->arena, len, sizeof(*lab->effects));
	for (size_t i = 0; i < len; i++) {
		lab_effects effects = { 0 };
		struct ath_effect *items;

		lab_read_effects(&lab->arena, rows[i].effects, &effects);
		items = ath_arena_new(&lab->arena, effects.len, sizeof(*items));
		if (effects.len)
			memcpy(items, effects.items, effects.len * sizeof(*items));
		lab->entries[i] = (struct ath_chain_entry){
			.id = rows[i].id, .downs = lab_words(&lab->arena, rows[i].downs, " ")
		};
		lab->effects[i] = (struct ath_effects){
			.source = lab_has_trait(&rows[i], "blind") ||
						  lab_has_trait(&rows[i], "possible")
					  ? ATH_EFFECTS_UNKNOWN
				  : lab_has_trait(&rows[i], "replay") ? ATH_EFFECTS_REPLAY
								      : ATH_EFFECTS_STATIC,
			.items = items,
			.len = lab_has_trait(&rows[i], "blind") ? 0 : effects.len,
			.has_data = lab_has_trait(&rows[i], "data"),
			.is_lower_bound = lab_has_trait(&rows[i], "lower"),
			.is_literal = !rows[i].traits || lab_has_trait(&rows[i], "replay"),
		};
		ath_vec_fini(&effects);
	}
	if (!ath_chain_build(lab->entries, len, &lab->arena, &lab->chain, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
}

static inline void lab_tear_down(struct lab *lab)
{
	ath_arena_fini(&lab->arena);
}

static inline void lab_put(struct lab_live *live, const struct ath_element *one)
{
	for (size_t i = 0; i < live->items.len; i++) {
		if (!strcmp(live->items.items[i].key, one->key))
			return;
	}
	*ath_vec_push(&live->items) = *one;
}

static inline void lab_remove_at(struct lab_live *live, size_t idx)
{
	live->items.items[idx] = live->items.items[--live->items.len];
}

static inline bool lab_is_part(const struct ath_element *one)
{
	return one->kind == ATH_ELEMENT_COLUMN || one->kind == ATH_ELEMENT_INDEX ||
	       one->kind == ATH_ELEMENT_UNIQUE || one->kind == ATH_ELEMENT_FOREIGN;
}

/* Drop an element with all that goes with it; `to` is the new name of a table that is renamed. */
static inline void lab_drop(struct lab_live *live, const struct ath_element *gone, const char *to,
			    struct ath_arena *arena)
{
	for (size_t i = live->items.len; i-- > 0;) {
		struct ath_element *one = &live->items.items[i];

		if (!strcmp(one->key, gone->key) ||
		    (gone->kind == ATH_ELEMENT_COLUMN && lab_is_part(one) &&
		     ath_element_is_over(one, gone)))
			lab_remove_at(live, i);
		else if (gone->kind == ATH_ELEMENT_TABLE && lab_is_part(one) &&
			 !strcmp(one->table, gone->table) && to)
			*one = ath_element_retable(arena, one, to);
		else if (gone->kind == ATH_ELEMENT_TABLE && lab_is_part(one) &&
			 !strcmp(one->table, gone->table))
			lab_remove_at(live, i);
	}
}

static inline void lab_run_effects(struct lab_live *live, const struct ath_effect *items,
				   size_t len, struct ath_arena *arena)
{
	for (size_t i = 0; i < len; i++) {
		const char *to = NULL;

		for (size_t n = 0; items[i].tie && n < len; n++) {
			if (items[n].tie == items[i].tie && items[n].verb == ATH_EFFECT_ADD)
				to = items[n].element.table;
		}
		if (items[i].verb == ATH_EFFECT_ADD) {
			lab_put(live, &items[i].element);
		} else if (items[i].verb == ATH_EFFECT_DROP) {
			lab_drop(live, &items[i].element, to, arena);
		} else {
			for (size_t n = 0; n < live->items.len; n++) {
				if (!strcmp(live->items.items[n].key, items[i].element.key))
					live->items.items[n].attributes =
						items[i].element.attributes;
			}
		}
	}
}

/* Run words on a live schema. */
static inline void lab_run(struct lab_live *live, const char *text, struct ath_arena *arena)
{
	lab_effects effects = { 0 };

	lab_read_effects(arena, text, &effects);
	lab_run_effects(live, effects.items, effects.len, arena);
	ath_vec_fini(&effects);
}

static inline struct ath_elements lab_elements(struct lab_live *live)
{
	live->items.len = ath_element_sort(live->items.items, live->items.len);
	return (struct ath_elements){ live->items.items, live->items.len };
}

/* Infer; `stamp`: NULL no version table, "" no rows, else ids parted by blanks. */
static inline struct ath_inference lab_infer(struct lab *lab, struct lab_live *live,
					     const struct ath_elements *models, const char *stamp)
{
	struct ath_infer_input input = {
		.chain = &lab->chain,
		.effects = lab->effects,
		.live = lab_elements(live),
		.models = models ? *models : (struct ath_elements){ 0 },
		.has_version_table = stamp,
		.rows = lab_words(&lab->arena, stamp, " "),
	};
	struct ath_inference out;

	ath_infer(&input, &lab->arena, &out);
	return out;
}

static inline const char *lab_join(struct ath_arena *arena, const struct ath_texts *texts)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < texts->len; i++)
		ath_str_printf(&text, "%s%s", i ? " " : "", texts->items[i]);
	copy = ath_arena_strdup(arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

#endif
