/* SPDX-License-Identifier: MIT */
/* Tests of os/file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"

struct fixture {
	char folder[64];
	char path[96], other[96];
	struct ath_err err;
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	snprintf(fix->folder, sizeof(fix->folder), "/tmp/athanor-file-XXXXXX");
	assert_non_null(mkdtemp(fix->folder));
	snprintf(fix->path, sizeof(fix->path), "%s/one", fix->folder);
	snprintf(fix->other, sizeof(fix->other), "%s/two", fix->folder);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	ath_err_clear(&fix->err);
	assert_true(ath_file_remove_tree(fix->folder, &fix->err));
	assert_int_equal(ath_file_kind(fix->folder), ATH_FILE_ABSENT);
	free(fix);
	return 0;
}

static void expect_code(struct fixture *fix, bool status, enum ath_err_code code)
{
	assert_false(status);
	assert_int_equal(fix->err.code, code);
	ath_err_clear(&fix->err);
}

static void expect_contents(struct fixture *fix, const char *path, const char *expected)
{
	struct ath_str text = { 0 };

	assert_true(ath_file_read(path, 1000, &text, &fix->err));
	assert_string_equal(ath_str_get(&text), expected);
	ath_str_fini(&text);
}

static bool on_count(void *user, const char *name, bool is_folder)
{
	(void)name;
	(void)is_folder;
	++*(unsigned *)user;
	return true;
}

static unsigned count_entries(struct fixture *fix)
{
	unsigned count = 0;

	assert_true(ath_file_list(fix->folder, on_count, &count, &fix->err));
	return count;
}

static void create_makes_a_whole_file_with_its_mode(void **state)
{
	struct fixture *fix = *state;
	struct stat facts;
	mode_t mask = umask(077);

	assert_true(ath_file_create(fix->path, "text", 4, 0640, &fix->err));
	umask(mask);
	expect_contents(fix, fix->path, "text");
	assert_int_equal(stat(fix->path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0640);
	assert_int_equal(count_entries(fix), 1);
}

static void create_leaves_an_existing_file_or_link_alone(void **state)
{
	struct fixture *fix = *state;

	assert_true(ath_file_create(fix->path, "old", 3, 0600, &fix->err));
	expect_code(fix, ath_file_create(fix->path, "new", 3, 0600, &fix->err), ATH_ERR_EXISTS);
	expect_contents(fix, fix->path, "old");
	assert_int_equal(symlink("/nowhere/at/all", fix->other), 0);
	expect_code(fix, ath_file_create(fix->other, "new", 3, 0600, &fix->err), ATH_ERR_EXISTS);
	assert_int_equal(count_entries(fix), 2); /* and no temporary file is left */
}

static void create_does_not_use_a_temporary_name_that_is_taken(void **state)
{
	struct fixture *fix = *state;
	char name[128];

	snprintf(name, sizeof(name), "%s/.one.athanor-%d-0", fix->folder, (int)getpid());
	assert_int_equal(symlink(fix->other, name), 0);
	assert_true(ath_file_create(fix->path, "text", 4, 0600, &fix->err));
	expect_contents(fix, fix->path, "text");
	assert_int_equal(ath_file_kind(fix->other), ATH_FILE_ABSENT);
}

static void replace_exchanges_contents_and_mode(void **state)
{
	struct fixture *fix = *state;
	struct ath_file_stamp before, after;

	assert_true(ath_file_create(fix->path, "old", 3, 0600, &fix->err));
	assert_true(ath_file_stamp(fix->path, &before));
	assert_true(ath_file_replace(fix->path, "newer", 5, 0644, &fix->err));
	assert_true(ath_file_stamp(fix->path, &after));
	expect_contents(fix, fix->path, "newer");
	assert_int_not_equal(before.ino, after.ino);
	assert_int_equal(after.size, 5);
	assert_int_equal(count_entries(fix), 1);
	assert_false(ath_file_stamp(fix->other, &after));
}

static void write_fails_where_the_folder_is_missing(void **state)
{
	struct fixture *fix = *state;

	expect_code(fix, ath_file_create("/no/such/folder/x", "", 0, 0600, &fix->err), ATH_ERR_IO);
	expect_code(fix, ath_file_replace("/no/such/folder/x", "", 0, 0600, &fix->err), ATH_ERR_IO);
}

