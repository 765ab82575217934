/* SPDX-License-Identifier: MIT */
/* sqlite/live: the lock, what a run without commit leaves, copies, commits and page bytes. */
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>

#include "base/hash.h"
#include "base/str.h"
#include "sqlite/handle.h"
#include "sqlite/live.h"
#include "sqlite/look.h"
#include "sqlite/pages.h"
#include "tests/unit/db_generations.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *const modes[] = { "DELETE", "WAL" };

static struct ath_live *open_live(const char *path)
{
	struct ath_err err = { 0 };
	struct ath_live *live;

	if (!ath_live_open(path, 100, &live, &err))
		fail_msg("%s", err.msg);
	return live;
}

static void expect_failure(bool is_fine, struct ath_err *err, enum ath_err_code code)
{
	assert_false(is_fine);
	if (err->code != code)
		fail_msg("%s: %s", ath_err_name(err->code), err->msg);
	ath_err_clear(err);
}

static void expect_success(bool is_fine, const struct ath_err *err)
{
	if (!is_fine)
		fail_msg("%s", err->msg);
}

static void traits_tell_what_the_database_is_like(void **state)
{
	const struct ath_live_traits *traits;
	struct ath_err err = { 0 };
	struct ath_live *live;
	struct stat st;
	char *text;

	(void)state;
	db_run(db_path("a"), "PRAGMA page_size=1024; PRAGMA encoding='UTF-16le';"
			     "PRAGMA user_version=7; CREATE TABLE t (a)");
	stat(db_path("a"), &st);
	live = open_live(db_path("a"));
	traits = ath_live_traits(live);
	assert_int_equal(traits->ino, st.st_ino);
	assert_int_equal(traits->dev, st.st_dev);
	assert_int_equal(traits->bytes, st.st_size);
	assert_string_equal(traits->journal_mode, "delete");
	assert_string_equal(traits->encoding, "UTF-16le");
	assert_int_equal(traits->page_size, 1024);
	assert_int_equal(traits->user_version, 7);
	assert_false(traits->had_wal);
	assert_false(traits->was_recovered);
	expect_success(ath_live_query_text(live, "SELECT count(*) FROM t", &text, &err), &err);
	assert_string_equal(text, "0");
	free(text);
	ath_live_close(live, false);
	ath_live_close(NULL, false);
}

static void what_is_no_database_of_its_own_is_refused(void **state)
{
	struct ath_err err = { 0 };
	struct ath_live *live;

	(void)state;
	expect_failure(ath_live_open(db_path("none"), 0, &live, &err), &err, ATH_ERR_NOT_FOUND);
	assert_int_not_equal(access(db_path("none"), F_OK), 0);
	expect_failure(ath_live_open(db_root, 0, &live, &err), &err, ATH_ERR_REFUSED);
	db_run(db_path("a"), "CREATE TABLE t (a)");
	assert_return_code(symlink("a", db_path("s")), 0);
	expect_failure(ath_live_open(db_path("s"), 0, &live, &err), &err, ATH_ERR_REFUSED);
	assert_return_code(link(db_path("a"), db_path("b")), 0);
	expect_failure(ath_live_open(db_path("a"), 0, &live, &err), &err, ATH_ERR_REFUSED);
	db_store(db_path("text"), "some text", 9);
	expect_failure(ath_live_open(db_path("text"), 0, &live, &err), &err, ATH_ERR_DATABASE);
}

static void lock_that_is_held_is_reported_with_its_holder(void **state)
{
	static const struct {
		const char *mode, *sql;
	} rows[] = {
		{ "DELETE", "BEGIN; SELECT * FROM t" }, { "DELETE", "BEGIN IMMEDIATE" },
		{ "DELETE", "BEGIN EXCLUSIVE" },        { "WAL", "SELECT * FROM t" },
		{ "WAL", "BEGIN; SELECT * FROM t" },    { "WAL", "BEGIN IMMEDIATE" },
	};
	struct ath_err err = { 0 };
	struct ath_live *live;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct db_holder holder;
		char pid[32], sql[100];

		snprintf(sql, sizeof(sql),
			 "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t (a)", rows[i].mode);
		db_run(db_path("a"), sql);
		holder = db_hold(db_path("a"), rows[i].sql);
		snprintf(pid, sizeof(pid), "(process %d)", (int)holder.pid);
		assert_false(ath_live_open(db_path("a"), 20, &live, &err));
		if (err.code != ATH_ERR_LOCKED || !strstr(err.msg, pid))
			fail_msg("%s: %s", rows[i].sql, err.msg);
		ath_err_clear(&err);
		db_release(holder);
		ath_live_close(open_live(db_path("a")), false);
	}
}

