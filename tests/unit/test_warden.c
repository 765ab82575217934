/* SPDX-License-Identifier: MIT */
/*
 * Tests of os/warden with real processes.
 *
 *	this test (subreaper)
 *	  `- warden                 the process that was forked; ends with the run
 *	       `- orchestrator      runs be_orchestrator()
 *	            `- nasty zoo    see tests/support/nasty.c
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/cgroup.h"
#include "os/child.h"
#include "os/process.h"
#include "os/warden.h"
#include "procs.h"

enum {
	ROUNDS = 20,
	COUNTING_MS = 400, /* how long an orchestrator counts signals before it exits */
};

struct fixture {
	char folder[64], lock[80], tag[64];
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	snprintf(fix->folder, sizeof(fix->folder), "/tmp/athanor-warden-XXXXXX");
	assert_non_null(mkdtemp(fix->folder));
	snprintf(fix->lock, sizeof(fix->lock), "%s/lock", fix->folder);
	snprintf(fix->tag, sizeof(fix->tag), "%s", procs_new_tag());
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;
	unsigned survivors;

	survivors = procs_count(fix->tag);
	procs_kill(fix->tag);
	assert_int_equal(survivors, 0);
	assert_false(ath_lock_is_held(fix->lock));
	procs_assert_no_child();
	unlink(fix->lock);
	assert_int_equal(rmdir(fix->folder), 0);
	free(fix);
	return 0;
}

static void take(const char *path, struct ath_lock *lock)
{
	struct ath_err err = { 0 };

	if (!ath_lock_take(path, 2000, NULL, NULL, lock, &err))
		fail_msg("%s", err.msg);
}

