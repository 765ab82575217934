/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/test_python_facts: virtual environments made of plain files, healthy and broken.
 *
 *	TOP/usr/python3.11      the interpreter, an executable file
 *	TOP/app/.venv           the environment: pyvenv.cfg, bin/, lib/python3.11/site-packages/
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/python.h"
#include "os/file.h"
#include "tests/unit/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct place {
	char top[64];
	char venv[128];
};

static void put(const struct place *place, const char *path, const char *text)
{
	struct ath_err err = { 0 };
	char *whole = ath_file_join(place->top, path), *parent = ath_file_parent(whole);

	assert_true(ath_file_make_folders(parent, 0755, &err));
	assert_true(ath_file_replace(whole, text, strlen(text), 0755, &err));
	free(parent);
	free(whole);
}

static void link_to(const struct place *place, const char *path, const char *target)
{
	char *whole = ath_file_join(place->top, path);

	unlink(whole);
	assert_int_equal(symlink(target, whole), 0);
	free(whole);
}

static void drop(const struct place *place, const char *path)
{
	struct ath_err err = { 0 };
	char *whole = ath_file_join(place->top, path);

	assert_true(ath_file_remove_tree(whole, &err));
	free(whole);
}

/* "#!TOP/app/.venv/bin/python" and a line. */
static void put_pip(const struct place *place, const char *format)
{
	char text[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), format, place->venv);
#pragma GCC diagnostic pop
	put(place, "app/.venv/bin/pip", text);
}

/* A healthy environment as python -m venv makes it. */
static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->top, sizeof(place->top), "/tmp/athanor-venv-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	snprintf(place->venv, sizeof(place->venv), "%s/app/.venv", place->top);
	put(place, "usr/python3.11", "#!/bin/sh\n");
	put(place, "usr/python3.13", "#!/bin/sh\n");
	put(place, "app/.venv/pyvenv.cfg",
	    "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n");
	put(place, "app/.venv/lib/python3.11/site-packages/six.py", "x");
	put_pip(place, "#!%s/bin/python3\nimport sys\n");
	link_to(place, "app/.venv/bin/python3", "../../../usr/python3.11");
	link_to(place, "app/.venv/bin/python", "python3");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	drop(place, "");
	free(place);
	return 0;
}

static void expect(const struct place *place, enum ath_venv_state wanted, const char *detail)
{
	struct ath_venv venv;

	ath_venv_look(place->venv, &venv);
	if (venv.state != wanted || !strstr(venv.detail, detail))
		fail_msg("state %d, '%s'", (int)venv.state, venv.detail);
}

static void venv_of_python_itself_is_healthy(void **state)
{
	struct ath_venv venv;
	struct place *place = *state;

	ath_venv_look(place->venv, &venv);
	assert_string_equal(venv.detail, "");
	assert_int_equal(venv.state, ATH_VENV_HEALTHY);
	assert_string_equal(venv.version, "3.11.2");
	assert_false(venv.is_ours);
	put(place, "app/.venv/.athanor-made", "");
	ath_venv_look(place->venv, &venv);
	assert_int_equal(venv.state, ATH_VENV_HEALTHY);
	assert_true(venv.is_ours);
}

static void venv_of_virtualenv_and_uv_is_healthy(void **state)
{
	static const char *const configs[] = {
		"version_info = 3.11.2.final.0\nvirtualenv = 20.24.5\n",
		"implementation = CPython\nuv = 0.12.1\nversion_info = 3.11.2\n",
		"home = /usr/bin\n", /* says nothing of a version */
	};
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(configs); i++) {
		put(place, "app/.venv/pyvenv.cfg", configs[i]);
		expect(place, ATH_VENV_HEALTHY, "");
	}
}

static void venv_is_told_by_each_form_of_its_scripts(void **state)
{
	static const char *const forms[] = {
		"#!%s/bin/python\n",
		"#!/bin/sh\n'''exec' %s/bin/python \"$0\" \"$@\"\n' '''\n",
		"#!/bin/sh\n'''exec' \"%s/bin/python\" \"$0\" \"$@\"\n' '''\n",
		"#!/bin/sh\n'''exec' '%s/bin/python' \"$0\" \"$@\"\n' '''\n",
	};
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(forms); i++) {
		put_pip(place, forms[i]);
		expect(place, ATH_VENV_HEALTHY, "");
	}
	put(place, "app/.venv/bin/pip",
	    "#!/bin/sh\n'''exec' \"$(dirname -- \"$0\")\"/python \"$0\"\n");
	expect(place, ATH_VENV_HEALTHY, ""); /* relocatable: names no folder */
	put(place, "app/.venv/bin/pip", "#!/old/.venv/bin/python\n");
	expect(place, ATH_VENV_BROKEN, "made for '/old/.venv'");
}

