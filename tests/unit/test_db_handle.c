/* SPDX-License-Identifier: MIT */
/* sqlite/handle: modes, settings, result codes, statements and transactions. */
#include "tests/unit/cmocka_all.h"

#include <errno.h>

#include "base/str.h"
#include "sqlite/handle.h"
#include "tests/unit/db_files.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct ath_db *open_db(const char *path, enum ath_db_mode mode)
{
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(path, mode, 0, &err);

	if (!db)
		fail_msg("%s", err.msg);
	return db;
}

static void run(struct ath_db *db, const char *sql)
{
	struct ath_err err = { 0 };

	if (!ath_db_exec(db, sql, &err))
		fail_msg("%s", err.msg);
}

static int64_t ask(struct ath_db *db, const char *sql)
{
	struct ath_err err = { 0 };
	int64_t number;

	if (!ath_db_query_int(db, sql, &number, &err))
		fail_msg("%s", err.msg);
	return number;
}

static void own_database_is_private_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	static const char *const names[] = { "own", "own-wal", "own-shm" };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < LEN(masks); i++) {
		mode_t old = umask(masks[i]);
		struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);

		run(db, "CREATE TABLE t (a)");
		umask(old);
		for (size_t j = 0; j < LEN(names); j++) {
			assert_return_code(stat(db_path(names[j]), &st), 0);
			assert_int_equal(st.st_mode & 07777, 0600);
		}
		ath_db_close(db);
		for (size_t j = 0; j < LEN(names); j++)
			unlink(db_path(names[j]));
	}
}

static void own_database_has_its_settings(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);
	char *mode;

	(void)state;
	assert_true(ath_db_query_text(db, "PRAGMA journal_mode", &mode, &err));
	assert_string_equal(mode, "wal");
	free(mode);
	assert_int_equal(ask(db, "PRAGMA synchronous"), 2);
	assert_int_equal(ask(db, "PRAGMA foreign_keys"), 1);
	assert_string_equal(ath_db_path(db), db_path("own"));
	ath_db_close(db);
	ath_db_close(NULL);
}

static off_t bytes_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void own_wal_is_checkpointed_by_a_close_only_when_it_is_large(void **state)
{
	struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);

	(void)state;
	run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	ath_db_close(db);
	assert_true(bytes_of(db_path("own-wal")) > 0);
	assert_int_equal(bytes_of(db_path("own")), 4096);
	db = open_db(db_path("own"), ATH_DB_OWN);
	assert_int_equal(ask(db, "SELECT a FROM t"), 1);
	run(db, "INSERT INTO t VALUES (zeroblob(2000000))");
	ath_db_close(db);
	assert_true(bytes_of(db_path("own-wal")) <= 0);
	assert_true(bytes_of(db_path("own")) > 2000000);
}