static void lock_is_held_until_it_is_freed(void **state)
{
	struct fixture *fix = *state;
	struct ath_lock lock;
	struct stat facts;

	assert_false(ath_lock_is_held(fix->lock));
	take(fix->lock, &lock);
	assert_int_equal(stat(fix->lock, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	assert_true(ath_lock_is_held(fix->lock));
	ath_lock_free(&lock);
	assert_false(ath_lock_is_held(fix->lock));
	ath_lock_free(&lock);
}

static void remember_holder(void *user, const struct ath_lock_hint *holder)
{
	*(struct ath_lock_hint *)user = *holder;
}

static void lock_refusal_names_the_holder(void **state)
{
	struct fixture *fix = *state;
	struct ath_lock_hint told = { 0 }, hint;
	struct ath_lock lock, second;
	struct ath_err err = { 0 };

	take(fix->lock, &lock);
	ath_lock_hint(&lock, "run-with-a-long-name", "a step");
	ath_lock_hint(&lock, "run-1", "install\nthings");
	assert_false(ath_lock_take(fix->lock, 120, remember_holder, &told, &second, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	assert_non_null(strstr(err.msg, "run-1"));
	assert_non_null(strstr(err.msg, "'install?things'"));
	assert_int_equal(told.pid, getpid());
	ath_lock_read_hint(fix->lock, &hint);
	assert_string_equal(hint.run_id, "run-1");
	assert_string_equal(hint.step, "install?things");
	assert_int_equal(strlen(hint.started), 24);
	ath_lock_free(&lock);
}

static void lock_hint_of_an_earlier_holder_is_not_believed(void **state)
{
	struct fixture *fix = *state;
	struct ath_lock_hint hint;
	struct ath_lock lock;
	FILE *file = fopen(fix->lock, "w");

	fputs("pid=77 boot=00000000-0000-0000-0000-000000000000 run=old started=x step=y\n", file);
	fclose(file);
	ath_lock_read_hint(fix->lock, &hint);
	assert_int_equal(hint.pid, 0);
	take(fix->lock, &lock);
	ath_lock_hint(&lock, "run-1", "step");
	ath_lock_free(&lock);
	take(fix->lock, &lock);
	ath_lock_read_hint(fix->lock, &hint);
	assert_int_equal(hint.pid, 0);
	ath_lock_free(&lock);
}

static void lock_is_not_taken_through_a_link(void **state)
{
	struct fixture *fix = *state;
	struct ath_lock lock;
	struct ath_err err = { 0 };

	assert_int_equal(symlink("/tmp/athanor-not-here", fix->lock), 0);
	assert_false(ath_lock_take(fix->lock, 0, NULL, NULL, &lock, &err));
	assert_int_equal(err.code, ATH_ERR_IO);
	assert_int_equal(access("/tmp/athanor-not-here", F_OK), -1);
}

static void lock_waits_for_its_holder(void **state)
{
	struct fixture *fix = *state;
	struct ath_mono since = ath_time_mono();
	struct ath_lock lock;
	pid_t pid;

	take(fix->lock, &lock);
	pid = fork();
	if (pid == 0) {
		procs_sleep_ms(200);
		_exit(0); /* the last holder of the description: closed with it */
	}
	ath_lock_free(&lock);
	assert_true(ath_lock_is_held(fix->lock));
	take(fix->lock, &lock);
	assert_in_range(ath_time_elapsed_ms(since), 190, 1000);
	ath_lock_free(&lock);
}

static void lock_that_was_exchanged_is_taken_anew(void **state)
{
	struct fixture *fix = *state;
	char away[96];
	struct ath_lock lock, second;

	snprintf(away, sizeof(away), "%s.away", fix->lock);
	take(fix->lock, &lock);
	assert_int_equal(rename(fix->lock, away), 0);
	take(fix->lock, &second); /* another file has the name now */
	assert_true(ath_lock_is_held(fix->lock));
	ath_lock_free(&lock);
	ath_lock_free(&second);
	unlink(away);
}

/* What an orchestrator of the tests does after the split. */
struct part {
	const char *tag;   /* run a zoo with that tag, else only count signals */
	const char *mode;  /* of it; NULL: "zoo" */
	const char *group; /* mark of a control group to run in; NULL: none */
	bool is_careless;  /* the control: gives its lock away */
	struct ath_loop *loop;
	unsigned signals;
};

static void count_signal(void *user, int signum)
{
	(void)signum;
	((struct part *)user)->signals++;
}

static void stop_counting(void *user)
{
	_exit((int)((struct part *)user)->signals);
}

static void on_warden_gone(void *user)
{
	(void)user;
	ath_process_end_all(NULL, NULL);
	_exit(9);
}

static void on_zoo_done(void *user, const struct ath_child_result *result)
{
	(void)user;
	(void)result;
}

static void start_zoo(struct part *part)
{
	const char *mode = part->mode ? part->mode : "zoo";
	const char *const argv[] = { ATH_TEST_NASTY, mode, part->tag, NULL };
	struct ath_environ environment;
	struct ath_child *child;
	struct ath_err err = { 0 };

	ath_environ_init(&environment);
	ath_environ_set(&environment, "ATHANOR_RUN", part->tag);
	struct ath_child_form form = {
		.argv = argv, .environment = &environment, .mark = "zoo", .on_done = on_zoo_done
	};
	if (!ath_child_start(part->loop, &form, &child, &err))
		_exit(100);
	ath_environ_fini(&environment);
}

static _Noreturn void be_orchestrator(struct ath_lock *lock, struct part *part)
{
	struct ath_err err = { 0 };

	ath_warden_wait_until_ready(lock);
	part->loop = ath_loop_new(&err);
	if (!part->loop || !ath_child_prepare(part->loop, &err) ||
	    !ath_loop_watch_signals(part->loop, count_signal, part, &err) ||
	    !ath_loop_watch_hangup(part->loop, lock->control_fd, on_warden_gone, NULL, &err))
		_exit(101);
	if (part->is_careless)
		close(lock->fd);
	if (part->tag)
		start_zoo(part);
	else
		ath_timer_start(part->loop, COUNTING_MS, stop_counting, part);
	ath_lock_hint(lock, "run", "counting"); /* says that everything is watched */
	ath_loop_run(part->loop);
	_exit(102);
}

/* Lock and split; returns in the orchestrator. */
static void split(const struct fixture *fix, const char *mark, struct ath_lock *lock)
{
	struct ath_cgroup_place place;
	struct ath_cgroup group = { 0 };
	struct ath_err err = { 0 };

	ath_cgroup_find_place(&place);
	if (mark)
		ath_cgroup_make(&place, mark, &group);
	if (!ath_lock_take(fix->lock, 0, NULL, NULL, lock, &err) ||
	    !ath_warden_split(lock, &group, &err))
		_exit(103);
}

/* Lock, split, play the part; returns the warden. */
static pid_t start_run(const struct fixture *fix, struct part part)
{
	struct ath_lock lock;
	pid_t pid;

	if (truncate(fix->lock, 0) !=
	    0) /* the hint of a run before would be taken for this one's */
		assert_int_equal(errno, ENOENT);
	pid = fork();
	if (pid == 0) {
		split(fix, part.group, &lock);
		be_orchestrator(&lock, &part);
	}
	if (part.tag)
		procs_wait_for(part.tag, PROCS_FAMILY_UP);
	return pid;
}

static void wait_for_hint(const struct fixture *fix)
{
	struct ath_lock_hint hint = { 0 };

	for (int i = 0; i < 500 && !hint.pid; i++) {
		procs_sleep_ms(5);
		ath_lock_read_hint(fix->lock, &hint);
	}
	assert_true(hint.pid > 0);
}

static pid_t orchestrator_of(pid_t warden)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)warden, (int)warden);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return (pid_t)atoi(text);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Watch until the lock is free; the tree must be gone by then. Returns the milliseconds it took. */
static uint64_t expect_nobody_once_unlocked(const struct fixture *fix, unsigned *out_survivors)
{
	struct ath_mono since = ath_time_mono();
	uint64_t ms;

	while (ath_lock_is_held(fix->lock) && ath_time_elapsed_ms(since) < 10000)
		procs_sleep_ms(1);
	ms = ath_time_elapsed_ms(since);
	*out_survivors = procs_count(fix->tag);
	return ms;
}

static void orchestrator_killed_leaves_nobody_before_the_lock_is_free(void **state)
{
	struct fixture *fix = *state;
	uint64_t longest = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t warden = start_run(fix, (struct part){ .tag = fix->tag });
		unsigned survivors;
		uint64_t ms;

		kill(orchestrator_of(warden), SIGKILL);
		ms = expect_nobody_once_unlocked(fix, &survivors);
		longest = ms > longest ? ms : longest;
		assert_int_equal(survivors, 0);
		assert_int_equal(status_of(warden), 128 + SIGKILL);
	}
	print_message("kill to free lock: at most %u ms\n", (unsigned)longest);
	assert_true(longest < 1000);
}

static void warden_killed_leaves_nobody_before_the_lock_is_free(void **state)
{
	struct fixture *fix = *state;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t warden = start_run(fix, (struct part){ .tag = fix->tag });
		unsigned survivors;

		kill(warden, SIGKILL);
		expect_nobody_once_unlocked(fix, &survivors);
		assert_int_equal(survivors, 0);
		procs_assert_no_child();
	}
}

