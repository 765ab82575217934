/* SPDX-License-Identifier: MIT */
/* base/time: how clock values are written. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/time.h"

static void a_wall_time_is_written_in_utc(void **state)
{
	static const struct {
		int64_t ms;
		const char *written;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" }, /* a clock that was never set */
		{ -1000, "1969-12-31T23:59:59.000Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_str text = { 0 };

		ath_time_put_wall(&text, (struct ath_wall){ rows[i].ms });
		assert_string_equal(ath_str_get(&text), rows[i].written);
		ath_str_fini(&text);
	}
}

static void a_duration_is_written_for_people(void **state)
{
	static const struct {
		uint64_t ms;
		const char *written;
	} rows[] = {
		{ 0, "0.0 s" },          { 99, "0.0 s" },          { 400, "0.4 s" },
		{ 9999, "9.9 s" },       { 10000, "10 s" },        { 59999, "59 s" },
		{ 60000, "1 min 00 s" }, { 185000, "3 min 05 s" }, { 7384000, "123 min 04 s" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_str text = { 0 };

		ath_time_put_duration(&text, rows[i].ms);
		assert_string_equal(ath_str_get(&text), rows[i].written);
		ath_str_fini(&text);
	}
}

static void clocks_go_on(void **state)
{
	struct ath_mono before = ath_time_mono();

	(void)state;
	assert_true(ath_time_mono().ns >= before.ns);
	assert_true(ath_time_elapsed_ms(before) < 10000);
	before.ns -= 5000000000U;
	assert_true(ath_time_elapsed_ms(before) >= 5000);
	assert_true(ath_time_wall().ms > 1600000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_time_is_written_in_utc),
		cmocka_unit_test(a_duration_is_written_for_people),
		cmocka_unit_test(clocks_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
