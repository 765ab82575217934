/* SPDX-License-Identifier: MIT */
/* sqlite/audit: what is read of a database, and which changes let it become the live one. */
#include "tests/unit/cmocka_all.h"

#include "sqlite/audit.h"
#include "tests/unit/db_files.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char shop[] =
	"PRAGMA foreign_keys=OFF; CREATE TABLE alembic_version (version_num TEXT);"
	"INSERT INTO alembic_version VALUES ('001');"
	"CREATE TABLE shelves (id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
	"INSERT INTO shelves VALUES (1, 'a'), (2, 'b');"
	"CREATE TABLE books (id INTEGER PRIMARY KEY, shelf REFERENCES shelves (id));"
	"INSERT INTO books VALUES (1, 1), (2, 2), (3, 9);";

static struct ath_audit audit_of(const char *name)
{
	struct ath_err err = { 0 };
	struct ath_audit audit;

	if (!ath_audit_read(db_path(name), "alembic_version", &audit, &err))
		fail_msg("%s", err.msg);
	return audit;
}

static void audit_reads_counts_faults_and_traits(void **state)
{
	struct ath_audit audit;

	(void)state;
	db_run(db_path("a"), shop);
	db_run(db_path("a"),
	       "CREATE TABLE \"it's \"\"x\"\"\" (a); INSERT INTO \"it's \"\"x\"\"\" VALUES (1);"
	       "CREATE VIEW v AS SELECT * FROM nowhere; CREATE VIRTUAL TABLE f USING fts5(a);"
	       "CREATE TABLE _alembic_tmp_books (id)");
	audit = audit_of("a");
	assert_true(audit.is_sound);
	assert_null(audit.fault);
	assert_int_equal(audit.foreign_key_faults, 1);
	assert_string_equal(audit.leftover, "_alembic_tmp_books");
	assert_int_equal(audit.page_size, 4096);
	assert_string_equal(audit.encoding, "UTF-8");
	assert_string_equal(audit.journal_mode, "delete");
	assert_int_equal(audit.tables_len, 9); /* five of them belong to the virtual table */
	assert_string_equal(audit.tables[0].name, "_alembic_tmp_books");
	assert_string_equal(audit.tables[1].name, "books");
	assert_int_equal(audit.tables[1].rows, 3);
	assert_string_equal(audit.tables[7].name, "it's \"x\"");
	assert_int_equal(audit.tables[7].rows, 1);
	assert_int_equal(audit.tables[8].rows, 2);
	ath_audit_fini(&audit);
	assert_null(audit.tables);
	ath_audit_fini(&audit);
}

