/* SPDX-License-Identifier: MIT */
/* alembic/walk: holds the net effects of each pending revision against what is there. */
#include "alembic/walk.h"

#include <string.h>

#include "alembic/half.h"
#include "base/str.h"
#include "base/vec.h"

struct walker {
	const struct ath_walk_question *question;
	const struct ath_chain *chain;
	struct ath_arena *arena;
	struct ath_intervals in;
	bool *present; /* by track: is it there by now? */
	bool *cut;     /* what is applied by now */
};

/* How much of one revision is there. */
struct tally {
	size_t effects, done;
	size_t added;                  /* of those done: what it makes */
	const struct ath_track *lost;  /* dropped, though an applied revision had made it */
	const struct ath_track *kept;  /* there, and not to be taken away */
	const struct ath_track *other; /* there in another shape */
	bool has_alters;               /* also: makes anew what is there */
	ATH_VEC(struct ath_element) there;
};

static const struct ath_effects *effects_of(const struct walker *walker, size_t revision)
{
	return &walker->question->effects[revision];
}

static enum ath_presence presence_of(const struct walker *walker, const struct ath_track *track)
{
	const struct ath_touch *last;
	const char *type;

	return ath_interval_find(&walker->in, track, walker->cut, &last, &type);
}

/* Is the column's default the one that the revision gives it? Rows that hold another are the user's. */
static bool has_own_default(const struct ath_track *track, const struct ath_touch *touch)
{
	const char *wanted = touch->with ? touch->with->attributes.default_value : NULL;
	const char *found = track->live->attributes.default_value;

	return track->element.kind != ATH_ELEMENT_COLUMN || !found || ath_str_is(wanted, found);
}

/* Is it the work of this revision alone, and can it be dropped by a statement of its own? */
static bool is_undoable(const struct walker *walker, const struct ath_track *track,
			const struct ath_touch *touch)
{
	enum ath_presence before = presence_of(walker, track);

	if (!track->live || (before != ATH_PRESENCE_NOT_YET && before != ATH_PRESENCE_OUT))
		return false;
	if (track->element.kind == ATH_ELEMENT_FOREIGN || !has_own_default(track, touch))
		return false;
	return track->element.kind != ATH_ELEMENT_UNIQUE ||
	       !ath_str_has_prefix(track->live->name ? track->live->name : "", "sqlite_autoindex_");
}

static void count_add(const struct walker *walker, const struct ath_touch *touch,
		      struct tally *tally)
{
	const struct ath_track *track = &walker->in.tracks[touch->track];
	bool is_there = walker->present[touch->track];
	bool is_born = ath_interval_is_born_with_table(&walker->in, track, touch->place);

	if (!ath_interval_is_separate(&walker->in, track, touch->place)) {
		if (walker->present[track->table] &&
		    (!is_there || !ath_interval_is_same_shape(track, touch)))
			tally->other = track;
		return;
	}
	tally->effects++;
	if (!is_there)
		return;
	tally->done++;
	tally->added++;
	if (!ath_interval_is_same_shape(track, touch))
		tally->other = track;
	if (is_born && track->live)
		return; /* it goes with its table */
	if (is_undoable(walker, track, touch))
		*ath_vec_push(&tally->there) = *track->live;
	else
		tally->kept = track;
}

static void count_drop(const struct walker *walker, const struct ath_touch *touch,
		       struct tally *tally)
{
	const struct ath_track *track = &walker->in.tracks[touch->track];

	if (touch->is_derived)
		return;
	tally->effects++;
	if (walker->present[touch->track])
		return;
	tally->done++;
	if (presence_of(walker, track) == ATH_PRESENCE_IN)
		tally->lost = track;
}

/*
 * Is it there from before, to be dropped and made again by the revision at a place (with another rule
 * on delete, say)? Then that it is there tells nothing.
 */
static bool is_made_anew(const struct walker *walker, const struct ath_track *track, size_t place)
{
	const struct ath_touch *first = ath_interval_find_first(track, place);
	enum ath_presence before = presence_of(walker, track);

	return first->verb == ATH_TOUCH_DROP && walker->present[first->track] &&
	       before != ATH_PRESENCE_NOT_YET && before != ATH_PRESENCE_OUT;
}

