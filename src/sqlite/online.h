/* SPDX-License-Identifier: MIT */
/*
 * sqlite/online: a user's database while its application goes on using it (SAFETY.md 3.4, Variant O).
 *
 * Nobody is kept from writing until the commit, which therefore begins with a question: has anybody
 * committed since the copy was made? The token that answers it is PRAGMA data_version of one connection
 * (the watcher): it is read in the read transaction that is copied, and again when nobody else can
 * write any more. If it has changed nothing is written, and the copy is worth nothing.
 *
 *	DELETE   the watcher takes the exclusive lock, then reads the token, then commits; the lock
 *	         stays until close, so that what was committed can be read back
 *	WAL      a second connection takes the write lock by the first, empty step of its copy, then the
 *	         watcher reads the token, then the copy goes on; readers are never disturbed
 *
 * Life: open -> copy -> commit -> close, and copy again after a commit that found a change. All calls
 * block; they may run on another thread, one at a time. As with sqlite/live nothing else in this process
 * may open and close the file meanwhile.
 */
#ifndef ATH_SQLITE_ONLINE_H
#define ATH_SQLITE_ONLINE_H

#include "sqlite/live.h"

struct ath_online;

/* What came of a commit that did not fail. */
enum ath_online_end {
	ATH_ONLINE_COMMITTED,
	ATH_ONLINE_OUTRUN, /* somebody has committed since the copy, or replaced the file: nothing was written */
	ATH_ONLINE_COUNT_
};

/*
 * Open an existing database without a lock. The form's wait is that for the locks of copy and commit.
 * Fails with: as ath_live_open_by.
 */
ATH_NODISCARD bool ath_online_open(const struct ath_db_form *form, struct ath_online **out,
				   struct ath_err *err);

/* What it is like; borrowed, valid until close. */
const struct ath_live_traits *ath_online_traits(const struct ath_online *online);

/* The watcher's handle, borrowed, for reading. */
struct ath_db *ath_online_db(struct ath_online *online);

/*
 * Copy the database as it is at one moment into a new file `to`, and take the token of that moment. In
 * DELETE mode writers wait meanwhile.
 * Fails with: as ath_snapshot_copy.
 */
ATH_NODISCARD bool ath_online_copy(struct ath_online *online, const char *to,
				   ath_live_progress_fn *on_progress, void *user,
				   struct ath_err *err);

/*
 * Commit the settled database file `from` over the live one in one transaction, if nobody has committed
 * since the copy. After a failure the live database is what SQLite's atomic commit says: ask it.
 * Fails with: ATH_ERR_LOCKED (a lock that is not given up in time; names the holders), ATH_ERR_REFUSED
 * (as ath_live_commit), ATH_ERR_CANCELLED (before anything was written), ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_online_commit(struct ath_online *online, const char *from,
				     ath_live_progress_fn *on_progress, void *user,
				     enum ath_online_end *out_end, struct ath_err *err);

/* Has nobody else committed since the copy, or put another file into the place? Asked of the database itself, also after a commit failed. */
ATH_NODISCARD bool ath_online_is_unchanged(struct ath_online *online, bool *out_is,
					   struct ath_err *err);

/* Give up what is held. NULL is fine. */
void ath_online_close(struct ath_online *online);

#endif