static void changes_are_accepted_or_refused(void **state)
{
	static const struct {
		const char *name, *sql;
		enum ath_err_code code;
		const char *says;
	} rows[] = {
		{ "nothing", "", ATH_ERR_OK, "" },
		{ "a new table, a column and rows",
		  "CREATE TABLE n (a); ALTER TABLE books ADD c; INSERT INTO shelves VALUES (3, "
		  "'c')",
		  ATH_ERR_OK, "" },
		{ "a table dropped", "DROP TABLE books", ATH_ERR_OK, "" },
		{ "a table renamed in case only, with fewer rows",
		  "ALTER TABLE books RENAME TO x; ALTER TABLE x RENAME TO Books;"
		  "DELETE FROM books WHERE id = 1",
		  ATH_ERR_DECISION, "'books' has 2 rows instead of 3" },
		{ "a fault mended",
		  "DELETE FROM books WHERE id = 3; INSERT INTO books VALUES (4, 1)", ATH_ERR_OK,
		  "" },
		{ "rows of the version table", "DELETE FROM alembic_version", ATH_ERR_OK, "" },
		{ "rows lost", "DELETE FROM books WHERE id = 3; DELETE FROM shelves WHERE 0",
		  ATH_ERR_DECISION, "table 'books' has 2 rows instead of 3" },
		{ "rows lost twice", "DELETE FROM books; DELETE FROM shelves", ATH_ERR_DECISION,
		  "table 'books' has 0 rows instead of 3, table 'shelves' has 0" },
		{ "a new foreign key fault", "DELETE FROM shelves WHERE id = 1", ATH_ERR_VERIFY,
		  "2 foreign keys point nowhere, 1 did before" },
		{ "a parent that lost its key",
		  "CREATE TABLE p (a); CREATE TABLE c (a REFERENCES p (a)); INSERT INTO c VALUES "
		  "(1)",
		  ATH_ERR_VERIFY, "foreign keys" },
		{ "a table left over", "CREATE TABLE _alembic_tmp_x (a)", ATH_ERR_VERIFY,
		  "'_alembic_tmp_x' was left over" },
		{ "another page size", "PRAGMA page_size=8192; VACUUM", ATH_ERR_VERIFY,
		  "page size changed from 4096 to 8192" },
		{ "a row that an index does not know",
		  "PRAGMA writable_schema=ON; CREATE INDEX i ON books (shelf);"
		  "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
		  " WHERE name = 'sqlite_autoindex_shelves_1') WHERE name = 'i'",
		  ATH_ERR_VERIFY, "the new database is damaged" },
		{ "a schema that cannot be parsed",
		  "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE (('"
		  " WHERE name = 'books'",
		  ATH_ERR_VERIFY, "malformed database schema" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct ath_audit before, after;
		struct ath_err err = { 0 };

		unlink(db_path("before")), unlink(db_path("after"));
		db_run(db_path("before"), shop);
		db_run(db_path("after"), shop);
		db_run(db_path("after"), rows[i].sql);
		before = audit_of("before"), after = audit_of("after");
		if (ath_audit_compare(&before, &after, &err) != (rows[i].code == ATH_ERR_OK) ||
		    err.code != rows[i].code || !strstr(err.msg, rows[i].says))
			fail_msg("%s: %s: %s", rows[i].name, ath_err_name(err.code), err.msg);
		ath_audit_fini(&before);
		ath_audit_fini(&after);
	}
}

static void other_encoding_and_earlier_damage_are_refused(void **state)
{
	struct ath_audit before, after;
	struct ath_err err = { 0 };
	struct db_bytes bytes;

	(void)state;
	db_run(db_path("before"), shop);
	db_run(db_path("after"), "PRAGMA encoding='UTF-16le'; CREATE TABLE t (a)");
	before = audit_of("before"), after = audit_of("after");
	assert_false(ath_audit_compare(&before, &after, &err));
	assert_int_equal(err.code, ATH_ERR_VERIFY);
	assert_non_null(strstr(err.msg, "encoding"));
	ath_audit_fini(&before);

	bytes = db_load(db_path("before"));
	memset(bytes.data + bytes.len - 4096, 0xff, 4096); /* rows of books */
	db_store(db_path("before"), bytes.data, bytes.len);
	free(bytes.data);
	before = audit_of("before");
	assert_false(before.is_sound);
	ath_err_clear(&err);
	assert_false(ath_audit_compare(&before, &after, &err));
	assert_non_null(strstr(err.msg, "damaged before"));
	ath_audit_fini(&before);
	ath_audit_fini(&after);
}

static void audit_tells_failures_from_findings(void **state)
{
	struct ath_err err = { 0 };
	struct ath_audit audit;

	(void)state;
	assert_false(ath_audit_read(db_path("none"), "alembic_version", &audit, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
	db_store(db_path("text"), "some text", 9);
	audit = audit_of("text");
	assert_false(audit.is_sound);
	assert_non_null(strstr(audit.fault, "not a database"));
	ath_audit_fini(&audit);
	db_store(db_path("zero"), "", 0);
	audit = audit_of("zero");
	assert_true(audit.is_sound);
	assert_int_equal(audit.tables_len, 0);
	ath_audit_fini(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(audit_reads_counts_faults_and_traits),
		db_test(changes_are_accepted_or_refused),
		db_test(other_encoding_and_earlier_damage_are_refused),
		db_test(audit_tells_failures_from_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
