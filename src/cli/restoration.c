/* SPDX-License-Identifier: MIT */
/* cli/restoration: the backup, the database's place, and the difference between the two. */
#include "cli/restoration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "cli/inspection.h"
#include "facts/snapshot.h"
#include "os/file.h"
#include "steps/database.h"

enum {
	LINES_MAX = 20, /* tables and columns that are named */
	STEPS = 4,      /* of a restore */
};

/* ---- which backup ---- */

static bool choose(struct ath_restoration *restoration, struct ath_err *err)
{
	struct ath_backups *backups = &restoration->backups;
	struct ath_backup *chosen;
	size_t idx;

	if (!ath_backups_load(restoration->project->journal, restoration->project->state_dir,
			      backups, err) ||
	    !ath_backups_find(backups, restoration->typed, &idx, err))
		return false;
	chosen = &backups->items[idx];
	restoration->chosen = chosen;
	ath_backup_check(chosen);
	if (chosen->state == ATH_BACKUP_WHOLE)
		return true;
	return ath_err_set(
		err, ATH_ERR_REFUSED,
		"the backup '%s' is %s%s%s; nothing was changed, `athanor backups` lists "
		"others",
		chosen->file, ath_backup_state_name(chosen->state), chosen->fault[0] ? ": " : "",
		chosen->fault);
}

/* ---- where it goes ---- */

/* A folder that was moved as a whole: the note of an earlier run names the place where nothing is any more. */
static bool is_moved_along(const struct ath_restoration *restoration,
			   const struct ath_inspection *inspection)
{
	return inspection->is_noted && strcmp(inspection->path, restoration->chosen->was) == 0 &&
	       ath_file_kind(inspection->path) == ATH_FILE_ABSENT;
}

/* What the recipe or an earlier run says, where that can be told without Python, must be the same. */
static bool check_agreement(struct ath_restoration *restoration, struct ath_err *err)
{
	struct ath_inspection inspection = { .project = restoration->project };
	bool is_known = ath_inspect_find(&inspection, NULL, err), agrees = true;

	if (!is_known && (err->code == ATH_ERR_NOT_FOUND || err->code == ATH_ERR_RECIPE))
		ath_err_clear(err); /* the backup's own record is all that is known */
	restoration->version_table =
		ath_arena_strdup(&restoration->arena, inspection.version_table);
	if (is_known && strcmp(inspection.path, restoration->path) != 0 &&
	    !is_moved_along(restoration, &inspection))
		agrees = ath_err_set(
			err, ATH_ERR_DECISION,
			"that backup is of '%s', and the application's database is '%s' now; let "
			"both name the same file",
			restoration->path, inspection.path);
	ath_inspect_fini(&inspection);
	return agrees && err->code == ATH_ERR_OK;
}

static bool find_place(struct ath_restoration *restoration, struct ath_err *err)
{
	char *real = ath_file_resolve(restoration->chosen->of, err);

	if (!real)
		return false;
	restoration->path = ath_arena_strdup(&restoration->arena, real);
	free(real);
	return check_agreement(restoration, err);
}

/* ---- what is there ---- */

static bool hash_live(struct ath_restoration *restoration, unsigned busy_ms, struct ath_err *err)
{
	char *scratch = ath_project_path(restoration->project, ATH_PROJECT_SCRATCH);
	char pages[ATH_DIGEST_TEXT];
	bool is_hashed =
		restoration->look.is_half_written
			? ath_database_hash_half_written(restoration->path, scratch, busy_ms, pages,
							 err)
			: ath_database_hash_live(restoration->path, scratch, busy_ms, pages, err);

	if (is_hashed)
		restoration->pages = ath_arena_strdup(&restoration->arena, pages);
	free(scratch);
	return is_hashed;
}

static bool look(struct ath_restoration *restoration, unsigned busy_ms, struct ath_err *err)
{
	const struct ath_restore_look *look = &restoration->look;
	const char *known;

	restoration->pages = "";
	if (!ath_restore_look(restoration->path, restoration->version_table, busy_ms,
			      &restoration->look, err))
		return false;
	if (look->place == ATH_RESTORE_SOUND && !hash_live(restoration, busy_ms, err))
		return false;
	known = ath_backups_follow(&restoration->backups,
				   (size_t)(restoration->chosen - restoration->backups.items),
				   &restoration->arena);
	restoration->is_same = strcmp(restoration->pages, restoration->chosen->pages) == 0 &&
			       !look->is_half_written; /* the half has to go in any case */
	restoration->is_newer = look->place != ATH_RESTORE_ABSENT &&
				!ath_restore_is_known(known, restoration->pages);
	return true;
}

