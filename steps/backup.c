/* SPDX-License-Identifier: MIT */
/*
 * steps/backup: takes the live database's lock, records what it is, and keeps a pre-image
 * (SAFETY.md, protocol P, steps 0 to 4). Where an interrupted write waits to be rolled back by the
 * lock's open, the files as they are before that are copied and recorded first.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "facts/backups.h"
#include "os/file.h"
#include "sqlite/recovery.h"
#include "steps/database.h"
#include "steps/resume.h"
#include "steps/room.h"
#include "steps/table.h"

#define PARTIAL ".partial" /* end of the name of a copy that is being made */

enum {
	RECOVERIES_MAX = 3, /* how often the files may change between their copy and the lock */
};

struct backup {
	struct ath_database_work *work;
	const char *temporary; /* SQLite's folder for temporary files, or NULL */
	/* Of an interrupted write of another process, before it is rolled back. */
	struct ath_recovery_seen seen; /* zeroed: there was none */
	char *raw;                     /* in the arena; the copy of the main file */
	char sha256[ATH_DIGEST_TEXT], journal_sha256[ATH_DIGEST_TEXT];
	unsigned recoveries;
	bool is_stale; /* the files are not those any more that were copied */
	bool is_on_fuse;
	struct ath_arena *arena;
	struct ath_resume resume;
};

static struct backup *backup_of(struct ath_step *step)
{
	return ((struct ath_database_work *)ath_step_section(step))->backup;
}

/* ---- before the lock: room, and the files of an interrupted write ---- */

static uint64_t bytes_beside(const char *path, const char *tail)
{
	struct ath_str name = { 0 };
	uint64_t bytes;

	ath_str_printf(&name, "%s%s", path, tail);
	bytes = ath_database_bytes(ath_str_get(&name));
	ath_str_fini(&name);
	return bytes;
}

static bool check_room(struct backup *backup, const char *backups, bool is_hot, struct ath_err *err)
{
	const char *path = backup->work->path;
	char *folder = ath_file_parent(path);
	uint64_t main = bytes_beside(path, "");
	struct ath_room_question question = {
		.folders = { folder, backups, backup->temporary },
		.bytes = main + bytes_beside(path, "-wal"),
		.raw = is_hot ? main + bytes_beside(path, "-journal") : 0,
	};
	bool has_room = ath_room_check(&question, &backup->is_on_fuse, err);

	free(folder);
	return has_room;
}

/* What costs space only is tried again by the next run. */
static void remove_parts(const char *folder, const char *name, bool is_whole_wanted)
{
	char *path = ath_file_join(folder, name);
	struct ath_str super = { 0 };
	struct ath_err ignored = { 0 };

	ath_str_printf(&super, "%s-super", path);
	if ((!is_whole_wanted || ath_file_kind(path) == ATH_FILE_ABSENT) &&
	    !(ath_live_remove_copy(path, &ignored) &&
	      ath_file_remove_tree(ath_str_get(&super), &ignored)))
		ath_err_clear(&ignored);
	ath_str_fini(&super);
	free(path);
}

/*
 * What a killed run has not finished, or what SQLite kept beside it ("...partial-journal"); a journal
 * whose main file was not copied to its end.
 */
static bool sweep_partial(void *folder, const char *name, bool is_folder)
{
	const char *end;
	char *copy, *base;

	if (is_folder || !ath_backup_is_partial(name))
		return true;
	end = strstr(name, PARTIAL) + strlen(PARTIAL);
	copy = ath_mem_strndup(name, (size_t)(end - name));
	base = ath_mem_strndup(name, (size_t)(end - name) - strlen(PARTIAL));
	remove_parts(folder, copy, false);
	remove_parts(folder, base, true); /* a journal that came to its name before its main file */
	free(base);
	free(copy);
	return true;
}

static struct ath_db_form form_of(struct ath_database_work *work)
{
	return (struct ath_db_form){
		.path = work->path,
		.busy_ms = (unsigned)work->lock_timeout_ms,
		.is_wanted = ath_meter_goes_on,
		.wanted_by = &work->meter,
	};
}

