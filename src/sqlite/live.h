/* SPDX-License-Identifier: MIT */
/*
 * sqlite/live: the user's database under its exclusive lock, copied from and committed to only
 * through SQLite's backup interface (SAFETY.md, protocol P, steps 2 to 10).
 *
 * Life: open (the lock is held from here) -> read and copy as often as needed -> commit or not ->
 * close. While it is open, nothing else in this process may open or close the same file: closing any
 * descriptor of it would drop SQLite's POSIX locks. All calls block; they may run on another thread,
 * one at a time.
 */
#ifndef ATH_SQLITE_LIVE_H
#define ATH_SQLITE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sqlite/handle.h"

struct ath_live;

/* What must be the same before and after. */
struct ath_live_traits {
	uint64_t dev, ino; /* of the main file */
	uint64_t bytes;    /* of the main file */
	char journal_mode[16];
	int64_t page_size;
	int64_t user_version;
	char encoding[16];
	bool had_wal;       /* a non-empty -wal existed when the lock was taken */
	bool was_recovered; /* a hot journal was rolled back by the open (sqlite/recovery) */
	uint32_t mode;      /* permissions of the main file */
	uint32_t uid, gid;  /* whose it is */
};

/*
 * `done` of `total` pages; called between steps of a copy. False: it is not wanted any more, which a
 * copy obeys and a commit does not.
 */
typedef bool ath_live_progress_fn(void *user, uint64_t done, uint64_t total);
/* False: no more of them is wanted. */
typedef bool ath_live_bytes_fn(void *user, uint64_t offset, const void *bytes, size_t len);

/*
 * Open an existing database read-write (never created) and hold it exclusively; `path` is resolved.
 * A zero-byte file is fine and keeps its zero bytes.
 * Fails with: ATH_ERR_LOCKED (another process holds it after `busy_ms`; names the holders from
 * /proc/locks where it can), ATH_ERR_NOT_FOUND, ATH_ERR_REFUSED (not a regular file, or more than one
 * link), ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_open(const char *path, unsigned busy_ms, struct ath_live **out,
				 struct ath_err *err);

/*
 * As ath_live_open, for a file that SQLite cannot read: whatever it holds is taken for an empty
 * database, and can only be read as bytes (ath_live_read) and committed over, in one transaction as
 * ever. From a commit on it is a database like any other.
 */
ATH_NODISCARD bool ath_live_open_damaged(const char *path, unsigned busy_ms, struct ath_live **out,
					 struct ath_err *err);
/* The same by a form. Fails with: likewise; ATH_ERR_CANCELLED. */
ATH_NODISCARD bool ath_live_open_by(const struct ath_db_form *form, struct ath_live **out,
				    struct ath_err *err);

/*
 * For sqlite/online: whose file it is and where, before it is opened; the rest of `traits` is zeroed.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_REFUSED (not a regular file, or more than one link), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_identify(const char *path, struct ath_live_traits *traits,
				     struct ath_err *err);

/* For sqlite/online: what SQLite says of it. Fails with: as ath_db_open. */
ATH_NODISCARD bool ath_live_read_traits(struct ath_db *db, struct ath_live_traits *traits,
					struct ath_err *err);

/* What it is like; borrowed, valid until close. */
const struct ath_live_traits *ath_live_traits(const struct ath_live *live);

/* The handle, borrowed, for reading under the lock (such as ath_look_read). */
struct ath_db *ath_live_db(struct ath_live *live);

/*
 * All bytes of the main file, in order, read through SQLite's own descriptor. The frames of a -wal
 * are not in it: that file carries no locks and may be read directly.
 */
ATH_NODISCARD bool ath_live_read(struct ath_live *live, ath_live_bytes_fn *on_bytes, void *user,
				 struct ath_err *err);

/*
 * All pages of the database as it is now, the WAL included, in order and masked (sqlite/pages): the
 * hash of these bytes is that of ath_pages_read_file on a settled file of equal contents.
 *
 * A WAL with frames of the application is read through a copy, made as `scratch` and removed again;
 * one with our own commit is checkpointed first.
 * Fails with: ATH_ERR_EXISTS (`scratch` is there), ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_read_pages(struct ath_live *live, const char *scratch,
				       ath_live_bytes_fn *on_bytes, void *user,
				       struct ath_err *err);

/*
 * Copy the database into a new file `to` (mode 0600; must not exist), 1,000 pages at a time, then
 * sync file and folder. On failure `to` is removed. `on_progress` may be NULL. The copy of a WAL
 * database is one too (without a -wal) until it is settled.
 * Fails with: ATH_ERR_EXISTS, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_copy(struct ath_live *live, const char *to,
				 ath_live_progress_fn *on_progress, void *user,
				 struct ath_err *err);

/*
 * Remove a copy of our own making that nobody needs or that was not finished, with all that SQLite
 * keeps beside it. Absent is fine.
 * Fails with: ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_remove_copy(const char *path, struct ath_err *err);

/*
 * Commit: copy the settled database file `from` over the live one in one transaction of SQLite; the
 * journal mode of the live one stays. After a failure the live database is what SQLite's atomic
 * commit says: ask it, not the return code.
 * Fails with: ATH_ERR_REFUSED (before anything is written: `from` is in WAL mode, or its page size
 * differs from that of a live WAL database), ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_commit(struct ath_live *live, const char *from,
				   ath_live_progress_fn *on_progress, void *user,
				   struct ath_err *err);

/* Run a query of one text or number on the live database under the lock (owned text out). */
ATH_NODISCARD bool ath_live_query_text(struct ath_live *live, const char *sql, char **out_text,
				       struct ath_err *err);

/*
 * Give up the lock. `was_committed`: the WAL is checkpointed into the main file first (TRUNCATE);
 * otherwise main file and -wal keep their bytes. NULL is fine.
 */
void ath_live_close(struct ath_live *live, bool was_committed);

/*
 * Prepare a database file of our own making for being committed or put into place: checkpoint,
 * journal mode DELETE, no -wal and -shm left, synced.
 * Fails with: ATH_ERR_LOCKED (somebody has it open), ATH_ERR_NOT_FOUND, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_live_settle(const char *path, struct ath_err *err);

#endif
