/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/db_files: database files in a temporary folder, whole or as a crash leaves them.
 *
 * SQLite shares what it knows of locks inside a process, so whatever plays another process is forked
 * before the test opens the file.
 */
#ifndef ATH_TESTS_DB_FILES_H
#define ATH_TESTS_DB_FILES_H

#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char db_root[64];

static inline int db_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline int db_set_up(void **state)
{
	(void)state;
	snprintf(db_root, sizeof(db_root), "/tmp/athanor-db-XXXXXX");
	return mkdtemp(db_root) ? chmod(db_root, 0755) : -1;
}

static inline int db_tear_down(void **state)
{
	(void)state;
	chmod(db_root, 0755);
	return nftw(db_root, db_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The test itself is in trouble. */
static inline void db_give_up(const char *what)
{
	perror(what);
	abort();
}

/* Path of a file in the test's folder; valid for eight calls. */
static inline const char *db_path(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", db_root, name);
	return path;
}

struct db_bytes {
	char *data; /* owned; NULL: no such regular file */
	size_t len;
};

static inline struct db_bytes db_load(const char *path)
{
	struct db_bytes bytes = { 0 };
	struct stat st;
	FILE *file;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return bytes;
	bytes.len = (size_t)st.st_size;
	bytes.data = malloc(bytes.len + 1);
	file = fopen(path, "r");
	if (!bytes.data || !file || fread(bytes.data, 1, bytes.len, file) != bytes.len)
		db_give_up(path);
	fclose(file);
	return bytes;
}

static inline void db_store(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file))
		db_give_up(path);
}

/* Does the file still have these bytes? Releases them. */
static inline bool db_is_same(struct db_bytes before, const char *path)
{
	struct db_bytes now = db_load(path);
	bool is_same = !before.data == !now.data && before.len == now.len &&
		       (!now.data || !memcmp(before.data, now.data, now.len));

	free(before.data);
	free(now.data);
	return is_same;
}

static inline sqlite3 *db_run_open(const char *path, const char *sql)
{
	sqlite3 *raw;
	char *message = NULL;

	if (sqlite3_open(path, &raw) != SQLITE_OK ||
	    sqlite3_exec(raw, sql, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", path, message ? message : sqlite3_errmsg(raw));
		abort();
	}
	return raw;
}

/* Run statements on a file, which is created if missing. */
static inline void db_run(const char *path, const char *sql)
{
	sqlite3_close(db_run_open(path, sql));
}

/* First value of a query, or "" and `out_result` set; one static buffer. */
static inline const char *db_ask(const char *path, const char *sql, int *out_result)
{
	static char answer[256];
	sqlite3_stmt *stmt = NULL;
	sqlite3 *raw;
	int result = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE, NULL);

	answer[0] = '\0';
	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	if (result == SQLITE_ROW && sqlite3_column_text(stmt, 0))
		snprintf(answer, sizeof(answer), "%s", sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
	if (out_result)
		*out_result = result;
	return answer;
}

/* Run statements in a process that then dies without closing: a WAL or a hot journal stays. */
static inline void db_crash(const char *path, const char *sql)
{
	pid_t pid = fork();

	if (!pid) {
		db_run_open(path, sql);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
}

/* A database whose last write was interrupted after it had reached the main file. */
static inline void db_make_hot(const char *path)
{
	db_run(path, "CREATE TABLE t (body TEXT); CREATE TABLE alembic_version (version_num TEXT);"
		     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
		     " INSERT INTO t SELECT printf('old%.*c', 500, 'x') FROM n");
	db_crash(path,
		 "PRAGMA cache_size=2; BEGIN; UPDATE t SET body = replace(body, 'old', 'new')");
}

/* A process that holds the file by some statements until it is released. */
struct db_holder {
	pid_t pid;
	int release; /* closing it ends the process */
};

static inline struct db_holder db_hold(const char *path, const char *sql)
{
	struct db_holder holder;
	int ready[2], release[2];
	char byte;

	if (pipe(ready) || pipe(release))
		db_give_up("pipe");
	holder.pid = fork();
	if (!holder.pid) {
		close(release[1]), close(ready[0]);
		db_run_open(path, sql);
		if (write(ready[1], "", 1) != 1 || read(release[0], &byte, 1) < 0)
			abort();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		db_give_up(path);
	close(ready[0]), close(release[0]);
	holder.release = release[1];
	return holder;
}

static inline void db_release(struct db_holder holder)
{
	close(holder.release);
	waitpid(holder.pid, NULL, 0);
}

/* Run `check` as an account that is not root and owns nothing here; its result. */
static inline int db_as_nobody(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(99);
		_exit(check());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define db_test(name) cmocka_unit_test_setup_teardown(name, db_set_up, db_tear_down)

#endif
