/* SPDX-License-Identifier: MIT */
/* alembic/judge: what both ways share, and the way without a stamp. */
#include "alembic/judge.h"

#include <string.h>

#include "alembic/explain.h"

void ath_judge_answer(struct ath_inquiry *q, enum ath_verdict verdict, enum ath_decision decision,
		      const bool *cut, const char *reason)
{
	q->out->verdict = verdict;
	q->out->decision = decision;
	q->out->reason = reason;
	q->answer = cut;
}

/* Name of a cut for a sentence. */
const char *ath_judge_say(struct ath_inquiry *q, const bool *cut)
{
	const char *name = ath_explain_cut(q->chain, cut, q->arena);

	return *name ? ath_arena_printf(q->arena, "revision %s", name)
		     : "the state before the first revision";
}

const char *ath_judge_id(const struct ath_inquiry *q, size_t revision)
{
	return q->chain->entries[revision].id;
}

bool ath_judge_has_rows(const struct ath_inquiry *q)
{
	return q->input->rows.len > 0;
}

void ath_judge_set_range(struct ath_inquiry *q, const bool *lowest, const bool *highest)
{
	q->out->lowest = ath_explain_cut(q->chain, lowest, q->arena);
	q->out->highest = ath_explain_cut(q->chain, highest, q->arena);
}

void ath_judge_ask(struct ath_inquiry *q, enum ath_verdict verdict, const char *reason)
{
	ath_judge_answer(q, verdict, ATH_DECISION_ASK, NULL, reason);
}

const char *ath_judge_say_doubt(struct ath_inquiry *q)
{
	return ath_arena_printf(q->arena, "the schema fits %s, but %s",
				ath_judge_say(q, q->choice.set), q->choice.doubt);
}

const struct ath_cut *ath_judge_find_free(const struct ath_inquiry *q, const bool *cut)
{
	for (size_t i = 0; i < q->cuts.free_len; i++) {
		if (ath_cut_is(q->chain, q->cuts.free[i].set, cut))
			return &q->cuts.free[i];
	}
	return NULL;
}

struct table_count {
	size_t known, unknown;             /* live tables, to chain or models */
	size_t required, required_missing; /* that the chain needs and does not make */
	size_t early;                      /* elements made by the chain that are there */
};

static struct table_count count_tables(const struct ath_inquiry *q)
{
	const struct ath_elements *models = &q->input->models;
	struct table_count count = { 0 };

	for (size_t i = 0; i < q->in.live.len; i++) {
		const struct ath_element *one = &q->in.live.items[i];

		count.unknown += one->kind == ATH_ELEMENT_TABLE;
		count.known += one->kind == ATH_ELEMENT_TABLE && ath_element_find(models, one->key);
	}
	for (size_t i = 0; i < q->in.len; i++) {
		const struct ath_track *track = &q->in.tracks[i];

		count.early +=
			track->live && !track->is_birth && track->first == ATH_PRESENCE_NOT_YET;
		if (track->element.kind != ATH_ELEMENT_TABLE)
			continue;
		count.required += track->is_required;
		count.required_missing += track->is_required && !track->live;
		count.known += track->live && !ath_element_find(models, track->element.key);
	}
	count.unknown -= count.known;
	return count;
}

/* What the chain needs is absent, or most tables are strangers. */
static bool is_foreign(const struct ath_inquiry *q)
{
	struct table_count count = count_tables(q);

	if (count.required && !count.required_missing)
		return false;
	return (count.required_missing && !count.early) || count.unknown > count.known;
}

/* The nearest cut; the stamp itself where no other is nearer. */
static const bool *find_nearest(const struct ath_inquiry *q)
{
	struct ath_cut stamp = { .set = q->stamp };

	memcpy(stamp.counts, q->against.counts, sizeof(stamp.counts));
	return ath_judge_has_rows(q) && !ath_cut_is_nearer(&q->cuts.nearest, &stamp)
		       ? q->stamp
		       : q->cuts.nearest.set;
}

void ath_judge_damaged(struct ath_inquiry *q)
{
	if (q->rebuild.table && !q->rebuild.has_original) {
		/* the table that seems to be missing may be this one */
		ath_judge_rebuild(q, q->stamp, false);
		q->answer = NULL;
		return;
	}
	if (is_foreign(q)) {
		ath_judge_answer(q, ATH_VERDICT_FOREIGN, ATH_DECISION_REFUSE, NULL,
				 "the tables are those of another application");
		return;
	}
	if (q->rebuild.table) {
		ath_judge_rebuild(q, q->stamp, false);
		q->answer = NULL;
		return;
	}
	ath_judge_ask(
		q, ATH_VERDICT_AMBIGUOUS,
		!q->cuts.is_complete ? "the graph has too many states to compare them all"
		: q->cuts.possible_len
			? "the schema fits only if a revision of unknown content has undone others"
		: q->cuts.nearest.set
			? ath_arena_printf(q->arena,
					   "no revision has this schema; the nearest is %s",
					   ath_judge_say(q, find_nearest(q)))
			: "no revision has this schema");
}

