/* SPDX-License-Identifier: MIT */
/* sqlite/look: every kind of file gets its state, and none of them is changed by being looked at. */
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>

#include "base/str.h"
#include "sqlite/handle.h"
#include "sqlite/look.h"
#include "tests/unit/db_files.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define STAMPED                                                            \
	"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);" \
	"INSERT INTO alembic_version VALUES ('001');"

static struct ath_look look_at(const char *path, unsigned busy_ms)
{
	struct db_bytes before = db_load(path);
	struct ath_err err = { 0 };
	struct ath_look look;

	assert_true(ath_look(path, "alembic_version", busy_ms, &look, &err));
	assert_true(db_is_same(before, path));
	assert_null(strchr(look.reason, '\n'));
	if (look.state >= ATH_LOOK_LOCKED)
		assert_int_not_equal(look.reason[0], 0);
	return look;
}

static void expect_state(const char *name, enum ath_look_state state, const char *reason)
{
	struct ath_look look = look_at(db_path(name), 0);

	if (look.state != state || !strstr(look.reason, reason))
		fail_msg("%s: state %d, reason '%s'", name, look.state, look.reason);
	ath_look_fini(&look);
}

static void databases_are_read_with_their_stamp(void **state)
{
	static const struct {
		const char *sql;
		enum ath_look_state state;
		enum ath_look_stamp stamp;
		const char *rows; /* joined with blanks */
		size_t objects;
	} rows[] = {
		{ "", ATH_LOOK_EMPTY, ATH_STAMP_NO_TABLE, "", 0 },
		{ "VACUUM", ATH_LOOK_EMPTY, ATH_STAMP_NO_TABLE, "", 0 },
		{ "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE)", ATH_LOOK_OK,
		  ATH_STAMP_NO_TABLE, "", 1 },
		{ STAMPED, ATH_LOOK_OK, ATH_STAMP_ROWS, "001", 1 },
		{ STAMPED "DELETE FROM alembic_version", ATH_LOOK_OK, ATH_STAMP_NO_ROWS, "", 1 },
		{ STAMPED "INSERT INTO alembic_version VALUES ('c'), ('b')", ATH_LOOK_OK,
		  ATH_STAMP_ROWS, "001 b c", 1 },
		{ "CREATE TABLE Alembic_Version (VERSION_NUM TEXT, note);"
		  "INSERT INTO alembic_version VALUES ('x', 1)",
		  ATH_LOOK_OK, ATH_STAMP_ROWS, "x", 1 },
		{ "CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY) WITHOUT ROWID;"
		  "INSERT INTO alembic_version VALUES ('x')",
		  ATH_LOOK_OK, ATH_STAMP_ROWS, "x", 1 },
		{ "CREATE VIEW alembic_version AS SELECT 'x' AS version_num", ATH_LOOK_OK,
		  ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ "CREATE TABLE alembic_version (version TEXT)", ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE,
		  "", 1 },
		{ "CREATE TABLE alembic_version (a, version_num AS (a))", ATH_LOOK_OK,
		  ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ "CREATE VIRTUAL TABLE alembic_version USING fts5(version_num)", ATH_LOOK_OK,
		  ATH_STAMP_WRONG_SHAPE, "", 6 },
		{ "CREATE TABLE alembic_version (version_num INTEGER);"
		  "INSERT INTO alembic_version VALUES ('001')",
		  ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ STAMPED "INSERT INTO alembic_version VALUES (x'00')", ATH_LOOK_OK,
		  ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ STAMPED "INSERT INTO alembic_version VALUES ('a' || char(0) || 'b')", ATH_LOOK_OK,
		  ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ STAMPED "INSERT INTO alembic_version VALUES (printf('%.*c', 1001, 'x'))",
		  ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ STAMPED "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			  " WHERE i < 1001) INSERT INTO alembic_version SELECT i FROM n",
		  ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, "", 1 },
		{ STAMPED "CREATE VIEW v AS SELECT * FROM nowhere", ATH_LOOK_OK, ATH_STAMP_ROWS,
		  "001", 2 },
		{ STAMPED "CREATE TABLE \"a\"\"b'; DROP TABLE x; --\n\" (\"%s\" TEXT, \"\" INT);"
			  "CREATE TABLE g (a, b AS (a || 'x') STORED)",
		  ATH_LOOK_OK, ATH_STAMP_ROWS, "001", 3 },
		{ STAMPED "CREATE TABLE sqlitex (a); CREATE INDEX i ON sqlitex (a);"
			  "CREATE TRIGGER r AFTER INSERT ON sqlitex BEGIN SELECT 1; END; ANALYZE",
		  ATH_LOOK_OK, ATH_STAMP_ROWS, "001", 4 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct ath_str joined = { 0 };
		struct ath_look look;

		db_store(db_path("a"), "", 0);
		db_run(db_path("a"), rows[i].sql);
		look = look_at(db_path("a"), 0);
		for (size_t j = 0; j < look.rows_len; j++)
			ath_str_printf(&joined, "%s%s", j ? " " : "", look.rows[j]);
		if (look.state != rows[i].state || look.stamp != rows[i].stamp ||
		    look.schema.len != rows[i].objects)
			fail_msg("%s: %d %d %zu %s", rows[i].sql, look.state, look.stamp,
				 look.schema.len, look.reason);
		assert_string_equal(ath_str_get(&joined), rows[i].rows);
		ath_str_fini(&joined);
		ath_look_fini(&look);
	}
}

