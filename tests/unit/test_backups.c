/* SPDX-License-Identifier: MIT */
/* facts/backups: how a backup is named, and what follows from one without anybody's writing. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "facts/backups.h"

static struct ath_backup items[] = {
	/* newest first; `pages` before its run, `made` by its run */
	{ .mark = "abcd34", .command = "restore", .of = "/db", .pages = "S3", .made = "S4" },
	{ .mark = "abcd12", .command = "install", .of = "/other", .pages = "S1", .made = NULL },
	{ .mark = "cd5678", .command = "repair", .of = "/db", .pages = "S2x", .made = "S3" },
	{ .mark = "ef7890", .command = "install", .of = "/db", .pages = "S1", .made = "S2" },
	{ .mark = "e12345", .command = "install", .of = "/other", .pages = "S1", .made = "S9" },
};

static const struct ath_backups backups = { .items = items, .len = 5, .digits = 4 };

/* The mark that is found, or the name of the error. */
static const char *find(const char *text)
{
	struct ath_err err = { 0 };
	size_t idx;

	return ath_backups_find(&backups, text, &idx, &err) ? items[idx].mark
							    : ath_err_name(err.code);
}

static void a_backup_is_named_by_the_beginning_of_its_mark(void **state)
{
	(void)state;
	assert_string_equal(find("abcd3"), "abcd34");
	assert_string_equal(find("cd5678"), "cd5678");
	assert_string_equal(find("ef78"), "ef7890");
	assert_string_equal(find("abcd"), "usage");
	assert_string_equal(find("ef7"), "not-found"); /* too short to stay the only one */
	assert_string_equal(find("cd56789"), "not-found");
	assert_string_equal(find("xxxx"), "not-found");
	assert_string_equal(find(""), "not-found");
}

static void last_is_before_the_last_change_that_was_no_restore(void **state)
{
	static const struct ath_backups restores = { .items = items, .len = 1, .digits = 4 };

	(void)state;
	assert_string_equal(find("last"), "cd5678"); /* nor one of a run that has changed nothing */
	assert_int_equal(ath_backups_find_last(&restores), 1);
}

static void nothing_is_found_where_there_is_none(void **state)
{
	static const struct ath_backups none = { 0 };
	struct ath_err err = { 0 };
	size_t idx;

	(void)state;
	assert_false(ath_backups_find(&none, "last", &idx, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
}

static void what_runs_have_made_of_it_is_followed(void **state)
{
	struct ath_arena arena = { 0 };

	(void)state;
	/* of the other database nothing follows, and somebody wrote between S2 and S2x */
	assert_string_equal(ath_backups_follow(&backups, 3, &arena), "S1,S2");
	assert_string_equal(ath_backups_follow(&backups, 2, &arena), "S2x,S3");
	assert_string_equal(ath_backups_follow(&backups, 0, &arena), "S3");
	assert_string_equal(ath_backups_follow(&backups, 4, &arena), "S1,S9");
	ath_arena_fini(&arena);
}

static void what_a_restore_has_put_back_is_newer_unless_it_was_kept_before(void **state)
{
	/* S1 becomes S2, somebody writes S2x, S1 is put back, then S2x again, then S1 once more */
	struct ath_backup told[] = {
		{ .mark = "r3", .command = "restore", .of = "/db", .pages = "S2x", .made = "S1" },
		{ .mark = "r2", .command = "restore", .of = "/db", .pages = "S1", .made = "S2x" },
		{ .mark = "r1", .command = "restore", .of = "/db", .pages = "S2x", .made = "S1" },
		{ .mark = "i1", .command = "install", .of = "/db", .pages = "S1", .made = "S2" },
	};
	const struct ath_backups all = { .items = told, .len = 4, .digits = 4 };
	struct ath_arena arena = { 0 };

	(void)state;
	assert_string_equal(ath_backups_follow(&all, 3, &arena), "S1,S2");
	assert_string_equal(ath_backups_follow(&all, 2, &arena), "S2x,S1,S2x,S1");
	assert_string_equal(ath_backups_follow(&all, 0, &arena), "S2x,S1");
	ath_arena_fini(&arena);
}

static void only_names_that_runs_give_are_unfinished(void **state)
{
	static const char *const ours[] = {
		"pre-0123456789abcdef.db.partial",
		"pre-0123456789abcdef.db.partial-journal",
		"raw-0123456789abcdef.db-super.partial",
		"raw-0123456789abcdef-3.db-journal.partial",
		"damaged-0123456789abcdef.db-wal.partial",
	};
	static const char *const others[] = {
		"",
		".partial",
		"mine.partial",
		"pre-2024.db.partial",
		"pre-0123456789abcdef.db",
		"pre-0123456789abcdef0.db.partial",
		"pre-0123456789ABCDEF.db.partial",
		"pre-0123456789abcdef-4.db.partial",
		"pre-0123456789abcdef.tar.partial",
		"raw-0123456789abcdef.db.partials",
		"old-0123456789abcdef.db.partial",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_true(ath_backup_is_partial(ours[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(ath_backup_is_partial(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backup_is_named_by_the_beginning_of_its_mark),
		cmocka_unit_test(last_is_before_the_last_change_that_was_no_restore),
		cmocka_unit_test(nothing_is_found_where_there_is_none),
		cmocka_unit_test(what_runs_have_made_of_it_is_followed),
		cmocka_unit_test(what_a_restore_has_put_back_is_newer_unless_it_was_kept_before),
		cmocka_unit_test(only_names_that_runs_give_are_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
