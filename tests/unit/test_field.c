/* SPDX-License-Identifier: MIT */
/* base/field: from a value tree to a struct, every type good and bad. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/field.h"

struct config {
	const char *text, *path;
	bool flag;
	unsigned count, mode;
	uint64_t duration;
	struct ath_texts texts, paths, argv;
	const struct ath_value *value;
};

static const struct ath_field fields[] = {
	ATH_FIELD_OPTIONAL(config, text, TEXT, "A text."),
	ATH_FIELD_OPTIONAL(config, path, PATH, "A path."),
	ATH_FIELD_OPTIONAL(config, flag, BOOL, "A flag."),
	ATH_FIELD_OPTIONAL(config, count, COUNT, "A count."),
	ATH_FIELD_OPTIONAL(config, mode, MODE, "A mode."),
	ATH_FIELD_OPTIONAL(config, duration, DURATION, "A duration."),
	ATH_FIELD_OPTIONAL(config, texts, TEXTS, "Texts."),
	ATH_FIELD_OPTIONAL(config, paths, PATHS, "Paths."),
	ATH_FIELD_OPTIONAL(config, argv, ARGV, "A command."),
	ATH_FIELD_OPTIONAL(config, value, VALUE, "Anything."),
	{ 0 },
};

static const struct ath_field needy[] = {
	ATH_FIELD_REQUIRED(config, text, TEXT, "A text."),
	ATH_FIELD_OPTIONAL(config, path, PATH, "A path."),
	{ 0 },
};

/* Bind one entry; the text "[a|b]" stands for a list, "{}" for a map, NULL for nothing. */
static bool bind_one(const char *key, const char *text, struct ath_arena *arena, struct config *out,
		     struct ath_err *err)
{
	struct ath_value *map = ath_value_new_map(arena);
	struct ath_value *entry;

	if (text && text[0] == '[') {
		char *copy = ath_arena_strdup(arena, text + 1), *rest = copy, *item;

		copy[strlen(copy) - 1] = '\0';
		entry = ath_value_put_list(arena, map, key);
		while (*copy && (item = strsep(&rest, "|")))
			ath_value_add_text(arena, entry, item);
	} else if (text && strcmp(text, "{}") == 0) {
		ath_value_put_value(arena, map, key, ath_value_new_map(arena));
	} else if (text) {
		ath_value_put_text(arena, map, key, text);
	} else {
		ath_value_put_value(arena, map, key, &(struct ath_value){ .kind = ATH_VALUE_NULL });
	}
	map->items->pos = (struct ath_pos){ "athanor.yaml", 7, 11 };
	map->items->key_pos = (struct ath_pos){ "athanor.yaml", 7, 3 };
	return ath_field_bind(fields, map, "step 'x'", arena, out, err);
}

