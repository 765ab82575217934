/* SPDX-License-Identifier: MIT */
/* alembic/judge: a revision that is half there, or a rebuild that was interrupted. */
#include "alembic/judge.h"

#include <string.h>

/* The revision `half` was interrupted above `cut`. */
static void answer_half(struct ath_inquiry *q, const bool *cut, enum ath_decision decision,
			const char *reason)
{
	struct ath_half *half = &q->out->half;

	half->revision = q->half.count ? q->half.revision : q->rebuild.revision;
	half->there = q->half.there;
	if (q->rebuild.table) {
		struct ath_element *items =
			ath_arena_new(q->arena, half->there.len + 1, sizeof(*items));

		if (half->there.len)
			memcpy(items, half->there.items, half->there.len * sizeof(*items));
		items[half->there.len] = *q->rebuild.table;
		half->there.len = ath_element_sort(items, half->there.len + 1);
		half->there.items = items;
	}
	ath_judge_answer(q, ATH_VERDICT_HALF_APPLIED, decision, cut, reason);
}

/* Is a part of it there in another shape, or known by its name alone? Then it may be somebody else's. */
static bool may_be_another(const struct ath_inquiry *q)
{
	const struct ath_track *track = ath_half_find_unproven(&q->in, q->half.revision, true);

	return track &&
	       ath_interval_find_net(track, q->chain->nodes[q->half.revision].place)->verb !=
		       ATH_TOUCH_ALTER;
}

/* Part of a next revision is there, or all of one that did more than the schema shows. */
void ath_judge_half(struct ath_inquiry *q)
{
	const char *id = ath_judge_id(q, q->half.revision);
	bool is_blind = ath_interval_is_blind(&q->input->effects[q->half.revision]);

	if (q->half.count > 1)
		answer_half(q, q->stamp, ATH_DECISION_ASK,
			    "parts of several next revisions are there");
	else if (q->half.has_lost)
		answer_half(q, q->stamp, ATH_DECISION_ASK,
			    ath_arena_printf(q->arena,
					     "revision %s was interrupted after it had dropped "
					     "something, which cannot be undone",
					     id));
	else if (is_blind)
		answer_half(q, q->stamp, ATH_DECISION_ASK,
			    ath_arena_printf(q->arena,
					     "part of revision %s is there, but not all that it "
					     "does is known",
					     id));
	else if (q->half.has_others)
		answer_half(q, q->stamp, ATH_DECISION_ASK,
			    ath_arena_printf(q->arena,
					     "part of revision %s is there, but so is something of "
					     "another revision",
					     id));
	else if (q->half.is_whole && may_be_another(q))
		answer_half(q, q->stamp, ATH_DECISION_ASK,
			    ath_arena_printf(q->arena,
					     "all that revision %s makes is there, but not as it "
					     "makes it",
					     id));
	else if (q->half.is_whole)
		answer_half(q, q->stamp, ATH_DECISION_COMPLETE,
			    ath_arena_printf(q->arena,
					     "all tables and columns of revision %s are there, but "
					     "nothing proves that %s ran",
					     id,
					     q->input->effects[q->half.revision].has_data
						     ? "its data steps"
						     : "the rest of it"));
	else
		answer_half(q, q->stamp, ATH_DECISION_COMPLETE,
			    ath_arena_printf(
				    q->arena,
				    "revision %s was interrupted: only part of it is there", id));
}

void ath_judge_rebuild(struct ath_inquiry *q, const bool *cut, bool is_sure)
{
	const char *table = q->rebuild.table->table;

	if (!q->rebuild.has_original)
		answer_half(
			q, cut, ATH_DECISION_ASK,
			ath_arena_printf(q->arena,
					 "'%s' is left of an interrupted rebuild and may be the "
					 "only copy of its table",
					 table));
	else
		answer_half(q, cut, is_sure ? ATH_DECISION_COMPLETE : ATH_DECISION_ASK,
			    ath_arena_printf(q->arena, "'%s' is left of an interrupted rebuild",
					     table));
}

/* The rebuild of a revision above the cut; a left-over that none explains is drift. */
bool ath_judge_is_rebuilding(const struct ath_inquiry *q)
{
	return q->rebuild.table &&
	       (q->rebuild.revision < q->chain->len || !q->rebuild.has_original);
}

/* The crash came before the version row, or the whole of it is there: not half. */
bool ath_judge_is_ahead_by_one(const struct ath_inquiry *q)
{
	const struct ath_effects *effects = &q->input->effects[q->half.revision];

	return q->half.count == 1 && q->half.is_whole && effects->is_literal &&
	       !effects->has_data && !ath_interval_is_blind(effects) && !q->rebuild.table &&
	       !ath_half_find_unproven(&q->in, q->half.revision, true);
}

/* Does the chosen class begin beyond the revision that seems half there, or lie elsewhere? */
bool ath_judge_is_half_contested(const struct ath_inquiry *q)
{
	bool is_beyond = false;

	if (!q->choice.set || ath_cut_is(q->chain, q->choice.set, q->stamp))
		return false;
	for (size_t i = 0; i < q->chain->len; i++)
		is_beyond =
			is_beyond || (q->choice.lowest[i] && !q->stamp[i] && i != q->half.revision);
	return is_beyond || !q->choice.highest[q->half.revision];
}
