/* SPDX-License-Identifier: MIT */
/*
 * steps/section_database: the section that owns the live database's lock, its pre-image and the
 * clone (SAFETY.md, protocol P).
 *
 * Closing gives the lock up after a commit that was read back. Abandoning never believes how a step
 * ended: it asks the live database whether it is the old state, the new one, or neither.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "steps/commit_online.h"
#include "steps/database.h"

static void *database_open(const struct ath_step_world *world)
{
	struct ath_database_work *work = ath_mem_new(1, sizeof(*work));
	struct ath_str text = { 0 };

	work->path = ath_mem_strdup(ath_pairs_get(world->facts, "database.path"));
	work->heads = ath_mem_strdup(ath_pairs_get(world->facts, "database.heads"));
	work->version_table = ath_mem_strdup(ath_pairs_get(world->facts, "database.version_table"));
	work->is_fresh = ath_str_is(ath_pairs_find(world->facts, "database"), "fresh");
	work->was_absent = ath_file_kind(work->path) == ATH_FILE_ABSENT;
	work->run = ath_mem_strdup(world->run);
	work->lock_timeout_ms = world->lock_timeout_ms;
	work->allow_row_loss = world->allow_row_loss;
	work->keeps_none = world->keeps_none;
	work->is_online = world->is_online;
	work->verdict = "unchanged";
	ath_str_printf(&text, "%s/clone.db", world->run_dir);
	work->clone = ath_str_steal(&text);
	ath_str_printf(&text, "%s/backups/pre-%s.db", world->state_dir, world->run);
	work->pre_image = ath_str_steal(&text);
	return work;
}

/* What a commit has made of the live database. */
static const char *name_success(const struct ath_database_work *work)
{
	if (work->is_restore)
		return "restored";
	return work->is_fresh ? "created" : "upgraded";
}

static void let_go(struct ath_database_work *work)
{
	ath_live_close(work->live, work->is_committed);
	work->live = NULL;
	ath_online_close(work->online);
	work->online = NULL;
}

static bool database_close(void *user, struct ath_err *err)
{
	struct ath_database_work *work = user;

	let_go(work);
	if (work->is_committed)
		work->verdict = name_success(work);
	return ath_database_remove_copy(work->clone, err);
}

/* A write that failed half-way (disk full) may still lie in the file: SQLite takes it back when the
 * database is read next, under the lock that is still held. */
static bool roll_back(struct ath_database_work *work, struct ath_err *err)
{
	char *text;

	if (work->is_unread) /* SQLite took it back when the copy ended, and cannot read it */
		return true;
	if (!ath_live_query_text(work->live, "SELECT count(*) FROM sqlite_schema", &text, err))
		return false;
	free(text);
	return true;
}

/* Of a damaged database there is no more than its bytes. */
static bool is_old(struct ath_database_work *work, const struct ath_database_hashes *now)
{
	if (!work->is_unread)
		return strcmp(now->pages, work->old.pages) == 0;
	return strcmp(now->main, work->old.main) == 0 && strcmp(now->wal, work->old.wal) == 0;
}

/* Bytes first: a damaged database that is as it was has no pages that could be read. */
static bool hash_now(struct ath_database_work *work, struct ath_database_hashes *out,
		     struct ath_err *err)
{
	if (!roll_back(work, err))
		return false;
	if (work->is_unread && (!ath_database_hash_bytes(work, out, err) || is_old(work, out)))
		return err->code == ATH_ERR_OK;
	return ath_database_hash(work, out, err);
}

/* A commit was begun: the live database itself says what came of it. */
static bool judge_commit(struct ath_database_work *work, struct ath_err *err)
{
	struct ath_database_hashes now;
	struct ath_err trouble = { 0 };
	char kept[ATH_DATABASE_KEPT_TEXT];
	bool is_hashed = hash_now(work, &now, &trouble);
	bool is_in_place = ath_database_is_in_place(work);

	if (is_hashed && is_in_place && is_old(work, &now))
		return true;
	if (is_hashed && is_in_place && strcmp(now.pages, work->new_pages) == 0) {
		work->is_committed = true;
		work->verdict = name_success(work);
		return true;
	}
	work->verdict = "needs-you";
	return ath_err_set(err, ATH_ERR_NEEDS_YOU,
			   "after the failed commit '%s' is neither the old nor the new state%s%s; "
			   "%s",
			   work->path, is_hashed ? "" : ": ", is_hashed ? "" : trouble.msg,
			   ath_database_say_kept(work, kept, sizeof(kept)));
}

