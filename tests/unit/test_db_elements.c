/* SPDX-License-Identifier: MIT */
/* A database's schema as elements: ordinary, hostile, large. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/db_files.h"

#include <time.h>

#include "base/str.h"
#include "sqlite/elements.h"

static void make_database(const char *name, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	if (sqlite3_open(db_path(name), &db) || sqlite3_exec(db, sql, NULL, NULL, &message)) {
		fprintf(stderr, "%s\n", message ? message : sqlite3_errmsg(db));
		abort();
	}
	sqlite3_close(db);
}

static struct ath_elements read_elements(const char *name, struct ath_arena *arena)
{
	struct ath_elements set = { 0 };
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(db_path(name), ATH_DB_READ, 0, &err);

	if (!db || !ath_elements_read(db, "alembic_version", arena, &set, &err))
		fprintf(stderr, "%s\n", err.msg);
	assert_int_equal(err.code, ATH_ERR_OK);
	ath_db_close(db);
	return set;
}

/* All keys, one a line. */
static const char *keys_of(const struct ath_elements *set, struct ath_arena *arena)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < set->len; i++)
		ath_str_printf(&text, "%s\n", set->items[i].key);
	copy = ath_arena_strdup(arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

/* The control: to a SQLite of some releases this schema is damaged, if it is not trusted. */
static void index_over_json_is_no_damage(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_elements set;

	(void)state;
	make_database("json", "CREATE TABLE t (a JSON);"
			      "CREATE INDEX ix_a ON t (json_extract(a, '$.x'));"
			      "CREATE INDEX ix_arrow ON t (a ->> 'y') WHERE json_valid(a)");
	set = read_elements("json", &arena);
	assert_string_equal(keys_of(&set, &arena), "column t.a\n"
						   "index t ix_a\n"
						   "index t ix_arrow\n"
						   "table t\n");
	ath_arena_fini(&arena);
}

static void schema_is_read_as_elements(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_elements set;
	const struct ath_element *one;

	(void)state;
	make_database("plain",
		      "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);"
		      "CREATE TABLE Users (id INTEGER PRIMARY KEY AUTOINCREMENT,"
		      " Email varchar(50) NOT NULL DEFAULT 'x' UNIQUE, n INT,"
		      " twice INT GENERATED ALWAYS AS (n * 2) VIRTUAL);"
		      "CREATE TABLE notes (a TEXT, b TEXT, user INT REFERENCES users,"
		      " PRIMARY KEY (a, b), FOREIGN KEY (user, a) REFERENCES notes (b, a))"
		      " WITHOUT ROWID;"
		      "CREATE INDEX ix_notes ON notes (b, user DESC);"
		      "CREATE UNIQUE INDEX ux_notes ON notes (lower(a));"
		      "CREATE VIEW recent AS SELECT * FROM nowhere;"
		      "CREATE TRIGGER after_note AFTER INSERT ON notes BEGIN SELECT 1; END;"
		      "CREATE TABLE _alembic_tmp_users (id INT);");
	set = read_elements("plain", &arena);
	assert_string_equal(keys_of(&set, &arena), "column _alembic_tmp_users.id\n"
						   "column notes.a\n"
						   "column notes.b\n"
						   "column notes.user\n"
						   "column users.email\n"
						   "column users.id\n"
						   "column users.n\n"
						   "column users.twice\n"
						   "foreign notes(user) users(id)\n"
						   "foreign notes(user,a) notes(b,a)\n"
						   "index notes ux_notes\n"
						   "index notes(b,user)\n"
						   "table _alembic_tmp_users\n"
						   "table notes\n"
						   "table users\n"
						   "trigger after_note\n"
						   "unique users(email)\n"
						   "view recent\n");
	one = ath_element_find(&set, "column users.email");
	assert_string_equal(one->attributes.type, "VARCHAR(50)");
	assert_string_equal(one->attributes.default_value, "'x'");
	assert_false(one->attributes.is_nullable);
	assert_false(one->attributes.is_key);
	assert_string_equal(one->name, "Email");
	assert_string_equal(one->table, "users");
	assert_true(ath_element_find(&set, "column notes.b")->attributes.is_key);
	assert_string_equal(ath_element_find(&set, "index notes(b,user)")->name, "ix_notes");
	ath_arena_fini(&arena);
}

/* Nothing is asked of a view: it may need others, which are not looked into. */
static void foreign_keys_mean_the_primary_key_and_may_point_to_a_view(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_elements set;

	(void)state;
	make_database("foreign",
		      "CREATE TABLE pair (b INT, a INT, PRIMARY KEY (a, b));"
		      "CREATE VIEW one AS SELECT a FROM pair;"
		      "CREATE VIEW two AS SELECT a FROM one;"
		      "CREATE TABLE link (x INT, y INT REFERENCES two, z INT REFERENCES gone,"
		      " FOREIGN KEY (x, y) REFERENCES Pair);");
	set = read_elements("foreign", &arena);
	assert_non_null(ath_element_find(&set, "foreign link(x,y) pair(a,b)"));
	assert_non_null(ath_element_find(&set, "foreign link(y) two(\"\")"));
	assert_non_null(ath_element_find(&set, "foreign link(z) gone(\"\")"));
	ath_arena_fini(&arena);
}

static void hostile_names_are_only_names(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_elements set;

	(void)state;
	make_database("hostile",
		      "CREATE TABLE \"a'); DROP TABLE b; --\" (\"x.y\" INT, \"p,q\" INT, \"\" INT);"
		      "CREATE INDEX \"i \"\" x\" ON \"a'); DROP TABLE b; --\" (\"p,q\", \"\");"
		      "CREATE TABLE b (\"say \"\"hi\"\"\" INT, [br] INT);"
		      "CREATE TABLE \"sqliteish\" (z);"
		      "CREATE TABLE \"%s\" (\"%n\" INT);");
	set = read_elements("hostile", &arena);
	assert_non_null(ath_element_find(&set, "column \"a'); drop table b; --\".\"x.y\""));
	assert_non_null(ath_element_find(&set, "index \"a'); drop table b; --\"(\"p,q\",\"\")"));
	assert_non_null(ath_element_find(&set, "column b.\"say \"\"hi\"\"\""));
	assert_non_null(ath_element_find(&set, "table sqliteish"));
	assert_non_null(ath_element_find(&set, "column %s.%n"));
	ath_arena_fini(&arena);
}

static void an_empty_database_has_no_elements(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_elements set;

	(void)state;
	make_database("empty", "CREATE TABLE ALEMBIC_version (version_num TEXT)");
	set = read_elements("empty", &arena);
	assert_int_equal(set.len, 0);
	ath_arena_fini(&arena);
}

static void a_large_schema_is_read_quickly(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_str sql = { 0 };
	struct ath_elements set;
	struct timespec from, to;

	(void)state;
	ath_str_puts(&sql, "BEGIN;");
	for (int i = 0; i < 500; i++)
		ath_str_printf(&sql,
			       "CREATE TABLE t%d (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h,"
			       " i INT REFERENCES t0 (id)); CREATE INDEX x%d ON t%d (a, b);",
			       i, i, i);
	ath_str_puts(&sql, "COMMIT;");
	make_database("large", ath_str_get(&sql));
	ath_str_fini(&sql);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	set = read_elements("large", &arena);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_int_equal(set.len, 500 * 13);
	printf("500 tables of 10 columns: %.1f ms of processor time\n",
	       (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_is_read_as_elements),
		cmocka_unit_test(index_over_json_is_no_damage),
		cmocka_unit_test(foreign_keys_mean_the_primary_key_and_may_point_to_a_view),
		cmocka_unit_test(hostile_names_are_only_names),
		cmocka_unit_test(an_empty_database_has_no_elements),
		cmocka_unit_test(a_large_schema_is_read_quickly),
	};

	return cmocka_run_group_tests(tests, db_set_up, db_tear_down);
}
