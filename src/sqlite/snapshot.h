/* SPDX-License-Identifier: MIT */
/*
 * sqlite/snapshot: a database as it is at one moment, read while others may use it.
 *
 * All of it comes from one read transaction, so a writer in between neither shows nor starts the copy
 * anew: in WAL mode writers go on, in the other modes they wait until it has ended.
 */
#ifndef ATH_SQLITE_SNAPSHOT_H
#define ATH_SQLITE_SNAPSHOT_H

#include "sqlite/live.h"

/*
 * Copy what `db` shows now into a new file `to` (mode 0600, synced; still to be settled). `out_token`
 * (or NULL): PRAGMA data_version, read in the same transaction; it stays the same on this handle for
 * as long as nobody else commits. On failure `to` is removed.
 * Fails with: ATH_ERR_EXISTS, ATH_ERR_LOCKED, ATH_ERR_CANCELLED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_snapshot_copy(struct ath_db *db, const char *to, int64_t *out_token,
				     ath_live_progress_fn *on_progress, void *user,
				     struct ath_err *err);

/*
 * All pages of the database at form->path, masked, as ath_live_read_pages gives them, read without a
 * lock that outlives the call. A WAL database is read through a copy, made as `scratch` and removed
 * again.
 * Fails with: likewise; ATH_ERR_NOT_FOUND.
 */
ATH_NODISCARD bool ath_snapshot_read_pages(const struct ath_db_form *form, const char *scratch,
					   ath_live_bytes_fn *on_bytes, void *user,
					   struct ath_err *err);

#endif
