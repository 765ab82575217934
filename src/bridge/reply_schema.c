/* SPDX-License-Identifier: MIT */
/* bridge/reply_schema: what the bridge says about schemas, as elements. */
#include "bridge/reply_schema.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "alembic/lint_text.h"

static const char *const verbs[] = {
	[ATH_EFFECT_ADD] = "add",
	[ATH_EFFECT_DROP] = "drop",
	[ATH_EFFECT_ALTER] = "alter",
};
static_assert(sizeof(verbs) / sizeof(verbs[0]) == ATH_EFFECT_VERB_COUNT_, "one name per verb");

static const char *const note_names[] = {
	[ATH_LINT_NOTE_ADD_COLUMN] = "add_column", [ATH_LINT_NOTE_ALTER] = "alter",
	[ATH_LINT_NOTE_REBUILD] = "rebuild",       [ATH_LINT_NOTE_DATA] = "data",
	[ATH_LINT_NOTE_IMPORT] = "import",         [ATH_LINT_NOTE_MODULE_USE] = "module_use",
	[ATH_LINT_NOTE_APART] = "apart",
};
static_assert(sizeof(note_names) / sizeof(note_names[0]) == ATH_LINT_NOTE_COUNT_,
	      "one name per kind of note");

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *copy_of(const json_t *object, const char *key, struct ath_arena *arena)
{
	return ath_arena_strdup(arena, text_of(object, key));
}

