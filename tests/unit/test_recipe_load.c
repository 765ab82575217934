/* SPDX-License-Identifier: MIT */
/* recipe/load: text becomes a tree with places, and everything ambiguous is refused. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "recipe/load.h"

static bool load(const char *text, size_t len, struct ath_arena *arena,
		 const struct ath_value **out_tree, struct ath_err *err)
{
	const struct ath_load_source source = { text, len, "athanor.yaml" };

	return ath_load_text(&source, arena, out_tree, err);
}

static void assert_canonical(const char *text, const char *expected)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_str canonical = { 0 };
	const struct ath_value *tree;

	if (!load(text, strlen(text), &arena, &tree, &err))
		fail_msg("%s", err.msg);
	ath_value_put_canonical(&canonical, tree);
	assert_string_equal(ath_str_get(&canonical), expected);
	ath_str_fini(&canonical);
	ath_arena_fini(&arena);
}

static void text_becomes_a_tree_in_the_order_of_the_text(void **state)
{
	(void)state;
	assert_canonical("b: 1\na: [x, 'y', {c: d}]\n",
			 "{\"b\":\"1\",\"a\":[\"x\",\"y\",{\"c\":\"d\"}]}");
	assert_canonical("a:\n- b\n- - c\n", "{\"a\":[\"b\",[\"c\"]]}");
	assert_canonical("a: ~\nb:\nc: null\nd: \"\"\ne: 'null'\n",
			 "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\",\"e\":\"null\"}");
	assert_canonical("", "null");
	assert_canonical("# nothing\n", "null");
	assert_canonical("a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}");
	assert_canonical("a: b\r\nc: d\r\n", "{\"a\":\"b\",\"c\":\"d\"}");
}

static void assert_pos(struct ath_pos pos, unsigned line, unsigned column)
{
	assert_int_equal(pos.line, line);
	assert_int_equal(pos.column, column);
	assert_string_equal(pos.file, "athanor.yaml");
}

static void values_and_keys_carry_line_and_byte_column(void **state)
{
	static const char text[] = "a: 1\nÄÖ: \"x\"\nc:\n  - é: [q, 'z']\nd:\n";
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	const struct ath_value *tree, *value;

	(void)state;
	assert_true(load(text, strlen(text), &arena, &tree, &err));
	value = tree->items;
	assert_pos(value->key_pos, 1, 1);
	assert_pos(value->pos, 1, 4);
	value = value->next; /* two letters are four bytes; the text stands behind its quote */
	assert_pos(value->key_pos, 2, 1);
	assert_pos(value->pos, 2, 8);
	assert_true(value->is_quoted);
	value = ath_value_find(tree, "c")->items->items;
	assert_pos(value->key_pos, 4, 5);
	assert_pos(value->items->pos, 4, 10);
	assert_pos(value->items->next->pos, 4, 14);
	assert_int_equal(ath_value_find(tree, "d")->pos.line, 5);
	ath_arena_fini(&arena);
}

static void faults_are_reported_at_their_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *part;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", 3, 1,
		  "the key 'a' stands here again: it is already in "
		  "line 1" },
		{ "a: {b: 1, c: 2, b: 3}\n", 1, 17, "already in line 1" },
		{ "a: &x 1\n", 1, 5, "anchor" },
		{ "a: 1\nb: *a\n", 2, 5, "alias" },
		{ "a: !!str 1\n", 1, 4, "tag" },
		{ "a: !own {b: 1}\n", 1, 4, "tag" },
		{ "<<: {a: 1}\n", 1, 1, "merge key" },
		{ "? [a]\n: b\n", 1, 3, "a key must be a text" },
		{ "a: 1\n~: b\n", 2, 1, "a key must be a text" },
		{ "a: 1\n---\nb: 2\n", 2, 1, "second document" },
		{ "%YAML 1.2\n---\na: 1\n", 1, 1, "directive" },
		{ "a: \"x\\0y\"\n", 1, 5, "NUL" },
		{ "\"a\\nb\": x\n", 1, 2, "control" },
		{ "a: x\xff\n", 1, 5, "UTF-8" },
		{ "a: \xed\xa0\x80\n", 1, 4, "UTF-8" },
		{ "a: x\ry\n", 1, 5, "control character" },
		{ "a: \x01\n", 1, 4, "control character" },
		{ "a: b: c\n", 1, 5, "syntax: " },
		{ "a: \"é\": b\n", 1, 8, "syntax: " },
		{ "a: \"abc\n", 1, 5, "syntax: " },
		{ "a: 1\nb: [1, 2\n", 3, 1, "syntax: " },
		{ "a:\n- b\n c: d\n", 2, 3, "syntax: " },
		{ "a: 1\n\tb: 2\n", 1, 4, "syntax: " },
		{ "a: ]\n", 1, 4, "syntax: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_err err = { 0 };
		const struct ath_value *tree;

		if (load(cases[i].text, strlen(cases[i].text), &arena, &tree, &err))
			fail_msg("case %zu is accepted: %s", i, cases[i].text);
		if (!strstr(err.msg, cases[i].part) || err.pos.line != cases[i].line ||
		    err.pos.column != cases[i].column)
			fail_msg("case %zu: %u:%u %s", i, err.pos.line, err.pos.column, err.msg);
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		ath_arena_fini(&arena);
	}
}

static void nul_bytes_are_refused_at_their_place(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	const struct ath_value *tree;

	(void)state;
	assert_false(load("a: 1\nb\0: 2\n", 11, &arena, &tree, &err));
	assert_pos(err.pos, 2, 2);
	ath_arena_fini(&arena);
}

static void expect_limit(const struct ath_str *text, const char *part)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	const struct ath_value *tree;

	assert_false(load(ath_str_get(text), text->len, &arena, &tree, &err));
	assert_int_equal(err.code, ATH_ERR_RECIPE);
	assert_non_null(strstr(err.msg, part));
	ath_arena_fini(&arena);
}

static void size_depth_and_count_are_limited(void **state)
{
	struct ath_str text = { 0 };

	(void)state;
	for (size_t i = 0; i <= ATH_LOAD_BYTES; i++)
		ath_str_putc(&text, '#');
	expect_limit(&text, "256 KiB");
	ath_str_reset(&text);
	for (size_t i = 0; i <= ATH_LOAD_DEPTH; i++)
		ath_str_putc(&text, '[');
	expect_limit(&text, "16 levels");
	ath_str_reset(&text);
	for (size_t i = 0; i < ATH_LOAD_NODES; i++)
		ath_str_puts(&text, "- x\n");
	expect_limit(&text, "10000 keys");
	ath_str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_a_tree_in_the_order_of_the_text),
		cmocka_unit_test(values_and_keys_carry_line_and_byte_column),
		cmocka_unit_test(faults_are_reported_at_their_place),
		cmocka_unit_test(nul_bytes_are_refused_at_their_place),
		cmocka_unit_test(size_depth_and_count_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
