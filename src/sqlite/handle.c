/* SPDX-License-Identifier: MIT */
/*
 * sqlite/handle: opens and closes databases, and turns SQLite's result codes into errors.
 *
 * Our own database is closed without a checkpoint as long as its WAL is small, since a run in which
 * nothing was to be done must not wait for the disk. SQLite recovers such a WAL at the next open,
 * which costs a read of it; hence the limit.
 */
#include "sqlite/handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"
#include "sqlite/failing_vfs.h"
#include "sqlite/handle_parts.h"

enum {
	WAL_LEFT_BYTES = 1024 * 1024, /* of our own WAL that a close leaves to the next open */
	CLOCK_STEPS = 10000,          /* of SQLite's machine between two looks at the clock */
	WAIT_MS = 20,                 /* between two tries for a lock, the first ones less */
	LIST_NAME = 0,                /* columns of PRAGMA function_list */
	LIST_FLAGS = 5,
};

static const int open_flags[] = {
	[ATH_DB_READ] = SQLITE_OPEN_READONLY,
	[ATH_DB_WRITE] = SQLITE_OPEN_READWRITE,
	[ATH_DB_OWN] = SQLITE_OPEN_READWRITE,
	[ATH_DB_OWN_READ] = SQLITE_OPEN_READONLY,
};
static_assert(sizeof(open_flags) / sizeof(open_flags[0]) == ATH_DB_MODE_COUNT_, "one per mode");

static enum ath_err_code code_of(int result)
{
	switch (result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ATH_ERR_LOCKED;
	case SQLITE_CANTOPEN:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return ATH_ERR_IO;
	case SQLITE_TOOBIG:
		return ATH_ERR_LIMIT;
	case SQLITE_INTERRUPT:
		return ATH_ERR_TIMEOUT;
	default:
		return ATH_ERR_DATABASE;
	}
}

static bool is_wanted(const struct ath_db *db)
{
	return !db->is_wanted || db->is_wanted(db->wanted_by);
}

