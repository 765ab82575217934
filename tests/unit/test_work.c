/* SPDX-License-Identifier: MIT */
/* Tests of os/work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/work.h"

struct job {
	bool fails;
	pid_t worker;   /* thread that did the work */
	pid_t reporter; /* thread that told */
	unsigned ends;
	enum ath_err_code code;
};

static bool work(void *user, struct ath_err *err)
{
	struct job *job = user;

	job->worker = gettid();
	usleep(20000);
	return !job->fails || ath_err_set(err, ATH_ERR_IO, "no luck");
}

static void on_done(void *user, const struct ath_err *err)
{
	struct job *job = user;

	job->reporter = gettid();
	job->ends++;
	job->code = err->code;
}

static void work_runs_elsewhere_and_reports_on_the_loops_thread(void **state)
{
	struct ath_err err = { 0 };
	struct ath_loop *loop = ath_loop_new(&err);
	struct job jobs[10] = { [3].fails = true };

	(void)state;
	for (size_t i = 0; i < 10; i++)
		ath_work_start(loop, work, on_done, &jobs[i]);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(jobs[i].ends, 0);
	ath_loop_run(loop);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(jobs[i].ends, 1);
		assert_int_equal(jobs[i].code, i == 3 ? ATH_ERR_IO : ATH_ERR_OK);
		assert_int_equal(jobs[i].reporter, gettid());
		assert_int_not_equal(jobs[i].worker, gettid());
	}
	assert_true(ath_loop_free(loop));
}

static void work_under_way_is_ended_but_told_of_when_the_loop_is_freed(void **state)
{
	struct ath_err err = { 0 };
	struct ath_loop *loop = ath_loop_new(&err);
	struct job job = { 0 };

	(void)state;
	ath_work_start(loop, work, on_done, &job);
	assert_false(ath_loop_free(loop));
	assert_int_equal(job.ends, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_runs_elsewhere_and_reports_on_the_loops_thread),
		cmocka_unit_test(work_under_way_is_ended_but_told_of_when_the_loop_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