static void read_keeps_to_its_limit(void **state)
{
	struct fixture *fix = *state;
	struct ath_str text = { 0 };

	ath_str_puts(&text, "before ");
	assert_true(ath_file_create(fix->path, "12345", 5, 0600, &fix->err));
	expect_code(fix, ath_file_read(fix->path, 4, &text, &fix->err), ATH_ERR_LIMIT);
	assert_string_equal(ath_str_get(&text), "before ");
	assert_true(ath_file_read(fix->path, 5, &text, &fix->err));
	assert_string_equal(ath_str_get(&text), "before 12345");
	expect_code(fix, ath_file_read(fix->other, 5, &text, &fix->err), ATH_ERR_NOT_FOUND);
	expect_code(fix, ath_file_read(fix->folder, 5, &text, &fix->err), ATH_ERR_IO);
	expect_code(fix, ath_file_read("/dev/zero", 100000, &text, &fix->err), ATH_ERR_LIMIT);
	assert_int_equal(mkfifo(fix->other, 0600), 0);
	assert_true(ath_file_read(fix->other, 5, &text, &fix->err)); /* does not hang */
	ath_str_fini(&text);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct fixture *fix = *state;
	struct stat facts;
	char deep[128], file[160];

	snprintf(deep, sizeof(deep), "%s/a//./b/c/", fix->folder);
	assert_true(ath_file_make_folders(deep, 0770, &fix->err));
	assert_int_equal(stat(deep, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0770);
	assert_true(ath_file_make_folders(deep, 0700, &fix->err));
	assert_int_equal(stat(deep, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0770);
	snprintf(file, sizeof(file), "%sfile", deep);
	assert_true(ath_file_create(file, "", 0, 0600, &fix->err));
	expect_code(fix, ath_file_make_folders(file, 0700, &fix->err), ATH_ERR_EXISTS);
}

static void put_into_place_never_overwrites(void **state)
{
	struct fixture *fix = *state;

	assert_true(ath_file_create(fix->path, "one", 3, 0600, &fix->err));
	assert_true(ath_file_create(fix->other, "two", 3, 0600, &fix->err));
	expect_code(fix, ath_file_put_into_place(fix->path, fix->other, &fix->err), ATH_ERR_EXISTS);
	expect_contents(fix, fix->other, "two");
	assert_int_equal(unlink(fix->other), 0);
	assert_true(ath_file_put_into_place(fix->path, fix->other, &fix->err));
	expect_contents(fix, fix->other, "one");
	assert_int_equal(ath_file_kind(fix->path), ATH_FILE_ABSENT);
	expect_code(fix, ath_file_put_into_place(fix->path, fix->other, &fix->err), ATH_ERR_IO);
}

static void remove_tree_does_not_follow_links(void **state)
{
	struct fixture *fix = *state;
	char inside[128], locked[160], link[160];

	assert_true(ath_file_create(fix->other, "keep", 4, 0600, &fix->err));
	snprintf(inside, sizeof(inside), "%s/a/b", fix->path);
	assert_true(ath_file_make_folders(inside, 0700, &fix->err));
	snprintf(link, sizeof(link), "%s/folder-link", inside);
	assert_int_equal(symlink(fix->folder, link), 0);
	snprintf(locked, sizeof(locked), "%s/locked", inside);
	assert_int_equal(mkdir(locked, 0500), 0);
	assert_true(ath_file_remove_tree(fix->path, &fix->err));
	assert_true(ath_file_remove_tree(fix->path, &fix->err));
	expect_contents(fix, fix->other, "keep");
	assert_int_equal(ath_file_kind(fix->path), ATH_FILE_ABSENT);
}

static void expect_text(char *owned, const char *expected)
{
	assert_string_equal(owned, expected);
	free(owned);
}

static void paths_are_joined_and_split(void **state)
{
	(void)state;
	expect_text(ath_file_join("/a", "b"), "/a/b");
	expect_text(ath_file_join("/a/", "./b/./c"), "/a/b/c");
	expect_text(ath_file_join("/a", "/b"), "/b");
	expect_text(ath_file_join("/a", "."), "/a");
	expect_text(ath_file_join(".", "b"), "b");
	expect_text(ath_file_join(".", "."), ".");
	expect_text(ath_file_join("/", "b"), "/b");
	expect_text(ath_file_join("/a", ".hidden/../x"), "/a/.hidden/../x");
	expect_text(ath_file_parent("/a/b"), "/a");
	expect_text(ath_file_parent("/a"), "/");
	expect_text(ath_file_parent("a"), ".");
	expect_text(ath_file_parent("a/b"), "a");
}

static void resolve_allows_missing_last_parts(void **state)
{
	struct fixture *fix = *state;
	char link[128], through[160], expected[128];

	snprintf(link, sizeof(link), "%s/link", fix->folder);
	snprintf(through, sizeof(through), "%s/new", link);
	snprintf(expected, sizeof(expected), "%s/new", fix->folder);
	assert_int_equal(symlink(".", link), 0);
	expect_text(ath_file_resolve(link, &fix->err), fix->folder);
	expect_text(ath_file_resolve(through, &fix->err), expected);
	expect_text(ath_file_resolve("/no/such/path", &fix->err), "/no/such/path");
	snprintf(through, sizeof(through), "%s/loop", fix->folder);
	assert_int_equal(symlink("loop", through), 0);
	assert_null(ath_file_resolve(through, &fix->err));
	assert_int_equal(fix->err.code, ATH_ERR_IO);
}

static void space_is_measured_at_the_nearest_parent(void **state)
{
	struct fixture *fix = *state;
	struct ath_file_space space;
	char deep[128];

	snprintf(deep, sizeof(deep), "%s/not/yet/there", fix->folder);
	assert_true(ath_file_space(deep, &space, &fix->err));
	assert_true(space.free_bytes > 0);
	assert_false(space.is_network || space.is_fuse || space.is_readonly);
	assert_true(ath_file_can_write(fix->folder));
	assert_false(ath_file_can_write(deep));
}

static bool on_entry(void *user, const char *name, bool is_folder)
{
	struct ath_str *seen = user;

	ath_str_printf(seen, "%s%s ", name, is_folder ? "/" : "");
	return strcmp(name, "c") != 0;
}

static void list_is_sorted_and_can_be_stopped(void **state)
{
	struct fixture *fix = *state;
	struct ath_str seen = { 0 };
	char path[128];

	for (const char *name = "dcba"; *name; name++) {
		snprintf(path, sizeof(path), "%s/%c", fix->folder, *name);
		if (*name == 'b')
			assert_int_equal(symlink("/tmp", path), 0);
		else
			assert_true(ath_file_create(path, "", 0, 0600, &fix->err));
	}
	assert_true(ath_file_list(fix->folder, on_entry, &seen, &fix->err));
	assert_string_equal(ath_str_get(&seen), "a b/ c ");
	ath_str_fini(&seen);
	expect_code(fix, ath_file_list(fix->path, on_entry, &seen, &fix->err), ATH_ERR_NOT_FOUND);
}

static void kinds_are_told_apart(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(ath_file_kind(fix->folder), ATH_FILE_FOLDER);
	assert_int_equal(ath_file_kind("/dev/null"), ATH_FILE_OTHER);
	assert_int_equal(ath_file_kind(fix->path), ATH_FILE_ABSENT);
	assert_true(ath_file_create(fix->path, "", 0, 0600, &fix->err));
	assert_int_equal(ath_file_kind(fix->path), ATH_FILE_REGULAR);
	assert_true(ath_file_sync(fix->path, &fix->err));
	expect_code(fix, ath_file_sync(fix->other, &fix->err), ATH_ERR_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_makes_a_whole_file_with_its_mode),
		TEST(create_leaves_an_existing_file_or_link_alone),
		TEST(create_does_not_use_a_temporary_name_that_is_taken),
		TEST(replace_exchanges_contents_and_mode),
		TEST(write_fails_where_the_folder_is_missing),
		TEST(read_keeps_to_its_limit),
		TEST(folders_are_made_with_their_parents),
		TEST(put_into_place_never_overwrites),
		TEST(remove_tree_does_not_follow_links),
		TEST(paths_are_joined_and_split),
		TEST(resolve_allows_missing_last_parts),
		TEST(space_is_measured_at_the_nearest_parent),
		TEST(list_is_sorted_and_can_be_stopped),
		TEST(kinds_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
