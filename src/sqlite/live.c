/* SPDX-License-Identifier: MIT */
/*
 * sqlite/live: takes, uses and gives up the exclusive lock on the user's database.
 *
 * locking_mode=EXCLUSIVE keeps every lock once it has been taken until the handle is closed, and lets
 * a WAL database be used without a -shm. What a close does to a WAL is decided by one switch,
 * SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE (measured with 3.40.1): on, main file and -wal keep their bytes,
 * but a -wal that only our open made stays behind, empty; off, that one is removed, but frames of
 * the application would be moved into the main file. So it is on exactly while there are frames.
 */
#include "sqlite/live.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "sqlite/handle.h"
#include "sqlite/holders.h"
#include "sqlite/pages.h"
#include "sqlite/recovery.h"
#include "sqlite/transfer.h"

enum {
	WAIT_MS = 20, /* between two tries for the lock, the first ones less */
};

struct ath_live {
	struct ath_db *db; /* owned */
	struct ath_live_traits traits;
	bool is_committed; /* its contents are ours, promise B is over */
	bool is_damaged;   /* taken for empty, SQLITE_DBCONFIG_RESET_DATABASE is on */
};

/* Bytes of the file beside a database, 0 if there is none. */
static uint64_t bytes_beside(const char *path, const char *suffix)
{
	struct ath_str name = { 0 };
	struct stat st;
	uint64_t bytes = 0;

	ath_str_printf(&name, "%s%s", path, suffix);
	if (!stat(ath_str_get(&name), &st))
		bytes = (uint64_t)st.st_size;
	ath_str_fini(&name);
	return bytes;
}

/* On false errno tells why. */
static bool unlink_beside(const char *path, const char *suffix)
{
	struct ath_str name = { 0 };
	bool is_gone;

	ath_str_printf(&name, "%s%s", path, suffix);
	is_gone = ATH_ACT(DB_UNLINK, ath_str_get(&name), unlink(ath_str_get(&name))) == 0;
	ath_str_fini(&name);
	return is_gone;
}

static void keep_wal(struct ath_live *live, bool is_kept)
{
	sqlite3_db_config(ath_db_raw(live->db), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)is_kept,
			  NULL);
}

/*
 * ROLLBACK, not COMMIT: ending an exclusive transaction on a zero-byte file by COMMIT would write its
 * first page (measured with 3.40.1). The lock stays either way.
 */
static bool lock(struct ath_live *live, const char *path, struct ath_err *err)
{
	int has_moved = 0;

	if (!ath_db_exec(live->db,
			 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=EXTRA;"
			 "BEGIN EXCLUSIVE; ROLLBACK",
			 err) ||
	    (ATH_SABOTAGE("no-rollback") &&
	     !ath_db_exec(live->db, "PRAGMA journal_mode=MEMORY", err)))
		return false;
	sqlite3_file_control(ath_db_raw(live->db), "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
	if (has_moved)
		return ath_err_set(err, ATH_ERR_IO,
				   "database '%s' was replaced while it was opened", path);
	live->traits.had_wal = bytes_beside(path, "-wal") > 0;
	if (!live->traits.had_wal)
		keep_wal(live, false);
	return true;
}

static bool read_text(struct ath_db *db, const char *sql, char *out, size_t size,
		      struct ath_err *err)
{
	char *text;

	if (!ath_db_query_text(db, sql, &text, err))
		return false;
	snprintf(out, size, "%s", text ? text : "");
	free(text);
	return true;
}

bool ath_live_identify(const char *path, struct ath_live_traits *traits, struct ath_err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return ath_err_sys(
			err, errno == ENOENT || errno == ENOTDIR ? ATH_ERR_NOT_FOUND : ATH_ERR_IO,
			errno, "cannot open database '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return ath_err_set(err, ATH_ERR_REFUSED, "database '%s' is %s", path,
				   S_ISREG(st.st_mode) ? "a file with several links"
						       : "not a regular file");
	*traits = (struct ath_live_traits){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.mode = st.st_mode & 07777,
		.uid = st.st_uid,
		.gid = st.st_gid,
	};
	return true;
}

bool ath_live_read_traits(struct ath_db *db, struct ath_live_traits *traits, struct ath_err *err)
{
	struct stat st;

	if (stat(ath_db_path(db), &st))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot open database '%s'",
				   ath_db_path(db));
	traits->bytes = (uint64_t)st.st_size;
	return read_text(db, "PRAGMA journal_mode", traits->journal_mode,
			 sizeof(traits->journal_mode), err) &&
	       read_text(db, "PRAGMA encoding", traits->encoding, sizeof(traits->encoding), err) &&
	       ath_db_query_int(db, "PRAGMA page_size", &traits->page_size, err) &&
	       ath_db_query_int(db, "PRAGMA user_version", &traits->user_version, err);
}

