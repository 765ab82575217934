/* SPDX-License-Identifier: MIT */
/* sqlite/snapshot: copies inside a read transaction that is begun here. */
#include "sqlite/snapshot.h"

#include <stdlib.h>

#include "base/str.h"
#include "sqlite/pages.h"
#include "sqlite/transfer.h"

/* The first read fixes the moment; what follows in the transaction shows the same. */
static bool begin(struct ath_db *db, struct ath_err *err)
{
	return ath_db_exec(db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", err);
}

static bool copy_into(struct ath_db *db, const char *to, int64_t *out_token,
		      ath_live_progress_fn *on_progress, void *user, struct ath_err *err)
{
	struct ath_db *copy = ath_db_open(to, ATH_DB_WRITE, 0, err);
	int64_t token = 0;
	bool is_copied = copy && begin(db, err) &&
			 ath_db_query_int(db, "PRAGMA data_version", &token, err) &&
			 ath_transfer(db, copy, on_progress, user, err);

	ath_db_rollback(db);
	ath_db_close(copy);
	if (is_copied && out_token)
		*out_token = token;
	return is_copied;
}

bool ath_snapshot_copy(struct ath_db *db, const char *to, int64_t *out_token,
		       ath_live_progress_fn *on_progress, void *user, struct ath_err *err)
{
	struct ath_err ignored = { 0 };

	if (!ath_transfer_create(to, err))
		return false;
	if (copy_into(db, to, out_token, on_progress, user, err) && ath_transfer_sync(to, err))
		return true;
	if (!ath_live_remove_copy(to, &ignored))
		ath_err_clear(&ignored); /* what went wrong before is told */
	return false;
}

static bool is_in_wal_mode(struct ath_db *db, bool *out_is, struct ath_err *err)
{
	char *mode;

	if (!ath_db_query_text(db, "PRAGMA journal_mode", &mode, err))
		return false;
	*out_is = ath_str_is(mode, "wal");
	free(mode);
	return true;
}

static bool read_by_copy(struct ath_db *db, const char *scratch, ath_live_bytes_fn *on_bytes,
			 void *user, struct ath_err *err)
{
	struct ath_err ignored = { 0 };
	bool is_read;

	if (!ath_snapshot_copy(db, scratch, NULL, NULL, NULL, err))
		return false;
	is_read =
		ath_live_settle(scratch, err) && ath_pages_read_file(scratch, on_bytes, user, err);
	if (!ath_live_remove_copy(scratch, &ignored))
		ath_err_clear(&ignored); /* swept with the run's folder */
	return is_read;
}

static bool read_in_place(struct ath_db *db, ath_live_bytes_fn *on_bytes, void *user,
			  struct ath_err *err)
{
	bool is_read = begin(db, err) && ath_pages_read(db, true, on_bytes, user, err);

	ath_db_rollback(db);
	return is_read;
}

bool ath_snapshot_read_pages(const struct ath_db_form *form, const char *scratch,
			     ath_live_bytes_fn *on_bytes, void *user, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(form->path, ATH_DB_READ, form->busy_ms, err);
	bool has_wal, is_read = false;

	if (db) {
		ath_db_watch(db, form->is_wanted, form->wanted_by);
		is_read = is_in_wal_mode(db, &has_wal, err) &&
			  (has_wal ? read_by_copy(db, scratch, on_bytes, user, err)
				   : read_in_place(db, on_bytes, user, err));
	}
	ath_db_close(db);
	return is_read;
}