/* The matched cut may be one whose own last revision was interrupted. */
static const struct ath_track *find_lack(const struct ath_inquiry *q, size_t *out_revision)
{
	struct ath_chain_list tips = ath_chain_find_tips(q->chain, q->choice.lowest, q->arena);
	const struct ath_track *lack = NULL;

	for (size_t i = 0; !lack && i < tips.len; i++) {
		lack = ath_half_find_lack(&q->in, q->choice.lowest, tips.items[i]);
		*out_revision = tips.items[i];
	}
	return lack;
}

/* A tip of the chosen cut that is not in the stamp may have been interrupted before what shows nowhere. */
const struct ath_track *ath_judge_find_unproven(const struct ath_inquiry *q, size_t *out_revision)
{
	struct ath_chain_list tips = ath_chain_find_tips(q->chain, q->choice.set, q->arena);
	const struct ath_track *found = NULL;

	for (size_t i = 0; !found && i < tips.len; i++) {
		*out_revision = tips.items[i];
		if (!q->stamp[tips.items[i]])
			found = ath_half_find_unproven(&q->in, tips.items[i],
						       ath_judge_has_rows(q));
	}
	return found;
}

const char *ath_judge_say_unproven(struct ath_inquiry *q, const struct ath_track *track,
				   size_t revision)
{
	return ath_arena_printf(q->arena,
				"the schema fits %s, but nothing proves that all of revision %s "
				"ran ('%s')",
				ath_judge_say(q, q->choice.set), ath_judge_id(q, revision),
				track->element.key);
}

static void accept_choice(struct ath_inquiry *q)
{
	bool is_base = !ath_explain_rows(q->chain, q->choice.set, q->arena).len;
	size_t interrupted = q->chain->len;
	const struct ath_track *lack = find_lack(q, &interrupted), *unproven;
	size_t tip = q->chain->len;

	ath_judge_set_range(q, q->choice.lowest, q->choice.highest);
	/* both were looked for above the stamp, and there is none */
	q->half = (struct ath_half_find){ .revision = q->chain->len };
	q->rebuild = ath_half_find_rebuild(&q->in, q->choice.set, q->arena);
	if (ath_judge_is_rebuilding(q)) {
		ath_judge_rebuild(q, q->choice.set, q->choice.is_sure);
	} else if (lack) {
		ath_judge_ask(
			q, ATH_VERDICT_HALF_APPLIED,
			ath_arena_printf(
				q->arena,
				"the schema is that of %s without '%s': that revision may have "
				"been interrupted",
				ath_judge_say(q, q->choice.lowest), lack->element.key));
		q->out->half.revision = interrupted;
	} else if (q->choice.is_sure && (unproven = ath_judge_find_unproven(q, &tip))) {
		ath_judge_ask(q, ATH_VERDICT_HALF_APPLIED,
			      ath_judge_say_unproven(q, unproven, tip));
		q->out->half.revision = tip;
	} else if (!q->choice.is_sure) {
		ath_judge_ask(
			q, q->choice.class_len > 1 ? ATH_VERDICT_EQUIVALENT : ATH_VERDICT_AMBIGUOUS,
			ath_judge_say_doubt(q));
	} else {
		ath_judge_answer(
			q, q->choice.class_len > 1 ? ATH_VERDICT_EQUIVALENT : ATH_VERDICT_EXACT,
			is_base ? ATH_DECISION_NONE : ATH_DECISION_STAMP, q->choice.set,
			ath_arena_printf(q->arena, "the schema is that of %s",
					 ath_judge_say(q, q->choice.set)));
	}
}

void ath_judge_unstamped(struct ath_inquiry *q)
{
	bool is_base = q->choice.set && !ath_explain_rows(q->chain, q->choice.set, q->arena).len;

	bool is_half =
		q->input->has_version_table && q->half.count && !ath_judge_is_ahead_by_one(q);

	if (is_half && ath_judge_is_half_contested(q))
		ath_judge_ask(q, ATH_VERDICT_AMBIGUOUS,
			      "part of the first revision is there, but another revision fits "
			      "better");
	else if (is_half)
		ath_judge_half(q);
	else if (!q->choice.set || (is_base && is_foreign(q)))
		ath_judge_damaged(q);
	else
		accept_choice(q);
}