static void take_for_empty(struct ath_live *live, bool is_empty)
{
	sqlite3_db_config(ath_db_raw(live->db), SQLITE_DBCONFIG_RESET_DATABASE, (int)is_empty,
			  NULL);
	live->is_damaged = is_empty;
}

/* NULL and ATH_ERR_LOCKED if somebody has it; nothing is held then. */
static struct ath_live *try_to_open(const struct ath_db_form *form,
				    const struct ath_live_traits *traits, bool is_damaged,
				    struct ath_err *err)
{
	struct ath_live *live = ath_mem_new(1, sizeof(*live));

	live->traits = *traits;
	live->db = ath_db_open(form->path, ATH_DB_WRITE, 0, err);
	if (live->db) {
		ath_db_watch(live->db, form->is_wanted, form->wanted_by);
		keep_wal(live, true);
		sqlite3_wal_autocheckpoint(ath_db_raw(live->db), 0);
		take_for_empty(live, is_damaged);
	}
	if (live->db && ATH_MAY(LIVE_LOCK, err, "%s", form->path) && lock(live, form->path, err) &&
	    ATH_MAY_AFTER(LIVE_LOCK, err, "%s", form->path) &&
	    ath_live_read_traits(live->db, &live->traits, err))
		return live;
	ath_live_close(live, false);
	return NULL;
}

/*
 * Each try by a handle of its own: in locking_mode=EXCLUSIVE a handle that waits keeps a shared lock, and
 * the writer that is waited for needs that away to finish (measured with 3.40.1).
 */
static bool open_by(const struct ath_db_form *form, bool is_damaged, struct ath_live **out,
		    struct ath_err *err)
{
	struct ath_live_traits traits = { 0 };
	struct ath_mono since = ath_time_mono();
	struct ath_live *live;
	unsigned wait_ms = 1;

	if (!ath_live_identify(form->path, &traits, err))
		return false;
	traits.was_recovered = ath_recovery_is_due(form->path);
	while (!(live = try_to_open(form, &traits, is_damaged, err)) &&
	       err->code == ATH_ERR_LOCKED) {
		ath_err_clear(err);
		if (form->is_wanted && !form->is_wanted(form->wanted_by))
			return ath_err_set(err, ATH_ERR_CANCELLED,
					   "waiting for '%s' was called off", form->path);
		if (ath_time_elapsed_ms(since) >= form->busy_ms)
			return ath_holders_fail(form->path, err);
		usleep(wait_ms * 1000);
		wait_ms = wait_ms < WAIT_MS ? wait_ms + 1 : WAIT_MS;
	}
	if (live)
		*out = live;
	return live != NULL;
}

bool ath_live_open_by(const struct ath_db_form *form, struct ath_live **out, struct ath_err *err)
{
	return open_by(form, false, out, err);
}

bool ath_live_open(const char *path, unsigned busy_ms, struct ath_live **out, struct ath_err *err)
{
	return open_by(&(struct ath_db_form){ .path = path, .busy_ms = busy_ms }, false, out, err);
}

bool ath_live_open_damaged(const char *path, unsigned busy_ms, struct ath_live **out,
			   struct ath_err *err)
{
	return open_by(&(struct ath_db_form){ .path = path, .busy_ms = busy_ms }, true, out, err);
}

void ath_live_close(struct ath_live *live, bool was_committed)
{
	if (!live)
		return;
	if (was_committed && live->db) {
		/* If it cannot be moved now, the new state stays in the -wal, as durable as here. */
		keep_wal(live, false);
		(void)ATH_FAIL(LIVE_CHECKPOINT, ath_db_path(live->db));
		sqlite3_wal_checkpoint_v2(ath_db_raw(live->db), "main", SQLITE_CHECKPOINT_TRUNCATE,
					  NULL, NULL);
	}
	(void)ATH_FAIL(LIVE_CLOSE, NULL);
	ath_db_close(live->db);
	(void)ATH_FAIL_AFTER(LIVE_CLOSE, NULL);
	free(live);
}

const struct ath_live_traits *ath_live_traits(const struct ath_live *live)
{
	return &live->traits;
}

struct ath_db *ath_live_db(struct ath_live *live)
{
	return live->db;
}

bool ath_live_query_text(struct ath_live *live, const char *sql, char **out_text,
			 struct ath_err *err)
{
	return ath_db_query_text(live->db, sql, out_text, err);
}

bool ath_live_read(struct ath_live *live, ath_live_bytes_fn *on_bytes, void *user,
		   struct ath_err *err)
{
	return ath_pages_read(live->db, false, on_bytes, user, err);
}

static bool read_copy_pages(struct ath_live *live, const char *scratch, ath_live_bytes_fn *on_bytes,
			    void *user, struct ath_err *err)
{
	bool is_read;

	if (!ath_live_copy(live, scratch, NULL, NULL, err))
		return false;
	is_read =
		ath_live_settle(scratch, err) && ath_pages_read_file(scratch, on_bytes, user, err);
	(void)ATH_ACT(DB_UNLINK, scratch, unlink(scratch));
	return is_read;
}

