/* SPDX-License-Identifier: MIT */
/* facts/chain: the revision files of a project, and the stamp that tells that they changed. */
#include "tests/unit/cmocka_all.h"

#include <string.h>
#include <sys/time.h>

#include "facts/chain.h"
#include "facts/effects_ask.h"
#include "tests/unit/recipe_tree.h"

#define INI      "[alembic]\nscript_location = %(here)s/migrations\n"
#define VERSIONS "migrations/versions/"
#define A1       "revision = 'a1'\ndown_revision = None\n"
#define B2       "revision = 'b2'\ndown_revision = 'a1'\n"
#define C3       "revision = 'c3'\ndown_revision = 'a1'\n"

static struct ath_facts_chain_place place_of(const char *root, const char *alembic)
{
	return (struct ath_facts_chain_place){ .root = root,
					       .alembic = alembic,
					       .section = "alembic" };
}

/* A tree and what is read of it. */
struct row {
	const char *alembic;
	const struct tree_file files[6];
	const char *heads;    /* joined; NULL: not static, or it fails */
	const char *obstacle; /* a part of it, or NULL */
	enum ath_err_code code;
	const char *message; /* a part of it, or NULL */
};

static void check_chain(size_t i, const struct row *row, struct ath_facts_chain *chain)
{
	if (chain->is_static != (row->heads != NULL) ||
	    (chain->obstacle != NULL) != (row->obstacle != NULL) ||
	    (row->obstacle && !strstr(chain->obstacle, row->obstacle)))
		fail_msg("row %zu: static %d, obstacle %s", i, chain->is_static, chain->obstacle);
	if (row->heads && strcmp(ath_facts_chain_heads(chain), row->heads) != 0)
		fail_msg("row %zu: heads %s", i, ath_facts_chain_heads(chain));
}

static void check_rows(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct ath_facts_chain chain = { 0 };
		struct ath_err err = { 0 };
		char root[64];
		struct ath_facts_chain_place place = place_of(root, rows[i].alembic);

		tree_make(root);
		tree_fill(root, rows[i].files);
		if (ath_facts_chain_load(&place, &chain, &err))
			check_chain(i, &rows[i], &chain);
		if (err.code != rows[i].code ||
		    (rows[i].message && !strstr(err.msg, rows[i].message)))
			fail_msg("row %zu: %s: %s", i, ath_err_name(err.code), err.msg);
		assert_null(err.pos.file); /* it would have died with the chain */
		ath_facts_chain_fini(&chain);
		tree_remove(root);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void a_chain_is_read_from_wherever_the_configuration_says(void **state)
{
	static const struct row rows[] = {
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "a.py", A1 }, { VERSIONS "b.py", B2 } },
		  .heads = "b2" },
		{ "backend/alembic.ini",
		  { { "backend/alembic.ini", "[alembic]\nscript_location = db\n" },
		    { "backend/db/versions/a.py", A1 } },
		  .heads = "a1" },
		{ "pyproject.toml",
		  { { "pyproject.toml", "[tool.alembic]\nscript_location = \"migrations\"\n" },
		    { VERSIONS "a.py", A1 },
		    { VERSIONS "c.py", C3 } },
		  .heads = "c3" },
		{ "alembic.ini",
		  { { "alembic.ini", INI "version_locations = one two/deep\n" },
		    { "one/a.py", A1 },
		    { "two/deep/b.py", B2 },
		    { VERSIONS "not_looked_at.py", C3 } },
		  .heads = "b2" },
		{ "alembic.ini",
		  { { "alembic.ini", INI },
		    { VERSIONS "a.py", A1 },
		    { VERSIONS "b.py", B2 },
		    { VERSIONS "c.py", C3 } },
		  .heads = "b2,c3" },
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "0a1f.py", "down_revision = None\n" } },
		  .heads = "0a1f" },
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "README", "" } },
		  .heads = "" },
		{ "alembic.ini",
		  { { "alembic.ini", INI },
		    { VERSIONS "a.py", A1 },
		    { VERSIONS "b.txt", B2 },
		    { VERSIONS "__init__.py", B2 },
		    { VERSIONS "deep/c.py", C3 } },
		  .heads = "a1" },
		{ "alembic.ini",
		  { { "alembic.ini", INI "recursive_version_locations = true\n" },
		    { VERSIONS "a.py", A1 },
		    { VERSIONS "2024/01/b.py", B2 },
		    { VERSIONS "__pycache__/c.py", C3 } },
		  .heads = "b2" },
	};

	(void)state;
	CHECK(rows);
}

