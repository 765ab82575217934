/* SPDX-License-Identifier: MIT */
/* alembic/choose: the class of the least contradicted cuts, and what is in doubt about it. */
#include "alembic/choose.h"

#include <string.h>

bool ath_choose_is_better(const struct ath_cut *cut, const struct ath_cut *other)
{
	for (int weight = ATH_WEIGHT_MEDIUM; weight >= 0; weight--) {
		if (cut->counts[weight] != other->counts[weight])
			return cut->counts[weight] < other->counts[weight];
	}
	return false;
}

size_t ath_choose_find_risk(const struct ath_intervals *intervals, const bool *one,
			    const bool *other)
{
	const struct ath_chain *chain = intervals->chain;

	for (size_t place = 0; place < chain->len; place++) {
		size_t revision = chain->order.items[place];

		if (one[revision] != other[revision] &&
		    (intervals->effects[revision].has_data ||
		     ath_interval_is_blind(&intervals->effects[revision])))
			return revision;
	}
	return chain->len;
}

static bool is_absent(enum ath_presence presence)
{
	return presence == ATH_PRESENCE_NOT_YET || presence == ATH_PRESENCE_OUT;
}

/*
 * Does a touch leave things as they are, seen from the lowest to the highest of a class? What is
 * dropped and made again is there before and after, but with another content or definition.
 */
static bool is_quiet(const struct ath_intervals *in, const struct ath_touch *touch,
		     const struct ath_choice *choice)
{
	const struct ath_track *track = &in->tracks[touch->track];
	const struct ath_touch *last;
	enum ath_presence low, high;
	const char *type;

	low = ath_interval_find(in, track, choice->lowest, &last, &type);
	high = ath_interval_find(in, track, choice->highest, &last, &type);
	if (track->is_contested || touch->verb == ATH_TOUCH_ALTER)
		return false;
	if (is_absent(low) && is_absent(high))
		return true;
	return low == high && touch->verb != ATH_TOUCH_DROP;
}

/* Why a revision inside the class is not without consequence; NULL: it is. */
static const char *find_doubt(const struct ath_intervals *in, size_t place,
			      const struct ath_choice *choice, struct ath_arena *arena)
{
	size_t revision = in->chain->order.items[place];
	const struct ath_effects *effects = &in->effects[revision];
	const char *id = in->chain->entries[revision].id;

	if (ath_interval_is_blind(effects))
		return ath_arena_printf(arena, "what revision %s does is not known", id);
	if (effects->has_data)
		return ath_arena_printf(
			arena, "revision %s has data steps, which leave no trace in the schema",
			id);
	for (const struct ath_touch *one = in->steps[place]; one; one = one->beside) {
		if (!is_quiet(in, one, choice))
			return ath_arena_printf(
				arena, "the schema does not show whether revision %s has run", id);
	}
	return NULL;
}

static void find_class(const struct ath_intervals *in, const struct ath_cuts *cuts,
		       const struct ath_cut *best, struct ath_arena *arena, struct ath_choice *out)
{
	size_t len = in->chain->len;
	bool *lowest = ath_arena_new(arena, len, sizeof(*lowest));
	bool *highest = ath_arena_new(arena, len, sizeof(*highest));
	bool has_highest = false, has_lowest = false;

	if (len)
		memcpy(lowest, best->set, len * sizeof(*lowest));
	for (size_t i = 0; i < cuts->free_len; i++) {
		const struct ath_cut *one = &cuts->free[i];

		if (ath_choose_is_better(best, one))
			continue;
		out->class_len++;
		for (size_t n = 0; n < len; n++) {
			lowest[n] = lowest[n] && one->set[n];
			highest[n] = highest[n] || one->set[n];
		}
	}
	for (size_t i = 0; i < cuts->free_len; i++) {
		if (ath_choose_is_better(best, &cuts->free[i]))
			continue;
		has_highest = has_highest || ath_cut_is(in->chain, cuts->free[i].set, highest);
		has_lowest = has_lowest || ath_cut_is(in->chain, cuts->free[i].set, lowest);
	}
	out->lowest = lowest;
	out->highest = highest;
	out->set = has_highest ? highest : best->set;
	if (!has_highest || !has_lowest)
		out->doubt = "several branches fit";
}

bool ath_choose_is_shared(const struct ath_intervals *intervals, const struct ath_score *score,
			  const bool *other, struct ath_arena *arena)
{
	struct ath_score others;

	if (!score->len)
		return true;
	others = ath_score_cut(intervals, other, arena);
	for (size_t i = 0; i < score->len; i++) {
		size_t n = 0;

		while (n < others.len && (others.items[n].track != score->items[i].track ||
					  others.items[n].contra != score->items[i].contra))
			n++;
		if (n == others.len)
			return false;
	}
	return true;
}

