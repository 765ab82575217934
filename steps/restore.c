/* SPDX-License-Identifier: MIT */
/*
 * steps/restore: the chosen backup onto the copy that is committed, proven to be what was kept
 * (SAFETY.md, protocol P in reverse).
 *
 * Whether anything was written since is decided here, under the lock: the pages of the live database
 * are those of a state that a run of ours has left, or they hold something newer.
 */
#include "steps/restore.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steps/database.h"
#include "steps/table.h"

struct restore {
	struct ath_database_work *work;
	const struct ath_restore_config *config;
};

/* ---- may what is there be given up? ---- */

static bool is_agreed(const struct restore *restore)
{
	const struct ath_database_work *work = restore->work;
	const char *now = work->is_unread ? ATH_RESTORE_UNREAD : work->old.pages;

	return ath_str_is(restore->config->agreed, now);
}

static bool check_newer(const struct restore *restore, struct ath_err *err)
{
	const struct ath_database_work *work = restore->work;
	const struct ath_restore_config *config = restore->config;

	if (config->discards_newer || is_agreed(restore) ||
	    ath_restore_is_known(config->known, work->old.pages))
		return true;
	if (!work->is_unread && !ath_live_traits(work->live)->bytes)
		return true; /* there is nothing that could be lost */
	return ath_err_set(
		err, ATH_ERR_DECISION,
		config->agreed ? "'%s' was changed since you were asked; stop what uses it, or "
				 "say --discard-newer"
			       : "'%s' was written to since that backup was kept, and that would "
				 "be lost: `athanor restore --dry-run` shows it, --discard-newer "
				 "gives it up",
		work->path);
}

/* ---- the backup ---- */

static bool load(const struct restore *restore, char pages[ATH_DIGEST_TEXT], struct ath_err *err)
{
	const struct ath_restore_config *config = restore->config;
	const struct ath_database_work *work = restore->work;

	if (!ath_database_copy_file(config->image, work->clone, &restore->work->meter, err) ||
	    !ath_database_hash_copy(restore->work, work->clone, pages, err))
		return ath_err_prefix(err, "reading the backup '%s'", config->image);
	return strcmp(pages, config->pages) == 0 ||
	       ath_err_set(err, ATH_ERR_REFUSED,
			   "the backup '%s' is damaged: its pages are not those that were recorded "
			   "when it was kept; nothing was changed, `athanor backups` lists others",
			   config->image);
}

static bool check(struct ath_database_work *work, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	struct ath_look look;

	ath_audit_fini(&work->after);
	if (!ath_audit_read(work->clone, work->version_table, &work->after, err))
		return false;
	if (!work->after.is_sound)
		return ath_err_set(err, ATH_ERR_REFUSED,
				   "the backup is damaged (%s); nothing was changed",
				   work->after.fault);
	if (!ath_look(work->clone, work->version_table, 0, &look, err))
		return false;
	free(work->heads);
	work->heads = ath_mem_strdup(
		ath_database_join(&(struct ath_texts){ look.rows, look.rows_len }, &arena));
	ath_look_fini(&look);
	ath_arena_fini(&arena);
	return true;
}

static bool restore_work(void *data, struct ath_err *err)
{
	struct restore *restore = data;
	struct ath_database_work *work = restore->work;

	return check_newer(restore, err) && load(restore, work->new_pages, err) && check(work, err);
}

static void on_loaded(struct ath_step *step, const struct ath_err *err)
{
	const struct ath_database_work *work = ath_step_section(step);
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	if (work->after.foreign_key_faults)
		ath_step_say(step, "WARNING: %lld foreign keys point nowhere, as they did then",
			     (long long)work->after.foreign_key_faults);
	ath_step_fact(step, "database.heads", work->heads);
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_pairs_set(&pairs, "rows", work->heads);
	ath_step_record(step, "db.verified", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void restore_start(struct ath_step *step)
{
	struct restore *restore = ath_step_data(step, sizeof(*restore));

	restore->work = ath_step_section(step);
	restore->config = ath_step_config(step);
	ath_step_work(step, restore_work, restore, on_loaded);
}

static void restore_probe(const struct ath_step_world *world, const void *config,
			  struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* the copy of another run is never used */
}

const struct ath_step_type ath_step_restore = {
	.name = "restore",
	.summary = "Load a backup onto a copy, and prove that it is what was kept.",
	.fields = ath_restore_fields,
	.config_size = sizeof(struct ath_restore_config),
	.probe = restore_probe,
	.start = restore_start,
};
