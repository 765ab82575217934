/* SPDX-License-Identifier: MIT */
/* Tests of os/loop. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/loop.h"

struct trace {
	struct ath_loop *loop;
	char text[64]; /* what was called, in order */
	struct ath_timer *timer;
	unsigned turns;
	int signum;
	int fd;
};

/* In processes that have made no loop yet: libuv makes some things with the first one only. */
static void loop_without_descriptors_is_an_error(void **state)
{
	unsigned refused = 0;
	int status;

	(void)state;
	for (rlim_t room = 0; room < 10; room++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct ath_err err = { 0 };
			int first = dup(STDIN_FILENO);
			struct rlimit limit = { (rlim_t)first + room, (rlim_t)first + room };
			struct ath_loop *loop;

			close(first);
			if (setrlimit(RLIMIT_NOFILE, &limit))
				_exit(2);
			loop = ath_loop_new(&err);
			_exit(!loop && err.code == ATH_ERR_IO && err.msg[0] ? 1 : loop ? 0 : 3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, 1);
		refused += (unsigned)WEXITSTATUS(status);
	}
	assert_in_range(refused, 1, 9);
}

static int setup(void **state)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	struct ath_err err = { 0 };

	trace->loop = ath_loop_new(&err);
	assert_non_null(trace->loop);
	*state = trace;
	return 0;
}

static int teardown(void **state)
{
	struct trace *trace = *state;

	assert_true(ath_loop_free(trace->loop));
	free(trace);
	return 0;
}

static void note(struct trace *trace, char what)
{
	trace->text[strlen(trace->text)] = what;
}

static void on_timer(void *user)
{
	struct trace *trace = user;

	note(trace, 't');
	ath_timer_free(trace->timer);
	trace->timer = NULL;
}

static void on_turn_end(void *user)
{
	note(user, 'e');
}

static void on_deferred(void *user)
{
	note(user, 'd');
}

static void loop_without_work_returns(void **state)
{
	ath_loop_run(((struct trace *)*state)->loop);
}

static void timer_fires_once_after_its_time(void **state)
{
	struct trace *trace = *state;
	struct ath_mono since = ath_time_mono();

	trace->timer = ath_timer_start(trace->loop, 50, on_timer, trace);
	ath_loop_run(trace->loop);
	assert_string_equal(trace->text, "t");
	assert_in_range(ath_time_elapsed_ms(since), 49, 500);
}

static void timer_counts_from_its_start_and_not_from_the_turn(void **state)
{
	struct trace *trace = *state;
	struct ath_mono since;

	usleep(100000); /* the loop's own clock does not see this */
	since = ath_time_mono();
	trace->timer = ath_timer_start(trace->loop, 50, on_timer, trace);
	ath_loop_run(trace->loop);
	assert_true(ath_time_elapsed_ms(since) >= 49);
}

static void timer_freed_before_it_fires_does_not_fire(void **state)
{
	struct trace *trace = *state;

	ath_timer_free(ath_timer_start(trace->loop, 10, on_timer, trace));
	ath_timer_free(NULL);
	ath_loop_run(trace->loop);
	assert_string_equal(trace->text, "");
}

static void defer_again(void *user)
{
	struct trace *trace = user;

	note(trace, 'a');
	ath_loop_defer(trace->loop, on_deferred, trace);
}

static void deferred_calls_come_in_order_and_not_from_inside(void **state)
{
	struct trace *trace = *state;

	ath_loop_defer(trace->loop, defer_again, trace);
	ath_loop_defer(trace->loop, on_deferred, trace);
	assert_string_equal(trace->text, "");
	ath_loop_run(trace->loop);
	assert_string_equal(trace->text, "add");
}

static void wake_twice(void *user)
{
	struct trace *trace = user;

	note(trace, 'w');
	ath_loop_wake_turn_end(trace->loop);
	ath_loop_wake_turn_end(trace->loop);
}

static void turn_end_comes_once_after_all_deferred_calls_of_the_turn(void **state)
{
	struct trace *trace = *state;

	ath_loop_set_turn_end(trace->loop, on_turn_end, trace);
	ath_loop_defer(trace->loop, wake_twice, trace);
	ath_loop_defer(trace->loop, on_deferred, trace);
	ath_loop_run(trace->loop);
	assert_string_equal(trace->text, "wde");
}

