/* SPDX-License-Identifier: MIT */
/* recipe/check, section, own, files, version: a recipe's meaning, and its faults at their place. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "recipe/check.h"
#include "recipe/load.h"
#include "recipe/recipe.h"
#include "recipe/version.h"
#include "tests/unit/recipe_tree.h"

static char root[64];

static const struct tree_file files[] = {
	{ "backend/alembic.ini", "[alembic]\nscript_location = alembic\n" },
	{ "backend/requirements.txt", "alembic\n" },
	{ "frontend/package.json", "{\"scripts\": {\"build\": \"x\"}}" },
	{ ".env.example", "SECRET_KEY=\n" },
	{ "web/", NULL },
	{ 0 },
};

static int make_tree(void **state)
{
	(void)state;
	tree_make(root);
	tree_fill(root, files);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static bool load(const char *text, struct ath_recipe *out_recipe, struct ath_err *err)
{
	struct ath_str read = { 0 };
	bool is_loaded;

	tree_put(root, "athanor.yaml", text);
	is_loaded = ath_recipe_load(root, out_recipe, &read, err);
	assert_string_equal(ath_str_get(&read), text);
	ath_str_fini(&read);
	return is_loaded;
}

static void a_recipe_fills_its_struct(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_err err = { 0 };
	const struct ath_recipe_step *step;

	(void)state;
	if (!load("athanor: 1\n"
		  "name: kahani\n"
		  "python: {version: '>=3.11, <3.14', requirements: [backend/requirements.txt]}\n"
		  "node: {version: 18, dir: frontend}\n"
		  "env_file: {from: .env.example, secrets: [SECRET_KEY]}\n"
		  "directories: [data, logs]\n"
		  "database:\n"
		  "  alembic: backend/alembic.ini\n"
		  "  url: ${DATABASE_URL:-sqlite:///data/x.db}\n"
		  "  init: {run: [python, init.py], in: backend}\n"
		  "  timeout: 90s\n"
		  "steps:\n"
		  "  models:\n"
		  "    run: [python, get.py]\n"
		  "    in: data\n"
		  "    needs: [requirements]\n"
		  "    optional: true\n"
		  "    timeout: 30m\n"
		  "    retries: 2\n"
		  "    creates: data/model\n"
		  "    when: database!=fresh\n"
		  "service: {exec: ./start.sh, user: kahani}\n"
		  "health: {url: 'http://127.0.0.1:${PORT:-80}/', within: 5s}\n",
		  &recipe, &err))
		fail_msg("%u:%u %s", err.pos.line, err.pos.column, err.msg);
	assert_string_equal(recipe.name, "kahani");
	assert_string_equal(recipe.python.version, ">=3.11,<3.14");
	assert_string_equal(recipe.python.venv, ".venv");
	assert_string_equal(recipe.python.requirements.items[0], "backend/requirements.txt");
	assert_string_equal(recipe.node.version, ">=18");
	assert_true(recipe.node.is_used && recipe.node.has_build);
	assert_string_equal(recipe.env_file.to, ".env");
	assert_int_equal(recipe.directories.len, 2);
	assert_string_equal(recipe.database.section, "alembic");
	assert_int_equal(recipe.database.url_pos.line, 9);
	assert_int_equal(recipe.database.url_pos.column, 8);
	assert_int_equal(recipe.database.init_run.len, 2);
	assert_string_equal(recipe.database.init_in, "backend");
	assert_int_equal(recipe.database.timeout_ms, 90000);
	step = recipe.steps;
	assert_string_equal(step->name, "models");
	assert_int_equal(step->pos.line, 13);
	assert_true(step->has_needs && step->optional && !step->always);
	assert_int_equal(step->timeout_ms, 1800000);
	assert_int_equal(step->retries, 2);
	assert_int_equal(step->creates.len, 1);
	assert_true(step->when.is_negated);
	assert_string_equal(step->when.value, "fresh");
	assert_int_equal(recipe.service_exec.len, 1);
	assert_string_equal(recipe.service_user, "kahani");
	assert_int_equal(recipe.health_within_ms, 5000);
	ath_recipe_fini(&recipe);
}

static void what_is_left_out_is_found_or_usual(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	if (!load("athanor: 1\n", &recipe, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(recipe.name, strrchr(root, '/') + 1);
	assert_string_equal(recipe.database.alembic, "backend/alembic.ini");
	assert_string_equal(recipe.python.requirements.items[0], "backend/requirements.txt");
	assert_false(recipe.node.is_used);
	assert_false(recipe.env_file.is_used);
	assert_int_equal(recipe.health_within_ms, 60000);
	ath_recipe_fini(&recipe);
	assert_true(load("athanor: 1\npython: {requirements: []}\n", &recipe, &err));
	assert_int_equal(recipe.python.requirements.len, 0);
	ath_recipe_fini(&recipe);
}

/* Each text follows a first line `athanor: 1`. */
static void faults_are_reported_at_their_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *part;
	} cases[] = {
		{ "pyhton: {}\n", 2, 1,
		  "unknown key 'pyhton' in the recipe: did you mean 'python'?" },
		{ "frontend: {}\n", 2, 1, "unknown key 'frontend' in the recipe: it takes" },
		{ "python: {vnev: x}\n", 2, 10, "did you mean 'venv'?" },
		{ "python: .venv\n", 2, 9, "'python' must be a mapping, not a text" },
		{ "python:\nname: x\n", 2, 1, "'python' must be a mapping, not nothing" },
		{ "python: {version: new}\n", 2, 19, "'new' is no version" },
		{ "python: {version: '>=3.11,'}\n", 2, 20, "is no version" },
		{ "python: {venv: ../x}\n", 2, 16, "relative path" },
		{ "python: {venv: /x}\n", 2, 16, "relative path" },
		{ "python:\n  requirements:\n    - backend/requirements.txt\n    - no.txt\n", 5, 7,
		  "there is no file 'no.txt'" },
		{ "python: {requirements: [ok, ../x]}\n", 2, 29, "relative paths" },
		{ "python: {requirements: [ok, [x]]}\n", 2, 29, "this is a list" },
		{ "python: {requirements: backend}\n", 2, 24, "'backend' is not a file" },
		{ "python: {project: .}\n", 2, 19, "there is no file 'pyproject.toml'" },
		{ "python: {project: backend}\n", 2, 19, "'backend/pyproject.toml'" },
		{ "node: {version: 18}\n", 2, 7, "'node' needs the key 'dir'" },
		{ "node: {dir: web}\n", 2, 13, "there is no file 'web/package.json'" },
		{ "env_file: {from: .env.sample}\n", 2, 18, "there is no file '.env.sample'" },
		{ "env_file: {secrets: [OK, 1A]}\n", 2, 26, "'1A' is no name of a variable" },
		{ "env_file: {secrets: [LD_PRELOAD]}\n", 2, 22, "cannot be set by a recipe" },
		{ "env_file: {secrets: [ATHANOR_X]}\n", 2, 22, "cannot be set by a recipe" },
		{ "directories: [a, 'b//c']\n", 2, 19, "relative paths" },
		{ "database: {alembic: alembic.ini}\n", 2, 21, "there is no file 'alembic.ini'" },
		{ "database: {url: 'sqlite:///${X'}\n", 2, 28, "no closing brace" },
		{ "database: {init: {run: x.py}}\n", 2, 24, "argument vector" },
		{ "database: {init: {run: [x], in: no}}\n", 2, 33, "there is no folder 'no'" },
		{ "steps: [a]\n", 2, 8, "'steps' must be a mapping, not a list" },
		{ "steps:\n  migrate: {run: [x]}\n", 3, 3, "every recipe has" },
		{ "steps:\n  'a b': {run: [x]}\n", 3, 4, "the name of a step is" },
		{ "steps:\n  1a: {run: [x]}\n", 3, 3, "the name of a step is" },
		{ "steps:\n  a: {in: web}\n", 3, 6, "step 'a' needs the key 'run'" },
		{ "steps:\n  a: {run: []}\n", 3, 12, "argument vector" },
		{ "steps:\n  a: {run: [x], ni: web}\n", 3, 17, "did you mean 'in'?" },
		{ "steps:\n  a: {run: [x], in: backend/alembic.ini}\n", 3, 21, "is not a folder" },
		{ "steps:\n  a: {run: [x], optional: 'true'}\n", 3, 28, "true or false" },
		{ "steps:\n  a: {run: [x], timeout: soon}\n", 3, 26, "a duration" },
		{ "steps:\n  a: {run: [x], retries: -1}\n", 3, 26, "a whole number" },
		{ "steps:\n  a: {run: [x], when: fresh}\n", 3, 23, "fact=value" },
		{ "steps:\n  a: {run: [x], needs: [venv, requiremnts]}\n", 3, 31,
		  "needs 'requiremnts', and there is no such step: did you mean 'requirements'?" },
		{ "steps:\n  a: {run: [x], needs: [zzzzzz]}\n", 3, 25, "there is no such step" },
		{ "steps:\n  a: {run: [x], needs: [backup]}\n", 3, 25, "it can need 'commit'" },
		{ "steps:\n  a: {run: [x]}\n  a: {run: [y]}\n", 4, 3, "already in line 3" },
		{ "steps:\n  a: {run: [x], needs: [b]}\n  b: {run: [x], needs: [a]}\n", 4, 3,
		  "steps need each other: b -> a -> b" },
		{ "steps:\n  a: {run: [x], needs: [a]}\n", 3, 3, "steps need each other: a -> a" },
		{ "service: {user: x}\n", 2, 10, "'service' needs the key 'exec'" },
		{ "service: {exec: ./run --port 80}\n", 2, 17, "must be a list" },
		{ "service: {exec: [./run, '$PORT']}\n", 2, 26, "a lone '$'" },
		{ "service: {exec: {a: b}}\n", 2, 17, "" },
		{ "health: {url: 127.0.0.1}\n", 2, 15, "must begin with http://" },
		{ "health: {url: 'http://${}'}\n", 2, 25, "only ${NAME}" },
		{ "name: 'a b'\n", 2, 8, "'name' takes letters" },
		{ "athanor: 1\n", 2, 1, "already in line 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };
		struct ath_str text = { 0 };

		ath_str_printf(&text, "athanor: 1\n%s", cases[i].text);
		if (load(ath_str_get(&text), &recipe, &err))
			fail_msg("case %zu is accepted: %s", i, cases[i].text);
		if (!strstr(err.msg, cases[i].part) || err.pos.line != cases[i].line ||
		    err.pos.column != cases[i].column)
			fail_msg("case %zu: %s: %u:%u %s", i, cases[i].text, err.pos.line,
				 err.pos.column, err.msg);
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		assert_string_equal(err.pos.file, "athanor.yaml");
		ath_str_fini(&text);
	}
}