static void what_cannot_be_read_literally_is_not_static(void **state)
{
	static const struct row rows[] = {
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "a.py", "revision = make()\n" } },
		  .obstacle = "a.py:1: " },
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "my.py", "x = 1\n" } },
		  .obstacle = "no revision" },
		{ "alembic.ini",
		  { { "alembic.ini", "[alembic]\nscript_location = app:migrations\n" } },
		  .obstacle = "" },
		{ "alembic.ini",
		  { { "alembic.ini", "[alembic]\nsqlalchemy.url = x\n" }, { VERSIONS "a.py", A1 } },
		  .obstacle = "script_location" },
		{ "alembic.ini",
		  { { "alembic.ini", INI "sourceless = true\n" }, { VERSIONS "a.py", A1 } },
		  .obstacle = "sourceless" },
		{ "alembic.ini",
		  { { "alembic.ini", INI "sourceless = false\n" }, { VERSIONS "a.py", A1 } },
		  .heads = "a1" },
		{ "pyproject.toml",
		  { { "pyproject.toml", "[tool.alembic]\nscript_location = \"migrations\"\n"
					"recursive_version_locations = [1]\n" },
		    { VERSIONS "a.py", A1 } },
		  .obstacle = "" },
	};

	(void)state;
	CHECK(rows);
}

static void a_chain_with_a_fault_is_refused_by_file(void **state)
{
	static const struct row rows[] = {
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "a.py", A1 }, { VERSIONS "z.py", A1 } },
		  .code = ATH_ERR_CHAIN,
		  .message = "z.py:1: " },
		{ "alembic.ini",
		  { { "alembic.ini", INI }, { VERSIONS "b.py", B2 } },
		  .code = ATH_ERR_CHAIN,
		  .message = "a1" },
		{ "alembic.ini",
		  { { "alembic.ini", INI },
		    { VERSIONS "a.py", "revision = 'a1'\ndown_revision = 'b2'\n" },
		    { VERSIONS "b.py", B2 } },
		  .code = ATH_ERR_CHAIN,
		  .message = "a1" },
		{ "alembic.ini", { { "other.ini", INI } }, .code = ATH_ERR_NOT_FOUND },
		{ "alembic.ini",
		  { { "alembic.ini", INI } },
		  .code = ATH_ERR_CHAIN,
		  .message = "no such folder" },
		{ "alembic.ini",
		  { { "alembic.ini", "script_location = x\n" } },
		  .code = ATH_ERR_CHAIN },
	};

	(void)state;
	CHECK(rows);
}

static void known_folders_are_used_where_the_ini_does_not_tell(void **state)
{
	static const struct tree_file files[] = {
		{ "alembic.ini", "[alembic]\nscript_location = app:migrations\n" },
		{ "app/migrations/versions/a.py", A1 },
		{ 0 },
	};
	struct ath_facts_chain chain = { 0 };
	struct ath_err err = { 0 };
	char root[64], folder[128];
	const char *known[] = { folder, NULL };
	struct ath_facts_chain_place place = place_of(root, "alembic.ini");

	(void)state;
	tree_make(root);
	tree_fill(root, files);
	snprintf(folder, sizeof(folder), "%s/app/migrations/versions", root);
	place.known = (struct ath_texts){ known, 1 };
	assert_true(ath_facts_chain_load(&place, &chain, &err));
	assert_int_equal(chain.locations.len, 1);
	assert_string_equal(chain.locations.items[0], folder);
	assert_false(chain.is_static); /* the bridge has the last word */
	assert_non_null(chain.obstacle);
	ath_facts_chain_fini(&chain);
	tree_remove(root);
}

#define OPEN   "import x\nrevision = x.y\ndown_revision = 'a1'\n"
#define LABELS "import x\nbranch_labels = x.y\n"

/* A chain whose second file is open, a state directory, and what Alembic would tell of it. */
struct open_chain {
	char root[64], state[128], asked[128];
	struct ath_facts_reader reader;
	struct ath_facts_chain_place place;
	struct ath_str line; /* owned */
};

/* One revision of the line. */
static void put_told(struct open_chain *open, const char *id, const char *down, const char *file)
{
	ath_str_printf(&open->line,
		       "%s{\"id\":\"%s\",\"down\":[%s],\"depends_on\":[],\"labels\":[],"
		       "\"path\":\"%s/" VERSIONS "%s\"}",
		       open->line.data[open->line.len - 1] == '[' ? "" : ",", id, down, open->root,
		       file);
}