bool ath_live_read_pages(struct ath_live *live, const char *scratch, ath_live_bytes_fn *on_bytes,
			 void *user, struct ath_err *err)
{
	bool has_frames = bytes_beside(ath_db_path(live->db), "-wal") > 0;

	if (live->is_damaged) /* what is empty has no pages */
		take_for_empty(live, false);
	if (has_frames && !live->is_committed)
		return read_copy_pages(live, scratch, on_bytes, user, err);
	if (has_frames && !ath_db_exec(live->db, "PRAGMA wal_checkpoint(TRUNCATE)", err))
		return false;
	return ath_pages_read(live->db, true, on_bytes, user, err);
}

bool ath_live_copy(struct ath_live *live, const char *to, ath_live_progress_fn *on_progress,
		   void *user, struct ath_err *err)
{
	struct ath_err ignored = { 0 };
	struct ath_db *copy;
	bool is_copied;

	if (!ATH_MAY(DB_CREATE, err, "%s", to) || !ath_transfer_create(to, err))
		return false;
	copy = ath_db_open(to, ATH_DB_WRITE, 0, err);
	is_copied = copy && ath_transfer(live->db, copy, on_progress, user, err);
	ath_db_close(copy);
	is_copied = is_copied && ath_transfer_sync(to, err);
	if (!is_copied && !ath_live_remove_copy(to, &ignored))
		ath_err_clear(&ignored); /* what went wrong before is told */
	return is_copied;
}

bool ath_live_remove_copy(const char *path, struct ath_err *err)
{
	static const char *const tails[] = { "-journal", "-wal", "-shm", "" };
	int errnum = 0;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (!unlink_beside(path, tails[i]) && errno != ENOENT)
			errnum = errno;
	return !errnum || ath_err_sys(err, ATH_ERR_IO, errnum, "cannot remove '%s'", path);
}

struct teller {
	ath_live_progress_fn *on_progress;
	void *user;
};

/* A commit is never called off. */
static bool tell(void *user, uint64_t done, uint64_t total)
{
	const struct teller *teller = user;

	if (teller->on_progress)
		(void)teller->on_progress(teller->user, done, total); /* its wish comes too late */
	return true;
}

bool ath_live_commit(struct ath_live *live, const char *from, ath_live_progress_fn *on_progress,
		     void *user, struct ath_err *err)
{
	struct teller teller = { on_progress, user };
	struct ath_db *source = ath_db_open(from, ATH_DB_READ, 0, err);
	bool is_committed = source && ath_transfer_check(source, live->db, err) &&
			    ATH_MAY(LIVE_COMMIT, err, "%s", from) &&
			    ath_transfer(source, live->db, tell, &teller, err) &&
			    ATH_MAY_AFTER(LIVE_COMMIT, err, "%s", from);

	ath_db_close(source);
	if (is_committed)
		take_for_empty(live, false);
	live->is_committed = live->is_committed || is_committed;
	return is_committed;
}

static bool leave_wal_mode(struct ath_db *db, struct ath_err *err)
{
	char mode[16];

	if (!ath_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err) ||
	    !read_text(db, "PRAGMA journal_mode=DELETE", mode, sizeof(mode), err))
		return false;
	if (!ath_str_is(mode, "delete"))
		return ath_err_set(err, ATH_ERR_DATABASE,
				   "database '%s' stays in journal mode '%s'", ath_db_path(db),
				   mode);
	return true;
}

/*
 * What the header says (file format, bytes 18 and 19). The PRAGMA does not report an error of the
 * write that changes it (measured with 3.40.1), and a copy that stays in WAL mode cannot be committed.
 */
static bool check_header(const char *path, struct ath_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned char versions[2] = { 0 };
	ssize_t got = fd >= 0 ? pread(fd, versions, sizeof(versions), 18) : -1;
	int errnum = errno;

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return ath_err_sys(err, ATH_ERR_IO, errnum, "cannot read database '%s'", path);
	return (versions[0] != 2 && versions[1] != 2) ||
	       ath_err_set(err, ATH_ERR_IO, "cannot write database '%s': it stays in WAL mode",
			   path);
}

bool ath_live_settle(const char *path, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_WRITE, 0, err);
	bool is_settled = db && ATH_MAY(DB_SETTLE, err, "%s", path) && leave_wal_mode(db, err);

	ath_db_close(db);
	if (!is_settled || !check_header(path, err))
		return false;
	if (bytes_beside(path, "-wal") || bytes_beside(path, "-journal"))
		return ath_err_set(err, ATH_ERR_DATABASE, "database '%s' keeps a journal", path);
	unlink_beside(path, "-wal");
	unlink_beside(path, "-shm");
	return ath_transfer_sync(path, err);
}
