/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/db_generations: one database before and after a migration, and the judgement which of
 * the two a file is. Anything that is neither is torn.
 */
#ifndef ATH_TESTS_DB_GENERATIONS_H
#define ATH_TESTS_DB_GENERATIONS_H

#include "tests/unit/db_files.h"

enum generation {
	GENERATION_OLD,
	GENERATION_NEW,
	GENERATION_TORN,
	GENERATION_COUNT_
};

/* About 1.3 MB of rows that say which generation they are of; the new one is larger. */
static inline void generation_make(const char *path, enum generation which, const char *mode)
{
	char sql[600];

	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode=%s; BEGIN; CREATE TABLE alembic_version (version_num TEXT);"
		 "INSERT INTO alembic_version VALUES ('%s');"
		 "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT%s); CREATE INDEX i ON t (body);"
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " INSERT INTO t (body) SELECT printf('%s%%.*c%%d', 1500, 'x', i) FROM n; COMMIT;",
		 mode, which == GENERATION_OLD ? "001" : "002",
		 which == GENERATION_OLD ? "" : ", more INT", which == GENERATION_OLD ? 400 : 500,
		 which == GENERATION_OLD ? "old" : "new");
	db_run(path, sql);
}

static inline enum generation generation_of(const char *path)
{
	static const char what[] =
		"SELECT (SELECT group_concat(version_num) FROM alembic_version) || ' ' || count(*)"
		" || ' ' || sum(body LIKE 'old%') || ' ' || sum(body LIKE 'new%') || ' '"
		" || (SELECT count(*) FROM pragma_table_info('t')) FROM t NOT INDEXED";

	if (strcmp(db_ask(path, "PRAGMA integrity_check", NULL), "ok"))
		return GENERATION_TORN;
	if (!strcmp(db_ask(path, what, NULL), "001 400 400 0 2"))
		return GENERATION_OLD;
	return strcmp(db_ask(path, what, NULL), "002 500 0 500 3") ? GENERATION_TORN
								   : GENERATION_NEW;
}

#endif
