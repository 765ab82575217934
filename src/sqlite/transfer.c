/* SPDX-License-Identifier: MIT */
/* sqlite/transfer: the loop around sqlite3_backup_step, and the sync of what came out. */
#include "sqlite/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"

enum {
	STEP_PAGES = 1000, /* as fast as all at once, and a sign of life every few milliseconds */
};

bool ath_transfer(struct ath_db *from, struct ath_db *to, ath_transfer_progress_fn *on_progress,
		  void *user, struct ath_err *err)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(ath_db_raw(to), "main", ath_db_raw(from), "main");
	int result, end;

	if (!backup)
		return ath_db_fail(to, sqlite3_extended_errcode(ath_db_raw(to)), err,
				   "cannot write database");
	do {
		result = ATH_FAIL(DB_BACKUP, ath_db_path(to))
				 ? SQLITE_IOERR
				 : sqlite3_backup_step(backup, STEP_PAGES);
		if (on_progress && (result == SQLITE_OK || result == SQLITE_DONE)) {
			int total = sqlite3_backup_pagecount(backup);
			int left = sqlite3_backup_remaining(backup);

			on_progress(user, (uint64_t)(total - left), (uint64_t)total);
		}
	} while (result == SQLITE_OK);
	/* The commit is part of the last step; ending rolls back what has not come that far. */
	(void)ATH_FAIL(DB_BACKUP_END, ath_db_path(to));
	end = sqlite3_backup_finish(backup);
	if (ATH_FAIL_AFTER(DB_BACKUP_END, ath_db_path(to)))
		end = SQLITE_IOERR;
	if (result == SQLITE_DONE && end == SQLITE_OK)
		return true;
	return ath_db_fail(to, result == SQLITE_DONE ? end : result, err, "cannot write database");
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
