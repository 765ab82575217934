/* SPDX-License-Identifier: MIT */
/* facts/snapshot: rows and schema of a database as they are at one moment. */
#include "facts/snapshot.h"

#include "base/time.h"
#include "os/file.h"
#include "sqlite/elements.h"
#include "sqlite/handle.h"

enum {
	SLICE_MS = 100, /* of a wait for a lock */
};

/* Rows and elements by one read transaction: they have to agree. */
static bool read_both(const struct ath_facts_snapshot_of *of, unsigned busy_ms,
		      struct ath_look *look, struct ath_elements *out_live, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(of->path, ATH_DB_READ, busy_ms, err);
	struct ath_look seen = { 0 };
	bool is_read = db && ath_db_exec(db, "BEGIN", err) &&
		       ath_look_read(db, of->version_table, &seen, err) &&
		       ath_elements_read(db, of->version_table, of->arena, out_live, err);

	if (is_read) {
		seen.bytes = look->bytes;
		seen.wal_bytes = look->wal_bytes;
		ath_look_check(db, &seen);
	}
	if (db)
		ath_db_rollback(db);
	ath_db_close(db);
	if (!is_read) {
		ath_look_fini(&seen);
		return false;
	}
	ath_look_fini(look);
	*look = seen;
	return true;
}

static uint64_t size_of(const char *path)
{
	struct ath_file_stamp stamp;

	return ath_file_stamp(path, &stamp) ? stamp.size : 0;
}

/*
 * The usual case, a file that can be read and that nobody holds: opened once, as SQLite parses a whole
 * schema for each handle. Whatever is in the way is for the look to name.
 */
static bool read_at_once(const struct ath_facts_snapshot_of *of, struct ath_look *out_look,
			 struct ath_elements *out_live)
{
	const char *wal = ath_arena_printf(of->arena, "%s-wal", of->path);
	struct ath_look look = { .bytes = size_of(of->path), .wal_bytes = size_of(wal) };
	struct ath_err ignored = { 0 };

	if (ath_file_kind(of->path) != ATH_FILE_REGULAR || !look.bytes ||
	    !read_both(of, 0, &look, out_live, &ignored))
		return false;
	*out_look = look;
	return true;
}

static bool look_and_read(const struct ath_facts_snapshot_of *of, unsigned busy_ms,
			  struct ath_look *out_look, struct ath_elements *out_live,
			  struct ath_err *err)
{
	struct ath_look look = { 0 };

	if (!ath_look(of->path, of->version_table, busy_ms, &look, err))
		return false;
	/* Once more and in whole: it may have changed, so that the first look is not used. */
	if (look.state == ATH_LOOK_OK && !read_both(of, busy_ms, &look, out_live, err)) {
		ath_look_fini(&look);
		return false;
	}
	*out_look = look;
	return true;
}

/* In short waits, between which the whole one can be called off. */
static bool wait_and_read(const struct ath_facts_snapshot_of *of, struct ath_look *out_look,
			  struct ath_elements *out_live, struct ath_err *err)
{
	struct ath_mono since = ath_time_mono();
	bool is_read, is_locked;

	for (;;) {
		uint64_t gone = ath_time_elapsed_ms(since);
		uint64_t left = of->busy_ms > gone ? of->busy_ms - gone : 0;

		is_read = look_and_read(of, left < SLICE_MS ? (unsigned)left : SLICE_MS, out_look,
					out_live, err);
		is_locked =
			is_read ? out_look->state == ATH_LOOK_LOCKED : err->code == ATH_ERR_LOCKED;
		if (!is_locked || !left)
			return is_read;
		if (is_read)
			ath_look_fini(out_look);
		ath_err_clear(err);
		if (!ath_meter_goes_on(of->meter))
			return ath_err_set(err, ATH_ERR_CANCELLED,
					   "waiting for the lock of '%s' was called off", of->path);
	}
}

bool ath_facts_snapshot(const struct ath_facts_snapshot_of *of, struct ath_look *out_look,
			struct ath_elements *out_live, struct ath_err *err)
{
	bool is_read;

	*out_live = (struct ath_elements){ 0 };
	if (read_at_once(of, out_look, out_live))
		return true;
	ath_meter_begin(of->meter, "waiting for the lock of the database", 0);
	is_read = wait_and_read(of, out_look, out_live, err);
	ath_meter_end(of->meter);
	return is_read;
}
