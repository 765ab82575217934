/* SPDX-License-Identifier: MIT */
/* journal/journal, migrate, replay: on real files, what was flushed stays and comes back in order. */
#include "tests/unit/cmocka_all.h"

#include "tests/unit/db_files.h"

#include "base/redact.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "sqlite/handle.h"

static const struct ath_journal_run first_run = { "mark-1", "boot-1", "install", 0 };

static struct ath_journal *open_journal(void)
{
	struct ath_err err = { 0 };
	struct ath_journal *journal = ath_journal_open(db_path("journal.db"), &err);

	if (!journal)
		fail_msg("%s", err.msg);
	return journal;
}

static struct ath_journal *open_with_run(const char *mark)
{
	struct ath_journal *journal = open_journal();
	const struct ath_journal_run run = { mark, "boot-1", "install", 0 };
	struct ath_err err = { 0 };

	assert_true(ath_journal_begin_run(journal, &run, &err));
	return journal;
}

static void flush(struct ath_journal *journal)
{
	struct ath_err err = { 0 };

	if (!ath_journal_flush(journal, &err))
		fail_msg("%s", err.msg);
}

static size_t count_transitions(struct ath_journal *journal, int64_t run)
{
	struct ath_replay_transitions rows;
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };

	assert_true(ath_replay_load_transitions(journal, run, &arena, &rows, &err));
	ath_arena_fini(&arena);
	return rows.len;
}

static void events_come_back_in_order(void **state)
{
	static const char *const steps[] = { "venv", "node", "venv", "requirements" };
	static const char *const states[] = { "running", "skipped", "succeeded", "failed" };
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_replay_transitions rows;
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		ath_journal_add_transition(journal, steps[i], i, states[i],
					   i == 3 ? "no\nnet" : NULL);
		if (i == 1)
			flush(journal);
	}
	flush(journal);
	ath_journal_close(journal);
	journal = open_journal();
	assert_true(ath_replay_load_transitions(journal, 1, &arena, &rows, &err));
	assert_int_equal(rows.len, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(rows.items[i].step, steps[i]);
		assert_string_equal(rows.items[i].state, states[i]);
		assert_int_equal(rows.items[i].attempt, i);
		assert_true(rows.items[i].at_ms > 0);
	}
	assert_null(rows.items[0].reason);
	assert_string_equal(rows.items[3].reason, "no\nnet");
	ath_arena_fini(&arena);
	ath_journal_close(journal);
}

static void the_newest_note_is_found(void **state)
{
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_pairs pairs = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_replay_find_note(journal, "image", &pairs, &err));
	assert_int_equal(err.code, ATH_ERR_OK);
	ath_pairs_set(&pairs, "path", "a");
	ath_journal_add_note(journal, "backup", "image", &pairs);
	ath_pairs_set(&pairs, "path", "b\nwith lines");
	ath_journal_add_note(journal, "commit", "image", &pairs);
	ath_journal_add_note(journal, "commit", "other", &(struct ath_pairs){ 0 });
	flush(journal);
	ath_pairs_fini(&pairs);
	assert_true(ath_replay_find_note(journal, "image", &pairs, &err));
	assert_string_equal(ath_pairs_get(&pairs, "path"), "b\nwith lines");
	ath_pairs_fini(&pairs);
	ath_journal_close(journal);
}

static bool is_in_files(const char *text)
{
	static const char *const names[] = { "journal.db", "journal.db-wal" };
	static char bytes[1 << 18];
	bool is_there = false;

	for (size_t i = 0; i < 2; i++) {
		FILE *file = fopen(db_path(names[i]), "r");
		size_t len = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

		if (file)
			fclose(file);
		is_there |= len && memmem(bytes, len, text, strlen(text));
	}
	return is_there;
}

/* A path is what a later run opens: it stays. */
static void secrets_do_not_come_into_the_file(void **state)
{
	struct ath_redact *set = ath_redact_new();
	struct ath_journal *journal = open_with_run("mark-1");
	const struct ath_journal_end end = { "failed", 1, "end word-one", NULL };
	struct ath_pairs pairs = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	ath_redact_add(set, "word-one");
	ath_journal_hide(journal, set);
	ath_pairs_set(&pairs, "path", "/srv/word-one.db");
	ath_pairs_set(&pairs, "told", "note word-one");
	ath_journal_add_note(journal, "backup", "image", &pairs);
	ath_journal_add_transition(journal, "venv", 1, "failed", "reason word-one");
	ath_journal_add_fact(journal, "told", "fact word-one");
	assert_true(ath_journal_end_run(journal, &end, &err));
	ath_pairs_fini(&pairs);
	assert_true(ath_replay_find_note(journal, "image", &pairs, &err));
	assert_string_equal(ath_pairs_get(&pairs, "path"), "/srv/word-one.db");
	assert_string_equal(ath_pairs_get(&pairs, "told"), "note ***");
	ath_pairs_fini(&pairs);
	assert_true(is_in_files("reason ***"));
	assert_true(is_in_files("end ***"));
	assert_false(is_in_files(" word-one"));
	ath_journal_close(journal);
	assert_false(is_in_files(" word-one"));
	ath_redact_free(set);
}

