/* SPDX-License-Identifier: MIT */
/* base/str: a growing byte string, and text made safe for a terminal. */
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void a_string_grows_by_every_kind_of_piece(void **state)
{
	struct ath_str str = { 0 };

	(void)state;
	assert_string_equal(ath_str_get(&str), "");
	ath_str_puts(&str, "one");
	ath_str_putc(&str, ' ');
	ath_str_add(&str, "two", 2);
	ath_str_printf(&str, " %d %s", 3, "four");
	ath_str_printf(&str, "%s", "");
	ath_str_add(&str, NULL, 0);
	assert_string_equal(ath_str_get(&str), "one tw 3 four");
	assert_int_equal(str.len, 13);
	ath_str_fini(&str);
	assert_null(str.data);
	ath_str_fini(&str);
}

static void a_string_keeps_nul_bytes_and_its_end(void **state)
{
	struct ath_str str = { 0 };

	(void)state;
	ath_str_add(&str, "a\0b", 3);
	assert_int_equal(str.len, 3);
	assert_memory_equal(str.data, "a\0b\0", 4);
	ath_str_fini(&str);
}

static void a_long_text_is_whole(void **state)
{
	struct ath_str str = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		ath_str_printf(&str, "%05d", i);
	assert_int_equal(str.len, 50000);
	assert_int_equal(strlen(ath_str_get(&str)), 50000);
	assert_memory_equal(str.data + 49995, "09999", 5);
	ath_str_fini(&str);
}

static void a_reset_keeps_the_memory_and_forgets_the_text(void **state)
{
	struct ath_str str = { 0 };
	const char *data;

	(void)state;
	ath_str_reset(&str);
	ath_str_puts(&str, "text");
	data = str.data;
	ath_str_reset(&str);
	assert_string_equal(ath_str_get(&str), "");
	assert_ptr_equal(str.data, data);
	ath_str_fini(&str);
}

static void a_stolen_text_belongs_to_the_thief(void **state)
{
	struct ath_str str = { 0 };
	char *text;

	(void)state;
	text = ath_str_steal(&str);
	assert_string_equal(text, "");
	free(text);
	ath_str_puts(&str, "gold");
	text = ath_str_steal(&str);
	assert_string_equal(text, "gold");
	assert_null(str.data);
	free(text);
}

static void only_what_is_safe_on_a_terminal_is_shown(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "plain text", "plain text" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe4\xb8\xad\xf0\x9f\x98\x80", "\xe4\xb8\xad\xf0\x9f\x98\x80" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" }, /* U+10FFFF */
		{ "\xc2\xa0\xee\x80\x80", "\xc2\xa0\xee\x80\x80" },
		{ "tab\there", "tab here" },
		{ "a\nb\rc", "a?b?c" },
		{ "\x1b[31mred\x1b[0m", "?[31mred?[0m" },
		{ "bell\a back\b del\x7f", "bell? back? del?" },
		{ "\xc2\x80\xc2\x9b\xc2\x9f", "???" },               /* C1 */
		{ "\xe2\x80\xae right to left", "? right to left" }, /* U+202E */
		{ "\xe2\x81\xa6\xe2\x81\xa9", "??" },                /* U+2066, U+2069 */
		{ "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "???" },       /* LRM, RLM, ALM */
		{ "\xe2\x80\xa8\xe2\x80\xa9", "??" },                /* line, paragraph */
		{ "\x80\xbf\xff\xfe", "????" },
		{ "\xc0\xaf", "??" },           /* overlong slash */
		{ "\xc1\xbf", "??" },           /* overlong DEL */
		{ "\xe0\x80\xaf", "???" },      /* overlong, three bytes */
		{ "\xe0\x9f\xbf", "???" },      /* overlong, the last of them */
		{ "\xf0\x80\x80\xaf", "????" }, /* overlong, four bytes */
		{ "\xed\xa0\x80", "???" },      /* half a surrogate pair */
		{ "\xf4\x90\x80\x80", "????" }, /* above U+10FFFF */
		{ "\xf8\x88\x80\x80\x80", "?????" },
		{ "\xc3", "?" }, /* cut off */
		{ "\xe4\xb8", "??" },
		{ "\xf0\x9f\x98", "???" },
		{ "\xc3(", "?(" }, /* the byte that breaks a sequence is not lost */
		{ "\xe4\xb8X", "??X" },
		{ "\xe4\x1b[m", "??[m" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_str str = { 0 };
		size_t len = strlen(rows[i].text);
		char *exact = malloc(len); /* a byte behind it would be noticed */

		assert_non_null(exact);
		memcpy(exact, rows[i].text, len);
		ath_str_put_clean(&str, exact, len);
		if (strcmp(ath_str_get(&str), rows[i].shown) != 0)
			fail_msg("row %zu came as '%s'", i, ath_str_get(&str));
		ath_str_fini(&str);
		free(exact);
	}
}

static void a_nul_byte_is_not_shown_and_ends_nothing(void **state)
{
	struct ath_str str = { 0 };

	(void)state;
	ath_str_put_clean(&str, "a\0b", 3);
	assert_string_equal(ath_str_get(&str), "a?b");
	ath_str_put_clean(&str, "", 0);
	assert_int_equal(str.len, 3);
	ath_str_fini(&str);
}

static void texts_are_compared_whole_and_by_their_ends(void **state)
{
	(void)state;
	assert_true(ath_str_is(NULL, NULL));
	assert_false(ath_str_is(NULL, ""));
	assert_false(ath_str_is("", NULL));
	assert_true(ath_str_is("a", "a"));
	assert_false(ath_str_is("a", "ab"));
	assert_true(ath_str_has_prefix("alembic", "al"));
	assert_true(ath_str_has_prefix("alembic", ""));
	assert_false(ath_str_has_prefix("al", "alembic"));
	assert_true(ath_str_has_suffix("app.toml", ".toml"));
	assert_true(ath_str_has_suffix("x", ""));
	assert_false(ath_str_has_suffix("l", ".toml"));
}

static void a_word_says_the_same_to_a_shell(void **state)
{
	static const char *const words[][2] = {
		{ "/srv/kahani", "/srv/kahani" },
		{ "a-b_c.1,2@h:+%=", "a-b_c.1,2@h:+%=" },
		{ "/srv/my app", "'/srv/my app'" },
		{ "it's", "'it'\\''s'" },
		{ "$HOME;`x`", "'$HOME;`x`'" },
		{ "~", "'~'" },
		{ "", "''" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct ath_str str = { 0 };

		ath_str_put_word(&str, words[i][0]);
		assert_string_equal(ath_str_get(&str), words[i][1]);
		ath_str_fini(&str);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_string_grows_by_every_kind_of_piece),
		cmocka_unit_test(a_string_keeps_nul_bytes_and_its_end),
		cmocka_unit_test(a_long_text_is_whole),
		cmocka_unit_test(a_reset_keeps_the_memory_and_forgets_the_text),
		cmocka_unit_test(a_stolen_text_belongs_to_the_thief),
		cmocka_unit_test(only_what_is_safe_on_a_terminal_is_shown),
		cmocka_unit_test(a_nul_byte_is_not_shown_and_ends_nothing),
		cmocka_unit_test(texts_are_compared_whole_and_by_their_ends),
		cmocka_unit_test(a_word_says_the_same_to_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