static void only_own_databases_are_created(void **state)
{
	static const enum ath_db_mode modes[] = { ATH_DB_READ, ATH_DB_WRITE, ATH_DB_OWN_READ };
	struct ath_err err;

	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		err = (struct ath_err){ 0 };
		assert_null(ath_db_open(db_path("none"), modes[i], 0, &err));
		assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
		assert_int_not_equal(access(db_path("none"), F_OK), 0);
	}
	err = (struct ath_err){ 0 };
	assert_null(ath_db_open(db_path("no/folder"), ATH_DB_OWN, 0, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
}

static void names_that_mean_something_to_sqlite_are_plain_files(void **state)
{
	static const char *const names[] = { ":memory:", "file:x?mode=memory", "file:y",
					     "a?b#c%41" };

	(void)state;
	assert_return_code(chdir(db_root), 0);
	for (size_t i = 0; i < LEN(names); i++) {
		struct ath_db *db = open_db(names[i], ATH_DB_OWN);

		run(db, "CREATE TABLE t (a)");
		ath_db_close(db);
		assert_int_equal(bytes_of(db_path(names[i])), 4096);
		ath_db_close(open_db(names[i], ATH_DB_READ));
	}
	assert_return_code(chdir("/"), 0);
}

static void read_mode_writes_nothing_and_runs_no_views(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db;

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (a); CREATE VIEW v AS SELECT 1");
	db = open_db(db_path("a"), ATH_DB_READ);
	assert_false(ath_db_exec(db, "INSERT INTO t VALUES (1)", &err));
	assert_int_equal(err.code, ATH_ERR_IO);
	ath_err_clear(&err);
	assert_false(ath_db_exec(db, "SELECT * FROM v", &err));
	assert_int_equal(err.code, ATH_ERR_DATABASE);
	ath_err_clear(&err);
	assert_false(ath_db_exec(db, "ATTACH ':memory:' AS x", &err));
	ath_db_close(db);
}

static void write_mode_is_defensive(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db;

	(void)state;
	db_run(db_path("a"), "CREATE TABLE t (a)");
	db = open_db(db_path("a"), ATH_DB_WRITE);
	run(db, "PRAGMA writable_schema=ON; INSERT INTO t VALUES (1)");
	assert_false(ath_db_exec(db, "UPDATE sqlite_schema SET sql = ''", &err));
	/* trusted only where this SQLite takes its own JSON functions for unsafe */
	assert_int_equal(ask(db, "PRAGMA trusted_schema"),
			 ask(db, "SELECT count(*) > 0 FROM pragma_function_list"
				 " WHERE name = 'json_extract' AND flags & 0x200000 = 0"));
	assert_int_equal(ask(db, "PRAGMA cell_size_check"), 1);
	ath_db_close(db);
}

static void result_codes_become_errors(void **state)
{
	struct db_holder holder;
	struct ath_err err = { 0 };
	struct ath_db *db;
	int64_t number;

	(void)state;
	db_store(db_path("text"), "just some text that is long enough to be looked at", 50);
	db = open_db(db_path("text"), ATH_DB_WRITE);
	assert_false(ath_db_query_int(db, "SELECT count(*) FROM sqlite_schema", &number, &err));
	assert_int_equal(err.code, ATH_ERR_DATABASE);
	assert_int_equal(ath_db_last_result(db), SQLITE_NOTADB);
	assert_non_null(strstr(err.msg, db_path("text")));
	ath_db_close(db);

	db_run(db_path("a"), "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
	holder = db_hold(db_path("a"), "BEGIN EXCLUSIVE");
	db = open_db(db_path("a"), ATH_DB_WRITE);
	ath_err_clear(&err);
	assert_false(ath_db_begin(db, &err));
	assert_int_equal(err.code, ATH_ERR_LOCKED);
	db_release(holder);
	ath_err_clear(&err);
	assert_false(ath_db_exec(db, "INSERT INTO t VALUES (1)", &err));
	assert_int_equal(err.code, ATH_ERR_DATABASE);
	ath_err_clear(&err);
	run(db, "PRAGMA max_page_count=3");
	assert_false(ath_db_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", &err));
	assert_int_equal(err.code, ATH_ERR_IO);
	assert_int_equal(err.errnum, ENOSPC);
	ath_err_clear(&err);
	assert_false(ath_db_query_int(db, "SELECT a FROM t WHERE 0", &number, &err));
	assert_int_equal(err.code, ATH_ERR_DATABASE);
	ath_db_close(db);

	ath_err_clear(&err);
	mkdir(db_path("folder"), 0700);
	assert_null(ath_db_open(db_path("folder"), ATH_DB_WRITE, 0, &err));
	assert_int_equal(err.code, ATH_ERR_IO);
}

static void statements_bind_run_and_return_rows(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);
	struct ath_stmt *insert, *select, *left;

	(void)state;
	run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER)");
	insert = ath_db_prepare(db, "INSERT INTO t (a, b) VALUES (?1, ?2) RETURNING id;\n", &err);
	assert_non_null(insert);
	for (int i = 1; i <= 3; i++) {
		if (i != 2)
			ath_stmt_bind_text(insert, 1, "it's");
		else
			ath_stmt_bind_text(insert, 1, NULL);
		ath_stmt_bind_int(insert, 2, INT64_MIN + i);
		assert_true(ath_stmt_run(insert, &err));
		assert_int_equal(ath_db_last_id(db), i);
	}
	assert_true(ath_stmt_run(insert, &err)); /* the bindings are gone */
	select = ath_db_prepare(db, "SELECT a, b FROM t ORDER BY id", &err);
	left = ath_db_prepare(db, "SELECT 1", &err);
	assert_true(left && ath_stmt_next(left, &err)); /* the close releases it */
	assert_true(ath_stmt_next(select, &err));
	assert_string_equal(ath_stmt_text(select, 0), "it's");
	assert_true(ath_stmt_int(select, 1) == INT64_MIN + 1);
	assert_true(ath_stmt_next(select, &err));
	assert_null(ath_stmt_text(select, 0));
	ath_stmt_reset(select);
	for (int i = 0; i < 4; i++)
		assert_true(ath_stmt_next(select, &err));
	assert_false(ath_stmt_next(select, &err));
	assert_int_equal(err.code, ATH_ERR_OK);
	assert_true(ath_stmt_next(select, &err)); /* begins anew */
	ath_stmt_free(insert);
	ath_stmt_free(NULL);
	assert_null(ath_db_prepare(db, "SELECT * FROM nowhere", &err));
	assert_int_equal(err.code, ATH_ERR_DATABASE);
	ath_db_close(db);
}

static void transactions_commit_and_roll_back(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);

	(void)state;
	run(db, "CREATE TABLE t (a)");
	assert_true(ath_db_begin(db, &err));
	run(db, "INSERT INTO t VALUES (1)");
	ath_db_rollback(db);
	ath_db_rollback(db);
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 0);
	assert_true(ath_db_begin(db, &err));
	run(db, "INSERT INTO t VALUES (1)");
	assert_true(ath_db_commit(db, &err));
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1);
	assert_false(ath_db_commit(db, &err));
	ath_db_close(db);
}

