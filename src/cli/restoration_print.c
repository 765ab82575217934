/* SPDX-License-Identifier: MIT */
/* cli/restoration_print: a restore as text for people, and as members of a JSON object. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/inspection.h"
#include "cli/restoration.h"
#include "os/file.h"

static void put_revision(const char *rows, struct ath_str *out)
{
	if (*rows) {
		ath_str_puts(out, "revision '");
		ath_str_put_clean(out, rows, strlen(rows));
		ath_str_putc(out, '\'');
	} else {
		ath_str_puts(out, "no revision");
	}
}

static void put_backup(const struct ath_restoration *restoration, struct ath_str *out)
{
	const struct ath_backup *chosen = restoration->chosen;

	ath_str_printf(out, "backup:   %.*s of ", (int)restoration->backups.digits, chosen->mark);
	ath_time_put_wall(out, (struct ath_wall){ chosen->at_ms });
	ath_str_printf(out, ", kept by %s, at ", chosen->command);
	put_revision(chosen->rows, out);
	ath_str_printf(out, "\ndatabase: %s", restoration->path);
}

/* What is in the database's place, behind its path. */
static void put_place(const struct ath_restoration *restoration, struct ath_str *out)
{
	const struct ath_restore_look *look = &restoration->look;

	if (look->place == ATH_RESTORE_ABSENT) {
		ath_str_puts(out, ", which is not there or empty\n");
	} else if (look->place == ATH_RESTORE_BROKEN) {
		ath_str_puts(out, ", which cannot be read: ");
		ath_str_put_clean(out, look->fault, strlen(look->fault));
		ath_str_putc(out, '\n');
	} else if (look->is_half_written) {
		ath_str_puts(out, ", in which a crashed write waits to be rolled back\n");
	} else {
		ath_str_puts(out, ", at ");
		put_revision(restoration->rows ? restoration->rows : "", out);
		ath_str_putc(out, '\n');
	}
}

void ath_restoration_put(const struct ath_restoration *restoration, struct ath_str *out)
{
	const struct ath_restore_look *look = &restoration->look;
	const struct ath_str *losses = &restoration->losses;

	put_backup(restoration, out);
	if (restoration->is_same) {
		ath_str_puts(out, ", which is in that state already\n");
		return;
	}
	put_place(restoration, out);
	if (look->place == ATH_RESTORE_BROKEN)
		ath_str_puts(out, "lost:     whatever could still be read out of it; its bytes are "
				  "kept beside the backups\n");
	else if (look->is_half_written && restoration->is_newer)
		ath_str_puts(out, "lost:     what was written since; it can be counted only when "
				  "the crashed write has been rolled back\n");
	else if (look->place == ATH_RESTORE_SOUND && restoration->is_newer)
		ath_str_puts(out, "lost:     it was written to since that backup was kept\n");
	else if (look->place == ATH_RESTORE_SOUND)
		ath_str_puts(out, "lost:     nothing but what athanor itself has done since\n");
	ath_str_puts(out, ath_str_get(losses));
	if (look->place == ATH_RESTORE_SOUND && !look->is_half_written && !losses->len)
		ath_str_puts(out, "  every table has as many rows as it had; some may hold other "
				  "values\n");
	if (look->place == ATH_RESTORE_SOUND)
		ath_str_puts(out, "kept:     what is there now is kept as a backup before that\n");
}

/* How many revisions the code has beyond the database; false where that cannot be told from files. */
static bool count_pending(const struct ath_restoration *restoration, size_t *out_pending)
{
	const struct ath_project *project = restoration->project;
	struct ath_database_config config = ath_inspect_config(&project->recipe);
	struct ath_arena arena = { 0 };
	struct ath_facts_chain chain = { 0 };
	struct ath_err ignored = { 0 };
	struct ath_facts_chain_place place;
	const char *rows = ath_pairs_get(&project->facts, "database.heads");
	size_t *items, len = 0;
	bool is_told = false;

	if (project->has_recipe) {
		place = ath_database_chain_place(&project->world, &config, &arena);
		is_told = ath_facts_chain_load(&place, &chain, &ignored) && chain.is_static;
	}
	items = ath_arena_new(&arena, strlen(rows) + 1, sizeof(*items));
	for (char *rest, *copy = ath_arena_strdup(&arena, rows), *one = strtok_r(copy, ",", &rest);
	     is_told && one; one = strtok_r(NULL, ",", &rest)) {
		items[len] = ath_chain_find(&chain.chain, one);
		is_told = items[len++] < chain.chain.len;
	}
	if (is_told)
		*out_pending = ath_chain_find_pending(&chain.chain,
						      (struct ath_chain_list){ items, len }, &arena)
				       .len;
	ath_facts_chain_fini(&chain);
	ath_arena_fini(&arena);
	return is_told;
}

static void put_next(const struct ath_restoration *restoration, struct ath_str *out)
{
	char *install = ath_project_command(restoration->project, "install");
	size_t pending;

	if (!count_pending(restoration, &pending))
		ath_str_printf(out,
			       "  next:     start the version that fits this database, or upgrade "
			       "it: %s\n",
			       install);
	else if (pending)
		ath_str_printf(out,
			       "  pending:  the code has %zu revision%s more; start a version that "
			       "fits, or upgrade: %s\n",
			       pending, pending == 1 ? "" : "s", install);
	free(install);
}

/* The way back to what was there: a backup, or the bytes of what could not be read. */
static void put_undo(const struct ath_restoration *restoration, struct ath_str *out)
{
	const struct ath_project *project = restoration->project;
	struct ath_str damaged = { 0 };

	ath_str_printf(&damaged, "%s/backups/damaged-%s.db", project->state_dir,
		       project->world.run);
	if (restoration->look.place == ATH_RESTORE_SOUND) {
		ath_str_printf(out, "  undo:     athanor restore %.8s ", project->world.run);
		ath_str_put_word(out, project->root);
		ath_str_putc(out, '\n');
	} else if (ath_file_kind(ath_str_get(&damaged)) == ATH_FILE_REGULAR) {
		ath_str_printf(out, "  damaged:  kept as %s\n", ath_str_get(&damaged));
	}
	ath_str_fini(&damaged);
}

void ath_restoration_put_end(const struct ath_restoration *restoration,
			     const struct ath_report *report, struct ath_str *out)
{
	const struct ath_project *project = restoration->project;
	bool is_changed = strcmp(report->database, "restored") == 0;

	ath_str_printf(out, "athanor: %s %s, at ", restoration->path,
		       is_changed ? "is restored" : "was in that state already");
	put_revision(ath_pairs_get(&project->facts, "database.heads"), out);
	ath_str_puts(out, " (");
	ath_time_put_duration(out, report->ms);
	ath_str_puts(out, ")\n");
	put_next(restoration, out);
	if (is_changed)
		put_undo(restoration, out);
}

void ath_restoration_put_json(const struct ath_restoration *restoration, struct ath_json *json)
{
	ath_json_put_text(json, "backup", restoration->chosen->mark);
	ath_json_put_bool(json, "newer", restoration->is_newer);
}
