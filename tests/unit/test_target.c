/* SPDX-License-Identifier: MIT */
/* facts/target: which database the settings name, and how they are made to name another. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "facts/target.h"
#include "tests/unit/recipe_tree.h"

#define CLONE "/run/clone.db"

/* root/data/app.db is the live file; root/link leads to root/data, root/data/now.db to app.db. */
struct place {
	char root[64];
	char live[128];
	struct ath_environ environment;
};

static void set_up(struct place *place)
{
	char from[128];

	memset(place, 0, sizeof(*place));
	tree_make(place->root);
	tree_put(place->root, "data/app.db", "x");
	tree_put(place->root, "data/other.db", "x");
	tree_put(place->root, "backend/", NULL);
	snprintf(place->live, sizeof(place->live), "%s/data/app.db", place->root);
	snprintf(from, sizeof(from), "%s/link", place->root);
	assert_int_equal(symlink("data", from), 0);
	snprintf(from, sizeof(from), "%s/data/now.db", place->root);
	assert_int_equal(symlink("app.db", from), 0);
}

static void tear_down(struct place *place)
{
	ath_environ_fini(&place->environment);
	tree_remove(place->root);
}

static void apply(struct place *place, const char *written)
{
	char backend[128];
	const struct ath_target_redirect redirect = {
		.live = place->live,
		.clone = CLONE,
		.written = written,
		.folders = { place->root, NULL, backend },
	};

	snprintf(backend, sizeof(backend), "%s/backend", place->root);
	ath_target_apply(&place->environment, &redirect);
}

/* Values with "@" for the tree's folder, and what they become; NULL: they stay. */
static void variables_that_lead_to_the_live_file_name_the_clone(void **state)
{
	static const struct {
		const char *value, *becomes;
	} rows[] = {
		{ "sqlite:///data/app.db", "sqlite:///" CLONE },
		{ "sqlite:///./data/app.db", "sqlite:///" CLONE },
		{ "sqlite:///../data/app.db", "sqlite:///" CLONE }, /* from backend/ */
		{ "sqlite:///@/data/app.db", "sqlite:///" CLONE },
		{ "sqlite+aiosqlite:///@/data/app.db?timeout=5",
		  "sqlite+aiosqlite:///" CLONE "?timeout=5" },
		{ "sqlite:///file:@/data/app.db?mode=rw&uri=true",
		  "sqlite:///file:" CLONE "?mode=rw&uri=true" },
		{ "sqlite:///@/link/app.db", "sqlite:///" CLONE },
		{ "sqlite:///link/app.db", "sqlite:///" CLONE },
		{ "sqlite:///data/now.db", "sqlite:///" CLONE },
		{ "data/app.db", CLONE },
		{ "@/data/app.db", CLONE },
		{ "@/data/../data//app.db", CLONE },
		{ "@/link/app.db", CLONE },
		{ "@/data/now.db", CLONE },
		{ "app.db", NULL },
		{ "@/data/other.db", NULL },
		{ "@/data/other.db/app.db", NULL },
		{ "@/data", NULL },
		{ "sqlite:///data/other.db", NULL },
		{ "sqlite:///@/elsewhere/app.db", NULL },
		{ "sqlite://", NULL },
		{ "sqlite:///:memory:", NULL },
		{ "postgresql://u:p@h/app.db", NULL },
		{ "@/data/app.db:@/data/other.db", NULL },
		{ "app.db is the file", NULL },
		{ "", NULL },
	};
	struct place place;

	(void)state;
	set_up(&place);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strchr(rows[i].value, '@');
		bool is_tree = at && at[1] == '/';
		char value[512];

		snprintf(value, sizeof(value), "%.*s%s%s", (int)(is_tree ? at - rows[i].value : 0),
			 rows[i].value, is_tree ? place.root : "",
			 is_tree ? at + 1 : rows[i].value);
		ath_environ_set(&place.environment, "ANY", value);
		apply(&place, NULL);
		if (strcmp(ath_environ_find(&place.environment, "ANY"),
			   rows[i].becomes ? rows[i].becomes : value) != 0)
			fail_msg("row %zu became %s", i,
				 ath_environ_find(&place.environment, "ANY"));
	}
	assert_int_equal(place.environment.len, 1);
	tear_down(&place);
}