static void venv_without_pip_is_told_by_its_activate(void **state)
{
	static const char *const forms[] = {
		"VIRTUAL_ENV=\"/old/.venv\"\nexport VIRTUAL_ENV\n",
		"VIRTUAL_ENV=/old/.venv\n",
		"VIRTUAL_ENV='/old/.venv'\n",
		"deactivate () {\n    unset VIRTUAL_ENV\n}\n    export VIRTUAL_ENV=/old/.venv\n",
		"  VIRTUAL_ENV=$(cygpath \"/x\")\nVIRTUAL_ENV=/old/.venv\n",
	};
	struct place *place = *state;

	drop(place, "app/.venv/bin/pip");
	expect(place, ATH_VENV_HEALTHY, "");
	for (size_t i = 0; i < COUNT(forms); i++) {
		put(place, "app/.venv/bin/activate", forms[i]);
		expect(place, ATH_VENV_BROKEN, "made for '/old/.venv'");
	}
}

static void venv_below_a_link_is_the_same_folder(void **state)
{
	struct place *place = *state;
	char text[256];

	link_to(place, "www", "app");
	snprintf(text, sizeof(text), "#!%s/www/.venv/bin/python\n", place->top);
	put(place, "app/.venv/bin/pip", text);
	expect(place, ATH_VENV_HEALTHY, "");
}

static void venv_that_was_moved_or_copied_is_broken(void **state)
{
	struct place *place = *state;
	char from[256], to[256];

	snprintf(from, sizeof(from), "%s/app", place->top);
	snprintf(to, sizeof(to), "%s/elsewhere", place->top);
	assert_int_equal(rename(from, to), 0);
	snprintf(place->venv, sizeof(place->venv), "%s/elsewhere/.venv", place->top);
	expect(place, ATH_VENV_BROKEN, "was moved or copied");
}

static void venv_whose_interpreter_is_gone_names_it(void **state)
{
	struct place *place = *state;

	drop(place, "usr/python3.11");
	expect(place, ATH_VENV_BROKEN, "usr/python3.11', which is gone");
	drop(place, "app/.venv/bin/python");
	expect(place, ATH_VENV_BROKEN, "bin/python is missing");
}

static void venv_whose_interpreter_is_another_is_broken(void **state)
{
	struct place *place = *state;

	link_to(place, "app/.venv/bin/python3", "../../../usr/python3.13");
	expect(place, ATH_VENV_BROKEN, "made for Python 3.11, and bin/python is Python 3.13 now");
	/* pyvenv.cfg laid over by a newer Python, the packages are still the old one's */
	put(place, "app/.venv/pyvenv.cfg", "version = 3.13.0\n");
	expect(place, ATH_VENV_BROKEN, "no folder lib/python3.13/site-packages");
}

static void venv_that_is_not_finished_is_broken(void **state)
{
	struct place *place = *state;
	struct ath_venv venv;

	put(place, "app/.venv/.athanor-building", "");
	ath_venv_look(place->venv, &venv);
	assert_int_equal(venv.state, ATH_VENV_BROKEN);
	assert_true(venv.is_ours);
	assert_false(venv.is_foreign);
	assert_string_equal(venv.detail, "its making was interrupted");
	drop(place, "app/.venv/.athanor-building");
	drop(place, "app/.venv/lib");
	expect(place, ATH_VENV_BROKEN, "no folder lib/python3.11/site-packages");
}

/* A broken one is replaced; an error while looking at it says nothing about it. */
static void venv_that_cannot_be_looked_at_is_not_called_broken(void **state)
{
	const struct place *place = *state;
	struct rlimit old, none;
	struct ath_venv venv;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ath_venv_look(place->venv, &venv);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(venv.state, ATH_VENV_UNKNOWN);
	assert_non_null(strstr(venv.detail, "Too many open files"));
	expect(place, ATH_VENV_HEALTHY, "");
}

static void folder_that_never_was_a_venv_is_foreign(void **state)
{
	struct place *place = *state;
	struct ath_venv venv;

	drop(place, "app/.venv");
	expect(place, ATH_VENV_ABSENT, "");
	put(place, "app/.venv/main.py", "x");
	ath_venv_look(place->venv, &venv);
	assert_int_equal(venv.state, ATH_VENV_BROKEN);
	assert_true(venv.is_foreign);
	drop(place, "app/.venv/main.py");
	expect(place, ATH_VENV_ABSENT, ""); /* an empty folder is as good as none */
	drop(place, "app/.venv");
	put(place, "app/.venv", "x");
	expect(place, ATH_VENV_BROKEN, "it is no folder");
}