static void endless_statement_ends_where_time_is_limited(void **state)
{
	struct ath_err err = { 0 };
	struct ath_db *db = open_db(db_path("own"), ATH_DB_OWN);
	int64_t number;

	(void)state;
	ath_db_limit_time(db, 20);
	assert_false(ath_db_query_int(db,
				      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n)"
				      " SELECT count(*) FROM n",
				      &number, &err));
	assert_int_equal(err.code, ATH_ERR_TIMEOUT);
	ath_err_clear(&err);
	ath_db_limit_time(db, 0);
	assert_true(ath_db_query_int(db, "SELECT 7", &number, &err));
	assert_int_equal(number, 7);
	ath_db_close(db);
}

static void identifiers_are_quoted(void **state)
{
	static const char *const rows[][2] = {
		{ "a", "\"a\"" },
		{ "", "\"\"" },
		{ "a\"b", "\"a\"\"b\"" },
		{ "'; --", "\"'; --\"" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct ath_str text = { 0 };

		ath_db_put_identifier(&text, rows[i][0]);
		assert_string_equal(ath_str_get(&text), rows[i][1]);
		ath_str_fini(&text);
	}
}

/* 0: read; else the error's code. */
static int read_own(void)
{
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(db_path("own"), ATH_DB_OWN_READ, 0, &err);
	int64_t number = 0;

	if (db && ath_db_query_int(db, "SELECT count(*) FROM t", &number, &err) && number != 1)
		return 98;
	ath_db_close(db);
	return (int)err.code;
}

static int write_theirs(void)
{
	struct ath_err err = { 0 };

	ath_db_close(ath_db_open(db_path("own"), ATH_DB_WRITE, 0, &err));
	return (int)err.code;
}

static void own_database_is_read_in_a_folder_that_is_not_writable(void **state)
{
	struct db_bytes before;

	(void)state;
	ath_db_close(open_db(db_path("own"), ATH_DB_OWN));
	db_run(db_path("own"),
	       "CREATE TABLE t (a); INSERT INTO t VALUES (1)"); /* removes the WAL */
	chmod(db_path("own"), 0444);
	chmod(db_root, 0555);
	before = db_load(db_path("own"));
	assert_int_not_equal(access(db_path("own-wal"), F_OK), 0);
	assert_int_equal(db_as_nobody(read_own), ATH_ERR_OK);
	assert_int_equal(db_as_nobody(write_theirs), ATH_ERR_IO);
	assert_true(db_is_same(before, db_path("own")));

	chmod(db_root, 0755);
	chmod(db_path("own"), 0644);
	db_crash(db_path("own"), "DELETE FROM t; INSERT INTO t VALUES (2)");
	chmod(db_root, 0555);
	assert_int_equal(db_as_nobody(read_own), ATH_ERR_OK); /* through the WAL: -shm is there */
	unlink(db_path("own-shm"));
	assert_int_equal(db_as_nobody(read_own), ATH_ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(own_database_is_private_whatever_the_umask),
		db_test(own_database_has_its_settings),
		db_test(own_wal_is_checkpointed_by_a_close_only_when_it_is_large),
		db_test(only_own_databases_are_created),
		db_test(names_that_mean_something_to_sqlite_are_plain_files),
		db_test(read_mode_writes_nothing_and_runs_no_views),
		db_test(write_mode_is_defensive),
		db_test(result_codes_become_errors),
		db_test(statements_bind_run_and_return_rows),
		db_test(transactions_commit_and_roll_back),
		db_test(endless_statement_ends_where_time_is_limited),
		cmocka_unit_test(identifiers_are_quoted),
		db_test(own_database_is_read_in_a_folder_that_is_not_writable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
