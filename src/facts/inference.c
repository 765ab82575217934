/* SPDX-License-Identifier: MIT */
/* facts/inference: from a path to an answer. */
#include "facts/inference.h"

#include "alembic/infer.h"
#include "facts/effects_replay.h"
#include "os/file.h"
#include "sqlite/elements.h"
#include "sqlite/handle.h"

/* Rows and elements by one read transaction: they have to agree. */
static bool read_schema(const struct ath_facts_question *question, unsigned busy_ms,
			struct ath_facts_inference *out, struct ath_elements *live,
			struct ath_err *err)
{
	struct ath_db *db = ath_db_open(question->path, ATH_DB_READ, busy_ms, err);
	struct ath_look look = { 0 };
	bool is_read = db && ath_db_exec(db, "BEGIN", err) &&
		       ath_look_read(db, question->version_table, &look, err) &&
		       ath_elements_read(db, question->version_table, &out->arena, live, err);

	if (db)
		ath_db_rollback(db);
	ath_db_close(db);
	if (!is_read) {
		ath_look_fini(&look);
		return false;
	}
	look.bytes = out->look.bytes;
	look.wal_bytes = out->look.wal_bytes;
	ath_look_fini(&out->look);
	out->look = look;
	return true;
}

static uint64_t size_of(const char *path)
{
	struct ath_file_stamp stamp;

	return ath_file_stamp(path, &stamp) ? stamp.size : 0;
}

/*
 * The usual case, a file that can be read and that nobody holds: opened once, as SQLite parses a whole
 * schema for each handle. Whatever is in the way is for the look to name.
 */
static bool read_at_once(const struct ath_facts_question *question, struct ath_facts_inference *out,
			 struct ath_elements *live)
{
	const char *wal = ath_arena_printf(&out->arena, "%s-wal", question->path);
	struct ath_err ignored = { 0 };

	out->look.bytes = size_of(question->path);
	out->look.wal_bytes = size_of(wal);
	if (ath_file_kind(question->path) == ATH_FILE_REGULAR && out->look.bytes &&
	    read_schema(question, 0, out, live, &ignored))
		return true;
	out->look = (struct ath_look){ 0 };
	return false;
}

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

/* `live` is read unless the look alone answers. */
static bool look_and_read(const struct ath_facts_question *question,
			  struct ath_facts_inference *out, struct ath_elements *live,
			  struct ath_err *err)
{
	if (read_at_once(question, out, live))
		return true;
	if (!ath_look(question->path, question->version_table, question->busy_ms, &out->look, err))
		return false;
	/* Once more and in whole: it may have changed, so that the first look is not used. */
	return answer_by_look(out, question->chain) ||
	       read_schema(question, question->busy_ms, out, live, err);
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

static void infer(const struct ath_facts_question *question, struct ath_facts_inference *out,
		  struct ath_elements live)
{
	struct ath_infer_input input = {
		.chain = question->chain,
		.effects = out->effects.items,
		.live = live,
		.has_version_table = out->look.stamp != ATH_STAMP_NO_TABLE,
		.rows = { out->look.rows, out->look.rows_len },
	};

	ath_infer(&input, &out->arena, &out->result);
}

bool ath_facts_infer(const struct ath_facts_question *question, struct ath_facts_inference *out,
		     int *out_signal, struct ath_err *err)
{
	struct ath_elements live = { 0 };

	*out = (struct ath_facts_inference){ 0 };
	*out_signal = 0;
	if (look_and_read(question, out, &live, err)) {
		if (answer_by_look(out, question->chain))
			return true;
		if (ath_facts_effects_read(&question->reader, question->chain, &out->effects,
					   out_signal, err)) {
			use_replay(question, out);
			infer(question, out, live);
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
