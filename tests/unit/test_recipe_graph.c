/* SPDX-License-Identifier: MIT */
/* recipe/graph: the default graph, joined with the own steps. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "plan/graph.h"
#include "recipe/check.h"
#include "recipe/graph.h"
#include "recipe/load.h"

struct built {
	struct ath_recipe recipe;
	struct ath_spec spec;
};

static void build(const char *text, struct built *out)
{
	const struct ath_load_source source = { text, strlen(text), "athanor.yaml" };
	const struct ath_value *tree;
	struct ath_err err = { 0 };
	struct ath_graph graph;

	*out = (struct built){ .recipe = { .root = "/srv/app" } };
	ath_check_defaults(&out->recipe);
	if (!ath_load_text(&source, &out->recipe.arena, &tree, &err) ||
	    !ath_check_recipe(tree, &out->recipe, &err))
		fail_msg("%s", err.msg);
	ath_recipe_graph(&out->recipe, &out->recipe.arena, &out->spec);
	assert_true(ath_graph_build(&out->spec, &out->recipe.arena, &graph, &err));
}

static const struct ath_spec_step *find(const struct built *built, const char *name)
{
	size_t idx = ath_graph_find(&built->spec, name);

	assert_true(idx < built->spec.len);
	return &built->spec.steps[idx];
}

static void assert_needs(const struct built *built, const char *name, const char *expected)
{
	struct ath_texts needs = find(built, name)->needs;
	struct ath_str text = { 0 };

	for (size_t i = 0; i < needs.len; i++)
		ath_str_printf(&text, "%s%s", i ? " " : "", needs.items[i]);
	assert_string_equal(ath_str_get(&text), expected);
	ath_str_fini(&text);
}

static void assert_config(const struct built *built, const char *name, const char *expected)
{
	struct ath_str text = { 0 };

	ath_value_put_canonical(&text, find(built, name)->config);
	assert_string_equal(ath_str_get(&text), expected);
	ath_str_fini(&text);
}

static const char whole[] = "athanor: 1\n"
			    "python: {version: '3.11', requirements: [r.txt]}\n"
			    "node: {dir: web, version: '18'}\n"
			    "env_file: {from: .env.example, secrets: [A]}\n"
			    "directories: [data]\n"
			    "database:\n"
			    "  alembic: alembic.ini\n"
			    "  url: sqlite:///x.db\n"
			    "  init: {run: [python, i.py], in: data}\n"
			    "steps:\n"
			    "  one: {run: [python, a.py], creates: data/a}\n"
			    "  two: {run: [./x.sh], always: true, retries: 3, timeout: 2s}\n"
			    "  three: {run: [.venv/bin/tool]}\n"
			    "  after: {run: [x], needs: [health], optional: true}\n"
			    "  later: {run: [x], needs: [one, after]}\n"
			    "  last: {run: [x], needs: []}\n"
			    "service: {exec: [./run, --port, '80'], user: app}\n"
			    "health: {url: 'http://x/'}\n";

static void every_default_step_stands_in_the_graph(void **state)
{
	static const struct {
		const char *name, *needs, *config;
	} cases[] = {
		{ "preflight", "",
		  "{\"python_version\":\">=3.11\",\"node_version\":\">=18\",\"wants_node\":"
		  "\"true\","
		  "\"venv\":\".venv\",\"folders\":[\".\",\"data\"]}" },
		{ "directories", "preflight", "{\"paths\":[\"data\"]}" },
		{ "env_file", "preflight",
		  "{\"from\":\".env.example\",\"to\":\".env\",\"secrets\":[\"A\"]}" },
		{ "venv", "preflight", "{\"path\":\".venv\",\"version\":\">=3.11\"}" },
		{ "requirements", "venv", "{\"venv\":\".venv\",\"files\":[\"r.txt\"]}" },
		{ "node", "preflight", "{\"dir\":\"web\"}" },
		{ "build", "node", "{\"dir\":\"web\"}" },
		{ "quiesce", "detect requirements build",
		  "{\"exec\":[\"./run\",\"--port\",\"80\"],\"user\":\"app\"}" },
		{ "service", "verify one two three last",
		  "{\"exec\":[\"./run\",\"--port\",\"80\"],\"user\":\"app\"}" },
		{ "health", "service",
		  "{\"url\":\"http://x/\",\"within\":\"60000ms\",\"env_file\":\".env\"}" },
	};
	struct built built;

	(void)state;
	build(whole, &built);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_needs(&built, cases[i].name, cases[i].needs);
		assert_config(&built, cases[i].name, cases[i].config);
		assert_string_equal(find(&built, cases[i].name)->type, cases[i].name);
		assert_false(find(&built, cases[i].name)->is_own);
	}
	ath_recipe_fini(&built.recipe);
}

static void the_database_is_one_section_with_one_configuration(void **state)
{
	static const struct {
		const char *name, *needs, *section, *when;
	} cases[] = {
		{ "detect", "requirements env_file directories", NULL, NULL },
		{ "init", "quiesce", "database", "init" },
		{ "backup", "quiesce", "database", "upgrade" },
		{ "repair", "backup", "database", "upgrade" },
		{ "migrate", "repair", "database", "upgrade" },
		{ "commit", "init migrate", "database", "none" },
		{ "verify", "commit", NULL, NULL },
	};
	struct built built;

	(void)state;
	build(whole, &built);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ath_spec_step *step = find(&built, cases[i].name);

		assert_needs(&built, cases[i].name, cases[i].needs);
		assert_true(ath_str_is(step->section, cases[i].section));
		assert_true(ath_str_is(step->when.value, cases[i].when));
		assert_true(ath_str_is(step->when.fact, cases[i].when ? "database.work" : NULL));
		assert_config(&built, cases[i].name,
			      "{\"alembic\":\"alembic.ini\",\"section\":\"alembic\","
			      "\"url\":\"sqlite:///x.db\",\"venv\":\".venv\",\"env_file\":\".env\","
			      "\"init_run\":[\"python\",\"i.py\"],\"init_in\":\"data\"}");
	}
	ath_recipe_fini(&built.recipe);
}

static void own_steps_are_commands(void **state)
{
	struct built built;
	const struct ath_spec_step *step;

	(void)state;
	build(whole, &built);
	assert_needs(&built, "one", "requirements");
	assert_needs(&built, "two", "preflight");
	assert_needs(&built, "three", "requirements");
	assert_needs(&built, "last", "");
	assert_config(&built, "one",
		      "{\"run\":[\"python\",\"a.py\"],\"creates\":[\"data/a\"],\"venv\":\".venv\","
		      "\"env_file\":\".env\"}");
	step = find(&built, "two");
	assert_string_equal(step->type, "command");
	assert_true(step->is_own && step->is_always && !step->is_optional);
	assert_int_equal(step->retries, 3);
	assert_int_equal(step->timeout_ms, 2000);
	assert_int_equal(step->pos.line, 12);
	assert_true(find(&built, "after")->is_optional);
	ath_recipe_fini(&built.recipe);
}

static void the_network_is_asked_again(void **state)
{
	struct built built;

	(void)state;
	build(whole, &built);
	for (size_t i = 0; ath_recipe_graph_default(i); i++) {
		const struct ath_spec_step *step = find(&built, ath_recipe_graph_default(i));
		bool is_network =
			strcmp(step->name, "node") == 0 || strcmp(step->name, "requirements") == 0;

		assert_int_equal(step->retries, is_network ? 2 : 0);
		assert_int_equal(step->timeout_ms, is_network ? 3600000 : 0);
	}
	ath_recipe_fini(&built.recipe);
}

static void the_time_limit_of_the_database_is_that_of_what_runs_its_scripts(void **state)
{
	static const char *const limited[] = { "detect", "init", "repair", "migrate" };
	struct built built;

	(void)state;
	build("athanor: 1\ndatabase: {alembic: a.ini, timeout: 5m}\n", &built);
	for (size_t i = 0; ath_recipe_graph_default(i); i++) {
		const struct ath_spec_step *step = find(&built, ath_recipe_graph_default(i));
		bool is_limited = false;

		for (size_t k = 0; k < 4; k++)
			is_limited = is_limited || strcmp(step->name, limited[k]) == 0;
		if (step->retries == 0)
			assert_int_equal(step->timeout_ms, is_limited ? 300000 : 0);
	}
	ath_recipe_fini(&built.recipe);
}

static void what_is_not_used_says_why_it_is_skipped(void **state)
{
	static const struct {
		const char *name, *reason;
	} cases[] = {
		{ "preflight", NULL },
		{ "directories", "none are named" },
		{ "env_file", "none is named" },
		{ "venv", NULL },
		{ "requirements", "none are named" },
		{ "node", "no frontend" },
		{ "build", "no frontend" },
		{ "detect", NULL },
		{ "quiesce", "no service is configured" },
		{ "commit", NULL },
		{ "service", "no service is configured" },
		{ "health", "no address is configured" },
	};
	struct built built;

	(void)state;
	build("athanor: 1\n", &built);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(ath_str_is(find(&built, cases[i].name)->skip_reason, cases[i].reason));
	assert_config(&built, "preflight",
		      "{\"wants_node\":\"false\",\"venv\":\".venv\",\"folders\":[\".\"]}");
	assert_config(&built, "detect", "{\"section\":\"alembic\",\"venv\":\".venv\"}");
	ath_recipe_fini(&built.recipe);
	build(whole, &built);
	assert_string_equal(find(&built, "build")->skip_reason, "package.json has no build script");
	/* Services are not managed yet: which of the two reasons it is depends on the machine. */
	assert_true(strstr(find(&built, "service")->skip_reason, "service manager") ||
		    strstr(find(&built, "service")->skip_reason, "not managed yet"));
	ath_recipe_fini(&built.recipe);
}

static void thousands_of_own_steps_are_quick(void **state)
{
	struct ath_str text = { 0 };
	struct built built;

	(void)state;
	ath_str_puts(&text, "athanor: 1\nsteps:\n");
	for (int i = 0; i < 1200; i++)
		ath_str_printf(&text, "  s%d: {run: [x], needs: [s%d]}\n", i, i + 1);
	ath_str_puts(&text, "  s1200: {run: [x], needs: [service]}\n");
	build(ath_str_get(&text), &built);
	assert_needs(&built, "service", "verify");
	ath_recipe_fini(&built.recipe);
	ath_str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_step_stands_in_the_graph),
		cmocka_unit_test(the_database_is_one_section_with_one_configuration),
		cmocka_unit_test(own_steps_are_commands),
		cmocka_unit_test(the_network_is_asked_again),
		cmocka_unit_test(the_time_limit_of_the_database_is_that_of_what_runs_its_scripts),
		cmocka_unit_test(what_is_not_used_says_why_it_is_skipped),
		cmocka_unit_test(thousands_of_own_steps_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
