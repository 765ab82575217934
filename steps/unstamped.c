/* SPDX-License-Identifier: MIT */
/* steps/unstamped: the revision of a database without a version row. */
#include "steps/unstamped.h"

#include <stdio.h>

#include "sqlite/elements.h"
#include "sqlite/handle.h"
#include "steps/database.h"

enum {
	BUSY_MS = 5000, /* how long reading the schema waits for a lock */
};

bool ath_unstamped_is(const struct ath_look *look, const char *version_table)
{
	bool has_rows = look->stamp == ATH_STAMP_ROWS || look->stamp == ATH_STAMP_WRONG_SHAPE;

	return look->state == ATH_LOOK_OK && !has_rows &&
	       ath_schema_count_tables(&look->schema, version_table) > 0;
}

struct ath_bridge_command ath_unstamped_command(const struct ath_chain *chain,
						struct ath_arena *arena)
{
	const char **ids = ath_arena_new(arena, chain->len + 1, sizeof(*ids));
	const char **files = ath_arena_new(arena, chain->len + 1, sizeof(*files));

	for (size_t i = 0; i < chain->len; i++) {
		ids[i] = chain->entries[chain->order.items[i]].id;
		files[i] = chain->entries[chain->order.items[i]].file;
	}
	return (struct ath_bridge_command){
		.verb = ATH_BRIDGE_EFFECTS,
		.ids = { ids, chain->len },
		.files = { files, chain->len },
	};
}

static bool read_elements(const struct ath_unstamped *unstamped, struct ath_arena *arena,
			  struct ath_elements *out, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(unstamped->path, ATH_DB_READ, BUSY_MS, err);
	bool is_read = db && ath_elements_read(db, unstamped->version_table, arena, out, err);

	ath_db_close(db);
	return is_read;
}

/* The evidence decides: what is written on the copy, and what that declares done. */
static void fill_stamp(const struct ath_inference *inferred, struct ath_arena *arena,
		       struct ath_database_plan *out)
{
	size_t passed = inferred->passed_over.len;

	out->need = ATH_DATABASE_UPGRADE;
	out->must_stamp = inferred->stamp.len > 0;
	out->stamp = inferred->stamp;
	out->pending = inferred->pending.len;
	snprintf(out->said, sizeof(out->said),
		 "no version row; by its schema it is at %s, %zu pending%s%s",
		 inferred->inferred ? inferred->inferred : "the beginning", out->pending,
		 passed ? "; taken as done: the data steps of " : "",
		 passed ? ath_database_join(&inferred->passed_over, arena) : "");
}

static bool fail(const struct ath_unstamped *unstamped, const struct ath_inference *inferred,
		 struct ath_err *err)
{
	if (inferred->decision == ATH_DECISION_REFUSE)
		return ath_err_set(err, ATH_ERR_REFUSED, "'%s' has no version row: %s",
				   unstamped->path, inferred->reason);
	return ath_err_set(
		err, ATH_ERR_DECISION,
		"'%s' has no version row, and its schema does not decide (%s: %s); "
		"`athanor inspect` shows the evidence, --assume-revision REV answers (what "
		"is pending from there is rehearsed on a copy)",
		unstamped->path, ath_verdict_name(inferred->verdict), inferred->reason);
}

bool ath_unstamped_infer(const struct ath_unstamped *unstamped, const struct ath_texts *rows,
			 struct ath_arena *arena, struct ath_inference *out, struct ath_err *err)
{
	struct ath_infer_input input = { .chain = unstamped->chain, .effects = unstamped->effects };

	if (rows) {
		input.has_version_table = true;
		input.rows = *rows;
	}
	if (!read_elements(unstamped, arena, &input.live, err))
		return false;
	ath_infer(&input, arena, out);
	return true;
}

bool ath_unstamped_decide(const struct ath_unstamped *unstamped, struct ath_arena *arena,
			  struct ath_database_plan *out, struct ath_err *err)
{
	struct ath_inference inferred;
	struct ath_database_plan plan = { 0 };
	bool is_clear;

	if (!ath_unstamped_infer(unstamped, NULL, arena, &inferred, err))
		return false;
	is_clear =
		inferred.verdict == ATH_VERDICT_EXACT || inferred.verdict == ATH_VERDICT_EQUIVALENT;
	if (!is_clear ||
	    (inferred.decision != ATH_DECISION_STAMP && inferred.decision != ATH_DECISION_NONE))
		return fail(unstamped, &inferred, err);
	fill_stamp(&inferred, arena, &plan);
	*out = plan;
	return true;
}
