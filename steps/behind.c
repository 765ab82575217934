/* SPDX-License-Identifier: MIT */
/* steps/behind: a database whose version row claims more than its schema has. */
#include "steps/behind.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "steps/database.h"

enum {
	NAMED_ELEMENTS = 3, /* of the evidence, in a message */
};

bool ath_behind_may_be(const struct ath_look *look, const struct ath_chain *chain)
{
	for (size_t i = 0; i < look->rows_len; i++) {
		if (ath_chain_find(chain, look->rows[i]) == chain->len)
			return false;
	}
	return look->state == ATH_LOOK_OK && look->stamp == ATH_STAMP_ROWS;
}

/* The first elements that speak against the row. */
static const char *name_missing(const struct ath_inference *inferred, struct ath_arena *arena)
{
	struct ath_str text = { 0 };
	size_t named = 0;
	const char *names;

	for (size_t i = 0; i < inferred->evidence_len && named < NAMED_ELEMENTS; i++) {
		if (inferred->evidence[i].found == ATH_FOUND_ABSENT)
			ath_str_printf(&text, "%s%s", named++ ? ", " : "",
				       inferred->evidence[i].element);
	}
	names = ath_arena_strdup(arena, ath_str_get(&text));
	ath_str_fini(&text);
	return names;
}

static bool fail(const struct ath_unstamped *asked, const char *rows,
		 const struct ath_inference *inferred, struct ath_arena *arena, struct ath_err *err)
{
	return ath_err_set(err, ATH_ERR_DECISION,
			   "'%s' is stamped '%s', and its schema is that of '%s' (missing: %s); "
			   "`athanor inspect` "
			   "shows the evidence; if it is right, --assume-revision %s goes on from "
			   "there, on a copy",
			   asked->path, rows, inferred->inferred, name_missing(inferred, arena),
			   inferred->inferred);
}

bool ath_behind_check(const struct ath_unstamped *asked, const struct ath_look *look,
		      const char *assume, struct ath_arena *arena, struct ath_database_plan *out,
		      bool *out_decided, struct ath_err *err)
{
	const struct ath_texts rows = { look->rows, look->rows_len };
	struct ath_database_plan plan = { .need = ATH_DATABASE_UPGRADE, .must_stamp = true };
	struct ath_inference inferred;

	*out_decided = false;
	if (!ath_unstamped_infer(asked, &rows, arena, &inferred, err))
		return false;
	if (inferred.verdict != ATH_VERDICT_BEHIND || inferred.decision != ATH_DECISION_STAMP ||
	    !inferred.inferred)
		return true;
	if (!ath_str_is(assume, inferred.inferred))
		return fail(asked, ath_database_join(&rows, arena), &inferred, arena, err);
	plan.stamp = inferred.stamp;
	plan.pending = inferred.pending.len;
	snprintf(plan.said, sizeof(plan.said),
		 "behind its row: at %s by its schema and your word, "
		 "%zu pending",
		 inferred.inferred, plan.pending);
	*out = plan;
	*out_decided = true;
	return true;
}
