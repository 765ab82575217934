/* SPDX-License-Identifier: MIT */
/*
 * alembic/cut: the enumeration, without recursion.
 *
 * The places of the order are decided from the first to the last; going back undoes the last place
 * that was taken. As places are taken in order, the newest touch of a track is always the one that
 * counts, and undoing it restores the state that the step has saved.
 */
#include "alembic/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

enum {
	STEPS_MAX = 20 * 1000 * 1000, /* places decided; about a tenth of a second */
};

/* Numbers of tracks, with the place of each for removal. */
struct track_set {
	size_t *items, *at;
	size_t len;
};

struct saved {
	size_t track;
	enum ath_presence presence;
	size_t place;
	const char *type;
};

struct search {
	const struct ath_intervals *in;
	struct ath_arena *arena;
	enum ath_presence *presence; /* by track */
	const char **type;           /* by track */
	size_t *place;               /* by track: of the touch that the presence is due to */
	unsigned char *contra;       /* by track: contra * 4 + weight */
	size_t counts[ATH_WEIGHT_COUNT_];
	size_t premature;         /* strong ones */
	struct track_set missing; /* strong ones */
	struct track_set leftovers;
	ATH_VEC(struct saved) saved;
	size_t *marks;         /* by place: length of `saved` before it was taken */
	bool *cut;             /* by revision */
	size_t *children;      /* by revision: members that need it */
	ATH_VEC(size_t) blind; /* places taken whose revision is blind */
	ATH_VEC(struct ath_cut) free, possible, skipped;
	struct ath_cut nearest;
	bool *nearest_set;
	size_t leaves, steps;
	bool is_full;
};

static void put(struct track_set *set, size_t track)
{
	set->at[track] = set->len;
	set->items[set->len++] = track;
}

static void take_out(struct track_set *set, size_t track)
{
	size_t last = set->items[--set->len];

	set->items[set->at[track]] = last;
	set->at[last] = set->at[track];
}

static void count(struct search *search, size_t track, bool is_new)
{
	enum ath_contra contra = search->contra[track] / 4;
	enum ath_weight weight = search->contra[track] % 4;

	if (contra == ATH_CONTRA_NONE)
		return;
	search->counts[weight] += is_new ? 1 : (size_t)-1;
	if (contra == ATH_CONTRA_LEFTOVER)
		(is_new ? put : take_out)(&search->leftovers, track);
	else if (weight == ATH_WEIGHT_STRONG && contra == ATH_CONTRA_MISSING)
		(is_new ? put : take_out)(&search->missing, track);
	else if (weight == ATH_WEIGHT_STRONG)
		search->premature += is_new ? 1 : (size_t)-1;
}

/* Judge a track anew. A leftover counts as light here: tips are known at the leaf only. */
static void judge(struct search *search, size_t idx)
{
	const struct ath_track *track = &search->in->tracks[idx];
	struct ath_score_state state = { .presence = search->presence[idx],
					 .type = search->type[idx] };
	enum ath_weight weight = ATH_WEIGHT_LIGHT;
	enum ath_contra contra;

	if (track->table != ATH_TRACK_NONE)
		state.table = search->presence[track->table];
	contra = ath_score_judge(search->in, track, &state, &weight);
	count(search, idx, false);
	search->contra[idx] = (unsigned char)(contra * 4 + weight);
	count(search, idx, true);
}

static void judge_with_parts(struct search *search, size_t idx)
{
	judge(search, idx);
	for (size_t part = search->in->tracks[idx].child; part != ATH_TRACK_NONE;
	     part = search->in->tracks[part].sibling)
		judge(search, part);
}

static void take_touch(struct search *search, const struct ath_touch *touch)
{
	size_t idx = touch->track;
	enum ath_presence before = search->presence[idx];

	if (search->in->tracks[idx].is_contested)
		return;
	*ath_vec_push(&search->saved) =
		(struct saved){ idx, before, search->place[idx], search->type[idx] };
	search->presence[idx] = ath_interval_next(before, touch);
	if (touch->verb != ATH_TOUCH_ALTER)
		search->place[idx] = touch->place;
	search->type[idx] = ath_interval_next_type(search->type[idx], touch);
	if (before == search->presence[idx])
		judge(search, idx);
	else
		judge_with_parts(search, idx);
}