static void both_killed_leave_nobody_after_a_sweep(void **state)
{
	struct fixture *fix = *state;
	char entry[96];

	snprintf(entry, sizeof(entry), "ATHANOR_RUN=%s", fix->tag);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t warden = start_run(fix, (struct part){ .tag = fix->tag });
		pid_t orchestrator = orchestrator_of(warden);
		unsigned killed;

		kill(warden, SIGSTOP);
		kill(orchestrator, SIGKILL);
		kill(warden, SIGKILL);
		procs_sleep_ms(20);
		assert_true(procs_count(fix->tag) >=
			    PROCS_FAMILY); /* the control: there was something to sweep */
		assert_true(ath_process_sweep(entry, NULL, &killed, &(struct ath_err){ 0 }));
		assert_true(killed >= PROCS_FAMILY);
		assert_int_equal(procs_count(fix->tag), 0);
		procs_assert_no_child();
	}
}

/* What has erased its environment is told by its group alone. */
static void both_killed_leave_nobody_in_their_group(void **state)
{
	struct fixture *fix = *state;
	struct ath_cgroup_place place;
	struct ath_cgroup group;
	char entry[96];
	unsigned killed;

	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, "probe", &group);
	if (!*group.path)
		skip(); /* no cgroup v2 that this user may write to */
	ath_cgroup_remove(&group);
	snprintf(entry, sizeof(entry), "ATHANOR_RUN=%s", fix->tag);
	for (int i = 0; i < ROUNDS; i++) {
		struct part part = { .tag = fix->tag, .mode = "outlaws", .group = fix->tag };
		pid_t warden = start_run(fix, part);
		pid_t orchestrator = orchestrator_of(warden);

		kill(warden, SIGSTOP);
		kill(orchestrator, SIGKILL);
		kill(warden, SIGKILL);
		procs_sleep_ms(20);
		assert_true(ath_process_sweep(entry, NULL, &killed, &(struct ath_err){ 0 }));
		assert_int_equal(procs_count(fix->tag), 1); /* the control: one had no mark */
		assert_true(ath_cgroup_sweep(&place, fix->tag, NULL) >=
			    1); /* a swept one may be going still */
		assert_int_equal(procs_count(fix->tag), 0);
		assert_int_equal(ath_cgroup_sweep(&place, fix->tag, NULL), 0);
		procs_assert_no_child();
	}
}

