/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint: rules about what the revisions do to the schema, taken together.
 *
 * The effects of all upgrades are sorted by element, in the order in which they run, and so are
 * those of all downgrades, from the head down. A rule then looks at one element at a time: added,
 * and added again before it was dropped; changed, and never added.
 */
#include <stdlib.h>
#include <string.h>

#include "alembic/lint_rules.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- gathering ---- */

static int compare_numbers(size_t one, size_t other)
{
	return (one > other) - (one < other);
}

static int compare_touches(const void *one, const void *other)
{
	const struct ath_lint_touch *a = one, *b = other;
	int order = strcmp(a->effect->element.key, b->effect->element.key);

	if (order)
		return order;
	return a->place != b->place ? compare_numbers(a->place, b->place)
				    : compare_numbers(a->idx, b->idx);
}

/* Does the effect come with its table's, which stands in the same line? */
static bool is_derived(const struct ath_effect *items, size_t len, const struct ath_effect *effect)
{
	if (effect->element.kind == ATH_ELEMENT_TABLE)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (items[i].element.kind == ATH_ELEMENT_TABLE && items[i].verb == effect->verb &&
		    items[i].line == effect->line &&
		    ath_str_is(items[i].element.table, effect->element.table))
			return true;
	}
	return false;
}

/* The effects of one revision's upgrade() or downgrade(). */
static size_t effects_of(const struct ath_effects *effects, bool is_up,
			 const struct ath_effect **out)
{
	const struct ath_lint_downgrade *down = effects->text ? effects->text->downgrade : NULL;

	if (!is_up)
		*out = down ? down->items : NULL;
	else
		*out = effects->items;
	return is_up ? effects->len : down ? down->len : 0;
}

static struct ath_lint_touches gather(struct ath_lint_run *run, bool is_up)
{
	const struct ath_lint_subject *subject = run->subject;
	const struct ath_effect *items;
	struct ath_lint_touch *touches;
	size_t most = 1, len = 0;

	for (size_t i = 0; i < subject->len; i++)
		most += effects_of(&subject->effects[i], is_up, &items);
	touches = ath_arena_new(run->arena, most, sizeof(*touches));
	for (size_t i = 0; i < subject->len; i++) {
		size_t count = effects_of(&subject->effects[i], is_up, &items);
		size_t place = subject->chain->nodes[i].place;

		for (size_t n = 0; n < count; n++)
			touches[len++] = (struct ath_lint_touch){
				.effect = &items[n],
				.revision = i,
				.place = is_up ? place : subject->len - 1 - place,
				.idx = n,
				.is_derived = is_derived(items, count, &items[n]),
			};
	}
	qsort(touches, len, sizeof(*touches), compare_touches);
	return (struct ath_lint_touches){ touches, len };
}

static bool hides(const struct ath_effects *effects)
{
	if (effects->source == ATH_EFFECTS_UNKNOWN)
		return true;
	return effects->text ? effects->text->hides : effects->is_lower_bound;
}

void ath_lint_gather(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;
	bool *by_place = ath_arena_new(run->arena, subject->len + 1, sizeof(*by_place));
	bool is_hidden = false;

	for (size_t i = 0; i < subject->len; i++) {
		is_hidden = is_hidden || hides(&subject->effects[subject->chain->order.items[i]]);
		by_place[i] = is_hidden;
	}
	run->hides = by_place;
	run->ups = gather(run, true);
	run->downs = gather(run, false);
}

bool ath_lint_makes(const struct ath_lint_run *run, size_t revision, const char *key)
{
	const struct ath_effects *effects = &run->subject->effects[revision];

	for (size_t i = 0; i < effects->len; i++) {
		if (effects->items[i].verb == ATH_EFFECT_ADD && !effects->items[i].tie &&
		    strcmp(effects->items[i].element.key, key) == 0)
			return true;
	}
	return false;
}

static bool is_table_or_column(const struct ath_effect *effect)
{
	return effect->element.kind == ATH_ELEMENT_TABLE ||
	       effect->element.kind == ATH_ELEMENT_COLUMN;
}

static bool is_same(const struct ath_lint_touch *one, const struct ath_lint_touch *other)
{
	return strcmp(one->effect->element.key, other->effect->element.key) == 0;
}

/* How many touches the element of the first one has. */
static size_t group_len(const struct ath_lint_touches *touches, size_t start)
{
	size_t len = 1;

	while (start + len < touches->len &&
	       is_same(&touches->items[start], &touches->items[start + len]))
		len++;
	return len;
}

/* ---- the same effect in two revisions ---- */

static bool is_static(const struct ath_lint_run *run, const struct ath_lint_touch *touch)
{
	return run->subject->effects[touch->revision].source != ATH_EFFECTS_UNKNOWN;
}

static bool has_drop(const struct ath_lint_touch *group, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (group[i].effect->verb == ATH_EFFECT_DROP)
			return true;
	}
	return false;
}

