/* SPDX-License-Identifier: MIT */
/*
 * sqlite/catalog: reads a database's sqlite_schema into the model.
 */
#ifndef ATH_SQLITE_CATALOG_H
#define ATH_SQLITE_CATALOG_H

#include "schema/model.h"
#include "sqlite/handle.h"

/*
 * Read all objects but SQLite's own, sorted. Release with ath_schema_fini.
 * Fails with: as ath_db_open; ATH_ERR_LIMIT (more than 100,000 objects).
 */
ATH_NODISCARD bool ath_catalog_read(struct ath_db *db, struct ath_schema *out, struct ath_err *err);

#endif
