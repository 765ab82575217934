/* SPDX-License-Identifier: MIT */
/* alembic/judge: is the stamp true, and if not, where does it have to move? */
#include "alembic/judge.h"

#include <string.h>

#include "alembic/explain.h"

enum {
	STRONG_FOR_DOWN = 2, /* one missing column may as well have been dropped by hand */
};

static bool has_redundant_rows(const struct ath_inquiry *q)
{
	return ath_explain_rows(q->chain, q->stamp, q->arena).len != q->input->rows.len;
}

/* Nothing fits the schema better than the stamp: believe it. */
static void believe_stamp(struct ath_inquiry *q, const struct ath_cut *own)
{
	const bool *lowest = q->stamp, *highest = q->stamp;
	bool is_class = false;
	enum ath_decision decision = has_redundant_rows(q) ? ATH_DECISION_STAMP : ATH_DECISION_NONE;

	for (size_t i = 0; i < q->cuts.free_len; i++) {
		const struct ath_cut *one = &q->cuts.free[i];

		if (one == own || ath_choose_is_better(own, one))
			continue;
		is_class = true;
		if (ath_cut_holds(q->chain, one->set, highest))
			highest = one->set;
		if (ath_cut_holds(q->chain, lowest, one->set))
			lowest = one->set;
	}
	ath_judge_set_range(q, lowest, highest);
	ath_judge_answer(q, is_class ? ATH_VERDICT_EQUIVALENT : ATH_VERDICT_EXACT, decision,
			 q->stamp,
			 decision == ATH_DECISION_STAMP
				 ? "the schema agrees with the stamp, which has a redundant row"
			 : is_class ? "the schema agrees with the stamp, and with others beside it"
				    : "the schema agrees with the stamp");
}

/* Does a revision that makes the table leave it standing? create_all knows no other tables. */
static bool is_lasting(const struct ath_track *track)
{
	bool is_lasting = false;
	size_t place = 0;

	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		if (one->verb == ATH_TOUCH_ADD) {
			is_lasting = true;
			place = one->place;
		} else if (one->verb == ATH_TOUCH_DROP && one->place == place) {
			is_lasting = false;
		}
	}
	return is_lasting;
}

/* All that is strong against the stamp are whole tables that it does not have yet. */
static bool has_early_tables_only(const struct ath_inquiry *q)
{
	bool has_some = false;

	for (size_t i = 0; i < q->against.len; i++) {
		const struct ath_score_item *item = &q->against.items[i];

		if (item->weight != ATH_WEIGHT_STRONG)
			continue;
		if (item->contra != ATH_CONTRA_PREMATURE ||
		    q->in.tracks[item->track].element.kind != ATH_ELEMENT_TABLE ||
		    !is_lasting(&q->in.tracks[item->track]))
			return false;
		has_some = true;
	}
	return has_some;
}

static void move_up(struct ath_inquiry *q)
{
	size_t risk = ath_choose_find_risk(&q->in, q->choice.set, q->stamp), tip;
	const struct ath_track *unproven;

	if (!q->choice.is_sure)
		ath_judge_ask(
			q, q->choice.class_len > 1 ? ATH_VERDICT_EQUIVALENT : ATH_VERDICT_AMBIGUOUS,
			ath_judge_say_doubt(q));
	else if (has_early_tables_only(q) && risk < q->chain->len)
		ath_judge_ask(q, ATH_VERDICT_AMBIGUOUS,
			      ath_arena_printf(
				      q->arena,
				      "tables of later revisions are there, which create_all may "
				      "have made: nothing proves that revision %s ran",
				      ath_judge_id(q, risk)));
	else if (!q->against.counts[ATH_WEIGHT_STRONG] && risk < q->chain->len)
		ath_judge_ask(
			q, ATH_VERDICT_AHEAD,
			ath_arena_printf(q->arena,
					 "only weak evidence speaks for a later revision than the "
					 "stamp, and nothing proves that revision %s ran",
					 ath_judge_id(q, risk)));
	else if ((unproven = ath_judge_find_unproven(q, &tip)))
		ath_judge_ask(q, ATH_VERDICT_AHEAD, ath_judge_say_unproven(q, unproven, tip));
	else
		ath_judge_answer(q, ATH_VERDICT_AHEAD, ATH_DECISION_STAMP, q->choice.set,
				 ath_arena_printf(q->arena,
						  "the schema is ahead of its stamp, at %s",
						  ath_judge_say(q, q->choice.set)));
}

static void move_down(struct ath_inquiry *q)
{
	bool is_base = !ath_explain_rows(q->chain, q->choice.set, q->arena).len;

	if (!q->choice.is_sure)
		ath_judge_ask(q, ATH_VERDICT_BEHIND, ath_judge_say_doubt(q));
	else if (is_base)
		ath_judge_ask(
			q, ATH_VERDICT_BEHIND,
			"the schema is that before the first revision, whatever the stamp says");
	else if (q->against.counts[ATH_WEIGHT_STRONG] < STRONG_FOR_DOWN)
		ath_judge_ask(q, ATH_VERDICT_BEHIND,
			      ath_arena_printf(
				      q->arena,
				      "the schema is that of %s, but too little speaks against the "
				      "stamp",
				      ath_judge_say(q, q->choice.set)));
	else
		ath_judge_answer(q, ATH_VERDICT_BEHIND, ATH_DECISION_STAMP, q->choice.set,
				 ath_arena_printf(q->arena, "the schema is behind its stamp, at %s",
						  ath_judge_say(q, q->choice.set)));
}

