/* SPDX-License-Identifier: MIT */
/* schema/affinity against SQLite itself: what a column of that type makes of values. */
#include "tests/unit/cmocka_all.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "schema/affinity.h"

/*
 * The types of "Datatypes In SQLite", 3.1.1 and 3.1.2, in upper case, and those in which more than one
 * word is found.
 */
static const struct {
	const char *type;
	enum ath_affinity affinity;
} rows[] = {
	{ "INT", ATH_AFFINITY_INTEGER },
	{ "INTEGER", ATH_AFFINITY_INTEGER },
	{ "TINYINT", ATH_AFFINITY_INTEGER },
	{ "SMALLINT", ATH_AFFINITY_INTEGER },
	{ "MEDIUMINT", ATH_AFFINITY_INTEGER },
	{ "BIGINT", ATH_AFFINITY_INTEGER },
	{ "UNSIGNED BIG INT", ATH_AFFINITY_INTEGER },
	{ "INT2", ATH_AFFINITY_INTEGER },
	{ "INT8", ATH_AFFINITY_INTEGER },
	{ "CHARACTER(20)", ATH_AFFINITY_TEXT },
	{ "VARCHAR(255)", ATH_AFFINITY_TEXT },
	{ "VARYING CHARACTER(255)", ATH_AFFINITY_TEXT },
	{ "NCHAR(55)", ATH_AFFINITY_TEXT },
	{ "NATIVE CHARACTER(70)", ATH_AFFINITY_TEXT },
	{ "NVARCHAR(100)", ATH_AFFINITY_TEXT },
	{ "TEXT", ATH_AFFINITY_TEXT },
	{ "CLOB", ATH_AFFINITY_TEXT },
	{ "BLOB", ATH_AFFINITY_BLOB },
	{ "", ATH_AFFINITY_BLOB },
	{ "REAL", ATH_AFFINITY_REAL },
	{ "DOUBLE", ATH_AFFINITY_REAL },
	{ "DOUBLE PRECISION", ATH_AFFINITY_REAL },
	{ "FLOAT", ATH_AFFINITY_REAL },
	{ "NUMERIC", ATH_AFFINITY_NUMERIC },
	{ "DECIMAL(10,5)", ATH_AFFINITY_NUMERIC },
	{ "BOOLEAN", ATH_AFFINITY_NUMERIC },
	{ "DATE", ATH_AFFINITY_NUMERIC },
	{ "DATETIME", ATH_AFFINITY_NUMERIC },
	{ "JSON", ATH_AFFINITY_NUMERIC },
	{ "STRING", ATH_AFFINITY_NUMERIC },
	{ "FLOATING POINT", ATH_AFFINITY_INTEGER },
	{ "CHARINT", ATH_AFFINITY_INTEGER },
	{ "TEXTBLOB", ATH_AFFINITY_TEXT },
	{ "BLOBREAL", ATH_AFFINITY_BLOB },
	{ "REALTEXT", ATH_AFFINITY_TEXT },
};

/*
 * The types of what is stored for a text '2.5', a text '2', the real number 2.5 and the whole number 2;
 * INTEGER and NUMERIC store alike, and differ in a CAST only.
 */
static const char *const stored[] = {
	[ATH_AFFINITY_INTEGER] = "real integer real integer 2",
	[ATH_AFFINITY_TEXT] = "text text text text 2.5",
	[ATH_AFFINITY_BLOB] = "text text real integer 2.5",
	[ATH_AFFINITY_REAL] = "real real real real 2.5",
	[ATH_AFFINITY_NUMERIC] = "real integer real integer 2.5",
};

static void ask(sqlite3 *db, const char *type, char *out, size_t size)
{
	char sql[512];
	sqlite3_stmt *stmt;

	snprintf(sql, sizeof(sql),
		 "DROP TABLE IF EXISTS t; CREATE TABLE t (a %s, b %s, c %s, d %s);"
		 "INSERT INTO t VALUES ('2.5', '2', 2.5, 2)",
		 type, type, type, type);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	snprintf(sql, sizeof(sql),
		 "SELECT concat.x FROM (SELECT typeof(a) || ' ' || typeof(b) || ' ' || typeof(c) "
		 "|| ' ' "
		 "|| typeof(d) || ' ' || %s%s%s AS x FROM t) concat",
		 *type ? "CAST('2.5' AS " : "'2.5'", type, *type ? ")" : "");
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	snprintf(out, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

static void affinity_is_what_sqlite_does(void **state)
{
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char answer[128];

		assert_int_equal(ath_affinity_of(rows[i].type), rows[i].affinity);
		ask(db, rows[i].type, answer, sizeof(answer));
		if (strcmp(answer, stored[rows[i].affinity]) != 0)
			fail_msg("%s: SQLite says '%s', not '%s'", rows[i].type, answer,
				 stored[rows[i].affinity]);
	}
	sqlite3_close(db);
}

/* What is asked of SQLite tells any two affinities apart. */
static void the_question_tells_affinities_apart(void **state)
{
	(void)state;
	for (int i = 0; i < ATH_AFFINITY_COUNT_; i++) {
		for (int n = 0; n < i; n++)
			assert_string_not_equal(stored[i], stored[n]);
	}
}

static void no_type_is_blob(void **state)
{
	(void)state;
	assert_int_equal(ath_affinity_of(NULL), ATH_AFFINITY_BLOB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(affinity_is_what_sqlite_does),
		cmocka_unit_test(the_question_tells_affinities_apart),
		cmocka_unit_test(no_type_is_blob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
