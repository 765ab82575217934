/* SPDX-License-Identifier: MIT */
/*
 * sqlite/online: no row that the application was told to be stored is lost by a commit beside it.
 *
 * A writer stores rows without pause and keeps a ledger of those that were acknowledged. Meanwhile
 * the database is copied, the copy is changed, and committed if nobody was faster; if somebody was, all
 * begins anew. The control commits without asking, and must be caught. ATH_ROUNDS=n does more of it.
 */
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/time.h"
#include "sqlite/online.h"
#include "sqlite/transfer.h"
#include "tests/unit/db_files.h"

enum {
	CONTROL_TRIES = 20, /* of ROUNDS upgrades; whether one is outrun is chance */
	ROUNDS = 12,
	TRIES_MAX = 400, /* of one round; the writer pauses every now and then */
	LEDGER_MAX = 1 << 20,
};

/* In memory where there is such a place: the writer's syncs would be most of the time. */
static int set_up_in_memory(void **state)
{
	if (access("/dev/shm", W_OK))
		return db_set_up(state);
	snprintf(db_root, sizeof(db_root), "/dev/shm/athanor-db-XXXXXX");
	return mkdtemp(db_root) ? 0 : -1;
}

#define in_memory_test(name) cmocka_unit_test_setup_teardown(name, set_up_in_memory, db_tear_down)

static const char *const modes[] = { "DELETE", "WAL" };

/* What writer and test share. */
struct ledger {
	volatile int must_end;
	volatile int len, failures;
	int ids[LEDGER_MAX];
};

static struct ledger *new_ledger(void)
{
	struct ledger *ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ledger == MAP_FAILED)
		db_give_up("mmap");
	return ledger;
}

static void make(const char *mode)
{
	char sql[400];

	unlink(db_path("live")), unlink(db_path("live-wal")), unlink(db_path("live-shm"));
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode=%s; CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);"
		 "CREATE TABLE version (v INTEGER); INSERT INTO version VALUES (0);"
		 "CREATE TABLE filler (b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		 " FROM n WHERE i < 300) INSERT INTO filler SELECT randomblob(1000) FROM n",
		 mode);
	db_run(db_path("live"), sql);
}

/* The application: rows with pauses of all lengths, and none at all. */
static void write_rows(struct ledger *ledger, unsigned seed)
{
	sqlite3 *raw = db_run_open(db_path("live"), "PRAGMA busy_timeout=5000");
	char sql[100];

	for (int id = 1; !ledger->must_end && ledger->len < LEDGER_MAX; id++) {
		snprintf(sql, sizeof(sql), "INSERT INTO t (id, body) VALUES (%d, 'row')", id);
		if (sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK)
			ledger->ids[ledger->len] = id, ledger->len++;
		else
			ledger->failures++;
		if (rand_r(&seed) % 8 == 0)
			usleep((useconds_t)(rand_r(&seed) % 25000));
	}
	sqlite3_close(raw);
	_exit(0);
}

static pid_t start_writer(struct ledger *ledger, unsigned seed)
{
	pid_t pid = fork();

	if (!pid)
		write_rows(ledger, seed);
	while (ledger->len < 3)
		usleep(1000);
	return pid;
}

static void change_copy(void)
{
	struct ath_err err = { 0 };

	if (!ath_live_settle(db_path("copy"), &err))
		fail_msg("%s", err.msg);
	db_run(db_path("copy"), "UPDATE version SET v = v + 1");
	usleep(500); /* a migration takes its time */
}

typedef enum ath_online_end commit_fn(struct ath_online *online);

static enum ath_online_end commit_asking(struct ath_online *online)
{
	enum ath_online_end end = ATH_ONLINE_COUNT_;
	struct ath_err err = { 0 };

	if (!ath_online_commit(online, db_path("copy"), NULL, NULL, &end, &err))
		fail_msg("%s", err.msg);
	return end;
}

/* The control: the same copy over the live database, and nobody is asked. */
static enum ath_online_end commit_blindly(struct ath_online *online)
{
	struct ath_err err = { 0 };
	struct ath_db *source = ath_db_open(db_path("copy"), ATH_DB_READ, 0, &err);
	struct ath_db *target = ath_db_open(db_path("live"), ATH_DB_WRITE, 5000, &err);

	(void)online;
	if (!source || !target || !ath_transfer(source, target, NULL, NULL, &err))
		fail_msg("%s", err.msg);
	ath_db_close(source);
	ath_db_close(target);
	return ATH_ONLINE_COMMITTED;
}