/* The texts of a list; false unless it is a list of texts only. */
static bool read_names(const json_t *list, struct ath_arena *arena, struct ath_texts *out)
{
	size_t len = json_array_size(list);
	const char **items = ath_arena_new(arena, len + 1, sizeof(*items));

	for (size_t i = 0; i < len; i++) {
		items[i] = ath_arena_strdup(arena, json_string_value(json_array_get(list, i)));
		if (!items[i])
			return false;
	}
	*out = (struct ath_texts){ items, len };
	return json_is_array(list);
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static unsigned line_of(const json_t *object)
{
	json_int_t line = json_integer_value(json_object_get(object, "line"));

	return line > 0 && line <= UINT_MAX ? (unsigned)line : 0;
}

static bool is_kind(const char *name, enum ath_element_kind *out)
{
	for (unsigned i = 0; name && i < ATH_ELEMENT_KIND_COUNT_; i++) {
		if (strcmp(ath_element_kind_name((enum ath_element_kind)i), name) == 0) {
			*out = (enum ath_element_kind)i;
			return true;
		}
	}
	return false;
}

static struct ath_element_attributes attributes_of(const json_t *one, const char *value_key,
						   bool is_nullable, bool is_key,
						   struct ath_arena *arena)
{
	const char *type = text_of(one, "type");

	return (struct ath_element_attributes){
		.type = ath_element_type(arena, type ? type : ""),
		.default_value = copy_of(one, value_key, arena),
		.is_nullable = is_nullable,
		.is_key = is_key,
	};
}

/* An index by its columns; by its name where it has expressions. NULL: neither is there. */
static const char *index_key(const json_t *columns, const char *table, const char *name,
			     bool is_unique, struct ath_arena *arena)
{
	struct ath_texts names;

	if (read_names(columns, arena, &names))
		return ath_element_index_key(arena, table, &names, is_unique);
	return name ? ath_element_named_index_key(arena, table, name) : NULL;
}

/* ---- effects ---- */

/* The key of an effect's element; NULL: it does not say which one. */
static const char *effect_key(const json_t *one, enum ath_element_kind kind, const char *table,
			      struct ath_arena *arena)
{
	const char *name = text_of(one, "name"), *column = text_of(one, "column");
	const char *other = text_of(one, "other");
	const json_t *columns = json_object_get(one, "columns");
	struct ath_texts names, other_names;

	switch (kind) {
	case ATH_ELEMENT_TABLE:
		return table ? ath_element_table_key(arena, table) : NULL;
	case ATH_ELEMENT_COLUMN:
		return table && column ? ath_element_column_key(arena, table, column) : NULL;
	case ATH_ELEMENT_INDEX:
		return table ? index_key(columns, table, name, false, arena) : NULL;
	case ATH_ELEMENT_UNIQUE:
		return table && json_is_array(columns)
			       ? index_key(columns, table, NULL, true, arena)
			       : NULL;
	case ATH_ELEMENT_FOREIGN:
		if (!table || !other || !read_names(columns, arena, &names) ||
		    !read_names(json_object_get(one, "other_columns"), arena, &other_names))
			return NULL;
		return ath_element_foreign_key(arena, table, &names, other, &other_names);
	case ATH_ELEMENT_VIEW:
	case ATH_ELEMENT_TRIGGER:
		return name ? ath_element_named_key(arena, kind, name) : NULL;
	default:
		return NULL;
	}
}

static bool read_effect(const json_t *one, struct ath_arena *arena, struct ath_effect *out)
{
	const char *verb = text_of(one, "verb"), *table = text_of(one, "table");
	json_int_t tie = json_integer_value(json_object_get(one, "tie"));
	struct ath_effect effect = { .verb = ATH_EFFECT_VERB_COUNT_ };

	for (unsigned i = 0; verb && i < ATH_EFFECT_VERB_COUNT_; i++) {
		if (strcmp(verbs[i], verb) == 0)
			effect.verb = (enum ath_effect_verb)i;
	}
	if (effect.verb == ATH_EFFECT_VERB_COUNT_ ||
	    !is_kind(text_of(one, "kind"), &effect.element.kind))
		return false;
	effect.element.key = effect_key(one, effect.element.kind, table, arena);
	if (!effect.element.key)
		return false;
	effect.element.name = copy_of(one, "name", arena);
	if (effect.element.kind == ATH_ELEMENT_VIEW || effect.element.kind == ATH_ELEMENT_TRIGGER)
		table = effect.element.name;
	effect.element.table = ath_element_fold(arena, table);
	effect.other =
		text_of(one, "other") ? ath_element_fold(arena, text_of(one, "other")) : NULL;
	effect.line = line_of(one);
	effect.tie = tie > 0 && tie < 1000000 ? (unsigned)tie : 0;
	if (effect.element.kind == ATH_ELEMENT_COLUMN)
		effect.element.attributes = attributes_of(
			one, "server_default", !json_is_false(json_object_get(one, "nullable")),
			json_is_true(json_object_get(one, "key")), arena);
	if (effect.verb == ATH_EFFECT_ALTER && text_of(one, "was"))
		effect.was = ath_element_type(arena, text_of(one, "was"));
	*out = effect;
	return true;
}

/* The effects of a list; returns how many could be read. */
static size_t read_effect_list(const json_t *list, struct ath_arena *arena,
			       const struct ath_effect **out)
{
	struct ath_effect *items = ath_arena_new(arena, json_array_size(list) + 1, sizeof(*items));
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		len += read_effect(json_array_get(list, i), arena, &items[len]);
	*out = items;
	return len;
}

/* ---- what the lint wants to know ---- */

static const char *folded_of(const json_t *one, const char *key, struct ath_arena *arena)
{
	return text_of(one, key) ? ath_element_fold(arena, text_of(one, key)) : NULL;
}

static bool read_note(const json_t *one, struct ath_arena *arena, struct ath_lint_note *out)
{
	const char *kind = text_of(one, "note");
	const char **columns;
	struct ath_texts names;

	*out = (struct ath_lint_note){
		.kind = ATH_LINT_NOTE_COUNT_,
		.line = line_of(one),
		.is_doubtful = is_true(one, "doubt"),
		.is_required = is_true(one, "required"),
		.has_default = is_true(one, "defaulted"),
		.is_batch = is_true(one, "batch"),
		.is_rename = is_true(one, "rename"),
		.is_always = is_true(one, "always"),
		.name = copy_of(one, "name", arena),
		.table = folded_of(one, "table", arena),
	};
	for (unsigned i = 0; kind && i < ATH_LINT_NOTE_COUNT_; i++) {
		if (strcmp(note_names[i], kind) == 0)
			out->kind = (enum ath_lint_note_kind)i;
	}
	out->has_columns = read_names(json_object_get(one, "columns"), arena, &names);
	if (out->has_columns) {
		columns = ath_arena_new(arena, names.len + 1, sizeof(*columns));
		for (size_t i = 0; i < names.len; i++)
			columns[i] = ath_element_fold(arena, names.items[i]);
		out->columns = (struct ath_texts){ columns, names.len };
	}
	return out->kind < ATH_LINT_NOTE_COUNT_;
}

static const struct ath_lint_downgrade *read_downgrade(const json_t *one, struct ath_arena *arena)
{
	struct ath_lint_downgrade *downgrade;
	const json_t *list = json_object_get(one, "effects");

	if (!json_is_object(one))
		return NULL;
	downgrade = ath_arena_new(arena, 1, sizeof(*downgrade));
	downgrade->line = line_of(one);
	downgrade->is_empty = is_true(one, "empty");
	downgrade->len = read_effect_list(list, arena, &downgrade->items);
	downgrade->is_static = is_true(one, "static") && downgrade->len == json_array_size(list);
	return downgrade;
}

static const struct ath_lint_text *read_text(const json_t *one, struct ath_arena *arena)
{
	const json_t *list = json_object_get(one, "notes");
	struct ath_lint_text *text;
	struct ath_lint_note *notes;

	if (!json_is_object(one))
		return NULL;
	text = ath_arena_new(arena, 1, sizeof(*text));
	notes = ath_arena_new(arena, json_array_size(list) + 1, sizeof(*notes));
	text->is_read = is_true(one, "read");
	text->hides = is_true(one, "hides");
	text->message = copy_of(one, "message", arena);
	for (size_t i = 0; i < json_array_size(list); i++)
		text->len += read_note(json_array_get(list, i), arena, &notes[text->len]);
	text->notes = notes;
	text->downgrade = read_downgrade(json_object_get(one, "downgrade"), arena);
	return text;
}

struct ath_effects ath_bridge_read_effects(const json_t *root, struct ath_arena *arena)
{
	const char *source = text_of(root, "source");
	const json_t *list = json_object_get(root, "effects");
	struct ath_effects effects = {
		.source = source && strcmp(source, "static") == 0 ? ATH_EFFECTS_STATIC
								  : ATH_EFFECTS_UNKNOWN,
		.is_literal = is_true(root, "literal"),
		.has_data = is_true(root, "data"),
		.is_lower_bound = is_true(root, "lower_bound"),
		.is_guarded = !json_is_false(json_object_get(root, "guarded")),
		.obstacle = copy_of(root, "obstacle", arena),
		.text = read_text(json_object_get(root, "lint"), arena),
	};

	effects.len = read_effect_list(list, arena, &effects.items);
	if (effects.len < json_array_size(list))
		effects.is_lower_bound = true;
	effects.is_literal = effects.is_literal && !effects.is_lower_bound;
	effects.is_guarded = effects.is_guarded && effects.source == ATH_EFFECTS_UNKNOWN;
	return effects;
}

/* ---- schema ---- */

struct builder {
	struct ath_arena *arena;
	struct ath_element *items;
	size_t len;
	const char *table; /* as written */
};

static void put(struct builder *to, enum ath_element_kind kind, const char *key, const char *name,
		struct ath_element_attributes attributes)
{
	if (!key)
		return;
	to->items[to->len++] = (struct ath_element){
		.kind = kind,
		.table = ath_element_fold(to->arena, to->table),
		.key = key,
		.name = name,
		.attributes = attributes,
	};
}

static void put_column(struct builder *to, const json_t *one)
{
	const char *name = text_of(one, "name");
	bool is_nullable = !json_is_true(json_object_get(one, "notnull"));
	bool is_key = json_integer_value(json_object_get(one, "pk")) > 0;

	/* Hidden columns of virtual tables are 1; generated columns are 2 and 3. */
	if (name && json_integer_value(json_object_get(one, "hidden")) != 1)
		put(to, ATH_ELEMENT_COLUMN, ath_element_column_key(to->arena, to->table, name),
		    NULL, attributes_of(one, "default", is_nullable, is_key, to->arena));
}

static void put_index(struct builder *to, const json_t *one)
{
	const json_t *columns = json_object_get(one, "columns");
	const char *origin = text_of(one, "origin"), *name = copy_of(one, "name", to->arena);
	bool is_unique = json_is_true(json_object_get(one, "unique"));
	struct ath_texts names;

	if (origin && strcmp(origin, "pk") == 0)
		return;
	if (!read_names(columns, to->arena, &names))
		is_unique = false;
	put(to, is_unique ? ATH_ELEMENT_UNIQUE : ATH_ELEMENT_INDEX,
	    index_key(columns, to->table, name, is_unique, to->arena),
	    origin && strcmp(origin, "c") == 0 ? name : NULL, (struct ath_element_attributes){ 0 });
}

static void put_foreign(struct builder *to, const json_t *one)
{
	const char *other = text_of(one, "table");
	struct ath_texts names, other_names;

	if (other && read_names(json_object_get(one, "columns"), to->arena, &names) &&
	    read_names(json_object_get(one, "to"), to->arena, &other_names))
		put(to, ATH_ELEMENT_FOREIGN,
		    ath_element_foreign_key(to->arena, to->table, &names, other, &other_names),
		    NULL, (struct ath_element_attributes){ 0 });
}

static void put_each(struct builder *to, const json_t *object, const char *key,
		     void (*put_one)(struct builder *to, const json_t *one))
{
	const json_t *list = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		put_one(to, json_array_get(list, i));
}

static void put_table(struct builder *to, const json_t *one)
{
	to->table = copy_of(one, "name", to->arena);
	if (!to->table)
		return;
	put(to, ATH_ELEMENT_TABLE, ath_element_table_key(to->arena, to->table), NULL,
	    (struct ath_element_attributes){ 0 });
	put_each(to, one, "columns", put_column);
	put_each(to, one, "indexes", put_index);
	put_each(to, one, "foreign", put_foreign);
}

static void put_named(struct builder *to, const json_t *one, enum ath_element_kind kind)
{
	to->table = copy_of(one, "name", to->arena);
	if (to->table)
		put(to, kind, ath_element_named_key(to->arena, kind, to->table), to->table,
		    (struct ath_element_attributes){ 0 });
}

static void put_view(struct builder *to, const json_t *one)
{
	put_named(to, one, ATH_ELEMENT_VIEW);
}

static void put_trigger(struct builder *to, const json_t *one)
{
	put_named(to, one, ATH_ELEMENT_TRIGGER);
}

/* No more elements than that can come out of a reply. */
static size_t most_elements(const json_t *root)
{
	const json_t *tables = json_object_get(root, "tables");
	size_t most = json_array_size(json_object_get(root, "views")) +
		      json_array_size(json_object_get(root, "triggers"));

	for (size_t i = 0; i < json_array_size(tables); i++) {
		const json_t *one = json_array_get(tables, i);

		most += 1 + json_array_size(json_object_get(one, "columns")) +
			json_array_size(json_object_get(one, "indexes")) +
			json_array_size(json_object_get(one, "foreign"));
	}
	return most;
}

struct ath_elements ath_bridge_read_schema(const json_t *root, struct ath_arena *arena,
					   struct ath_texts *out_tables)
{
	const json_t *tables = json_object_get(root, "tables");
	const char **names = ath_arena_new(arena, json_array_size(tables) + 1, sizeof(*names));
	struct builder to = { .arena = arena };
	size_t len = 0;

	to.items = ath_arena_new(arena, most_elements(root) + 1, sizeof(*to.items));
	for (size_t i = 0; i < json_array_size(tables); i++) {
		put_table(&to, json_array_get(tables, i));
		if (to.table)
			names[len++] = ath_element_fold(arena, to.table);
	}
	put_each(&to, root, "views", put_view);
	put_each(&to, root, "triggers", put_trigger);
	*out_tables = (struct ath_texts){ names, len };
	return (struct ath_elements){ to.items, ath_element_sort(to.items, to.len) };
}
