/* SPDX-License-Identifier: MIT */
/* The scanner: each pitfall of real revision files, and what it must not be sure of. */
#include <stdlib.h>
#include <string.h>

#include "alembic/scan.h"
#include "base/str.h"
#include "tests/unit/cmocka_all.h"

/* A source, the key in question, and the answer: "-" absent, "None", "?" escalate, 'text',
 * (list, of, texts). */
struct row {
	const char *source;
	enum ath_scan_key key;
	const char *answer;
};

#define REV    ATH_SCAN_REVISION
#define DOWN   ATH_SCAN_DOWN_REVISION
#define DEPS   ATH_SCAN_DEPENDS_ON
#define LABELS ATH_SCAN_BRANCH_LABELS

static void put_answer(struct ath_str *out, const struct ath_scan_field *field)
{
	static const char *const plain[] = {
		[ATH_SCAN_ABSENT] = "-", [ATH_SCAN_NONE] = "None", [ATH_SCAN_ESCALATE] = "?"
	};

	if (field->state == ATH_SCAN_TEXT) {
		ath_str_printf(out, "'%s'", field->texts.items[0]);
	} else if (field->state == ATH_SCAN_LIST) {
		ath_str_putc(out, '(');
		for (size_t i = 0; i < field->texts.len; i++)
			ath_str_printf(out, "%s%s", i ? ", " : "", field->texts.items[i]);
		ath_str_putc(out, ')');
		assert_null(field->texts.items[field->texts.len]);
	} else {
		ath_str_puts(out, plain[field->state]);
	}
}

