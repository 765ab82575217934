/* SPDX-License-Identifier: MIT */
/*
 * sqlite/audit: what is checked of a database before it may become the live one (SAFETY.md 3.3).
 *
 * Cost grows with the data: this belongs to a migration, never to a look. Call it on copies only.
 */
#ifndef ATH_SQLITE_AUDIT_H
#define ATH_SQLITE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sqlite/handle.h"

struct ath_audit_table {
	const char *name;
	int64_t rows;
};

struct ath_audit {
	struct ath_arena arena; /* owns everything below */
	const struct ath_audit_table
		*tables; /* sorted by name; without sqlite_* and the version table */
	size_t tables_len;
	int64_t foreign_key_faults; /* rows of PRAGMA foreign_key_check; a table whose keys do
					    not fit their parent counts as one */
	bool is_sound;              /* PRAGMA integrity_check says ok */
	const char *fault;          /* the first line it said otherwise, or NULL */
	const char *leftover;       /* name of a table _alembic_tmp_*, or NULL */
	int64_t page_size;
	const char *encoding;
	const char *journal_mode;
};

/*
 * Read all of it; the copy has been settled (sqlite/live). Damage is a finding, not a failure: the
 * tables of a database that is not sound are not counted, nor are virtual tables, whose rows are in
 * tables of their own.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_LOCKED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_audit_read(const char *path, const char *version_table,
				  struct ath_audit *out, struct ath_err *err);

/* Asked from time to time (sqlite/handle). */
struct ath_audit_wish {
	ath_db_wanted_fn *is_wanted;
	void *user;
};

/* The same, as long as it is wanted. Fails with: likewise; ATH_ERR_CANCELLED. */
ATH_NODISCARD bool ath_audit_read_while(const char *path, const char *version_table,
					const struct ath_audit_wish *wish, struct ath_audit *out,
					struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_audit_fini(struct ath_audit *audit);

/*
 * May `after` replace `before`? Both sound, no more foreign key faults, no left-over that is new, same page size
 * and encoding, and no surviving table with fewer rows. The journal mode is not compared, as a
 * settled copy has its own.
 * Fails with: ATH_ERR_VERIFY (the first thing that is wrong), ATH_ERR_DECISION (only rows are fewer:
 * names table and counts).
 */
ATH_NODISCARD bool ath_audit_compare(const struct ath_audit *before, const struct ath_audit *after,
				     struct ath_err *err);

#endif
