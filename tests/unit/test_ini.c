/* SPDX-License-Identifier: MIT */
/* What is known of an alembic.ini and of a pyproject.toml without Python. */
#include <stdlib.h>
#include <string.h>

#include "alembic/ini.h"
#include "base/str.h"
#include "tests/unit/cmocka_all.h"

#define PLACE     ATH_INI_SCRIPT_LOCATION
#define VERSIONS  ATH_INI_VERSION_LOCATIONS
#define PREPEND   ATH_INI_PREPEND_SYS_PATH
#define RECURSIVE ATH_INI_RECURSIVE_VERSION_LOCATIONS
#define URL       ATH_INI_URL

/* A text, a key, the answer: "-" absent, "?" not static, else the value, lists as "[a][b]"; NULL:
 * the whole text is refused. */
struct row {
	const char *text;
	enum ath_ini_key key;
	const char *answer;
};

static void put_answer(struct ath_str *out, const struct ath_ini_field *field)
{
	if (field->state == ATH_INI_ABSENT)
		ath_str_putc(out, '-');
	else if (field->state == ATH_INI_NOT_STATIC)
		ath_str_putc(out, '?');
	else if (field->text)
		ath_str_puts(out, field->text);
	for (size_t i = 0; field->state == ATH_INI_VALUE && i < field->texts.len; i++)
		ath_str_printf(out, "[%s]", field->texts.items[i]);
}

static void check_row(const struct row *row, bool is_toml)
{
	struct ath_ini_source source = { "x", row->text, strlen(row->text), "/srv/app" };
	struct ath_arena arena = { 0 };
	struct ath_ini ini = { 0 };
	struct ath_err err = { 0 };
	struct ath_str answer = { 0 };
	bool is_read = is_toml ? ath_ini_read_toml(&source, &arena, &ini, &err)
			       : ath_ini_read(&source, "alembic", &arena, &ini, &err);

	if (is_read)
		put_answer(&answer, &ini.fields[row->key]);
	if (is_read != (row->answer != NULL) ||
	    (is_read && strcmp(ath_str_get(&answer), row->answer) != 0))
		fail_msg("of\n%s\ncame '%s' (%s), not '%s'", row->text, ath_str_get(&answer),
			 err.msg, row->answer ? row->answer : "a refusal");
	if (is_read) {
		const struct ath_ini_field *field = &ini.fields[row->key];

		assert_int_equal(field->reason != NULL, field->state == ATH_INI_NOT_STATIC);
		assert_int_equal(field->line != 0, field->state != ATH_INI_ABSENT);
	} else {
		assert_int_equal(err.code, ATH_ERR_CHAIN);
		assert_true(err.pos.line > 0);
	}
	ath_str_fini(&answer);
	ath_arena_fini(&arena);
}

#define CHECK(rows, is_toml)                                        \
	for (size_t i = 0; i < sizeof(rows) / sizeof(*(rows)); i++) \
	check_row(&(rows)[i], is_toml)

#define HEAD "[alembic]\n"

static void ini_reads_lines_as_configparser_does(void **state)
{
	static const struct row rows[] = {
		{ HEAD "script_location = migrations\n", PLACE, "migrations" },
		{ HEAD "script_location: migrations", PLACE, "migrations" },
		{ HEAD "Script_Location=migrations  \r\n", PLACE, "migrations" },
		{ "# c\n; c\n\n" HEAD "  # c\nscript_location = a # b\n", PLACE, "a # b" },
		{ HEAD "script_location =\n  a\n", PLACE, "?" },
		{ HEAD "script_location = a\n  b\n", PLACE, "?" },
		{ HEAD "x = 1\n  script_location = a\n", PLACE, "-" },
		{ HEAD "sqlalchemy.url = sqlite:///a.db\n\n\n[loggers]\nkeys = root\n", URL,
		  "sqlite:///a.db" },
		{ HEAD "script_location = a\n\n", PLACE, "a" },
		{ "[other]\nscript_location = a\n", PLACE, "-" },
		{ HEAD "[loggers]\nscript_location = a\n", PLACE, "-" },
		{ "[DEFAULT]\nscript_location = a\n" HEAD, PLACE, "a" },
		{ "[DEFAULT]\nscript_location = a\n", PLACE, "-" },
		{ "[DEFAULT]\nscript_location = a\n" HEAD "script_location = b\n", PLACE, "b" },
		{ HEAD "script_location =\n", PLACE, "?" },
	};

	(void)state;
	CHECK(rows, false);
}

