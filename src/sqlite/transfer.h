/* SPDX-License-Identifier: MIT */
/*
 * sqlite/transfer: copies a whole database over another through SQLite's backup interface, in one
 * transaction of the target.
 */
#ifndef ATH_SQLITE_TRANSFER_H
#define ATH_SQLITE_TRANSFER_H

#include <stdint.h>

#include "sqlite/handle.h"

/* `done` of `total` pages. */
typedef void ath_transfer_progress_fn(void *user, uint64_t done, uint64_t total);

/*
 * Replace the contents of `to` by those of `from`, 1,000 pages at a time; `on_progress` (or NULL)
 * is called between. Nobody else may write to `from` meanwhile: that would start the copy anew.
 * Fails with: as ath_db_open.
 */
ATH_NODISCARD bool ath_transfer(struct ath_db *from, struct ath_db *to,
				ath_transfer_progress_fn *on_progress, void *user,
				struct ath_err *err);

/* Make a closed file and its name durable. Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_transfer_sync(const char *path, struct ath_err *err);

#endif
