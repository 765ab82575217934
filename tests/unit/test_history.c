/* SPDX-License-Identifier: MIT */
/* engine/history: which runs form an attempt, and what of it stands. */
#include "tests/unit/cmocka_all.h"

#include "tests/unit/db_files.h"

#include "engine/history.h"
#include "journal/journal.h"

/* A run: its transitions as "step state" pairs, and how it ended (NULL: it died). */
struct run {
	const char *rows[12];
	const char *outcome;
	bool continues; /* the run before it */
};

/* Write runs into a new journal and load the history of it. */
static void load(const struct run *runs, size_t len, struct ath_history *out)
{
	struct ath_err err = { 0 };
	struct ath_journal *journal = ath_journal_open(db_path("journal.db"), &err);

	assert_non_null(journal);
	for (size_t i = 0; i < len; i++) {
		const char mark[] = { (char)('a' + i), '\0' };
		const struct ath_journal_run begin = { mark, "boot", "install",
						       runs[i].continues ? (int64_t)i : 0 };
		const struct ath_journal_end end = { .outcome = runs[i].outcome };

		assert_true(ath_journal_begin_run(journal, &begin, &err));
		for (size_t n = 0; runs[i].rows[n]; n += 2)
			ath_journal_add_transition(journal, runs[i].rows[n], 1, runs[i].rows[n + 1],
						   NULL);
		assert_true(ath_journal_flush(journal, &err));
		if (runs[i].outcome)
			assert_true(ath_journal_end_run(journal, &end, &err));
	}
	if (!ath_history_load(journal, out, &err))
		fail_msg("%s", err.msg);
	ath_journal_close(journal);
}

static void no_journal_is_an_empty_past(void **state)
{
	struct ath_history history;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_history_load(NULL, &history, &err));
	assert_int_equal(history.continues, 0);
	assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_NONE);
	ath_history_fini(&history);
}

static void after_a_good_end_a_new_attempt_begins(void **state)
{
	static const char *const ends[] = { "succeeded", "nothing" };
	const struct run bad = { { "venv", "running", "venv", "failed" }, "failed", false };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct run runs[] = { bad, { { "venv", "succeeded" }, ends[i], true } };
		struct ath_history history;

		load(runs, 2, &history);
		assert_int_equal(history.continues, 0);
		assert_int_equal(history.open.len, 0);
		assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_NONE);
		ath_history_fini(&history);
		assert_int_equal(unlink(db_path("journal.db")), 0);
		unlink(db_path("journal.db-wal"));
		unlink(db_path("journal.db-shm"));
	}
}

static void a_dead_run_leaves_what_it_was_doing(void **state)
{
	const struct run runs[] = {
		{ { "venv", "running", "venv", "succeeded", "node", "satisfied", "build", "running",
		    "detect", "skipped" },
		  NULL,
		  false },
	};
	struct ath_history history;

	(void)state;
	load(runs, 1, &history);
	assert_int_equal(history.continues, 1);
	assert_int_equal(history.open.len, 1);
	assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_DONE);
	assert_int_equal(ath_history_find(&history, "node"), ATH_PAST_DONE);
	assert_int_equal(ath_history_find(&history, "build"), ATH_PAST_INTERRUPTED);
	assert_int_equal(ath_history_find(&history, "detect"), ATH_PAST_NONE);
	assert_int_equal(ath_history_find(&history, "never"), ATH_PAST_NONE);
	ath_history_fini(&history);
}

/* What an earlier run finished stands although the later one did not come that far. */
static void an_attempt_goes_over_several_runs(void **state)
{
	const struct run runs[] = {
		{ { "old", "succeeded" }, "succeeded", false },
		{ { "venv", "succeeded", "node", "failed", "build", "running" }, "failed", false },
		{ { "venv", "cancelled", "node", "running", "node", "succeeded", "build",
		    "blocked" },
		  "cancelled",
		  true },
	};
	struct ath_history history;

	(void)state;
	load(runs, 3, &history);
	assert_int_equal(history.continues, 3);
	assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_DONE);
	assert_int_equal(ath_history_find(&history, "node"), ATH_PAST_DONE);
	assert_int_equal(ath_history_find(&history, "build"), ATH_PAST_INTERRUPTED);
	assert_int_equal(ath_history_find(&history, "old"), ATH_PAST_NONE);
	ath_history_fini(&history);
}

static void a_run_that_continues_nothing_is_an_attempt_of_its_own(void **state)
{
	const struct run runs[] = {
		{ { "venv", "succeeded" }, "failed", false },
		{ { "node", "succeeded" }, "failed", false },
	};
	struct ath_history history;

	(void)state;
	load(runs, 2, &history);
	assert_int_equal(history.continues, 2);
	assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_NONE);
	assert_int_equal(ath_history_find(&history, "node"), ATH_PAST_DONE);
	ath_history_fini(&history);
}

/* Cancelled while it ran or waited to be tried again is interrupted; before it began it is not. */
static void cancelled_means_interrupted_only_where_something_had_begun(void **state)
{
	const struct run runs[] = {
		{ { "ran", "running", "ran", "cancelled", "waited", "running", "waited",
		    "waiting_retry", "waited", "cancelled" },
		  "cancelled",
		  false },
		{ { "idle", "cancelled" }, "cancelled", true },
	};
	struct ath_history history;

	(void)state;
	load(runs, 2, &history);
	assert_int_equal(ath_history_find(&history, "idle"), ATH_PAST_NONE);
	assert_int_equal(ath_history_find(&history, "ran"), ATH_PAST_INTERRUPTED);
	assert_int_equal(ath_history_find(&history, "waited"), ATH_PAST_INTERRUPTED);
	ath_history_fini(&history);
}

static void a_state_that_nobody_knows_is_passed_over(void **state)
{
	const struct run runs[] = {
		{ { "venv", "succeeded", "venv", "melted" }, "failed", false }
	};
	struct ath_history history;

	(void)state;
	load(runs, 1, &history);
	assert_int_equal(ath_history_find(&history, "venv"), ATH_PAST_DONE);
	ath_history_fini(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(no_journal_is_an_empty_past),
		db_test(after_a_good_end_a_new_attempt_begins),
		db_test(a_dead_run_leaves_what_it_was_doing),
		db_test(an_attempt_goes_over_several_runs),
		db_test(a_run_that_continues_nothing_is_an_attempt_of_its_own),
		db_test(cancelled_means_interrupted_only_where_something_had_begun),
		db_test(a_state_that_nobody_knows_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
