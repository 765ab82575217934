/* SPDX-License-Identifier: MIT */
/*
 * os/file: a writer that is killed leaves nothing for good.
 *
 * Each writer is a process of its own that ends, as by SIGKILL, before its n-th sync or change
 * of a name, for every n that it comes to. The next writer of the same file must come to its end and leave the file
 * alone in its folder. The linker puts our functions before those of the C library.
 */
#include "tests/unit/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "bridge/request.h"
#include "os/file.h"
#include "tests/unit/recipe_tree.h"

int __real_fsync(int fd);
int __real_link(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_rename(const char *from, const char *to);
int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_fsync(int fd);
int __wrap_link(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);

enum {
	MOST_POINTS = 100, /* more than any of the writers has */
};

/* Where a writer is killed, or waits. */
static struct {
	int left;                 /* points to go, 0: none is wanted; set in a child only */
	int tell_fd, wait_fd;     /* if not 0: wait there, instead of being killed */
	bool has_no_rename_flags; /* as on a file system that cannot rename without replacing */
} point;

static void pass(void)
{
	char byte = 0;

	if (!point.left || --point.left)
		return;
	if (!point.tell_fd)
		kill(getpid(), SIGKILL);
	if (write(point.tell_fd, &byte, 1) != 1 || read(point.wait_fd, &byte, 1) != 1)
		abort();
}

int __wrap_fsync(int fd)
{
	pass();
	return __real_fsync(fd);
}

int __wrap_link(const char *from, const char *to)
{
	pass();
	return __real_link(from, to);
}

int __wrap_unlink(const char *path)
{
	pass();
	return __real_unlink(path);
}

int __wrap_rename(const char *from, const char *to)
{
	pass();
	return __real_rename(from, to);
}

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	pass();
	if (point.has_no_rename_flags && flags) {
		errno = EINVAL;
		return -1;
	}
	return __real_renameat2(from_at, from, to_at, to, flags);
}

typedef bool writer_fn(const char *folder, struct ath_err *err);

static bool create(const char *folder, struct ath_err *err)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/.env", folder);
	if (ath_file_create(path, "new", 3, 0600, err))
		return true;
	if (err->code == ATH_ERR_EXISTS) /* the one before was killed after it had got its name */
		ath_err_clear(err);
	return err->code == ATH_ERR_OK;
}

static bool replace(const char *folder, struct ath_err *err)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/state-dir", folder);
	return ath_file_replace(path, "new", 3, 0600, err);
}

static bool unfold(const char *folder, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	const char *path;
	bool is_done = ath_bridge_write_program(folder, &arena, &path, err);

	ath_arena_fini(&arena);
	return is_done;
}

/* Write in a process of its own that ends at its n-th point (0: at none). */
static pid_t start(writer_fn *writer, const char *folder, int stop_at)
{
	struct ath_err err = { 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	point.left = stop_at;
	_exit(writer(folder, &err) ? 0 : 1);
}

static int end_of(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int count_left(const char *path, const struct stat *found, int type, struct FTW *place)
{
	(void)found, (void)place;
	return type == FTW_F && strstr(path, ".athanor-") != NULL;
}

static bool has_left_over(const char *folder)
{
	return nftw(folder, count_left, 8, FTW_PHYS) != 0;
}

/* Kill a writer at every point it has; the next one removes what is left. How often was it something? */
static int kill_everywhere(writer_fn *writer)
{
	int ended = -SIGKILL, times = 0;
	char root[64];

	for (int stop_at = 1; ended == -SIGKILL; stop_at++) {
		assert_true(stop_at < MOST_POINTS);
		tree_make(root);
		ended = end_of(start(writer, root, stop_at));
		times += has_left_over(root);
		assert_int_equal(end_of(start(writer, root, 0)), 0);
		assert_false(has_left_over(root));
		tree_remove(root);
	}
	assert_int_equal(ended, 0);
	return times;
}

static void a_killed_writer_leaves_nothing_for_good(void **state)
{
	(void)state;
	assert_true(kill_everywhere(create) >= 2);
	assert_true(kill_everywhere(replace) >= 2);
}

static void a_bridge_that_was_killed_while_it_unfolds_is_whole_after_the_next_run(void **state)
{
	(void)state;
	assert_true(kill_everywhere(unfold) >=
		    8); /* four files, each before its sync and its name */
}

/* There a file has two names for a moment: its own and the temporary one. */
static void the_same_holds_where_renaming_cannot_refuse_to_replace(void **state)
{
	(void)state;
	point.has_no_rename_flags = true;
	assert_true(kill_everywhere(create) >= 4);
	point.has_no_rename_flags = false;
}

/* Two at once: what a living process is about to rename is not a left-over. */
static void a_writer_that_is_at_work_is_not_disturbed(void **state)
{
	int told[2], gate[2];
	struct ath_err err = { 0 };
	char root[64], byte;
	pid_t pid;

	(void)state;
	tree_make(root);
	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(gate), 0);
	pid = fork();
	if (!pid) {
		point.left = 2; /* the bytes are written and synced, and get their name next */
		point.tell_fd = told[1];
		point.wait_fd = gate[0];
		_exit(replace(root, &err) ? 0 : 1);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_true(has_left_over(root));
	assert_true(replace(root, &err));
	assert_true(has_left_over(root));
	assert_int_equal(write(gate[1], "", 1), 1);
	assert_int_equal(end_of(pid), 0);
	assert_false(has_left_over(root));
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(gate[i]);
	}
	tree_remove(root);
}

/* Only what bears such a name, of the same file, and is a file. */
static void what_is_not_left_over_stays(void **state)
{
	static const char *const kept[] = { ".state-dir.athanor-12-x", ".state-dir.athanor-12",
					    ".other.athanor-12-0", ".state-dir.athanor-13-0/in" };
	struct ath_err err = { 0 };
	char root[64], path[128];

	(void)state;
	tree_make(root);
	tree_put(root, ".state-dir.athanor-12-0", "a dead one's");
	for (size_t i = 0; i < 4; i++)
		tree_put(root, kept[i], "kept");
	snprintf(path, sizeof(path), "%s/.state-dir.athanor-14-0", root);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_true(replace(root, &err));
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, kept[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	snprintf(path, sizeof(path), "%s/.state-dir.athanor-14-0", root);
	assert_true(ath_file_is_link(path));
	snprintf(path, sizeof(path), "%s/.state-dir.athanor-12-0", root);
	assert_int_equal(ath_file_kind(path), ATH_FILE_ABSENT);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_writer_leaves_nothing_for_good),
		cmocka_unit_test(
			a_bridge_that_was_killed_while_it_unfolds_is_whole_after_the_next_run),
		cmocka_unit_test(the_same_holds_where_renaming_cannot_refuse_to_replace),
		cmocka_unit_test(a_writer_that_is_at_work_is_not_disturbed),
		cmocka_unit_test(what_is_not_left_over_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
