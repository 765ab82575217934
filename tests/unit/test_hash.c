/* SPDX-License-Identifier: MIT */
/* base/hash: FNV-1a with 128 bits, by known values. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/hash.h"

/* The values of the FNV reference (draft-eastlake-fnv, isthe.com/chongo/tech/comp/fnv). */
static void known_texts_have_their_known_hashes(void **state)
{
	static const struct {
		const char *text, *digits;
	} rows[] = {
		{ "", "6c62272e07bb014262b821756295c58d" },
		{ "a", "d228cb696f1a8caf78912b704e4a8964" },
		{ "foobar", "343e1662793c64bf6f0d3597ba446f18" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_hash hash = ath_hash_start();
		char digits[ATH_HASH_TEXT];

		ath_hash_add(&hash, rows[i].text, strlen(rows[i].text));
		ath_hash_text(hash, digits);
		assert_string_equal(digits, rows[i].digits);
	}
}

static void pieces_make_the_same_hash_as_the_whole(void **state)
{
	struct ath_hash whole = ath_hash_start(), pieces = ath_hash_start();

	(void)state;
	ath_hash_add(&whole, "foobar", 6);
	ath_hash_add(&pieces, "foo", 3);
	ath_hash_add(&pieces, "", 0);
	ath_hash_add(&pieces, "bar", 3);
	assert_true(whole.value == pieces.value);
}

static void neighbouring_texts_do_not_run_together(void **state)
{
	struct ath_hash one = ath_hash_start(), other = ath_hash_start();

	(void)state;
	ath_hash_add_text(&one, "ab");
	ath_hash_add_text(&one, "c");
	ath_hash_add_text(&other, "a");
	ath_hash_add_text(&other, "bc");
	assert_false(one.value == other.value);
}

static void small_hashes_keep_their_zeros(void **state)
{
	char digits[ATH_HASH_TEXT];

	(void)state;
	ath_hash_text((struct ath_hash){ 0x1f }, digits);
	assert_string_equal(digits, "0000000000000000000000000000001f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_have_their_known_hashes),
		cmocka_unit_test(pieces_make_the_same_hash_as_the_whole),
		cmocka_unit_test(neighbouring_texts_do_not_run_together),
		cmocka_unit_test(small_hashes_keep_their_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
