/* SPDX-License-Identifier: MIT */
/* Tests of os/environ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/environ.h"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct ath_environ));
	return 0;
}

static int teardown(void **state)
{
	ath_environ_fini(*state);
	ath_environ_fini(*state);
	free(*state);
	return 0;
}

static void environ_drops_what_would_change_the_childs_python_or_shell(void **state)
{
	static const char *const dropped[] = { "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV",
					       "BASH_ENV",   "ENV",        "LD_LIBRARY_PATH",
					       "GIT_DIR",    "GIT_X" };
	static const char *const kept[] = { "PIP_INDEX_URL", "UV_CACHE_DIR",    "NPM_CONFIG_CACHE",
					    "https_proxy",   "SSL_CERT_FILE",   "ENVIRONMENT",
					    "GITHUB_TOKEN",  "PYTHONUNBUFFERED" };
	struct ath_environ *environment = *state;

	for (size_t i = 0; i < 8; i++) {
		setenv(dropped[i], "x", 1);
		setenv(kept[i], "x=y", 1);
	}
	ath_environ_init(environment);
	for (size_t i = 0; i < 8; i++) {
		assert_null(ath_environ_find(environment, dropped[i]));
		assert_string_equal(ath_environ_find(environment, kept[i]), "x=y");
		unsetenv(dropped[i]);
		unsetenv(kept[i]);
	}
}

static void environ_tells_programs_not_to_ask(void **state)
{
	struct ath_environ *environment = *state;

	setenv("PIP_NO_INPUT", "0", 1);
	ath_environ_init(environment);
	assert_string_equal(ath_environ_find(environment, "PIP_NO_INPUT"), "1");
	assert_string_equal(ath_environ_find(environment, "GIT_TERMINAL_PROMPT"), "0");
	assert_string_equal(ath_environ_find(environment, "DEBIAN_FRONTEND"), "noninteractive");
	assert_string_equal(ath_environ_find(environment, "PIP_DISABLE_PIP_VERSION_CHECK"), "1");
	unsetenv("PIP_NO_INPUT");
}

static void environ_set_replaces_and_removes(void **state)
{
	struct ath_environ *environment = *state;

	ath_environ_set(environment, "A", "1");
	ath_environ_set(environment, "AB", "2");
	ath_environ_set(environment, "A", "3");
	assert_int_equal(environment->len, 2);
	assert_string_equal(ath_environ_find(environment, "A"), "3");
	ath_environ_set(environment, "A", NULL);
	ath_environ_set(environment, "missing", NULL);
	assert_null(ath_environ_find(environment, "A"));
	assert_string_equal(ath_environ_find(environment, "AB"), "2");
	assert_int_equal(environment->len, 1);
	assert_null(environment->items[1]);
}

static void environ_copy_lives_on_its_own(void **state)
{
	struct ath_environ *environment = *state, copy;

	ath_environ_set(environment, "A", "1");
	ath_environ_copy(&copy, environment);
	ath_environ_set(environment, "A", "2");
	assert_string_equal(ath_environ_find(&copy, "A"), "1");
	ath_environ_fini(&copy);
}

static void expect_program(const struct ath_environ *environment, const char *name,
			   const char *expected)
{
	char *found = ath_environ_find_program(environment, name);

	if (expected)
		assert_string_equal(found, expected);
	else
		assert_null(found);
	free(found);
}

static void environ_finds_programs_in_its_own_path(void **state)
{
	struct ath_environ *environment = *state;
	char folder[] = "/tmp/athanor-environ-XXXXXX", path[200], link[64], plain[64];

	assert_non_null(mkdtemp(folder));
	snprintf(link, sizeof(link), "%s/tool", folder);
	snprintf(plain, sizeof(plain), "%s/sh", folder);
	assert_int_equal(symlink("/bin/sh", link), 0);
	fclose(fopen(plain, "w")); /* not executable: passed over */
	snprintf(path, sizeof(path), ":relative:/no/such:%s:/bin", folder);
	expect_program(environment, "sh", NULL);
	ath_environ_set(environment, "PATH", path);
	expect_program(environment, "sh", "/bin/sh");
	expect_program(environment, "tool", link); /* the link itself, not what it points to */
	expect_program(environment, link, link);
	expect_program(environment, "no-such-program", NULL);
	expect_program(environment, "", NULL);
	expect_program(environment, "/etc", NULL);
	unlink(link);
	unlink(plain);
	rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(environ_drops_what_would_change_the_childs_python_or_shell),
		TEST(environ_tells_programs_not_to_ask),
		TEST(environ_set_replaces_and_removes),
		TEST(environ_copy_lives_on_its_own),
		TEST(environ_finds_programs_in_its_own_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