static void check_rows(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct ath_arena arena = { 0 };
		struct ath_scan_file file;
		struct ath_err err = { 0 };
		struct ath_str answer = { 0 };
		const struct ath_scan_field *field = &file.fields[rows[i].key];

		assert_true(ath_scan_read("x.py", rows[i].source, strlen(rows[i].source), &arena,
					  &file, &err));
		put_answer(&answer, field);
		if (strcmp(ath_str_get(&answer), rows[i].answer) != 0)
			fail_msg("of\n%s\ncame %s, not %s", rows[i].source, ath_str_get(&answer),
				 rows[i].answer);
		assert_int_equal(field->reason != NULL, field->state == ATH_SCAN_ESCALATE);
		assert_int_equal(field->line != 0, field->state != ATH_SCAN_ABSENT);
		ath_str_fini(&answer);
		ath_arena_fini(&arena);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void scan_believes_assignments_and_not_the_docstring(void **state)
{
	static const struct row rows[] = {
		{ "\"\"\"t\n\nRevision ID: 1\nRevises: 0\n\"\"\"\nrevision = '2'\n", REV, "'2'" },
		{ "\"\"\"t\n\nRevision ID: 1\nRevises: 0\n\"\"\"\n", REV, "-" },
		{ "# revision = 'a'\n", REV, "-" },
		{ "", REV, "-" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_passes_over_look_alikes_in_strings_and_other_names(void **state)
{
	static const struct row rows[] = {
		{ "'''\nrevision = 'a'\n'''\n", REV, "-" },
		{ "x = '''\\'''\nrevision = 'a'\n'''\n", REV, "-" },
		{ "x = r'''\\\\'''\nrevision = 'a'\n", REV, "'a'" },
		{ "x = '''a''''\nrevision = 'a'\n", REV, "?" },
		{ "revision_id = 'a'\n", REV, "-" },
		{ "down_revisions = ('a', 'b')\n", DOWN, "-" },
		{ "revision.x = 'a'\n", REV, "-" },
		{ "x.revision = 'a'\n", REV, "-" },
		{ "f(revision='a')\n", REV, "-" },
		{ "x = (\nrevision,\n)\n", REV, "-" },
		{ "def f():\n    revision = 'a'\n", REV, "-" },
		{ "class A:\n    revision = 'a'\n", REV, "-" },
		{ "def f(revision, x):\n    return revision\n", REV, "-" },
		{ "x = [revision for revision in ()]\n", REV, "-" },
		{ "x = f'{a}' f\"{b['c']}\"\nrevision = 'a'\n", REV, "'a'" },
		{ "x = f'{{'\nrevision = 'a'\n", REV, "'a'" },
		{ "x = f'''\nrevision = {'''\n'''}'\n", REV, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_steps_over_annotations(void **state)
{
	static const struct row rows[] = {
		{ "revision: str = 'a'\n", REV, "'a'" },
		{ "revision:str='a'", REV, "'a'" },
		{ "down_revision: str | None = None\n", DOWN, "None" },
		{ "down_revision: Union[str, Sequence[str], None] = ('a', 'b')\n", DOWN, "(a, b)" },
		{ "revision: 'x = 1' = 'a'\n", REV, "'a'" },
		{ "revision: Literal['a=b', {'c': '='}] = 'a'\n", REV, "'a'" },
		{ "revision: Union[\n  str,  # = x\n  None\n] = 'a'\n", REV, "'a'" },
		{ "revision: str\n", REV, "-" },
		{ "revision: (x := 'b') = 'a'\n", REV, "?" },
		{ "revision: f\"{(down_revision := 'b')}\" = 'a'\n", DOWN, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_lets_the_last_assignment_win(void **state)
{
	static const struct row rows[] = {
		{ "revision = 'a'\nrevision = 'b'\n", REV, "'b'" },
		{ "revision: str = 'a'\nrevision = None\n", REV, "None" },
		{ "down_revision = 'a'\ndef f():\n    pass\ndown_revision = ('b',)\n", DOWN,
		  "(b)" },
		{ "revision = x\nrevision = 'b'\n", REV, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_tells_strings_from_tuples(void **state)
{
	static const struct row rows[] = {
		{ "revision = \"a\"\n", REV, "'a'" },
		{ "revision = u'a'\n", REV, "'a'" },
		{ "revision = U\"a\"  # c\n", REV, "'a'" },
		{ "revision = r'a'\n", REV, "'a'" },
		{ "revision = '''a'''\n", REV, "'a'" },
		{ "revision = ''\n", REV, "''" },
		{ "revision = 'it\\'s \\x41\\101\\u0041\\U00000041\\\\'\n", REV, "'it's AAAA\\'" },
		{ "revision = 'a\\\nb'\n", REV, "'ab'" },
		{ "down_revision = ('a')\n", DOWN, "'a'" },
		{ "down_revision = ('a',)\n", DOWN, "(a)" },
		{ "down_revision = ['a']\n", DOWN, "(a)" },
		{ "down_revision = []\n", DOWN, "()" },
		{ "down_revision = (\n    'a',  # one\n\n# two\n    'b'\n)\n", DOWN, "(a, b)" },
		{ "down_revision = ('a', 'b', 'c', 'd', 'e')\n", DOWN, "(a, b, c, d, e)" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_reads_dependencies_and_labels_in_every_seen_form(void **state)
{
	static const struct row rows[] = {
		{ "depends_on = 'a'\n", DEPS, "'a'" },
		{ "depends_on = ('a', 'b')\n", DEPS, "(a, b)" },
		{ "depends_on = ()\n", DEPS, "()" },
		{ "depends_on = \"\"\n", DEPS, "''" },
		{ "depends_on = OTHER\n", DEPS, "?" },
		{ "branch_labels = ('x',)\n", LABELS, "(x)" },
		{ "branch_labels = cli.LABEL\n", LABELS, "?" },
		{ "branch_labels = (cli.LABEL,)\n", LABELS, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_escalates_what_it_cannot_be_sure_of(void **state)
{
	static const struct row rows[] = {
		{ "revision = f'a'\n", REV, "?" },
		{ "revision = b'a'\n", REV, "?" },
		{ "revision = 'a' + 'b'\n", REV, "?" },
		{ "revision = 'a' 'b'\n", REV, "?" },
		{ "down_revision = ('a' 'b')\n", DOWN, "?" },
		{ "down_revision = 'a',\n", DOWN, "?" },
		{ "down_revision = ('a', None)\n", DOWN, "?" },
		{ "down_revision = (('a'))\n", DOWN, "?" },
		{ "down_revision = (None)\n", DOWN, "?" },
		{ "down_revision = {'a'}\n", DOWN, "?" },
		{ "a = revision = 'x'\n", REV, "?" },
		{ "revision = down_revision = 'x'\n", DOWN, "?" },
		{ "x = 1; revision = 'a'\n", REV, "?" },
		{ "revision = 'a'; x = 1\n", REV, "?" },
		{ "revision = 'a'; down_revision = 'b'\n", DOWN, "?" },
		{ "revision = \\\n  'a'\n", REV, "?" },
		{ "f(revision := 'a')\n", REV, "?" },
		{ "revision, x = 'a', 1\n", REV, "?" },
		{ "(revision) = 'a'\n", REV, "?" },
		{ "revision = 'a'\nrevision += 'b'\n", REV, "?" },
		{ "if x:\n    revision = 'a'\n", REV, "?" },
		{ "if x: revision = 'a'\n", REV, "?" },
		{ "try:\n  pass\nexcept E:\n  revision = 'a'\n", REV, "?" },
		{ "for revision in x: pass\n", REV, "?" },
		{ "with x as revision: pass\n", REV, "?" },
		{ "match x:\n    case revision:\n        pass\n", REV, "?" },
		{ "revision = 'a'\ndel revision\n", REV, "?" },
		{ "def f():\n    global x, revision\n    revision = 'b'\nrevision = 'a'\n", REV,
		  "?" },
		{ "def revision(): pass\n", REV, "?" },
		{ "import revision\n", REV, "?" },
		{ "from x import y as revision\n", REV, "?" },
		{ "from x import *\n", REV, "?" },
		{ "from x import *\nrevision = 'a'\n", REV, "'a'" },
		{ "revision = 'a'\nfrom x import *\n", REV, "?" },
		{ "from sqlalchemy import *\nfrom alembic.op import *\n", REV, "-" },
		{ "down_revision = ['a']\ndown_revision.append('b')\n", DOWN, "?" },
		{ "down_revision = ('a',)\nprint(down_revision)\n", DOWN, "(a)" },
		{ "def __getattr__(name): return 'a'\n", REV, "?" },
		{ "globals()['revision'] = 'a'\n", REV, "?" },
		{ "revision = 'a'\nexec('x')\n", REV, "?" },
		{ "session.exec('x')\nrevision = 'a'\n", REV, "'a'" },
		{ "import sys\nsys.modules[__name__].revision = 'a'\n", REV, "?" },
		{ "from app.modules import x\nrevision = 'a'\n", REV, "'a'" },
		{ "f\"{(revision := 'a')}\"\n", REV, "?" },
		{ "def late(a=(revision := 'a')): pass\n", REV, "?" },
		{ "revision = '\\N{DASH}'\n", REV, "?" },
		{ "revision = 'a\\tb'\n", REV, "?" },
		{ "revision = 'a\\d'\n", REV, "?" },
		{ "revision = '\303\251'\n", REV, "?" },
		{ "revision = 5\n", REV, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_escalates_all_where_the_text_is_broken(void **state)
{
	static const struct row rows[] = {
		{ "revision = 'a'\nx = 'b\n", REV, "?" },
		{ "revision = 'a'\nx = '''b\n", REV, "?" },
		{ "revision = 'a'\nx = (1\n", REV, "?" },
		{ "revision = 'a'\nx = 1)\n", REV, "?" },
		{ "revision = 'a'\nx = (1]\n", REV, "?" },
		{ "revision = 'a'\nx = a \\ b\n", REV, "?" },
		{ "revision = 'a'\n\\\nx = 1\n", REV, "?" },
		{ "revision = 'a'\nx = $\n", REV, "?" },
		{ "revision = 'a'\nr\303\251vision = 1\n", REV, "?" },
		{ "# coding: utf-7\nrevision = 'a'\n", REV, "?" },
		{ "revision = 'a'\nx = f'{a['b']}'\n", REV, "?" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_accepts_every_line_end_mark_and_blank(void **state)
{
	static const struct row rows[] = {
		{ "\357\273\277revision = 'a'\n", REV, "'a'" },
		{ "x = 1\r\nrevision = 'a'\r\n", REV, "'a'" },
		{ "x = 1\rrevision = 'a'\r", REV, "'a'" },
		{ "# c\rrevision = 'a'", REV, "'a'" },
		{ "\f\nrevision = 'a'\n", REV, "'a'" },
		{ " \frevision = 'a'\n", REV, "'a'" },
		{ "if x:\n \f\tpass\n\trevision = 'a'\n", REV, "?" },
		{ "revision\t=\t'a'\t# c\n", REV, "'a'" },
		{ "#!x\n# -*- coding: UTF_8 -*-\nrevision = 'a'\n", REV, "'a'" },
		{ "# vim: set fileencoding=latin-1 :\nrevision = 'a'\n", REV, "'a'" },
		{ "x = 1\n# coding: utf-7\nrevision = 'a'\n", REV, "'a'" },
	};

	(void)state;
	CHECK(rows);
}

static void scan_finds_identifiers_late_in_a_long_file(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_str text = { 0 };
	struct ath_scan_file file;
	struct ath_err err = { 0 };

	(void)state;
	ath_str_puts(&text, "revision = 'a'\n");
	for (int i = 0; i < 20000; i++)
		ath_str_puts(&text, "x = f('abc', [1, 2, {3}])  # revision\n");
	ath_str_puts(&text, "revision = 'b'\n");
	assert_true(ath_scan_read("x.py", text.data, text.len, &arena, &file, &err));
	assert_string_equal(file.fields[REV].texts.items[0], "b");
	assert_int_equal(file.fields[REV].line, 20002);
	ath_str_fini(&text);
	ath_arena_fini(&arena);
}

static void scan_refuses_hostile_files_by_name(void **state)
{
	static const char nul[] = "x = 1\nrevision = '\0'\n";
	struct ath_arena arena = { 0 };
	struct ath_scan_file file;
	struct ath_err err = { 0 };
	char *large = calloc(1, ATH_SCAN_BYTES_MAX + 1);

	(void)state;
	assert_false(ath_scan_read("n.py", nul, sizeof(nul) - 1, &arena, &file, &err));
	assert_int_equal(err.code, ATH_ERR_CHAIN);
	assert_string_equal(err.pos.file, "n.py");
	assert_int_equal(err.pos.line, 2);
	assert_non_null(strstr(err.msg, "n.py"));
	ath_err_clear(&err);
	assert_non_null(large);
	memset(large, '\n', ATH_SCAN_BYTES_MAX + 1);
	assert_true(ath_scan_read("l.py", large, ATH_SCAN_BYTES_MAX, &arena, &file, &err));
	assert_false(ath_scan_read("l.py", large, ATH_SCAN_BYTES_MAX + 1, &arena, &file, &err));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	free(large);
	ath_arena_fini(&arena);
}

static void scan_survives_deep_brackets(void **state)
{
	char text[4 * 250 + 32];
	struct ath_arena arena = { 0 };
	struct ath_scan_file file;
	struct ath_err err = { 0 };
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < 250; i++)
		text[len++] = '(';
	for (size_t i = 0; i < 250; i++)
		text[len++] = ')';
	assert_true(ath_scan_read("x.py", text, len, &arena, &file, &err));
	assert_int_equal(file.fields[REV].state, ATH_SCAN_ESCALATE);
	assert_true(ath_scan_read("x.py", text + 50, 400, &arena, &file, &err));
	assert_int_equal(file.fields[REV].state, ATH_SCAN_ABSENT);
	ath_arena_fini(&arena);
}

static void scan_names_the_line_of_an_obstacle(void **state)
{
	static const char text[] = "'''\n\n'''\nrevision = (\n  'a'\n)\ndepends_on = x\n";
	struct ath_arena arena = { 0 };
	struct ath_scan_file file;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_scan_read("x.py", text, sizeof(text) - 1, &arena, &file, &err));
	assert_int_equal(file.fields[REV].line, 4);
	assert_int_equal(file.fields[DEPS].line, 7);
	ath_arena_fini(&arena);
}

static void scan_takes_the_file_names_that_alembic_takes(void **state)
{
	struct ath_arena arena = { 0 };

	(void)state;
	assert_true(ath_scan_is_revision_name("a.py"));
	assert_true(ath_scan_is_revision_name(".py"));
	assert_false(ath_scan_is_revision_name("a.pyc"));
	assert_false(ath_scan_is_revision_name(".#a.py"));
	assert_false(ath_scan_is_revision_name("__init__.py"));
	assert_false(ath_scan_is_revision_name("py"));
	assert_string_equal(ath_scan_find_name_id("0a1f.py", &arena), "0a1f");
	assert_null(ath_scan_find_name_id("0a1g.py", &arena));
	assert_null(ath_scan_find_name_id("0a1f_x.py", &arena));
	assert_null(ath_scan_find_name_id(".py", &arena));
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_believes_assignments_and_not_the_docstring),
		cmocka_unit_test(scan_passes_over_look_alikes_in_strings_and_other_names),
		cmocka_unit_test(scan_steps_over_annotations),
		cmocka_unit_test(scan_lets_the_last_assignment_win),
		cmocka_unit_test(scan_tells_strings_from_tuples),
		cmocka_unit_test(scan_reads_dependencies_and_labels_in_every_seen_form),
		cmocka_unit_test(scan_escalates_what_it_cannot_be_sure_of),
		cmocka_unit_test(scan_escalates_all_where_the_text_is_broken),
		cmocka_unit_test(scan_accepts_every_line_end_mark_and_blank),
		cmocka_unit_test(scan_finds_identifiers_late_in_a_long_file),
		cmocka_unit_test(scan_refuses_hostile_files_by_name),
		cmocka_unit_test(scan_survives_deep_brackets),
		cmocka_unit_test(scan_names_the_line_of_an_obstacle),
		cmocka_unit_test(scan_takes_the_file_names_that_alembic_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
