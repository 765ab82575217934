/* SPDX-License-Identifier: MIT */
/* facts/snapshot: rows and schema of a database as they are at one moment. */
#include "facts/snapshot.h"

#include "sqlite/elements.h"
#include "sqlite/handle.h"

/* Rows and elements by one read transaction: they have to agree. */
static bool read_both(const char *path, const char *version_table, unsigned busy_ms,
		      struct ath_arena *arena, struct ath_look *look, struct ath_elements *out_live,
		      struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_READ, busy_ms, err);
	struct ath_look seen = { 0 };
	bool is_read = db && ath_db_exec(db, "BEGIN", err) &&
		       ath_look_read(db, version_table, &seen, err) &&
		       ath_elements_read(db, version_table, arena, out_live, err);

	if (db)
		ath_db_rollback(db);
	ath_db_close(db);
	if (!is_read) {
		ath_look_fini(&seen);
		return false;
	}
	seen.bytes = look->bytes;
	seen.wal_bytes = look->wal_bytes;
	ath_look_fini(look);
	*look = seen;
	return true;
}

bool ath_facts_snapshot(const char *path, const char *version_table, unsigned busy_ms,
			struct ath_arena *arena, struct ath_look *out_look,
			struct ath_elements *out_live, struct ath_err *err)
{
	struct ath_look look = { 0 };

	*out_live = (struct ath_elements){ 0 };
	if (!ath_look(path, version_table, busy_ms, &look, err))
		return false;
	/* Once more and in whole: it may have changed, so that the first look is not used. */
	if (look.state == ATH_LOOK_OK &&
	    !read_both(path, version_table, busy_ms, arena, &look, out_live, err)) {
		ath_look_fini(&look);
		return false;
	}
	*out_look = look;
	return true;
}
