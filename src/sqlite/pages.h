/* SPDX-License-Identifier: MIT */
/*
 * sqlite/pages: the bytes of a database file, read through SQLite's own descriptor, raw or in the
 * form in which equal contents give equal bytes.
 *
 * A commit by backup changes some header bytes that say nothing of the contents: 18-19 (journal
 * mode), 24-27 and 92-99 (change counter and library version), 40-43 (schema cookie). The page that
 * holds SQLite's lock bytes at 1 GiB is never used. Masked, all of these are zero, and what lies
 * behind the last page by SQLite's own count (a truncation that failed leaves it) is not read
 * (https://www.sqlite.org/fileformat2.html, 1.3 and 1.3.9).
 */
#ifndef ATH_SQLITE_PAGES_H
#define ATH_SQLITE_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "sqlite/handle.h"

/* False: no more of them is wanted. */
typedef bool ath_pages_fn(void *user, uint64_t offset, const void *bytes, size_t len);

/*
 * All bytes of the main file behind `db`, in order. The caller holds a lock on it; frames of a WAL
 * are not read. Fails with: ATH_ERR_IO, ATH_ERR_CANCELLED (`on_bytes` said no).
 */
ATH_NODISCARD bool ath_pages_read(struct ath_db *db, bool is_masked, ath_pages_fn *on_bytes,
				  void *user, struct ath_err *err);

/*
 * All bytes, masked, of a database file that has been settled (sqlite/live).
 * Fails with: as ath_db_open; ATH_ERR_DATABASE (a WAL database), ATH_ERR_CANCELLED.
 */
ATH_NODISCARD bool ath_pages_read_file(const char *path, ath_pages_fn *on_bytes, void *user,
				       struct ath_err *err);

/* Mask the header bytes in `bytes`, which stand at `offset` of the file. */
void ath_pages_mask(uint64_t offset, void *bytes, size_t len);

#endif