static void the_last_success_of_a_step_counts_until_it_is_forgotten(void **state)
{
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_replay_successes rows;
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	ath_journal_add_satisfied(journal, "venv", "one");
	ath_journal_add_satisfied(journal, "build", "two");
	ath_journal_add_satisfied(journal, "venv", "three");
	ath_journal_add_satisfied(journal, "node", "four");
	ath_journal_forget_satisfied(journal, "node");
	ath_journal_forget_satisfied(journal, "never");
	ath_journal_add_fact(journal, "database", "fresh");
	flush(journal);
	assert_true(ath_replay_load_successes(journal, &arena, &rows, &err));
	assert_int_equal(rows.len, 2);
	assert_string_equal(ath_replay_find_success(&rows, "venv"), "three");
	assert_string_equal(ath_replay_find_success(&rows, "build"), "two");
	assert_null(ath_replay_find_success(&rows, "node"));
	ath_arena_fini(&arena);
	ath_journal_close(journal);
	assert_string_equal(db_ask(db_path("journal.db"), "SELECT value FROM fact", NULL), "fresh");
}

static void runs_are_open_until_they_end_or_are_found_dead(void **state)
{
	const struct ath_journal_end end = { "failed", 1, "no net", "unchanged" };
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_replay_runs runs;
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	ath_journal_add_transition(journal, "venv", 1, "running", NULL);
	assert_true(ath_journal_end_run(journal, &end, &err));
	assert_int_equal(count_transitions(journal, 1), 1);
	ath_journal_close(journal);
	ath_journal_close(open_with_run("mark-2"));
	journal = open_journal();
	assert_true(ath_replay_load_open(journal, &arena, &runs, &err));
	assert_int_equal(runs.len, 1);
	assert_string_equal(runs.items[0].mark, "mark-2");
	assert_null(runs.items[0].outcome);
	assert_true(ath_journal_mark_dead(journal, runs.items[0].id, &err));
	assert_true(ath_replay_load_open(journal, &arena, &runs, &err));
	assert_int_equal(runs.len, 0);
	assert_true(ath_replay_load_runs(journal, true, 10, &arena, &runs, &err));
	assert_int_equal(runs.len, 2);
	assert_string_equal(runs.items[0].outcome, "died");
	assert_string_equal(runs.items[1].outcome, "failed");
	assert_int_equal(runs.items[1].exit_status, 1);
	assert_string_equal(runs.items[1].message, "no net");
	assert_string_equal(runs.items[1].database, "unchanged");
	ath_arena_fini(&arena);
	ath_journal_close(journal);
}

static void what_was_not_flushed_is_lost(void **state)
{
	struct ath_journal *journal = open_with_run("mark-1");

	(void)state;
	assert_false(ath_journal_has_pending(journal));
	ath_journal_add_transition(journal, "venv", 1, "running", NULL);
	flush(journal);
	ath_journal_add_transition(journal, "venv", 1, "succeeded", NULL);
	assert_true(ath_journal_has_pending(journal));
	ath_journal_close(journal);
	journal = open_journal();
	assert_int_equal(count_transitions(journal, 1), 1);
	ath_journal_close(journal);
}

