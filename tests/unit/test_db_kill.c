/* SPDX-License-Identifier: MIT */
/*
 * sqlite/live: a commit that is killed at a random moment leaves the old or the new database, never
 * anything else.
 *
 * The moment is drawn from the measured length of an undisturbed commit. Each case runs with 60
 * seeds, which are printed; ATH_SEED=n replays one. The control copies the pages with plain writes
 * and must be caught.
 */
#include "tests/unit/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "base/time.h"
#include "sqlite/live.h"
#include "tests/unit/db_generations.h"

enum {
	SEEDS = 60,
	PAGE = 4096,
	ROOM = 1600 * 1024, /* bytes a file may grow to: more than the old, less than the new */
};

/* Commits `new` over `live` in a process of its own; tells `ready` just before. */
typedef void commit_fn(int ready);

static void commit_by_backup(int ready)
{
	struct ath_err err = { 0 };
	struct ath_live *live;

	if (!ath_live_open(db_path("live"), 0, &live, &err) || write(ready, "", 1) != 1 ||
	    !ath_live_commit(live, db_path("new"), NULL, NULL, &err))
		_exit(1);
	ath_live_close(live, true);
}

static void commit_by_plain_writes(int ready)
{
	struct db_bytes bytes = db_load(db_path("new"));
	int fd = open(db_path("live"), O_WRONLY);

	if (fd < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (size_t at = 0; at < bytes.len; at += PAGE)
		if (pwrite(fd, bytes.data + at, PAGE, (off_t)at) != PAGE ||
		    (at / PAGE % 32 == 0 && fdatasync(fd)))
			_exit(1);
}

static void restore(struct db_bytes old)
{
	unlink(db_path("live-journal")), unlink(db_path("live-wal")), unlink(db_path("live-shm"));
	db_store(db_path("live"), old.data, old.len);
}

/* Run one commit and kill it after `delay_us`, if that is not negative; true if it was in time. */
static bool run_once(commit_fn *commit, int64_t delay_us, int64_t *out_us)
{
	int ready[2], status;
	struct ath_mono since;
	pid_t pid;
	char byte;

	if (pipe(ready))
		db_give_up("pipe");
	pid = fork();
	if (!pid) {
		close(ready[0]);
		commit(ready[1]);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	since = ath_time_mono();
	if (delay_us >= 0) {
		usleep((useconds_t)delay_us);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	*out_us = (int64_t)(ath_time_mono().ns - since.ns) / 1000;
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

/* The middle one of three, as a busy disk can stretch any of them. */
static int64_t measure_window(commit_fn *commit, struct db_bytes old)
{
	int64_t us, sum = 0, shortest = INT64_MAX, longest = 0;

	for (int i = 0; i < 3; i++) {
		restore(old);
		run_once(commit, -1, &us);
		assert_int_equal(generation_of(db_path("live")), GENERATION_NEW);
		sum += us;
		shortest = us < shortest ? us : shortest;
		longest = us > longest ? us : longest;
	}
	return sum - shortest - longest;
}

/* Counts of the generations found after each kill, as `out_found`; returns how many were killed. */
static int run_seeds(commit_fn *commit, const char *mode, int out_found[GENERATION_COUNT_])
{
	const char *only = getenv("ATH_SEED");
	struct db_bytes old;
	int64_t window, us;
	int killed = 0;

	generation_make(db_path("live"), GENERATION_OLD, mode);
	generation_make(db_path("new"), GENERATION_NEW, "DELETE");
	old = db_load(db_path("live"));
	window = measure_window(commit, old);
	for (int seed = only ? atoi(only) : 1; seed <= (only ? atoi(only) : SEEDS); seed++) {
		unsigned random = (unsigned)seed;
		int64_t delay = (int64_t)((double)window * rand_r(&random) / RAND_MAX);
		enum generation found;

		restore(old);
		killed += run_once(commit, delay, &us);
		found = generation_of(db_path("live"));
		out_found[found]++;
		if (found == GENERATION_TORN && commit == commit_by_backup)
			print_message("%s: torn with seed %d\n", mode, seed);
	}
	free(old.data);
	print_message("%s, window %lld us: %d killed; old %d, new %d, torn %d\n", mode,
		      (long long)window, killed, out_found[GENERATION_OLD],
		      out_found[GENERATION_NEW], out_found[GENERATION_TORN]);
	return killed;
}

static void commit_in_delete_mode_is_old_or_new_when_killed(void **state)
{
	int found[GENERATION_COUNT_] = { 0 };

	(void)state;
	assert_true(run_seeds(commit_by_backup, "DELETE", found) > 0);
	assert_int_equal(found[GENERATION_TORN], 0);
}

static void commit_in_wal_mode_is_old_or_new_when_killed(void **state)
{
	int found[GENERATION_COUNT_] = { 0 };

	(void)state;
	assert_true(run_seeds(commit_by_backup, "WAL", found) > 0);
	assert_int_equal(found[GENERATION_TORN], 0);
}

static void control_with_plain_writes_is_caught_torn(void **state)
{
	int found[GENERATION_COUNT_] = { 0 };

	(void)state;
	run_seeds(commit_by_plain_writes, "DELETE", found);
	assert_true(getenv("ATH_SEED") || found[GENERATION_TORN] > 0);
}

/* Control: a rename keeps what lies beside the file, and SQLite reads that into the new one. */
static void control_that_renames_is_caught_torn(void **state)
{
	(void)state;
	generation_make(db_path("live"), GENERATION_OLD, "WAL");
	generation_make(db_path("new"), GENERATION_NEW, "WAL");
	db_crash(db_path("live"), "UPDATE t SET body = body WHERE id % 7 = 0");
	assert_return_code(rename(db_path("new"), db_path("live")), 0);
	assert_int_equal(generation_of(db_path("live")), GENERATION_TORN);
}

static int commit_with_little_room(void)
{
	const struct rlimit limit = { ROOM, ROOM };
	struct ath_err err = { 0 };
	struct ath_live *live;

	signal(SIGXFSZ, SIG_IGN);
	if (!ath_live_open(db_path("live"), 0, &live, &err) || setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	if (ath_live_commit(live, db_path("new"), NULL, NULL, &err) || err.code != ATH_ERR_IO)
		return 2;
	ath_live_close(live, false);
	err = (struct ath_err){ 0 };
	if (!ath_live_open(db_path("new"), 0, &live, &err))
		return 3;
	if (ath_live_copy(live, db_path("copy"), NULL, NULL, &err) || err.code != ATH_ERR_IO)
		return 4;
	ath_live_close(live, false);
	return !access(db_path("copy"), F_OK) || !access(db_path("copy-journal"), F_OK) ? 5 : 0;
}

static void commit_without_room_leaves_the_old_database(void **state)
{
	static const char *const modes[] = { "DELETE", "WAL" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct stat st;
		int status;
		pid_t pid;

		unlink(db_path("live")), unlink(db_path("new"));
		generation_make(db_path("live"), GENERATION_OLD, modes[i]);
		generation_make(db_path("new"), GENERATION_NEW, "DELETE");
		assert_return_code(stat(db_path("new"), &st), 0);
		assert_true(st.st_size > ROOM);
		pid = fork();
		if (!pid)
			_exit(commit_with_little_room());
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		assert_int_equal(generation_of(db_path("live")), GENERATION_OLD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(commit_in_delete_mode_is_old_or_new_when_killed),
		db_test(commit_in_wal_mode_is_old_or_new_when_killed),
		db_test(control_with_plain_writes_is_caught_torn),
		db_test(control_that_renames_is_caught_torn),
		db_test(commit_without_room_leaves_the_old_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