static void ini_refuses_what_configparser_refuses(void **state)
{
	static const struct row rows[] = {
		{ "script_location = a\n", PLACE, NULL },
		{ HEAD "script_location\n", PLACE, NULL },
		{ HEAD "= a\n", PLACE, NULL },
		{ HEAD HEAD, PLACE, NULL },
		{ HEAD "a = 1\nA = 2\n", PLACE, NULL },
		{ HEAD "[x\n", PLACE, NULL },
		{ "\357\273\277" HEAD, PLACE, NULL },
	};

	(void)state;
	CHECK(rows, false);
}

static void ini_follows_references(void **state)
{
	static const struct row rows[] = {
		{ HEAD "script_location = %(here)s/m\n", PLACE, "/srv/app/m" },
		{ HEAD "script_location = %(HERE)s\n", PLACE, "/srv/app" },
		{ HEAD "here = /x\nscript_location = %(here)s/m\n", PLACE, "/x/m" },
		{ "[DEFAULT]\nd = m\n" HEAD "script_location = %(here)s/%(d)s%%\n", PLACE,
		  "/srv/app/m%" },
		{ HEAD "a = %(b)s-\nb = %(here)s\nscript_location = %(a)s.%(a)s\n", PLACE,
		  "/srv/app-./srv/app-" },
		{ HEAD "script_location = %(unknown)s\n", PLACE, "?" },
		{ HEAD "script_location = 5%\n", PLACE, "?" },
		{ HEAD "script_location = %(here\n", PLACE, "?" },
		{ HEAD "script_location = %(here)d\n", PLACE, "?" },
		{ HEAD "script_location = %(script_location)s\n", PLACE, "?" },
		{ HEAD "sqlalchemy.url = pg://u:p%%40@h/d\n", URL, "pg://u:p%40@h/d" },
		{ HEAD "sqlalchemy.url = %(DB_URL)s\nscript_location = a\n", PLACE, "a" },
	};

	(void)state;
	CHECK(rows, false);
}

static void ini_stops_references_that_multiply(void **state)
{
	struct ath_str text = { 0 };
	struct row row = { NULL, PLACE, "?" };

	(void)state;
	ath_str_puts(&text, HEAD "script_location = %(a9)s\na0 = %%\n");
	for (int i = 1; i < 10; i++) {
		ath_str_printf(&text, "a%d = ", i);
		for (int n = 0; n < 100; n++)
			ath_str_printf(&text, "%%(a%d)s", i - 1);
		ath_str_putc(&text, '\n');
	}
	row.text = ath_str_get(&text);
	check_row(&row, false);
	ath_str_fini(&text);
}

static void ini_leaves_packages_and_placeholders_to_python(void **state)
{
	static const struct row rows[] = {
		{ HEAD "script_location = pkg:migrations\n", PLACE, "?" },
		{ HEAD "script_location = a.b:c:d\n", PLACE, "?" },
		{ HEAD "script_location = /a:b\n", PLACE, "/a:b" },
		{ HEAD "script_location = {alembic_dir}\n", PLACE, "?" },
		{ HEAD "script_location = .\n", PLACE, "." },
		{ HEAD "version_locations = a pkg:b\n", VERSIONS, "?" },
	};

	(void)state;
	CHECK(rows, false);
}

static void ini_splits_lists_as_alembic_does(void **state)
{
	static const struct row rows[] = {
		{ HEAD "version_locations = a, b c\n", VERSIONS, "[a][b][c]" },
		{ HEAD "version_locations = a,,b\n", VERSIONS, "?" },
		{ HEAD "version_locations =\n", VERSIONS, "-" },
		{ HEAD "version_locations = a:b c:d\nversion_path_separator = os\n", VERSIONS,
		  "[a][b c][d]" },
		{ HEAD "version_locations = a  b\nversion_path_separator = space\n", VERSIONS,
		  "[a][b]" },
		{ HEAD "path_separator = ;\nversion_path_separator = os\nversion_locations = a;b\n",
		  VERSIONS, "[a][b]" },
		{ HEAD "path_separator = newline\nversion_locations =\n  %(here)s/a\n\n  b c\n",
		  VERSIONS, "[/srv/app/a][b c]" },
		{ HEAD "path_separator = tab\nversion_locations = a\n", VERSIONS, "?" },
		{ HEAD "path_separator = %(x)s\nversion_locations = a\n", VERSIONS, "?" },
		{ HEAD "prepend_sys_path = .\n", PREPEND, "[.]" },
		{ HEAD "prepend_sys_path = a:b c\nversion_path_separator = space\n", PREPEND,
		  "[a][b][c]" },
		{ HEAD "prepend_sys_path = a:b c\npath_separator = os\n", PREPEND, "[a][b c]" },
		{ HEAD "recursive_version_locations = true\n", RECURSIVE, "true" },
		{ HEAD "recursive_version_locations = True\n", RECURSIVE, "false" },
	};

	(void)state;
	CHECK(rows, false);
}

