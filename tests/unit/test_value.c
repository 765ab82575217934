/* SPDX-License-Identifier: MIT */
/* base/value: trees of text, lists and maps. */
#include "tests/unit/cmocka_all.h"

#include "base/str.h"
#include "base/value.h"

static void check_canonical(const struct ath_value *value, const char *expected)
{
	struct ath_str text = { 0 };

	ath_value_put_canonical(&text, value);
	assert_string_equal(ath_str_get(&text), expected);
	ath_str_fini(&text);
}

static void a_tree_is_built_in_order_and_written_canonically(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *map = ath_value_new_map(&arena), *inner = ath_value_new_map(&arena);
	struct ath_value *list;

	(void)state;
	check_canonical(map, "{}");
	ath_value_put_text(&arena, map, "name", "a \"b\"\n");
	ath_value_put_text(&arena, map, "never", NULL);
	list = ath_value_put_list(&arena, map, "list");
	ath_value_add_text(&arena, list, "1");
	ath_value_add_text(&arena, list, "");
	ath_value_put_text(&arena, inner, "key", "value");
	ath_value_put_value(&arena, map, "inner", inner);
	ath_value_put_text(&arena, map, "last", "x");
	check_canonical(map, "{\"name\":\"a \\\"b\\\"\\n\",\"list\":[\"1\",\"\"],"
			     "\"inner\":{\"key\":\"value\"},\"last\":\"x\"}");
	ath_arena_fini(&arena);
}

static void nothing_and_the_word_for_it_differ(void **state)
{
	const struct ath_value nothing = { 0 }, word = { .kind = ATH_VALUE_TEXT, .text = "null" };

	(void)state;
	check_canonical(&nothing, "null");
	check_canonical(&word, "\"null\"");
}

static void positions_do_not_show_in_the_canonical_text(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *one = ath_value_new_map(&arena), *other = ath_value_new_map(&arena);

	(void)state;
	ath_value_put_text(&arena, one, "key", "value");
	ath_value_put_text(&arena, other, "key", "value");
	other->pos = other->items->pos = other->items->key_pos = (struct ath_pos){ "f", 3, 4 };
	check_canonical(one, "{\"key\":\"value\"}");
	check_canonical(other, "{\"key\":\"value\"}");
	ath_arena_fini(&arena);
}

static void an_entry_is_found_in_maps_only(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *map = ath_value_new_map(&arena), *list;

	(void)state;
	ath_value_put_text(&arena, map, "key", "value");
	list = ath_value_put_list(&arena, map, "list");
	ath_value_add_text(&arena, list, "key");
	assert_string_equal(ath_value_find(map, "key")->text, "value");
	assert_null(ath_value_find(map, "other"));
	assert_null(ath_value_find(list, "key"));
	assert_null(ath_value_find(NULL, "key"));
	ath_arena_fini(&arena);
}

static void a_borrowed_tree_keeps_its_own_place(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_value *map = ath_value_new_map(&arena), *from = ath_value_new_map(&arena);

	(void)state;
	ath_value_put_text(&arena, from, "one", "1");
	ath_value_put_text(&arena, from, "two", "2");
	from->items->pos.line = 9;
	ath_value_put_value(&arena, map, "taken", from->items);
	ath_value_put_text(&arena, map, "more", "3");
	check_canonical(map, "{\"taken\":\"1\",\"more\":\"3\"}");
	check_canonical(from, "{\"one\":\"1\",\"two\":\"2\"}");
	assert_int_equal(ath_value_find(map, "taken")->pos.line, 9);
	ath_arena_fini(&arena);
}

static void every_kind_has_a_name_for_people(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ATH_VALUE_COUNT_; i++)
		assert_non_null(ath_value_kind_name((enum ath_value_kind)i));
	assert_string_equal(ath_value_kind_name(ATH_VALUE_LIST), "a list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_built_in_order_and_written_canonically),
		cmocka_unit_test(nothing_and_the_word_for_it_differ),
		cmocka_unit_test(positions_do_not_show_in_the_canonical_text),
		cmocka_unit_test(an_entry_is_found_in_maps_only),
		cmocka_unit_test(a_borrowed_tree_keeps_its_own_place),
		cmocka_unit_test(every_kind_has_a_name_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