static void the_group_goes_with_its_warden(void **state)
{
	struct fixture *fix = *state;
	struct ath_cgroup_place place;
	struct ath_cgroup group;
	pid_t warden;

	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, fix->tag, &group);
	if (!*group.path)
		skip();
	ath_cgroup_remove(&group);
	assert_int_equal(access(group.path, F_OK), -1);
	warden = start_run(fix, (struct part){ .tag = fix->tag, .group = fix->tag });
	assert_int_equal(access(group.path, F_OK), 0);
	kill(orchestrator_of(warden), SIGKILL);
	assert_int_equal(status_of(warden), 128 + SIGKILL);
	assert_int_equal(access(group.path, F_OK), -1);
}

/* The control: with the lock in the warden alone, this must find the lock free too early. */
static void a_lock_that_the_orchestrator_gave_away_is_free_too_early(void **state)
{
	struct fixture *fix = *state;
	unsigned early = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct part part = { .tag = fix->tag, .is_careless = true };
		pid_t warden = start_run(fix, part);
		unsigned survivors;
		pid_t orchestrator = orchestrator_of(warden);

		kill(orchestrator, SIGSTOP); /* its end of the tree comes late, as it may */
		kill(warden, SIGKILL);
		expect_nobody_once_unlocked(fix, &survivors);
		early += survivors > 0;
		kill(orchestrator, SIGCONT);
		procs_assert_no_child();
	}
	assert_int_equal(early, ROUNDS);
}

static void warden_exits_with_the_status_of_the_orchestrator(void **state)
{
	assert_int_equal(status_of(start_run(*state, (struct part){ 0 })), 0);
}

static void warden_passes_a_signal_on_once(void **state)
{
	static const int signums[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < 4; i++) {
		pid_t warden = start_run(*state, (struct part){ 0 });

		wait_for_hint(*state);
		kill(warden, signums[i]);
		assert_int_equal(status_of(warden), 1);
	}
}

static void a_signal_to_the_whole_group_counts_once(void **state)
{
	struct fixture *fix = *state;
	pid_t outer = fork();

	if (outer == 0) { /* a group of its own, so that the test is not hit */
		pid_t warden;

		setpgid(0, 0);
		signal(SIGTERM, SIG_IGN);
		warden = start_run(fix, (struct part){ 0 });
		wait_for_hint(fix);
		kill(0, SIGTERM);
		_exit(status_of(warden));
	}
	assert_int_equal(status_of(outer), 1);
}

