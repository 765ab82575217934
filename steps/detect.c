/* SPDX-License-Identifier: MIT */
/*
 * steps/detect: which database is it, and at which revision does it say it is?
 *
 * The application's own env.py is asked, through the bridge, which database it would open; a recipe
 * that names another one stops the run. Only then is the file looked at, and the rows of its
 * version table are held against the graph.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "facts/target.h"
#include "facts/url.h"
#include "os/file.h"
#include "steps/bridge_run.h"
#include "steps/database.h"
#include "steps/database_state.h"
#include "steps/table.h"
#include "steps/verified.h"

/* ---- the probe: is the last verified state still there, and if not, what can be foreseen? ---- */

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
static bool check_gone(const struct ath_step_world *world, const struct ath_database_plan *plan,
		       const char *path, struct ath_err *err)
{
	return plan->need != ATH_DATABASE_INIT || world->allow_new_database ||
	       !ath_verified_was_there(world, path) ||
	       ath_err_set(
		       err, ATH_ERR_DECISION,
		       "'%s' held a database when it was looked at before, and is gone or empty "
		       "now: put it back (is its volume mounted? copies are in '%s/backups'), or "
		       "start anew with --allow-new-database",
		       path, world->state_dir);
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
	    ath_database_decide(&look, table, &chain.chain, world->assume_revision, path, &arena,
				&plan, &err) &&
	    check_gone(world, &plan, path, &err)) {
		static const char *const works[] = { "none", "init", "upgrade" };

		ath_pairs_set(world->facts, "database", plan.is_fresh ? "fresh" : "existing");
		ath_pairs_set(world->facts, "database.work", works[plan.need]);
		snprintf(out->detail, sizeof(out->detail), "%s", plan.said);
	}
	/* A version table of another name is known only to env.py: no refusal by its absence yet. */
	if (err.code == ATH_ERR_DECISION && !has_target)
		ath_err_clear(&err);
	if (err.code != ATH_ERR_OK && err.code != ATH_ERR_LOCKED)
		out->refusal = err;
	ath_look_fini(&look);
	ath_facts_chain_fini(&chain);
	ath_pairs_fini(&target);
	ath_arena_fini(&arena);
}

static void detect_probe(const struct ath_step_world *world, const void *user,
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

static void detect_inputs(const struct ath_step_world *world, const void *user, struct ath_str *out)
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

/* ---- the step: ask the application, then look ---- */

struct detect {
	struct ath_bridge_run bridge; /* first member, for its callbacks */
	struct ath_bridge_reply heads, target;
};

static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));

	if (reply->event == ATH_BRIDGE_SAYS_HEADS)
		detect->heads = *reply;
	if (reply->event == ATH_BRIDGE_SAYS_TARGET)
		detect->target = *reply;
}

/* Is it a database that this program can handle, and only one? */
static bool check_target(const struct ath_bridge_reply *target, struct ath_err *err)
{
	if (target->several)
		return ath_err_set(
			err, ATH_ERR_REFUSED,
			"env.py migrates more than one database, and only one at a time is "
			"handled; nothing was changed");
	if (!target->dialect)
		return ath_err_set(err, ATH_ERR_BRIDGE,
				   "env.py did not say which database it would open");
	if (strcmp(target->dialect, "sqlite") != 0)
		return ath_err_set(
			err, ATH_ERR_REFUSED,
			"env.py opens a %s database, and this version installs SQLite only; "
			"nothing was changed",
			target->dialect);
	if (!target->path)
		return ath_err_set(
			err, ATH_ERR_REFUSED,
			"env.py opens a SQLite database in memory: there is nothing to keep");
	if (target->version_table_schema)
		return ath_err_set(err, ATH_ERR_REFUSED,
				   "the version table is in the schema '%s', which SQLite keeps in "
				   "another file",
				   target->version_table_schema);
	return true;
}

/* Without links; folders that are still to be made keep their names. Owned, NULL on failure. */
static char *resolve(const char *path, struct ath_err *err)
{
	char *folder = ath_file_parent(path), *real, *whole;

	if (ath_file_kind(folder) != ATH_FILE_ABSENT) {
		whole = ath_file_resolve(path, err);
	} else {
		real = resolve(folder, err);
		whole = real ? ath_file_join(real, strrchr(path, '/') + 1) : NULL;
		free(real);
	}
	free(folder);
	return whole;
}

/* The recipe's database must be the one that env.py opens. */
static bool check_agreement(struct ath_step *step, const char *path, struct ath_err *err)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct ath_str url = { 0 };
	struct ath_url parts = { 0 };
	bool from_variable = false, agrees = true;
	char *joined = NULL, *stated = NULL;

	if (!ath_database_url(world, ath_step_config(step), &url, &from_variable, err) ||
	    (url.len && !ath_url_read(ath_str_get(&url), &parts, err)))
		agrees = false;
	else if (parts.path && (parts.path[0] == '/' || !from_variable))
		joined = ath_file_join(world->root, parts.path);
	if (joined)
		stated = resolve(joined, err);
	if (stated && strcmp(stated, path) != 0)
		ath_err_set(
			err, ATH_ERR_DECISION,
			"two different databases: the recipe's database.url is '%s', and env.py "
			"opens '%s'; let both name the same file",
			stated, path);
	free(stated);
	free(joined);
	ath_url_fini(&parts);
	ath_str_fini(&url);
	return agrees && err->code == ATH_ERR_OK;
}