static bool hash_copies(struct backup *backup, struct ath_err *err)
{
	struct ath_str journal = { 0 };
	bool is_hashed;

	ath_str_printf(&journal, "%s-journal", backup->raw);
	is_hashed = ath_digest_file(backup->raw, 0, backup->sha256, err) &&
		    ath_digest_file(ath_str_get(&journal), 0, backup->journal_sha256, err);
	ath_str_fini(&journal);
	return is_hashed;
}

static bool keep_raw(struct backup *backup, const char *backups, struct ath_err *err)
{
	struct ath_database_work *work = backup->work;
	struct ath_db_form form = form_of(work);
	bool is_kept;

	backup->raw = ath_arena_printf(backup->arena, "%s/raw-%s%s.db", backups, work->run,
				       backup->recoveries == 0   ? ""
				       : backup->recoveries == 1 ? "-2"
								 : "-3");
	backup->recoveries++;
	ath_meter_begin(&work->meter,
			"copying the database before an interrupted write is rolled back",
			bytes_beside(work->path, "") + bytes_beside(work->path, "-journal"));
	is_kept = ath_recovery_copy(&form, backup->raw, &backup->seen, ath_meter_move, &work->meter,
				    err);
	ath_meter_end(&work->meter);
	return is_kept && (!backup->seen.main.bytes || hash_copies(backup, err));
}

static bool prepare_work(void *data, struct ath_err *err)
{
	struct backup *backup = data;
	struct ath_database_work *work = backup->work;
	char *backups = ath_file_parent(work->pre_image);
	bool is_hot = ath_recovery_is_due(work->path);
	bool is_done = ath_file_make_folders(backups, 0700, err) &&
		       ath_file_list(backups, sweep_partial, backups, err) &&
		       check_room(backup, backups, is_hot, err) &&
		       (!is_hot || keep_raw(backup, backups, err));

	free(backups);
	return is_done;
}

/* ---- the lock ---- */