/* Is it made for a while only? Then that it is not there tells nothing. */
static bool is_passing(const struct walker *walker, const struct ath_track *track, size_t place)
{
	const struct ath_touch *first = ath_interval_find_first(track, place);

	return first->verb == ATH_TOUCH_ADD && !walker->present[first->track];
}

static void count(const struct walker *walker, size_t place, struct tally *out)
{
	for (const struct ath_touch *one = walker->in.steps[place]; one; one = one->beside) {
		const struct ath_track *track = &walker->in.tracks[one->track];

		if (one != ath_interval_find_net(track, place))
			continue;
		if (one->verb == ATH_TOUCH_ADD && is_made_anew(walker, track, place))
			out->has_alters = true;
		else if (one->verb == ATH_TOUCH_ADD)
			count_add(walker, one, out);
		else if (one->verb == ATH_TOUCH_DROP && !is_passing(walker, track, place))
			count_drop(walker, one, out);
		else if (one->verb == ATH_TOUCH_ALTER && !one->is_derived)
			out->has_alters = true;
	}
}

/* The applied revision that made a track, for a sentence; NULL: none is known. */
static const char *maker_of(const struct walker *walker, const struct ath_track *track)
{
	const struct ath_touch *last;
	const char *type;

	if (ath_interval_find(&walker->in, track, walker->cut, &last, &type) != ATH_PRESENCE_IN ||
	    !last)
		return NULL;
	return walker->chain->entries[walker->chain->order.items[last->place]].id;
}

static const char *say_kept(const struct walker *walker, const struct ath_track *track)
{
	const char *maker = maker_of(walker, track);

	if (maker)
		return ath_arena_printf(walker->arena, "'%s' is there already, made by revision %s",
					track->element.key, maker);
	return ath_arena_printf(walker->arena,
				"'%s' is there already, and cannot be taken away without more",
				track->element.key);
}

static struct ath_elements keep_elements(const struct walker *walker, const struct tally *tally)
{
	struct ath_element *items = ath_arena_new(walker->arena, tally->there.len, sizeof(*items));

	if (tally->there.len)
		memcpy(items, tally->there.items, tally->there.len * sizeof(*items));
	return (struct ath_elements){ items, ath_element_sort(items, tally->there.len) };
}

/* Something of the revision is there, so that it cannot simply run. */
static void decide_present(const struct walker *walker, const struct ath_effects *effects,
			   const struct tally *tally, struct ath_walk_step *out)
{
	bool is_whole = tally->done == tally->effects;
	bool is_plain = effects->is_literal && !effects->has_data && !tally->has_alters &&
			!ath_interval_is_blind(effects);

	if (is_whole && is_plain && !tally->other) {
		out->act = ATH_WALK_ADOPT;
		out->reason = "all that it does is there already";
		return;
	}
	out->act = ATH_WALK_STOP;
	if (tally->other)
		out->reason = ath_arena_printf(
			walker->arena,
			"part of it is there, and '%s' is not, or need not be, what it makes",
			tally->other->element.key);
	else if (ath_interval_is_blind(effects))
		out->reason = "part of it is there, and not all that it does is known";
	else if (tally->lost)
		out->reason = ath_arena_printf(walker->arena,
					       "it has dropped '%s', which cannot be undone",
					       tally->lost->element.key);
	else if (tally->kept)
		out->reason = say_kept(walker, tally->kept);
	else
		out->act = ATH_WALK_REDO;
	if (out->act != ATH_WALK_REDO)
		return;
	out->undo = keep_elements(walker, tally);
	out->reason =
		!is_whole      ? "part of it is there"
		: tally->other ? "what it makes is there in another shape"
		: effects->has_data
			? "what it makes is there, and nothing proves that its data steps ran"
			: "what it makes is there, and nothing proves that the rest of it ran";
}

