/* SPDX-License-Identifier: MIT */
/* cli/retention: the decision over a list, and the thin edge that lists and removes. */
#include "cli/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "bridge/request.h"
#include "facts/backups.h"
#include "facts/effects_ask.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/file.h"
#include "os/temporary.h"
#include "steps/database.h"

enum {
	RUNS_MAX = 100000, /* that are looked up in the journal */
};

/* ---- the decision ---- */

/* Does a newer item that is whole hold the same? */
static bool is_covered(const struct ath_retention_item *items, size_t idx)
{
	for (size_t i = 0; i < idx; i++)
		if (items[i].is_whole && !items[i].goes &&
		    strcmp(items[i].key, items[idx].key) == 0)
			return true;
	return false;
}

/* Those that stay in any case take their share of what is kept. */
static size_t count_pinned(const struct ath_retention_item *items, size_t len)
{
	size_t count = 0;

	for (size_t i = 1; i < len; i++)
		count += items[i].is_pinned && items[i].is_whole && !is_covered(items, i);
	return count;
}

void ath_retention_choose(struct ath_retention_item *items, size_t len, size_t keep)
{
	size_t kept = count_pinned(items, len);

	for (size_t i = 0; i < len; i++) {
		bool is_covered_now = is_covered(items, i);

		items[i].goes = i && !items[i].is_pinned && (is_covered_now || kept >= keep);
		kept += items[i].is_whole && !is_covered_now && !items[i].goes &&
			(!i || !items[i].is_pinned);
	}
}

/* ---- backups ---- */

/* The backups of the database that was verified, newest first. */
typedef ATH_VEC(struct ath_backup *) backup_vec;

static void collect(const struct ath_project *project, const struct ath_backups *backups,
		    backup_vec *out)
{
	const char *path = ath_pairs_get(&project->facts, "database.path");

	for (size_t i = 0; i < backups->len; i++)
		if (backups->items[i].state != ATH_BACKUP_MISSING &&
		    strcmp(backups->items[i].of, path) == 0)
			*ath_vec_push(out) = &backups->items[i];
}

/* Read as many as have to be whole before any older one may go. */
static void prove(const backup_vec *backups, size_t keep, struct ath_retention_item *items)
{
	size_t whole = 0;

	for (size_t i = 0; i < backups->len; i++) {
		if (whole >= keep && !items[i].is_pinned)
			continue;
		ath_backup_check(backups->items[i]);
		items[i].is_whole = backups->items[i]->state == ATH_BACKUP_WHOLE;
		whole += items[i].is_whole && !is_covered(items, i);
	}
}

/* Durable first, so that a backup that has gone is known to have been removed. */
static bool note_removal(const struct ath_project *project, const char *mark)
{
	struct ath_pairs pairs = { 0 };
	struct ath_err ignored = { 0 };

	ath_pairs_set(&pairs, "backup", mark);
	ath_journal_add_note(project->journal, "retention", "db.removed", &pairs);
	ath_pairs_fini(&pairs);
	return ath_journal_flush(project->journal, &ignored);
}

struct unrecorded {
	const struct ath_backups *backups;
	const char *folder;
	const struct ath_replay_runs *runs;
};

static bool is_run(const struct ath_replay_runs *runs, const char *mark, size_t len)
{
	for (size_t i = 0; i < runs->len; i++)
		if (strlen(runs->items[i].mark) == len &&
		    strncmp(runs->items[i].mark, mark, len) == 0)
			return true;
	return false;
}

static bool is_recorded(const struct ath_backups *backups, const char *name)
{
	for (size_t i = 0; i < backups->len; i++) {
		const char *slash = strrchr(backups->items[i].file, '/');

		if (strcmp(slash + 1, name) == 0)
			return true;
	}
	return false;
}

static bool remove_if_unrecorded(void *user, const char *name, bool is_folder)
{
	static const char head[] = "pre-", tail[] = ".db";
	const struct unrecorded *all = user;
	size_t len = strlen(name), ends = strlen(head) + strlen(tail);
	struct ath_err ignored = { 0 };
	bool is_ours = false;
	char *path;

	path = ath_file_join(all->folder, name);
	if (is_folder)
		is_ours = false;
	else if (ath_backup_is_partial(name))
		is_ours = true;
	else if (len > ends && ath_str_has_prefix(name, head) &&
		 strcmp(name + len - strlen(tail), tail) == 0)
		is_ours = !is_recorded(all->backups, name) &&
			  is_run(all->runs, name + strlen(head), len - ends);
	if (is_ours && !ath_file_remove_tree(path, &ignored))
		ath_err_clear(&ignored);
	free(path);
	return true;
}

/* A run that was killed between a copy and its record has changed nothing after it: it is of no use. */
static void remove_unrecorded(const struct ath_project *project, const struct ath_backups *backups)
{
	char *folder = ath_project_path(project, "backups");
	struct ath_arena arena = { 0 };
	struct ath_replay_runs runs = { 0 };
	struct unrecorded all = { backups, folder, &runs };
	struct ath_err ignored = { 0 };

	if (!ath_replay_load_runs(project->journal, true, RUNS_MAX, &arena, &runs, &ignored) ||
	    !ath_file_list(folder, remove_if_unrecorded, &all, &ignored))
		ath_err_clear(&ignored); /* there is no backup */
	ath_arena_fini(&arena);
	free(folder);
}