static bool lock_work(void *data, struct ath_err *err)
{
	struct backup *backup = data;
	struct ath_database_work *work = backup->work;
	struct ath_db_form form = form_of(work);
	bool is_locked;

	/* The open rolls back, and only what was copied may be rolled back. */
	backup->is_stale =
		ath_recovery_is_due(work->path) && !ath_recovery_is_same(work->path, &backup->seen);
	if (backup->is_stale)
		return true;
	ath_meter_begin(&work->meter, "waiting for the lock of the database", 0);
	is_locked = work->is_online ? ath_online_open(&form, &work->online, err)
				    : ath_live_open_by(&form, &work->live, err);
	ath_meter_end(&work->meter);
	if (work->is_online)
		return is_locked;
	return is_locked && ath_database_hash(work, &work->old, err);
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
	is_done = ath_database_copy_live(work, path, err) && ath_live_settle(path, err) &&
		  ath_database_audit(work, path, &work->before, err) &&
		  (!work->online || ath_database_hash_copy(work, path, work->old.pages, err)) &&
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
	ath_step_say(step, "copied to %s", work->pre_image); /* it stays if anything is changed */
	ath_step_record(step, "db.saved", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void save(struct ath_step *step)
{
	ath_step_work(step, save_work, ath_step_section(step), on_saved);
}

/* What was rolled back by the open: another process's write, or the commit of a run that died? */
static void tell_recovery(struct ath_step *step)
{
	struct backup *backup = backup_of(step);

	if (!ath_database_traits(backup->work)->was_recovered || !backup->raw)
		return;
	ath_step_fact(step, "database.recovered", backup->raw);
	if (backup->resume.state == ATH_RESUME_OLD)
		ath_step_say(step, "the commit of run %s was cut off, and has been rolled back",
			     ath_pairs_get(&backup->resume.open, "run"));
	else
		ath_step_say(
			step,
			"a write of the application was cut off, and has been rolled back; the "
			"files as they were before are kept as %s and %s-journal",
			backup->raw, backup->raw);
}

static void record_locked(struct ath_step *step)
{
	struct ath_database_work *work = ath_step_section(step);
	const struct ath_live_traits *traits = ath_database_traits(work);
	struct ath_pairs pairs = { 0 };

	ath_pairs_set(&pairs, "online", work->is_online ? "yes" : NULL);
	ath_pairs_set(&pairs, "run", work->run);
	ath_pairs_set(&pairs, "path", work->path);
	ath_pairs_setf(&pairs, "identity", "%" PRIu64 ":%" PRIu64, traits->dev, traits->ino);
	ath_pairs_setf(&pairs, "bytes", "%" PRIu64, traits->bytes);
	ath_pairs_setf(&pairs, "owner", "%u:%u", traits->uid, traits->gid);
	ath_pairs_setf(&pairs, "mode", "%04o", traits->mode);
	ath_pairs_set(&pairs, "journal_mode", traits->journal_mode);
	ath_pairs_setf(&pairs, "page_size", "%" PRId64, traits->page_size);
	ath_pairs_set(&pairs, "sha256", work->old.main);
	ath_pairs_set(&pairs, "wal_sha256", work->old.wal);
	ath_pairs_set(&pairs, "pages", work->old.pages);
	if (!work->is_online) /* else nothing is held yet that a crash could leave */
		ath_resume_open(step, work);
	ath_step_record(step, "db.locked", &pairs, work->keeps_none ? ath_step_done : save);
	ath_pairs_fini(&pairs);
}

static void prepare(struct ath_step *step);

static void on_locked(struct ath_step *step, const struct ath_err *err)
{
	struct backup *backup = backup_of(step);
	struct ath_err busy = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
	} else if (backup->is_stale && backup->recoveries < RECOVERIES_MAX) {
		prepare(step);
	} else if (backup->is_stale) {
		ath_err_set(&busy, ATH_ERR_LOCKED,
			    "'%s' is written to by processes that die again and again; stop them "
			    "first",
			    backup->work->path);
		ath_step_fail(step, &busy);
	} else {
		if (!backup->work->is_online &&
		    ath_resume_find(ath_step_world(step), backup->work->path, &backup->resume))
			ath_resume_judge_pages(&backup->resume, backup->work->old.pages);
		tell_recovery(step);
		ath_resume_record(step, &backup->resume);
		ath_resume_fini(&backup->resume);
		record_locked(step);
	}
}

static void lock(struct ath_step *step)
{
	ath_step_work(step, lock_work, backup_of(step), on_locked);
}

static void on_prepared(struct ath_step *step, const struct ath_err *err)
{
	struct backup *backup = backup_of(step);
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	if (backup->is_on_fuse)
		ath_step_say(step, "WARNING: the database or its copies are on a FUSE file system; "
				   "nothing is promised of what a crash leaves there");
	if (!backup->seen.main.bytes) {
		lock(step);
		return;
	}
	ath_pairs_set(&pairs, "run", backup->work->run);
	ath_pairs_set(&pairs, "path", backup->work->path);
	ath_pairs_set(&pairs, "file", backup->raw);
	ath_pairs_setf(&pairs, "bytes", "%" PRIu64, backup->seen.main.bytes);
	ath_pairs_set(&pairs, "sha256", backup->sha256);
	ath_pairs_setf(&pairs, "journal_bytes", "%" PRIu64, backup->seen.journal.bytes);
	ath_pairs_set(&pairs, "journal_sha256", backup->journal_sha256);
	ath_pairs_set(&pairs, "super", backup->seen.has_super ? "yes" : "");
	ath_step_record(step, "db.recovered", &pairs, lock);
	ath_pairs_fini(&pairs);
}

static void prepare(struct ath_step *step)
{
	ath_step_work(step, prepare_work, backup_of(step), on_prepared);
}

static void backup_start(struct ath_step *step)
{
	struct ath_database_work *work = ath_step_section(step);
	struct backup *backup = ath_arena_new(ath_step_arena(step), 1, sizeof(*backup));
	struct ath_err err = { 0 };

	work->backup = backup; /* not the step's own data: `keep` starts this, too */
	backup->work = work;
	if (work->is_online && work->keeps_none) {
		ath_err_set(&err, ATH_ERR_USAGE,
			    "--no-backup and an upgrade beside the application exclude each other: "
			    "what is kept is what is migrated then");
		ath_step_fail(step, &err);
		return;
	}
	backup->arena = ath_step_arena(step);
	backup->temporary = ath_room_temporary(ath_step_world(step)->environment);
	ath_step_watch(step, &backup->work->meter);
	prepare(step);
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