/* A process that flushes 50 events, gathers one more and is killed. */
static void write_and_be_killed(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct ath_journal *journal = open_with_run("mark-1");

		for (unsigned i = 1; i <= 50; i++) {
			ath_journal_add_transition(journal, "venv", i, "running", NULL);
			flush(journal);
		}
		ath_journal_add_transition(journal, "venv", 51, "running", NULL);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void what_was_flushed_survives_the_death_of_its_writer(void **state)
{
	struct ath_journal *journal;

	(void)state;
	write_and_be_killed();
	journal = open_journal();
	assert_int_equal(count_transitions(journal, 1), 50);
	ath_journal_close(journal);
}

/* One event of a commit cannot be written: none of them is, and they can be written again. */
static void a_commit_is_whole_or_not_there(void **state)
{
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_err err = { 0 };

	(void)state;
	ath_journal_add_transition(journal, "venv", 1, "running", NULL);
	ath_journal_add_transition(journal, NULL, 1, "running", NULL);
	assert_false(ath_journal_flush(journal, &err));
	assert_non_null(strstr(err.msg, "journal.db' cannot be written: "));
	assert_int_equal(count_transitions(journal, 1), 0);
	assert_true(ath_journal_has_pending(journal));
	ath_journal_close(journal);
}

static void runs_that_found_nothing_share_a_row(void **state)
{
	const struct ath_journal_end end = { .outcome = "succeeded" };
	struct ath_journal *journal;
	struct ath_err err = { 0 };
	struct ath_replay_runs runs;
	struct ath_arena arena = { 0 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const char mark[] = { (char)('a' + i), '\0' };
		const struct ath_journal_run run = { mark, "boot-1", "install", 0 };

		journal = open_journal();
		assert_true(ath_journal_add_nothing(journal, &run, &err));
		ath_journal_close(journal);
	}
	journal = open_with_run("mark-1");
	assert_true(ath_journal_end_run(journal, &end, &err));
	assert_true(ath_journal_add_nothing(
		journal, &(struct ath_journal_run){ "d", "b", "install" }, &err));
	assert_true(ath_replay_load_runs(journal, true, 10, &arena, &runs, &err));
	assert_int_equal(runs.len, 3);
	assert_string_equal(runs.items[2].outcome, "nothing");
	assert_int_equal(runs.items[2].repeats, 2);
	assert_int_equal(runs.items[2].exit_status, 0);
	assert_int_equal(runs.items[0].repeats, 0);
	assert_true(ath_replay_load_runs(journal, false, 10, &arena, &runs, &err));
	assert_int_equal(runs.len, 1);
	ath_arena_fini(&arena);
	ath_journal_close(journal);
}

/* A journal of schema 99, whole in its main file. */
static void make_newer_journal(void)
{
	ath_journal_close(open_with_run("mark-1"));
	db_run(db_path("journal.db"), "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
}

static void a_newer_journal_is_refused_by_name_and_not_changed(void **state)
{
	struct db_bytes before;
	struct ath_err err = { 0 };

	(void)state;
	make_newer_journal();
	before = db_load(db_path("journal.db"));
	assert_null(ath_journal_open(db_path("journal.db"), &err));
	assert_int_equal(err.code, ATH_ERR_JOURNAL_NEWER);
	assert_non_null(strstr(err.msg, "journal.db"));
	assert_non_null(strstr(err.msg, "schema 99"));
	ath_err_clear(&err);
	assert_null(ath_journal_open_read(db_path("journal.db"), &err));
	assert_int_equal(err.code, ATH_ERR_JOURNAL_NEWER);
	assert_true(db_is_same(before, db_path("journal.db")));
}

/* Each file is no journal in its own way; each stays as it is. */
static void a_damaged_journal_is_named_and_not_changed(void **state)
{
	char cut[5000], noise[5000];

	(void)state;
	memset(cut, 0, sizeof(cut));
	memcpy(cut, "SQLite format 3", 16);
	memset(noise, 'x', sizeof(noise));
	for (unsigned i = 0; i < 2; i++) {
		struct db_bytes before;
		struct ath_err err = { 0 };

		db_store(db_path("journal.db"), i ? noise : cut, sizeof(cut));
		before = db_load(db_path("journal.db"));
		assert_null(ath_journal_open(db_path("journal.db"), &err));
		assert_int_equal(err.code, ATH_ERR_JOURNAL);
		assert_non_null(strstr(err.msg, "journal.db' is damaged"));
		ath_err_clear(&err);
		assert_null(ath_journal_open_read(db_path("journal.db"), &err));
		assert_int_equal(err.code, ATH_ERR_JOURNAL);
		assert_true(db_is_same(before, db_path("journal.db")));
	}
}

static void looking_for_a_journal_makes_none(void **state)
{
	struct ath_err err = { 0 };

	(void)state;
	assert_null(ath_journal_open_read(db_path("journal.db"), &err));
	assert_int_equal(err.code, ATH_ERR_OK);
	assert_int_equal(access(db_path("journal.db"), F_OK), -1);
}

static void a_journal_is_for_its_owner_only(void **state)
{
	struct stat st;

	(void)state;
	ath_journal_close(open_with_run("mark-1"));
	assert_int_equal(stat(db_path("journal.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static int open_in_read_only_folder(void)
{
	struct ath_err err = { 0 };

	return ath_journal_open(db_path("journal.db"), &err) == NULL && err.code == ATH_ERR_IO ? 0
											       : 1;
}

static void a_folder_that_cannot_be_written_is_an_io_error(void **state)
{
	(void)state;
	chmod(db_root, 0555);
	assert_int_equal(db_as_nobody(open_in_read_only_folder), 0);
	assert_int_equal(access(db_path("journal.db"), F_OK), -1);
}

static void two_runs_cannot_have_one_mark(void **state)
{
	struct ath_journal *journal = open_with_run("mark-1");
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_journal_begin_run(journal, &first_run, &err));
	assert_int_not_equal(err.code, ATH_ERR_OK);
	ath_journal_close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(events_come_back_in_order),
		db_test(the_newest_note_is_found),
		db_test(secrets_do_not_come_into_the_file),
		db_test(the_last_success_of_a_step_counts_until_it_is_forgotten),
		db_test(runs_are_open_until_they_end_or_are_found_dead),
		db_test(what_was_not_flushed_is_lost),
		db_test(what_was_flushed_survives_the_death_of_its_writer),
		db_test(a_commit_is_whole_or_not_there),
		db_test(runs_that_found_nothing_share_a_row),
		db_test(a_newer_journal_is_refused_by_name_and_not_changed),
		db_test(a_damaged_journal_is_named_and_not_changed),
		db_test(looking_for_a_journal_makes_none),
		db_test(a_journal_is_for_its_owner_only),
		db_test(a_folder_that_cannot_be_written_is_an_io_error),
		db_test(two_runs_cannot_have_one_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
