/* SPDX-License-Identifier: MIT */
/*
 * alembic/interval: walks the chain in its order and lets every effect touch its track.
 *
 * The touches of one revision on one track stay in the order of its text; the last one counts.
 */
#include "alembic/interval.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

struct builder {
	struct ath_arena *arena;
	struct ath_intervals *out;
	ATH_VEC(struct ath_track) tracks;
	enum ath_presence *now; /* by track: after all touches so far; grows with tracks.cap */
	size_t now_cap;
	size_t *slots; /* open addressing: number of a track + 1; 0: free */
	size_t slots_len;
	size_t place;              /* of the revision that is being read */
	bool has_blind;            /* one before it may do more than is known */
	struct ath_touch **behind; /* where the next touch of this revision is linked */
};

static size_t slot_of(const char *key, size_t len)
{
	struct ath_hash hash = ath_hash_start();

	ath_hash_add_text(&hash, key);
	return (size_t)(hash.value ^ (hash.value >> 64)) & (len - 1);
}

static void grow_slots(struct builder *builder)
{
	size_t len = builder->slots_len ? builder->slots_len * 2 : 256;

	free(builder->slots);
	builder->slots = ath_mem_new(len, sizeof(*builder->slots));
	builder->slots_len = len;
	for (size_t i = 0; i < builder->tracks.len; i++) {
		size_t slot = slot_of(builder->tracks.items[i].element.key, len);

		while (builder->slots[slot])
			slot = (slot + 1) & (len - 1);
		builder->slots[slot] = i + 1;
	}
}

static size_t *find_slot(struct builder *builder, const char *key)
{
	size_t slot;

	if (2 * (builder->tracks.len + 1) > builder->slots_len)
		grow_slots(builder);
	slot = slot_of(key, builder->slots_len);
	while (builder->slots[slot] &&
	       strcmp(builder->tracks.items[builder->slots[slot] - 1].element.key, key))
		slot = (slot + 1) & (builder->slots_len - 1);
	return &builder->slots[slot];
}

static bool is_part(enum ath_element_kind kind)
{
	return kind == ATH_ELEMENT_COLUMN || kind == ATH_ELEMENT_INDEX ||
	       kind == ATH_ELEMENT_UNIQUE || kind == ATH_ELEMENT_FOREIGN;
}

static size_t add_track(struct builder *builder, const struct ath_element *element)
{
	size_t idx = builder->tracks.len;

	*ath_vec_push(&builder->tracks) = (struct ath_track){
		.element = *element,
		.live = ath_element_find(&builder->out->live, element->key),
		.first = ATH_PRESENCE_IMPLIED,
		.table = ATH_TRACK_NONE,
		.child = ATH_TRACK_NONE,
		.sibling = ATH_TRACK_NONE,
	};
	if (builder->now_cap < builder->tracks.cap) {
		builder->now_cap = builder->tracks.cap;
		builder->now = ath_mem_grow(builder->now, builder->now_cap, sizeof(*builder->now));
	}
	builder->now[idx] = ATH_PRESENCE_IMPLIED;
	return idx;
}

/* The track of an element; a new one hangs below its table, which is made where it is not known. */
static size_t get_track(struct builder *builder, const struct ath_element *element)
{
	size_t *slot = find_slot(builder, element->key), idx, table;
	struct ath_element parent = { .kind = ATH_ELEMENT_TABLE, .table = element->table };

	if (*slot)
		return *slot - 1;
	*slot = builder->tracks.len + 1;
	idx = add_track(builder, element);
	if (!is_part(element->kind))
		return idx;
	parent.key = ath_element_table_key(builder->arena, element->table);
	slot = find_slot(builder, parent.key);
	if (!*slot) {
		*slot = builder->tracks.len + 1;
		add_track(builder, &parent);
	}
	table = *slot - 1;
	builder->tracks.items[idx].table = table;
	builder->tracks.items[idx].sibling = builder->tracks.items[table].child;
	builder->tracks.items[table].child = idx;
	return idx;
}

