/* SPDX-License-Identifier: MIT */
/* alembic/half: compares the touches of one revision with the live schema. */
#include "alembic/half.h"

#include <string.h>

#include "base/str.h"
#include "base/vec.h"

static const char rebuild_prefix[] = "_alembic_tmp_";

static bool is_next(const struct ath_chain *chain, const bool *cut, size_t revision)
{
	const struct ath_chain_list *needs = &chain->nodes[revision].needs;

	for (size_t i = 0; i < needs->len; i++) {
		if (!cut[needs->items[i]])
			return false;
	}
	return !cut[revision];
}

static bool has_type(const struct ath_track *track, const struct ath_touch *touch)
{
	return track->live && track->live->attributes.type && touch->with &&
	       ath_str_is(track->live->attributes.type, touch->with->attributes.type);
}

static bool explains(const struct ath_intervals *in, size_t place,
		     const struct ath_score_item *item)
{
	const struct ath_track *track = &in->tracks[item->track];
	const struct ath_touch *net = ath_interval_find_net(track, place);

	if (!net)
		return false;
	switch (item->contra) {
	case ATH_CONTRA_MISSING:
		return net->verb == ATH_TOUCH_DROP;
	case ATH_CONTRA_TYPE:
		return net->verb != ATH_TOUCH_LOSE && has_type(track, net);
	default:
		return net->verb == ATH_TOUCH_ADD;
	}
}

/* Does it explain all that is strong, and something that is not light? */
static bool explains_all(const struct ath_intervals *in, size_t place,
			 const struct ath_score *score)
{
	bool explains_some = false;

	for (size_t i = 0; i < score->len; i++) {
		bool is_explained = explains(in, place, &score->items[i]);

		if (!is_explained && score->items[i].weight == ATH_WEIGHT_STRONG)
			return false;
		if (is_explained && score->items[i].weight != ATH_WEIGHT_LIGHT)
			explains_some = true;
	}
	return explains_some;
}

/* Is something there that only a later revision of unknown content seems to make? */
static bool is_of_later_blind(const struct ath_intervals *in, const struct ath_track *track,
			      const bool *cut, size_t place)
{
	const struct ath_touch *first = track->touches;

	return track->live && first && first->verb == ATH_TOUCH_LOSE &&
	       first->said == ATH_TOUCH_ADD && first->place != place &&
	       track->element.kind <= ATH_ELEMENT_UNIQUE &&
	       !cut[in->chain->order.items[first->place]];
}

/* Is something there, and not weakly, that the cut does not have yet and the revision does not make? */
static bool has_others(const struct ath_intervals *in, const bool *cut, size_t place)
{
	for (size_t i = 0; i < in->len; i++) {
		const struct ath_track *track = &in->tracks[i];
		const struct ath_touch *net = ath_interval_find_net(track, place), *last;
		const char *type;

		if (is_of_later_blind(in, track, cut, place))
			return true;
		if (track->live && !track->is_birth && track->element.kind != ATH_ELEMENT_TRIGGER &&
		    !(net && net->verb == ATH_TOUCH_ADD) &&
		    ath_interval_find(in, track, cut, &last, &type) == ATH_PRESENCE_NOT_YET)
			return true;
	}
	return false;
}

static bool is_done(const struct ath_intervals *in, const struct ath_touch *net)
{
	const struct ath_track *track = &in->tracks[net->track];

	switch (net->verb) {
	case ATH_TOUCH_ADD:
		return track->live || !ath_interval_is_separate(in, track, net->place);
	case ATH_TOUCH_DROP:
		return !track->live;
	case ATH_TOUCH_ALTER:
		return !track->has_types || has_type(track, net);
	default:
		return true;
	}
}

static void compare(const struct ath_intervals *in, const bool *cut, size_t place,
		    struct ath_arena *arena, struct ath_half_find *out)
{
	ATH_VEC(struct ath_element) there = { 0 };
	struct ath_element *items;

	out->is_whole = true;
	for (const struct ath_touch *one = in->steps[place]; one; one = one->beside) {
		const struct ath_track *track = &in->tracks[one->track];
		const struct ath_touch *last;
		const char *type;
		enum ath_presence before = ath_interval_find(in, track, cut, &last, &type);

		if (one != ath_interval_find_net(track, place))
			continue;
		out->is_whole = out->is_whole && is_done(in, one);
		if (one->verb == ATH_TOUCH_ADD && track->live && before != ATH_PRESENCE_IN &&
		    before != ATH_PRESENCE_IMPLIED &&
		    !ath_interval_is_born_with_table(in, track, place))
			*ath_vec_push(&there) = *track->live;
		if (one->verb == ATH_TOUCH_DROP && !track->live && before == ATH_PRESENCE_IN &&
		    !one->is_derived)
			out->has_lost = true;
	}
	items = ath_arena_new(arena, there.len, sizeof(*items));
	if (there.len)
		memcpy(items, there.items, there.len * sizeof(*items));
	out->there.len = ath_element_sort(items, there.len);
	out->there.items = items;
	ath_vec_fini(&there);
}

