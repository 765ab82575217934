/* SPDX-License-Identifier: MIT */
/* steps/room: what is needed where, and that places of one file system share what is free. */
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steps/room.h"

#define MIB UINT64_C(1048576)

/* Devices and free MiB of the three places; a device of 0: the place is not needed. */
static struct ath_room_question ask(const unsigned devs[3], const unsigned frees[3])
{
	static const char *const names[] = { "/app", "/state", "/tmp" };
	struct ath_room_question question = { .bytes = 100 * MIB };

	for (int i = 0; i < 3; i++) {
		question.folders[i] = devs[i] ? names[i] : NULL;
		question.spaces[i].dev = devs[i];
		question.spaces[i].free_bytes = frees[i] * MIB;
	}
	return question;
}

static void needs_on_one_file_system_are_added(void **state)
{
	static const struct {
		unsigned devs[3];
		unsigned needs[3]; /* MiB, for a database of 100 MiB */
	} rows[] = {
		{ { 1, 2, 3 }, { 264, 364, 100 } }, /* each by itself */
		{ { 1, 1, 3 }, { 464, 464, 100 } }, /* never more than four times at one time */
		{ { 1, 2, 1 }, { 364, 364, 364 } }, { { 1, 2, 2 }, { 264, 464, 464 } },
		{ { 1, 1, 1 }, { 464, 464, 464 } }, { { 1, 2, 0 }, { 264, 364, 0 } },
		{ { 1, 1, 0 }, { 464, 464, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned place = 0; place < 3; place++) {
			unsigned frees[] = { 9999, 9999, 9999 };
			struct ath_room_question question = ask(rows[i].devs, frees);

			if (!rows[i].devs[place])
				continue;
			assert_int_equal(ath_room_need(&question, place),
					 rows[i].needs[place] * MIB);
			assert_int_equal(ath_room_find_lack(&question), ATH_ROOM_COUNT_);
			question.spaces[place].free_bytes = rows[i].needs[place] * MIB;
			assert_int_equal(ath_room_find_lack(&question), ATH_ROOM_COUNT_);
			question.spaces[place].free_bytes--;
			assert_int_equal(ath_room_find_lack(&question), place);
		}
	}
}

static void copy_of_an_interrupted_write_counts_where_it_goes(void **state)
{
	const unsigned apart[] = { 1, 2, 3 }, together[] = { 1, 1, 1 }, frees[] = { 500, 500, 500 };
	struct ath_room_question question = ask(apart, frees);

	(void)state;
	question.raw = 150 * MIB;
	assert_int_equal(ath_room_need(&question, ATH_ROOM_DATABASE), 264 * MIB);
	assert_int_equal(ath_room_need(&question, ATH_ROOM_STATE), 514 * MIB);
	assert_int_equal(ath_room_need(&question, ATH_ROOM_TEMPORARY), 100 * MIB);
	assert_int_equal(ath_room_find_lack(&question), ATH_ROOM_STATE);
	question = ask(together, frees);
	question.raw = 150 * MIB;
	assert_int_equal(ath_room_need(&question, ATH_ROOM_DATABASE), 614 * MIB);
	assert_int_equal(ath_room_find_lack(&question), ATH_ROOM_DATABASE);
}

static void small_database_needs_no_large_temporary_folder(void **state)
{
	const unsigned devs[] = { 1, 2, 3 }, frees[] = { 65, 65, 1 };
	struct ath_room_question question = ask(devs, frees);

	(void)state;
	question.bytes = 70 * 1024;
	assert_int_equal(ath_room_find_lack(&question), ATH_ROOM_COUNT_);
}

static void temporary_folder_is_the_first_that_can_be_written_to(void **state)
{
	struct ath_environ environment = { 0 };
	char one[] = "/tmp/athanor-room-XXXXXX", other[] = "/tmp/athanor-room-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(one));
	assert_non_null(mkdtemp(other));
	ath_environ_set(&environment, "TMPDIR", other);
	assert_string_equal(ath_room_temporary(&environment), other);
	ath_environ_set(&environment, "SQLITE_TMPDIR", one);
	assert_string_equal(ath_room_temporary(&environment), one);
	rmdir(one);
	assert_string_equal(ath_room_temporary(&environment), other);
	rmdir(other);
	assert_string_equal(ath_room_temporary(&environment), "/var/tmp");
	ath_environ_fini(&environment);
}

static void check_measures_and_names_what_it_is_for(void **state)
{
	struct ath_room_question question = { .folders = { "/tmp", "/tmp", NULL },
					      .bytes = UINT64_C(1) << 50 };
	struct ath_err err = { 0 };
	bool is_fuse;

	(void)state;
	assert_false(ath_room_check(&question, &is_fuse, &err));
	assert_int_equal(err.code, ATH_ERR_PREFLIGHT);
	assert_non_null(strstr(err.msg, "4294967360 MiB are needed for the commit, the pre-image"));
	ath_err_clear(&err);
	question.bytes = 1;
	assert_true(ath_room_check(&question, &is_fuse, &err));
	assert_false(is_fuse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_on_one_file_system_are_added),
		cmocka_unit_test(copy_of_an_interrupted_write_counts_where_it_goes),
		cmocka_unit_test(small_database_needs_no_large_temporary_folder),
		cmocka_unit_test(temporary_folder_is_the_first_that_can_be_written_to),
		cmocka_unit_test(check_measures_and_names_what_it_is_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
