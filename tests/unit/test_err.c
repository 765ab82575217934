/* SPDX-License-Identifier: MIT */
/* base/err: error values, their prefixes, and the table of codes. */
#include "tests/unit/cmocka_all.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void a_setter_fills_a_clean_error_and_says_false(void **state)
{
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_err_set(&err, ATH_ERR_LIMIT, "more than %d rows", 7));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	assert_string_equal(err.msg, "more than 7 rows");
	assert_int_equal(err.errnum, 0);
	assert_null(err.pos.file);
	ath_err_clear(&err);
	assert_int_equal(err.code, ATH_ERR_OK);
	assert_string_equal(err.msg, "");
}

static void a_system_error_keeps_its_number_and_names_its_cause(void **state)
{
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_err_sys(&err, ATH_ERR_IO, ENOENT, "cannot open '%s'", "x.db"));
	assert_int_equal(err.errnum, ENOENT);
	assert_string_equal(err.msg, "cannot open 'x.db': No such file or directory");
}

static void a_positioned_error_keeps_its_place(void **state)
{
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_err_at(&err, ATH_ERR_RECIPE, (struct ath_pos){ "athanor.yaml", 4, 2 },
				"unknown key '%s'", "colour"));
	assert_string_equal(err.pos.file, "athanor.yaml");
	assert_int_equal(err.pos.line, 4);
	assert_int_equal(err.pos.column, 2);
	assert_false(ath_err_prefix(&err, "step '%s'", "venv"));
	assert_string_equal(err.msg, "step 'venv': unknown key 'colour'");
	assert_int_equal(err.pos.line, 4);
	assert_int_equal(err.code, ATH_ERR_RECIPE);
}

static void a_message_of_any_length_ends_within_its_room(void **state)
{
	struct ath_err err = { 0 };
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(ath_err_sys(&err, ATH_ERR_IO, EIO, "%s", text));
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_false(ath_err_prefix(&err, "short"));
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "short: xxx", 10);
	assert_false(ath_err_prefix(&err, "%s", text));
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void every_code_has_a_name_of_its_own_and_an_exit_status(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ATH_ERR_COUNT_; i++) {
		int status = ath_err_exit_status((enum ath_err_code)i);

		assert_true(strlen(ath_err_name((enum ath_err_code)i)) > 0);
		assert_int_equal(status == 0, i == ATH_ERR_OK);
		assert_true(status >= 0 && status < 128);
		for (unsigned n = 0; n < i; n++)
			assert_string_not_equal(ath_err_name((enum ath_err_code)i),
						ath_err_name((enum ath_err_code)n));
	}
}

static void exit_statuses_are_those_of_the_manual(void **state)
{
	static const struct {
		enum ath_err_code code;
		int status;
	} rows[] = {
		{ ATH_ERR_OK, 0 },       { ATH_ERR_IO, 1 },           { ATH_ERR_REFUSED, 3 },
		{ ATH_ERR_DECISION, 3 }, { ATH_ERR_NEEDS_YOU, 4 },    { ATH_ERR_USAGE, 64 },
		{ ATH_ERR_LOCKED, 75 },  { ATH_ERR_UNAVAILABLE, 69 }, { ATH_ERR_RECIPE, 78 },
		{ ATH_ERR_CHAIN, 78 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ath_err_exit_status(rows[i].code), rows[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setter_fills_a_clean_error_and_says_false),
		cmocka_unit_test(a_system_error_keeps_its_number_and_names_its_cause),
		cmocka_unit_test(a_positioned_error_keeps_its_place),
		cmocka_unit_test(a_message_of_any_length_ends_within_its_room),
		cmocka_unit_test(every_code_has_a_name_of_its_own_and_an_exit_status),
		cmocka_unit_test(exit_statuses_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