static void every_type_takes_what_it_should(void **state)
{
	static const struct {
		const char *key, *text;
	} rows[] = {
		{ "text", "any text, gr\xc3\xbc\xc3\x9f" },
		{ "text", "" },
		{ "path", "data/app.db" },
		{ "path", "." },
		{ "flag", "true" },
		{ "flag", "false" },
		{ "count", "0" },
		{ "count", "1000000" },
		{ "mode", "0750" },
		{ "mode", "7777" },
		{ "duration", "90s" },
		{ "texts", "[]" },
		{ "texts", "[a|b||c]" },
		{ "paths", "[a|b/c]" },
		{ "paths", "a/b" },
		{ "argv", "[python|-c|]" },
		{ "value", "{}" },
		{ "value", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_arena arena = { 0 };
		struct config config = { 0 };
		struct ath_err err = { 0 };

		if (!bind_one(rows[i].key, rows[i].text, &arena, &config, &err))
			fail_msg("row %zu: %s", i, err.msg);
		ath_arena_fini(&arena);
	}
}

static void every_type_refuses_at_the_value_and_says_what_it_takes(void **state)
{
	static const struct {
		const char *key, *text, *expected;
	} rows[] = {
		{ "text", "two\nlines", "'text' in step 'x' must be a text" },
		{ "text", "\x1b[m", "a text" },
		{ "text", "del\x7f", "a text" },
		{ "text", "[a]", "a text" },
		{ "text", "{}", "a text" },
		{ "text", NULL, "a text" },
		{ "path", "/etc", "a relative path inside" },
		{ "path", "a/../..", "a relative path inside" },
		{ "path", "[a]", "a relative path inside" },
		{ "flag", "yes", "true or false" },
		{ "flag", "True", "true or false" },
		{ "flag", "", "true or false" },
		{ "count", "1000001", "a whole number from 0 to 1000000" },
		{ "count", "-1", "a whole number" },
		{ "count", "+1", "a whole number" },
		{ "count", " 1", "a whole number" },
		{ "count", "1.5", "a whole number" },
		{ "count", "0x10", "a whole number" },
		{ "count", "99999999999999999999999", "a whole number" },
		{ "count", "", "a whole number" },
		{ "mode", "0789", "an octal mode" },
		{ "mode", "10000", "an octal mode" },
		{ "mode", "rwx", "an octal mode" },
		{ "duration", "soon", "a duration" },
		{ "texts", "alone", "a list of texts" },
		{ "texts", "[a|b\nc]", "a list of texts" },
		{ "texts", "{}", "a list of texts" },
		{ "texts", NULL, "a list of texts" },
		{ "paths", "[a|../b]", "a list of relative paths" },
		{ "paths", "/abs", "a list of relative paths" },
		{ "argv", "[]", "an argument vector" },
		{ "argv", "[|a]", "an argument vector" },
		{ "argv", "python", "an argument vector" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_arena arena = { 0 };
		struct config config = { 0 };
		struct ath_err err = { 0 };

		if (bind_one(rows[i].key, rows[i].text, &arena, &config, &err))
			fail_msg("row %zu is taken", i);
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		assert_int_equal(err.pos.line, 7);
		assert_int_equal(err.pos.column, 11);
		if (!strstr(err.msg, rows[i].expected))
			fail_msg("row %zu: %s", i, err.msg);
		ath_arena_fini(&arena);
	}
}

static void values_arrive_in_their_members(void **state)
{
	struct ath_arena arena = { 0 };
	struct config config = { .count = 5, .text = "kept" };
	struct ath_err err = { 0 };

	(void)state;
	assert_true(bind_one("argv", "[npm|ci]", &arena, &config, &err));
	assert_int_equal(config.argv.len, 2);
	assert_string_equal(config.argv.items[1], "ci");
	assert_null(config.argv.items[2]);
	assert_true(bind_one("paths", "one/alone", &arena, &config, &err));
	assert_int_equal(config.paths.len, 1);
	assert_string_equal(config.paths.items[0], "one/alone");
	assert_null(config.paths.items[1]);
	assert_true(bind_one("mode", "0750", &arena, &config, &err));
	assert_int_equal(config.mode, 0750);
	assert_true(bind_one("duration", "2h", &arena, &config, &err));
	assert_int_equal(config.duration, 7200000);
	assert_true(bind_one("flag", "true", &arena, &config, &err));
	assert_true(config.flag);
	assert_int_equal(config.count, 5); /* defaults stay */
	assert_string_equal(config.text, "kept");
	ath_arena_fini(&arena);
}

static void a_quoted_word_is_no_truth_value(void **state)
{
	struct ath_value word = {
		.kind = ATH_VALUE_TEXT, .text = "true", .is_quoted = true, .key = "flag"
	};
	const struct ath_value map = { .kind = ATH_VALUE_MAP, .items = &word };
	struct ath_arena arena = { 0 };
	struct config config = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_field_bind(fields, &map, "x", &arena, &config, &err));
	assert_int_equal(err.code, ATH_ERR_RECIPE);
	ath_arena_fini(&arena);
}

static void a_list_holds_no_lists(void **state)
{
	struct ath_value inner = { .kind = ATH_VALUE_LIST };
	struct ath_value list = { .kind = ATH_VALUE_LIST, .items = &inner, .key = "argv" };
	const struct ath_value map = { .kind = ATH_VALUE_MAP, .items = &list };
	static const char *const keys[] = { "argv", "texts", "paths" };
	struct ath_arena arena = { 0 };
	struct config config = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct ath_err err = { 0 };

		list.key = keys[i];
		assert_false(ath_field_bind(fields, &map, "x", &arena, &config, &err));
		assert_int_equal(err.code, ATH_ERR_RECIPE);
	}
	ath_arena_fini(&arena);
}