/* A revision between the two that may do what cannot be read, or NULL. */
static const char *find_blind(const struct ath_lint_run *run, const struct ath_lint_touch *first,
			      const struct ath_lint_touch *second)
{
	const struct ath_chain *chain = run->subject->chain;

	for (size_t place = first->place + 1; place < second->place; place++) {
		if (hides(&run->subject->effects[chain->order.items[place]]))
			return chain->entries[chain->order.items[place]].id;
	}
	return NULL;
}

static void add_same(struct ath_lint_run *run, const struct ath_lint_touch *first,
		     const struct ath_lint_touch *second, bool is_dropped)
{
	const char *key = second->effect->element.key, *blind = find_blind(run, first, second);
	const char *other = ath_lint_place(run, first->revision, first->effect->line);
	bool is_after =
		first->revision == second->revision ||
		ath_chain_is_ancestor(run->subject->chain, first->revision, second->revision);

	if (!is_static(run, first) || !is_static(run, second) || (!is_after && is_dropped))
		return;
	if (!is_after)
		ath_lint_add(run, second->revision, second->effect->line,
			     "adds %s, as %s does on another branch: a database cannot run both",
			     key, other);
	else
		ath_lint_add(run, second->revision, second->effect->line,
			     "adds %s, which %s has added already: it cannot run after that%s%s%s",
			     key, other, blind ? " (unless " : "", blind ? blind : "",
			     blind ? ", which cannot be read, drops it)" : "");
}

void ath_lint_same_effect_twice(struct ath_lint_run *run)
{
	const struct ath_lint_touches *ups = &run->ups;

	for (size_t at = 0, len; at < ups->len; at += len) {
		const struct ath_lint_touch *group = &ups->items[at], *last = NULL;

		len = group_len(ups, at);
		if (!is_table_or_column(group->effect))
			continue;
		for (size_t i = 0; i < len; i++) {
			if (group[i].effect->verb == ATH_EFFECT_DROP)
				last = NULL;
			if (group[i].effect->verb != ATH_EFFECT_ADD)
				continue;
			if (last && !group[i].is_derived)
				add_same(run, last, &group[i], has_drop(group, len));
			last = &group[i];
		}
	}
}

/* ---- what no revision makes ---- */

/* A revision speaks of a table. */
struct use {
	const char *table;
	const struct ath_lint_touch *touch;
	bool is_made, is_renamed; /* it adds the table; under a new name only */
	bool is_reference;        /* a foreign key of another table to it */
};

static int compare_uses(const void *one, const void *other)
{
	const struct use *a = one, *b = other;
	int order = strcmp(a->table, b->table);

	if (order)
		return order;
	return a->touch->place != b->touch->place
		       ? compare_numbers(a->touch->place, b->touch->place)
		       : compare_numbers(a->touch->idx, b->touch->idx);
}

struct uses {
	struct use *items; /* by table, then in the order in which they run */
	size_t len;
};

static struct uses list_uses(struct ath_lint_run *run)
{
	struct use *items = ath_arena_new(run->arena, 2 * run->ups.len + 1, sizeof(*items));
	size_t len = 0;

	for (size_t i = 0; i < run->ups.len; i++) {
		const struct ath_lint_touch *touch = &run->ups.items[i];
		const struct ath_effect *effect = touch->effect;
		bool is_made =
			effect->verb == ATH_EFFECT_ADD && effect->element.kind == ATH_ELEMENT_TABLE;

		if (effect->element.kind == ATH_ELEMENT_VIEW ||
		    effect->element.kind == ATH_ELEMENT_TRIGGER)
			continue;
		items[len++] = (struct use){ effect->element.table, touch, is_made,
					     is_made && effect->tie, false };
		if (effect->verb == ATH_EFFECT_ADD && effect->other &&
		    !ath_str_is(effect->other, effect->element.table))
			items[len++] = (struct use){ effect->other, touch, false, false, true };
	}
	qsort(items, len, sizeof(*items), compare_uses);
	return (struct uses){ items, len };
}

/* Where the uses of a table begin; `out_len` is 0 if there are none. */
static size_t find_uses(const struct uses *uses, const char *table, size_t *out_len)
{
	size_t low = 0, high = uses->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(uses->items[middle].table, table) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*out_len = 0;
	while (low + *out_len < uses->len && strcmp(uses->items[low + *out_len].table, table) == 0)
		++*out_len;
	return low;
}

/* The first revision that makes the table, or NULL. */
static const struct use *find_maker(const struct use *group, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (group[i].is_made)
			return &group[i];
	}
	return NULL;
}

static void check_table(struct ath_lint_run *run, const struct use *group, size_t len)
{
	const struct use *maker = find_maker(group, len);
	const struct ath_lint_touch *touch = group->touch;

	/* Within one revision a foreign key may stand before the table that it refers to. */
	if (maker == group || run->hides[touch->place] ||
	    (maker && group->is_reference && maker->touch->revision == touch->revision) ||
	    strcmp(group->table, "alembic_version") == 0)
		return;
	ath_lint_add(run, touch->revision, touch->effect->line,
		     "needs table %s, which no revision before it makes (%s): it runs on databases "
		     "of create_all only",
		     group->table,
		     group->is_reference ? "a foreign key refers to it"
					 : ath_arena_printf(run->arena, "it changes %s",
							    touch->effect->element.key));
}

