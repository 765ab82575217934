/* SPDX-License-Identifier: MIT */
/* Elements: one text per part of a schema, whatever its names are like. */
#include <string.h>

#include "schema/element.h"
#include "tests/unit/cmocka_all.h"

static struct ath_texts texts(const char *const *items, size_t len)
{
	return (struct ath_texts){ items, len };
}

static void keys_are_canonical(void **state)
{
	static const char *const two[] = { "Author_ID", "created" }, *const one[] = { "id" };
	struct ath_texts columns = texts(two, 2), others = texts(one, 1);
	struct ath_arena arena = { 0 };

	(void)state;
	assert_string_equal(ath_element_table_key(&arena, "Users"), "table users");
	assert_string_equal(ath_element_column_key(&arena, "Users", "EMail"), "column users.email");
	assert_string_equal(ath_element_index_key(&arena, "stories", &columns, false),
			    "index stories(author_id,created)");
	assert_string_equal(ath_element_index_key(&arena, "stories", &others, true),
			    "unique stories(id)");
	assert_string_equal(ath_element_named_index_key(&arena, "stories", "IX_lower"),
			    "index stories ix_lower");
	others.len = 2;
	others.items = two;
	assert_string_equal(ath_element_foreign_key(&arena, "stories", &columns, "users", &others),
			    "foreign stories(author_id,created) users(author_id,created)");
	assert_string_equal(ath_element_named_key(&arena, ATH_ELEMENT_VIEW, "Recent"),
			    "view recent");
	ath_arena_fini(&arena);
}

static void hostile_names_are_quoted_and_never_collide(void **state)
{
	static const char *const comma[] = { "a,b" }, *const parted[] = { "a", "b" };
	struct ath_texts one = texts(comma, 1), two = texts(parted, 2);
	struct ath_arena arena = { 0 };

	(void)state;
	assert_string_equal(ath_element_table_key(&arena, ""), "table \"\"");
	assert_string_equal(ath_element_table_key(&arena, "a \"b\""), "table \"a \"\"b\"\"\"");
	assert_string_equal(ath_element_column_key(&arena, "a.b", "c"), "column \"a.b\".c");
	assert_string_equal(ath_element_column_key(&arena, "a", "b.c"), "column a.\"b.c\"");
	assert_string_equal(ath_element_table_key(&arena, "tab\there"), "table \"tab\there\"");
	assert_string_equal(ath_element_table_key(&arena, "\xc3\x84rger"), "table \xc3\x84rger");
	assert_string_not_equal(ath_element_index_key(&arena, "t", &one, false),
				ath_element_index_key(&arena, "t", &two, false));
	ath_arena_fini(&arena);
}

static struct ath_element make(enum ath_element_kind kind, const char *table, const char *key)
{
	return (struct ath_element){ .kind = kind, .table = table, .key = key };
}

static void an_element_moves_with_its_table(void **state)
{
	static const struct {
		enum ath_element_kind kind;
		const char *key, *moved;
	} rows[] = {
		{ ATH_ELEMENT_TABLE, "table \"a.b\"", "table \"new name\"" },
		{ ATH_ELEMENT_COLUMN, "column \"a.b\".c", "column \"new name\".c" },
		{ ATH_ELEMENT_INDEX, "index \"a.b\"(c,\"d,e\")", "index \"new name\"(c,\"d,e\")" },
		{ ATH_ELEMENT_INDEX, "index \"a.b\" ix", "index \"new name\" ix" },
		{ ATH_ELEMENT_FOREIGN, "foreign \"a.b\"(c) u(id)",
		  "foreign \"new name\"(c) u(id)" },
	};
	struct ath_arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ath_element one = make(rows[i].kind, "a.b", rows[i].key);

		one = ath_element_retable(&arena, &one, "New Name");
		assert_string_equal(one.key, rows[i].moved);
		assert_string_equal(one.table, "new name");
	}
	ath_arena_fini(&arena);
}

static void an_index_knows_its_columns(void **state)
{
	struct ath_element index = make(ATH_ELEMENT_INDEX, "t", "index t(a,\"b,c\",\"d\"\"\")");
	struct ath_element foreign = make(ATH_ELEMENT_FOREIGN, "t", "foreign t(a) u(z)");
	struct ath_element a = make(ATH_ELEMENT_COLUMN, "t", "column t.a");
	struct ath_element bc = make(ATH_ELEMENT_COLUMN, "t", "column t.\"b,c\"");
	struct ath_element d = make(ATH_ELEMENT_COLUMN, "t", "column t.\"d\"\"\"");
	struct ath_element c = make(ATH_ELEMENT_COLUMN, "t", "column t.c");
	struct ath_element z = make(ATH_ELEMENT_COLUMN, "t", "column t.z");
	struct ath_element other = make(ATH_ELEMENT_COLUMN, "u", "column u.a");

	(void)state;
	assert_true(ath_element_is_over(&index, &a));
	assert_true(ath_element_is_over(&index, &bc));
	assert_true(ath_element_is_over(&index, &d));
	assert_false(ath_element_is_over(&index, &c));
	assert_false(ath_element_is_over(&index, &other));
	assert_true(ath_element_is_over(&foreign, &a));
	assert_false(ath_element_is_over(&foreign, &z));
	assert_false(ath_element_is_over(&a, &a));
}

static void a_set_is_sorted_without_duplicates(void **state)
{
	struct ath_element items[] = {
		make(ATH_ELEMENT_TABLE, "b", "table b"),
		make(ATH_ELEMENT_COLUMN, "b", "column b.x"),
		make(ATH_ELEMENT_TABLE, "b", "table b"),
		make(ATH_ELEMENT_TABLE, "a", "table a"),
	};
	struct ath_elements set = { items, ath_element_sort(items, 4) }, none = { 0 };

	(void)state;
	assert_int_equal(set.len, 3);
	assert_string_equal(set.items[0].key, "column b.x");
	assert_string_equal(set.items[2].key, "table b");
	assert_ptr_equal(ath_element_find(&set, "table a"), &set.items[1]);
	assert_null(ath_element_find(&set, "table c"));
	assert_null(ath_element_find(&none, "table a"));
	assert_int_equal(ath_element_sort(NULL, 0), 0);
}

static void types_and_names_are_normalised(void **state)
{
	struct ath_arena arena = { 0 };

	(void)state;
	assert_string_equal(ath_element_type(&arena, "  double \t precision "), "DOUBLE PRECISION");
	assert_string_equal(ath_element_type(&arena, NULL), "");
	assert_string_equal(ath_element_type(&arena, "varchar(50)"), "VARCHAR(50)");
	assert_string_equal(ath_element_fold(&arena, "A \"B\""), "a \"b\"");
	assert_string_equal(ath_element_kind_name(ATH_ELEMENT_FOREIGN), "foreign");
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_canonical),
		cmocka_unit_test(hostile_names_are_quoted_and_never_collide),
		cmocka_unit_test(an_element_moves_with_its_table),
		cmocka_unit_test(an_index_knows_its_columns),
		cmocka_unit_test(a_set_is_sorted_without_duplicates),
		cmocka_unit_test(types_and_names_are_normalised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