static void ini_finds_every_section_that_looks_like_an_environment(void **state)
{
	static const char text[] = "[DEFAULT]\nx = 1\n[tenant]\nscript_location = t\n[loggers]\n"
				   "keys = root\n[alembic]\nscript_location = a\n";
	struct ath_ini_source source = { "x", text, sizeof(text) - 1, NULL };
	struct ath_arena arena = { 0 };
	struct ath_texts names;
	struct ath_ini ini;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_ini_find_environments(&source, &arena, &names, &err));
	assert_int_equal(names.len, 2);
	assert_string_equal(names.items[0], "tenant");
	assert_string_equal(names.items[1], "alembic");
	assert_null(names.items[2]);
	assert_true(ath_ini_read(&source, "tenant", &arena, &ini, &err));
	assert_true(ini.has_section);
	assert_string_equal(ini.fields[PLACE].text, "t");
	assert_int_equal(ini.fields[PLACE].line, 4);
	assert_true(ath_ini_read(&source, "none", &arena, &ini, &err));
	assert_false(ini.has_section);
	ath_arena_fini(&arena);
}

static void ini_without_a_folder_does_not_know_here(void **state)
{
	static const char ini_text[] = HEAD "script_location = %(here)s\n";
	static const char toml_text[] = "[tool.alembic]\nscript_location = '%(here)s'\n";
	struct ath_ini_source ini_source = { "x", ini_text, sizeof(ini_text) - 1, NULL };
	struct ath_ini_source toml_source = { "x", toml_text, sizeof(toml_text) - 1, NULL };
	struct ath_arena arena = { 0 };
	struct ath_ini ini;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_ini_read(&ini_source, "alembic", &arena, &ini, &err));
	assert_int_equal(ini.fields[PLACE].state, ATH_INI_NOT_STATIC);
	assert_true(ath_ini_read_toml(&toml_source, &arena, &ini, &err));
	assert_int_equal(ini.fields[PLACE].state, ATH_INI_NOT_STATIC);
	ath_arena_fini(&arena);
}

#define TABLE "[tool.alembic]\n"

static void toml_reads_strings_arrays_and_flags(void **state)
{
	static const struct row rows[] = {
		{ TABLE "script_location = \"a\"\n", PLACE, "a" },
		{ TABLE "script_location = 'a\\b' # c\n", PLACE, "a\\b" },
		{ TABLE "script_location = \"a\\\"\\\\\\u0041\\U000000e9\"", PLACE,
		  "a\"\\A\303\251" },
		{ TABLE "script_location = '%(here)s/m%%'\r\n", PLACE, "/srv/app/m%" },
		{ TABLE "script_location = '%(x)s'\n", PLACE, "?" },
		{ TABLE "script_location = 'pkg:m'\n", PLACE, "?" },
		{ TABLE "script_location = '''a'''\n", PLACE, "?" },
		{ TABLE "script_location = 5\n", PLACE, "?" },
		{ TABLE "script_location = \"a\\nb\"\n", PLACE, "?" },
		{ TABLE "version_locations = ['a', \"%(here)s/b\"]\n", VERSIONS,
		  "[a][/srv/app/b]" },
		{ TABLE "version_locations = [ # c\n 'a',\n\n 'b', # d\n]\n", VERSIONS, "[a][b]" },
		{ TABLE "version_locations = []\n", VERSIONS, "" },
		{ TABLE "version_locations = ['a', 1]\n", VERSIONS, "?" },
		{ TABLE "version_locations = ['a', ['b', {c = ']'}]]\n", VERSIONS, "?" },
		{ TABLE "version_locations = 'a'\n", VERSIONS, "?" },
		{ TABLE "prepend_sys_path = ['.']\n", PREPEND, "[.]" },
		{ TABLE "recursive_version_locations = true # c\n", RECURSIVE, "true" },
		{ TABLE "recursive_version_locations = false", RECURSIVE, "false" },
		{ TABLE "recursive_version_locations = 'true'\n", RECURSIVE, "?" },
	};

	(void)state;
	CHECK(rows, true);
}