/* Nothing was to be written: assert that nothing was (promise B). */
static bool assert_unchanged(struct ath_database_work *work, struct ath_err *err)
{
	char kept[ATH_DATABASE_KEPT_TEXT];
	bool is_unchanged;

	if (!work->old.main[0])
		return true; /* it was never looked at, so nothing was started on it */
	if (!ath_database_is_unchanged(work, &is_unchanged, err))
		return ath_err_prefix(err, "cannot check that '%s' is unchanged", work->path);
	if (is_unchanged)
		return true;
	work->verdict = "needs-you";
	return ath_err_set(err, ATH_ERR_NEEDS_YOU,
			   "'%s' was changed by somebody else while it was locked; %s", work->path,
			   ath_database_say_kept(work, kept, sizeof(kept)));
}

/* The place of a new database was empty: is it still? */
static bool assert_absent(struct ath_database_work *work, struct ath_err *err)
{
	if (work->is_committed)
		work->verdict = "created";
	if (work->is_committed || ath_file_kind(work->path) == ATH_FILE_ABSENT)
		return true;
	work->verdict = "needs-you";
	return ath_err_set(err, ATH_ERR_NEEDS_YOU,
			   "'%s' appeared meanwhile, made by another process and not by this run; "
			   "if it is the application's database, type the command again, else move "
			   "it away first",
			   work->path);
}

/* A file that we made so that there would be one goes again, under its lock. */
static void remove_made_file(struct ath_database_work *work)
{
	struct ath_file_stamp stamp;
	struct ath_err ignored = { 0 };

	if (work->has_made_file && !work->is_committed && ath_file_stamp(work->path, &stamp) &&
	    !stamp.size && !ath_file_remove_tree(work->path, &ignored))
		ath_err_clear(&ignored); /* it is empty, as its place was */
}

/* Of a state that live still is: a failed run leaves no second one behind. */
static bool remove_kept(const struct ath_database_work *work, struct ath_err *err)
{
	return ath_file_remove_tree(work->pre_image, err) &&
	       (!work->is_unread || !work->raw || ath_database_remove_copy(work->raw, err));
}

static bool database_abandon(void *user, struct ath_err *err)
{
	struct ath_database_work *work = user;
	bool is_judged = true, is_removed;
	struct ath_err trouble = { 0 };

	work->meter.is_deaf = true; /* whatever called the section off, what it left is looked at */
	if (work->was_absent)
		is_judged = assert_absent(work, err);
	else if (work->online)
		is_judged = !work->is_write_begun || ath_commit_online_judge(work, err);
	else if (work->live)
		is_judged = work->is_write_begun ? judge_commit(work, err)
						 : assert_unchanged(work, err);
	if (is_judged)
		remove_made_file(work);
	let_go(work);
	is_removed = ath_database_remove_copy(work->clone, &trouble);
	if (is_removed && is_judged && !work->is_committed)
		is_removed = remove_kept(work, &trouble);
	if (is_judged && !is_removed)
		*err = trouble;
	return is_judged && is_removed;
}

static const char *database_verdict(const void *user)
{
	return ((const struct ath_database_work *)user)->verdict;
}

static void database_free(void *user)
{
	struct ath_database_work *work = user;

	ath_live_close(work->live, false);
	ath_online_close(work->online);
	ath_audit_fini(&work->before);
	ath_audit_fini(&work->after);
	free(work->path);
	free(work->clone);
	free(work->pre_image);
	free(work->raw);
	free(work->run);
	free(work->version_table);
	free(work->heads);
	free(work);
}

const struct ath_section_type ath_section_database = {
	.name = "database",
	.open = database_open,
	.close = database_close,
	.abandon = database_abandon,
	.verdict = database_verdict,
	.free = database_free,
};
