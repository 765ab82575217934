/* SPDX-License-Identifier: MIT */
/*
 * sqlite/elements: reads a database's schema as a set of elements.
 *
 * Tables, columns (generated ones too), indexes, unique constraints, foreign keys, views, triggers;
 * not SQLite's own tables, not the version table, not the indexes of primary keys. Virtual tables
 * are tables without columns: their modules are not run. A table left over from a batch rebuild
 * (`_alembic_tmp_X`) is a table like any other. No row of the application is read.
 */
#ifndef ATH_SQLITE_ELEMENTS_H
#define ATH_SQLITE_ELEMENTS_H

#include "schema/element.h"
#include "sqlite/handle.h"

/*
 * Read all elements; texts are in `arena`, also those of a failed call. `version_table` may be
 * NULL. The caller holds a transaction if several reads must agree.
 * Fails with: as ath_db_open; ATH_ERR_LIMIT (more than 500,000 elements), ATH_ERR_TIMEOUT (a
 * hostile database).
 */
ATH_NODISCARD bool ath_elements_read(struct ath_db *db, const char *version_table,
				     struct ath_arena *arena, struct ath_elements *out,
				     struct ath_err *err);

#endif