struct ath_half_find ath_half_find(const struct ath_intervals *intervals, const bool *cut,
				   const struct ath_score *score, struct ath_arena *arena)
{
	const struct ath_chain *chain = intervals->chain;
	struct ath_half_find found = { .revision = chain->len };

	for (size_t place = 0; place < chain->len; place++) {
		size_t revision = chain->order.items[place];

		if (!is_next(chain, cut, revision) || !explains_all(intervals, place, score))
			continue;
		if (!found.count++) {
			found.revision = revision;
			compare(intervals, cut, place, arena, &found);
			found.has_others = has_others(intervals, cut, place);
		}
	}
	return found;
}

static bool touches_table(const struct ath_intervals *in, size_t place, const char *table)
{
	for (const struct ath_touch *one = in->steps[place]; one; one = one->beside) {
		const struct ath_element *element = &in->tracks[one->track].element;

		if (element->kind <= ATH_ELEMENT_FOREIGN && !strcmp(element->table, table))
			return true;
	}
	return false;
}

const char *ath_half_original_of(const struct ath_element *table)
{
	if (table->kind != ATH_ELEMENT_TABLE || !ath_str_has_prefix(table->table, rebuild_prefix))
		return NULL;
	return table->table + strlen(rebuild_prefix);
}

struct ath_half_rebuild ath_half_find_rebuild(const struct ath_intervals *intervals,
					      const bool *cut, struct ath_arena *arena)
{
	const struct ath_chain *chain = intervals->chain;
	struct ath_half_rebuild found = { .revision = chain->len };
	const char *original;

	for (size_t i = 0; !found.table && i < intervals->live.len; i++) {
		if (ath_half_original_of(&intervals->live.items[i]))
			found.table = &intervals->live.items[i];
	}
	if (!found.table)
		return found;
	original = ath_half_original_of(found.table);
	found.has_original =
		ath_element_find(&intervals->live, ath_element_table_key(arena, original));
	for (size_t place = 0; found.revision == chain->len && place < chain->len; place++) {
		if (is_next(chain, cut, chain->order.items[place]) &&
		    touches_table(intervals, place, original))
			found.revision = chain->order.items[place];
	}
	return found;
}

const struct ath_track *ath_half_find_lack(const struct ath_intervals *intervals, const bool *cut,
					   size_t revision)
{
	size_t place = intervals->chain->nodes[revision].place;

	for (const struct ath_touch *one = intervals->steps[place]; one; one = one->beside) {
		const struct ath_track *track = &intervals->tracks[one->track];
		const struct ath_touch *last;
		const char *type;

		if (one != ath_interval_find_net(track, place) || is_done(intervals, one) ||
		    one->verb != ATH_TOUCH_ADD)
			continue;
		if (track->table != ATH_TRACK_NONE && !intervals->tracks[track->table].live)
			continue;
		if (ath_interval_find(intervals, track, cut, &last, &type) == ATH_PRESENCE_IN)
			return track;
	}
	return NULL;
}

/* Has a table that the revision makes at least half of the columns that it gives it? */
static bool is_same_table(const struct ath_intervals *in, const struct ath_track *table,
			  size_t place)
{
	size_t wanted = 0, found = 0;

	for (size_t i = table->child; i != ATH_TRACK_NONE; i = in->tracks[i].sibling) {
		const struct ath_track *part = &in->tracks[i];
		const struct ath_touch *net = ath_interval_find_net(part, place);

		if (part->element.kind != ATH_ELEMENT_COLUMN || !net || net->verb != ATH_TOUCH_ADD)
			continue;
		wanted++;
		found += part->live != NULL;
	}
	return 2 * found >= wanted;
}

/* Does what is live prove that the add was done, by a revision that a row says did not run? */
static bool is_proven_strictly(const struct ath_intervals *in, const struct ath_touch *net)
{
	const struct ath_track *track = &in->tracks[net->track];

	if (!track->live)
		return ath_interval_is_separate(in, track, net->place) ||
		       !in->tracks[track->table].live;
	return ath_interval_find_first(track, net->place)->verb != ATH_TOUCH_DROP &&
	       ath_interval_is_same_shape(track, net);
}

static bool is_proven(const struct ath_intervals *in, const struct ath_touch *net, bool strictly)
{
	const struct ath_track *track = &in->tracks[net->track];
	enum ath_element_kind kind = track->element.kind;

	if (net->verb == ATH_TOUCH_ALTER)
		return net->is_derived || (track->has_types && has_type(track, net));
	if (net->verb != ATH_TOUCH_ADD || net->is_derived)
		return true;
	if (track->live && (kind == ATH_ELEMENT_VIEW || kind == ATH_ELEMENT_TRIGGER))
		return false;
	if (track->live && kind == ATH_ELEMENT_TABLE && !is_same_table(in, track, net->place))
		return false;
	return !strictly || is_proven_strictly(in, net);
}

const struct ath_track *ath_half_find_unproven(const struct ath_intervals *intervals,
					       size_t revision, bool strictly)
{
	size_t place = intervals->chain->nodes[revision].place;

	for (const struct ath_touch *one = intervals->steps[place]; one; one = one->beside) {
		const struct ath_track *track = &intervals->tracks[one->track];

		if (one == ath_interval_find_net(track, place) &&
		    !is_proven(intervals, one, strictly))
			return track;
	}
	return NULL;
}
