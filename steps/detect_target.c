/* SPDX-License-Identifier: MIT */
/* steps/detect_target: which database it is, by what env.py said and what the recipe says. */
#include "steps/detect_target.h"

#include <stdlib.h>
#include <string.h>

#include "facts/url.h"
#include "os/file.h"
#include "steps/database.h"

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

const char *ath_detect_find_database(struct ath_step *step, const struct ath_bridge_reply *target,
				     struct ath_err *err)
{
	const char *found = NULL;
	char *path;

	if (!check_target(target, err))
		return NULL;
	path = resolve(target->path, err);
	if (path && check_agreement(step, path, err))
		found = ath_arena_strdup(ath_step_arena(step), path);
	free(path);
	return found;
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

void ath_detect_record(struct ath_step *step, const struct ath_bridge_reply *heads,
		       const struct ath_bridge_reply *target, const char *path)
{
	struct ath_pairs pairs = { 0 };
	struct ath_str locations = { 0 };

	put_locations(heads, &locations);
	ath_pairs_set(&pairs, "path", path);
	ath_pairs_set(&pairs, "version_table", target->version_table);
	ath_pairs_set(&pairs, "locations", ath_str_get(&locations));
	ath_step_record(step, "target", &pairs, NULL);
	ath_str_fini(&locations);
	ath_pairs_fini(&pairs);
}
