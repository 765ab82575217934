/* SPDX-License-Identifier: MIT */
/* tests/unit/test_outputs: what a build has written is told from what it reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/file.h"
#include "steps/outputs.h"
#include "steps/tree.h"
#include "tests/unit/cmocka_all.h"

static void put(const char *top, const char *path)
{
	struct ath_err err = { 0 };
	char *whole = ath_file_join(top, path), *parent = ath_file_parent(whole);

	assert_true(ath_file_make_folders(parent, 0755, &err));
	assert_true(ath_file_replace(whole, path, strlen(path), 0644, &err));
	free(parent);
	free(whole);
}

static int64_t now_after_a_pause(void)
{
	const struct timespec pause = { 0, 50000000 };
	struct timespec now;

	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_inputs(const char *top, const char *known, struct ath_str *out)
{
	char *copy = known ? strdup(known) : NULL;

	ath_tree_put_path(top, ".", ath_outputs_skip, copy, out);
	free(copy);
}

static int set_up(void **state)
{
	char *top = strdup("/tmp/athanor-outputs-XXXXXX");

	assert_non_null(mkdtemp(top));
	put(top, "package.json");
	put(top, "src/app.js");
	put(top, "src/pages/one.js");
	put(top, "node_modules/x/index.js");
	put(top, ".cache/x");
	*state = top;
	return 0;
}

static int tear_down(void **state)
{
	struct ath_err err = { 0 };

	assert_true(ath_file_remove_tree(*state, &err));
	free(*state);
	return 0;
}

static void folders_that_the_build_wrote_are_its_outputs(void **state)
{
	const char *top = *state;
	struct ath_str before = { 0 }, after = { 0 }, outputs = { 0 }, missing = { 0 };
	int64_t since;

	put_inputs(top, NULL, &before);
	since = now_after_a_pause();
	put(top, "www/index.html");
	put(top, "www/assets/app.js");
	put(top, "dist/x");
	put(top, "tsconfig.tsbuildinfo");
	put(top, "node_modules/.cache/x");
	ath_outputs_find(top, since, &outputs);
	assert_string_equal(ath_str_get(&outputs), "dist\nwww\n");
	put_inputs(top, ath_str_get(&outputs), &after);
	assert_string_equal(ath_str_get(&before), ath_str_get(&after));
	assert_false(ath_outputs_find_missing(top, ath_str_get(&outputs), &missing));
	assert_true(ath_outputs_find_missing(top, "dist\ngone\n", &missing));
	assert_string_equal(ath_str_get(&missing), "gone");
	ath_str_fini(&missing);
	ath_str_fini(&outputs);
	ath_str_fini(&after);
	ath_str_fini(&before);
}

static void source_saved_during_the_build_stays_a_source(void **state)
{
	const char *top = *state;
	struct ath_str before = { 0 }, after = { 0 }, outputs = { 0 };
	int64_t since;

	put_inputs(top, NULL, &before);
	since = now_after_a_pause();
	put(top, "src/app.js");
	put(top, "src/new.js");
	ath_outputs_find(top, since, &outputs);
	assert_string_equal(ath_str_get(&outputs), "");
	put_inputs(top, "", &after);
	assert_string_not_equal(ath_str_get(&before), ath_str_get(&after));
	ath_str_fini(&outputs);
	ath_str_fini(&after);
	ath_str_fini(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folders_that_the_build_wrote_are_its_outputs,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(source_saved_during_the_build_stays_a_source,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