/* A process, forked before the lock, that tries to write whenever it is told to. */
struct writer {
	pid_t pid;
	int ask, answer;
};

static struct writer start_writer(const char *path)
{
	int ask[2], answer[2];
	struct writer writer;
	char byte;

	if (pipe(ask) || pipe(answer))
		db_give_up("pipe");
	writer.pid = fork();
	if (!writer.pid) {
		close(ask[1]);
		while (read(ask[0], &byte, 1) == 1) {
			int result;

			db_ask(path, "INSERT INTO t (body) VALUES ('old x')", &result);
			if (write(answer[1], &result, sizeof(result)) != sizeof(result))
				break;
		}
		_exit(0);
	}
	close(ask[0]), close(answer[1]);
	writer.ask = ask[1], writer.answer = answer[0];
	return writer;
}

static int try_to_write(struct writer writer)
{
	int result = -1;

	assert_int_equal(write(writer.ask, "", 1), 1);
	assert_int_equal(read(writer.answer, &result, sizeof(result)), sizeof(result));
	return result;
}

static void stop_writer(struct writer writer)
{
	close(writer.ask), close(writer.answer);
	waitpid(writer.pid, NULL, 0);
}

static void nobody_writes_while_the_lock_is_held(void **state)
{
	static const enum generation kinds[] = { GENERATION_OLD, GENERATION_NEW };

	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		struct ath_err err = { 0 };
		struct writer writer;
		struct ath_live *live;

		for (size_t j = 0; j < LEN(kinds); j++) {
			unlink(db_path(j ? "new" : "live"));
			generation_make(db_path(j ? "new" : "live"), kinds[j],
					j ? "DELETE" : modes[i]);
		}
		writer = start_writer(db_path("live"));
		live = open_live(db_path("live"));
		assert_int_equal(try_to_write(writer), SQLITE_BUSY);
		unlink(db_path("copy"));
		expect_success(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err);
		assert_int_equal(try_to_write(writer), SQLITE_BUSY);
		expect_success(ath_live_commit(live, db_path("new"), NULL, NULL, &err), &err);
		assert_int_equal(try_to_write(writer), SQLITE_BUSY);
		ath_live_close(live, true);
		assert_int_equal(try_to_write(writer), SQLITE_DONE);
		stop_writer(writer);
	}
}

/* Control: the rule of POSIX locks is real, and this test would see it broken. */
static void lock_is_lost_when_the_file_is_opened_and_closed_beside_sqlite(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		struct writer writer;
		struct ath_live *live;

		unlink(db_path("live"));
		generation_make(db_path("live"), GENERATION_OLD, modes[i]);
		writer = start_writer(db_path("live"));
		live = open_live(db_path("live"));
		assert_int_equal(try_to_write(writer), SQLITE_BUSY);
		close(open(db_path("live"), O_RDONLY));
		assert_int_equal(try_to_write(writer), SQLITE_DONE);
		stop_writer(writer);
		ath_live_close(live, false);
	}
}