static void incomplete_distributions_are_named(void **state)
{
	static const char site[] = "app/.venv/lib/python3.11/site-packages/";
	static const struct {
		const char *folder, *record; /* record NULL: none */
		bool is_whole;
	} cases[] = {
		{ "six-1.0.dist-info", "six.py,sha256=x,1\nsix-1.0.dist-info/RECORD,,\n", true },
		{ "comma-1.0.dist-info", "\"od,d.py\",sha256=x,1\n", true },
		{ "cache-1.0.dist-info", "__pycache__/six.cpython-311.pyc,,\nx/__pycache__,,\n",
		  true },
		{ "script-1.0.dist-info", "../../../bin/pip,sha256=x,3\n", true },
		{ "empty-1.0.dist-info", "py.typed,sha256=x,0\n", true },
		{ "bare-1.0.dist-info", NULL, false },
		{ "gone-1.0.dist-info", "six.py,sha256=x,1\r\ngone.py,sha256=x,9\r\n", false },
		{ "torn-1.0.dist-info", "py.typed,sha256=x,9\n", false },
	};
	struct place *place = *state;
	struct ath_str names = { 0 };
	char path[256], line[64];
	size_t wanted = 0;

	snprintf(path, sizeof(path), "%sod,d.py", site);
	put(place, path, "x");
	snprintf(path, sizeof(path), "%spy.typed", site);
	put(place, path, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(path, sizeof(path), "%s%s/%s", site, cases[i].folder,
			 cases[i].record ? "RECORD" : "METADATA");
		put(place, path, cases[i].record ? cases[i].record : "x");
		wanted += !cases[i].is_whole;
	}
	assert_int_equal(ath_venv_find_incomplete(place->venv, &names), wanted);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(line, sizeof(line), "%.*s", (int)(strlen(cases[i].folder) - 10),
			 cases[i].folder);
		if (!strstr(ath_str_get(&names), line) != cases[i].is_whole)
			fail_msg("%s", cases[i].folder);
	}
	ath_str_fini(&names);
}

static void version_meets_what_a_person_means(void **state)
{
	static const struct {
		const char *version, *specification;
		bool meets;
	} cases[] = {
		{ "3.11.2", ">=3.11,<3.14", true },
		{ "3.14.0", ">=3.11,<3.14", false },
		{ "3.10.9", ">=3.11", false },
		{ "3.11.2", "3.11", true },
		{ "3.12.0", "3.11", true },
		{ "3.11.2", "==3.11", true },
		{ "3.11.2", "==3.*", true },
		{ "3.12.1", "==3.11.*", false },
		{ "3.11.2", "!=3.11.*", false },
		{ "3.11.2", ">3.11", false },
		{ "3.12.0", ">3.11", true },
		{ "3.11.9", "<=3.11", true },
		{ "3.11.2", "~=3.10", true },
		{ "3.11.2", "~=3.10.1", false },
		{ "3.10.4", "~=3.10.1", true },
		{ "3.8.0", NULL, true },
		{ "3.7.17", NULL, false },
		{ "2.7.18", NULL, false },
		{ "v20.20.2", ">=18", true },
		{ "3.13.0rc1", ">=3.13", true },
		{ "3.9.0", ">=3.10", false },
		{ "3.11.2", ">= 3.11 , < 4", true },
		{ "", ">=3.11", false },
		{ "3.11.2", "nonsense", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (ath_python_meets(cases[i].version, cases[i].specification) != cases[i].meets)
			fail_msg("%s and %s", cases[i].version,
				 cases[i].specification ? cases[i].specification : "none");
	}
}

static void identity_changes_with_the_interpreter(void **state)
{
	struct place *place = *state;
	struct ath_str before = { 0 }, after = { 0 }, gone = { 0 };
	char *python = ath_file_join(place->venv, "bin/python");

	ath_python_put_identity(python, &before);
	put(place, "usr/python3.11", "#!/bin/sh\n# newer\n");
	ath_python_put_identity(python, &after);
	drop(place, "usr/python3.11");
	ath_python_put_identity(python, &gone);
	assert_string_not_equal(ath_str_get(&before), ath_str_get(&after));
	assert_true(ath_str_has_suffix(ath_str_get(&gone), " -"));
	free(python);
	ath_str_fini(&gone);
	ath_str_fini(&after);
	ath_str_fini(&before);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(venv_of_python_itself_is_healthy),
		CASE(venv_of_virtualenv_and_uv_is_healthy),
		CASE(venv_is_told_by_each_form_of_its_scripts),
		CASE(venv_without_pip_is_told_by_its_activate),
		CASE(venv_below_a_link_is_the_same_folder),
		CASE(venv_that_was_moved_or_copied_is_broken),
		CASE(venv_whose_interpreter_is_gone_names_it),
		CASE(venv_whose_interpreter_is_another_is_broken),
		CASE(venv_that_is_not_finished_is_broken),
		CASE(venv_that_cannot_be_looked_at_is_not_called_broken),
		CASE(folder_that_never_was_a_venv_is_foreign),
		CASE(incomplete_distributions_are_named),
		cmocka_unit_test(version_meets_what_a_person_means),
		CASE(identity_changes_with_the_interpreter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