static void turn_end_woken_by_a_timer_does_not_wait_for_other_input(void **state)
{
	struct trace *trace = *state;
	struct ath_mono since = ath_time_mono();
	struct ath_timer *first, *late;

	ath_loop_set_turn_end(trace->loop, (ath_loop_fn *)ath_loop_stop, trace->loop);
	late = ath_timer_start(trace->loop, 5000, on_timer, trace);
	first = ath_timer_start(trace->loop, 10, wake_twice, trace);
	ath_loop_run(trace->loop);
	ath_timer_free(first);
	ath_timer_free(late);
	assert_true(ath_time_elapsed_ms(since) < 1000);
}

static void stop_and_wake(void *user)
{
	struct trace *trace = user;

	ath_loop_stop(trace->loop);
	ath_loop_wake_turn_end(trace->loop);
}

static void turn_end_is_not_lost_when_the_loop_is_stopped(void **state)
{
	struct trace *trace = *state;
	struct ath_timer *timer = ath_timer_start(trace->loop, 1, stop_and_wake, trace);

	ath_loop_set_turn_end(trace->loop, on_turn_end, trace);
	ath_loop_run(trace->loop);
	ath_timer_free(timer);
	assert_string_equal(trace->text, "e");
}

static void on_signal(void *user, int signum)
{
	struct trace *trace = user;

	note(trace, 's');
	trace->signum = signum;
}

static void raise_twice(void *user)
{
	(void)user;
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGTERM);
}

static void same_signal_twice_at_once_counts_once(void **state)
{
	struct trace *trace = *state;
	struct ath_timer *raise, *later;
	struct ath_err err = { 0 };

	assert_true(ath_loop_watch_signals(trace->loop, on_signal, trace, &err));
	raise = ath_timer_start(trace->loop, 1, raise_twice, trace);
	later = ath_timer_start(trace->loop, 200, raise_twice, trace);
	trace->timer = ath_timer_start(trace->loop, 300, on_timer, trace);
	ath_loop_run(trace->loop);
	ath_timer_free(raise);
	ath_timer_free(later);
	assert_int_equal(trace->signum, SIGTERM);
	assert_string_equal(trace->text, "sst"); /* the second after more than 100 ms */
}

static void watching_does_not_keep_the_loop(void **state)
{
	struct trace *trace = *state;
	struct ath_err err = { 0 };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(ath_loop_watch_signals(trace->loop, on_signal, trace, &err));
	assert_true(ath_loop_watch_hangup(trace->loop, fds[0], on_deferred, trace, &err));
	ath_loop_run(trace->loop);
	assert_string_equal(trace->text, "");
	assert_true(ath_loop_free(trace->loop));
	close(fds[0]);
	close(fds[1]);
	trace->loop = NULL;
}

static void close_writer(void *user)
{
	close(((struct trace *)user)->fd);
}

static void hangup_is_reported_once(void **state)
{
	struct trace *trace = *state;
	struct ath_timer *closer;
	struct ath_err err = { 0 };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	trace->fd = fds[1];
	assert_true(ath_loop_watch_hangup(trace->loop, fds[0], on_deferred, trace, &err));
	closer = ath_timer_start(trace->loop, 10, close_writer, trace);
	trace->timer = ath_timer_start(trace->loop, 50, on_timer, trace);
	ath_loop_run(trace->loop);
	ath_timer_free(closer);
	assert_string_equal(trace->text, "dt");
	assert_true(ath_loop_free(trace->loop));
	trace->loop = NULL;
	close(fds[0]);
}

/* The control of all other tests' last line. */
static void loop_tells_of_a_timer_that_outlives_it(void **state)
{
	struct ath_err err = { 0 };
	struct ath_loop *loop = ath_loop_new(&err);
	struct ath_timer *timer = ath_timer_start(loop, 60000, on_timer, NULL);

	(void)state;
	assert_false(ath_loop_free(loop));
	ath_timer_free(timer);
	loop = ath_loop_new(&err);
	ath_loop_defer(loop, on_deferred, NULL);
	assert_false(ath_loop_free(loop));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop_without_descriptors_is_an_error), /* the first loops of all */
		TEST(loop_without_work_returns),
		TEST(timer_fires_once_after_its_time),
		TEST(timer_counts_from_its_start_and_not_from_the_turn),
		TEST(timer_freed_before_it_fires_does_not_fire),
		TEST(deferred_calls_come_in_order_and_not_from_inside),
		TEST(turn_end_comes_once_after_all_deferred_calls_of_the_turn),
		TEST(turn_end_woken_by_a_timer_does_not_wait_for_other_input),
		TEST(turn_end_is_not_lost_when_the_loop_is_stopped),
		TEST(same_signal_twice_at_once_counts_once),
		TEST(watching_does_not_keep_the_loop),
		TEST(hangup_is_reported_once),
		cmocka_unit_test(loop_tells_of_a_timer_that_outlives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
