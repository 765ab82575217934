/* SPDX-License-Identifier: MIT */
/*
 * steps/keep_raw: keeps the bytes of a live database that cannot be read as one, durably and beside
 * the backups: backups/damaged-RUN.db, with a -wal under the name that goes with it.
 */
#ifndef ATH_STEPS_KEEP_RAW_H
#define ATH_STEPS_KEEP_RAW_H

#include "steps/database.h"

/*
 * With the lock held (work->live) the main file is copied, read through SQLite's own descriptor, and
 * its -wal; where there is no live file, the -wal and -journal that were left beside its place. Sets
 * work->raw if anything was there.
 * Fails with: ATH_ERR_IO, ATH_ERR_DATABASE, ATH_ERR_EXISTS.
 */
ATH_NODISCARD bool ath_keep_raw(struct ath_database_work *work, struct ath_err *err);

#endif