static void hostile_names_of_the_version_table_are_only_names(void **state)
{
	static const char name[] = "v\"; DROP TABLE t; --";
	struct ath_err err = { 0 };
	struct ath_look look;

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (a);"
			     "CREATE TABLE \"v\"\"; DROP TABLE t; --\" (version_num TEXT);"
			     "INSERT INTO \"v\"\"; DROP TABLE t; --\" VALUES ('1')");
	assert_true(ath_look(db_path("a"), name, 0, &look, &err));
	assert_int_equal(look.stamp, ATH_STAMP_ROWS);
	assert_int_equal(look.schema.len, 2);
	ath_look_fini(&look);
	assert_true(ath_look(db_path("a"), "sqlite_schema", 0, &look, &err));
	assert_int_equal(look.stamp, ATH_STAMP_NO_TABLE);
	ath_look_fini(&look);
}

static void table_of_2000_columns_and_schema_of_500_tables_are_read(void **state)
{
	struct ath_str sql = { 0 };
	struct ath_look look;

	(void)state;
	ath_str_puts(&sql, STAMPED "CREATE TABLE wide (c0");
	for (int i = 1; i < 2000; i++)
		ath_str_printf(&sql, ", c%d TEXT", i);
	ath_str_puts(&sql, "); BEGIN;");
	for (int i = 0; i < 500; i++)
		ath_str_printf(&sql, "CREATE TABLE t%d (a UNIQUE, b, c);", i);
	ath_str_puts(&sql, "COMMIT");
	db_run(db_path("a"), ath_str_get(&sql));
	ath_str_fini(&sql);
	look = look_at(db_path("a"), 0);
	assert_int_equal(look.state, ATH_LOOK_OK);
	assert_int_equal(ath_schema_count_tables(&look.schema, "alembic_version"), 501);
	assert_string_equal(look.journal_mode, "delete");
	ath_look_fini(&look);
}

static void files_that_are_no_databases_are_told_apart(void **state)
{
	static char noise[5000];

	(void)state;
	expect_state("none", ATH_LOOK_MISSING, "");
	expect_state("none/at/all", ATH_LOOK_MISSING, "");
	db_store(db_path("zero"), "", 0);
	expect_state("zero", ATH_LOOK_EMPTY, "");
	expect_state("zero/below", ATH_LOOK_MISSING, "");
	db_store(db_path("text"), "hello\nworld\n", 12);
	expect_state("text", ATH_LOOK_UNREADABLE, "not a SQLite database");
	memset(noise, 'x', sizeof(noise));
	db_store(db_path("noise"), noise, sizeof(noise));
	expect_state("noise", ATH_LOOK_UNREADABLE, "not a SQLite database");
	memset(noise, 0, sizeof(noise));
	db_store(db_path("zeroes"), noise, sizeof(noise));
	expect_state("zeroes", ATH_LOOK_UNREADABLE, "not a SQLite database");
	mkdir(db_path("folder"), 0700);
	expect_state("folder", ATH_LOOK_UNREADABLE, "not a regular file");
	assert_return_code(mkfifo(db_path("fifo"), 0600), 0);
	expect_state("fifo", ATH_LOOK_UNREADABLE, "not a regular file");
	assert_return_code(symlink("loop", db_path("loop")), 0);
	expect_state("loop", ATH_LOOK_UNREADABLE, "symbolic links");
}

