/* SPDX-License-Identifier: MIT */
/*
 * sqlite/recovery: a hot journal, and a copy of the files as they are before SQLite rolls it back.
 *
 * A process that died while it wrote leaves a main file with half of a transaction in it and beside
 * it a rollback journal; the next writable open takes the half back (https://www.sqlite.org/lockingv3.html).
 * That cannot be undone, so both are kept first. What a crash in WAL mode leaves is no such thing: its
 * frames are whole or ignored, and nothing is overwritten.
 */
#ifndef ATH_SQLITE_RECOVERY_H
#define ATH_SQLITE_RECOVERY_H

#include "sqlite/handle.h"
#include "sqlite/transfer.h"

/* Would the next writable open roll a journal back? Opens and closes the file: nothing else of this
 * process may have it open. */
bool ath_recovery_is_due(const char *path);

/* What was copied; zeroed: nothing. */
struct ath_recovery_seen {
	struct ath_recovery_file {
		uint64_t dev, ino, bytes;
		int64_t written_ns; /* mtime; the ctime of a journal moves when root opens it, as
				       SQLite then gives it to the database's owner */
	} main, journal;
	bool has_super; /* the journal is one of several of a transaction over several files */
};

/*
 * Copy main file and journal, byte for byte, to `to` and `to`-journal, mode 0600, synced, each under
 * the end ".partial" first; of a transaction over several files also the super-journal, to `to`-super.
 * While it copies it holds a shared lock that keeps everybody from rolling back or writing, and waits
 * for it as `form` says. The main file's copy gets its name last. Nothing of SQLite may have the file
 * open in this process.
 *
 * True and `out_seen` zeroed if there is no hot journal any more.
 * Fails with: ATH_ERR_LOCKED (names the holders), ATH_ERR_CANCELLED, ATH_ERR_EXISTS, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_recovery_copy(const struct ath_db_form *form, const char *to,
				     struct ath_recovery_seen *out_seen,
				     ath_transfer_progress_fn *on_progress, void *user,
				     struct ath_err *err);

/* Are the files still those that were copied? */
bool ath_recovery_is_same(const char *path, const struct ath_recovery_seen *seen);

#endif
