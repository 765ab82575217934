/* SPDX-License-Identifier: MIT */
/* facts/inference: from a path to an answer. */
#include "facts/inference.h"

#include "alembic/infer.h"
#include "facts/effects_replay.h"
#include "facts/snapshot.h"

static void answer(struct ath_facts_inference *out, const struct ath_chain *chain,
		   enum ath_verdict verdict, enum ath_decision decision, const char *reason)
{
	out->result = (struct ath_inference){
		.verdict = verdict,
		.decision = decision,
		.reason = reason,
		.half.revision = chain->len,
	};
}

static void answer_empty(struct ath_facts_inference *out, const struct ath_chain *chain)
{
	const char **ids = ath_arena_new(&out->arena, chain->len + 1, sizeof(*ids));

	for (size_t i = 0; i < chain->order.len; i++)
		ids[i] = chain->entries[chain->order.items[i]].id;
	answer(out, chain, ATH_VERDICT_EMPTY, ATH_DECISION_INIT,
	       out->look.state == ATH_LOOK_MISSING ? "there is no database file yet"
						   : "the database is empty");
	out->result.pending = (struct ath_texts){ ids, chain->order.len };
}

/* Is everything said by the look alone? */
static bool answer_by_look(struct ath_facts_inference *out, const struct ath_chain *chain)
{
	switch (out->look.state) {
	case ATH_LOOK_MISSING:
	case ATH_LOOK_EMPTY:
		answer_empty(out, chain);
		return true;
	case ATH_LOOK_LOCKED:
		answer(out, chain, ATH_VERDICT_UNREADABLE, ATH_DECISION_REFUSE,
		       ath_arena_printf(&out->arena, "the database is locked: %s",
					out->look.reason));
		return true;
	case ATH_LOOK_RECOVERY:
	case ATH_LOOK_UNREADABLE:
		answer(out, chain, ATH_VERDICT_UNREADABLE, ATH_DECISION_REFUSE,
		       ath_arena_printf(&out->arena, "the database cannot be read: %s",
					out->look.reason));
		return true;
	default:
		break;
	}
	if (out->look.stamp != ATH_STAMP_WRONG_SHAPE)
		return false;
	answer(out, chain, ATH_VERDICT_UNREADABLE, ATH_DECISION_REFUSE,
	       "the version table is not Alembic's: it has no column version_num, or other things "
	       "than revisions in it");
	return true;
}

/* What a replay saw opens the eyes of blind revisions. */
static void use_replay(const struct ath_facts_question *question, struct ath_facts_inference *out)
{
	struct ath_facts_replay asked = { .state_dir = question->reader.state_dir,
					  .place = question->place,
					  .chain = question->chain };
	struct ath_replayed replayed;

	if (question->place && asked.state_dir &&
	    ath_facts_replay_is_useful(question->chain, out->effects.items) &&
	    ath_facts_replay_recall(&asked, &out->arena, &replayed))
		out->effects.items = ath_replayed_merge(question->chain, out->effects.items,
							&replayed, &out->arena)
					     .items;
}

static void infer(const struct ath_facts_question *question, struct ath_facts_inference *out)
{
	struct ath_infer_input input = {
		.chain = question->chain,
		.effects = out->effects.items,
		.live = out->live,
		.has_version_table = out->look.stamp != ATH_STAMP_NO_TABLE,
		.rows = { out->look.rows, out->look.rows_len },
	};

	ath_infer(&input, &out->arena, &out->result);
}

bool ath_facts_infer(const struct ath_facts_question *question, struct ath_facts_inference *out,
		     int *out_signal, struct ath_err *err)
{
	struct ath_facts_snapshot_of of = {
		.path = question->path,
		.version_table = question->version_table,
		.busy_ms = question->busy_ms,
		.arena = &out->arena,
	};

	*out = (struct ath_facts_inference){ 0 };
	*out_signal = 0;
	if (ath_facts_snapshot(&of, &out->look, &out->live, err)) {
		if (answer_by_look(out, question->chain))
			return true;
		if (ath_facts_effects_read(&question->reader, question->chain, &out->effects,
					   out_signal, err)) {
			use_replay(question, out);
			infer(question, out);
			return true;
		}
	}
	ath_facts_inference_fini(out);
	return false;
}

void ath_facts_inference_fini(struct ath_facts_inference *inference)
{
	ath_facts_effects_fini(&inference->effects);
	ath_look_fini(&inference->look);
	ath_arena_fini(&inference->arena);
	*inference = (struct ath_facts_inference){ 0 };
}