static void open_chain_make(struct open_chain *open)
{
	static const struct tree_file files[] = {
		{ "alembic.ini", INI },
		{ "migrations/env.py", "" },
		{ VERSIONS "a.py", A1 },
		{ VERSIONS "b.py", OPEN },
		{ ".state/", NULL },
		{ "asked", "" },
		{ 0 },
	};

	*open = (struct open_chain){ 0 };
	tree_make(open->root);
	tree_fill(open->root, files);
	snprintf(open->state, sizeof(open->state), "%s/.state", open->root);
	snprintf(open->asked, sizeof(open->asked), "%s/asked", open->root);
	open->reader.state_dir = open->state;
	open->place = place_of(open->root, "alembic.ini");
	open->place.reader = &open->reader;
	ath_str_printf(&open->line,
		       "{\"event\":\"heads\",\"script\":\"%s/migrations\",\"locations\":"
		       "[\"%s/migrations/versions\"],\"sources\":[],\"revisions\":[",
		       open->root, open->root);
	put_told(open, "a1", "", "a.py");
	put_told(open, "b9", "\"a1\"", "b.py");
	ath_str_puts(&open->line, "]}\n");
}

static void open_chain_remove(struct open_chain *open)
{
	ath_str_fini(&open->line);
	tree_remove(open->root);
}

/* Alembic was asked at that time, in seconds; is anything known afterwards? */
static void keep_told(struct open_chain *open, time_t asked_at)
{
	const struct timeval times[2] = { { asked_at, 0 }, { asked_at, 0 } };

	assert_int_equal(utimes(open->asked, times), 0);
	ath_facts_chain_keep(&open->place, &open->line, open->asked);
}

/* The heads, or the obstacle behind a question mark. */
static void check_heads(struct open_chain *open, const char *heads)
{
	struct ath_facts_chain chain = { 0 };
	struct ath_err err = { 0 };

	if (!ath_facts_chain_load(&open->place, &chain, &err))
		fail_msg("%s", err.msg);
	assert_true(chain.is_static == !chain.obstacle);
	if (chain.obstacle) {
		if (heads[0] != '?' || !strstr(chain.obstacle, heads + 1))
			fail_msg("%s: obstacle %s", heads, chain.obstacle);
	} else {
		assert_string_equal(ath_facts_chain_heads(&chain), heads);
	}
	ath_facts_chain_fini(&chain);
}

enum {
	LONG_AGO = 1000000000,
	LATER = 4000000000, /* in 2096 */
};

static void what_alembic_told_fills_what_the_files_leave_open(void **state)
{
	struct open_chain open;

	(void)state;
	open_chain_make(&open);
	check_heads(&open, "?b.py:2: revision: ");
	keep_told(&open, LATER);
	check_heads(&open, "b9");
	tree_put(open.root, VERSIONS "notes.txt", "x");
	check_heads(&open, "?b.py:2: revision: ");
	keep_told(&open, LATER);
	check_heads(&open, "b9");
	tree_put(open.root, VERSIONS "b.py", OPEN "# more\n");
	check_heads(&open, "?b.py:2: ");
	tree_put(open.root, VERSIONS "b.py", OPEN);
	check_heads(&open, "b9");
	tree_put(open.root, VERSIONS "a.py", "revision = 'a2'\ndown_revision = None\n");
	check_heads(&open, "?b.py:2: ");
	keep_told(&open, LATER); /* of other files than it says: they do not agree */
	check_heads(&open, "?b.py:2: ");
	open_chain_remove(&open);
}

static void what_changed_after_the_question_is_not_kept(void **state)
{
	struct open_chain open;

	(void)state;
	open_chain_make(&open);
	keep_told(&open, LONG_AGO);
	check_heads(&open, "?b.py:2: revision: ");
	open_chain_remove(&open);
}

static void a_graph_can_do_without_its_labels_unless_they_are_needed(void **state)
{
	struct open_chain open;
	struct ath_facts_chain chain = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	open_chain_make(&open);
	tree_put(open.root, VERSIONS "b.py", B2 LABELS);
	assert_true(ath_facts_chain_load(&open.place, &chain, &err));
	assert_true(chain.is_static);
	assert_non_null(strstr(chain.unlabelled, "b.py:4: branch_labels: "));
	ath_facts_chain_fini(&chain);
	tree_put(open.root, VERSIONS "c.py", C3 "depends_on = 'b2'\n");
	check_heads(&open, "b2,c3");
	tree_put(open.root, VERSIONS "c.py", C3 "depends_on = 'label'\n");
	check_heads(&open, "?b.py:4: branch_labels: ");
	open_chain_remove(&open);
}

