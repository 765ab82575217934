/* SPDX-License-Identifier: MIT */
/* sqlite/online: a watcher, and a commit that asks it first. */
#include "sqlite/online.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "sqlite/holders.h"
#include "sqlite/recovery.h"
#include "sqlite/snapshot.h"
#include "sqlite/transfer.h"

struct ath_online {
	struct ath_db *watcher; /* owned; stays open, as the token dies with it */
	struct ath_live_traits traits;
	struct ath_db_form form; /* its path is the watcher's */
	int64_t token;           /* PRAGMA data_version of what was copied */
};

static struct ath_db *connect(const struct ath_db_form *form, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(form->path, ATH_DB_WRITE, form->busy_ms, err);

	if (!db)
		return NULL;
	ath_db_watch(db, form->is_wanted, form->wanted_by);
	if (ath_db_exec(db, "PRAGMA synchronous=EXTRA", err))
		return db;
	ath_db_close(db);
	return NULL;
}

bool ath_online_open(const struct ath_db_form *form, struct ath_online **out, struct ath_err *err)
{
	struct ath_live_traits traits;
	struct ath_online *online;

	if (!ath_live_identify(form->path, &traits, err))
		return false;
	traits.was_recovered = ath_recovery_is_due(form->path);
	online = ath_mem_new(1, sizeof(*online));
	online->traits = traits;
	online->form = *form;
	online->watcher = connect(form, err);
	if (online->watcher) {
		online->form.path = ath_db_path(online->watcher);
		if (ath_live_read_traits(online->watcher, &online->traits, err)) {
			*out = online;
			return true;
		}
	}
	if (err->code == ATH_ERR_LOCKED) {
		ath_err_clear(err);
		ath_holders_fail(form->path, err);
	}
	ath_online_close(online);
	return false;
}

const struct ath_live_traits *ath_online_traits(const struct ath_online *online)
{
	return &online->traits;
}

struct ath_db *ath_online_db(struct ath_online *online)
{
	return online->watcher;
}

bool ath_online_copy(struct ath_online *online, const char *to, ath_live_progress_fn *on_progress,
		     void *user, struct ath_err *err)
{
	return ath_snapshot_copy(online->watcher, to, &online->token, on_progress, user, err);
}

/* Is another file in its place than the one that is open? Its token says nothing of that one. */
static bool has_moved(struct ath_db *db)
{
	int moved = 0;

	sqlite3_file_control(ath_db_raw(db), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved != 0;
}

bool ath_online_is_unchanged(struct ath_online *online, bool *out_is, struct ath_err *err)
{
	int64_t token;

	if (!ath_db_query_int(online->watcher, "PRAGMA data_version", &token, err))
		return false;
	*out_is = token == online->token && !has_moved(online->watcher);
	return true;
}

static bool name_holders(const struct ath_online *online, struct ath_err *err)
{
	if (err->code != ATH_ERR_LOCKED)
		return false;
	ath_err_clear(err);
	return ath_holders_fail(online->form.path, err);
}

/* ---- DELETE, TRUNCATE, PERSIST: under the exclusive lock of the watcher ---- */

/* The end of the mode takes effect at the next use; it gives the lock up. */
static bool unlock(struct ath_online *online, struct ath_err *err)
{
	return ath_db_exec(online->watcher,
			   "PRAGMA locking_mode=NORMAL; SELECT 1 FROM sqlite_schema LIMIT 1", err);
}

/*
 * locking_mode=EXCLUSIVE keeps the lock that the transaction took, as a copy may begin in none. It is
 * set when the lock is there: in that mode a wait for it would keep a shared one, which the writer that
 * is waited for needs away.
 */
static bool commit_locked(struct ath_online *online, struct ath_db *source,
			  ath_live_progress_fn *on_progress, void *user,
			  enum ath_online_end *out_end, struct ath_err *err)
{
	struct ath_err ignored = { 0 };
	bool is_unchanged = false;
	bool is_asked = ath_db_exec(online->watcher,
				    "BEGIN EXCLUSIVE; PRAGMA locking_mode=EXCLUSIVE", err) &&
			ath_online_is_unchanged(online, &is_unchanged, err);

	ath_db_rollback(online->watcher);
	if (is_asked && is_unchanged) {
		*out_end = ATH_ONLINE_COMMITTED;
		return ath_transfer(source, online->watcher, on_progress, user, err);
	}
	if (!is_asked) {
		name_holders(online, err);
		if (!unlock(online, &ignored))
			ath_err_clear(&ignored); /* what went wrong before is told */
		return false;
	}
	*out_end = ATH_ONLINE_OUTRUN;
	return unlock(online, err);
}

/* ---- WAL: by a writer, the watcher beside it ---- */

static bool commit_beside(struct ath_online *online, struct ath_db *source,
			  ath_live_progress_fn *on_progress, void *user,
			  enum ath_online_end *out_end, struct ath_err *err)
{
	struct ath_db *writer = connect(&online->form, err);
	struct ath_transfer_started started;
	bool is_unchanged = false, is_done;

	if (!writer)
		return false;
	is_done = ath_transfer_check(source, writer, err) &&
		  ath_transfer_start(source, writer, &started, err);
	if (!is_done) {
		name_holders(online, err);
	} else if (!ath_online_is_unchanged(online, &is_unchanged, err)) {
		ath_transfer_give_up(&started);
		is_done = false;
	} else if (!is_unchanged || has_moved(writer)) {
		ath_transfer_give_up(&started);
		*out_end = ATH_ONLINE_OUTRUN;
	} else {
		*out_end = ATH_ONLINE_COMMITTED;
		is_done = ath_transfer_finish(&started, on_progress, user, err);
	}
	ath_db_close(writer);
	return is_done;
}

bool ath_online_commit(struct ath_online *online, const char *from,
		       ath_live_progress_fn *on_progress, void *user, enum ath_online_end *out_end,
		       struct ath_err *err)
{
	struct ath_db *source = ath_db_open(from, ATH_DB_READ, 0, err);
	bool is_wal = ath_str_is(online->traits.journal_mode, "wal");
	bool is_done = source && ath_transfer_check(source, online->watcher, err) &&
		       (is_wal ? commit_beside : commit_locked)(online, source, on_progress, user,
								out_end, err);

	ath_db_close(source);
	return is_done;
}

void ath_online_close(struct ath_online *online)
{
	if (!online)
		return;
	ath_db_close(online->watcher);
	free(online);
}
