/* SPDX-License-Identifier: MIT */
/* tests/unit/test_cause: the one line that says why, in real outputs of pip, uv, npm and Python. */
#include <string.h>

#include "base/str.h"
#include "steps/cause.h"
#include "tests/unit/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void cause_is_found_in_each_tool_s_output(void **state)
{
	static const struct {
		const char *output, *cause, *network; /* network NULL: none */
	} cases[] = {
		{ "ERROR: Could not find a version that satisfies the requirement x==9\n"
		  "ERROR: No matching distribution found for x==9\n",
		  "ERROR: No matching distribution found for x==9", NULL },
		{ "ERROR: Cannot install x==1 and x==2 because these have conflicting "
		  "dependencies.\n"
		  "The conflict is caused by:\n"
		  "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n",
		  "ERROR: Cannot install x==1 and x==2 because these have conflicting "
		  "dependencies.",
		  NULL },
		{ "WARNING: Retrying after NewConnectionError: Temporary failure in name "
		  "resolution\n"
		  "ERROR: No matching distribution found for x\n",
		  "ERROR: No matching distribution found for x", "NewConnectionError" },
		{ "  error: failed-wheel-build-for-install\n"
		  "  \xc3\x97 Failed to build installable wheels\n"
		  "  \xe2\x95\xb0\xe2\x94\x80> x\nnote: more\n",
		  "error: failed-wheel-build-for-install: \xc3\x97 Failed to build installable "
		  "wheels: "
		  "\xe2\x95\xb0\xe2\x94\x80> x",
		  NULL },
		{ "  error: subprocess-exited-with-error\n"
		  "  \xc3\x97 Getting requirements to build wheel did not run successfully.\n"
		  "  \xe2\x94\x82 exit code: 1\n"
		  "  \xe2\x95\xb0\xe2\x94\x80> [3 lines of output]\n"
		  "      Traceback (most recent call last):\n"
		  "      Exception: no pkg-config name\n"
		  "      Specify X_CFLAGS\n"
		  "      [end of output]\n"
		  "  note: This error originates from a subprocess\n"
		  "error: subprocess-exited-with-error\n"
		  "\xc3\x97 Getting requirements to build wheel did not run successfully.\n"
		  "\xe2\x94\x82 exit code: 1\n"
		  "\xe2\x95\xb0\xe2\x94\x80> See above for output.\n",
		  "Exception: no pkg-config name", NULL },
		{ "  \xe2\x95\xb0\xe2\x94\x80> [1 line of output]\n"
		  "      this package is not for you\n"
		  "      [end of output]\n"
		  "ERROR: Could not build wheels for x\n",
		  "this package is not for you", NULL },
		{ "  \xe2\x95\xb0\xe2\x94\x80> [4 lines of output]\n"
		  "      Modules/c.h:15:10: fatal error: lber.h: No such file or directory\n"
		  "      Modules/d.h:1:1: error: x\n"
		  "      compilation terminated.\n"
		  "      error: command '/usr/bin/gcc' failed with exit code 1\n"
		  "      [end of output]\n"
		  "ERROR: Could not build wheels for x\n",
		  "Modules/c.h:15:10: fatal error: lber.h: No such file or directory", NULL },
		{ "error: Failed to fetch: https://index.example/simple/x/\n"
		  "  Caused by: dns error\n",
		  "error: Failed to fetch: https://index.example/simple/x/: Caused by: dns error",
		  "dns error" },
		{ "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\n"
		  "npm error network request to https://r.org/x failed\n"
		  "npm error A complete log of this run can be found in: /root/.npm\n",
		  "network request to https://r.org/x failed", "ENOTFOUND" },
		{ "npm error Missing script: \"build\"\nnpm error\nnpm error To see a list, run:\n",
		  "Missing script: \"build\"", NULL },
		{ "Error: no such page\n    at main (build.js:3:1)\n\nNode.js v20.1.0\n"
		  "npm error Lifecycle script `build` failed with error:\nnpm error code 1\n",
		  "Error: no such page", NULL },
		{ "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: too "
		  "old\n",
		  "ValueError: too old", NULL },
		{ "first\n\nlast\n\n", "last", NULL },
		{ "\033[31mred\n", "?[31mred", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ath_cause cause = { 0 };
		const char *line = cases[i].output;

		while (*line) {
			size_t len = strcspn(line, "\n");

			ath_cause_read(&cause, true, line, len);
			line += len + (line[len] != '\0');
		}
		assert_string_equal(ath_cause_get(&cause), cases[i].cause);
		if (!cause.network != !cases[i].network)
			fail_msg("%zu: network %s", i, cause.network ? cause.network : "none");
	}
}

static void cause_prefers_the_error_output(void **state)
{
	struct ath_cause cause = { 0 };

	(void)state;
	assert_string_equal(ath_cause_get(&cause), "");
	ath_cause_read(&cause, false, "done so far", 11);
	assert_string_equal(ath_cause_get(&cause), "done so far");
	ath_cause_read(&cause, true, "no space left", 13);
	ath_cause_read(&cause, false, "leaving", 7);
	assert_string_equal(ath_cause_get(&cause), "no space left");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cause_is_found_in_each_tool_s_output),
		cmocka_unit_test(cause_prefers_the_error_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
