/* SPDX-License-Identifier: MIT */
/*
 * Tests of os/cgroup: on a folder that looks like a tree of groups, and on the kernel's own where
 * this user may write to it (what the warden does with it: test_warden.c).
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "procs.h"

/* ---- where we are ---- */

#define BEFORE "31 1 0:5 / / rw - ext4 /dev/vda rw\n"

static void place_is_read_from_what_the_kernel_tells(void **state)
{
	static const struct {
		const char *cgroup, *mountinfo, *mount, *own;
	} rows[] = {
		{ "0::/a/b\n", BEFORE "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		  "/sys/fs/cgroup", "/sys/fs/cgroup/a/b" },
		{ "0::/\n", BEFORE "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		  "/sys/fs/cgroup", "/sys/fs/cgroup" },
		/* beside the old hierarchies */
		{ "9:name=systemd:/x\n4:memory:/y\n0::/z\n",
		  "40 31 0:37 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "41 31 0:38 / /sys/fs/cgroup/unified rw shared:7 - cgroup2 cgroup2 rw\n",
		  "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/z" },
		/* a container sees a part of the tree; another part of it is mounted elsewhere */
		{ "0::/pod/one/in\n",
		  "41 31 0:38 /pod/on /other rw - cgroup2 cgroup2 rw\n"
		  "42 31 0:38 /pod/one /sys/fs/a\\040b rw - cgroup2 cgroup2 rw\n",
		  "/sys/fs/a b", "/sys/fs/a b/in" },
		{ "0::/pod/one\n", "42 31 0:38 /pod/one /groups rw - cgroup2 cgroup2 rw\n",
		  "/groups", "/groups" },
		/* nothing to be used */
		{ "4:memory:/y\n", "41 31 0:38 / /sys rw - cgroup2 cgroup2 rw\n", "", "" },
		{ "0::/a\n", "41 31 0:38 / /sys rw - cgroup cgroup2 rw\n", "", "" },
		{ "0::/../up\n", "41 31 0:38 / /sys rw - cgroup2 cgroup2 rw\n", "", "" },
		{ "0::/a\n", "42 31 0:38 /pod/one /groups rw - cgroup2 cgroup2 rw\n", "", "" },
		{ "0::/a\n", "41 31 0:38 - cgroup2 cgroup2 rw\n", "", "" },
		{ "", "", "", "" },
	};
	struct ath_cgroup_place place;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_told = ath_cgroup_read_place(rows[i].cgroup, rows[i].mountinfo, &place);

		assert_int_equal(is_told, *rows[i].mount != '\0');
		assert_string_equal(place.mount, rows[i].mount);
		assert_string_equal(place.own, rows[i].own);
	}
}

static void place_with_too_long_a_path_is_not_used(void **state)
{
	char cgroup[2 * ATH_CGROUP_PATH];
	struct ath_cgroup_place place;

	(void)state;
	snprintf(cgroup, sizeof(cgroup), "0::/%0*d\n", ATH_CGROUP_PATH - 8, 0);
	assert_false(ath_cgroup_read_place(
		cgroup, "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", &place));
	assert_string_equal(place.own, "");
}

/* ---- a folder that looks like it ---- */

struct fixture {
	char top[64];
	struct ath_cgroup_place place;
	struct ath_cgroup group; /* of the run "dead" */
};

static void put(const char *folder, const char *name, const char *text)
{
	char path[2 * ATH_CGROUP_PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void put_group(const char *folder, const char *processes, const char *events)
{
	assert_int_equal(mkdir(folder, 0700), 0);
	put(folder, "cgroup.procs", processes);
	put(folder, "cgroup.events", events);
	put(folder, "cgroup.kill", "");
}

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));
	char path[ATH_CGROUP_PATH + 16];

	snprintf(fix->top, sizeof(fix->top), "/tmp/athanor-cgroup-XXXXXX");
	assert_non_null(mkdtemp(fix->top));
	snprintf(fix->place.mount, sizeof(fix->place.mount), "%s", fix->top);
	snprintf(fix->place.own, sizeof(fix->place.own), "%s/session", fix->top);
	put_group(fix->place.own, "1\n", "populated 1\n");
	snprintf(path, sizeof(path), "%s/other", fix->top);
	put_group(path, "", "populated 1\n");
	snprintf(fix->group.path, sizeof(fix->group.path), "%s/other/athanor-dead", fix->top);
	put_group(fix->group.path, "11\n12\n", "populated 0\nfrozen 0\n");
	snprintf(path, sizeof(path), "%s/made-by-a-step", fix->group.path);
	put_group(path, "13\n", "populated 0\n");
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;
	struct ath_err err = { 0 };

	assert_true(ath_file_remove_tree(fix->top, &err));
	free(fix);
	return 0;
}

