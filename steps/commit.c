/* SPDX-License-Identifier: MIT */
/*
 * steps/commit: puts the verified copy into the live database in one transaction, or a new database
 * into its place (SAFETY.md, protocol P, steps 9 and 10).
 *
 * Success is what is read back from the live database, never a return code.
 */
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "steps/commit_online.h"
#include "steps/database.h"
#include "steps/keep_raw.h"
#include "steps/resume.h"
#include "steps/table.h"

enum {
	NEW_FOLDER_MODE = 0750,
	NEW_FILE_MODE = 0644, /* as SQLite itself would, less the umask */
};

/* The copy must still be the one that was verified. */
static bool recheck(struct ath_database_work *work, struct ath_err *err)
{
	char pages[ATH_DIGEST_TEXT];

	if (!ath_database_hash_copy(work, work->clone, pages, err))
		return false;
	return strcmp(pages, work->new_pages) == 0 ||
	       ath_err_set(err, ATH_ERR_VERIFY, "'%s' was changed after it had been verified",
			   work->clone);
}

static bool read_back(struct ath_database_work *work, struct ath_err *err)
{
	struct ath_database_hashes now;

	if (!ath_database_hash(work, &now, err))
		return false;
	if (strcmp(now.pages, work->new_pages) != 0)
		return ath_err_set(err, ATH_ERR_VERIFY,
				   "'%s' does not read back as what was committed", work->path);
	work->is_committed = true;
	return true;
}

/* A lock can be lost without a word (a close of another descriptor drops it): what was written since
 * would be overwritten. */
static bool recheck_live(struct ath_database_work *work, struct ath_err *err)
{
	bool is_unchanged;

	return ath_database_is_unchanged(work, &is_unchanged, err) &&
	       (is_unchanged || ath_err_set(err, ATH_ERR_NEEDS_YOU,
					    "'%s' was changed by somebody else while it was "
					    "locked; nothing was written to it",
					    work->path));
}

/* Under the lock that was taken before the copy was made. */
static bool commit_over(struct ath_database_work *work, struct ath_err *err)
{
	bool is_committed;

	if (strcmp(work->new_pages, work->old.pages) == 0)
		return true; /* nothing has changed, so nothing is written */
	if (!recheck_live(work, err))
		return false;
	work->is_write_begun = true;
	work->meter.is_deaf = true; /* the section ends one way or the other */
	ath_meter_begin(&work->meter, "writing the database", ath_database_bytes(work->clone));
	is_committed = ath_live_commit(work->live, work->clone, ath_meter_move, &work->meter, err);
	ath_meter_end(&work->meter);
	return is_committed && read_back(work, err);
}

/* An empty database file is there already: it stays the same file. */
static bool fill_empty(struct ath_database_work *work, struct ath_err *err)
{
	struct ath_look look;
	bool is_empty;
	struct ath_db_form form = {
		.path = work->path,
		.busy_ms = (unsigned)work->lock_timeout_ms,
		.is_wanted = ath_meter_goes_on,
		.wanted_by = &work->meter,
	};

	if (!ath_live_open_by(&form, &work->live, err) ||
	    !ath_database_hash(work, &work->old, err) ||
	    !ath_look_read(ath_live_db(work->live), work->version_table, &look, err))
		return false;
	is_empty = !look.rows_len && !ath_schema_count_tables(&look.schema, work->version_table);
	ath_look_fini(&look);
	if (!is_empty)
		return ath_err_set(err, ATH_ERR_EXISTS,
				   "'%s' was filled by somebody else meanwhile; it was left alone",
				   work->path);
	return commit_over(work, err);
}

/* A copy beside the place, complete and durable, which then gets its name without overwriting. */
static bool put_into_place(struct ath_database_work *work, const char *beside, struct ath_err *err)
{
	return ath_database_copy_file(work->clone, beside, &work->meter, err) &&
	       ath_file_adopt(beside, NEW_FILE_MODE, err) &&
	       ath_file_put_into_place(beside, work->path, err);
}

