/* SPDX-License-Identifier: MIT */
/* engine/steplog: the whole of a short log, the start and the end of a long one. */
#include "tests/unit/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/steplog.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/athanor-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static const char *log_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/venv.log", folder);
	return path;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(log_path());
	return rmdir(folder);
}

static char *load(size_t *out_len)
{
	FILE *file = fopen(log_path(), "r");
	struct stat st;
	char *text;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	text = ath_mem_new((size_t)st.st_size + 1, 1);
	*out_len = fread(text, 1, (size_t)st.st_size, file);
	assert_int_equal(*out_len, st.st_size);
	fclose(file);
	return text;
}

static void puts_to(struct ath_steplog *log, const char *text)
{
	ath_steplog_add(log, text, strlen(text));
}

static void a_silent_step_leaves_no_file(void **state)
{
	struct ath_steplog log;

	(void)state;
	ath_steplog_init(&log, folder, "venv");
	ath_steplog_fini(&log);
	assert_int_equal(access(log_path(), F_OK), -1);
	ath_steplog_fini(&log);
}

static void a_short_log_is_kept_as_it_came(void **state)
{
	struct ath_steplog log;
	struct stat st;
	size_t len;
	char *text;

	(void)state;
	ath_steplog_init(&log, folder, "venv");
	puts_to(&log, "one\n\x1b[31mtwo");
	puts_to(&log, "\n");
	assert_int_equal(stat(log_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ath_steplog_fini(&log);
	text = load(&len);
	assert_string_equal(text, "one\n\x1b[31mtwo\n");
	free(text);
}

static void a_second_attempt_is_appended(void **state)
{
	struct ath_steplog log;
	size_t len;
	char *text;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ath_steplog_init(&log, folder, "venv");
		puts_to(&log, i ? "second\n" : "first\n");
		ath_steplog_fini(&log);
	}
	text = load(&len);
	assert_string_equal(text, "first\nsecond\n");
	free(text);
}

/* 16 MiB and then 1 MiB more: the start, a line that says what is missing, the last 64 KiB. */
static void of_a_long_log_the_middle_is_left_out(void **state)
{
	enum {
		BLOCK = 4096,
		BLOCKS = (ATH_STEPLOG_HEAD + (1 << 20)) / BLOCK
	};
	struct ath_steplog log;
	char block[BLOCK], note[100], *text;
	size_t len, lost = (size_t)BLOCKS * BLOCK - ATH_STEPLOG_HEAD - ATH_STEPLOG_TAIL;

	(void)state;
	ath_steplog_init(&log, folder, "venv");
	for (unsigned i = 0; i < BLOCKS; i++) {
		memset(block, 'a' + (int)(i % 26), sizeof(block));
		ath_steplog_add(&log, block, sizeof(block));
	}
	ath_steplog_fini(&log);
	text = load(&len);
	snprintf(note, sizeof(note), "\n[athanor: %zu bytes left out here]\n", lost);
	assert_int_equal(len, ATH_STEPLOG_HEAD + strlen(note) + ATH_STEPLOG_TAIL);
	assert_memory_equal(text + ATH_STEPLOG_HEAD, note, strlen(note));
	assert_int_equal(text[0], 'a');
	assert_int_equal(text[ATH_STEPLOG_HEAD - 1], 'a' + (ATH_STEPLOG_HEAD / BLOCK - 1) % 26);
	assert_int_equal(text[len - 1], 'a' + (BLOCKS - 1) % 26);
	assert_int_equal(text[len - ATH_STEPLOG_TAIL],
			 'a' + (BLOCKS - ATH_STEPLOG_TAIL / BLOCK) % 26);
	free(text);
}

/* The folder is not there: the step goes on. */
static void a_log_that_cannot_be_written_fails_nothing(void **state)
{
	struct ath_steplog log;

	(void)state;
	ath_steplog_init(&log, "/nonexistent/folder", "venv");
	puts_to(&log, "one\ntwo\n");
	assert_int_equal(log.errnum, ENOENT);
	puts_to(&log, "three\n");
	ath_steplog_fini(&log);
	assert_int_equal(log.errnum, ENOENT);
}

/* A disk that is full after some bytes, as far as a limit of the process can say so. */
static void a_log_that_stops_tells_why(void **state)
{
	const struct rlimit limit = { 6, RLIM_INFINITY };
	struct ath_steplog log;
	struct rlimit before;
	size_t len;
	char *text;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	ath_steplog_init(&log, folder, "venv");
	puts_to(&log, "one\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	puts_to(&log, "two\nthree\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	puts_to(&log, "four\n");
	ath_steplog_fini(&log);
	assert_int_equal(log.errnum, EFBIG);
	text = load(&len);
	assert_string_equal(text, "one\ntw");
	free(text);
}

static void no_umask_changes_the_mode(void **state)
{
	mode_t before = umask(0777);
	struct ath_steplog log;
	struct stat st;

	(void)state;
	ath_steplog_init(&log, folder, "venv");
	puts_to(&log, "one\n");
	ath_steplog_fini(&log);
	umask(before);
	assert_int_equal(stat(log_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Somebody put a link where the log will be: nothing is written through it. */
static void a_log_is_not_written_through_a_link(void **state)
{
	struct ath_steplog log;

	(void)state;
	assert_int_equal(symlink("/dev/full", log_path()), 0);
	ath_steplog_init(&log, folder, "venv");
	puts_to(&log, "one\n");
	assert_int_equal(log.errnum, ELOOP);
	assert_int_equal(log.fd, -1);
	ath_steplog_fini(&log);
}

#define with_folder(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_silent_step_leaves_no_file),
		with_folder(a_short_log_is_kept_as_it_came),
		with_folder(a_second_attempt_is_appended),
		with_folder(of_a_long_log_the_middle_is_left_out),
		with_folder(a_log_that_cannot_be_written_fails_nothing),
		with_folder(a_log_that_stops_tells_why),
		with_folder(no_umask_changes_the_mode),
		with_folder(a_log_is_not_written_through_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
