/* SPDX-License-Identifier: MIT */
/* tests/unit/test_dotenv: lines of a .env file as python-dotenv and docker compose take them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts/dotenv.h"
#include "tests/unit/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void dotenv_reads_each_form_of_a_value(void **state)
{
	static const struct {
		const char *text, *name, *value; /* value NULL: the name is not set */
	} cases[] = {
		{ "A=b", "A", "b" },
		{ "A=b\n", "A", "b" },
		{ "A=b\r\nC=d\r\n", "A", "b" },
		{ "A=b\r\nC=d\r\n", "C", "d" },
		{ "export A=b", "A", "b" },
		{ "  export\tA = b  ", "A", "b" },
		{ "exported=1", "exported", "1" },
		{ "A=", "A", "" },
		{ "A=\nB=c", "B", "c" },
		{ "# A=b", "A", NULL },
		{ "A=b # note", "A", "b" },
		{ "A=b#c", "A", "b#c" },
		{ "A= # note", "A", "" },
		{ "A=\"b # c\" # note", "A", "b # c" },
		{ "A='b # c'", "A", "b # c" },
		{ "A=\"x\\ny\\\"z\\\\\"", "A", "x\ny\"z\\" },
		{ "A='x\\ny'", "A", "x\\ny" },
		{ "A='it\\'s'", "A", "it's" },
		{ "A=\"one\ntwo\"\nB=c", "A", "one\ntwo" },
		{ "A=\"one\ntwo\"\nB=c", "B", "c" },
		{ "A=\"open\nB=c", "A", NULL },
		{ "A=\"open\nB=c", "B", "c" },
		{ "A=\"b\" rest", "A", NULL },
		{ "A=${B}/c", "A", "${B}/c" },
		{ "A=x=y", "A", "x=y" },
		{ "A=one\nA=two", "A", "two" },
		{ "\xef\xbb\xbf"
		  "A=b",
		  "A", "b" },
		{ "no line\nA=b", "A", "b" },
		{ "1A=b", "1A", NULL },
		{ "JWT_SECRET_KEY=x", "SECRET_KEY", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ath_pairs pairs = { 0 };
		const char *value;

		ath_dotenv_read(cases[i].text, &pairs);
		value = ath_pairs_find(&pairs, cases[i].name);
		if (!ath_str_is(value, cases[i].value))
			fail_msg("'%s': %s is '%s'", cases[i].text, cases[i].name,
				 value ? value : "(not set)");
		ath_pairs_fini(&pairs);
	}
}

static void dotenv_takes_an_absent_file_for_an_empty_one(void **state)
{
	struct ath_pairs pairs = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_dotenv_load("/nowhere/.env", &pairs, &err));
	assert_int_equal(pairs.len, 0);
}

static void dotenv_refuses_a_file_over_its_limit(void **state)
{
	char path[] = "/tmp/athanor-dotenv-XXXXXX";
	int fd = mkstemp(path);
	struct ath_pairs pairs = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	assert_false(ath_dotenv_load(path, &pairs, &err));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dotenv_reads_each_form_of_a_value),
		cmocka_unit_test(dotenv_takes_an_absent_file_for_an_empty_one),
		cmocka_unit_test(dotenv_refuses_a_file_over_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