static void remove_backups(const struct ath_project *project)
{
	size_t keep = project->has_recipe ? project->recipe.database.keep : ATH_RECIPE_KEEP;
	struct ath_backups backups = { 0 };
	struct ath_retention_item *items;
	struct ath_err ignored = { 0 };
	backup_vec ours = { 0 };
	size_t last;

	if (!ath_backups_load(project->journal, project->state_dir, &backups, &ignored)) {
		ath_backups_fini(&backups);
		return;
	}
	collect(project, &backups, &ours);
	last = ath_backups_find_last(&backups);
	items = ath_mem_new(ours.len + 1, sizeof(*items));
	for (size_t i = 0; i < ours.len; i++)
		items[i] = (struct ath_retention_item){
			.key = ours.items[i]->pages,
			.is_pinned = ours.items[i]->is_needed ||
				     ath_str_is(project->world.run, ours.items[i]->mark) ||
				     (last < backups.len && ours.items[i] == &backups.items[last]),
		};
	if (ours.len > 1)
		prove(&ours, keep, items);
	ath_retention_choose(items, ours.len, keep);
	for (size_t i = 0; i < ours.len; i++)
		if (items[i].goes && note_removal(project, ours.items[i]->mark) &&
		    !ath_file_remove_tree(ours.items[i]->file, &ignored))
			ath_err_clear(&ignored); /* the next run tries again */
	remove_unrecorded(project, &backups);
	ath_vec_fini(&ours);
	ath_backups_fini(&backups);
	free(items);
}

/* ---- folders of runs ---- */

/* Everything in a run's folder but logs and requests is a copy of the database, or part of one. */
static bool remove_scratch(void *user, const char *name, bool is_folder)
{
	const char *end = strrchr(name, '.');
	char *path = ath_file_join(user, name);
	struct ath_err ignored = { 0 };

	if (!is_folder && !ath_str_is(end, ".log") && !ath_str_is(end, ".request") &&
	    !ath_file_remove_tree(path, &ignored))
		ath_err_clear(&ignored); /* it is never used, and only takes place */
	free(path);
	return true;
}

static char *folder_of_run(const struct ath_project *project, const char *mark)
{
	char *runs = ath_project_path(project, "runs");
	char *folder = ath_file_join(runs, mark);

	free(runs);
	return folder;
}

void ath_retention_sweep_run(const struct ath_project *project, const char *mark)
{
	char *folder = folder_of_run(project, mark);
	struct ath_err ignored = { 0 };

	if (!ath_file_list(folder, remove_scratch, folder, &ignored))
		ath_err_clear(&ignored); /* it died before it had a folder */
	free(folder);
}

static bool has_ended_well(const struct ath_replay_run *run)
{
	return ath_str_is(run->outcome, "succeeded") || ath_str_is(run->outcome, "nothing");
}

static void remove_runs(const struct ath_project *project)
{
	struct ath_retention_item *items;
	struct ath_arena arena = { 0 };
	struct ath_replay_runs runs = { 0 };
	struct ath_err ignored = { 0 };
	bool has_failed = false;

	if (!ath_replay_load_runs(project->journal, false, RUNS_MAX, &arena, &runs, &ignored))
		runs.len = 0;
	items = ath_mem_new(runs.len + 1, sizeof(*items));
	for (size_t i = 0; i < runs.len; i++) {
		items[i] =
			(struct ath_retention_item){ .key = runs.items[i].mark, .is_whole = true };
		items[i].is_pinned = !has_failed && !has_ended_well(&runs.items[i]);
		has_failed |= items[i].is_pinned;
	}
	ath_retention_choose(items, runs.len, ATH_RETENTION_RUNS);
	for (size_t i = 0; i < runs.len; i++) {
		char *folder = folder_of_run(project, runs.items[i].mark);

		if (ath_file_kind(folder) == ATH_FILE_FOLDER && !ath_file_is_link(folder)) {
			if (items[i].goes && !ath_file_remove_tree(folder, &ignored))
				ath_err_clear(&ignored);
			else
				ath_retention_sweep_run(project, runs.items[i].mark);
		}
		free(folder);
	}
	free(items);
	ath_arena_fini(&arena);
}

/* ---- programs of other versions, and what killed looks have left ---- */

struct programs {
	const char *folder;
	char now[ATH_HASH_TEXT];
};

static bool remove_program(void *user, const char *name, bool is_folder)
{
	const struct programs *programs = user;
	static const char head[] = "bridge-";
	const char *digits = name + strlen(head);
	struct ath_err ignored = { 0 };
	char *path;

	if (!is_folder || !ath_str_has_prefix(name, head) ||
	    strlen(digits) != strlen(programs->now) ||
	    strspn(digits, "0123456789abcdef") != strlen(digits) ||
	    strcmp(digits, programs->now) == 0)
		return true;
	path = ath_file_join(programs->folder, name);
	if (!ath_file_is_link(path) && !ath_file_remove_tree(path, &ignored))
		ath_err_clear(&ignored);
	free(path);
	return true;
}

static void remove_programs(const struct ath_project *project)
{
	char *folder = ath_project_path(project, "cache");
	struct programs programs = { .folder = folder };
	struct ath_err ignored = { 0 };

	ath_bridge_hash_program(programs.now);
	if (!ath_file_list(folder, remove_program, &programs, &ignored))
		ath_err_clear(&ignored); /* nothing is cached */
	free(folder);
}

/* What a killed `restore` has left of its look at the database. */
static void remove_scratch_of_looks(const struct ath_project *project)
{
	char *scratch = ath_project_path(project, ATH_PROJECT_SCRATCH);
	struct ath_err ignored = { 0 };

	if (!ath_database_remove_copy(scratch, &ignored))
		ath_err_clear(&ignored);
	free(scratch);
}

void ath_retention_apply(const struct ath_project *project, bool is_verified)
{
	if (is_verified)
		remove_backups(project);
	remove_runs(project);
	remove_programs(project);
	remove_scratch_of_looks(project);
	ath_temporary_sweep_folders(project->state_dir, ATH_EFFECTS_ASK_FOLDER);
}
