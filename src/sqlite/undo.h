/* SPDX-License-Identifier: MIT */
/*
 * sqlite/undo: takes parts of a schema away from a copy of a database, each only if that loses
 * nothing (ALEMBIC.md 10).
 *
 *	column   every row holds NULL or the column's default, to the byte
 *	table    it has no rows, no triggers, has given no AUTOINCREMENT number, and no other refers to it
 *	index, unique index, view, trigger   holds nothing of its own
 *
 * All in one transaction: the first part that cannot go leaves the file as it was. Never for the live
 * file.
 */
#ifndef ATH_SQLITE_UNDO_H
#define ATH_SQLITE_UNDO_H

#include "base/err.h"
#include "schema/element.h"

/*
 * Take `parts`, as read from that file by sqlite/elements, away.
 * Fails with: ATH_ERR_DECISION (something would be lost: names the part, and what it holds; or SQLite
 * refuses to drop it, as something else needs it), ATH_ERR_DATABASE, ATH_ERR_LOCKED, ATH_ERR_NOT_FOUND, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_undo(const char *path, const struct ath_elements *parts,
			    struct ath_err *err);

/*
 * Take the tables away that hold no rows, and leave the others: for what interrupted rebuilds have
 * left. `out_left` is the number of those left.
 * Fails with: as ath_undo, without ATH_ERR_DECISION.
 */
ATH_NODISCARD bool ath_undo_empty(const char *path, const struct ath_elements *tables,
				  size_t *out_left, struct ath_err *err);

#endif
