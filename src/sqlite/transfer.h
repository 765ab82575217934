/* SPDX-License-Identifier: MIT */
/*
 * sqlite/transfer: copies a whole database over another through SQLite's backup interface, in one
 * transaction of the target.
 */
#ifndef ATH_SQLITE_TRANSFER_H
#define ATH_SQLITE_TRANSFER_H

#include <stdint.h>

#include "sqlite/handle.h"

/* `done` of `total` pages; false: it is not wanted any more. */
typedef bool ath_transfer_progress_fn(void *user, uint64_t done, uint64_t total);

/*
 * Replace the contents of `to` by those of `from`, 1,000 pages at a time; `on_progress` (or NULL)
 * is called between. Nobody else may write to `from` meanwhile: that would start the copy anew.
 * Nothing of an unfinished copy stays in `to`.
 * Fails with: as ath_db_open; ATH_ERR_CANCELLED (`on_progress` said no).
 */
ATH_NODISCARD bool ath_transfer(struct ath_db *from, struct ath_db *to,
				ath_transfer_progress_fn *on_progress, void *user,
				struct ath_err *err);

/* A copy whose target is locked for writing and not written to yet. */
struct ath_transfer_started {
	struct sqlite3_backup *backup; /* owned by the copy */
	struct ath_db *to;             /* borrowed */
};

/*
 * The same in two parts: begin the target's write transaction, then copy. In between the caller may
 * look around, and give up.
 * Fails with: ATH_ERR_LOCKED; as ath_db_open. Nothing is to be given up then.
 */
ATH_NODISCARD bool ath_transfer_start(struct ath_db *from, struct ath_db *to,
				      struct ath_transfer_started *out, struct ath_err *err);

/* Copy. Fails with: as ath_transfer. */
ATH_NODISCARD bool ath_transfer_finish(struct ath_transfer_started *started,
				       ath_transfer_progress_fn *on_progress, void *user,
				       struct ath_err *err);

/* Give it up: nothing is written. */
void ath_transfer_give_up(struct ath_transfer_started *started);

/*
 * May the contents of `from` replace those of `to`? A copy takes the journal mode of `from` with it, so
 * that must not be WAL, and it cannot change the page size of a WAL database.
 * Fails with: ATH_ERR_REFUSED; as ath_db_open.
 */
ATH_NODISCARD bool ath_transfer_check(struct ath_db *from, struct ath_db *to, struct ath_err *err);

/*
 * Make an empty file of mode 0600, whatever the umask, for SQLite to fill.
 * Fails with: ATH_ERR_EXISTS, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_transfer_create(const char *path, struct ath_err *err);

/* Make a closed file and its name durable. Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_transfer_sync(const char *path, struct ath_err *err);

#endif
