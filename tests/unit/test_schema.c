/* SPDX-License-Identifier: MIT */
/* schema/model and schema/fingerprint: order, names, and equal text for equal schemas. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "schema/fingerprint.h"
#include "schema/model.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct ath_schema_object shop[] = {
	{ ATH_SCHEMA_TABLE, "Alembic_Version", "Alembic_Version", "CREATE TABLE a" },
	{ ATH_SCHEMA_TABLE, "books", "books", "CREATE TABLE books" },
	{ ATH_SCHEMA_INDEX, "by_title", "books", "CREATE INDEX by_title" },
	{ ATH_SCHEMA_INDEX, "by_name", "shelves", "CREATE INDEX by_name" },
	{ ATH_SCHEMA_VIEW, "books", "books", "CREATE VIEW books" },
	{ ATH_SCHEMA_TRIGGER, "on_loan", "books", "CREATE TRIGGER on_loan" },
};

static void objects_are_sorted_by_kind_table_and_name(void **state)
{
	struct ath_schema_object mixed[LEN(shop)];

	(void)state;
	for (size_t shift = 0; shift < LEN(shop); shift++) {
		for (size_t i = 0; i < LEN(shop); i++)
			mixed[i] = shop[(i * 5 + shift) % LEN(shop)];
		ath_schema_sort(mixed, LEN(shop));
		for (size_t i = 0; i < LEN(shop); i++)
			assert_string_equal(mixed[i].sql, shop[i].sql);
	}
	ath_schema_sort(NULL, 0);
}

static void names_are_compared_as_sqlite_does(void **state)
{
	static const struct {
		const char *name, *other;
		bool is_equal;
	} rows[] = {
		{ "books", "BOOKS", true }, { "", "", true },           { "book", "books", false },
		{ "books", "book", false }, { "[", "{", false },        { "a_b", "A_B", true },
		{ "ä", "Ä", false },        { "a\xff", "A\xff", true },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_int_equal(ath_schema_is_name(rows[i].name, rows[i].other), rows[i].is_equal);
}

static void tables_are_found_and_counted(void **state)
{
	const struct ath_schema schema = { .objects = shop, .len = LEN(shop) };

	(void)state;
	assert_ptr_equal(ath_schema_find_table(&schema, "BOOKS"), &shop[1]);
	assert_null(ath_schema_find_table(&schema, "by_title"));
	assert_int_equal(ath_schema_count_tables(&schema, NULL), 2);
	assert_int_equal(ath_schema_count_tables(&schema, "alembic_version"), 1);
	assert_int_equal(ath_schema_count_tables(&schema, "version"), 2);
}

static void fingerprint_depends_on_every_part_and_nothing_else(void **state)
{
	static const struct ath_schema_object base = { ATH_SCHEMA_TABLE, "ab", "c", "d" };
	static const struct ath_schema_object others[] = {
		{ ATH_SCHEMA_VIEW, "ab", "c", "d" },  { ATH_SCHEMA_TABLE, "a", "bc", "d" },
		{ ATH_SCHEMA_TABLE, "ab", "", "cd" }, { ATH_SCHEMA_TABLE, "ab", "c", "d " },
		{ ATH_SCHEMA_TABLE, "AB", "c", "d" },
	};
	char text[ATH_HASH_TEXT], other[ATH_HASH_TEXT];
	struct ath_schema schema = { .objects = &base, .len = 1 };

	(void)state;
	ath_schema_fingerprint(&schema, text);
	assert_int_equal(strlen(text), ATH_HASH_TEXT - 1);
	ath_schema_fingerprint(&schema, other);
	assert_string_equal(text, other);
	for (size_t i = 0; i < LEN(others); i++) {
		schema.objects = &others[i];
		ath_schema_fingerprint(&schema, other);
		assert_string_not_equal(text, other);
	}
	schema.len = 0;
	ath_schema_fingerprint(&schema, other);
	assert_string_not_equal(text, other);
}

static void schema_is_zeroed_by_its_end(void **state)
{
	struct ath_schema schema = { 0 };

	(void)state;
	ath_schema_fini(&schema);
	schema.objects = ath_arena_new(&schema.arena, 1, sizeof(*schema.objects));
	schema.len = 1;
	ath_schema_fini(&schema);
	assert_null(schema.objects);
	assert_int_equal(schema.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_sorted_by_kind_table_and_name),
		cmocka_unit_test(names_are_compared_as_sqlite_does),
		cmocka_unit_test(tables_are_found_and_counted),
		cmocka_unit_test(fingerprint_depends_on_every_part_and_nothing_else),
		cmocka_unit_test(schema_is_zeroed_by_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