/* Is it certain what columns the table has at its first touch of them? */
static bool is_whole(const struct uses *uses, const struct ath_lint_touch *touch)
{
	size_t len, at = find_uses(uses, touch->effect->element.table, &len);
	const struct use *group = &uses->items[at];

	for (size_t i = 0; i < len; i++) {
		if (group[i].is_renamed)
			return false;
	}
	return len && group->is_made && !touch->is_derived &&
	       (group->touch->place < touch->place ||
		(group->touch->place == touch->place && group->touch->idx < touch->idx));
}

void ath_lint_unmade(struct ath_lint_run *run)
{
	const struct ath_lint_touches *ups = &run->ups;
	struct uses uses = list_uses(run);

	for (size_t at = 0, len; at < uses.len; at += len) {
		find_uses(&uses, uses.items[at].table, &len);
		check_table(run, &uses.items[at], len);
	}
	for (size_t at = 0; at < ups->len; at += group_len(ups, at)) {
		const struct ath_lint_touch *touch = &ups->items[at];
		const struct ath_effect *effect = touch->effect;

		if (effect->element.kind == ATH_ELEMENT_COLUMN && effect->verb != ATH_EFFECT_ADD &&
		    !run->hides[touch->place] && is_whole(&uses, touch))
			ath_lint_add(run, touch->revision, effect->line,
				     "%s %s, which no revision makes: it runs on databases of "
				     "create_all only",
				     effect->tie                       ? "renames"
				     : effect->verb == ATH_EFFECT_DROP ? "drops"
								       : "alters",
				     effect->element.key);
	}
}

/* ---- downgrades ---- */

void ath_lint_downgrade_missing(struct ath_lint_run *run)
{
	for (size_t i = 0; i < run->subject->len; i++) {
		const struct ath_effects *effects = &run->subject->effects[i];
		const struct ath_lint_text *text = effects->text;

		if (!text || !text->is_read)
			continue;
		if (!text->downgrade)
			ath_lint_add(run, i, 1, "there is no downgrade()");
		else if (text->downgrade->is_empty && effects->len &&
			 effects->source != ATH_EFFECTS_UNKNOWN)
			ath_lint_add(run, i, text->downgrade->line,
				     "downgrade() does nothing, and upgrade() changes the schema");
	}
}

/* A drop that is written down, of a table or column, by a downgrade that can be followed. */
static bool is_plain_drop(const struct ath_lint_run *run, const struct ath_lint_touch *touch)
{
	return touch->effect->verb == ATH_EFFECT_DROP && !touch->effect->tie &&
	       !touch->is_derived && is_table_or_column(touch->effect) &&
	       run->subject->effects[touch->revision].text->downgrade->is_static;
}

/* Does upgrade() make it, under whatever name it had before? */
static bool has_add(const struct ath_effects *effects, const char *key)
{
	for (size_t i = 0; i < effects->len; i++) {
		if (effects->items[i].verb == ATH_EFFECT_ADD &&
		    strcmp(effects->items[i].element.key, key) == 0)
			return true;
	}
	return false;
}

void ath_lint_downgrade_unmade(struct ath_lint_run *run)
{
	const struct ath_lint_touches *downs = &run->downs;

	for (size_t i = 0; i < downs->len; i++) {
		const struct ath_lint_touch *touch = &downs->items[i];
		const struct ath_effects *effects = &run->subject->effects[touch->revision];
		bool is_own = i && is_same(touch - 1, touch) &&
			      touch[-1].revision == touch->revision &&
			      touch[-1].effect->verb == ATH_EFFECT_ADD;

		if (is_plain_drop(run, touch) && !hides(effects) && !is_own &&
		    !has_add(effects, touch->effect->element.key))
			ath_lint_add(run, touch->revision, touch->effect->line,
				     "downgrade() drops %s, which its upgrade() does not make",
				     touch->effect->element.key);
	}
}

void ath_lint_downgrade_twice(struct ath_lint_run *run)
{
	const struct ath_lint_touches *downs = &run->downs;
	const struct ath_lint_touch *last = NULL;

	for (size_t i = 0; i < downs->len; i++) {
		const struct ath_lint_touch *touch = &downs->items[i];

		if (last && !is_same(last, touch))
			last = NULL;
		if (touch->effect->verb == ATH_EFFECT_ADD)
			last = NULL;
		if (touch->effect->verb != ATH_EFFECT_DROP)
			continue;
		if (last && is_plain_drop(run, touch) && is_plain_drop(run, last) &&
		    (touch->revision == last->revision ||
		     ath_chain_is_ancestor(run->subject->chain, touch->revision, last->revision)))
			ath_lint_add(run, touch->revision, touch->effect->line,
				     "downgrade() drops %s, which the downgrade of %s has dropped "
				     "already",
				     touch->effect->element.key,
				     ath_lint_place(run, last->revision, last->effect->line));
		last = touch;
	}
}