static void run_without_commit_leaves_every_byte(void **state)
{
	static const struct {
		const char *mode, *crash; /* statements of a process that dies, or NULL */
	} rows[] = {
		{ "DELETE", NULL },
		{ "WAL", NULL },
		{ "WAL", "UPDATE t SET body = body || 'y'" },
		{ "WAL", "PRAGMA wal_autocheckpoint=0; DELETE FROM t; VACUUM" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct db_bytes before, wal;
		struct ath_err err = { 0 };
		struct ath_live *live;
		char *text;

		unlink(db_path("live")), unlink(db_path("live-wal")), unlink(db_path("copy"));
		generation_make(db_path("live"), GENERATION_OLD, rows[i].mode);
		if (rows[i].crash)
			db_crash(db_path("live"), rows[i].crash);
		before = db_load(db_path("live")), wal = db_load(db_path("live-wal"));
		live = open_live(db_path("live"));
		assert_int_equal(ath_live_traits(live)->had_wal, rows[i].crash != NULL);
		expect_success(ath_live_query_text(live, "SELECT count(*) FROM t", &text, &err),
			       &err);
		free(text);
		expect_success(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err);
		ath_live_close(live, false);
		assert_true(db_is_same(before, db_path("live")));
		assert_true(db_is_same(wal, db_path("live-wal")));
	}
}

static void hot_journal_is_rolled_back_by_the_open(void **state)
{
	struct ath_live *live;
	int result;

	(void)state;
	db_make_hot(db_path("a"));
	live = open_live(db_path("a"));
	assert_true(ath_live_traits(live)->was_recovered);
	ath_live_close(live, false);
	assert_string_equal(db_ask(db_path("a"), "SELECT sum(body LIKE 'old%') FROM t", &result),
			    "500");
	live = open_live(db_path("a"));
	assert_false(ath_live_traits(live)->was_recovered);
	ath_live_close(live, false);
}

static bool sum_bytes(void *user, uint64_t offset, const void *bytes, size_t len)
{
	struct ath_str *all = user;

	assert_int_equal(offset, all->len);
	ath_str_add(all, bytes, len);
	return true;
}

static void main_file_is_read_whole_under_the_lock(void **state)
{
	struct db_bytes before;
	struct ath_str all = { 0 };
	struct ath_err err = { 0 };
	struct ath_live *live;

	(void)state;
	generation_make(db_path("live"), GENERATION_OLD, "WAL");
	db_crash(db_path("live"), "DELETE FROM t");
	before = db_load(db_path("live"));
	live = open_live(db_path("live"));
	expect_success(ath_live_read(live, sum_bytes, &all, &err), &err);
	ath_live_close(live, false);
	assert_int_equal(all.len, before.len);
	assert_memory_equal(all.data, before.data, before.len);
	free(before.data);
	ath_str_fini(&all);
}

static bool count_progress(void *user, uint64_t done, uint64_t total)
{
	uint64_t *last = user;

	assert_true(done >= *last && done <= total && total > 0);
	*last = done;
	return true;
}

static void copy_is_private_complete_and_never_overwrites(void **state)
{
	static const int sizes[] = { 512, 4096, 65536 };
	struct ath_err err = { 0 };
	struct ath_live *live;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < LEN(sizes); i++) {
		uint64_t pages = 0;
		mode_t old = umask(0);
		char sql[64];

		unlink(db_path("live")), unlink(db_path("copy"));
		snprintf(sql, sizeof(sql), "PRAGMA page_size=%d", sizes[i]);
		generation_make(db_path("live"), GENERATION_OLD, "DELETE");
		strcat(sql, "; VACUUM");
		db_run(db_path("live"), sql);
		live = open_live(db_path("live"));
		expect_success(ath_live_copy(live, db_path("copy"), count_progress, &pages, &err),
			       &err);
		umask(old);
		expect_failure(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err,
			       ATH_ERR_EXISTS);
		expect_failure(ath_live_copy(live, db_path("no/copy"), NULL, NULL, &err), &err,
			       ATH_ERR_IO);
		ath_live_close(live, false);
		assert_return_code(stat(db_path("copy"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(pages * (uint64_t)sizes[i], st.st_size);
		assert_int_equal(generation_of(db_path("copy")), GENERATION_OLD);
		assert_int_equal(atoi(db_ask(db_path("copy"), "PRAGMA page_size", NULL)), sizes[i]);
	}
}

static void commit_replaces_the_contents_and_keeps_file_and_journal_mode(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		struct ath_err err = { 0 };
		struct ath_look look;
		struct ath_live *live;
		uint64_t pages = 0;
		struct stat before, after;

		unlink(db_path("live")), unlink(db_path("new"));
		generation_make(db_path("live"), GENERATION_OLD, modes[i]);
		generation_make(db_path("new"), GENERATION_NEW, "WAL");
		expect_success(ath_live_settle(db_path("new"), &err), &err);
		stat(db_path("live"), &before);
		live = open_live(db_path("live"));
		expect_success(ath_live_commit(live, db_path("new"), count_progress, &pages, &err),
			       &err);
		assert_true(pages > 0);
		expect_success(ath_look_read(ath_live_db(live), "alembic_version", &look, &err),
			       &err);
		assert_string_equal(look.rows[0], "002");
		assert_string_equal(look.journal_mode, ath_live_traits(live)->journal_mode);
		ath_look_fini(&look);
		ath_live_close(live, true);
		stat(db_path("live"), &after);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_not_equal(access(db_path("live-wal"), F_OK),
				     0); /* all in the main file */
		assert_int_not_equal(access(db_path("live-journal"), F_OK), 0);
		assert_int_equal(generation_of(db_path("live")), GENERATION_NEW);
		assert_string_equal(db_ask(db_path("live"), "PRAGMA journal_mode", NULL),
				    i ? "wal" : "delete");
	}
}

static void zero_byte_database_stays_or_becomes_the_new_one(void **state)
{
	struct ath_err err = { 0 };
	struct ath_live *live;
	struct stat st;

	(void)state;
	for (int size = 1024; size <= 16384; size *= 4) {
		char sql[64];

		unlink(db_path("new"));
		snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; VACUUM", size);
		generation_make(db_path("new"), GENERATION_NEW, "DELETE");
		db_run(db_path("new"), sql);
		db_store(db_path("live"), "", 0);
		live = open_live(db_path("live"));
		unlink(db_path("copy"));
		expect_success(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err);
		ath_live_close(live, false);
		assert_return_code(stat(db_path("live"), &st), 0);
		assert_int_equal(st.st_size, 0);
		live = open_live(db_path("live"));
		expect_success(ath_live_commit(live, db_path("new"), NULL, NULL, &err), &err);
		ath_live_close(live, true);
		assert_int_equal(generation_of(db_path("live")), GENERATION_NEW);
		assert_int_equal(atoi(db_ask(db_path("live"), "PRAGMA page_size", NULL)), size);
	}
}

static void other_page_size_is_refused_for_wal_and_taken_over_otherwise(void **state)
{
	struct db_bytes before;
	struct ath_err err = { 0 };
	struct ath_live *live;

	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		for (int size = 1024; size <= 16384; size *= 16) {
			char sql[64];

			unlink(db_path("live")), unlink(db_path("new"));
			snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; VACUUM", size);
			generation_make(db_path("live"), GENERATION_OLD, modes[i]);
			generation_make(db_path("new"), GENERATION_NEW, "DELETE");
			db_run(db_path("new"), sql);
			before = db_load(db_path("live"));
			live = open_live(db_path("live"));
			if (i)
				expect_failure(
					ath_live_commit(live, db_path("new"), NULL, NULL, &err),
					&err, ATH_ERR_REFUSED);
			else
				expect_success(
					ath_live_commit(live, db_path("new"), NULL, NULL, &err),
					&err);
			ath_live_close(live, !i);
			assert_int_equal(db_is_same(before, db_path("live")), i);
			assert_int_equal(generation_of(db_path("live")),
					 i ? GENERATION_OLD : GENERATION_NEW);
		}
	}
	unlink(db_path("new"));
	generation_make(db_path("new"), GENERATION_NEW, "WAL");
	live = open_live(db_path("live"));
	expect_failure(ath_live_commit(live, db_path("new"), NULL, NULL, &err), &err,
		       ATH_ERR_REFUSED);
	expect_failure(ath_live_commit(live, db_path("none"), NULL, NULL, &err), &err,
		       ATH_ERR_NOT_FOUND);
	ath_live_close(live, false);
}

static void settled_file_is_alone_and_in_delete_mode(void **state)
{
	struct ath_err err = { 0 };
	struct db_holder holder;

	(void)state;
	generation_make(db_path("a"), GENERATION_OLD, "WAL");
	db_crash(db_path("a"), "DELETE FROM t WHERE id > 100");
	holder = db_hold(db_path("a"), "SELECT * FROM t");
	expect_failure(ath_live_settle(db_path("a"), &err), &err, ATH_ERR_LOCKED);
	db_release(holder);
	expect_success(ath_live_settle(db_path("a"), &err), &err);
	assert_int_not_equal(access(db_path("a-wal"), F_OK), 0);
	assert_int_not_equal(access(db_path("a-shm"), F_OK), 0);
	assert_string_equal(db_ask(db_path("a"), "PRAGMA journal_mode", NULL), "delete");
	assert_string_equal(db_ask(db_path("a"), "SELECT count(*) FROM t", NULL), "100");
	expect_failure(ath_live_settle(db_path("none"), &err), &err, ATH_ERR_NOT_FOUND);
	db_make_hot(db_path("hot"));
	expect_success(ath_live_settle(db_path("hot"), &err), &err);
	assert_string_equal(db_ask(db_path("hot"), "SELECT sum(body LIKE 'old%') FROM t", NULL),
			    "500");
}

static bool hash_bytes(void *user, uint64_t offset, const void *bytes, size_t len)
{
	(void)offset;
	ath_hash_add(user, bytes, len);
	return true;
}

static void expect_hash(struct ath_live *live, const char *file, bool is_equal)
{
	struct ath_hash of_live = ath_hash_start(), of_file = of_live;
	struct ath_err err = { 0 };

	expect_success(ath_live_read_pages(live, db_path("scratch"), hash_bytes, &of_live, &err),
		       &err);
	expect_success(ath_pages_read_file(file, hash_bytes, &of_file, &err), &err);
	assert_int_equal(of_live.value == of_file.value, is_equal);
	assert_int_not_equal(access(db_path("scratch"), F_OK), 0);
}

static void page_bytes_are_equal_for_equal_contents(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		struct ath_err err = { 0 };
		struct db_bytes wal;
		struct ath_live *live;

		unlink(db_path("live")), unlink(db_path("copy")), unlink(db_path("new"));
		generation_make(db_path("live"), GENERATION_OLD, modes[i]);
		db_crash(db_path("live"),
			 "UPDATE t SET body = 'old z' WHERE id < 9"); /* in the WAL */
		wal = db_load(db_path("live-wal"));
		assert_int_equal(wal.len > 0, i);
		live = open_live(db_path("live"));
		expect_success(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err);
		expect_success(ath_live_settle(db_path("copy"), &err), &err);
		expect_hash(live, db_path("copy"), true);
		ath_live_close(live, false);
		assert_true(db_is_same(wal, db_path("live-wal")));
		db_run(db_path("copy"), "UPDATE t SET body = 'old q' WHERE id = 1");
		live = open_live(db_path("live"));
		expect_hash(live, db_path("copy"), false);
		expect_success(ath_live_commit(live, db_path("copy"), NULL, NULL, &err), &err);
		expect_hash(live, db_path("copy"), true);
		ath_live_close(live, true);
		live = open_live(db_path("live"));
		expect_hash(live, db_path("copy"), true);
		ath_live_close(live, false);
	}
}

