/* SPDX-License-Identifier: MIT */
/*
 * steps/backup: takes the live database's lock, records what it is, and keeps a pre-image
 * (SAFETY.md, protocol P, steps 0 to 4).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "steps/database.h"
#include "steps/table.h"

#define PARTIAL ".partial" /* end of the name of a copy that is being made */

static uint64_t size_of(const char *path, const char *tail)
{
	struct ath_file_stamp stamp;
	struct ath_str name = { 0 };
	uint64_t size = 0;

	ath_str_printf(&name, "%s%s", path, tail);
	if (ath_file_stamp(ath_str_get(&name), &stamp))
		size = stamp.size;
	ath_str_fini(&name);
	return size;
}

/* Is there room for pre-image, clone and the commit's journal, and a file system to rely on? */
static bool check_place(const char *folder, uint64_t need, struct ath_err *err)
{
	struct ath_file_space space;

	if (!ath_file_space(folder, &space, err))
		return false;
	if (space.is_network)
		return ath_err_set(
			err, ATH_ERR_REFUSED,
			"'%s' is on a network file system, where SQLite's locks do not hold",
			folder);
	if (space.free_bytes < need)
		return ath_err_set(err, ATH_ERR_PREFLIGHT,
				   "'%s' has %" PRIu64 " MiB free, and %" PRIu64
				   " MiB are needed for the pre-image, the copy and the commit",
				   folder, space.free_bytes >> 20, need >> 20);
	return true;
}

/* A copy that a killed run has not finished, or what SQLite kept beside it ("...partial-journal"). */
static bool sweep_partial(void *folder, const char *name, bool is_folder)
{
	const char *end = strstr(name, PARTIAL);
	struct ath_err err = { 0 };
	char *copy, *path;

	end = end ? end + strlen(PARTIAL) : NULL;
	if (is_folder || !end || (*end && *end != '-'))
		return true;
	copy = ath_mem_strndup(name, (size_t)(end - name));
	path = ath_file_join(folder, copy);
	if (!ath_live_remove_copy(path, &err))
		ath_err_clear(&err); /* it costs space only, and the next run tries again */
	free(path);
	free(copy);
	return true;
}

static bool lock_work(void *data, struct ath_err *err)
{
	struct ath_database_work *work = data;
	uint64_t need = 4 * (size_of(work->path, "") + size_of(work->path, "-wal")) + (64U << 20);
	char *folder = ath_file_parent(work->path), *backups = ath_file_parent(work->pre_image);
	bool is_done =
		ath_file_make_folders(backups, 0700, err) &&
		ath_file_list(backups, sweep_partial, backups, err) &&
		check_place(folder, need, err) && check_place(backups, need, err) &&
		ath_live_open(work->path, (unsigned)work->lock_timeout_ms, &work->live, err) &&
		ath_database_hash(work, &work->old, err);

	free(folder);
	free(backups);
	return is_done;
}

/* The copy gets its name only when it is whole and audited. */
static bool save_work(void *data, struct ath_err *err)
{
	struct ath_database_work *work = data;
	struct ath_str partial = { 0 };
	const char *path;
	bool is_done;

	ath_str_printf(&partial, "%s" PARTIAL, work->pre_image);
	path = ath_str_get(&partial);
	is_done = ath_live_copy(work->live, path, NULL, NULL, err) && ath_live_settle(path, err) &&
		  ath_audit_read(path, work->version_table, &work->before, err) &&
		  ath_file_put_into_place(path, work->pre_image, err);
	ath_str_fini(&partial);
	return is_done;
}

static void on_saved(struct ath_step *step, const struct ath_err *err)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_err damaged = { 0 };
	struct ath_pairs pairs = { 0 };

	if (err->code == ATH_ERR_OK && !work->before.is_sound)
		ath_err_set(&damaged, ATH_ERR_REFUSED,
			    "'%s' is damaged (%s): repair it before it is migrated", work->path,
			    work->before.fault);
	if (err->code != ATH_ERR_OK || damaged.code != ATH_ERR_OK) {
		ath_step_fail(step, err->code != ATH_ERR_OK ? err : &damaged);
		return;
	}
	ath_pairs_set(&pairs, "file", work->pre_image);
	ath_pairs_set(&pairs, "of", work->path);
	ath_pairs_set(&pairs, "pages", work->old.pages);
	ath_pairs_set(&pairs, "rows", ath_pairs_get(ath_step_world(step)->facts, "database.rows"));
	ath_step_say(step, "kept as %s", work->pre_image);
	ath_step_record(step, "db.saved", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void save(struct ath_step *step)
{
	ath_step_work(step, save_work, ath_step_section(step), on_saved);
}

static void on_locked(struct ath_step *step, const struct ath_err *err)
{
	struct ath_database_work *work = ath_step_section(step);
	const struct ath_live_traits *traits;
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	traits = ath_live_traits(work->live);
	ath_pairs_set(&pairs, "path", work->path);
	ath_pairs_setf(&pairs, "identity", "%" PRIu64 ":%" PRIu64, traits->dev, traits->ino);
	ath_pairs_setf(&pairs, "bytes", "%" PRIu64, traits->bytes);
	ath_pairs_set(&pairs, "journal_mode", traits->journal_mode);
	ath_pairs_setf(&pairs, "page_size", "%" PRId64, traits->page_size);
	ath_pairs_set(&pairs, "sha256", work->old.main);
	ath_pairs_set(&pairs, "wal_sha256", work->old.wal);
	ath_pairs_set(&pairs, "pages", work->old.pages);
	if (traits->was_recovered)
		ath_step_say(step, "a write of a crashed process was rolled back");
	ath_step_record(step, "db.locked", &pairs, work->keeps_none ? ath_step_done : save);
	ath_pairs_fini(&pairs);
}

static void backup_start(struct ath_step *step)
{
	ath_step_work(step, lock_work, ath_step_section(step), on_locked);
}

static void backup_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* each run that changes something keeps its own */
}

const struct ath_step_type ath_step_backup = {
	.name = "backup",
	.summary = "Lock the live database and keep a copy of it as it is.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.probe = backup_probe,
	.start = backup_start,
};
