/* SPDX-License-Identifier: MIT */
/*
 * steps/keep: before a backup is put back, takes the lock of what is in its place and keeps that,
 * whatever it is.
 *
 *	a database       as any run that changes it does: the step backup
 *	nothing          a file without a byte is made, so that there is something to lock and to commit to
 *	not readable     it is taken for empty by SQLite (sqlite/live), and its bytes are kept
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "steps/database.h"
#include "steps/keep_raw.h"
#include "steps/restore.h"
#include "steps/table.h"

enum {
	NEW_FILE_MODE = 0644, /* where it is not known; as SQLite itself would, less the umask */
};

struct keep {
	struct ath_database_work *work;
	const char *rights;           /* of the database when the backup was kept, or NULL */
	struct ath_restore_look look; /* owned until it was judged */
};

static struct keep *keep_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct keep));
}

/* ---- nothing in its place, or nothing that can be read ---- */

/* The step backup checks that for a database. */
static bool check_place(const struct ath_database_work *work, struct ath_err *err)
{
	char *folder = ath_file_parent(work->path);
	struct ath_file_space space;
	bool is_fine = ath_file_space(folder, &space, err);

	if (is_fine && space.is_network)
		is_fine = ath_err_set(
			err, ATH_ERR_REFUSED,
			"'%s' is on a network file system, where SQLite's locks do not hold",
			folder);
	free(folder);
	return is_fine;
}

static bool give_rights(const struct keep *keep, struct ath_err *err)
{
	unsigned mode, uid, gid;

	if (keep->rights && sscanf(keep->rights, "%o %u:%u", &mode, &uid, &gid) == 3)
		return ath_file_give(keep->work->path, mode & 0777, uid, gid, err);
	return ath_file_adopt(keep->work->path, NEW_FILE_MODE, err);
}

/* A -wal or -journal of a database that has gone is no part of what is put back: SQLite removes it
 * when it opens a file without a byte. */
static bool make_file(const struct keep *keep, struct ath_err *err)
{
	struct ath_database_work *work = keep->work;

	if (!ath_keep_raw(work, err))
		return false;
	if (ath_file_kind(work->path) != ATH_FILE_ABSENT)
		return true;
	if (!ath_file_create(work->path, "", 0, 0600, err))
		return false;
	work->was_absent = false;
	work->has_made_file = true;
	return give_rights(keep, err);
}

static bool take_empty(void *data, struct ath_err *err)
{
	const struct keep *keep = data;
	struct ath_database_work *work = keep->work;

	return check_place(work, err) && make_file(keep, err) &&
	       ath_live_open(work->path, (unsigned)work->lock_timeout_ms, &work->live, err) &&
	       ath_database_hash(work, &work->old, err);
}

static bool take_broken(void *data, struct ath_err *err)
{
	struct ath_database_work *work = ((const struct keep *)data)->work;

	work->is_unread = true;
	return check_place(work, err) &&
	       ath_live_open_damaged(work->path, (unsigned)work->lock_timeout_ms, &work->live,
				     err) &&
	       ath_database_hash_bytes(work, &work->old, err) && ath_keep_raw(work, err);
}

static void on_taken(struct ath_step *step, const struct ath_err *err)
{
	const struct ath_database_work *work = keep_of(step)->work;
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	if (!work->raw) {
		ath_step_done(step);
		return;
	}
	ath_step_say(step, "what is left of the damaged database is kept as %s", work->raw);
	ath_pairs_set(&pairs, "file", work->raw);
	ath_pairs_set(&pairs, "of", work->path);
	ath_pairs_set(&pairs, "sha256", work->old.main);
	ath_step_record(step, "db.damaged", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

/* ---- which of the three ---- */

static void on_looked(struct ath_step *step, const struct ath_err *err)
{
	struct keep *keep = keep_of(step);
	enum ath_restore_place place = keep->look.place;

	ath_restore_look_fini(&keep->look);
	if (err->code != ATH_ERR_OK)
		ath_step_fail(step, err);
	else if (place == ATH_RESTORE_SOUND)
		ath_step_backup.start(step);
	else
		ath_step_work(step, place == ATH_RESTORE_ABSENT ? take_empty : take_broken, keep,
			      on_taken);
}

static bool look_work(void *data, struct ath_err *err)
{
	struct keep *keep = data;
	const struct ath_database_work *work = keep->work;

	return ath_restore_look(work->path, work->version_table, (unsigned)work->lock_timeout_ms,
				&keep->look, err);
}

static void look(struct ath_step *step)
{
	ath_step_work(step, look_work, keep_of(step), on_looked);
}

/* Durable before anything is touched. */
static void keep_start(struct ath_step *step)
{
	const struct ath_restore_config *config = ath_step_config(step);
	struct keep *keep = keep_of(step);
	struct ath_pairs pairs = { 0 };

	keep->work = ath_step_section(step);
	keep->rights = config->rights;
	keep->work->is_restore = true;
	keep->work->is_online = false; /* what is put back is not beside anybody */
	ath_pairs_set(&pairs, "backup", config->backup);
	ath_pairs_set(&pairs, "of", keep->work->path);
	ath_step_record(step, "restore.chosen", &pairs, look);
	ath_pairs_fini(&pairs);
}

static void keep_probe(const struct ath_step_world *world, const void *config,
		       struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* each run that changes something keeps its own */
}

const struct ath_step_type ath_step_keep = {
	.name = "keep",
	.summary = "Lock what is in the database's place, and keep it whatever it is.",
	.fields = ath_restore_fields,
	.config_size = sizeof(struct ath_restore_config),
	.probe = keep_probe,
	.start = keep_start,
};