/* As a truncation leaves it that failed behind its commit. */
static void what_lies_behind_the_last_page_is_not_the_database(void **state)
{
	struct ath_err err = { 0 };
	struct ath_live *live;
	struct stat st;

	(void)state;
	unlink(db_path("live")), unlink(db_path("copy"));
	generation_make(db_path("live"), GENERATION_OLD, modes[0]);
	live = open_live(db_path("live"));
	expect_success(ath_live_copy(live, db_path("copy"), NULL, NULL, &err), &err);
	expect_success(ath_live_settle(db_path("copy"), &err), &err);
	ath_live_close(live, false);
	assert_int_equal(stat(db_path("live"), &st), 0);
	assert_int_equal(truncate(db_path("live"), st.st_size + 3 * 4096), 0);
	live = open_live(db_path("live"));
	expect_hash(live, db_path("copy"), true);
	ath_live_close(live, false);
}

static void mask_covers_its_bytes_at_any_cut(void **state)
{
	unsigned char whole[200], cut[200];

	(void)state;
	memset(whole, 0xff, sizeof(whole));
	ath_pages_mask(0, whole, sizeof(whole));
	for (size_t i = 0; i < sizeof(whole); i++) {
		bool is_masked = i == 18 || i == 19 || (i >= 24 && i <= 27) ||
				 (i >= 40 && i <= 43) || (i >= 92 && i <= 99);

		assert_int_equal(whole[i], is_masked ? 0 : 0xff);
	}
	for (size_t at = 0; at <= sizeof(cut); at++) {
		memset(cut, 0xff, sizeof(cut));
		ath_pages_mask(0, cut, at);
		ath_pages_mask(at, cut + at, sizeof(cut) - at);
		assert_memory_equal(cut, whole, sizeof(cut));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(traits_tell_what_the_database_is_like),
		db_test(what_is_no_database_of_its_own_is_refused),
		db_test(lock_that_is_held_is_reported_with_its_holder),
		db_test(nobody_writes_while_the_lock_is_held),
		db_test(lock_is_lost_when_the_file_is_opened_and_closed_beside_sqlite),
		db_test(run_without_commit_leaves_every_byte),
		db_test(hot_journal_is_rolled_back_by_the_open),
		db_test(main_file_is_read_whole_under_the_lock),
		db_test(copy_is_private_complete_and_never_overwrites),
		db_test(commit_replaces_the_contents_and_keeps_file_and_journal_mode),
		db_test(zero_byte_database_stays_or_becomes_the_new_one),
		db_test(other_page_size_is_refused_for_wal_and_taken_over_otherwise),
		db_test(settled_file_is_alone_and_in_delete_mode),
		db_test(page_bytes_are_equal_for_equal_contents),
		db_test(what_lies_behind_the_last_page_is_not_the_database),
		cmocka_unit_test(mask_covers_its_bytes_at_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
