/* SPDX-License-Identifier: MIT */
/* alembic/infer: finds all that is to be known, lets it be judged, and fills the result. */
#include "alembic/infer.h"

#include "alembic/explain.h"
#include "alembic/judge.h"

enum {
	CANDIDATES_MAX = 1000,
};

/* All cuts that the schema allows, and the one below a revision that is half there. */
static void fill_candidates(struct ath_inquiry *q)
{
	struct ath_inference *out = q->out;
	size_t most = q->cuts.free_len + q->cuts.possible_len + 2, len = 0;
	const char **items = ath_arena_new(q->arena, most, sizeof(*items));

	for (size_t i = 0; i < q->cuts.free_len && len < CANDIDATES_MAX; i++)
		items[len++] = ath_explain_cut(q->chain, q->cuts.free[i].set, q->arena);
	for (size_t i = 0; i < q->cuts.possible_len && len < CANDIDATES_MAX; i++)
		items[len++] = ath_explain_cut(q->chain, q->cuts.possible[i].set, q->arena);
	if (out->verdict == ATH_VERDICT_HALF_APPLIED && q->answer &&
	    !ath_judge_find_free(q, q->answer))
		items[len++] = ath_explain_cut(q->chain, q->answer, q->arena);
	out->candidates = (struct ath_texts){ items, len };
}

/* What follows from an answer: rows, what is pending, what is declared done. */
static void fill_answer(struct ath_inquiry *q)
{
	struct ath_inference *out = q->out;
	struct ath_texts rows = ath_explain_rows(q->chain, q->answer, q->arena);

	out->inferred = rows.len ? ath_explain_cut(q->chain, q->answer, q->arena) : NULL;
	out->pending = ath_explain_pending(q->chain, q->answer, q->arena);
	if (out->decision == ATH_DECISION_STAMP || out->decision == ATH_DECISION_COMPLETE)
		out->stamp = rows;
	if (out->decision == ATH_DECISION_STAMP)
		out->passed_over = ath_explain_passed(&q->in, q->answer, q->stamp, q->arena);
}

/* What speaks against the stamp, if it is not the answer, and against the next best. */
static void fill_evidence(struct ath_inquiry *q)
{
	struct ath_inference *out = q->out;
	const bool *nearest = q->cuts.nearest.set;

	if (out->verdict != ATH_VERDICT_UNKNOWN_STAMP && ath_judge_has_rows(q) && q->against.len &&
	    q->answer != q->stamp)
		ath_explain_against(&q->in, q->stamp, q->arena, out);
	if (!nearest || ath_cut_is(q->chain, nearest, q->stamp))
		return;
	ath_explain_against(&q->in, nearest, q->arena, out);
	if (q->answer)
		out->margin = (unsigned)q->cuts.nearest.counts[ATH_WEIGHT_STRONG];
}

/* All of a result that follows, whatever the verdict is. */
static void fill(struct ath_inquiry *q)
{
	const bool *seen_from = q->answer       ? q->answer
				: q->choice.set ? q->choice.set
						: q->cuts.nearest.set;

	fill_candidates(q);
	if (q->answer)
		fill_answer(q);
	fill_evidence(q);
	if (seen_from)
		ath_explain_drift(&q->in, seen_from, &q->input->models, q->arena, q->out);
}

static const char *find_unknown_row(const struct ath_infer_input *input)
{
	for (size_t i = 0; i < input->rows.len; i++) {
		if (ath_chain_find(input->chain, input->rows.items[i]) == input->chain->len)
			return input->rows.items[i];
	}
	return NULL;
}

static bool has_tables(const struct ath_infer_input *input)
{
	for (size_t i = 0; i < input->live.len; i++) {
		if (input->live.items[i].kind == ATH_ELEMENT_TABLE)
			return true;
	}
	return false;
}

static bool *new_stamp(const struct ath_infer_input *input, struct ath_arena *arena)
{
	size_t *items = ath_arena_new(arena, input->rows.len, sizeof(*items)), len = 0;

	for (size_t i = 0; i < input->rows.len; i++) {
		size_t revision = ath_chain_find(input->chain, input->rows.items[i]);

		if (revision < input->chain->len)
			items[len++] = revision;
	}
	return ath_chain_new_ancestors(input->chain, (struct ath_chain_list){ items, len }, arena);
}

static void judge_empty(struct ath_inquiry *q)
{
	q->out->pending = ath_explain_pending(q->chain, q->stamp, q->arena);
	if (ath_judge_has_rows(q))
		ath_judge_ask(q, ATH_VERDICT_EMPTY, "the database is stamped but has no tables");
	else
		ath_judge_answer(q, ATH_VERDICT_EMPTY, ATH_DECISION_INIT, NULL,
				 "the database has no tables");
}

static void study(struct ath_inquiry *q)
{
	ath_interval_build(q->chain, q->input->effects, q->input->live, q->arena, &q->in);
	ath_cut_find(&q->in, q->arena, &q->cuts);
	q->choice = ath_choose(&q->in, &q->cuts, q->arena);
	q->against = ath_score_cut(&q->in, q->stamp, q->arena);
	q->half = ath_half_find(&q->in, q->stamp, &q->against, q->arena);
	q->rebuild = ath_half_find_rebuild(
		&q->in, ath_judge_has_rows(q) || !q->choice.set ? q->stamp : q->choice.set,
		q->arena);
}

void ath_infer(const struct ath_infer_input *input, struct ath_arena *arena,
	       struct ath_inference *out)
{
	struct ath_inquiry q = {
		.input = input, .chain = input->chain, .arena = arena, .out = out
	};
	const char *unknown = find_unknown_row(input);

	*out = (struct ath_inference){ .half.revision = input->chain->len };
	for (size_t i = 0; i < input->chain->len; i++)
		out->blind += input->effects[i].source == ATH_EFFECTS_UNKNOWN;
	q.stamp = new_stamp(input, arena);
	if (!unknown && !has_tables(input)) {
		judge_empty(&q);
		return;
	}
	study(&q);
	if (unknown)
		ath_judge_answer(
			&q, ATH_VERDICT_UNKNOWN_STAMP, ATH_DECISION_REFUSE, NULL,
			ath_arena_printf(arena,
					 "the database is stamped '%s', which no revision of this "
					 "chain is called: it may be newer than the code",
					 unknown));
	else if (ath_judge_has_rows(&q))
		ath_judge_stamped(&q);
	else
		ath_judge_unstamped(&q);
	fill(&q);
}