static void damaged_databases_are_unreadable_or_read(void **state)
{
	static const struct {
		size_t at, len; /* bytes overwritten with 0xff; len 0: cut there */
		enum ath_look_state state;
	} rows[] = {
		{ 0, 16, ATH_LOOK_UNREADABLE },      /* magic */
		{ 16, 2, ATH_LOOK_UNREADABLE },      /* page size */
		{ 100, 200, ATH_LOOK_UNREADABLE },   /* page 1: root of sqlite_schema */
		{ 4096, 4096, ATH_LOOK_UNREADABLE }, /* root of the version table */
		{ 40960, 0, ATH_LOOK_UNREADABLE },   /* truncated at a page */
		{ 1000, 0, ATH_LOOK_UNREADABLE },    /* truncated inside page 1 */
		{ 60, 0, ATH_LOOK_UNREADABLE },      /* truncated inside the header */
		{ 81920, 40960, ATH_LOOK_OK },       /* rows, which nobody looks at */
	};
	struct db_bytes whole;

	(void)state;
	db_run(db_path("whole"), STAMPED
	       "CREATE TABLE t (a);"
	       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
	       " INSERT INTO t SELECT zeroblob(1000) FROM n");
	whole = db_load(db_path("whole"));
	for (size_t i = 0; i < LEN(rows); i++) {
		char *copy = malloc(whole.len);

		memcpy(copy, whole.data, whole.len);
		memset(copy + rows[i].at, 0xff, rows[i].len);
		db_store(db_path("a"), copy, rows[i].len ? whole.len : rows[i].at);
		expect_state("a", rows[i].state, "");
		free(copy);
	}
	free(whole.data);
}

static void malformed_schema_is_unreadable_with_its_reason_cleaned(void **state)
{
	(void)state;
	db_run(db_path("a"),
	       "CREATE TABLE t (a); PRAGMA writable_schema=ON;"
	       "UPDATE sqlite_schema SET sql = 'CREATE TABLE ' || char(27, 10) || '(('");
	expect_state("a", ATH_LOOK_UNREADABLE, "damaged: malformed database schema");
	db_store(db_path("b"), "", 0);
	db_run(db_path("b"),
	       "CREATE TABLE t (a); PRAGMA writable_schema=ON;"
	       "UPDATE sqlite_schema SET sql ="
	       " 'CREATE TABLE t(a DEFAULT \"' || printf('%.*c', 17000000, 'x') || '\")'");
	expect_state("b", ATH_LOOK_UNREADABLE, "too big");
}

static void random_damage_never_changes_more_than_the_state(void **state)
{
	struct db_bytes whole;
	unsigned seed = 20240229;
	int states[ATH_LOOK_COUNT_] = { 0 };

	(void)state;
	db_run(db_path("whole"), STAMPED "CREATE TABLE t (a UNIQUE, b); CREATE VIEW v AS SELECT 1");
	whole = db_load(db_path("whole"));
	for (int round = 0; round < 500; round++) {
		char *copy = malloc(whole.len);
		struct ath_look look;

		memcpy(copy, whole.data, whole.len);
		for (int i = rand_r(&seed) % 8; i >= 0; i--)
			copy[(unsigned)rand_r(&seed) % (round % 2 ? 600 : whole.len)] =
				(char)rand_r(&seed);
		db_store(db_path("a"), copy,
			 round % 5 ? whole.len : (unsigned)rand_r(&seed) % whole.len);
		look = look_at(db_path("a"), 0);
		states[look.state]++;
		ath_look_fini(&look);
		free(copy);
	}
	free(whole.data);
	assert_true(states[ATH_LOOK_UNREADABLE] > 50 && states[ATH_LOOK_OK] > 50);
}

