/* SPDX-License-Identifier: MIT */
/* recipe/expand: ${NAME} and ${NAME:-default}, nothing else. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "recipe/expand.h"

static const char *lookup(void *user, const char *name)
{
	(void)user;
	if (strcmp(name, "HOST") == 0)
		return "db.example";
	if (strcmp(name, "DOLLAR") == 0)
		return "${HOST}";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct ath_pos pos = { "athanor.yaml", 3, 10 };

static void variables_are_replaced(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "http://${HOST}:80", "http://db.example:80" },
		{ "${NONE:-x}", "x" },
		{ "${NONE:-}", "" },
		{ "${EMPTY:-x}", "x" },
		{ "${EMPTY}", "" },
		{ "${NONE:-sqlite:///a/b.db}", "sqlite:///a/b.db" },
		{ "${HOST:-x}", "db.example" },
		{ "$$HOST $${HOST}", "$HOST ${HOST}" },
		{ "${DOLLAR}", "${HOST}" },
		{ "a}b", "a}b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_str out = { 0 };
		struct ath_err err = { 0 };

		if (!ath_expand(cases[i].text, pos, lookup, NULL, &out, &err))
			fail_msg("case %zu: %s", i, err.msg);
		assert_string_equal(ath_str_get(&out), cases[i].expected);
		assert_true(ath_expand_check(cases[i].text, pos, &err));
		ath_str_fini(&out);
	}
}

static void faults_move_the_column(void **state)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *part;
		bool is_syntax;
	} cases[] = {
		{ "ab$", 12, "a lone '$'", true },
		{ "a$HOST", 11, "a lone '$'", true },
		{ "ab${HOST", 12, "no closing brace", true },
		{ "a${1A}", 13, "only ${NAME}", true },
		{ "${A-b}", 13, "only ${NAME}", true },
		{ "${}", 12, "only ${NAME}", true },
		{ "${A:-${B}}", 15, "another '${'", true },
		{ "ab${NONE}", 14, "'NONE' is not set", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_str out = { 0 };
		struct ath_err err = { 0 };

		assert_false(ath_expand(cases[i].text, pos, lookup, NULL, &out, &err));
		if (err.pos.column != cases[i].column || !strstr(err.msg, cases[i].part))
			fail_msg("case %zu: %u %s", i, err.pos.column, err.msg);
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		assert_int_equal(out.len, 0);
		ath_err_clear(&err);
		assert_int_equal(ath_expand_check(cases[i].text, pos, &err), !cases[i].is_syntax);
		ath_str_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_replaced),
		cmocka_unit_test(faults_move_the_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