/* One upgrade beside the writer; returns how often it was outrun, or -1 if it never was faster. */
static int upgrade(commit_fn *commit)
{
	struct ath_db_form form = { .path = db_path("live"), .busy_ms = 5000 };
	struct ath_online *online;
	struct ath_err err = { 0 };
	int outrun = -1;

	if (!ath_online_open(&form, &online, &err))
		fail_msg("%s", err.msg);
	for (int i = 0; outrun < 0 && i < TRIES_MAX; i++) {
		unlink(db_path("copy"));
		if (!ath_online_copy(online, db_path("copy"), NULL, NULL, &err))
			fail_msg("%s", err.msg);
		change_copy();
		if (commit(online) == ATH_ONLINE_COMMITTED)
			outrun = i;
	}
	ath_online_close(online);
	return outrun;
}

static int count_lost(const struct ledger *ledger)
{
	sqlite3 *raw = db_run_open(db_path("live"), "SELECT 1");
	sqlite3_stmt *stmt = NULL;
	int lost = 0;

	sqlite3_prepare_v2(raw, "SELECT 1 FROM t WHERE id = ?", -1, &stmt, NULL);
	for (int i = 0; i < ledger->len; i++) {
		sqlite3_bind_int(stmt, 1, ledger->ids[i]);
		lost += sqlite3_step(stmt) != SQLITE_ROW;
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
	return lost;
}

/* Rows lost in some upgrades; `out_done` of them came through. */
static int run_upgrades(const char *mode, commit_fn *commit, int *out_done)
{
	const char *more = getenv("ATH_ROUNDS");
	int rounds = more ? atoi(more) : ROUNDS, lost = 0, outrun = 0, rows = 0, versions = 0;

	*out_done = 0;
	for (int i = 0; i < rounds; i++) {
		struct ledger *ledger = new_ledger();
		int tries, status;
		pid_t pid;

		make(mode);
		pid = start_writer(ledger, (unsigned)i + 1);
		tries = upgrade(commit);
		usleep(2000);
		ledger->must_end = 1;
		waitpid(pid, &status, 0);
		*out_done += tries >= 0;
		outrun += tries > 0 ? tries : 0;
		lost += count_lost(ledger);
		rows += ledger->len;
		versions += atoi(db_ask(db_path("live"), "SELECT v FROM version", NULL));
		assert_int_equal(ledger->failures, 0);
		assert_string_equal(db_ask(db_path("live"), "PRAGMA integrity_check", NULL), "ok");
		munmap(ledger, sizeof(*ledger));
	}
	assert_int_equal(versions, *out_done);
	print_message("%s, %s: %d of %d upgrades, outrun %d times; %d rows acknowledged, %d lost\n",
		      mode, commit == commit_asking ? "asking" : "control", *out_done, rounds,
		      outrun, rows, lost);
	return lost;
}

static void no_acknowledged_row_is_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int done;

		assert_int_equal(run_upgrades(modes[i], commit_asking, &done), 0);
		assert_true(done > 0);
	}
}

static void control_that_does_not_ask_loses_rows(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int done, lost = 0;

		for (int tries = 0; !lost && tries < CONTROL_TRIES; tries++)
			lost = run_upgrades(modes[i], commit_blindly, &done);
		assert_true(lost > 0);
	}
}

/* ---- one thing at a time ---- */

static struct ath_online *open_copied(unsigned busy_ms)
{
	struct ath_db_form form = { .path = db_path("live"), .busy_ms = busy_ms };
	struct ath_online *online;
	struct ath_err err = { 0 };

	if (!ath_online_open(&form, &online, &err) ||
	    !ath_online_copy(online, db_path("copy"), NULL, NULL, &err))
		fail_msg("%s", err.msg);
	change_copy();
	return online;
}

static void in_a_process(const char *sql)
{
	pid_t pid = fork();

	if (!pid) {
		db_run(db_path("live"), sql);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void write_since_the_copy_is_seen_and_nothing_is_written(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ath_online *online;
		struct ath_err err = { 0 };
		bool is_unchanged;

		make(modes[i]);
		unlink(db_path("copy"));
		online = open_copied(100);
		assert_true(ath_online_is_unchanged(online, &is_unchanged, &err) && is_unchanged);
		in_a_process("INSERT INTO t (body) VALUES ('since')");
		assert_true(ath_online_is_unchanged(online, &is_unchanged, &err) && !is_unchanged);
		assert_int_equal(commit_asking(online), ATH_ONLINE_OUTRUN);
		/* the lock has been given up, and the same connection can go on */
		in_a_process("INSERT INTO t (body) VALUES ('again')");
		unlink(db_path("copy"));
		assert_true(ath_online_copy(online, db_path("copy"), NULL, NULL, &err));
		change_copy();
		assert_int_equal(commit_asking(online), ATH_ONLINE_COMMITTED);
		ath_online_close(online);
		assert_string_equal(db_ask(db_path("live"), "SELECT v FROM version", NULL), "1");
		assert_string_equal(db_ask(db_path("live"), "SELECT count(*) FROM t", NULL), "2");
		assert_string_equal(db_ask(db_path("live"), "PRAGMA journal_mode", NULL),
				    i ? "wal" : "delete");
	}
}

/* An open connection that does nothing is no hindrance; it sees the new state. */
static void idle_connection_is_not_in_the_way(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ath_online *online;
		struct db_holder holder;

		make(modes[i]);
		unlink(db_path("copy"));
		holder = db_hold(db_path("live"), "SELECT count(*) FROM t");
		online = open_copied(100);
		assert_int_equal(commit_asking(online), ATH_ONLINE_COMMITTED);
		ath_online_close(online);
		db_release(holder);
		assert_string_equal(db_ask(db_path("live"), "SELECT v FROM version", NULL), "1");
	}
}