static void lock_is_told_apart_and_waited_for(void **state)
{
	struct db_holder holder;
	struct ath_look look;

	(void)state;
	db_run(db_path("a"), STAMPED);
	holder = db_hold(db_path("a"), "BEGIN IMMEDIATE"); /* a writer that reads yet */
	expect_state("a", ATH_LOOK_OK, "");
	db_release(holder);
	holder = db_hold(db_path("a"), "BEGIN EXCLUSIVE");
	look = look_at(db_path("a"), 50);
	assert_int_equal(look.state, ATH_LOOK_LOCKED);
	assert_non_null(strstr(look.reason, "in use by "));
	assert_non_null(strstr(look.reason, " (process "));
	ath_look_fini(&look);
	db_release(holder);
	expect_state("a", ATH_LOOK_OK, "");
}

static void hot_journal_is_reported_and_left_alone(void **state)
{
	struct db_bytes journal;

	(void)state;
	db_make_hot(db_path("a"));
	journal = db_load(db_path("a-journal"));
	assert_true(journal.len > 0);
	expect_state("a", ATH_LOOK_RECOVERY, "needs recovery");
	assert_true(db_is_same(journal, db_path("a-journal")));
	assert_string_equal(ath_look_state_name(ATH_LOOK_RECOVERY), "unreadable");
	db_run(db_path("a"), "SELECT * FROM t"); /* a writable open rolls it back */
	expect_state("a", ATH_LOOK_OK, "");
}

static void wal_is_read_through_and_kept(void **state)
{
	struct db_bytes wal;
	struct ath_look look;

	(void)state;
	db_run(db_path("a"), "PRAGMA journal_mode=WAL; CREATE TABLE t (a)");
	assert_int_not_equal(access(db_path("a-wal"), F_OK), 0);
	expect_state("a", ATH_LOOK_OK, "");
	wal = db_load(db_path("a-wal"));
	assert_int_equal(wal.len, 0); /* SQLite may leave an empty one */
	free(wal.data);
	db_crash(db_path("a"), STAMPED);
	wal = db_load(db_path("a-wal"));
	look = look_at(db_path("a"), 0);
	assert_int_equal(look.state, ATH_LOOK_OK);
	assert_string_equal(look.journal_mode, "wal");
	assert_int_equal(look.wal_bytes, wal.len);
	assert_int_equal(look.rows_len, 1);
	assert_int_equal(look.schema.len, 2);
	ath_look_fini(&look);
	unlink(db_path("a-shm"));
	expect_state("a", ATH_LOOK_OK, "");
	assert_true(db_is_same(wal, db_path("a-wal")));
}

static int look_as_nobody(void)
{
	struct ath_err err = { 0 };
	struct ath_look look;
	int result;

	if (!ath_look(db_path("a"), "alembic_version", 0, &look, &err))
		return 98;
	result = (int)look.state;
	if (result == ATH_LOOK_UNREADABLE)
		result += strstr(look.reason, "no permission")  ? 10
			  : strstr(look.reason, "not writable") ? 20
								: 0;
	ath_look_fini(&look);
	return result;
}

static void missing_permissions_are_told(void **state)
{
	(void)state;
	db_run(db_path("a"), STAMPED);
	chmod(db_path("a"), 0444);
	chmod(db_root, 0555);
	assert_int_equal(db_as_nobody(look_as_nobody), ATH_LOOK_OK);
	chmod(db_path("a"), 0000);
	assert_int_equal(db_as_nobody(look_as_nobody), ATH_LOOK_UNREADABLE + 10);
	chmod(db_path("a"), 0644);
	chmod(db_root, 0000);
	assert_int_equal(db_as_nobody(look_as_nobody), ATH_LOOK_UNREADABLE);
	chmod(db_root, 0755);
	db_run(db_path("a"), "PRAGMA journal_mode=WAL");
	chmod(db_root, 0555);
	assert_int_equal(db_as_nobody(look_as_nobody), ATH_LOOK_UNREADABLE + 20);
	chmod(db_root, 0755);
	db_crash(db_path("a"), "CREATE TABLE t (a)"); /* with -wal and -shm it can be read */
	chmod(db_root, 0555);
	assert_int_equal(db_as_nobody(look_as_nobody), ATH_LOOK_OK);
}