/* The schema fits another cut than the stamp, and the stamp less. */
static void move(struct ath_inquiry *q)
{
	if (ath_cut_is(q->chain, q->choice.set, q->stamp))
		ath_judge_ask(q, ATH_VERDICT_AMBIGUOUS, ath_judge_say_doubt(q));
	else if (ath_cut_holds(q->chain, q->choice.set, q->stamp))
		move_up(q);
	else if (ath_cut_holds(q->chain, q->stamp, q->choice.set))
		move_down(q);
	else
		ath_judge_ask(
			q, ATH_VERDICT_AMBIGUOUS,
			ath_arena_printf(
				q->arena,
				"the schema fits %s, which is neither above nor below the stamp",
				ath_judge_say(q, q->choice.set)));
}

/* Does only the stamp need the least of what revisions of unknown content may have dropped? */
static bool is_stamp_possible(const struct ath_inquiry *q)
{
	struct ath_cut stamp = { .set = q->stamp };
	bool is_possible = false;

	memcpy(stamp.counts, q->against.counts, sizeof(stamp.counts));
	for (size_t i = 0; i < q->cuts.possible_len; i++) {
		const struct ath_cut *one = &q->cuts.possible[i];

		if (ath_cut_is(q->chain, one->set, q->stamp))
			is_possible = true;
		else if (!ath_cut_is_nearer(&stamp, one))
			return false;
	}
	return is_possible && !q->cuts.skipped_len;
}

/* Does a cut that may fit as well explain what the stamp does not? */
static bool is_stamp_doubtful(const struct ath_inquiry *q)
{
	if (q->in.is_tangled && q->cuts.free_len > 1)
		return true;
	for (size_t i = 0; i < q->cuts.free_len; i++) {
		if (ath_choose_is_hinted(&q->in, q->stamp, q->cuts.free[i].set) ||
		    !ath_choose_is_shared(&q->in, &q->against, q->cuts.free[i].set, q->arena))
			return true;
	}
	for (size_t i = 0; i < q->cuts.skipped_len; i++) {
		if (!ath_choose_is_shared(&q->in, &q->against, q->cuts.skipped[i].set, q->arena))
			return true;
	}
	return false;
}

/* The stamp stands as it is; redundant rows go. */
static void keep_stamp(struct ath_inquiry *q, enum ath_verdict verdict, const char *reason)
{
	ath_judge_set_range(q, q->stamp, q->stamp);
	ath_judge_answer(q, verdict, has_redundant_rows(q) ? ATH_DECISION_STAMP : ATH_DECISION_NONE,
			 q->stamp, reason);
}

/* Part of a next revision is there: was it interrupted, or does another one fit better? */
static void judge_half(struct ath_inquiry *q, bool is_stamp_best)
{
	if (!is_stamp_best && ath_judge_is_half_contested(q))
		ath_judge_ask(q, ATH_VERDICT_AMBIGUOUS,
			      "part of the next revision is there, but another revision "
			      "fits better");
	else
		ath_judge_half(q);
}

/* Nothing strong speaks against the stamp. */
static void judge_free(struct ath_inquiry *q, const struct ath_cut *own, bool is_best)
{
	if (ath_judge_is_rebuilding(q))
		ath_judge_rebuild(q, q->stamp, is_best);
	else if (!is_best)
		move(q);
	else if (is_stamp_doubtful(q))
		ath_judge_ask(q, ATH_VERDICT_AMBIGUOUS,
			      "the schema may be that of the stamp, or that of another revision");
	else
		believe_stamp(q, own);
}

/* The stamp is contradicted. */
static void judge_contradicted(struct ath_inquiry *q)
{
	if (q->choice.set)
		move(q);
	else if (is_stamp_possible(q))
		keep_stamp(q, ATH_VERDICT_EQUIVALENT,
			   "the schema agrees with the stamp, if revisions of unknown content have "
			   "dropped what is missing");
	else if (has_early_tables_only(q) && q->cuts.is_complete && !q->cuts.possible_len &&
		 !q->cuts.skipped_len)
		keep_stamp(q, ATH_VERDICT_EXACT,
			   "the schema agrees with the stamp; some tables of later revisions "
			   "are there");
	else
		ath_judge_damaged(q);
}

void ath_judge_stamped(struct ath_inquiry *q)
{
	const struct ath_cut *own = ath_judge_find_free(q, q->stamp);
	bool is_best = own && (!q->choice.set ||
			       !ath_choose_is_better(ath_judge_find_free(q, q->choice.set), own));

	if (q->half.count && !ath_judge_is_ahead_by_one(q))
		judge_half(q, is_best);
	else if (own)
		judge_free(q, own, is_best);
	else
		judge_contradicted(q);
}
