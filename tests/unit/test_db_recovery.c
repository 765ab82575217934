/* SPDX-License-Identifier: MIT */
/* sqlite/recovery: a hot journal is told from others, and kept with its database byte for byte. */
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>

#include "sqlite/recovery.h"
#include "tests/unit/db_generations.h"

static struct ath_db_form form_of(const char *path)
{
	return (struct ath_db_form){ .path = path, .busy_ms = 50 };
}

static struct ath_recovery_seen copy_to(const char *to)
{
	struct ath_db_form form = form_of(db_path("a"));
	struct ath_recovery_seen seen;
	struct ath_err err = { 0 };

	if (!ath_recovery_copy(&form, to, &seen, NULL, NULL, &err))
		fail_msg("%s", err.msg);
	return seen;
}

static void hot_journal_and_its_database_are_copied_byte_for_byte(void **state)
{
	struct db_bytes main, journal;
	struct ath_recovery_seen seen;
	struct stat st;
	int result;

	(void)state;
	db_make_hot(db_path("a"));
	main = db_load(db_path("a")), journal = db_load(db_path("a-journal"));
	assert_true(ath_recovery_is_due(db_path("a")));
	seen = copy_to(db_path("raw"));
	assert_int_equal(seen.main.bytes, main.len);
	assert_int_equal(seen.journal.bytes, journal.len);
	assert_false(seen.has_super);
	assert_true(ath_recovery_is_same(db_path("a"), &seen));
	assert_true(ath_recovery_is_due(db_path("a"))); /* nothing was rolled back by the copy */
	stat(db_path("raw"), &st);
	assert_int_equal(st.st_mode & 07777, 0600);
	stat(db_path("raw-journal"), &st);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(access(db_path("raw.partial"), F_OK), 0);
	assert_true(db_is_same(main, db_path("raw")));
	assert_true(db_is_same(journal, db_path("raw-journal")));
	/* The copy recovers as the original does. */
	assert_string_equal(db_ask(db_path("raw"), "SELECT sum(body LIKE 'old%') FROM t", &result),
			    "500");
	db_ask(db_path("a"), "SELECT 1 FROM t", &result);
	assert_false(ath_recovery_is_due(db_path("a")));
	assert_false(ath_recovery_is_same(db_path("a"), &seen));
}

static void journal_that_is_not_hot_is_left_alone(void **state)
{
	static const char zeros[512];

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (body TEXT)");
	assert_false(ath_recovery_is_due(db_path("a")));
	db_store(db_path("a-journal"), zeros, sizeof(zeros)); /* journal_mode=PERSIST leaves such */
	assert_false(ath_recovery_is_due(db_path("a")));
	assert_int_equal(copy_to(db_path("raw")).main.bytes, 0);
	assert_int_not_equal(access(db_path("raw"), F_OK), 0);
	db_store(db_path("a-journal"), "", 0);
	assert_false(ath_recovery_is_due(db_path("a")));
	unlink(db_path("a")), unlink(db_path("a-journal"));
	generation_make(db_path("a"), GENERATION_OLD, "WAL");
	db_crash(db_path("a"), "DELETE FROM t");
	assert_false(ath_recovery_is_due(db_path("a")));
}