static void look_through_an_open_handle_leaves_its_transaction_alone(void **state)
{
	struct ath_err err = { 0 };
	struct ath_look look;
	struct ath_db *db;

	(void)state;
	db_run(db_path("a"), STAMPED);
	db = ath_db_open(db_path("a"), ATH_DB_WRITE, 0, &err);
	assert_true(ath_db_exec(db, "BEGIN; INSERT INTO alembic_version VALUES ('002')", &err));
	assert_true(ath_look_read(db, "alembic_version", &look, &err));
	assert_int_equal(look.rows_len, 2);
	ath_look_fini(&look);
	assert_true(ath_db_commit(db, &err));
	ath_db_close(db);
}

static void every_state_has_its_name(void **state)
{
	static const char *const names[] = { "missing", "empty",      "ok",
					     "locked",  "unreadable", "unreadable" };

	(void)state;
	for (int i = 0; i < ATH_LOOK_COUNT_; i++)
		assert_string_equal(ath_look_state_name((enum ath_look_state)i), names[i]);
}

/* The state after a look at the pages, too. */
static enum ath_look_state check(const char *name, uint64_t bytes)
{
	struct ath_look look = { 0 };
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(db_path(name), ATH_DB_READ, 0, &err);
	enum ath_look_state state;

	assert_non_null(db);
	assert_true(ath_look_read(db, "alembic_version", &look, &err));
	look.bytes = bytes;
	ath_look_check(db, &look);
	state = look.state;
	ath_look_fini(&look);
	ath_db_close(db);
	return state;
}

static void damage_among_the_rows_of_a_small_database_is_seen(void **state)
{
	struct db_bytes bytes;

	(void)state;
	db_run(db_path("rows"), STAMPED
	       "CREATE TABLE t (x TEXT);"
	       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
	       " INSERT INTO t SELECT printf('%0100d', i) FROM n;");
	assert_int_equal(check("rows", 4096), ATH_LOOK_OK);
	bytes = db_load(db_path("rows"));
	memset(bytes.data + bytes.len - 4096, 0xa5, 4096);
	db_store(db_path("rows"), bytes.data, bytes.len);
	free(bytes.data);
	assert_int_equal(check("rows", ATH_LOOK_CHECKED_BYTES), ATH_LOOK_UNREADABLE);
	assert_int_equal(check("rows", ATH_LOOK_CHECKED_BYTES + 1), ATH_LOOK_OK);
}

static void what_a_check_says_of_values_is_no_damage(void **state)
{
	(void)state;
	db_run(db_path("values"),
	       STAMPED "CREATE TABLE t (x TEXT CHECK (x <> 'bad'));"
		       "PRAGMA ignore_check_constraints=ON; INSERT INTO t VALUES ('bad');");
	assert_int_equal(check("values", 4096), ATH_LOOK_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(databases_are_read_with_their_stamp),
		db_test(hostile_names_of_the_version_table_are_only_names),
		db_test(table_of_2000_columns_and_schema_of_500_tables_are_read),
		db_test(files_that_are_no_databases_are_told_apart),
		db_test(damaged_databases_are_unreadable_or_read),
		db_test(malformed_schema_is_unreadable_with_its_reason_cleaned),
		db_test(random_damage_never_changes_more_than_the_state),
		db_test(lock_is_told_apart_and_waited_for),
		db_test(hot_journal_is_reported_and_left_alone),
		db_test(wal_is_read_through_and_kept),
		db_test(missing_permissions_are_told),
		db_test(look_through_an_open_handle_leaves_its_transaction_alone),
		db_test(damage_among_the_rows_of_a_small_database_is_seen),
		db_test(what_a_check_says_of_values_is_no_damage),
		cmocka_unit_test(every_state_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
