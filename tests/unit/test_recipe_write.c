/* SPDX-License-Identifier: MIT */
/* recipe/write: a written recipe, loaded again, is the same recipe. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "recipe/graph.h"
#include "recipe/recipe.h"
#include "recipe/write.h"
#include "tests/unit/recipe_tree.h"

/* Everything that a recipe decides, as one text. */
static char *picture(const struct ath_recipe *recipe)
{
	struct ath_arena arena = { 0 };
	struct ath_str text = { 0 };
	struct ath_spec spec;

	ath_recipe_graph(recipe, &arena, &spec);
	ath_str_printf(&text, "%s\n", recipe->name);
	for (size_t i = 0; i < spec.len; i++) {
		const struct ath_spec_step *step = &spec.steps[i];

		ath_str_printf(&text, "%s %s %s%d%s %d %d %llu %u %s ", step->name, step->type,
			       step->when.fact ? step->when.fact : "-", step->when.is_negated,
			       step->when.value ? step->when.value : "-", step->is_optional,
			       step->is_always, (unsigned long long)step->timeout_ms, step->retries,
			       step->skip_reason ? step->skip_reason : "-");
		for (size_t n = 0; n < step->needs.len; n++)
			ath_str_printf(&text, "%s,", step->needs.items[n]);
		ath_value_put_canonical(&text, step->config);
		ath_str_putc(&text, '\n');
	}
	ath_arena_fini(&arena);
	return ath_str_steal(&text);
}

/* Load the folder, write its recipe into it, load it again. */
static void assert_same_again(const struct tree_file *files)
{
	struct ath_recipe recipe = { 0 }, again = { 0 };
	struct ath_str text = { 0 }, written = { 0 };
	struct ath_err err = { 0 };
	char root[64], *before, *after;

	tree_make(root);
	tree_fill(root, files);
	if (!ath_recipe_load(root, &recipe, &text, &err))
		fail_msg("%s", err.msg);
	ath_recipe_write(&recipe, &written);
	tree_put(root, "athanor.yaml", ath_str_get(&written));
	if (!ath_recipe_load(root, &again, &text, &err))
		fail_msg("%u:%u %s\n%s", err.pos.line, err.pos.column, err.msg,
			 ath_str_get(&written));
	before = picture(&recipe);
	after = picture(&again);
	assert_string_equal(before, after);
	free(before);
	free(after);
	ath_str_reset(&text);
	ath_recipe_write(&again, &text);
	assert_string_equal(ath_str_get(&text), ath_str_get(&written));
	ath_recipe_fini(&recipe);
	ath_recipe_fini(&again);
	ath_str_fini(&text);
	ath_str_fini(&written);
	tree_remove(root);
}

static void a_discovered_recipe_is_the_same_again(void **state)
{
	static const struct tree_file web[] = {
		{ "back end/alembic.ini", "[alembic]\nscript_location = m\n" },
		{ "back end/requirements.txt", "" },
		{ "frontend/package.json", "{\"scripts\": {\"build\": \"x\"}}" },
		{ ".env.example", "SECRET_KEY=\n" },
		{ 0 },
	};
	static const struct tree_file bare[] = {
		{ "alembic.ini", "[main]\nscript_location = m\n" },
		{ 0 },
	};
	static const struct tree_file project[] = {
		{ "pyproject.toml", "[project]\n[tool.alembic]\nscript_location = 'm'\n" },
		{ 0 },
	};

	(void)state;
	assert_same_again(web);
	assert_same_again(bare);
	assert_same_again(project);
}

static void a_stated_recipe_is_the_same_again(void **state)
{
	static const struct tree_file files[] = {
		{ "alembic.ini", "[alembic]\nscript_location = m\n" },
		{ "e.env", "" },
		{ "package.json", "{}" },
		{ "athanor.yaml",
		  "athanor: 1\nname: '7'\n"
		  "python: {version: '3.11', requirements: []}\n"
		  "node: {dir: ., version: ==18.*}\n"
		  "env_file: {from: e.env, to: x/.env}\n"
		  "directories: ['a b', 'true', \"q\\\"\\\\uote\", 'x: y', '#c']\n"
		  "database: {alembic: alembic.ini, url: 'sqlite:///${A:-x}', init: {run: [a]}, "
		  "timeout: 90m}\n"
		  "steps:\n"
		  "  no: {run: [x, '', '- x', '[', 'ä', 'null', '...'], when: a!=b}\n"
		  "  two: {run: [x], needs: [], check: [c], inputs: [i, j], timeout: 1500ms}\n"
		  "  three: {run: [x], optional: true, always: true, timeout: 10000000h}\n"
		  "service: {exec: ./x}\n"
		  "health: {url: 'https://x/y?z', within: 0}\n" },
		{ 0 },
	};

	(void)state;
	assert_same_again(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_discovered_recipe_is_the_same_again),
		cmocka_unit_test(a_stated_recipe_is_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
