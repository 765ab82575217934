/* SPDX-License-Identifier: MIT */
/* sqlite/undo: each kind of part, what would be lost, and that one part that cannot go stops them all. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/db_files.h"

#include "base/str.h"
#include "sqlite/elements.h"
#include "sqlite/undo.h"

enum {
	KEYS_MAX = 8,
};

struct undo_case {
	const char *name;
	const char *sql;
	const char *keys;    /* of the parts, a semicolon between them */
	const char *refused; /* part of the message; NULL: it is done */
	const char *shows;   /* a query that gives 1 afterwards if it was done */
};

#define T            "CREATE TABLE t (id INTEGER PRIMARY KEY);"
#define ROW          "INSERT INTO t (id) VALUES (1), (2);"
#define NO_COLUMN(x) "SELECT count(*) = 0 FROM pragma_table_info('t') WHERE name = '" x "'"
#define NO_OBJECT(x) "SELECT count(*) = 0 FROM sqlite_schema WHERE name = '" x "'"

static const struct undo_case cases[] = {
	/* columns */
	{ "column of NULL", T ROW "ALTER TABLE t ADD x TEXT", "column t.x", NULL, NO_COLUMN("x") },
	{ "column of its default", T ROW "ALTER TABLE t ADD x TEXT NOT NULL DEFAULT 'a''b'",
	  "column t.x", NULL, NO_COLUMN("x") },
	{ "column of its default and NULL",
	  T ROW "ALTER TABLE t ADD x INT DEFAULT 7; UPDATE t SET x = NULL WHERE id = 1",
	  "column t.x", NULL, NO_COLUMN("x") },
	{ "column of a default of another type", T ROW "ALTER TABLE t ADD x INT DEFAULT '7'",
	  "column t.x", NULL, NO_COLUMN("x") },
	{ "column with a value",
	  T ROW "ALTER TABLE t ADD x TEXT; UPDATE t SET x = 'a' WHERE id = 1", "column t.x",
	  "'column t.x' holds values of its own in 1 row,", NULL },
	{ "column with values beside its default",
	  T ROW "ALTER TABLE t ADD x TEXT DEFAULT 'd'; UPDATE t SET x = 'a'", "column t.x",
	  "in 2 rows,", NULL },
	{ "column with an empty text, which is a value",
	  T ROW "ALTER TABLE t ADD x TEXT; UPDATE t SET x = '' WHERE id = 1", "column t.x",
	  "in 1 row,", NULL },
	{ "column with zero, which is a value", T ROW "ALTER TABLE t ADD x INT; UPDATE t SET x = 0",
	  "column t.x", "in 2 rows,", NULL },
	{ "column in no row", T "ALTER TABLE t ADD x TEXT NOT NULL DEFAULT 1", "column t.x", NULL,
	  NO_COLUMN("x") },
	{ "column with a name to be quoted",
	  "CREATE TABLE \"a \"\"b.c\" (id INT, \"X \"\"y\" TEXT); INSERT INTO \"a \"\"b.c\" (id) "
	  "VALUES (1)",
	  "column \"a \"\"b.c\".\"x \"\"y\"", NULL,
	  "SELECT count(*) = 1 FROM pragma_table_info('a \"b.c')" },
	{ "column that is in an index goes with it",
	  T ROW "ALTER TABLE t ADD x TEXT; CREATE INDEX ix ON t (x)", "column t.x;index t(x)", NULL,
	  NO_COLUMN("x") },
	{ "column that is in an index that stays",
	  T ROW "ALTER TABLE t ADD x TEXT; CREATE INDEX ix ON t (x)", "column t.x", "ix", NULL },
	{ "key", T ROW, "column t.id", "holds values", NULL },

	{ "default of another letter case",
	  T "ALTER TABLE t ADD x TEXT COLLATE NOCASE DEFAULT 'calm';" ROW "UPDATE t SET x = 'CALM'",
	  "column t.x", "holds values", NULL },
	{ "default that is the name of a column",
	  T "ALTER TABLE t ADD x TEXT DEFAULT \"id\";" ROW "UPDATE t SET x = id", "column t.x",
	  "holds values", NULL },

	/* tables */
	{ "table with a trigger",
	  T "CREATE TABLE n (a);"
	    "CREATE TRIGGER tr AFTER INSERT ON n BEGIN SELECT 1; END",
	  "table n", "in use", NULL },
	{ "table that has numbered rows",
	  T "CREATE TABLE n (a INTEGER PRIMARY KEY AUTOINCREMENT);"
	    "INSERT INTO n VALUES (500); DELETE FROM n",
	  "table n", "in use", NULL },
	{ "table without rows", T "CREATE TABLE n (a, b); CREATE INDEX ix_n ON n (a)", "table n",
	  NULL,
	  NO_OBJECT("n") " AND 0 = (SELECT count(*) FROM sqlite_schema WHERE name = 'ix_n')" },
	{ "table with rows", T ROW, "table t", "'table t' has 2 rows,", NULL },
	{ "table that another one refers to", T "CREATE TABLE n (a INT REFERENCES T (id))",
	  "table t", "'n' refers to it", NULL },
	{ "table that a row of another one refers to",
	  T "CREATE TABLE n (a INT REFERENCES t);"
	    "INSERT INTO n VALUES (5)",
	  "table t", "'n' refers to it", NULL },
	{ "table that one refers to which goes too", T "CREATE TABLE n (a INT REFERENCES t (id))",
	  "table t;table n", NULL, NO_OBJECT("t") },
	{ "table that refers to itself", "CREATE TABLE n (id INTEGER PRIMARY KEY, up REFERENCES n)",
	  "table n", NULL, NO_OBJECT("n") },
	{ "table that refers to another one", T ROW "CREATE TABLE n (a INT REFERENCES t (id))",
	  "table n", NULL, NO_OBJECT("n") },
	{ "table with a name to be quoted", "CREATE TABLE \"My \"\"own\"\" [t]\" (id)",
	  "table \"my \"\"own\"\" [t]\"", NULL, "SELECT count(*) = 0 FROM sqlite_schema" },

	/* what holds nothing */
	{ "index", T ROW "CREATE INDEX \"an \"\"ix\" ON t (id)", "index t(id)", NULL,
	  NO_OBJECT("an \"ix") },
	{ "unique index", T ROW "CREATE UNIQUE INDEX ux ON t (id)", "unique t(id)", NULL,
	  NO_OBJECT("ux") },
	{ "unique constraint of a table", "CREATE TABLE t (id, x UNIQUE)", "unique t(x)",
	  "cannot be dropped", NULL },
	{ "view", T "CREATE VIEW \"V v\" AS SELECT 1", "view \"v v\"", NULL, NO_OBJECT("V v") },
	{ "trigger", T "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END", "trigger tr",
	  NULL, NO_OBJECT("tr") },
	{ "foreign key", T "CREATE TABLE n (a INT REFERENCES t (id))", "foreign n(a) t(id)",
	  "only with its table", NULL },

	/* all or nothing */
	{ "one of two columns holds values",
	  T ROW "ALTER TABLE t ADD x; ALTER TABLE t ADD y; UPDATE t SET y = 1",
	  "column t.x;column t.y", "'column t.y'", NULL },
	{ "an index could go and the table behind it cannot", T ROW "CREATE INDEX ix ON t (id)",
	  "index t(id);table t", "'table t'", NULL },
	{ "nothing at all", T ROW, "", NULL, "SELECT count(*) = 2 FROM t" },
};