static char *beside_path(const char *path, const char *run)
{
	struct ath_str text = { 0 };

	ath_str_printf(&text, "%s.athanor-%s", path, run);
	return ath_str_steal(&text);
}

/* A -wal or -journal of a database that has gone would be taken for one of the new one, and be played
 * into it: it is kept elsewhere and goes. */
static bool clear_place(struct ath_database_work *work, struct ath_err *err)
{
	static const char *const tails[] = { "-wal", "-journal" };
	bool is_clear = ath_keep_raw(work, err);

	for (size_t i = 0; is_clear && i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct ath_str left = { 0 };

		ath_str_printf(&left, "%s%s", work->path, tails[i]);
		is_clear = ath_file_remove_tree(ath_str_get(&left), err);
		ath_str_fini(&left);
	}
	return is_clear && (!work->raw || ath_file_sync_parent(work->path, err));
}

static bool create(struct ath_database_work *work, struct ath_err *err)
{
	char *folder = ath_file_parent(work->path), *beside = beside_path(work->path, work->run);
	struct ath_err trouble = { 0 };
	bool is_done = ath_file_make_folders(folder, NEW_FOLDER_MODE, err) &&
		       clear_place(work, err) && put_into_place(work, beside, err);

	if (is_done)
		work->is_committed = true;
	else if (!ath_live_remove_copy(beside, &trouble))
		ath_err_clear(&trouble); /* swept by the next run */
	free(beside);
	free(folder);
	return is_done;
}

static bool commit_work(void *data, struct ath_err *err)
{
	struct ath_database_work *work = data;

	if (!recheck(work, err))
		return false;
	if (work->online)
		return ath_commit_online(work, err);
	if (work->live)
		return commit_over(work, err);
	if (ath_file_kind(work->path) == ATH_FILE_ABSENT)
		return create(work, err);
	return fill_empty(work, err);
}

static void on_committed(struct ath_step *step, const struct ath_err *err)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_pairs pairs = { 0 };

	if (work->is_outrun)
		ath_step_fact(step, "database.outrun", "yes");
	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	if (work->raw && work->is_fresh)
		ath_step_say(
			step,
			"what a database that has gone had left beside its place is kept as %s-*",
			work->raw);
	ath_pairs_set(&pairs, "run", work->run);
	ath_pairs_set(&pairs, "path", work->path);
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_pairs_set(&pairs, "rows", work->heads);
	ath_step_record(step, "db.committed", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void do_commit(struct ath_step *step)
{
	ath_step_work(step, commit_work, ath_step_section(step), on_committed);
}

/* What a killed run left beside the database. */
static void sweep(struct ath_step *step, const char *path)
{
	struct ath_pairs past = { 0 };
	struct ath_err err = { 0 };
	char *beside;

	if (ath_step_past(step, "db.placing", &past) &&
	    strcmp(ath_pairs_get(&past, "path"), path) == 0) {
		beside = beside_path(path, ath_pairs_get(&past, "run"));
		if (!ath_live_remove_copy(beside, &err))
			ath_step_logf(step, "athanor: %s", err.msg);
		free(beside);
	}
	ath_pairs_fini(&past);
}

static void commit_start(struct ath_step *step)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_pairs pairs = { 0 };

	sweep(step, work->path);
	ath_step_watch(step, &work->meter);
	ath_pairs_set(&pairs, "path", work->path);
	ath_pairs_set(&pairs, "run", work->run);
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_resume_open(step, work);
	ath_step_record(step, "db.placing", &pairs, do_commit);
	ath_pairs_fini(&pairs);
}

static void commit_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out)
{
	(void)world, (void)config,
		(void)out; /* detect tells whether there is something to commit */
}

const struct ath_step_type ath_step_commit = {
	.name = "commit",
	.summary = "Put the verified copy into the live database in one transaction.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.probe = commit_probe,
	.start = commit_start,
};
