/* SPDX-License-Identifier: MIT */
/* recipe/discover, walk, peek, secrets: what a source tree says of itself. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "recipe/peek.h"
#include "recipe/recipe.h"
#include "recipe/secrets.h"
#include "tests/unit/recipe_tree.h"

#define INI    "[alembic]\nscript_location = migrations\n"
#define LOCKED "{\"name\": \"x\"}"
#define BUILT  "{\"scripts\": {\"build\": \"vite build\"}}"

/* Run discovery over a tree; the folder is gone afterwards. */
static bool discover(const struct tree_file *files, struct ath_recipe *out_recipe,
		     struct ath_err *err)
{
	struct ath_str text = { 0 };
	char root[64];
	bool is_found;

	tree_make(root);
	tree_fill(root, files);
	is_found = ath_recipe_load(root, out_recipe, &text, err);
	tree_remove(root);
	ath_str_fini(&text);
	return is_found;
}

static const char *first(struct ath_texts texts)
{
	return texts.len ? texts.items[0] : NULL;
}

static void a_web_application_is_found_whole(void **state)
{
	static const struct tree_file files[] = {
		{ "backend/alembic.ini", "[alembic]\nscript_location = %(here)s/alembic\n" },
		{ "backend/requirements.txt", "" },
		{ "frontend/package.json", BUILT },
		{ "frontend/package-lock.json", "{}" },
		{ ".env.example", "SECRET_KEY=change-me\nOPENAI_API_KEY=your-key\n" },
		{ 0 },
	};
	struct ath_recipe recipe = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	if (!discover(files, &recipe, &err))
		fail_msg("%s", err.msg);
	assert_null(recipe.path);
	assert_string_equal(recipe.database.alembic, "backend/alembic.ini");
	assert_string_equal(first(recipe.python.requirements), "backend/requirements.txt");
	assert_string_equal(recipe.node.dir, "frontend");
	assert_true(recipe.node.is_used && recipe.node.has_build);
	assert_string_equal(recipe.env_file.from, ".env.example");
	assert_string_equal(recipe.env_file.to, ".env");
	assert_int_equal(recipe.env_file.secrets.len, 1);
	assert_int_equal(recipe.findings.len, 4);
	assert_string_equal(recipe.findings.items[0],
			    "backend/alembic.ini: section [alembic], scripts in backend/alembic");
	assert_string_equal(
		recipe.findings.items[2],
		"frontend/package.json: the frontend, with a lock file, a build script");
	ath_recipe_fini(&recipe);
}

