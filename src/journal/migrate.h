/* SPDX-License-Identifier: MIT */
/*
 * journal/migrate: brings the journal's own schema up to date from migrations/, and refuses a newer
 * one by name.
 *
 * The schema's number is PRAGMA user_version; each file of migrations/ is one transaction.
 */
#ifndef ATH_JOURNAL_MIGRATE_H
#define ATH_JOURNAL_MIGRATE_H

#include <stdbool.h>

#include "base/err.h"

struct ath_db;

/* Is the journal's schema the one that this program writes? */
bool ath_journal_is_current(struct ath_db *db, struct ath_err *err);

/*
 * Apply the migrations that are missing.
 * Fails with: ATH_ERR_JOURNAL_NEWER (written by a newer athanor; nothing was changed),
 * ATH_ERR_JOURNAL (damaged).
 */
ATH_NODISCARD bool ath_journal_migrate(struct ath_db *db, struct ath_err *err);

#endif