static void an_unknown_key_is_refused_at_the_key_with_the_known_ones(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *map = ath_value_new_map(&arena);
	struct config config = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	ath_value_put_text(&arena, map, "text", "x");
	ath_value_put_text(&arena, map, "colour", "red");
	map->items->next->key_pos = (struct ath_pos){ "athanor.yaml", 3, 5 };
	assert_false(ath_field_bind(needy, map, "step 'x'", &arena, &config, &err));
	assert_string_equal(err.msg, "unknown key 'colour' in step 'x': it takes text, path");
	assert_int_equal(err.pos.line, 3);
	assert_int_equal(err.pos.column, 5);
	ath_arena_fini(&arena);
}

static void a_missing_key_is_asked_for_at_the_map(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *map = ath_value_new_map(&arena);
	struct config config = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	map->pos = (struct ath_pos){ "athanor.yaml", 2, 1 };
	assert_false(ath_field_bind(needy, map, "step 'x'", &arena, &config, &err));
	assert_string_equal(err.msg, "step 'x' needs the key 'text'");
	assert_int_equal(err.pos.line, 2);
	ath_arena_fini(&arena);
}

static void what_is_no_map_is_refused(void **state)
{
	const struct ath_value list = { .kind = ATH_VALUE_LIST, .pos = { "f", 4, 4 } };
	struct ath_arena arena = { 0 };
	struct config config = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_field_bind(needy, &list, "step 'x'", &arena, &config, &err));
	assert_string_equal(err.msg, "step 'x' must be a mapping, not a list");
	assert_int_equal(err.pos.line, 4);
}

static void a_path_stays_below_its_folder(void **state)
{
	static const struct {
		const char *path;
		bool is_good;
	} rows[] = {
		{ "a", true },     { "a/b.c", true },   { ".", true },        { "./a", true },
		{ "a/", true },    { "a/.", true },     { "...", true },      { "..a/b..", true },
		{ ".env", true },  { "a b", true },     { "\xc3\xbc", true }, { "", false },
		{ "/", false },    { "/abs", false },   { "..", false },      { "../a", false },
		{ "a/..", false }, { "a/../b", false }, { "a//b", false },    { "a//", false },
		{ "./..", false }, { "a/../", false },  { "a\nb", false },    { "a\tb", false },
		{ "\x1b", false }, { "a\x7f", false },  { "//", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ath_field_is_path(rows[i].path) != rows[i].is_good)
			fail_msg("'%s'", rows[i].path);
	}
}

static void a_duration_has_a_number_and_at_most_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* 1: none */
	} rows[] = {
		{ "0", 0 },
		{ "10", 10000 },
		{ "90s", 90000 },
		{ "30m", 1800000 },
		{ "2h", 7200000 },
		{ "500ms", 500 },
		{ "10000000h", 36000000000000 },
		{ "", 1 },
		{ "s", 1 },
		{ "-1s", 1 },
		{ "+1s", 1 },
		{ " 1s", 1 },
		{ "1 s", 1 },
		{ "1d", 1 },
		{ "1.5h", 1 },
		{ "1h30m", 1 },
		{ "1S", 1 },
		{ "10000001", 1 },
		{ "0x10s", 1 },
		{ "99999999999999999999999s", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ms = 1;

		assert_int_equal(ath_field_read_duration(rows[i].text, &ms), rows[i].ms != 1);
		assert_int_equal(ms, rows[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_takes_what_it_should),
		cmocka_unit_test(every_type_refuses_at_the_value_and_says_what_it_takes),
		cmocka_unit_test(values_arrive_in_their_members),
		cmocka_unit_test(a_quoted_word_is_no_truth_value),
		cmocka_unit_test(a_list_holds_no_lists),
		cmocka_unit_test(an_unknown_key_is_refused_at_the_key_with_the_known_ones),
		cmocka_unit_test(a_missing_key_is_asked_for_at_the_map),
		cmocka_unit_test(what_is_no_map_is_refused),
		cmocka_unit_test(a_path_stays_below_its_folder),
		cmocka_unit_test(a_duration_has_a_number_and_at_most_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