static void the_format_is_asked_first(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "athanor: 2\nnew_key: x\n", "this recipe has format 2" },
		{ "athanor: one\n", "'athanor' must be 1" },
		{ "name: x\n", "needs the key 'athanor'" },
		{ "", "must be a mapping, not nothing" },
		{ "- athanor\n", "must be a mapping, not a list" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };

		assert_false(load(cases[i].text, &recipe, &err));
		if (!strstr(err.msg, cases[i].part))
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		assert_int_equal(err.pos.line, 1);
	}
}

static void versions_are_read_into_one_form(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "3.11", ">=3.11" },
		{ ">=3.11", ">=3.11" },
		{ ">= 3.11 , < 3.14", ">=3.11,<3.14" },
		{ "==3.11.*", "==3.11.*" },
		{ "!=3.12", "!=3.12" },
		{ "~=3.11", "~=3.11" },
		{ "~=3", NULL },
		{ "", NULL },
		{ "v3", NULL },
		{ ">3.*", NULL },
		{ "3.", NULL },
		{ "3..1", NULL },
		{ "3.11,", NULL },
		{ "=3", NULL },
		{ "3.11rc1", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1234567", NULL },
		{ "==3.*.1", NULL },
	};
	struct ath_arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *demand = ath_version_read(cases[i].text, &arena);

		if (!ath_str_is(demand, cases[i].expected))
			fail_msg("case %zu: %s", i, demand ? demand : "(none)");
	}
	ath_arena_fini(&arena);
}

static void a_recipe_under_the_other_ending_is_refused(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };
	char other[64];

	(void)state;
	tree_make(other);
	tree_put(other, "athanor.yml", "athanor: 1\n");
	assert_false(ath_recipe_load(other, &recipe, &text, &err));
	assert_int_equal(err.code, ATH_ERR_RECIPE);
	assert_non_null(strstr(err.msg, "name it 'athanor.yaml'"));
	tree_remove(other);
	ath_str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipe_fills_its_struct),
		cmocka_unit_test(what_is_left_out_is_found_or_usual),
		cmocka_unit_test(faults_are_reported_at_their_place),
		cmocka_unit_test(the_format_is_asked_first),
		cmocka_unit_test(versions_are_read_into_one_form),
		cmocka_unit_test(a_recipe_under_the_other_ending_is_refused),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
