/* SPDX-License-Identifier: MIT */
/* steps/commit_online: commits beside the application, and tells the states by rows, schema and token. */
#include "steps/commit_online.h"

#include <string.h>

#include "schema/fingerprint.h"
#include "sqlite/pages.h"

/* Version rows and schema: what the application does not change by its writes. */
struct shape {
	char fingerprint[ATH_HASH_TEXT];
	const char *rows; /* in the arena */
};

static void take_shape(struct ath_look *look, struct ath_arena *arena, struct shape *out)
{
	struct ath_texts rows = { look->rows, look->rows_len };

	ath_schema_fingerprint(&look->schema, out->fingerprint);
	out->rows = ath_database_join(&rows, arena);
	ath_look_fini(look);
}

static bool read_shape_of_file(const struct ath_database_work *work, const char *path,
			       struct ath_arena *arena, struct shape *out, struct ath_err *err)
{
	struct ath_look look;

	if (!ath_look(path, work->version_table, 0, &look, err))
		return false;
	take_shape(&look, arena, out);
	return true;
}

static bool read_shape_of_live(struct ath_database_work *work, struct ath_arena *arena,
			       struct shape *out, struct ath_err *err)
{
	struct ath_look look;

	if (!ath_look_read(ath_online_db(work->online), work->version_table, &look, err))
		return false;
	take_shape(&look, arena, out);
	return true;
}

static bool is_same(const struct shape *one, const struct shape *other)
{
	return strcmp(one->fingerprint, other->fingerprint) == 0 &&
	       strcmp(one->rows, other->rows) == 0;
}

/* Does live have the rows and the schema of the file? */
static bool compare(struct ath_database_work *work, const char *path, bool *out_is,
		    struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	struct shape live, file;
	bool is_read = read_shape_of_live(work, &arena, &live, err) &&
		       read_shape_of_file(work, path, &arena, &file, err);

	if (is_read)
		*out_is = is_same(&live, &file);
	ath_arena_fini(&arena);
	return is_read;
}

static bool add_to_digest(void *user, uint64_t offset, const void *bytes, size_t len)
{
	(void)offset;
	ath_digest_add(user, bytes, len);
	return true;
}

/* Outside of WAL mode the lock is still held, so that nobody can have changed a page. */
static bool compare_pages(struct ath_database_work *work, bool *out_is, struct ath_err *err)
{
	struct ath_digest *digest = ath_digest_new();
	char pages[ATH_DIGEST_TEXT];
	bool is_read =
		ath_pages_read(ath_online_db(work->online), true, add_to_digest, digest, err);

	if (is_read) {
		ath_digest_finish(digest, pages);
		*out_is = strcmp(pages, work->new_pages) == 0;
	}
	ath_digest_free(digest);
	return is_read;
}

static bool read_back(struct ath_database_work *work, struct ath_err *err)
{
	bool has_wal = ath_str_is(ath_online_traits(work->online)->journal_mode, "wal");
	bool is_new = false, is_whole = true;

	if (!compare(work, work->clone, &is_new, err) ||
	    (!has_wal && !compare_pages(work, &is_whole, err)))
		return false;
	if (!is_new || !is_whole || !ath_database_is_in_place(work))
		return ath_err_set(err, ATH_ERR_VERIFY,
				   "'%s' does not read back as what was committed", work->path);
	work->is_committed = true;
	return true;
}

bool ath_commit_online(struct ath_database_work *work, struct ath_err *err)
{
	enum ath_online_end end = ATH_ONLINE_COUNT_;
	bool is_done;

	if (strcmp(work->new_pages, work->old.pages) == 0)
		return true; /* nothing has changed, so nothing is written */
	work->is_write_begun = true;
	ath_meter_begin(&work->meter, "writing the database", ath_database_bytes(work->clone));
	is_done = ath_online_commit(work->online, work->clone, ath_meter_move, &work->meter, &end,
				    err);
	ath_meter_end(&work->meter);
	if (!is_done)
		return false;
	ath_db_watch(ath_online_db(work->online), NULL, NULL); /* called off too late */
	if (end == ATH_ONLINE_COMMITTED)
		return read_back(work, err);
	work->is_write_begun = false;
	work->is_outrun = true;
	return ath_err_set(err, ATH_ERR_LOCKED,
			   "'%s' was written to while its copy was migrated; the copy was thrown "
			   "away, and nothing was changed",
			   work->path);
}

bool ath_commit_online_judge(struct ath_database_work *work, struct ath_err *err)
{
	bool is_old = false, is_new = false, is_unchanged = false;
	struct ath_err trouble = { 0 };
	bool is_asked, is_in_place = ath_database_is_in_place(work);

	ath_db_watch(ath_online_db(work->online), NULL, NULL);
	is_asked = ath_online_is_unchanged(work->online, &is_unchanged, &trouble) &&
		   compare(work, work->clone, &is_new, &trouble) &&
		   compare(work, work->pre_image, &is_old, &trouble);
	/* In one transaction of ours, or of nobody: the token does not move by our own. */
	if (is_asked && is_in_place && is_old && (is_unchanged || !is_new))
		return true;
	if (is_asked && is_in_place && is_new && !is_old) {
		work->is_committed = true;
		work->verdict = "upgraded";
		return true;
	}
	work->verdict = "needs-you";
	return ath_err_set(
		err, ATH_ERR_NEEDS_YOU,
		"after the failed commit it cannot be told whether '%s' is the old or the "
		"new state%s%s; the old one is kept as '%s'",
		work->path, is_asked ? "" : ": ", is_asked ? "" : trouble.msg, work->pre_image);
}