static void touch(struct builder *builder, size_t idx, enum ath_touch_verb verb,
		  const struct ath_element *with, bool is_derived)
{
	struct ath_touch *one = ath_arena_new(builder->arena, 1, sizeof(*one));
	struct ath_track *track = &builder->tracks.items[idx];

	*one = (struct ath_touch){
		.verb = verb,
		.said = verb,
		.place = builder->place,
		.track = idx,
		.is_derived = is_derived,
		.with = with,
	};
	if (!track->touches && verb == ATH_TOUCH_ADD && !track->is_required) {
		track->first = ATH_PRESENCE_NOT_YET;
		builder->now[idx] = ATH_PRESENCE_NOT_YET;
	}
	if (!track->touches && verb == ATH_TOUCH_NEED) {
		track->first = ATH_PRESENCE_UNKNOWN;
		builder->now[idx] = ATH_PRESENCE_UNKNOWN;
	}
	if (track->last)
		track->last->next = one;
	else
		track->touches = one;
	track->last = one;
	builder->now[idx] = ath_interval_next(builder->now[idx], one);
	*builder->behind = one;
	builder->behind = &one->beside;
}

/* The other half of a rename, or NULL. */
static const struct ath_element *find_tied(const struct ath_effects *effects,
					   const struct ath_effect *drop)
{
	for (size_t i = 0; drop->tie && i < effects->len; i++) {
		const struct ath_effect *one = &effects->items[i];

		if (one->verb == ATH_EFFECT_ADD && one->tie == drop->tie &&
		    one->element.kind == drop->element.kind)
			return &one->element;
	}
	return NULL;
}

/* Has a revision touched it that is neither before nor after the one that is being read? */
static bool is_touched_aside(const struct builder *builder, size_t idx)
{
	const struct ath_chain *chain = builder->out->chain;
	const struct ath_touch *one = builder->tracks.items[idx].touches;

	while (one && !builder->out->is_linear &&
	       (one->place == builder->place ||
		ath_chain_is_ancestor(chain, chain->order.items[one->place],
				      chain->order.items[builder->place])))
		one = one->next;
	return !builder->out->is_linear && one;
}

/* Parts of a table that is dropped or renamed go, or move under the new name. */
static void move_parts(struct builder *builder, size_t table, const char *to)
{
	size_t next;

	for (size_t idx = builder->tracks.items[table].child; idx != ATH_TRACK_NONE; idx = next) {
		struct ath_element *moved;
		size_t target;
		bool is_aside;

		next = builder->tracks.items[idx].sibling;
		is_aside = is_touched_aside(builder, idx);
		builder->out->is_tangled = builder->out->is_tangled || (to && is_aside);
		if (builder->now[idx] != ATH_PRESENCE_IN)
			continue;
		moved = ath_arena_new(builder->arena, 1, sizeof(*moved));
		*moved = builder->tracks.items[idx].last->with
				 ? *builder->tracks.items[idx].last->with
				 : builder->tracks.items[idx].element;
		/* without its table it is not judged: no need to contest it */
		if (!is_aside)
			touch(builder, idx, ATH_TOUCH_DROP, NULL, true);
		if (!to)
			continue;
		*moved = ath_element_retable(builder->arena, moved, to);
		target = get_track(builder, moved);
		touch(builder, target, ATH_TOUCH_ADD, moved, true);
		builder->tracks.items[target].is_contested = is_aside;
	}
}

/* An index goes with its column, and has another key when the column is renamed. */
static void drop_indexes(struct builder *builder, size_t column)
{
	size_t table = builder->tracks.items[column].table;

	for (size_t idx = builder->tracks.items[table].child; idx != ATH_TRACK_NONE;
	     idx = builder->tracks.items[idx].sibling) {
		const struct ath_track *one = &builder->tracks.items[idx];

		if (one->element.kind != ATH_ELEMENT_COLUMN &&
		    builder->now[idx] == ATH_PRESENCE_IN &&
		    ath_element_is_over(&one->element, &builder->tracks.items[column].element))
			touch(builder, idx, ATH_TOUCH_DROP, NULL, true);
	}
}

/* A table that no revision so far has made must be there: from the start, if none could make it. */
static void need_table(struct builder *builder, size_t idx)
{
	struct ath_track *table = &builder->tracks.items[idx];

	if (table->touches || table->is_required)
		return;
	if (builder->has_blind)
		touch(builder, idx, ATH_TOUCH_NEED, NULL, true);
	else
		table->is_required = true;
}