static void ctrl_c_counts_once(void **state)
{
	struct fixture *fix = *state;
	int terminal;
	char text[256];
	pid_t outer = forkpty(&terminal, NULL, NULL, NULL);

	assert_true(outer >= 0);
	if (outer == 0) {
		struct ath_lock lock;
		struct part part = { 0 };

		split(fix, NULL, &lock);
		be_orchestrator(&lock, &part);
	}
	wait_for_hint(fix);
	assert_int_equal(write(terminal, "\003", 1), 1);
	while (read(terminal, text, sizeof(text)) > 0)
		;
	assert_int_equal(status_of(outer), 1);
	close(terminal);
}

static void a_run_under_nohup_is_not_told_of_a_hangup(void **state)
{
	struct fixture *fix = *state;
	pid_t warden;

	signal(SIGHUP, SIG_IGN);
	warden = start_run(fix, (struct part){ 0 });
	signal(SIGHUP, SIG_DFL);
	wait_for_hint(fix);
	kill(warden, SIGHUP);
	kill(orchestrator_of(warden), SIGHUP);
	assert_int_equal(status_of(warden), 0);
}

static void warden_keeps_no_descriptor_but_the_lock_and_the_control_pipe(void **state)
{
	int leaky = open("/dev/null", O_RDONLY);
	pid_t warden = start_run(*state, (struct part){ 0 });
	unsigned beyond = 0;
	char path[64], name[300];

	wait_for_hint(*state);
	for (int tries = 0; tries < 100;
	     tries++) { /* the hint may come before the warden is done */
		beyond = 0;
		for (int fd = 3; fd < 64; fd++) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)warden, fd);
			beyond += readlink(path, name, sizeof(name)) > 0;
		}
		if (beyond == 2)
			break;
		usleep(10000);
	}
	close(leaky);
	assert_int_equal(beyond, 2);
	assert_int_equal(status_of(warden), 0);
}

static void warden_spares_the_children_that_it_had_before(void **state)
{
	struct fixture *fix = *state;
	struct ath_lock lock;
	pid_t warden = fork();

	if (warden == 0) {
		if (fork() == 0) {
			execl(ATH_TEST_NASTY, ATH_TEST_NASTY, "stranger-itself", fix->tag, NULL);
			_exit(1);
		}
		while (procs_count(fix->tag) < 1)
			procs_sleep_ms(5);
		split(fix, NULL, &lock);
		_exit(5);
	}
	assert_int_equal(status_of(warden), 5);
	assert_int_equal(procs_count(fix->tag), 1);
	procs_kill(fix->tag);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lock_is_held_until_it_is_freed),
		TEST(lock_refusal_names_the_holder),
		TEST(lock_hint_of_an_earlier_holder_is_not_believed),
		TEST(lock_is_not_taken_through_a_link),
		TEST(lock_waits_for_its_holder),
		TEST(lock_that_was_exchanged_is_taken_anew),
		TEST(orchestrator_killed_leaves_nobody_before_the_lock_is_free),
		TEST(warden_killed_leaves_nobody_before_the_lock_is_free),
		TEST(both_killed_leave_nobody_after_a_sweep),
		TEST(both_killed_leave_nobody_in_their_group),
		TEST(the_group_goes_with_its_warden),
		TEST(a_lock_that_the_orchestrator_gave_away_is_free_too_early),
		TEST(warden_exits_with_the_status_of_the_orchestrator),
		TEST(warden_passes_a_signal_on_once),
		TEST(a_signal_to_the_whole_group_counts_once),
		TEST(ctrl_c_counts_once),
		TEST(a_run_under_nohup_is_not_told_of_a_hangup),
		TEST(warden_keeps_no_descriptor_but_the_lock_and_the_control_pipe),
		TEST(warden_spares_the_children_that_it_had_before),
	};

	signal(SIGHUP, SIG_DFL); /* the tests themselves may run under nohup */
	procs_adopt();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