/* The parts by their keys, as sqlite/elements reads them. */
static struct ath_elements find_parts(const char *keys, struct ath_arena *arena)
{
	struct ath_element *items = ath_arena_new(arena, KEYS_MAX, sizeof(*items));
	char *at = ath_arena_strdup(arena, keys), *key;
	struct ath_elements live = { 0 };
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(db_path("a"), ATH_DB_READ, 0, &err);
	size_t len = 0;

	assert_true(ath_elements_read(db, NULL, arena, &live, &err));
	ath_db_close(db);
	while ((key = strtok_r(at, ";", &at))) {
		const struct ath_element *one = ath_element_find(&live, key);

		if (!one)
			fail_msg("there is no '%s'", key);
		items[len++] = *one;
	}
	return (struct ath_elements){ items, len };
}

static void check(const struct undo_case *one)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_elements parts;
	struct db_bytes before;
	bool is_done;

	unlink(db_path("a"));
	db_run(db_path("a"), one->sql);
	parts = find_parts(one->keys, &arena);
	before = db_load(db_path("a"));
	is_done = ath_undo(db_path("a"), &parts, &err);
	if (is_done != !one->refused || (one->refused && !strstr(err.msg, one->refused)))
		fail_msg("%s: %s", one->name, is_done ? "done" : err.msg);
	if (one->refused)
		assert_true(db_is_same(before, db_path("a")));
	else
		free(before.data);
	if (one->shows && strcmp(db_ask(db_path("a"), one->shows, NULL), "1") != 0)
		fail_msg("%s: it is still there", one->name);
	assert_string_equal(db_ask(db_path("a"), "PRAGMA integrity_check", NULL), "ok");
	ath_arena_fini(&arena);
}