static void lock_that_is_not_given_up_is_named_and_nothing_is_written(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		enum ath_online_end end;
		struct ath_online *online;
		struct ath_err err = { 0 };
		struct db_holder holder;
		char pid[32];

		make(modes[i]);
		unlink(db_path("copy"));
		online = open_copied(50);
		holder = db_hold(db_path("live"), "BEGIN IMMEDIATE");
		snprintf(pid, sizeof(pid), "(process %d)", (int)holder.pid);
		assert_false(ath_online_commit(online, db_path("copy"), NULL, NULL, &end, &err));
		assert_int_equal(err.code, ATH_ERR_LOCKED);
		assert_non_null(strstr(err.msg, pid));
		db_release(holder);
		assert_int_equal(commit_asking(online), ATH_ONLINE_COMMITTED);
		ath_online_close(online);
	}
}

static void page_size_must_fit_in_wal_mode(void **state)
{
	enum ath_online_end end;
	struct ath_online *online;
	struct ath_err err = { 0 };

	(void)state;
	make("WAL");
	online = open_copied(50);
	db_run(db_path("copy"), "PRAGMA page_size=1024; VACUUM");
	assert_false(ath_online_commit(online, db_path("copy"), NULL, NULL, &end, &err));
	assert_int_equal(err.code, ATH_ERR_REFUSED);
	ath_online_close(online);
	assert_string_equal(db_ask(db_path("live"), "SELECT v FROM version", NULL), "0");
}

/* A reader in the middle of a transaction sees the old state to its end (WAL). */
static void readers_go_on_in_wal_mode(void **state)
{
	struct ath_online *online;
	struct db_holder holder;

	(void)state;
	make("WAL");
	online = open_copied(50);
	holder = db_hold(db_path("live"), "BEGIN; SELECT count(*) FROM t");
	assert_int_equal(commit_asking(online), ATH_ONLINE_COMMITTED);
	ath_online_close(online);
	db_release(holder);
	assert_string_equal(db_ask(db_path("live"), "SELECT v FROM version", NULL), "1");
}

/* A transaction of another process that is under way, and comes to its commit while it is waited for. */
static pid_t start_transaction(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		db_give_up("pipe");
	pid = fork();
	if (!pid) {
		sqlite3 *raw =
			db_run_open(db_path("live"), "PRAGMA busy_timeout=1500; BEGIN IMMEDIATE;"
						     "INSERT INTO t (id) VALUES (1)");

		if (write(ready[1], "", 1) != 1)
			abort();
		usleep(200000);
		_exit(sqlite3_exec(raw, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : 1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		db_give_up("writer");
	close(ready[0]);
	return pid;
}

/* Both the lock of protocol P and that of a commit beside the application. */
static void wait_for_the_lock_hinders_no_writer(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ath_online *online = NULL;
		struct ath_err err = { 0 };
		struct ath_live *live;
		pid_t pid;
		int status;

		make("DELETE");
		unlink(db_path("copy"));
		if (i)
			online = open_copied(4000);
		pid = start_transaction();
		if (i)
			assert_int_equal(commit_asking(online), ATH_ONLINE_OUTRUN);
		else
			assert_true(ath_live_open(db_path("live"), 4000, &live, &err));
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		if (i)
			ath_online_close(online);
		else
			ath_live_close(live, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(write_since_the_copy_is_seen_and_nothing_is_written),
		db_test(idle_connection_is_not_in_the_way),
		db_test(lock_that_is_not_given_up_is_named_and_nothing_is_written),
		db_test(page_size_must_fit_in_wal_mode),
		db_test(readers_go_on_in_wal_mode),
		in_memory_test(wait_for_the_lock_hinders_no_writer),
		in_memory_test(no_acknowledged_row_is_lost),
		in_memory_test(control_that_does_not_ask_loses_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