/* ---- what would be lost ---- */

static const struct ath_audit_table *find_table(const struct ath_audit *audit, const char *name)
{
	for (size_t i = 0; i < audit->tables_len; i++)
		if (ath_schema_is_name(audit->tables[i].name, name))
			return &audit->tables[i];
	return NULL;
}

static void ATH_PRINTF(3, 4)
	put_loss(struct ath_restoration *restoration, size_t *lines, const char *format, ...)
{
	va_list args;

	if ((*lines)++ >= LINES_MAX)
		return;
	va_start(args, format);
	ath_str_puts(&restoration->losses, "  ");
	ath_str_vprintf(&restoration->losses, format, args);
	ath_str_putc(&restoration->losses, '\n');
	va_end(args);
}

static void compare_rows(struct ath_restoration *restoration, const struct ath_audit *then,
			 size_t *lines)
{
	const struct ath_audit *now = &restoration->look.audit;

	for (size_t i = 0; i < now->tables_len; i++) {
		const struct ath_audit_table *table = &now->tables[i];
		const struct ath_audit_table *old = find_table(then, table->name);

		if (!old)
			put_loss(restoration, lines, "table '%s' would be gone, with %lld row%s",
				 table->name, (long long)table->rows, table->rows == 1 ? "" : "s");
		else if (old->rows != table->rows)
			put_loss(restoration, lines,
				 "table '%s' has %lld rows, and would have %lld", table->name,
				 (long long)table->rows, (long long)old->rows);
	}
}

/* Columns of tables that stay. */
static void compare_columns(struct ath_restoration *restoration, const struct ath_elements *now,
			    const struct ath_elements *then, size_t *lines)
{
	for (size_t i = 0; i < now->len; i++) {
		const struct ath_element *one = &now->items[i];

		if (one->kind == ATH_ELEMENT_COLUMN && !ath_element_find(then, one->key) &&
		    ath_element_find(then, ath_element_table_key(&restoration->arena, one->table)))
			put_loss(restoration, lines, "%s would be gone, with its values", one->key);
	}
}

static bool read_elements(struct ath_restoration *restoration, const char *path,
			  struct ath_elements *out, const char **out_rows, struct ath_err *err)
{
	struct ath_facts_snapshot_of of = {
		.path = path,
		.version_table = restoration->version_table,
		.arena = &restoration->arena,
	};
	struct ath_look look;

	if (!ath_facts_snapshot(&of, &look, out, err))
		return false;
	*out_rows = ath_database_join(&(struct ath_texts){ look.rows, look.rows_len },
				      &restoration->arena);
	ath_look_fini(&look);
	return true;
}

static bool compare(struct ath_restoration *restoration, struct ath_err *err)
{
	struct ath_elements now = { 0 }, then = { 0 };
	struct ath_audit audit = { 0 };
	const char *then_rows;
	size_t lines = 0;

	if (!restoration->look.is_audited || restoration->look.place != ATH_RESTORE_SOUND ||
	    restoration->is_same)
		return true;
	if (!ath_audit_read(restoration->chosen->file, restoration->version_table, &audit, err) ||
	    !read_elements(restoration, restoration->path, &now, &restoration->rows, err) ||
	    !read_elements(restoration, restoration->chosen->file, &then, &then_rows, err)) {
		ath_audit_fini(&audit);
		return false;
	}
	compare_rows(restoration, &audit, &lines);
	compare_columns(restoration, &now, &then, &lines);
	if (lines > LINES_MAX)
		ath_str_printf(&restoration->losses, "  and %zu more\n", lines - LINES_MAX);
	ath_audit_fini(&audit);
	return true;
}

/* ---- graph and plan ---- */