static void decide(const struct walker *walker, size_t revision, struct ath_walk_step *out)
{
	const struct ath_effects *effects = effects_of(walker, revision);
	struct tally tally = { 0 };

	*out = (struct ath_walk_step){ .revision = revision, .act = ATH_WALK_RUN };
	if (effects->source == ATH_EFFECTS_UNKNOWN)
		return;
	count(walker, walker->chain->nodes[revision].place, &tally);
	if (tally.added || tally.lost || (tally.effects && tally.done == tally.effects))
		decide_present(walker, effects, &tally, out);
	ath_vec_fini(&tally.there);
}

/* The revision is applied: by now its effects are there, also those that it only may have. */
static void apply(struct walker *walker, size_t revision)
{
	size_t place = walker->chain->nodes[revision].place;

	for (const struct ath_touch *one = walker->in.steps[place]; one; one = one->beside) {
		if (one->said == ATH_TOUCH_ADD)
			walker->present[one->track] = true;
		else if (one->said == ATH_TOUCH_DROP)
			walker->present[one->track] = false;
	}
	walker->cut[revision] = true;
}

struct ath_elements ath_walk_find_leftovers(const struct ath_elements *live,
					    struct ath_arena *arena)
{
	struct ath_element *items = ath_arena_new(arena, live->len, sizeof(*items));
	struct ath_elements found = { .items = items };

	for (size_t i = 0; i < live->len; i++) {
		const struct ath_element *one = &live->items[i];
		const char *original = ath_half_original_of(one);

		if (original && ath_element_find(live, ath_element_table_key(arena, original)))
			items[found.len++] = *one;
	}
	return found;
}

static void start(struct walker *walker)
{
	const struct ath_walk_question *question = walker->question;

	ath_interval_build(walker->chain, question->effects, question->live, walker->arena,
			   &walker->in);
	walker->present = ath_arena_new(walker->arena, walker->in.len, sizeof(*walker->present));
	for (size_t i = 0; i < walker->in.len; i++)
		walker->present[i] = walker->in.tracks[i].live != NULL;
	walker->cut = ath_arena_new(walker->arena, walker->chain->len, sizeof(*walker->cut));
	memcpy(walker->cut, question->cut, walker->chain->len * sizeof(*walker->cut));
}

void ath_walk_plan(const struct ath_walk_question *question, struct ath_arena *arena,
		   struct ath_walk *out)
{
	struct walker walker = { .question = question, .chain = question->chain, .arena = arena };
	const struct ath_chain_list *order = &question->chain->order;
	struct ath_walk_step *steps = ath_arena_new(arena, order->len, sizeof(*steps));

	*out = (struct ath_walk){ .steps = steps };
	out->leftovers = ath_walk_find_leftovers(&question->live, arena);
	start(&walker);
	for (size_t i = 0; i < order->len; i++) {
		size_t revision = order->items[i];

		if (walker.cut[revision] || !question->goal[revision])
			continue;
		decide(&walker, revision, &steps[out->len++]);
		if (steps[out->len - 1].act == ATH_WALK_STOP)
			return;
		apply(&walker, revision);
	}
}

const char *ath_walk_find_fault(const struct ath_walk_question *question, const bool *ran,
				struct ath_arena *arena, size_t *out_revision)
{
	struct ath_intervals in;
	struct ath_score score;

	ath_interval_build(question->chain, question->effects, question->live, arena, &in);
	score = ath_score_cut(&in, question->cut, arena);
	for (size_t i = 0; i < score.len; i++) {
		const struct ath_score_item *item = &score.items[i];
		size_t revision = ath_score_find_revision(&in, question->cut, item);

		if (item->weight != ATH_WEIGHT_STRONG || item->contra == ATH_CONTRA_PREMATURE ||
		    revision == question->chain->len || !ran[revision])
			continue;
		*out_revision = revision;
		return in.tracks[item->track].element.key;
	}
	return NULL;
}

const char *ath_walk_act_name(enum ath_walk_act act)
{
	static const char *const names[] = {
		[ATH_WALK_RUN] = "run",
		[ATH_WALK_ADOPT] = "adopt",
		[ATH_WALK_REDO] = "redo",
		[ATH_WALK_STOP] = "stop",
	};

	return names[act];
}
