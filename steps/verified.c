/* SPDX-License-Identifier: MIT */
/* steps/verified: the record of the last verified state, and whether it still stands. */
#include "steps/verified.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "schema/fingerprint.h"
#include "steps/database.h"

static void put_identity(const char *path, struct ath_str *out)
{
	struct ath_file_stamp stamp;

	if (ath_file_stamp(path, &stamp))
		ath_str_printf(out, "%llu:%llu", (unsigned long long)stamp.dev,
			       (unsigned long long)stamp.ino);
}

static bool is_same_state(const struct ath_pairs *record, const struct ath_verified *seen)
{
	struct ath_pairs now = { 0 };
	bool is_same = seen->look->state == ATH_LOOK_OK;

	ath_verified_fill(seen, &now);
	for (size_t i = 0; i < now.len; i++)
		is_same &=
			strcmp(ath_pairs_get(record, now.items[i].name), now.items[i].value) == 0;
	ath_pairs_fini(&now);
	return is_same;
}

/* Facts that later conditions need, from the record. */
static void set_verified_facts(const struct ath_step_world *world, const struct ath_pairs *verified)
{
	ath_pairs_set(world->facts, "database", "existing");
	ath_pairs_set(world->facts, "database.verified", "yes");
	ath_pairs_set(world->facts, "database.work", "none");
	ath_pairs_set(world->facts, "database.doubt", ath_pairs_get(verified, "doubt"));
	ath_pairs_set(world->facts, "database.path", ath_pairs_get(verified, "path"));
	ath_pairs_set(world->facts, "database.rows", ath_pairs_get(verified, "rows"));
	ath_pairs_set(world->facts, "database.heads", ath_pairs_get(verified, "rows"));
	ath_pairs_set(world->facts, "database.version_table",
		      ath_pairs_get(verified, "version_table"));
}

const char *ath_verified_chain(const struct ath_step_world *world,
			       const struct ath_database_config *config, struct ath_arena *arena)
{
	struct ath_facts_chain_place place = ath_database_chain_place(world, config, arena);
	char stamp[ATH_HASH_TEXT];
	const char *env_py;

	ath_facts_chain_stamp(&place, arena, &env_py, stamp);
	return ath_arena_strdup(arena, stamp);
}

static bool look_and_compare(const struct ath_step_world *world,
			     const struct ath_database_config *config,
			     const struct ath_pairs *record)
{
	struct ath_look look = { 0 };
	struct ath_err err = { 0 };
	struct ath_arena arena = { 0 };
	struct ath_verified seen = {
		.path = ath_pairs_get(record, "path"),
		.version_table = ath_pairs_get(record, "version_table"),
		.chain = ath_verified_chain(world, config, &arena),
		.assumed = world->assume_revision ? world->assume_revision
						  : ath_pairs_get(record, "assumed"),
		.look = &look,
	};
	bool holds = ath_look(seen.path, seen.version_table, ATH_VERIFIED_BUSY_MS, &look, &err) &&
		     is_same_state(record, &seen);

	ath_look_fini(&look);
	ath_arena_fini(&arena);
	return holds;
}

bool ath_verified_holds(const struct ath_step_world *world,
			const struct ath_database_config *config, struct ath_step_look *out)
{
	const char *known = ath_pairs_find(world->facts, "database.path");
	struct ath_pairs record = { 0 };
	bool holds;

	/* While only looking, the probes of detect and verify would compare the same things twice. */
	if (!world->run_dir && ath_pairs_find(world->facts, "database.verified"))
		return true;
	if (!world->find_note(world->notes, "verified", &record))
		return false;
	holds = (!known || strcmp(known, ath_pairs_get(&record, "path")) == 0) &&
		look_and_compare(world, config, &record);
	if (holds)
		set_verified_facts(world, &record);
	else
		snprintf(out->detail, sizeof(out->detail),
			 "database or revisions are not as they were verified last");
	ath_pairs_fini(&record);
	return holds;
}

static bool note_names(const struct ath_step_world *world, const char *note, const char *field,
		       const char *path)
{
	struct ath_pairs pairs = { 0 };
	bool is_named = world->find_note(world->notes, note, &pairs) &&
			strcmp(ath_pairs_get(&pairs, field), path) == 0;

	ath_pairs_fini(&pairs);
	return is_named;
}

bool ath_verified_was_there(const struct ath_step_world *world, const char *path)
{
	return note_names(world, "verified", "path", path) ||
	       note_names(world, "db.saved", "of", path);
}

void ath_verified_fill(const struct ath_verified *seen, struct ath_pairs *out)
{
	struct ath_texts rows = { seen->look->rows, seen->look->rows_len };
	char fingerprint[ATH_HASH_TEXT];
	struct ath_str identity = { 0 };
	struct ath_arena arena = { 0 };

	put_identity(seen->path, &identity);
	ath_schema_fingerprint(&seen->look->schema, fingerprint);
	ath_pairs_set(out, "path", seen->path);
	ath_pairs_set(out, "version_table", seen->version_table);
	ath_pairs_set(out, "identity", ath_str_get(&identity));
	ath_pairs_set(out, "rows", ath_database_join(&rows, &arena));
	ath_pairs_set(out, "schema", fingerprint);
	ath_pairs_set(out, "chain", seen->chain);
	ath_pairs_set(out, "assumed", seen->assumed);
	ath_str_fini(&identity);
	ath_arena_fini(&arena);
}
