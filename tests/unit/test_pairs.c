/* SPDX-License-Identifier: MIT */
/* base/pairs: names with text values, which survive being written and read. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/pairs.h"

static void a_name_has_the_value_that_was_set_last(void **state)
{
	struct ath_pairs pairs = { 0 };

	(void)state;
	assert_null(ath_pairs_find(&pairs, "colour"));
	assert_string_equal(ath_pairs_get(&pairs, "colour"), "");
	ath_pairs_set(&pairs, "colour", "red");
	ath_pairs_set(&pairs, "size", "9");
	ath_pairs_set(&pairs, "colour", "green");
	assert_int_equal(pairs.len, 2);
	assert_string_equal(pairs.items[0].name, "colour");
	assert_string_equal(ath_pairs_find(&pairs, "colour"), "green");
	ath_pairs_setf(&pairs, "size", "%d of %s", 7, "ten");
	assert_string_equal(ath_pairs_get(&pairs, "size"), "7 of ten");
	ath_pairs_fini(&pairs);
	assert_int_equal(pairs.len, 0);
}

static void a_value_may_be_set_to_a_part_of_itself(void **state)
{
	struct ath_pairs pairs = { 0 };

	(void)state;
	ath_pairs_set(&pairs, "path", "/srv/kahani");
	ath_pairs_set(&pairs, "path", ath_pairs_find(&pairs, "path") + 4);
	assert_string_equal(ath_pairs_find(&pairs, "path"), "/kahani");
	ath_pairs_fini(&pairs);
}

static void no_value_removes_the_pair(void **state)
{
	struct ath_pairs pairs = { 0 };

	(void)state;
	ath_pairs_set(&pairs, "a", "1");
	ath_pairs_set(&pairs, "b", "2");
	ath_pairs_set(&pairs, "c", "3");
	ath_pairs_set(&pairs, "b", NULL);
	ath_pairs_set(&pairs, "never", NULL);
	assert_int_equal(pairs.len, 2);
	assert_null(ath_pairs_find(&pairs, "b"));
	assert_string_equal(ath_pairs_find(&pairs, "c"), "3");
	ath_pairs_fini(&pairs);
}

static void any_text_survives_the_round_trip(void **state)
{
	static const char *const values[] = {
		"",       "plain",       "with = sign",           "two\nlines\n",
		"a\r\nb", "back\\slash", "\\n is not a line end", "\\",
		"\\\\",   " blanks ",    "gr\xc3\xbc\xc3\x9f",    "\x01\x7f\xff",
	};
	enum {
		VALUES = sizeof(values) / sizeof(values[0])
	};
	struct ath_pairs pairs = { 0 }, again = { 0 };
	struct ath_str text = { 0 };

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		ath_pairs_set(&pairs, name, values[i]);
	}
	ath_pairs_write(&pairs, &text);
	ath_pairs_read(&again, ath_str_get(&text));
	assert_int_equal(again.len, VALUES);
	for (size_t i = 0; i < VALUES; i++) {
		assert_string_equal(again.items[i].name, pairs.items[i].name);
		assert_string_equal(again.items[i].value, values[i]);
	}
	ath_pairs_fini(&pairs);
	ath_pairs_fini(&again);
	ath_str_fini(&text);
}

static void strange_text_is_read_without_harm(void **state)
{
	struct ath_pairs pairs = { 0 };

	(void)state;
	ath_pairs_read(&pairs, "");
	ath_pairs_read(&pairs, "no sign here\n\n\n");
	assert_int_equal(pairs.len, 0);
	ath_pairs_read(&pairs, "a=1\nno sign\nb=2\\");
	assert_string_equal(ath_pairs_find(&pairs, "a"), "1");
	assert_string_equal(ath_pairs_find(&pairs, "b"), "2\\");
	ath_pairs_read(&pairs, "a=new\n=nameless\n");
	assert_string_equal(ath_pairs_find(&pairs, "a"), "new");
	assert_string_equal(ath_pairs_find(&pairs, ""), "nameless");
	ath_pairs_fini(&pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_the_value_that_was_set_last),
		cmocka_unit_test(a_value_may_be_set_to_a_part_of_itself),
		cmocka_unit_test(no_value_removes_the_pair),
		cmocka_unit_test(any_text_survives_the_round_trip),
		cmocka_unit_test(strange_text_is_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
