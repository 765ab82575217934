/* SPDX-License-Identifier: MIT */
/*
 * steps/detect_probe: what can be said of the database before the application is asked: does the last
 * verified state still stand, and if not, what can be foreseen?
 */
#include "steps/detect_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "facts/target.h"
#include "facts/url.h"
#include "os/file.h"
#include "steps/database.h"
#include "steps/verified.h"

/* The database's path where it is known without asking the application; owned, or NULL. */
static char *known_path(const struct ath_step_world *world,
			const struct ath_database_config *config, struct ath_err *err)
{
	struct ath_str url = { 0 };
	struct ath_url parts = { 0 };
	struct ath_pairs target = { 0 };
	char *joined, *path = NULL;
	bool from_variable = false;

	if (ath_database_url(world, config, &url, &from_variable, err) && url.len &&
	    ath_url_read(ath_str_get(&url), &parts, err)) {
		if (!parts.is_sqlite)
			ath_err_set(err, ATH_ERR_REFUSED,
				    "the database is %s, and this version installs SQLite only; "
				    "nothing was changed",
				    parts.dialect);
		else if (parts.path && (parts.path[0] == '/' || !from_variable))
			path = ath_mem_strdup(parts.path);
	}
	if (err->code == ATH_ERR_RECIPE)
		ath_err_clear(
			err); /* a variable of an env file that is not there yet; asked later */
	if (!path && err->code == ATH_ERR_OK && world->find_note(world->notes, "target", &target))
		path = ath_mem_strdup(ath_pairs_get(&target, "path"));
	ath_pairs_fini(&target);
	ath_url_fini(&parts);
	ath_str_fini(&url);
	if (!path)
		return NULL;
	joined = ath_file_join(world->root, path);
	free(path);
	return joined;
}

/* A new database is made only where none was before. */
bool ath_detect_check_gone(const struct ath_step_world *world, const struct ath_database_plan *plan,
			   const char *path, struct ath_err *err)
{
	return plan->need != ATH_DATABASE_INIT || world->allow_new_database ||
	       !ath_verified_was_there(world, path) ||
	       ath_err_set(
		       err, ATH_ERR_DECISION,
		       "'%s' held a database when it was looked at before, and is gone or empty "
		       "now: put it back (is its volume mounted? `athanor backups` lists the "
		       "copies "
		       "that `athanor restore` can put there), or start anew with "
		       "--allow-new-database",
		       path);
}

/* Without a row the schema decides, which is read only when the revisions' texts are. */
static bool is_for_the_schema(const struct ath_look *look)
{
	return look->state == ATH_LOOK_OK &&
	       (look->stamp == ATH_STAMP_NO_TABLE || look->stamp == ATH_STAMP_NO_ROWS);
}

/* What can be said of a known file by the files alone; certain refusals go into `out`. */
static void foresee(const struct ath_step_world *world, const struct ath_database_config *config,
		    const char *path, struct ath_step_look *out)
{
	struct ath_facts_chain chain = { 0 };
	struct ath_database_plan plan;
	struct ath_look look = { 0 };
	struct ath_arena arena = { 0 };
	struct ath_pairs target = { 0 };
	struct ath_err err = { 0 };
	struct ath_facts_chain_place place = ath_database_chain_place(world, config, &arena);
	bool has_target = world->find_note(world->notes, "target", &target);
	const char *table =
		has_target ? ath_pairs_get(&target, "version_table") : "alembic_version";

	if (ath_facts_chain_load(&place, &chain, &err) && chain.is_static &&
	    ath_look(path, table, ATH_VERIFIED_BUSY_MS, &look, &err) &&
	    (world->assume_revision || !is_for_the_schema(&look)) &&
	    ath_database_decide(&look, table, &chain.chain, world->assume_revision, path, &arena,
				&plan, &err) &&
	    ath_detect_check_gone(world, &plan, path, &err)) {
		static const char *const works[] = { "none", "init", "upgrade" };

		ath_pairs_set(world->facts, "database", plan.is_fresh ? "fresh" : "existing");
		ath_pairs_set(world->facts, "database.work", works[plan.need]);
		snprintf(out->detail, sizeof(out->detail), "%.*s", (int)sizeof(out->detail) - 1,
			 plan.said);
	}
	/* A version table of another name is known only to env.py, and the schema may confirm what the
	 * operator states: no refusal yet. */
	if (err.code == ATH_ERR_DECISION && (!has_target || world->assume_revision))
		ath_err_clear(&err);
	if (err.code != ATH_ERR_OK && err.code != ATH_ERR_LOCKED)
		out->refusal = err;
	ath_look_fini(&look);
	ath_facts_chain_fini(&chain);
	ath_pairs_fini(&target);
	ath_arena_fini(&arena);
}

void ath_detect_probe(const struct ath_step_world *world, const void *user,
		      struct ath_step_look *out)
{
	const struct ath_database_config *config = user;
	char *path;

	if (ath_verified_holds(world, config, out)) {
		out->probe = ATH_PROBE_WHOLE;
		return;
	}
	path = known_path(world, config, &out->refusal);
	if (path)
		foresee(world, config, path, out);
	free(path);
}

/* Variables that env.py and the ini name decide, too: a change of one makes us ask again. */
static void put_variables(const struct ath_step_world *world,
			  const struct ath_database_config *config, const char *env_py,
			  struct ath_str *out)
{
	char *ini = ath_file_join(world->root, config->alembic);
	struct ath_environ environment;
	struct ath_str hints = { 0 };
	struct ath_err err = { 0 };

	if (!ath_file_read(ini, 1 << 20, &hints, &err) ||
	    (env_py && !ath_file_read(env_py, 1 << 20, &hints, &err)))
		ath_err_clear(&err); /* what cannot be read names nothing; its own step says so */
	ath_database_environ(world, config, NULL, NULL, &environment);
	ath_target_put_variables(&environment, ath_str_get(&hints), out);
	ath_environ_fini(&environment);
	ath_str_fini(&hints);
	free(ini);
}

void ath_detect_inputs(const struct ath_step_world *world, const void *user, struct ath_str *out)
{
	struct ath_arena arena = { 0 };
	struct ath_facts_chain_place place = ath_database_chain_place(world, user, &arena);
	char stamp[ATH_HASH_TEXT];
	const char *env_py;

	ath_facts_chain_stamp(&place, &arena, &env_py, stamp);
	ath_str_printf(out, "%s\n", stamp);
	put_variables(world, user, env_py, out);
	ath_arena_fini(&arena);
}
