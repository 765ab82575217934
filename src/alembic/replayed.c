/* SPDX-License-Identifier: MIT */
/*
 * alembic/replayed: what a replay saw, as effects, and what it adds to the texts.
 *
 * Folding keeps the elements of each table apart, and those of views and triggers together, as that is
 * how they are told: each such group is known anew as a whole, and the difference of two groups is
 * the effect.
 */
#include "alembic/replayed.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* ---- folding ---- */

/* A table, or all views and triggers (`table` is NULL). */
struct group {
	const char *table;
	struct ath_elements now;
};

struct fold {
	struct ath_arena *arena;
	ATH_VEC(struct group) groups;
	ATH_VEC(struct ath_effect) effects; /* of the revision that is being read */
};

static bool is_named(const struct ath_element *element)
{
	return element->kind == ATH_ELEMENT_VIEW || element->kind == ATH_ELEMENT_TRIGGER;
}

static bool is_of(const struct ath_element *element, const char *table)
{
	return table ? !is_named(element) && strcmp(element->table, table) == 0 : is_named(element);
}

static bool is_same_table(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static struct group *get_group(struct fold *fold, const char *table)
{
	ath_vec_each (&fold->groups, one) {
		if (is_same_table(one->table, table))
			return one;
	}
	*ath_vec_push(&fold->groups) = (struct group){ .table = table };
	return &fold->groups.items[fold->groups.len - 1];
}

/* The elements of one group among all; sorted, as they are. */
static struct ath_elements pick(const struct ath_elements *all, const char *table,
				struct ath_arena *arena)
{
	struct ath_element *items;
	size_t len = 0;

	for (size_t i = 0; i < all->len; i++)
		len += is_of(&all->items[i], table);
	items = ath_arena_new(arena, len + 1, sizeof(*items));
	len = 0;
	for (size_t i = 0; i < all->len; i++) {
		if (is_of(&all->items[i], table))
			items[len++] = all->items[i];
	}
	return (struct ath_elements){ items, len };
}

static bool is_same_text(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static bool has_same_attributes(const struct ath_element *one, const struct ath_element *other)
{
	const struct ath_element_attributes *a = &one->attributes, *b = &other->attributes;

	return is_same_text(a->type, b->type) && is_same_text(a->default_value, b->default_value) &&
	       a->is_nullable == b->is_nullable && a->is_key == b->is_key;
}

static void add(struct fold *fold, enum ath_effect_verb verb, const struct ath_element *element)
{
	*ath_vec_push(&fold->effects) = (struct ath_effect){ .verb = verb, .element = *element };
}

/* Both are sorted by key. */
static void add_difference(struct fold *fold, const struct ath_elements *before,
			   const struct ath_elements *after)
{
	size_t b = 0, a = 0;

	while (b < before->len || a < after->len) {
		const struct ath_element *old = b < before->len ? &before->items[b] : NULL;
		const struct ath_element *new = a < after->len ? &after->items[a] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->key, new->key);

		if (order < 0)
			add(fold, ATH_EFFECT_DROP, old);
		else if (order > 0)
			add(fold, ATH_EFFECT_ADD, new);
		else if (!has_same_attributes(old, new))
			add(fold, ATH_EFFECT_ALTER, new);
		b += order <= 0;
		a += order >= 0;
	}
}

/* A table that is told again without a difference was changed in what elements do not show. */
static void add_hidden_change(struct fold *fold, const struct ath_elements *after)
{
	for (size_t i = 0; i < after->len; i++) {
		if (after->items[i].kind == ATH_ELEMENT_TABLE)
			add(fold, ATH_EFFECT_ALTER, &after->items[i]);
	}
}

static void replace(struct fold *fold, const char *table, struct ath_elements after)
{
	struct group *group = get_group(fold, table);
	size_t known = fold->effects.len;

	add_difference(fold, &group->now, &after);
	if (table && fold->effects.len == known)
		add_hidden_change(fold, &after);
	group->now = after;
}

static struct ath_effects read_event(struct fold *fold, const struct ath_replay_event *event)
{
	struct ath_effect *items;

	fold->effects.len = 0;
	for (size_t i = 0; i < event->removed.len; i++)
		replace(fold, event->removed.items[i], (struct ath_elements){ 0 });
	for (size_t i = 0; i < event->tables.len; i++)
		replace(fold, event->tables.items[i],
			pick(&event->elements, event->tables.items[i], fold->arena));
	replace(fold, NULL, pick(&event->elements, NULL, fold->arena));
	items = ath_arena_new(fold->arena, fold->effects.len + 1, sizeof(*items));
	if (fold->effects.len)
		memcpy(items, fold->effects.items, fold->effects.len * sizeof(*items));
	return (struct ath_effects){
		.source = ATH_EFFECTS_REPLAY,
		.items = items,
		.len = fold->effects.len,
	};
}

/* Which revision is it? False: none that could come now. */
static bool find_revision(const struct ath_chain *chain, const struct ath_replay_event *event,
			  size_t idx, bool *has_run, size_t *out)
{
	*out = event->revision ? ath_chain_find(chain, event->revision) : chain->len;
	if (!event->revision)
		return idx == 0;
	if (*out == chain->len || has_run[*out])
		return false;
	has_run[*out] = true;
	return true;
}

bool ath_replayed_fold(const struct ath_chain *chain, const struct ath_replay_event *events,
		       size_t len, struct ath_arena *arena, struct ath_replayed *out)
{
	struct ath_replayed_step *steps = ath_arena_new(arena, len + 1, sizeof(*steps));
	bool *has_run = ath_arena_new(arena, chain->len + 1, sizeof(*has_run));
	struct fold fold = { .arena = arena };
	bool is_fine = true;

	for (size_t i = 0; is_fine && i < len; i++) {
		is_fine = find_revision(chain, &events[i], i, has_run, &steps[i].revision);
		steps[i].effects = read_event(&fold, &events[i]);
	}
	ath_vec_fini(&fold.groups);
	ath_vec_fini(&fold.effects);
	if (is_fine)
		*out = (struct ath_replayed){ steps, len };
	return is_fine;
}

/* ---- merging ---- */

/* Every key that the replay saw, and whether it is there now. */
struct presence {
	const char **keys; /* sorted */
	bool *is_there;
	size_t len;
};

static int compare_keys(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static struct presence start_presence(const struct ath_replayed *replayed, struct ath_arena *arena)
{
	struct presence presence = { 0 };
	size_t most = 0, len = 0;

	for (size_t i = 0; i < replayed->len; i++)
		most += replayed->items[i].effects.len;
	presence.keys = ath_arena_new(arena, most + 1, sizeof(*presence.keys));
	presence.is_there = ath_arena_new(arena, most + 1, sizeof(*presence.is_there));
	for (size_t i = 0; i < replayed->len; i++) {
		for (size_t n = 0; n < replayed->items[i].effects.len; n++)
			presence.keys[len++] = replayed->items[i].effects.items[n].element.key;
	}
	if (len)
		qsort(presence.keys, len, sizeof(*presence.keys), compare_keys);
	for (size_t i = 0; i < len; i++) {
		if (!presence.len || strcmp(presence.keys[presence.len - 1], presence.keys[i]) != 0)
			presence.keys[presence.len++] = presence.keys[i];
	}
	return presence;
}

static bool *find_presence(const struct presence *presence, const char *key)
{
	const char **found = presence->len ? bsearch(&key, presence->keys, presence->len,
						     sizeof(*presence->keys), compare_keys)
					   : NULL;

	return found ? &presence->is_there[found - presence->keys] : NULL;
}

static void apply(struct presence *presence, const struct ath_effects *effects)
{
	for (size_t i = 0; i < effects->len; i++)
		*find_presence(presence, effects->items[i].element.key) =
			effects->items[i].verb != ATH_EFFECT_DROP;
}

/* The effects of a text by key, and those of one key in their order. */
struct index {
	const struct ath_effect **items;
	size_t len;
};

static int compare_effects(const void *one, const void *other)
{
	const struct ath_effect *const *a = one, *const *b = other;
	int order = strcmp((*a)->element.key, (*b)->element.key);

	return order ? order : (*a > *b) - (*a < *b);
}

static struct index sort_effects(const struct ath_effects *effects, struct ath_arena *arena)
{
	struct index index = { ath_arena_new(arena, effects->len + 1, sizeof(*index.items)), 0 };

	for (size_t i = 0; i < effects->len; i++) {
		if (effects->items[i].verb != ATH_EFFECT_ALTER)
			index.items[index.len++] = &effects->items[i];
	}
	if (index.len)
		qsort(index.items, index.len, sizeof(*index.items), compare_effects);
	return index;
}

/* Does the schema show all that the text may do? The last effect on a key counts. */
static bool is_done(const struct presence *presence, const struct index *text)
{
	for (size_t i = 0; i < text->len; i++) {
		const struct ath_effect *one = text->items[i];
		const bool *found = find_presence(presence, one->element.key);
		bool is_there = found && *found;

		if (i + 1 < text->len &&
		    strcmp(one->element.key, text->items[i + 1]->element.key) == 0)
			continue;
		if (is_there != (one->verb == ATH_EFFECT_ADD))
			return false;
	}
	return true;
}

/* Does the text account for all that came and went? */
static bool is_told(const struct index *text, const struct ath_effects *seen,
		    struct ath_arena *arena)
{
	struct index came = sort_effects(seen, arena);
	size_t at = 0;

	for (size_t i = 0; i < came.len; i++) {
		const char *key = came.items[i]->element.key;

		while (at < text->len && strcmp(text->items[at]->element.key, key) < 0)
			at++;
		if (at == text->len || strcmp(text->items[at]->element.key, key) != 0)
			return false;
	}
	return true;
}

static const struct ath_effect *find_effect(const struct ath_effects *effects,
					    const struct ath_effect *wanted)
{
	for (size_t i = 0; i < effects->len; i++) {
		const struct ath_effect *one = &effects->items[i];

		if (one->verb == wanted->verb && strcmp(one->element.key, wanted->element.key) == 0)
			return one;
	}
	return NULL;
}

/* A replay sees a rename as a drop and an add; both ends must be there for the text's word on it. */
static void tie(struct ath_effect *items, const struct ath_effects *seen,
		const struct ath_effects *text)
{
	for (size_t i = 0; i < text->len; i++) {
		const struct ath_effect *drop = &text->items[i], *from, *to = NULL;

		if (!drop->tie || drop->verb != ATH_EFFECT_DROP)
			continue;
		from = find_effect(seen, drop);
		for (size_t n = 0; n < text->len && !to; n++) {
			if (text->items[n].verb == ATH_EFFECT_ADD &&
			    text->items[n].tie == drop->tie)
				to = find_effect(seen, &text->items[n]);
		}
		if (from && to) {
			items[from - seen->items].tie = drop->tie;
			items[to - seen->items].tie = drop->tie;
		}
	}
}

/* The revision is not blind any more: what was seen, and what the text says beside it. */
static struct ath_effects open_eyes(const struct ath_effects *text, const struct ath_effects *seen,
				    struct ath_arena *arena)
{
	struct ath_effect *items = ath_arena_new(arena, seen->len + 1, sizeof(*items));

	if (seen->len)
		memcpy(items, seen->items, seen->len * sizeof(*items));
	tie(items, seen, text);
	return (struct ath_effects){
		.source = ATH_EFFECTS_REPLAY,
		.items = items,
		.len = seen->len,
		.has_data = text->has_data || text->is_guarded,
		.is_lower_bound = text->is_guarded,
		.is_guarded = text->is_guarded,
	};
}

/* One revision of the replay; `presence` is as it left the schema. */
static void merge_step(struct ath_replayed_merge *merge, const struct ath_effects *text,
		       const struct ath_replayed_step *step, const struct presence *presence,
		       struct ath_effects *out, struct ath_arena *arena)
{
	struct index index = sort_effects(text, arena);
	bool is_shown = is_done(presence, &index);

	if (text->source != ATH_EFFECTS_UNKNOWN) {
		merge->disagreements +=
			text->is_literal && !(is_shown && is_told(&index, &step->effects, arena));
	} else if (is_shown && (step->effects.len || !text->is_guarded)) {
		*out = open_eyes(text, &step->effects, arena);
		merge->opened++;
	}
}

struct ath_replayed_merge ath_replayed_merge(const struct ath_chain *chain,
					     const struct ath_effects *effects,
					     const struct ath_replayed *replayed,
					     struct ath_arena *arena)
{
	struct ath_effects *items = ath_arena_new(arena, chain->len + 1, sizeof(*items));
	struct presence presence = start_presence(replayed, arena);
	struct ath_replayed_merge merge = { .items = items };

	for (size_t i = 0; i < chain->len; i++)
		items[i] = effects[i];
	for (size_t i = 0; i < replayed->len; i++) {
		const struct ath_replayed_step *step = &replayed->items[i];

		apply(&presence, &step->effects);
		if (step->revision < chain->len)
			merge_step(&merge, &effects[step->revision], step, &presence,
				   &items[step->revision], arena);
	}
	return merge;
}