/* An index that the chain speaks of by name only may be there, with columns that it does not tell. */
static bool is_there_by_name(const struct ath_intervals *in, const struct ath_element *index)
{
	for (size_t i = 0; index->kind == ATH_ELEMENT_INDEX && index->name && i < in->live.len;
	     i++) {
		const struct ath_element *one = &in->live.items[i];

		if ((one->kind == ATH_ELEMENT_INDEX || one->kind == ATH_ELEMENT_UNIQUE) &&
		    one->name && !strcmp(one->name, index->name) &&
		    !strcmp(one->table, index->table))
			return true;
	}
	return false;
}

bool ath_choose_is_hinted(const struct ath_intervals *intervals, const bool *cut, const bool *other)
{
	for (size_t i = 0; i < intervals->len; i++) {
		const struct ath_track *track = &intervals->tracks[i];
		const struct ath_touch *last;
		const char *type;

		if (!track->live && track->first >= ATH_PRESENCE_IMPLIED &&
		    ath_interval_find(intervals, track, cut, &last, &type) >=
			    ATH_PRESENCE_IMPLIED &&
		    ath_interval_find(intervals, track, other, &last, &type) == ATH_PRESENCE_OUT &&
		    !is_there_by_name(intervals, &track->element))
			return true;
	}
	return false;
}

/* Free cuts with more against them than the class. */
static void judge_rest(const struct ath_intervals *in, const struct ath_cuts *cuts,
		       const struct ath_cut *best, struct ath_arena *arena,
		       struct ath_choice *choice)
{
	struct ath_score score = ath_score_cut(in, choice->set, arena);

	for (size_t i = 0; !choice->doubt && i < cuts->free_len; i++) {
		const struct ath_cut *one = &cuts->free[i];
		size_t risk;

		if (!ath_choose_is_better(best, one))
			continue;
		risk = ath_choose_find_risk(in, choice->set, one->set);
		if (risk < in->chain->len)
			choice->doubt = ath_arena_printf(
				arena,
				"only weak evidence tells whether revision %s has run, which may "
				"have changed data",
				in->chain->entries[risk].id);
		else if (!ath_choose_is_shared(in, &score, one->set, arena) ||
			 ath_choose_is_hinted(in, choice->set, one->set))
			choice->doubt = "the evidence speaks for several revisions";
	}
}

/* Was a drop only skipped, by a revision of consequence, or one that other evidence speaks for? */
static void judge_skipped(const struct ath_intervals *in, const struct ath_cuts *cuts,
			  struct ath_arena *arena, struct ath_choice *choice)
{
	struct ath_score score = ath_score_cut(in, choice->set, arena);

	for (size_t i = 0; !choice->doubt && i < cuts->skipped_len; i++) {
		size_t risk = ath_choose_find_risk(in, choice->set, cuts->skipped[i].set);

		if (risk < in->chain->len)
			choice->doubt = ath_arena_printf(arena,
							 "revision %s, which may have changed "
							 "data, would differ only in what "
							 "it drops",
							 in->chain->entries[risk].id);
		else if (!ath_choose_is_shared(in, &score, cuts->skipped[i].set, arena) ||
			 ath_choose_is_hinted(in, choice->set, cuts->skipped[i].set))
			choice->doubt = "the evidence speaks for several revisions";
	}
}

struct ath_choice ath_choose(const struct ath_intervals *intervals, const struct ath_cuts *cuts,
			     struct ath_arena *arena)
{
	struct ath_choice choice = { 0 };
	const struct ath_cut *best = cuts->free;

	if (!cuts->free_len)
		return choice;
	for (size_t i = 1; i < cuts->free_len; i++) {
		if (ath_choose_is_better(&cuts->free[i], best))
			best = &cuts->free[i];
	}
	find_class(intervals, cuts, best, arena, &choice);
	for (size_t place = 0; !choice.doubt && place < intervals->chain->len; place++) {
		size_t revision = intervals->chain->order.items[place];

		if (choice.highest[revision] && !choice.lowest[revision])
			choice.doubt = find_doubt(intervals, place, &choice, arena);
	}
	judge_rest(intervals, cuts, best, arena, &choice);
	judge_skipped(intervals, cuts, arena, &choice);
	if (!choice.doubt && cuts->possible_len)
		choice.doubt = "a revision of unknown content may have undone others";
	if (!choice.doubt && intervals->is_tangled)
		choice.doubt = "unordered revisions rename and change the same table";
	if (!choice.doubt && !cuts->is_complete)
		choice.doubt = "the graph has too many states to compare them all";
	choice.is_sure = !choice.doubt;
	return choice;
}