static void take(struct search *search, size_t place)
{
	const struct ath_chain *chain = search->in->chain;
	size_t revision = chain->order.items[place];

	search->marks[place] = search->saved.len;
	search->cut[revision] = true;
	for (size_t i = 0; i < chain->nodes[revision].needs.len; i++)
		search->children[chain->nodes[revision].needs.items[i]]++;
	if (ath_interval_is_blind(&search->in->effects[revision]))
		*ath_vec_push(&search->blind) = place;
	for (const struct ath_touch *one = search->in->steps[place]; one; one = one->beside)
		take_touch(search, one);
}

static void leave(struct search *search, size_t place)
{
	const struct ath_chain *chain = search->in->chain;
	size_t revision = chain->order.items[place];

	while (search->saved.len > search->marks[place]) {
		struct saved one = search->saved.items[--search->saved.len];
		bool is_moved = search->presence[one.track] != one.presence;

		search->presence[one.track] = one.presence;
		search->place[one.track] = one.place;
		search->type[one.track] = one.type;
		if (is_moved)
			judge_with_parts(search, one.track);
		else
			judge(search, one.track);
	}
	search->cut[revision] = false;
	for (size_t i = 0; i < chain->nodes[revision].needs.len; i++)
		search->children[chain->nodes[revision].needs.items[i]]--;
	if (ath_interval_is_blind(&search->in->effects[revision]))
		search->blind.len--;
}

/* May blind revisions of the cut have dropped all that is missing? */
static bool is_possible(const struct search *search, const struct ath_cut *cut)
{
	size_t last;

	if (!search->blind.len || search->missing.len != cut->counts[ATH_WEIGHT_STRONG] ||
	    search->missing.len > ATH_CUT_BLIND_REACH * search->blind.len)
		return false;
	last = search->blind.items[search->blind.len - 1];
	for (size_t i = 0; i < search->missing.len; i++) {
		size_t track = search->missing.items[i];

		if (search->presence[track] == ATH_PRESENCE_IN && search->place[track] >= last)
			return false;
	}
	return true;
}

bool ath_cut_is_nearer(const struct ath_cut *cut, const struct ath_cut *other)
{
	for (int weight = ATH_WEIGHT_STRONG; weight >= 0; weight--) {
		if (cut->counts[weight] != other->counts[weight])
			return cut->counts[weight] < other->counts[weight];
	}
	return false;
}

static const bool *copy_set(struct search *search)
{
	bool *set = ath_arena_new(search->arena, search->in->chain->len, sizeof(*set));

	if (search->in->chain->len)
		memcpy(set, search->cut, search->in->chain->len * sizeof(*set));
	return set;
}

/* A leftover whose drop is a tip weighs as much as its kind. */
static void weigh_tips(const struct search *search, struct ath_cut *cut)
{
	const struct ath_intervals *in = search->in;

	for (size_t i = 0; i < search->leftovers.len; i++) {
		size_t track = search->leftovers.items[i];
		struct ath_score_state state = { .presence = ATH_PRESENCE_OUT,
						 .table = ATH_PRESENCE_IN,
						 .is_tip = true };
		enum ath_weight weight;

		if (search->children[in->chain->order.items[search->place[track]]])
			continue;
		ath_score_judge(in, &in->tracks[track], &state, &weight);
		cut->counts[ATH_WEIGHT_LIGHT]--;
		cut->counts[weight]++;
	}
}

static void visit(struct search *search)
{
	struct ath_cut cut = { 0 };
	bool is_strong;

	memcpy(cut.counts, search->counts, sizeof(cut.counts));
	weigh_tips(search, &cut);
	is_strong = cut.counts[ATH_WEIGHT_STRONG] > 0;
	search->leaves++;
	if (is_strong && (!search->nearest.set || ath_cut_is_nearer(&cut, &search->nearest))) {
		memcpy(search->nearest_set, search->cut,
		       search->in->chain->len * sizeof(*search->nearest_set));
		search->nearest = cut;
		search->nearest.set = search->nearest_set;
	}
	if (!is_strong) {
		cut.set = copy_set(search);
		*ath_vec_push(&search->free) = cut;
	} else if (is_possible(search, &cut)) {
		cut.set = copy_set(search);
		*ath_vec_push(&search->possible) = cut;
	} else if (!search->missing.len && !search->premature) {
		cut.set = copy_set(search);
		*ath_vec_push(&search->skipped) = cut;
	}
	search->is_full =
		search->free.len + search->possible.len + search->skipped.len > ATH_CUT_KEPT_MAX ||
		search->leaves > ATH_CUT_LEAVES_MAX || search->steps > STEPS_MAX;
}