bool ath_db_fail(struct ath_db *db, int result, struct ath_err *err, const char *what)
{
	int errnum = sqlite3_system_errno(db->raw);

	assert(result != SQLITE_OK);
	db->last_result = result;
	if (!is_wanted(db) &&
	    ((result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_INTERRUPT))
		return ath_err_set(err, ATH_ERR_CANCELLED, "%s '%s': called off", what, db->path);
	switch (result & 0xff) {
	case SQLITE_BUSY:
		return ath_err_set(err, ATH_ERR_LOCKED, "%s '%s': another process holds it", what,
				   db->path);
	case SQLITE_CANTOPEN:
		if (access(db->path, F_OK) && (errno == ENOENT || errno == ENOTDIR))
			return ath_err_sys(err, ATH_ERR_NOT_FOUND, ENOENT, "%s '%s'", what,
					   db->path);
		/* fall through */
	case SQLITE_IOERR:
		if (errnum)
			return ath_err_sys(err, ATH_ERR_IO, errnum, "%s '%s'", what, db->path);
		break;
	case SQLITE_FULL:
		return ath_err_sys(err, ATH_ERR_IO, ENOSPC, "%s '%s'", what, db->path);
	default:
		break;
	}
	return ath_err_set(err, code_of(result), "%s '%s': %s", what, db->path,
			   sqlite3_errcode(db->raw) == SQLITE_OK ? sqlite3_errstr(result)
								 : sqlite3_errmsg(db->raw));
}

int ath_db_last_result(const struct ath_db *db)
{
	return db->last_result;
}

/* A new file gets its mode here, as SQLite would let the umask decide. */
static bool create_own(const char *path, struct ath_err *err)
{
	int fd = ATH_FAIL(DB_CREATE, path)
			 ? -1
			 : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_fine;

	if (fd < 0 && errno == EEXIST)
		return true;
	if (fd < 0)
		return ath_err_sys(err, errno == ENOENT ? ATH_ERR_NOT_FOUND : ATH_ERR_IO, errno,
				   "cannot create database '%s'", path);
	is_fine = !fchmod(fd, 0600);
	if (!is_fine)
		ath_err_sys(err, ATH_ERR_IO, errno, "cannot set the mode of '%s'", path);
	close(fd); /* nobody has locked what has only just come into being */
	return is_fine;
}

/* SQLite may be built to read names as URIs (Debian's is), and knows ":memory:": no name that
 * begins with a slash or a dot is either. */
static bool open_raw(struct ath_db *db, const char *name, int flags, struct ath_err *err)
{
	int result;

	sqlite3_close(db->raw);
	db->raw = NULL;
	result = sqlite3_open_v2(name, &db->raw,
				 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
					 SQLITE_OPEN_EXRESCODE,
				 ATH_DB_VFS);
	return result == SQLITE_OK || ath_db_fail(db, result, err, "cannot open database");
}

static void configure(struct ath_db *db, int verb, int value)
{
	int result = sqlite3_db_config(db->raw, verb, value, NULL);

	assert(result == SQLITE_OK);
	(void)result; /* only an unknown verb can fail: meson.build asks for a new enough library */
}

/*
 * Some releases of SQLite (3.40 is one) take their own JSON functions for unsafe: with an untrusted
 * schema, a database that has an index over json_extract() is "malformed" to them. The list of
 * functions is read without a look at the file.
 */
static bool has_unsafe_json(struct ath_db *db)
{
	sqlite3_stmt *stmt = NULL;
	bool is_unsafe = false;

	if (sqlite3_prepare_v2(db->raw, "PRAGMA function_list", -1, &stmt, NULL) != SQLITE_OK)
		return false;
	while (!is_unsafe && sqlite3_step(stmt) == SQLITE_ROW)
		is_unsafe = ath_str_is((const char *)sqlite3_column_text(stmt, LIST_NAME),
				       "json_extract") &&
			    !(sqlite3_column_int(stmt, LIST_FLAGS) & SQLITE_INNOCUOUS);
	sqlite3_finalize(stmt);
	return is_unsafe;
}

static bool set_up_theirs(struct ath_db *db, struct ath_err *err)
{
	configure(db, SQLITE_DBCONFIG_DEFENSIVE, 1);
	configure(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, has_unsafe_json(db));
	configure(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
	if (db->mode == ATH_DB_READ) {
		sqlite3_limit(db->raw, SQLITE_LIMIT_ATTACHED, 0);
		configure(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0);
		configure(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0);
		configure(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
	} else if (sqlite3_db_readonly(db->raw, "main")) {
		db->last_result = SQLITE_READONLY;
		return ath_err_sys(err, ATH_ERR_IO, access(db->path, W_OK) ? errno : EACCES,
				   "cannot open database '%s' for writing", db->path);
	}
	return ath_db_exec(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", err);
}

static bool set_up_own(struct ath_db *db, struct ath_err *err)
{
	char *mode;
	bool is_wal;

	configure(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1);
	configure(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
	if (!ath_db_query_text(db, "PRAGMA journal_mode=WAL", &mode, err))
		return false;
	is_wal = ath_str_is(mode, "wal");
	free(mode);
	if (!is_wal)
		return ath_err_set(err, ATH_ERR_IO, "cannot set database '%s' to WAL mode",
				   db->path);
	return ath_db_exec(db, "PRAGMA synchronous=FULL", err);
}

static uint64_t wal_bytes(const struct ath_db *db)
{
	struct ath_str name = { 0 };
	struct stat st;
	uint64_t bytes = 0;

	ath_str_printf(&name, "%s-wal", db->path);
	if (!stat(ath_str_get(&name), &st))
		bytes = (uint64_t)st.st_size;
	ath_str_fini(&name);
	return bytes;
}

static bool reopen_immutable(struct ath_db *db, const char *name, struct ath_err *err)
{
	struct ath_str uri = { 0 };
	bool is_open;

	ath_str_puts(&uri, "file:");
	for (const char *at = name; *at; at++) {
		if (strchr("%?#", *at))
			ath_str_printf(&uri, "%%%02X", (unsigned char)*at);
		else
			ath_str_putc(&uri, *at);
	}
	ath_str_puts(&uri, "?immutable=1");
	is_open = open_raw(db, ath_str_get(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
	ath_str_fini(&uri);
	return is_open;
}

/*
 * A WAL database cannot be read without its -shm, and where the folder is not writable none can be
 * made. If there is no WAL either, the main file is all there is and may be read as it stands. Only
 * for our own database, whose folder is closed to others; never for the user's.
 */
static bool set_up_own_read(struct ath_db *db, const char *name, struct ath_err *err)
{
	int result = sqlite3_exec(db->raw, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);

	if (result == SQLITE_OK)
		return true;
	if ((result & 0xff) != SQLITE_CANTOPEN && result != SQLITE_READONLY_DIRECTORY)
		return ath_db_fail(db, result, err, "cannot read database");
	if (wal_bytes(db)) {
		db->last_result = result;
		return ath_err_set(err, ATH_ERR_IO,
				   "cannot read database '%s': it has a WAL and its folder is not "
				   "writable",
				   db->path);
	}
	return reopen_immutable(db, name, err);
}

static bool set_up(struct ath_db *db, const char *name, struct ath_err *err)
{
	switch ((enum ath_db_mode)db->mode) {
	case ATH_DB_READ:
	case ATH_DB_WRITE:
		return set_up_theirs(db, err);
	case ATH_DB_OWN:
		return set_up_own(db, err);
	case ATH_DB_OWN_READ:
		return set_up_own_read(db, name, err);
	case ATH_DB_MODE_COUNT_:
		break;
	}
	abort();
}

struct ath_db *ath_db_open(const char *path, enum ath_db_mode mode, unsigned busy_ms,
			   struct ath_err *err)
{
	struct ath_str name = { 0 };
	struct ath_db *db;
	bool is_open;

	assert((unsigned)mode < ATH_DB_MODE_COUNT_);
	if (mode == ATH_DB_OWN && !create_own(path, err))
		return NULL;
	db = ath_mem_new(1, sizeof(*db));
	db->path = ath_mem_strdup(path);
	db->mode = (int)mode;
	db->busy_ms = busy_ms;
	ath_str_printf(&name, "%s%s", path[0] == '/' ? "" : "./", path);
	is_open = open_raw(db, ath_str_get(&name), open_flags[mode], err);
	if (is_open)
		sqlite3_busy_timeout(db->raw, (int)(busy_ms < INT32_MAX ? busy_ms : INT32_MAX));
	is_open = is_open && set_up(db, ath_str_get(&name), err);
	ath_str_fini(&name);
	if (is_open)
		return db;
	ath_db_close(db);
	return NULL;
}

void ath_db_close(struct ath_db *db)
{
	int result;

	if (!db)
		return;
	while (db->first)
		ath_stmt_free(db->first);
	if (db->raw && db->mode == ATH_DB_OWN && wal_bytes(db) > WAL_LEFT_BYTES)
		configure(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0);
	result = sqlite3_close(db->raw);
	assert(result == SQLITE_OK);
	(void)result; /* busy only while a statement or a backup is left, which is a bug */
	free(db->path);
	free(db);
}

const char *ath_db_path(const struct ath_db *db)
{
	return db->path;
}

static int must_stop(void *user)
{
	const struct ath_db *db = user;

	return !is_wanted(db) || (db->limit_ms && ath_time_elapsed_ms(db->since) > db->limit_ms);
}

static void look_at_the_clock(struct ath_db *db)
{
	bool is_looked_at = db->limit_ms || db->is_wanted;

	sqlite3_progress_handler(db->raw, is_looked_at ? CLOCK_STEPS : 0,
				 is_looked_at ? must_stop : NULL, db);
}

void ath_db_limit_time(struct ath_db *db, unsigned ms)
{
	db->since = ath_time_mono();
	db->limit_ms = ms;
	look_at_the_clock(db);
}

/* Called between two tries for a lock, `tries` of them so far; 0 gives up. */
static int wait_for_lock(void *user, int tries)
{
	struct ath_db *db = user;

	if (!tries)
		db->waiting = ath_time_mono();
	if (!is_wanted(db) || ath_time_elapsed_ms(db->waiting) >= db->busy_ms)
		return 0;
	usleep((useconds_t)(tries < WAIT_MS ? tries + 1 : WAIT_MS) * 1000);
	return 1;
}

void ath_db_watch(struct ath_db *db, ath_db_wanted_fn *wanted, void *user)
{
	db->is_wanted = wanted;
	db->wanted_by = user;
	sqlite3_busy_handler(db->raw, wait_for_lock, db);
	look_at_the_clock(db);
}

struct sqlite3 *ath_db_raw(struct ath_db *db)
{
	return db->raw;
}
