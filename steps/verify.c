/* SPDX-License-Identifier: MIT */
/*
 * steps/verify: a separate, read-only audit of the live database; its record is what later runs
 * believe.
 */
#include <string.h>

#include "steps/database.h"
#include "steps/edited.h"
#include "steps/table.h"
#include "steps/verified.h"

struct verify {
	const char *path, *version_table, *heads, *chain, *assumed;
	struct ath_pairs record; /* owned until it was recorded */
	bool is_final;           /* nothing is pending: later runs may believe the record */
};

static bool check(struct verify *verify, const struct ath_look *look, struct ath_err *err)
{
	struct ath_texts rows = { look->rows, look->rows_len };
	struct ath_arena arena = { 0 };
	const char *joined = ath_database_join(&rows, &arena);
	bool is_right = look->state == ATH_LOOK_OK && strcmp(joined, verify->heads) == 0;

	if (look->state == ATH_LOOK_LOCKED)
		ath_err_set(err, ATH_ERR_LOCKED, "'%s' is locked by another process", verify->path);
	else if (look->state == ATH_LOOK_UNREADABLE || look->state == ATH_LOOK_RECOVERY)
		ath_err_set(err, ATH_ERR_VERIFY, "'%s' cannot be read back: %s", verify->path,
			    look->reason);
	else if (!is_right)
		ath_err_set(err, ATH_ERR_VERIFY,
			    "'%s' is %s with the version row '%s', and '%s' is what it should be",
			    verify->path, ath_look_state_name(look->state), joined, verify->heads);
	ath_arena_fini(&arena);
	return is_right;
}

static bool verify_work(void *data, struct ath_err *err)
{
	struct verify *verify = data;
	struct ath_look look;
	bool is_right;

	if (!ath_look(verify->path, verify->version_table, 5000, &look, err))
		return false;
	is_right = check(verify, &look, err);
	if (is_right)
		ath_verified_fill(&(struct ath_verified){ .path = verify->path,
							  .version_table = verify->version_table,
							  .chain = verify->chain,
							  .assumed = verify->assumed,
							  .look = &look },
				  &verify->record);
	ath_look_fini(&look);
	return is_right;
}

/* What each revision was when it was verified, where the files can be read without Alembic. */
static void add_contents(struct ath_step *step, struct ath_pairs *record)
{
	struct ath_facts_chain_place place = ath_database_chain_place(
		ath_step_world(step), ath_step_config(step), ath_step_arena(step));
	struct ath_facts_chain chain = { 0 };
	struct ath_err ignored = { 0 };

	if (ath_facts_chain_load(&place, &chain, &ignored) && chain.is_static)
		ath_edited_fill(&chain.chain, record);
	ath_facts_chain_fini(&chain);
}

static void on_verified(struct ath_step *step, const struct ath_err *err)
{
	struct verify *verify = ath_step_data(step, sizeof(*verify));

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	if (verify->is_final) {
		add_contents(step, &verify->record);
		ath_pairs_set(&verify->record, "doubt",
			      ath_pairs_get(ath_step_world(step)->facts, "database.doubt"));
		ath_step_record(step, "verified", &verify->record, ath_step_done);
	} else {
		ath_step_done(step);
	}
	ath_pairs_fini(&verify->record);
}

static void verify_start(struct ath_step *step)
{
	struct verify *verify = ath_step_data(step, sizeof(*verify));
	const struct ath_pairs *facts = ath_step_world(step)->facts;
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_err err = { 0 };

	if (!ath_pairs_find(facts, "database.path")) {
		ath_err_set(
			&err, ATH_ERR_STEP,
			"which database it is has not been asked yet: run the step 'detect', too");
		ath_step_fail(step, &err);
		return;
	}
	verify->path = ath_arena_strdup(arena, ath_pairs_get(facts, "database.path"));
	verify->heads = ath_arena_strdup(arena, ath_pairs_get(facts, "database.heads"));
	verify->version_table =
		ath_arena_strdup(arena, ath_pairs_get(facts, "database.version_table"));
	verify->is_final = !ath_step_world(step)->repairs_only ||
			   ath_str_is(ath_pairs_find(facts, "database.pending"), "0");
	verify->assumed = ath_step_world(step)->assume_revision;
	if (!verify->assumed)
		verify->assumed = "";
	verify->chain = ath_verified_chain(ath_step_world(step), ath_step_config(step), arena);
	ath_step_work(step, verify_work, verify, on_verified);
}

static void verify_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out)
{
	if (ath_verified_holds(world, config, out))
		out->probe = ATH_PROBE_WHOLE;
}

const struct ath_step_type ath_step_verify = {
	.name = "verify",
	.summary = "Audit the live database, read-only, and record what was found.",
	.fields = ath_database_fields,
	.only_looks = true,
	.config_size = sizeof(struct ath_database_config),
	.probe = verify_probe,
	.start = verify_start,
};