static bool can_take(const struct search *search, size_t place)
{
	const struct ath_chain *chain = search->in->chain;
	const struct ath_chain_list *needs = &chain->nodes[chain->order.items[place]].needs;

	for (size_t i = 0; i < needs->len; i++) {
		if (!search->cut[needs->items[i]])
			return false;
	}
	return true;
}

static void walk(struct search *search)
{
	const struct ath_chain *chain = search->in->chain;
	size_t from = 0, place;

	while (!search->is_full) {
		for (place = from; place < chain->len; place++) {
			if (can_take(search, place))
				take(search, place);
		}
		search->steps += chain->len - from + 1;
		visit(search);
		while (place > 0 && !search->cut[chain->order.items[place - 1]])
			place--;
		if (!place)
			return;
		leave(search, place - 1);
		from = place;
	}
}

static void start(struct search *search)
{
	size_t tracks = search->in->len, revisions = search->in->chain->len;

	search->presence = ath_mem_new(tracks, sizeof(*search->presence));
	search->type = ath_mem_new(tracks, sizeof(*search->type));
	search->place = ath_mem_new(tracks, sizeof(*search->place));
	search->contra = ath_mem_new(tracks, sizeof(*search->contra));
	search->missing.items = ath_mem_new(tracks, sizeof(size_t));
	search->missing.at = ath_mem_new(tracks, sizeof(size_t));
	search->leftovers.items = ath_mem_new(tracks, sizeof(size_t));
	search->leftovers.at = ath_mem_new(tracks, sizeof(size_t));
	search->marks = ath_mem_new(revisions, sizeof(*search->marks));
	search->cut = ath_mem_new(revisions, sizeof(*search->cut));
	search->children = ath_mem_new(revisions, sizeof(*search->children));
	search->nearest_set = ath_arena_new(search->arena, revisions, sizeof(bool));
	for (size_t i = 0; i < tracks; i++)
		search->presence[i] = search->in->tracks[i].is_contested
					      ? ATH_PRESENCE_UNKNOWN
					      : search->in->tracks[i].first;
	for (size_t i = 0; i < tracks; i++)
		search->type[i] = search->in->tracks[i].first_type;
	for (size_t i = 0; i < tracks; i++)
		judge(search, i);
}

static void finish(struct search *search)
{
	void *owned[] = { search->presence,        search->type,
			  search->place,           search->contra,
			  search->missing.items,   search->missing.at,
			  search->leftovers.items, search->leftovers.at,
			  search->marks,           search->cut,
			  search->children };

	for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
		free(owned[i]);
	ath_vec_fini(&search->saved);
	ath_vec_fini(&search->blind);
	ath_vec_fini(&search->free);
	ath_vec_fini(&search->possible);
	ath_vec_fini(&search->skipped);
}

static const struct ath_cut *keep(struct ath_arena *arena, const struct ath_cut *cuts, size_t len)
{
	struct ath_cut *copy = ath_arena_new(arena, len, sizeof(*copy));

	if (len)
		memcpy(copy, cuts, len * sizeof(*copy));
	return copy;
}

void ath_cut_find(const struct ath_intervals *intervals, struct ath_arena *arena,
		  struct ath_cuts *out)
{
	struct search search = { .in = intervals, .arena = arena };

	start(&search);
	walk(&search);
	*out = (struct ath_cuts){
		.free = keep(arena, search.free.items, search.free.len),
		.free_len = search.free.len,
		.possible = keep(arena, search.possible.items, search.possible.len),
		.possible_len = search.possible.len,
		.skipped = keep(arena, search.skipped.items, search.skipped.len),
		.skipped_len = search.skipped.len,
		.nearest = search.nearest,
		.is_complete = !search.is_full,
	};
	finish(&search);
}

bool ath_cut_holds(const struct ath_chain *chain, const bool *cut, const bool *other)
{
	for (size_t i = 0; i < chain->len; i++) {
		if (other[i] && !cut[i])
			return false;
	}
	return true;
}

bool ath_cut_is(const struct ath_chain *chain, const bool *cut, const bool *other)
{
	return !chain->len || !memcmp(cut, other, chain->len * sizeof(*cut));
}
