/* SPDX-License-Identifier: MIT */
/* alembic/score: one judgement per track, and the list of them for a cut. */
#include "alembic/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static enum ath_weight weigh(enum ath_element_kind kind)
{
	if (kind == ATH_ELEMENT_TABLE || kind == ATH_ELEMENT_COLUMN)
		return ATH_WEIGHT_STRONG;
	/* A batch rebuild loses the triggers of its table. */
	return kind == ATH_ELEMENT_TRIGGER ? ATH_WEIGHT_LIGHT : ATH_WEIGHT_MEDIUM;
}

/* Is there anything to judge: does its table stand where it is expected? */
static bool is_judged(const struct ath_intervals *intervals, const struct ath_track *track,
		      const struct ath_score_state *state)
{
	if (track->table == ATH_TRACK_NONE)
		return true;
	return intervals->tracks[track->table].live &&
	       !intervals->tracks[track->table].is_contested &&
	       state->table != ATH_PRESENCE_NOT_YET && state->table != ATH_PRESENCE_OUT;
}

static bool is_other_type(const struct ath_track *track, const char *expected)
{
	const char *found = track->live ? track->live->attributes.type : NULL;

	if (!track->has_types || !expected || !found || !strcmp(found, expected))
		return false;
	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		if ((one->with && one->with->attributes.type &&
		     !strcmp(one->with->attributes.type, found)) ||
		    (one->was && !strcmp(one->was, found)))
			return true;
	}
	return false;
}

enum ath_contra ath_score_judge(const struct ath_intervals *intervals,
				const struct ath_track *track, const struct ath_score_state *state,
				enum ath_weight *out_weight)
{
	if (!is_judged(intervals, track, state))
		return ATH_CONTRA_NONE;
	*out_weight = weigh(track->element.kind);
	if (state->presence == ATH_PRESENCE_IMPLIED && track->is_required && !track->live)
		return ATH_CONTRA_MISSING;
	if (state->presence == ATH_PRESENCE_IN && !track->live && !track->is_birth)
		return ATH_CONTRA_MISSING;
	if (state->presence == ATH_PRESENCE_NOT_YET && track->live && !track->is_birth)
		return ATH_CONTRA_PREMATURE;
	if (state->presence == ATH_PRESENCE_OUT && track->live && !track->is_birth) {
		*out_weight = state->is_tip ? *out_weight : ATH_WEIGHT_LIGHT;
		return ATH_CONTRA_LEFTOVER;
	}
	if ((state->presence == ATH_PRESENCE_IN || state->presence == ATH_PRESENCE_IMPLIED) &&
	    is_other_type(track, state->type)) {
		*out_weight = ATH_WEIGHT_MEDIUM;
		return ATH_CONTRA_TYPE;
	}
	return ATH_CONTRA_NONE;
}

bool ath_score_is_tip(const struct ath_chain *chain, const bool *cut, size_t revision)
{
	const struct ath_chain_list *children = &chain->nodes[revision].wanted_by;

	for (size_t i = 0; i < children->len; i++) {
		if (cut[children->items[i]])
			return false;
	}
	return cut[revision];
}

struct sorted_item {
	struct ath_score_item item;
	const char *key;
};

static int compare_items(const void *left, const void *right)
{
	const struct sorted_item *a = left, *b = right;

	if (a->item.weight != b->item.weight)
		return a->item.weight > b->item.weight ? -1 : 1;
	return strcmp(a->key, b->key);
}

struct ath_score ath_score_cut(const struct ath_intervals *intervals, const bool *cut,
			       struct ath_arena *arena)
{
	ATH_VEC(struct sorted_item) found = { 0 };
	struct ath_score score = { 0 };
	struct ath_score_item *items;

	for (size_t i = 0; i < intervals->len; i++) {
		const struct ath_track *track = &intervals->tracks[i];
		const struct ath_touch *last, *unused;
		struct ath_score_state state = { 0 };
		struct ath_score_item item = { .track = i };
		const char *no_type;

		state.presence = ath_interval_find(intervals, track, cut, &last, &state.type);
		if (track->table != ATH_TRACK_NONE)
			state.table = ath_interval_find(intervals, &intervals->tracks[track->table],
							cut, &unused, &no_type);
		state.is_tip = last && ath_score_is_tip(intervals->chain, cut,
							intervals->chain->order.items[last->place]);
		item.contra = ath_score_judge(intervals, track, &state, &item.weight);
		if (item.contra == ATH_CONTRA_NONE)
			continue;
		*ath_vec_push(&found) = (struct sorted_item){ item, track->element.key };
		score.counts[item.weight]++;
	}
	if (found.len)
		qsort(found.items, found.len, sizeof(*found.items), compare_items);
	items = ath_arena_new(arena, found.len, sizeof(*items));
	for (size_t i = 0; i < found.len; i++)
		items[i] = found.items[i].item;
	score.items = items;
	score.len = found.len;
	ath_vec_fini(&found);
	return score;
}

size_t ath_score_find_revision(const struct ath_intervals *intervals, const bool *cut,
			       const struct ath_score_item *item)
{
	const struct ath_chain *chain = intervals->chain;
	const struct ath_touch *one = intervals->tracks[item->track].touches;
	size_t found = chain->len;

	for (; one; one = one->next) {
		size_t revision = chain->order.items[one->place];

		if (item->contra == ATH_CONTRA_PREMATURE && one->verb == ATH_TOUCH_ADD &&
		    !cut[revision])
			return revision;
		if (item->contra != ATH_CONTRA_PREMATURE && cut[revision])
			found = revision;
	}
	return found;
}
