/* SPDX-License-Identifier: MIT */
/* base/arena: objects that die together. */
#include "tests/unit/cmocka_all.h"

#include <stdalign.h>
#include <string.h>

#include "base/arena.h"

static void objects_are_zeroed_aligned_and_apart(void **state)
{
	struct ath_arena arena = { 0 };
	unsigned char *before = NULL;

	(void)state;
	for (size_t size = 1; size < 300; size++) {
		unsigned char *object = ath_arena_new(&arena, 1, size);

		assert_int_equal((uintptr_t)object % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(object[i], 0);
		memset(object, 0xff, size);
		if (before)
			assert_int_equal(before[size - 2], 0xff);
		before = object;
	}
	ath_arena_fini(&arena);
}

static void an_object_larger_than_a_block_fits(void **state)
{
	struct ath_arena arena = { 0 };
	char *small = ath_arena_strdup(&arena, "small"), *large = ath_arena_new(&arena, 100000, 3);

	(void)state;
	memset(large, 'x', 300000);
	assert_string_equal(small, "small");
	assert_string_equal(ath_arena_strdup(&arena, "after"), "after");
	ath_arena_fini(&arena);
}

static void nothing_may_be_asked_for(void **state)
{
	struct ath_arena arena = { 0 };

	(void)state;
	assert_non_null(ath_arena_new(&arena, 0, 8));
	assert_non_null(ath_arena_new(&arena, 8, 0));
	assert_null(ath_arena_strdup(&arena, NULL));
	assert_string_equal(ath_arena_strndup(&arena, "", 0), "");
	ath_arena_fini(&arena);
}

static void texts_are_copied(void **state)
{
	struct ath_arena arena = { 0 };
	char text[] = "text";
	const char *whole = ath_arena_strdup(&arena, text),
		   *part = ath_arena_strndup(&arena, text, 2),
		   *made = ath_arena_printf(&arena, "%s-%d", text, 7);

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_string_equal(whole, "text");
	assert_string_equal(part, "te");
	assert_string_equal(made, "text-7");
	assert_string_equal(ath_arena_printf(&arena, "%s", ""), "");
	ath_arena_fini(&arena);
}

static void an_arena_can_be_used_again(void **state)
{
	struct ath_arena arena = { 0 };

	(void)state;
	ath_arena_fini(&arena);
	for (int i = 0; i < 3; i++) {
		ath_arena_strdup(&arena, "x");
		ath_arena_fini(&arena);
		assert_null(arena.last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_aligned_and_apart),
		cmocka_unit_test(an_object_larger_than_a_block_fits),
		cmocka_unit_test(nothing_may_be_asked_for),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(an_arena_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