static void read_effect(struct builder *builder, const struct ath_effects *effects,
			const struct ath_effect *effect)
{
	static const enum ath_touch_verb verbs[] = {
		[ATH_EFFECT_ADD] = ATH_TOUCH_ADD,
		[ATH_EFFECT_DROP] = ATH_TOUCH_DROP,
		[ATH_EFFECT_ALTER] = ATH_TOUCH_ALTER,
	};
	bool is_known = effects->source != ATH_EFFECTS_UNKNOWN;
	size_t idx = get_track(builder, &effect->element);
	struct ath_track *track = &builder->tracks.items[idx];

	if (is_known && track->table != ATH_TRACK_NONE) {
		need_table(builder, track->table);
		if (!builder->out->is_linear && builder->now[track->table] == ATH_PRESENCE_OUT)
			builder->out->is_tangled = true;
	}
	if (is_known && effect->element.kind == ATH_ELEMENT_TABLE &&
	    effect->verb == ATH_EFFECT_ALTER)
		need_table(builder, idx);
	touch(builder, idx, is_known ? verbs[effect->verb] : ATH_TOUCH_LOSE, &effect->element,
	      false);
	track = &builder->tracks.items[idx];
	track->last->said = verbs[effect->verb];
	track->last->was = is_known ? effect->was : NULL;
	if (track->last == track->touches)
		track->first_type = track->last->was;
}

/* What an effect brings with it that the text does not say. */
static void follow_drop(struct builder *builder, const struct ath_effects *effects,
			const struct ath_effect *drop)
{
	const struct ath_element *tied = find_tied(effects, drop);
	size_t idx = get_track(builder, &drop->element);

	if (drop->element.kind == ATH_ELEMENT_TABLE)
		move_parts(builder, idx, tied ? tied->table : NULL);
	else if (drop->element.kind == ATH_ELEMENT_COLUMN)
		drop_indexes(builder, idx);
}

/* A text is read in its own order; a replay's difference lists each part: there, tables first. */
static void read_revision(struct builder *builder, const struct ath_effects *effects)
{
	bool is_text = effects->source == ATH_EFFECTS_STATIC;

	for (int pass = 0; pass < (is_text ? 1 : 2); pass++) {
		for (size_t i = 0; i < effects->len; i++) {
			const struct ath_effect *one = &effects->items[i];

			if (!is_text && (one->element.kind != ATH_ELEMENT_TABLE) != pass)
				continue;
			read_effect(builder, effects, one);
			if (is_text && one->verb == ATH_EFFECT_DROP)
				follow_drop(builder, effects, one);
		}
	}
}

static bool is_linear(const struct ath_chain *chain)
{
	for (size_t place = 0; place < chain->len; place++) {
		const struct ath_chain_node *node = &chain->nodes[chain->order.items[place]];

		if (node->needs.len != (place > 0) ||
		    (place && node->needs.items[0] != chain->order.items[place - 1]))
			return false;
	}
	return true;
}

static void finish(struct builder *builder)
{
	struct ath_intervals *out = builder->out;

	out->len = builder->tracks.len;
	out->tracks = ath_arena_new(builder->arena, out->len, sizeof(*out->tracks));
	if (out->len)
		memcpy(out->tracks, builder->tracks.items, out->len * sizeof(*out->tracks));
	for (size_t i = 0; i < out->len; i++)
		ath_interval_settle(out, &out->tracks[i]);
}

void ath_interval_build(const struct ath_chain *chain, const struct ath_effects *effects,
			struct ath_elements live, struct ath_arena *arena,
			struct ath_intervals *out)
{
	struct builder builder = { .arena = arena, .out = out };

	*out = (struct ath_intervals){
		.chain = chain, .effects = effects, .live = live, .is_linear = is_linear(chain)
	};
	out->steps = ath_arena_new(arena, chain->len, sizeof(*out->steps));
	for (size_t place = 0; place < chain->len; place++) {
		builder.place = place;
		builder.behind = &out->steps[place];
		read_revision(&builder, &effects[chain->order.items[place]]);
		if (ath_interval_is_blind(&effects[chain->order.items[place]]))
			builder.has_blind = true;
	}
	finish(&builder);
	free(builder.slots);
	free(builder.now);
	ath_vec_fini(&builder.tracks);
}
