/* SPDX-License-Identifier: MIT */
/* sqlite/transfer: the loop around sqlite3_backup_step, and the sync of what came out. */
#include "sqlite/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	STEP_PAGES = 1000, /* as fast as all at once, and a sign of life every few milliseconds */
};

static bool fail_init(struct ath_db *to, struct ath_err *err)
{
	return ath_db_fail(to, sqlite3_extended_errcode(ath_db_raw(to)), err,
			   "cannot write database");
}

/* An empty step begins the transaction of the target, and with it takes its lock. */
bool ath_transfer_start(struct ath_db *from, struct ath_db *to, struct ath_transfer_started *out,
			struct ath_err *err)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(ath_db_raw(to), "main", ath_db_raw(from), "main");
	int result;

	if (!backup)
		return fail_init(to, err);
	result = sqlite3_backup_step(backup, 0);
	*out = (struct ath_transfer_started){ backup, to };
	if (result == SQLITE_OK)
		return true;
	ath_transfer_give_up(out);
	return ath_db_fail(to, result, err, "cannot write database");
}

void ath_transfer_give_up(struct ath_transfer_started *started)
{
	sqlite3_backup_finish(started->backup);
	*started = (struct ath_transfer_started){ 0 };
}

bool ath_transfer_finish(struct ath_transfer_started *started,
			 ath_transfer_progress_fn *on_progress, void *user, struct ath_err *err)
{
	sqlite3_backup *backup = started->backup;
	struct ath_db *to = started->to;
	bool is_wanted = true;
	int result, end;

	do {
		result = ATH_FAIL(DB_BACKUP, ath_db_path(to))
				 ? SQLITE_IOERR
				 : sqlite3_backup_step(backup, STEP_PAGES);
		if (on_progress && (result == SQLITE_OK || result == SQLITE_DONE)) {
			int total = sqlite3_backup_pagecount(backup);
			int left = sqlite3_backup_remaining(backup);

			is_wanted = on_progress(user, (uint64_t)(total - left), (uint64_t)total);
		}
	} while (result == SQLITE_OK && is_wanted);
	/* The commit is part of the last step; ending rolls back what has not come that far. */
	(void)ATH_FAIL(DB_BACKUP_END, ath_db_path(to));
	end = sqlite3_backup_finish(backup);
	if (ATH_FAIL_AFTER(DB_BACKUP_END, ath_db_path(to)))
		end = SQLITE_IOERR;
	*started = (struct ath_transfer_started){ 0 };
	if (result == SQLITE_DONE && end == SQLITE_OK)
		return true;
	if (result == SQLITE_OK)
		return ath_err_set(err, ATH_ERR_CANCELLED, "writing database '%s' was called off",
				   ath_db_path(to));
	return ath_db_fail(to, result == SQLITE_DONE ? end : result, err, "cannot write database");
}

bool ath_transfer(struct ath_db *from, struct ath_db *to, ath_transfer_progress_fn *on_progress,
		  void *user, struct ath_err *err)
{
	struct ath_transfer_started started = {
		.backup = sqlite3_backup_init(ath_db_raw(to), "main", ath_db_raw(from), "main"),
		.to = to,
	};

	if (!started.backup)
		return fail_init(to, err);
	return ath_transfer_finish(&started, on_progress, user, err);
}

static bool read_shape(struct ath_db *db, bool *out_has_wal, int64_t *out_page_size,
		       struct ath_err *err)
{
	char *mode;

	if (!ath_db_query_int(db, "PRAGMA page_size", out_page_size, err) ||
	    !ath_db_query_text(db, "PRAGMA journal_mode", &mode, err))
		return false;
	*out_has_wal = ath_str_is(mode, "wal");
	free(mode);
	return true;
}

bool ath_transfer_check(struct ath_db *from, struct ath_db *to, struct ath_err *err)
{
	int64_t from_size, to_size;
	bool from_wal, to_wal;

	if (!read_shape(from, &from_wal, &from_size, err) ||
	    !read_shape(to, &to_wal, &to_size, err))
		return false;
	if (from_wal)
		return ath_err_set(err, ATH_ERR_REFUSED, "cannot commit '%s': it is in WAL mode",
				   ath_db_path(from));
	return !to_wal || from_size == to_size ||
	       ath_err_set(err, ATH_ERR_REFUSED,
			   "cannot commit '%s': its page size is %lld, that of '%s' is %lld",
			   ath_db_path(from), (long long)from_size, ath_db_path(to),
			   (long long)to_size);
}

bool ath_transfer_create(const char *path, struct ath_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_fine = fd >= 0 && !fchmod(fd, 0600);

	if (!is_fine)
		ath_err_sys(err, errno == EEXIST ? ATH_ERR_EXISTS : ATH_ERR_IO, errno,
			    "cannot create '%s'", path);
	if (fd >= 0)
		close(fd);
	return is_fine;
}

static bool sync_path(const char *path, int flags, struct ath_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool is_synced = fd >= 0 && !ATH_ACT(DB_SYNC, path, fsync(fd));

	if (!is_synced)
		ath_err_sys(err, ATH_ERR_IO, errno, "cannot sync '%s'", path);
	if (fd >= 0)
		close(fd);
	return is_synced;
}

bool ath_transfer_sync(const char *path, struct ath_err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? ath_mem_strndup(path, slash == path ? 1 : (size_t)(slash - path))
			     : ath_mem_strdup(".");
	bool is_synced = sync_path(path, O_NOFOLLOW, err) && sync_path(folder, O_DIRECTORY, err);

	free(folder);
	return is_synced;
}
