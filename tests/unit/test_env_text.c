/* SPDX-License-Identifier: MIT */
/* tests/unit/test_env_text: secrets go where they belong in a settings file, and nowhere else. */
#include <string.h>

#include "steps/env_text.h"
#include "tests/unit/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Write "<S>" for each run of 64 hexadecimal digits. */
static void mask(struct ath_str *text)
{
	struct ath_str masked = { 0 };

	for (const char *at = ath_str_get(text); *at;) {
		if (strspn(at, "0123456789abcdef") == 64) {
			ath_str_puts(&masked, "<S>");
			at += 64;
		} else {
			ath_str_putc(&masked, *at++);
		}
	}
	ath_str_fini(text);
	*text = masked;
}

static void secrets_replace_the_exact_variables_only(void **state)
{
	static const char *const names[] = { "SECRET_KEY", "JWT_SECRET_KEY" };
	static const struct ath_texts secrets = { names, COUNT(names) };
	static const struct {
		const char *example, *filled;
	} cases[] = {
		{ "SECRET_KEY=change\nJWT_SECRET_KEY=change\n",
		  "SECRET_KEY=<S>\nJWT_SECRET_KEY=<S>\n" },
		{ "export SECRET_KEY='x' # note\nJWT_SECRET_KEY=\"y\"",
		  "export SECRET_KEY=<S>\nJWT_SECRET_KEY=<S>" },
		{ "SECRET_KEY=x\r\nA=b\r\nJWT_SECRET_KEY=y\r\n",
		  "SECRET_KEY=<S>\r\nA=b\r\nJWT_SECRET_KEY=<S>\r\n" },
		{ "# SECRET_KEY=x\nOLD_SECRET_KEY=y\nSECRET_KEY_FILE=z",
		  "# SECRET_KEY=x\nOLD_SECRET_KEY=y\nSECRET_KEY_FILE=z\n"
		  "SECRET_KEY=<S>\nJWT_SECRET_KEY=<S>\n" },
		{ "", "SECRET_KEY=<S>\nJWT_SECRET_KEY=<S>\n" },
		{ "SECRET_KEY=\n\nA=SECRET_KEY=x\nJWT_SECRET_KEY =\n",
		  "SECRET_KEY=<S>\n\nA=SECRET_KEY=x\nJWT_SECRET_KEY =<S>\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ath_str text = { 0 };

		ath_env_text_fill(cases[i].example, &secrets, &text);
		mask(&text);
		assert_string_equal(ath_str_get(&text), cases[i].filled);
		ath_str_fini(&text);
	}
}

static void secrets_differ_from_each_other(void **state)
{
	static const char *const names[] = { "A", "B" };
	static const struct ath_texts secrets = { names, COUNT(names) };
	struct ath_str text = { 0 };

	(void)state;
	ath_env_text_fill("", &secrets, &text);
	assert_int_equal(text.len, 2 * (2 + 64 + 1));
	assert_memory_not_equal(text.data + 2, text.data + 2 + 64 + 1 + 2, 64);
	ath_str_fini(&text);
}

static void placeholders_are_told_from_values(void **state)
{
	(void)state;
	assert_true(ath_env_text_is_placeholder("changeme123"));
	assert_true(ath_env_text_is_placeholder("your-api-key"));
	assert_true(ath_env_text_is_placeholder("<token>"));
	assert_false(ath_env_text_is_placeholder(""));
	assert_false(ath_env_text_is_placeholder("info"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_replace_the_exact_variables_only),
		cmocka_unit_test(secrets_differ_from_each_other),
		cmocka_unit_test(placeholders_are_told_from_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