static void part_goes_only_if_that_loses_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i]);
}

/* A person has to decide, in both cases. */
static void loss_and_a_refusal_of_sqlite_are_decisions(void **state)
{
	static const struct {
		const char *sql, *keys;
		enum ath_err_code code;
	} rows[] = {
		{ T ROW, "table t", ATH_ERR_DECISION },
		{ T ROW "ALTER TABLE t ADD x; CREATE INDEX ix ON t (x)", "column t.x",
		  ATH_ERR_DECISION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_err err = { 0 };
		struct ath_elements parts;

		unlink(db_path("a"));
		db_run(db_path("a"), rows[i].sql);
		parts = find_parts(rows[i].keys, &arena);
		assert_false(ath_undo(db_path("a"), &parts, &err));
		assert_int_equal(err.code, rows[i].code);
		ath_arena_fini(&arena);
	}
}

static void part_that_has_gone_is_an_error(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_elements parts;

	(void)state;
	db_run(db_path("a"), T "ALTER TABLE t ADD x");
	parts = find_parts("column t.x", &arena);
	db_run(db_path("a"), "ALTER TABLE t DROP COLUMN x");
	assert_false(ath_undo(db_path("a"), &parts, &err));
	assert_non_null(strstr(err.msg, "no 'column t.x' any more"));
	ath_arena_fini(&arena);
}

static void lock_and_missing_file_have_codes_of_their_own(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct db_holder holder;
	struct ath_elements parts;

	(void)state;
	db_run(db_path("a"), T);
	holder = db_hold(db_path("a"), "BEGIN IMMEDIATE");
	parts = find_parts("table t", &arena);
	assert_false(ath_undo(db_path("a"), &parts, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	db_release(holder);
	ath_err_clear(&err);
	assert_false(ath_undo(db_path("gone"), &parts, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
	assert_true(access(db_path("gone"), F_OK) != 0);
	ath_arena_fini(&arena);
}

static void leftovers_go_if_they_are_empty_and_the_others_are_counted(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_elements parts;
	size_t left = 9;

	(void)state;
	db_run(db_path("a"), "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x);"
			     "INSERT INTO b VALUES (1)");
	parts = find_parts("table a;table b;table c", &arena);
	assert_true(ath_undo_empty(db_path("a"), &parts, &left, &err));
	assert_int_equal(err.code, ATH_ERR_OK);
	assert_int_equal(left, 1);
	assert_string_equal(
		db_ask(db_path("a"), "SELECT group_concat(name) FROM sqlite_schema", NULL), "b");
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(part_goes_only_if_that_loses_nothing),
		db_test(loss_and_a_refusal_of_sqlite_are_decisions),
		db_test(part_that_has_gone_is_an_error),
		db_test(lock_and_missing_file_have_codes_of_their_own),
		db_test(leftovers_go_if_they_are_empty_and_the_others_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
