/* SPDX-License-Identifier: MIT */
/* alembic/effects_text: effects of revisions as bytes and back. */
#include "alembic/effects_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The structs are made by position, so that a member that is not kept here does not compile. */
#pragma GCC diagnostic error "-Wmissing-field-initializers"

/* The traits of a revision, a digit each; then a blank and the number of effects. */
enum {
	IS_SOURCE,
	IS_LITERAL,
	HAS_DATA,
	IS_LOWER_BOUND,
	IS_GUARDED,
	REVISION_TRAITS,
};

/* The traits of an effect; then a blank and its tie. */
enum {
	IS_VERB,
	IS_KIND,
	IS_NULLABLE,
	IS_KEY,
	EFFECT_TRAITS,
};

static void put_text(struct ath_str *out, const char *text)
{
	ath_str_putc(out, text ? '=' : '-');
	ath_str_add(out, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void put_effect(struct ath_str *out, const struct ath_effect *effect)
{
	const struct ath_element *element = &effect->element;

	ath_str_printf(out, "%u%u%d%d %u", effect->verb, element->kind,
		       element->attributes.is_nullable, element->attributes.is_key, effect->tie);
	ath_str_putc(out, '\0');
	put_text(out, element->table);
	put_text(out, element->key);
	put_text(out, element->name);
	put_text(out, element->attributes.type);
	put_text(out, element->attributes.default_value);
	put_text(out, effect->was);
}

void ath_effects_text_put(struct ath_str *out, const char *revision,
			  const struct ath_effects *effects)
{
	put_text(out, revision);
	ath_str_printf(out, "%u%d%d%d%d %zu", effects->source, effects->is_literal,
		       effects->has_data, effects->is_lower_bound, effects->is_guarded,
		       effects->len);
	ath_str_putc(out, '\0');
	put_text(out, effects->obstacle);
	for (size_t i = 0; i < effects->len; i++)
		put_effect(out, &effects->items[i]);
}

/* The next text with its mark, or NULL at the end. */
static const char *next(struct ath_effects_text *text)
{
	const char *at = text->at;
	const char *end = at < text->end ? memchr(at, '\0', (size_t)(text->end - at)) : NULL;

	if (end)
		text->at = end + 1;
	return end ? at : NULL;
}

static bool take_text(struct ath_effects_text *text, const char **out)
{
	const char *at = next(text);

	if (!at || (*at != '=' && strcmp(at, "-") != 0))
		return false;
	*out = *at == '=' ? at + 1 : NULL;
	return true;
}

/* Traits, each below its limit, and the number behind them. */
static bool take_traits(struct ath_effects_text *text, const unsigned *limits, size_t len,
			unsigned *out_traits, size_t *out_number)
{
	const char *at = next(text);
	char *end;

	for (size_t i = 0; at && i < len; i++, at++) {
		out_traits[i] = (unsigned)(*at - '0');
		if (*at < '0' || out_traits[i] >= limits[i])
			return false;
	}
	if (!at || at[0] != ' ' || at[1] < '0' || at[1] > '9')
		return false;
	*out_number = strtoul(at + 1, &end, 10);
	return *end == '\0';
}

static bool take_effect(struct ath_effects_text *text, struct ath_effect *out)
{
	static const unsigned limits[] = { ATH_EFFECT_VERB_COUNT_, ATH_ELEMENT_KIND_COUNT_, 2, 2 };
	const char *table, *key, *name, *type, *value, *was;
	unsigned traits[EFFECT_TRAITS];
	size_t tie;

	if (!take_traits(text, limits, EFFECT_TRAITS, traits, &tie) || tie > UINT_MAX ||
	    !take_text(text, &table) || !take_text(text, &key) || !take_text(text, &name) ||
	    !take_text(text, &type) || !take_text(text, &value) || !take_text(text, &was) ||
	    !table || !key)
		return false;
	*out = (struct ath_effect){
		.verb = (enum ath_effect_verb)traits[IS_VERB],
		.element = { (enum ath_element_kind)traits[IS_KIND],
			     table,
			     key,
			     name,
			     { type, value, traits[IS_NULLABLE] != 0, traits[IS_KEY] != 0 } },
		.tie = (unsigned)tie,
		.was = was,
	};
	return true;
}

/* A revision without its effects. */
static bool take_revision(struct ath_effects_text *text, const char **out_revision,
			  struct ath_effects *out)
{
	static const unsigned limits[] = { ATH_EFFECTS_SOURCE_COUNT_, 2, 2, 2, 2 };
	unsigned traits[REVISION_TRAITS];
	const char *obstacle;
	size_t len;

	if (!take_text(text, out_revision) || !*out_revision ||
	    !take_traits(text, limits, REVISION_TRAITS, traits, &len) ||
	    !take_text(text, &obstacle) || len > (size_t)(text->end - text->at))
		return false;
	*out = (struct ath_effects){
		.source = (enum ath_effects_source)traits[IS_SOURCE],
		.len = len,
		.is_literal = traits[IS_LITERAL] != 0,
		.has_data = traits[HAS_DATA] != 0,
		.is_lower_bound = traits[IS_LOWER_BOUND] != 0,
		.is_guarded = traits[IS_GUARDED] != 0,
		.obstacle = obstacle,
	};
	return true;
}

bool ath_effects_text_next(struct ath_effects_text *text, struct ath_arena *arena,
			   const char **out_revision, struct ath_effects *out)
{
	struct ath_effects_text left = *text;
	struct ath_effects effects;
	struct ath_effect *items;
	const char *revision;

	if (!take_revision(&left, &revision, &effects))
		return false;
	items = ath_arena_new(arena, effects.len + 1, sizeof(*items));
	for (size_t i = 0; i < effects.len; i++) {
		if (!take_effect(&left, &items[i]))
			return false;
	}
	effects.items = items;
	*text = left;
	*out_revision = revision;
	*out = effects;
	return true;
}