static void copy_waits_for_whoever_writes_and_names_him(void **state)
{
	struct ath_db_form form = form_of(db_path("a"));
	struct ath_recovery_seen seen;
	struct ath_err err = { 0 };
	struct db_holder holder;
	char pid[32];

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (body TEXT)");
	holder = db_hold(db_path("a"), "BEGIN EXCLUSIVE");
	snprintf(pid, sizeof(pid), "(process %d)", (int)holder.pid);
	assert_false(ath_recovery_copy(&form, db_path("raw"), &seen, NULL, NULL, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	assert_non_null(strstr(err.msg, pid));
	db_release(holder);
}

/* Another process tries to roll back, by looking at it; counted if it is kept from that. */
static bool roll_back_beside(void *user, uint64_t done, uint64_t total)
{
	int *kept = user, status;
	pid_t pid = fork();

	(void)done, (void)total;
	if (!pid) {
		int result;

		db_ask(db_path("a"), "SELECT 1 FROM t", &result);
		_exit(result == SQLITE_BUSY ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	*kept = status ? -1000 : *kept + 1;
	return true;
}

static void nobody_rolls_back_while_it_is_copied(void **state)
{
	struct ath_db_form form = form_of(db_path("a"));
	struct ath_recovery_seen seen;
	struct ath_err err = { 0 };
	struct db_bytes main;
	int kept = 0;

	(void)state;
	db_make_hot(db_path("a"));
	main = db_load(db_path("a"));
	assert_true(ath_recovery_copy(&form, db_path("raw"), &seen, roll_back_beside, &kept, &err));
	assert_true(kept > 0);
	assert_true(db_is_same(main, db_path("raw")));
	roll_back_beside(&kept, 0, 0); /* the control: without the lock it is rolled back */
	assert_true(kept < 0);
	assert_false(ath_recovery_is_due(db_path("a")));
}

static bool say_no(void *user, uint64_t done, uint64_t total)
{
	(void)user, (void)done, (void)total;
	return false;
}

static void copy_that_is_called_off_leaves_nothing(void **state)
{
	static const char *const names[] = { "raw", "raw-journal", "raw.partial",
					     "raw-journal.partial" };
	struct ath_db_form form = form_of(db_path("a"));
	struct ath_recovery_seen seen;
	struct ath_err err = { 0 };
	struct db_bytes main;

	(void)state;
	db_make_hot(db_path("a"));
	main = db_load(db_path("a"));
	assert_false(ath_recovery_copy(&form, db_path("raw"), &seen, say_no, NULL, &err));
	assert_int_equal(err.code, ATH_ERR_CANCELLED);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_not_equal(access(db_path(names[i]), F_OK), 0);
	assert_true(db_is_same(main, db_path("a")));
	assert_true(ath_recovery_is_due(db_path("a")));
}

/* The end of a journal of a transaction over several files (pager.c, writeSuperJournal). */
static void append_super_name(const char *journal, const char *name)
{
	static const unsigned char magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
	unsigned len = (unsigned)strlen(name), sum = 0;
	FILE *file = fopen(journal, "a");

	for (unsigned i = 0; i < len; i++)
		sum += (unsigned char)name[i];
	for (int part = 0; part < 4; part++) {
		unsigned numbers[] = { 0xffffffff, 0, len, sum };

		if (part == 1 && fwrite(name, 1, len, file) != len)
			db_give_up(journal);
		for (int shift = 24; part != 1 && shift >= 0; shift -= 8)
			fputc((int)(numbers[part] >> shift & 0xff), file);
	}
	if (fwrite(magic, 1, sizeof(magic), file) != sizeof(magic) || fclose(file))
		db_give_up(journal);
}

/* While the super-journal is there, the journals that name it are hot; without it they are not played
 * back, so a copy without it would be worth nothing. */
static void super_journal_is_kept_too(void **state)
{
	struct ath_recovery_seen seen;
	struct db_bytes super;

	(void)state;
	db_make_hot(db_path("a"));
	db_store(db_path("a-super"), "names of journals", 17);
	super = db_load(db_path("a-super"));
	append_super_name(db_path("a-journal"), db_path("a-super"));
	assert_true(ath_recovery_is_due(db_path("a")));
	seen = copy_to(db_path("raw"));
	assert_true(seen.has_super);
	assert_true(db_is_same(super, db_path("raw-super")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(hot_journal_and_its_database_are_copied_byte_for_byte),
		db_test(journal_that_is_not_hot_is_left_alone),
		db_test(copy_waits_for_whoever_writes_and_names_him),
		db_test(nobody_rolls_back_while_it_is_copied),
		db_test(copy_that_is_called_off_leaves_nothing),
		db_test(super_journal_is_kept_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