static void the_shallowest_project_wins(void **state)
{
	static const struct {
		struct tree_file files[8];
		const char *alembic, *section, *requirements, *project;
	} cases[] = {
		{ { { "alembic.ini", INI }, { "a/alembic.ini", INI } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  NULL },
		{ { { "tests/alembic.ini", INI },
		    { "a/b/alembic.ini", INI },
		    { "requirements.txt" } },
		  "a/b/alembic.ini",
		  "alembic",
		  "requirements.txt",
		  NULL },
		{ { { "env/pyvenv.cfg" },
		    { "env/alembic.ini", INI },
		    { "a/b/c/alembic.ini", INI },
		    { "a/b/requirements.txt" } },
		  "a/b/c/alembic.ini",
		  "alembic",
		  "a/b/requirements.txt",
		  NULL },
		{ { { "pyproject.toml", "[build-system]\n[project]\nname = 'x'\n\n[tool.alembic]\n"
					"script_location = \"%(here)s/m\"\n" } },
		  "pyproject.toml",
		  "alembic",
		  NULL,
		  "." },
		{ { { "migrations/alembic.ini", "[alembic]\n" }, { "migrations/env.py" } },
		  "migrations/alembic.ini",
		  "alembic",
		  NULL,
		  NULL },
		{ { { "alembic.ini", INI }, { "pyproject.toml", "[project]\n" } },
		  "alembic.ini",
		  "alembic",
		  "pyproject.toml",
		  NULL },
		{ { { "alembic.ini", INI }, { "src/x.py" }, { "pyproject.toml", "[project]\n" } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  "." },
		{ { { "alembic.ini", INI }, { "setup.cfg" }, { "pyproject.toml", "[project]\n" } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  "." },
		{ { { "alembic.ini", INI },
		    { "pyproject.toml", "[tool.poetry]\nname = \"x\"\n[build-system]\n" } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  "." },
		{ { { "alembic.ini", INI },
		    { "pyproject.toml", "[tool.poetry]\npackage-mode = false\n[build-system]\n" } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  NULL },
		{ { { "alembic.ini", "[alembic]\nsqlalchemy.url = x\n" },
		    { "pyproject.toml", "[tool.alembic]\nscript_location = \"m\"\n" } },
		  "pyproject.toml",
		  "alembic",
		  NULL,
		  NULL },
		{ { { "alembic.ini", "[main]\nscript_location: x\n[loggers]\nkeys = a\n" },
		    { "requirements/prod.txt" },
		    { "requirements/base.txt" } },
		  "alembic.ini",
		  "main",
		  "requirements/prod.txt",
		  NULL },
		{ { { "alembic.ini", "[one]\nscript_location=x\n" INI } },
		  "alembic.ini",
		  "alembic",
		  NULL,
		  NULL },
		{ { { "app/alembic.ini", INI },
		    { "pyproject.toml", "[tool.setuptools]\n[project]\n" } },
		  "app/alembic.ini",
		  "alembic",
		  NULL,
		  "." },
		{ { { "app/alembic.ini", INI },
		    { "requirements.txt" },
		    { "app/requirements.txt" } },
		  "app/alembic.ini",
		  "alembic",
		  "app/requirements.txt",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };

		if (!discover(cases[i].files, &recipe, &err))
			fail_msg("case %zu: %s", i, err.msg);
		if (!ath_str_is(recipe.database.alembic, cases[i].alembic) ||
		    !ath_str_is(recipe.database.section, cases[i].section) ||
		    !ath_str_is(first(recipe.python.requirements), cases[i].requirements) ||
		    !ath_str_is(recipe.python.project, cases[i].project))
			fail_msg("case %zu: %s [%s] %s %s", i, recipe.database.alembic,
				 recipe.database.section, first(recipe.python.requirements),
				 recipe.python.project);
		ath_recipe_fini(&recipe);
	}
}

static void a_demand_on_python_is_taken_from_the_project(void **state)
{
	static const struct {
		struct tree_file files[4];
		const char *version;
	} cases[] = {
		{ { { "alembic.ini", INI },
		    { "requirements.txt" },
		    { "pyproject.toml", "[project]\nrequires-python = \">=3.12, <3.15\"\n" } },
		  ">=3.12,<3.15" },
		{ { { "alembic.ini", INI },
		    { "pyproject.toml", "[project]\n[tool.x]\nrequires-python = '>=4'\n" } },
		  NULL },
		{ { { "alembic.ini", INI },
		    { "pyproject.toml", "[project]\nrequires-python = '>=3.9; x'\n" } },
		  NULL },
		{ { { "alembic.ini", INI },
		    { "pyproject.toml", "[project]\nrequires-python = '>=3.12'\n" },
		    { "athanor.yaml", "athanor: 1\npython: {version: \"3.13\"}\n" } },
		  ">=3.13" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };

		if (!discover(cases[i].files, &recipe, &err))
			fail_msg("case %zu: %s", i, err.msg);
		if (!ath_str_is(recipe.python.version, cases[i].version))
			fail_msg("case %zu: %s", i, recipe.python.version);
		ath_recipe_fini(&recipe);
	}
}

static void what_cannot_be_decided_is_said(void **state)
{
	static const struct {
		struct tree_file files[4];
		enum ath_err_code code;
		const char *part;
	} cases[] = {
		{ { { "a/", NULL } }, ATH_ERR_NOT_FOUND, "no Alembic project in '/tmp/" },
		{ { { "a/b/c/d/e/f/alembic.ini", INI } }, ATH_ERR_NOT_FOUND, "5 folders deep" },
		{ { { "tests/alembic.ini", INI }, { ".x/alembic.ini", INI } },
		  ATH_ERR_NOT_FOUND,
		  "no Alembic project" },
		{ { { "a/alembic.ini", INI }, { "b/alembic.ini", INI } },
		  ATH_ERR_RECIPE,
		  "two Alembic projects, 'a/alembic.ini' and 'b/alembic.ini'" },
		{ { { "alembic.ini", "[alembic]\n" } },
		  ATH_ERR_NOT_FOUND,
		  "'alembic.ini' does not state script_location" },
		{ { { "alembic.ini", "[a]\nscript_location=x\n[b]\nscript_location=y\n" } },
		  ATH_ERR_RECIPE,
		  "several sections with scripts, [a] and [b]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };

		assert_false(discover(cases[i].files, &recipe, &err));
		if (err.code != cases[i].code || !strstr(err.msg, cases[i].part))
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(err.pos.line, 0);
	}
}

static void one_folder_of_node_is_chosen(void **state)
{
	static const struct {
		struct tree_file files[6];
		const char *dir;
		bool has_build;
	} cases[] = {
		{ { { "alembic.ini", INI } }, NULL, false },
		{ { { "alembic.ini", INI }, { "package.json", LOCKED } }, NULL, false },
		{ { { "alembic.ini", INI }, { "package.json", BUILT } }, ".", true },
		{ { { "alembic.ini", INI },
		    { "package.json", BUILT },
		    { "web/package.json", LOCKED },
		    { "web/package-lock.json" } },
		  "web",
		  false },
		{ { { "alembic.ini", INI },
		    { "package.json", LOCKED },
		    { "package-lock.json" },
		    { "ui/package.json", BUILT },
		    { "ui/npm-shrinkwrap.json" } },
		  "ui",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_recipe recipe = { 0 };
		struct ath_err err = { 0 };

		assert_true(discover(cases[i].files, &recipe, &err));
		assert_int_equal(recipe.node.is_used, cases[i].dir != NULL);
		assert_true(ath_str_is(recipe.node.dir, cases[i].dir));
		assert_int_equal(recipe.node.has_build, cases[i].has_build);
		ath_recipe_fini(&recipe);
	}
}

static void links_to_folders_are_not_followed(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };
	char root[64], other[64], link[80];

	(void)state;
	tree_make(root);
	tree_make(other);
	tree_put(other, "alembic.ini", INI);
	snprintf(link, sizeof(link), "%s/app", root);
	assert_int_equal(symlink(other, link), 0);
	assert_false(ath_recipe_load(root, &recipe, &text, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
	tree_remove(root);
	tree_remove(other);
}

static void a_folder_that_is_not_there_is_an_io_error(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	assert_false(ath_recipe_load("/nonexistent/x", &recipe, &text, &err));
	assert_int_equal(err.code, ATH_ERR_IO);
}

static void looking_ends_at_its_limit(void **state)
{
	struct ath_recipe recipe = { 0 };
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };
	char root[64], path[32];

	(void)state;
	tree_make(root);
	for (int i = 0; i < 20001; i++) {
		snprintf(path, sizeof(path), "f%d", i);
		tree_put(root, path, "");
	}
	assert_false(ath_recipe_load(root, &recipe, &text, &err));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	ath_err_clear(&err);
	tree_put(root, "alembic.ini", INI);
	assert_true(ath_recipe_load(root, &recipe, &text, &err));
	ath_recipe_fini(&recipe);
	tree_remove(root);
}

static void build_scripts_are_seen_only_where_they_count(void **state)
{
	static const struct {
		const char *text;
		bool has_build;
	} cases[] = {
		{ "{\"scripts\": {\"build\": \"x\"}}", true },
		{ "{\"a\": [{}], \"scripts\" : {\"dev\": \"{\", \"build\" : \"x\"}}", true },
		{ "{\"scripts\": {\"prebuild\": \"build\"}}", false },
		{ "{\"scripts\": {\"dev\": \"build\"}, \"x\": {\"build\": \"y\"}}", false },
		{ "{\"x\": {\"scripts\": {\"build\": \"y\"}}}", false },
		{ "{\"scripts\": {\"a\": {\"build\": \"y\"}}}", false },
		{ "{\"scripts\": [\"build\"]}", false },
		{ "{\"name\": \"\\\"scripts\\\": {\\\"build\\\": \\\"x\\\"}\"}", false },
		{ "", false },
		{ "}}}]]\"", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ath_peek_has_build(cases[i].text) != cases[i].has_build)
			fail_msg("case %zu: %s", i, cases[i].text);
	}
}

static void only_the_own_secrets_are_named(void **state)
{
	static const char example[] = "# SECRET_KEY=x\n"
				      "SECRET_KEY=change-me-please\n"
				      "JWT_SECRET_KEY=\"your-secret\"\n"
				      "export KAHANI_SECRET_KEY=\n"
				      "SESSION_SECRET=<random>   # comment\n"
				      "OPENAI_API_KEY=your-key\n"
				      "STRIPE_SECRET_KEY=changeme\n"
				      "AWS_SECRET_ACCESS_KEY=\n"
				      "GOOGLE_CLIENT_SECRET=xxx\n"
				      "JWT_ALGORITHM=\n"
				      "JWT_PUBLIC_KEY=\n"
				      "APP_SECRET=Zm9vYmFyYmF6\n"
				      "SECRET_KEY=again\n"
				      "PASSWORD=changeme\n"
				      "JWT_SECRET=replace-me\r\n"
				      "TOKEN_SECRET=";
	static const char *const expected[] = { "SECRET_KEY",        "JWT_SECRET_KEY",
						"KAHANI_SECRET_KEY", "SESSION_SECRET",
						"JWT_SECRET",        "TOKEN_SECRET" };
	struct ath_arena arena = { 0 };
	struct ath_texts found = ath_secrets_find(example, "kahani-app", &arena);

	(void)state;
	assert_int_equal(found.len, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < found.len; i++)
		assert_string_equal(found.items[i], expected[i]);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_web_application_is_found_whole),
		cmocka_unit_test(the_shallowest_project_wins),
		cmocka_unit_test(a_demand_on_python_is_taken_from_the_project),
		cmocka_unit_test(what_cannot_be_decided_is_said),
		cmocka_unit_test(one_folder_of_node_is_chosen),
		cmocka_unit_test(links_to_folders_are_not_followed),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_io_error),
		cmocka_unit_test(looking_ends_at_its_limit),
		cmocka_unit_test(build_scripts_are_seen_only_where_they_count),
		cmocka_unit_test(only_the_own_secrets_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