/* The folders that hold the revision files, one per line, for later runs without Python. */
static void put_locations(const struct ath_bridge_reply *heads, struct ath_str *out)
{
	for (size_t i = 0; i < heads->entries_len; i++) {
		char *folder = ath_file_parent(heads->entries[i].file);
		size_t len = strlen(folder);
		const char *at = strstr(ath_str_get(out), folder);

		if (!at || (at[len] != '\n' && at[len] != '\0'))
			ath_str_printf(out, "%s%s", out->len ? "\n" : "", folder);
		free(folder);
	}
}

static void record_target(struct ath_step *step, const char *path)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_pairs pairs = { 0 };
	struct ath_str locations = { 0 };

	put_locations(&detect->heads, &locations);
	ath_pairs_set(&pairs, "path", path);
	ath_pairs_set(&pairs, "version_table", detect->target.version_table);
	ath_pairs_set(&pairs, "locations", ath_str_get(&locations));
	ath_step_record(step, "target", &pairs, NULL);
	ath_str_fini(&locations);
	ath_pairs_fini(&pairs);
}

static int compare_ids(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/*
 * The rows of a version table at the end of an upgrade, sorted and joined: the tips of the whole
 * graph over both kinds of edge. A head that another one depends on has no row of its own.
 */
static const char *final_rows(const struct ath_chain *chain, struct ath_arena *arena)
{
	bool *all = ath_arena_new(arena, chain->len, sizeof(*all));
	const char **ids = ath_arena_new(arena, chain->len + 1, sizeof(*ids));
	struct ath_chain_list tips;

	memset(all, true, chain->len * sizeof(*all));
	tips = ath_chain_find_tips(chain, all, arena);
	for (size_t i = 0; i < tips.len; i++)
		ids[i] = chain->entries[tips.items[i]].id;
	qsort(ids, tips.len, sizeof(*ids), compare_ids);
	return ath_database_join(&(struct ath_texts){ ids, tips.len }, arena);
}

static void set_facts(struct ath_step *step, const char *path, const struct ath_look *look,
		      const struct ath_database_plan *plan, const char *heads)
{
	static const char *const works[] = {
		[ATH_DATABASE_NONE] = "none",
		[ATH_DATABASE_INIT] = "init",
		[ATH_DATABASE_UPGRADE] = "upgrade",
	};
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_texts rows = { look->rows, look->rows_len };

	ath_step_fact(step, "database", plan->is_fresh ? "fresh" : "existing");
	ath_step_fact(step, "database.path", path);
	ath_step_fact(step, "database.work", works[plan->need]);
	ath_step_fact(step, "database.rows", ath_database_join(&rows, arena));
	ath_step_fact(step, "database.stamp", ath_database_join(&plan->stamp, arena));
	ath_step_fact(step, "database.heads", heads);
	ath_step_fact(step, "database.version_table", detect->target.version_table);
}

static bool decide(struct ath_step *step, const char *path, struct ath_err *err)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	const char *table = detect->target.version_table;
	struct ath_database_plan plan;
	struct ath_chain chain;
	struct ath_look look;
	bool is_decided;

	if (!ath_chain_build(detect->heads.entries, detect->heads.entries_len, arena, &chain,
			     err) ||
	    !ath_look(path, table, (unsigned)world->lock_timeout_ms, &look, err))
		return false;
	is_decided = ath_database_decide(&look, table, &chain, world->assume_revision, path, arena,
					 &plan, err) &&
		     check_gone(world, &plan, path, err);
	if (is_decided) {
		ath_step_say(step, "%s: %s", path, plan.said);
		record_target(step, path);
		set_facts(step, path, &look, &plan, final_rows(&chain, arena));
	}
	ath_look_fini(&look);
	return is_decided;
}

/* Alembic names the revision alone; the files' own reader says the same with file and line. */
static void locate_in_chain(struct ath_step *step, struct ath_err *err)
{
	struct ath_facts_chain_place place = ath_database_chain_place(
		ath_step_world(step), ath_step_config(step), ath_step_arena(step));
	struct ath_facts_chain chain = { 0 };
	struct ath_err located = { 0 };

	if (!ath_facts_chain_load(&place, &chain, &located) && located.code == ATH_ERR_CHAIN)
		*err = located;
	ath_facts_chain_fini(&chain);
}

static void on_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = *bridge_err;
	char *path = NULL;

	if (err.code == ATH_ERR_CHAIN)
		locate_in_chain(step, &err);
	if (err.code != ATH_ERR_OK)
		ath_err_prefix(&err, "asking the application's env.py");
	else if (check_target(&detect->target, &err))
		path = resolve(detect->target.path, &err);
	if (path && check_agreement(step, path, &err) && decide(step, path, &err))
		ath_step_done(step);
	else
		ath_step_fail(step, &err);
	free(path);
}

static void detect_start(struct ath_step *step)
{
	static const struct ath_bridge_command commands[] = { { .verb = ATH_BRIDGE_HEADS },
							      { .verb = ATH_BRIDGE_TARGET } };
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = { 0 };

	detect->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.commands = commands,
		.len = 2,
		.on_reply = on_reply,
		.on_end = on_end,
	};
	if (!ath_bridge_run_start(step, &err))
		ath_step_fail(step, &err);
}

const struct ath_step_type ath_step_detect = {
	.name = "detect",
	.summary = "Ask which database the application opens, and at which revision it is.",
	.fields = ath_database_fields,
	.only_looks = true,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.inputs = detect_inputs,
	.probe = detect_probe,
	.start = detect_start,
};
