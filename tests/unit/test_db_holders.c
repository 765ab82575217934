/* SPDX-License-Identifier: MIT */
/* sqlite/holders: whoever keeps the database from being locked is named, by whatever kind of lock; and a
 * wait for a lock ends when it is not wanted any more. */
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>

#include "base/str.h"
#include "base/time.h"
#include "sqlite/holders.h"
#include "sqlite/live.h"
#include "tests/unit/db_files.h"

enum {
	SHARED_FIRST = 0x40000002,
	SHARED_SIZE = 510,
	SHM_MUTEX = 128, /* the byte of a -shm on which every connection keeps a lock */
};

static void expect_named(const char *path, pid_t pid, bool is_named)
{
	struct ath_str names = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "(process %d)", (int)pid);
	assert_int_equal(ath_holders_put(&names, path), is_named);
	assert_int_equal(strstr(ath_str_get(&names), text) != NULL, is_named);
	ath_str_fini(&names);
}

/* A process that holds one lock on a file until it is killed. */
static pid_t hold_by(const char *path, int command, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		db_give_up("pipe");
	pid = fork();
	if (!pid) {
		int fd = open(path, O_RDWR);

		if (fd < 0 || fcntl(fd, command, &lock) || write(ready[1], "", 1) != 1)
			abort();
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		db_give_up(path);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void idle_connection_to_a_wal_database_is_named(void **state)
{
	struct ath_err err = { 0 };
	struct db_holder holder;
	struct ath_live *live;
	char text[32];

	(void)state;
	db_run(db_path("a"), "PRAGMA journal_mode=WAL; CREATE TABLE t (a)");
	holder = db_hold(db_path("a"), "SELECT * FROM t");
	snprintf(text, sizeof(text), "(process %d)", (int)holder.pid);
	expect_named(db_path("a"), holder.pid, true);
	assert_false(ath_live_open(db_path("a"), 20, &live, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	assert_non_null(strstr(err.msg, text));
	db_release(holder);
	expect_named(db_path("a"), holder.pid, false);
}

static void lock_on_the_shm_alone_names_its_holder(void **state)
{
	pid_t pid;

	(void)state;
	db_run(db_path("a"), "PRAGMA journal_mode=WAL; CREATE TABLE t (a)");
	db_store(db_path("a-shm"), "", 0);
	pid = hold_by(db_path("a-shm"), F_SETLK, SHM_MUTEX, 1);
	expect_named(db_path("a"), pid, true);
	end(pid);
	pid = hold_by(db_path("a-shm"), F_SETLK, 0, 4); /* not SQLite's */
	expect_named(db_path("a"), pid, false);
	end(pid);
}

static void lock_of_an_open_file_description_names_its_holder(void **state)
{
	struct ath_err err = { 0 };
	struct ath_live *live;
	char text[32];
	pid_t pid;

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (a)");
	pid = hold_by(db_path("a"), F_OFD_SETLK, SHARED_FIRST, SHARED_SIZE);
	snprintf(text, sizeof(text), "(process %d)", (int)pid);
	expect_named(db_path("a"), pid, true);
	assert_false(ath_live_open(db_path("a"), 20, &live, &err));
	assert_non_null(strstr(err.msg, text));
	end(pid);
	pid = hold_by(db_path("a"), F_OFD_SETLK, 0, 100);
	expect_named(db_path("a"), pid, false);
	end(pid);
}

/* ---- a wait that is not wanted any more ---- */

static bool is_wanted_at_first(void *user)
{
	const struct ath_mono *since = user;

	return ath_time_elapsed_ms(*since) < 200;
}

static void wait_for_a_lock_ends_when_it_is_called_off(void **state)
{
	static const char *const modes[] = { "DELETE", "WAL" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ath_mono since;
		struct ath_db_form form = { db_path("a"), 20000, is_wanted_at_first, &since };
		struct ath_err err = { 0 };
		struct db_holder holder;
		struct ath_live *live;
		char sql[100];

		snprintf(sql, sizeof(sql),
			 "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t (a)", modes[i]);
		db_run(form.path, sql);
		holder = db_hold(form.path, "BEGIN IMMEDIATE; SELECT * FROM t");
		since = ath_time_mono();
		assert_false(ath_live_open_by(&form, &live, &err));
		assert_int_equal(err.code, ATH_ERR_CANCELLED);
		assert_in_range(ath_time_elapsed_ms(since), 200, 1500);
		db_release(holder);
	}
}

static void wait_for_a_lock_lasts_as_long_as_was_asked(void **state)
{
	struct ath_mono since = ath_time_mono();
	struct ath_db_form form = { db_path("a"), 100, is_wanted_at_first, &since };
	struct ath_err err = { 0 };
	struct db_holder holder;
	struct ath_live *live;

	(void)state;
	db_run(form.path, "CREATE TABLE t (a)");
	holder = db_hold(form.path, "BEGIN EXCLUSIVE");
	since = ath_time_mono();
	assert_false(ath_live_open_by(&form, &live, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	assert_true(ath_time_elapsed_ms(since) >= 100);
	db_release(holder);
}

static bool say_no(void *user, uint64_t done, uint64_t total)
{
	(void)user, (void)done, (void)total;
	return false;
}

static bool take_none(void *user, uint64_t offset, const void *bytes, size_t len)
{
	(void)user, (void)offset, (void)bytes, (void)len;
	return false;
}

/* A copy and a read obey; a commit does not. */
static void what_is_called_off_leaves_nothing_and_a_commit_goes_on(void **state)
{
	struct ath_err err = { 0 };
	struct ath_live *live;

	(void)state;
	db_run(db_path("a"),
	       "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
	       " i + 1 FROM n WHERE i < 9000) INSERT INTO t SELECT printf('%.*c', 500,"
	       " 'x') FROM n");
	db_run(db_path("new"),
	       "CREATE TABLE u (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
	       " i + 1 FROM n WHERE i < 9000) INSERT INTO u SELECT printf('%.*c', 600,"
	       " 'y') FROM n");
	assert_true(ath_live_open(db_path("a"), 20, &live, &err));
	assert_false(ath_live_copy(live, db_path("copy"), say_no, NULL, &err));
	assert_int_equal(err.code, ATH_ERR_CANCELLED);
	ath_err_clear(&err);
	assert_int_not_equal(access(db_path("copy"), F_OK), 0);
	assert_false(ath_live_read(live, take_none, NULL, &err));
	assert_int_equal(err.code, ATH_ERR_CANCELLED);
	ath_err_clear(&err);
	assert_true(ath_live_commit(live, db_path("new"), say_no, NULL, &err));
	ath_live_close(live, true);
	assert_string_equal(db_ask(db_path("a"), "SELECT count(*) FROM u", NULL), "9000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(idle_connection_to_a_wal_database_is_named),
		db_test(lock_on_the_shm_alone_names_its_holder),
		db_test(lock_of_an_open_file_description_names_its_holder),
		db_test(wait_for_a_lock_ends_when_it_is_called_off),
		db_test(wait_for_a_lock_lasts_as_long_as_was_asked),
		db_test(what_is_called_off_leaves_nothing_and_a_commit_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