static void expect_killed(const struct ath_cgroup *group, const char *text)
{
	struct ath_str told = { 0 };
	struct ath_err err = { 0 };
	char path[ATH_CGROUP_PATH + 16];

	snprintf(path, sizeof(path), "%s/cgroup.kill", group->path);
	assert_true(ath_file_read(path, 16, &told, &err));
	assert_string_equal(ath_str_get(&told), text);
	ath_str_fini(&told);
}

static void sweep_finds_the_group_anywhere_and_counts_what_it_holds(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(ath_cgroup_sweep(&fix->place, "dead", NULL), 3);
	expect_killed(&fix->group, "1");
}

static void sweep_touches_no_group_of_another_run(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(ath_cgroup_sweep(&fix->place, "dea", NULL), 0);
	assert_int_equal(ath_cgroup_sweep(&fix->place, "dead1", NULL), 0);
	assert_int_equal(ath_cgroup_sweep(&(struct ath_cgroup_place){ 0 }, "dead", NULL), 0);
	expect_killed(&fix->group, "");
}

static void sweep_leaves_a_group_alone_that_it_runs_in_itself(void **state)
{
	struct fixture *fix = *state;

	memcpy(fix->place.own, fix->group.path, sizeof(fix->place.own));
	assert_int_equal(ath_cgroup_sweep(&fix->place, "dead", NULL), 0);
	strcat(fix->place.own, "/made-by-a-step");
	assert_int_equal(ath_cgroup_sweep(&fix->place, "dead", NULL), 0);
	expect_killed(&fix->group, "");
	snprintf(fix->place.own, sizeof(fix->place.own), "%s/other/athanor-dead-beside", fix->top);
	assert_int_equal(ath_cgroup_sweep(&fix->place, "dead", NULL), 3);
}

static void sweep_waits_until_the_group_is_empty(void **state)
{
	struct fixture *fix = *state;
	struct ath_mono since = ath_time_mono();
	pid_t pid;

	put(fix->group.path, "cgroup.events", "populated 1\n");
	pid = fork();
	if (pid == 0) {
		procs_sleep_ms(200);
		put(fix->group.path, "cgroup.events", "populated 0\n");
		_exit(0);
	}
	ath_cgroup_sweep(&fix->place, "dead", NULL);
	assert_in_range(ath_time_elapsed_ms(since), 190, 5000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What is not a group of the kernel's, or one without cgroup.kill, is left as it was. */
static void no_group_is_made_where_it_could_not_be_killed(void **state)
{
	struct fixture *fix = *state;
	struct ath_cgroup group;
	char path[ATH_CGROUP_PATH + 32];

	ath_cgroup_make(&fix->place, "new",
			&group); /* an ordinary folder, as far as it can be told */
	assert_string_equal(group.path, "");
	snprintf(path, sizeof(path), "%s/athanor-new", fix->place.own);
	assert_int_equal(access(path, F_OK), -1);
	ath_cgroup_make(&(struct ath_cgroup_place){ 0 }, "new", &group);
	assert_string_equal(group.path, "");
	snprintf(fix->place.own, sizeof(fix->place.own), "%s/not-here", fix->top);
	ath_cgroup_make(&fix->place, "new", &group);
	assert_string_equal(group.path, "");
}

static void make_folder(const char *top, const char *name, time_t age, char *out_path, size_t cap)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - age } };

	snprintf(out_path, cap, "%s/%s", top, name);
	assert_int_equal(mkdir(out_path, 0700), 0);
	assert_int_equal(utimensat(AT_FDCWD, out_path, times, 0), 0);
}