/* A folder that is named twice, or below itself by a link, holds each file once. */
static void a_folder_is_read_once_however_often_it_is_named(void **state)
{
	static const struct tree_file files[] = {
		{ "alembic.ini", INI "version_locations = one one two\n"
				     "recursive_version_locations = true\n" },
		{ "one/a.py", A1 },
		{ 0 },
	};
	struct ath_facts_chain chain = { 0 };
	struct ath_err err = { 0 };
	char root[64], path[128];
	struct ath_facts_chain_place place = place_of(root, "alembic.ini");

	(void)state;
	tree_make(root);
	tree_fill(root, files);
	snprintf(path, sizeof(path), "%s/two", root);
	assert_int_equal(symlink("one", path), 0);
	snprintf(path, sizeof(path), "%s/one/loop", root);
	assert_int_equal(symlink(".", path), 0);
	if (!ath_facts_chain_load(&place, &chain, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(ath_facts_chain_heads(&chain), "a1");
	ath_facts_chain_fini(&chain);
	tree_remove(root);
}

/* Take the stamp into `now`; has it changed from `before`? */
static bool has_changed(const char *root, const char *before, char *now)
{
	struct ath_facts_chain_place place = place_of(root, "alembic.ini");
	struct ath_arena arena = { 0 };
	const char *env_py;

	ath_facts_chain_stamp(&place, &arena, &env_py, now);
	ath_arena_fini(&arena);
	return strcmp(before, now) != 0;
}

static void the_stamp_changes_with_everything_that_decides(void **state)
{
	static const struct tree_file files[] = {
		{ "alembic.ini", INI },
		{ "migrations/env.py", "" },
		{ VERSIONS "a.py", A1 },
		{ VERSIONS "b.py", B2 },
		{ 0 },
	};
	static const struct timeval times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	char root[64], path[128], stamps[2][ATH_HASH_TEXT] = { 0 };

	(void)state;
	tree_make(root);
	tree_fill(root, files);
	has_changed(root, stamps[0], stamps[0]);
	assert_false(has_changed(root, stamps[0], stamps[1]));
	tree_put(root, VERSIONS "notes.txt", "nothing");
	assert_false(has_changed(root, stamps[0], stamps[1]));
	tree_put(root, VERSIONS "c.py", C3); /* added */
	assert_true(has_changed(root, stamps[0], stamps[1]));
	snprintf(path, sizeof(path), "%s/" VERSIONS "b.py", root);
	assert_int_equal(utimes(path, times), 0); /* touched */
	assert_true(has_changed(root, stamps[1], stamps[0]));
	assert_int_equal(unlink(path), 0); /* removed */
	assert_true(has_changed(root, stamps[0], stamps[1]));
	tree_put(root, "migrations/env.py", "import os\n");
	assert_true(has_changed(root, stamps[1], stamps[0]));
	tree_put(root, "alembic.ini", INI "# more\n");
	assert_true(has_changed(root, stamps[0], stamps[1]));
	assert_false(has_changed(root, stamps[1], stamps[0]));
	tree_remove(root);
}

static void the_stamp_tells_where_env_py_is(void **state)
{
	struct ath_arena arena = { 0 };
	char root[64], stamp[ATH_HASH_TEXT], expected[128];
	struct ath_facts_chain_place place = place_of(root, "alembic.ini");
	const char *env_py = "x";

	(void)state;
	tree_make(root);
	ath_facts_chain_stamp(&place, &arena, &env_py, stamp);
	assert_null(env_py);
	assert_int_equal(strlen(stamp), ATH_HASH_TEXT - 1);
	tree_put(root, "alembic.ini", INI);
	ath_facts_chain_stamp(&place, &arena, &env_py, stamp);
	snprintf(expected, sizeof(expected), "%s/migrations/env.py", root);
	assert_string_equal(env_py, expected);
	ath_arena_fini(&arena);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_is_read_from_wherever_the_configuration_says),
		cmocka_unit_test(what_cannot_be_read_literally_is_not_static),
		cmocka_unit_test(a_chain_with_a_fault_is_refused_by_file),
		cmocka_unit_test(known_folders_are_used_where_the_ini_does_not_tell),
		cmocka_unit_test(what_alembic_told_fills_what_the_files_leave_open),
		cmocka_unit_test(what_changed_after_the_question_is_not_kept),
		cmocka_unit_test(a_graph_can_do_without_its_labels_unless_they_are_needed),
		cmocka_unit_test(a_folder_is_read_once_however_often_it_is_named),
		cmocka_unit_test(the_stamp_changes_with_everything_that_decides),
		cmocka_unit_test(the_stamp_tells_where_env_py_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
