/* SPDX-License-Identifier: MIT */
/* base/meter: rate, time left and text of a reading; what is called off, and what is not. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/meter.h"
#include "base/str.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define MIB        (UINT64_C(1) << 20)

static void reading_is_told_with_rate_and_time_left(void **state)
{
	static const struct {
		struct ath_meter_reading reading;
		const char *text;
	} rows[] = {
		{ { "copying", 0, 0, 2000 }, "copying, 2.0 s so far" },
		{ { "copying", 0, 1024 * MIB, 1000 }, "copying: 0 of 1024 MiB" },
		{ { "copying", 0, 0, 0 }, "copying, 0.0 s so far" },
		{ { "copying", 50 * MIB, 90 * MIB, 1000 },
		  "copying: 51200 of 92160 KiB, 50 MiB/s, 0.8 s left" },
		{ { "copying", 300 * MIB, 1000 * MIB, 3000 },
		  "copying: 300 of 1000 MiB, 100 MiB/s, 7.0 s left" },
		{ { "copying", 5 * MIB, 1000 * MIB, 1000 },
		  "copying: 5 of 1000 MiB, 5120 KiB/s, 3 min 19 s left" },
		{ { "copying", 1024 * MIB * 200, 1024 * MIB * 400, 1000000 },
		  "copying: 200 of 400 GiB, 204 MiB/s, 16 min 40 s left" },
		{ { "copying", 1000 * MIB, 1000 * MIB, 10000 },
		  "copying: 1000 of 1000 MiB, 100 MiB/s, 0.0 s left" },
		{ { "copying", 1001 * MIB, 1000 * MIB, 10000 },
		  "copying: 1001 of 1000 MiB, 100 MiB/s, 0.0 s left" },
		{ { "copying", 1, 1000 * MIB, 0 }, "copying: 0 of 1000 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct ath_str text = { 0 };

		ath_meter_put(&text, &rows[i].reading);
		if (strcmp(ath_str_get(&text), rows[i].text) != 0)
			fail_msg("'%s' instead of '%s'", ath_str_get(&text), rows[i].text);
		ath_str_fini(&text);
	}
}

static void amounts_of_any_size_are_no_overflow(void **state)
{
	struct ath_meter_reading reading = { "copying", UINT64_MAX / 2, UINT64_MAX, 10 };

	(void)state;
	assert_true(ath_meter_left_ms(&reading) >= 9 && ath_meter_left_ms(&reading) <= 11);
	reading = (struct ath_meter_reading){ "copying", 1, UINT64_MAX, 1 };
	assert_true(ath_meter_left_ms(&reading) > UINT64_MAX / 2);
}

static void meter_moves_by_parts_of_its_total(void **state)
{
	struct ath_meter meter = { 0 };
	struct ath_meter_reading reading;

	(void)state;
	assert_false(ath_meter_read(&meter, &reading));
	ath_meter_begin(&meter, "copying", 8000);
	assert_true(ath_meter_move(&meter, 3, 4));
	assert_true(ath_meter_read(&meter, &reading));
	assert_int_equal(reading.done, 6000);
	assert_int_equal(reading.total, 8000);
	assert_true(ath_meter_move(&meter, 9, 4));
	assert_true(ath_meter_read(&meter, &reading));
	assert_int_equal(reading.done, 8000);
	ath_meter_begin(&meter, "hashing", 10);
	assert_true(ath_meter_read(&meter, &reading));
	assert_int_equal(reading.done, 0);
	ath_meter_end(&meter);
	assert_false(ath_meter_read(&meter, &reading));
	ath_meter_begin(NULL, "hashing", 10);
	assert_true(ath_meter_move(NULL, 1, 2));
	ath_meter_end(NULL);
}

static void work_that_is_called_off_goes_on_only_if_it_is_deaf(void **state)
{
	struct ath_meter meter = { 0 };

	(void)state;
	assert_true(ath_meter_goes_on(&meter));
	ath_meter_call_off(&meter);
	assert_false(ath_meter_goes_on(&meter));
	assert_false(ath_meter_move(&meter, 1, 2));
	meter.is_deaf = true;
	assert_true(ath_meter_goes_on(&meter));
	assert_true(ath_meter_move(&meter, 1, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_is_told_with_rate_and_time_left),
		cmocka_unit_test(amounts_of_any_size_are_no_overflow),
		cmocka_unit_test(meter_moves_by_parts_of_its_total),
		cmocka_unit_test(work_that_is_called_off_goes_on_only_if_it_is_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
