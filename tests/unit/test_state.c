/* SPDX-License-Identifier: MIT */
/* engine/state: the table is the drawing in its header, and nothing else can be. */
#include "tests/unit/cmocka_all.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/state.h"

#define S(id) ATH_STATE_##id
#define E(id) ATH_STATE_EVENT_##id

static const struct {
	enum ath_state from;
	enum ath_state_event event;
	enum ath_state to;
} moves[] = {
	{ S(PENDING), E(DEPS_MET), S(READY) },
	{ S(PENDING), E(HOLDS), S(SATISFIED) },
	{ S(PENDING), E(PASS_OVER), S(SKIPPED) },
	{ S(PENDING), E(BLOCK), S(BLOCKED) },
	{ S(PENDING), E(CALLED_OFF), S(CANCELLED) },
	{ S(READY), E(START), S(RUNNING) },
	{ S(READY), E(CALLED_OFF), S(CANCELLED) },
	{ S(RUNNING), E(ENDED_OK), S(SUCCEEDED) },
	{ S(RUNNING), E(ENDED_BAD), S(FAILED) },
	{ S(RUNNING), E(RETRY), S(WAITING_RETRY) },
	{ S(RUNNING), E(CALLED_OFF), S(CANCELLED) },
	{ S(WAITING_RETRY), E(RETRY_DUE), S(READY) },
	{ S(WAITING_RETRY), E(CALLED_OFF), S(CANCELLED) },
};

enum {
	MOVES = sizeof(moves) / sizeof(moves[0]),
};

static void the_table_holds_these_moves_and_no_others(void **state)
{
	unsigned possible = 0;

	(void)state;
	for (size_t i = 0; i < MOVES; i++) {
		assert_true(ath_state_can(moves[i].from, moves[i].event));
		assert_int_equal(ath_state_next(moves[i].from, moves[i].event), moves[i].to);
	}
	for (unsigned from = 0; from < ATH_STATE_COUNT_; from++) {
		for (unsigned event = 0; event < ATH_STATE_EVENT_COUNT_; event++)
			possible +=
				ath_state_can((enum ath_state)from, (enum ath_state_event)event);
	}
	assert_int_equal(possible, MOVES);
}

static void a_final_state_has_no_way_out(void **state)
{
	(void)state;
	for (unsigned from = 0; from < ATH_STATE_COUNT_; from++) {
		unsigned ways = 0;

		for (unsigned event = 0; event < ATH_STATE_EVENT_COUNT_; event++)
			ways += ath_state_can((enum ath_state)from, (enum ath_state_event)event);
		assert_int_equal(ath_state_is_final((enum ath_state)from), ways == 0);
	}
}

static void a_need_is_met_by_success_and_by_what_need_not_run(void **state)
{
	(void)state;
	for (unsigned one = 0; one < ATH_STATE_COUNT_; one++) {
		bool is_met = one == S(SUCCEEDED) || one == S(SATISFIED) || one == S(SKIPPED);

		assert_int_equal(ath_state_is_met((enum ath_state)one), is_met);
	}
}

static void names_lead_back_to_their_states(void **state)
{
	(void)state;
	for (unsigned one = 0; one < ATH_STATE_COUNT_; one++)
		assert_int_equal(ath_state_find(ath_state_name((enum ath_state)one)), one);
	assert_int_equal(ath_state_find("melted"), ATH_STATE_COUNT_);
	assert_int_equal(ath_state_find(""), ATH_STATE_COUNT_);
}

static void the_last_state_tells_the_past(void **state)
{
	static const enum ath_past pasts[] = {
		[S(PENDING)] = ATH_PAST_NONE,          [S(READY)] = ATH_PAST_INTERRUPTED,
		[S(RUNNING)] = ATH_PAST_INTERRUPTED,   [S(WAITING_RETRY)] = ATH_PAST_NONE,
		[S(SUCCEEDED)] = ATH_PAST_DONE,        [S(FAILED)] = ATH_PAST_FAILED,
		[S(CANCELLED)] = ATH_PAST_INTERRUPTED, [S(SATISFIED)] = ATH_PAST_DONE,
		[S(SKIPPED)] = ATH_PAST_NONE,          [S(BLOCKED)] = ATH_PAST_NONE,
	};

	(void)state;
	for (unsigned one = 0; one < ATH_STATE_COUNT_; one++)
		assert_int_equal(ath_state_past((enum ath_state)one), pasts[one]);
}

/* Standard error of a child that does the forbidden move. */
static void read_bug_message(char *text, size_t cap, int *out_status)
{
	int ends[2];
	pid_t pid;
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		ath_state_next(S(SUCCEEDED), E(START));
		_exit(0);
	}
	close(ends[1]);
	len = read(ends[0], text, cap - 1);
	assert_true(len >= 0);
	text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, out_status, 0), pid);
}

static void a_forbidden_move_ends_the_program_and_names_both(void **state)
{
	char text[400];
	int status;

	(void)state;
	read_bug_message(text, sizeof(text), &status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "event 'start' in state 'succeeded'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds_these_moves_and_no_others),
		cmocka_unit_test(a_final_state_has_no_way_out),
		cmocka_unit_test(a_need_is_met_by_success_and_by_what_need_not_run),
		cmocka_unit_test(names_lead_back_to_their_states),
		cmocka_unit_test(the_last_state_tells_the_past),
		cmocka_unit_test(a_forbidden_move_ends_the_program_and_names_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