static void what_dead_runs_left_empty_is_removed_when_a_group_is_made(void **state)
{
	struct fixture *fix = *state;
	struct ath_cgroup group;
	char old[200], young[200], other[200];

	make_folder(fix->top, "athanor-old", 120, old, sizeof(old));
	make_folder(fix->top, "athanor-young", 5, young, sizeof(young));
	make_folder(fix->top, "not-athanor-old", 120, other, sizeof(other));
	snprintf(fix->place.own, sizeof(fix->place.own), "%s", fix->top);
	ath_cgroup_make(&fix->place, "new", &group);
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(access(young, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
}

static void nothing_is_done_without_a_group(void **state)
{
	struct ath_cgroup none = { 0 };

	(void)state;
	ath_cgroup_take_in(&none, getpid());
	ath_cgroup_kill(&none);
	ath_cgroup_leave(&none);
	ath_cgroup_remove(&none);
}

/* ---- the kernel's ---- */

static pid_t start_member(struct ath_cgroup *group)
{
	int pipes[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) { /* a member by birth: the child of one, in a session of its own */
		if (read(pipes[0], &byte, 1) != 1)
			_exit(1);
		if (fork() == 0) {
			setsid();
			close(pipes[0]);
			close(pipes[1]);
			pause();
		}
		_exit(0);
	}
	ath_cgroup_take_in(group, pid);
	assert_int_equal(write(pipes[1], "", 1), 1);
	close(pipes[1]);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void a_daemon_of_a_member_is_killed_with_its_group(void **state)
{
	struct ath_cgroup_place place;
	struct ath_cgroup group;
	char inner[ATH_CGROUP_PATH + 16];

	(void)state;
	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, procs_new_tag(), &group);
	if (!*group.path)
		skip(); /* no cgroup v2 that this user may write to */
	start_member(&group);
	assert_string_not_equal(group.path, "");
	snprintf(inner, sizeof(inner), "%s/inner", group.path);
	assert_int_equal(mkdir(inner, 0700), 0);
	assert_int_equal(rmdir(group.path), -1); /* the control: it holds somebody */
	assert_int_equal(
		ath_cgroup_sweep(&place, strrchr(group.path, '/') + strlen("/athanor-"), NULL), 1);
	assert_int_equal(access(group.path, F_OK), -1);
	procs_assert_no_child();
}

static void who_has_left_its_group_can_remove_it(void **state)
{
	struct ath_cgroup_place place;
	struct ath_cgroup group;
	pid_t pid;
	int status;

	(void)state;
	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, procs_new_tag(), &group);
	if (!*group.path)
		skip();
	pid = fork();
	if (pid == 0) {
		ath_cgroup_take_in(&group, getpid());
		ath_cgroup_leave(&group);
		ath_cgroup_remove(&group);
		_exit(access(group.path, F_OK) == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_group_that_nobody_can_enter_is_removed(void **state)
{
	struct ath_cgroup_place place;
	struct ath_cgroup group, copy;

	(void)state;
	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, procs_new_tag(), &group);
	if (!*group.path)
		skip();
	copy = group;
	ath_cgroup_take_in(&group, 1 << 29); /* no such process */
	assert_string_equal(group.path, "");
	assert_int_equal(access(copy.path, F_OK), -1);
}

#define ON_FOLDER(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_is_read_from_what_the_kernel_tells),
		cmocka_unit_test(place_with_too_long_a_path_is_not_used),
		ON_FOLDER(sweep_finds_the_group_anywhere_and_counts_what_it_holds),
		ON_FOLDER(sweep_touches_no_group_of_another_run),
		ON_FOLDER(sweep_leaves_a_group_alone_that_it_runs_in_itself),
		ON_FOLDER(sweep_waits_until_the_group_is_empty),
		ON_FOLDER(no_group_is_made_where_it_could_not_be_killed),
		ON_FOLDER(what_dead_runs_left_empty_is_removed_when_a_group_is_made),
		cmocka_unit_test(nothing_is_done_without_a_group),
		cmocka_unit_test(a_daemon_of_a_member_is_killed_with_its_group),
		cmocka_unit_test(who_has_left_its_group_can_remove_it),
		cmocka_unit_test(a_group_that_nobody_can_enter_is_removed),
	};

	procs_adopt();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
