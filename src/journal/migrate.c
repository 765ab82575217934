/* SPDX-License-Identifier: MIT */
/* journal/migrate: ordered migrations of the journal's own schema. */
#include "journal/migrate.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "sqlite/handle.h"

static const struct {
	int number;
	const char *name;
	const char *sql;
} migrations[] = {
#include "journal/migrations.inc"
};

enum {
	MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]),
};

/* The number of the schema in the file; fails for one that is newer than this program. */
static bool read_number(struct ath_db *db, int64_t *out_number, struct ath_err *err)
{
	int newest = migrations[MIGRATIONS - 1].number;

	if (!ath_db_query_int(db, "PRAGMA user_version", out_number, err))
		return false;
	if (*out_number > newest)
		return ath_err_set(
			err, ATH_ERR_JOURNAL_NEWER,
			"the journal '%s' was written by a newer athanor (schema %" PRId64
			", this one knows %d): use that version, nothing was changed",
			ath_db_path(db), *out_number, newest);
	return true;
}

bool ath_journal_is_current(struct ath_db *db, struct ath_err *err)
{
	int64_t number;

	return read_number(db, &number, err) && number == migrations[MIGRATIONS - 1].number;
}

static bool apply(struct ath_db *db, size_t idx, struct ath_err *err)
{
	struct ath_str mark = { 0 };
	bool is_done;

	ath_str_printf(&mark, "PRAGMA user_version = %d", migrations[idx].number);
	is_done = ath_db_begin(db, err) && ath_db_exec(db, migrations[idx].sql, err) &&
		  ath_db_exec(db, ath_str_get(&mark), err) &&
		  ATH_MAY(JOURNAL_COMMIT, err, "%s", migrations[idx].name) &&
		  ath_db_commit(db, err) &&
		  ATH_MAY_AFTER(JOURNAL_COMMIT, err, "%s", migrations[idx].name);
	ath_str_fini(&mark);
	if (is_done)
		return true;
	ath_db_rollback(db);
	return ath_err_prefix(err, "migration '%s' of the journal", migrations[idx].name);
}

bool ath_journal_migrate(struct ath_db *db, struct ath_err *err)
{
	int64_t number;

	if (!read_number(db, &number, err))
		return false;
	for (size_t i = 0; i < MIGRATIONS; i++) {
		if (migrations[i].number > number && !apply(db, i, err))
			return false;
	}
	return true;
}