static void all_variables_are_redirected_and_others_are_left_alone(void **state)
{
	struct place place;

	(void)state;
	set_up(&place);
	ath_environ_set(&place.environment, "HOME", "/root");
	ath_environ_set(&place.environment, "DATABASE_URL", "sqlite:///data/app.db");
	ath_environ_set(&place.environment, "CACHE_URL", "sqlite:///data/other.db");
	ath_environ_set(&place.environment, "DB_FILE", place.live);
	apply(&place, "sqlite:///data/app.db");
	assert_string_equal(ath_environ_find(&place.environment, "DATABASE_URL"),
			    "sqlite:///" CLONE);
	assert_string_equal(ath_environ_find(&place.environment, "DB_FILE"), CLONE);
	assert_string_equal(ath_environ_find(&place.environment, "CACHE_URL"),
			    "sqlite:///data/other.db");
	assert_string_equal(ath_environ_find(&place.environment, "HOME"), "/root");
	assert_int_equal(place.environment.len, 4);
	tear_down(&place);
}

/* The application's own default might be the live file. */
static void the_variable_of_the_recipe_is_set_even_where_it_was_not(void **state)
{
	struct place place;

	(void)state;
	set_up(&place);
	apply(&place, "${APP_DB:-sqlite+aiosqlite:///data/app.db?timeout=5}");
	assert_string_equal(ath_environ_find(&place.environment, "APP_DB"),
			    "sqlite+aiosqlite:///" CLONE "?timeout=5");
	apply(&place, "${OTHER}");
	assert_null(ath_environ_find(&place.environment, "OTHER"));
	apply(&place, "sqlite:///${PART:-data}/app.db");
	assert_null(ath_environ_find(&place.environment, "PART"));
	tear_down(&place);
}

static void a_written_url_is_expanded_and_tells_where_it_came_from(void **state)
{
	static const struct {
		const char *written, *url; /* NULL: fails */
		bool from_variable;
	} rows[] = {
		{ "sqlite:///a.db", "sqlite:///a.db", false },
		{ "${SET}", "sqlite:///set.db", true },
		{ "${SET:-sqlite:///a.db}", "sqlite:///set.db", true },
		{ "${UNSET:-sqlite:///a.db}", "sqlite:///a.db", false },
		{ "${EMPTY:-sqlite:///a.db}", "sqlite:///a.db", false },
		{ "sqlite:///${NAME}.db", "sqlite:///app.db", false },
		{ "${UNSET}", NULL, false },
		{ "sqlite:///${NAME", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_environ environment = { 0 };
		struct ath_str url = { 0 };
		struct ath_err err = { 0 };
		bool from_variable = false;

		ath_environ_set(&environment, "SET", "sqlite:///set.db");
		ath_environ_set(&environment, "EMPTY", "");
		ath_environ_set(&environment, "NAME", "app");
		assert_int_equal(ath_target_expand(rows[i].written, &environment, &url,
						   &from_variable, &err),
				 rows[i].url != NULL);
		assert_int_equal(err.code, rows[i].url ? ATH_ERR_OK : ATH_ERR_RECIPE);
		if (rows[i].url)
			assert_string_equal(ath_str_get(&url), rows[i].url);
		assert_int_equal(from_variable, rows[i].from_variable);
		ath_str_fini(&url);
		ath_environ_fini(&environment);
	}
}

static void variables_that_may_decide_are_listed_sorted(void **state)
{
	struct ath_environ environment = { 0 };
	struct ath_str text = { 0 };

	(void)state;
	ath_target_put_variables(&environment, "", &text);
	assert_string_equal(ath_str_get(&text), "");
	ath_environ_set(&environment, "ZONE", "eu");
	ath_environ_set(&environment, "STAGE", "test");
	ath_environ_set(&environment, "DATABASE_URL", "sqlite:///a.db");
	ath_environ_set(&environment, "APP_DB", "a.db");
	ath_environ_set(&environment, "PATH", "/bin");
	ath_environ_set(&environment, "HOME", "/root");
	ath_target_put_variables(&environment, "os.environ['STAGE'] + MYZONE + ZONES + PATH",
				 &text);
	assert_string_equal(ath_str_get(&text),
			    "APP_DB=a.db\nDATABASE_URL=sqlite:///a.db\nSTAGE=test\n");
	ath_str_fini(&text);
	ath_environ_fini(&environment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_that_lead_to_the_live_file_name_the_clone),
		cmocka_unit_test(all_variables_are_redirected_and_others_are_left_alone),
		cmocka_unit_test(the_variable_of_the_recipe_is_set_even_where_it_was_not),
		cmocka_unit_test(a_written_url_is_expanded_and_tells_where_it_came_from),
		cmocka_unit_test(variables_that_may_decide_are_listed_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