static const struct ath_value *configure(struct ath_restoration *restoration)
{
	struct ath_arena *arena = &restoration->project->arena;
	struct ath_value *map = ath_value_new_map(arena);
	size_t idx = (size_t)(restoration->chosen - restoration->backups.items);

	ath_value_put_text(arena, map, "backup", restoration->chosen->mark);
	ath_value_put_text(arena, map, "image", restoration->chosen->file);
	ath_value_put_text(arena, map, "pages", restoration->chosen->pages);
	ath_value_put_text(arena, map, "rights", restoration->chosen->rights);
	ath_value_put_text(arena, map, "known",
			   ath_backups_follow(&restoration->backups, idx, arena));
	ath_value_put_text(arena, map, "agreed", restoration->agreed);
	ath_value_put_text(arena, map, "discards_newer",
			   restoration->discards_newer ? "true" : "false");
	return map;
}

/* The step commit shares its configuration with steps that need the application; it does not. */
static const struct ath_value *configure_commit(struct ath_arena *arena)
{
	struct ath_value *map = ath_value_new_map(arena);

	ath_value_put_text(arena, map, "alembic", "alembic.ini");
	ath_value_put_text(arena, map, "venv", ".venv");
	return map;
}

static bool make_plan(struct ath_restoration *restoration, const struct ath_options *options,
		      struct ath_err *err)
{
	static const char *const needs[STEPS][2] = {
		{ NULL }, { "keep" }, { "restore" }, { "commit" }
	};
	static const char *const names[STEPS] = { "keep", "restore", "commit", "audit" };
	struct ath_project *project = restoration->project;
	struct ath_spec_step *steps = ath_arena_new(&project->arena, STEPS, sizeof(*steps));
	const struct ath_value *own = configure(restoration);
	const struct ath_spec spec = { steps, STEPS };

	for (size_t i = 0; i < STEPS; i++)
		steps[i] = (struct ath_spec_step){
			.name = names[i],
			.type = names[i],
			.needs = { needs[i], needs[i][0] ? 1 : 0 },
			.section = strcmp(names[i], "audit") == 0 ? NULL : "database",
			.config = strcmp(names[i], "commit") == 0
					  ? configure_commit(&project->arena)
					  : own,
		};
	return ath_project_take_graph(project, &spec, err) &&
	       ath_project_plan(project, options, err);
}

static void set_facts(const struct ath_restoration *restoration)
{
	struct ath_pairs *facts = &restoration->project->facts;

	ath_pairs_set(facts, "database", "existing");
	ath_pairs_set(facts, "database.path", restoration->path);
	ath_pairs_set(facts, "database.version_table", restoration->version_table);
	ath_pairs_set(facts, "database.heads", restoration->chosen->rows);
	ath_pairs_set(facts, "database.rows",
		      restoration->is_same ? restoration->chosen->rows : restoration->rows);
}

bool ath_restoration_gather(struct ath_restoration *restoration, const struct ath_options *options,
			    struct ath_err *err)
{
	struct ath_project *project = restoration->project;

	restoration->discards_newer = options->discard_newer;
	if (!choose(restoration, err) || !find_place(restoration, err) ||
	    !look(restoration, (unsigned)options->lock_timeout_ms, err) ||
	    !compare(restoration, err))
		return false;
	project->again = ath_arena_printf(&project->arena, "restore %s%s", restoration->typed,
					  options->discard_newer ? " --discard-newer" : "");
	set_facts(restoration);
	return restoration->is_same || make_plan(restoration, options, err);
}

bool ath_restoration_agree(struct ath_restoration *restoration, const struct ath_options *options,
			   struct ath_err *err)
{
	restoration->agreed = restoration->pages;
	if (restoration->look.place == ATH_RESTORE_BROKEN)
		restoration->agreed = ATH_RESTORE_UNREAD;
	else if (!*restoration->pages)
		restoration->discards_newer = true; /* it was said that nothing can be told yet */
	return make_plan(restoration, options, err);
}

void ath_restoration_fini(struct ath_restoration *restoration)
{
	ath_restore_look_fini(&restoration->look);
	ath_backups_fini(&restoration->backups);
	ath_str_fini(&restoration->losses);
	ath_arena_fini(&restoration->arena);
	*restoration = (struct ath_restoration){ 0 };
}