static void toml_finds_the_table_however_it_is_written(void **state)
{
	static const struct row rows[] = {
		{ "", PLACE, "-" },
		{ "[ tool . 'alembic' ] # c\nscript_location = 'a'\n", PLACE, "a" },
		{ "tool.alembic.script_location = 'a'\n", PLACE, "a" },
		{ "[tool]\nalembic.\"script_location\" = 'a'\n", PLACE, "a" },
		{ "[tool]\nalembic = { script_location = 'a' }\n", PLACE, "?" },
		{ "tool = { alembic = { script_location = 'a' } }\n", PLACE, "?" },
		{ "[[tool.alembic]]\nscript_location = 'a'\n", PLACE, "?" },
		{ TABLE "script_location.x = 'a'\n", PLACE, "?" },
		{ "[tool.alembic.script_location]\nx = 'a'\n", PLACE, "?" },
		{ "[tool.other]\nscript_location = 'a'\n", PLACE, "-" },
		{ TABLE "[tool.other]\nscript_location = 'a'\n", PLACE, "-" },
		{ TABLE "[[tool.alembic.post_write_hooks]]\nscript_location = 'a'\n", PLACE, "-" },
		{ "x = '''\n" TABLE "script_location = 'b'\n'''\n" TABLE "script_location = 'a'\n",
		  PLACE, "a" },
		{ "x = \"\"\"\\\"\"\"\"\"\"\n" TABLE "script_location = 'a'\n", PLACE, "a" },
		{ "x = [1, '[tool.alembic]', # ]\n]\ny = 1979-05-27 07:32:00\n" TABLE
		  "script_location = 'a'\n",
		  PLACE, "a" },
	};

	(void)state;
	CHECK(rows, true);
}

static void toml_refuses_what_it_does_not_understand(void **state)
{
	static const struct row rows[] = {
		{ "[tool.alembic\n", PLACE, NULL },
		{ "[]\n", PLACE, NULL },
		{ "x\n", PLACE, NULL },
		{ "x = \n", PLACE, NULL },
		{ "x =", PLACE, NULL },
		{ "= 1\n", PLACE, NULL },
		{ TABLE TABLE, PLACE, NULL },
		{ "x = 'a\n", PLACE, NULL },
		{ "x = \"\\z\"\n", PLACE, NULL },
		{ "x = \"\\", PLACE, NULL },
		{ "x = '''a\n", PLACE, NULL },
		{ "x = [1\n", PLACE, NULL },
		{ "x = 1]\n", PLACE, NULL },
		{ TABLE "script_location = 'a' b\n", PLACE, NULL },
		{ TABLE "script_location =", PLACE, NULL },
		{ TABLE "script_location = 'a'\nscript_location = 'b'\n", PLACE, NULL },
		{ TABLE "version_locations = ['a' 'b']\n", PLACE, NULL },
		{ TABLE "version_locations = ['a'\n", PLACE, NULL },
	};

	(void)state;
	CHECK(rows, true);
}

static void ini_refuses_long_and_binary_texts_by_name(void **state)
{
	struct ath_ini_source binary = { "b.ini", "[a\0]", 4, NULL };
	struct ath_ini_source large = { "l.ini", NULL, ATH_INI_BYTES_MAX + 1, NULL };
	struct ath_arena arena = { 0 };
	struct ath_ini ini;
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_ini_read(&binary, "alembic", &arena, &ini, &err));
	assert_string_equal(err.pos.file, "b.ini");
	ath_err_clear(&err);
	assert_false(ath_ini_read_toml(&large, &arena, &ini, &err));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ini_reads_lines_as_configparser_does),
		cmocka_unit_test(ini_refuses_what_configparser_refuses),
		cmocka_unit_test(ini_follows_references),
		cmocka_unit_test(ini_stops_references_that_multiply),
		cmocka_unit_test(ini_leaves_packages_and_placeholders_to_python),
		cmocka_unit_test(ini_splits_lists_as_alembic_does),
		cmocka_unit_test(ini_finds_every_section_that_looks_like_an_environment),
		cmocka_unit_test(ini_without_a_folder_does_not_know_here),
		cmocka_unit_test(toml_reads_strings_arrays_and_flags),
		cmocka_unit_test(toml_finds_the_table_however_it_is_written),
		cmocka_unit_test(toml_refuses_what_it_does_not_understand),
		cmocka_unit_test(ini_refuses_long_and_binary_texts_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
