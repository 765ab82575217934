/* SPDX-License-Identifier: MIT */
/* sqlite/pages: reads through SQLITE_FCNTL_FILE_POINTER and masks. */
#include "sqlite/pages.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	BUFFER_BYTES = 256 * 1024,
};

#define LOCK_PAGE_START UINT64_C(0x40000000)

static const struct {
	uint64_t start, end; /* end: the byte behind */
} masked[] = { { 18, 20 }, { 24, 28 }, { 40, 44 }, { 92, 100 } };

/* Zero what of the file's bytes `start` to `end` is in the buffer. */
static void blank(uint64_t offset, char *bytes, size_t len, uint64_t start, uint64_t end)
{
	uint64_t first = start > offset ? start : offset;
	uint64_t last = end < offset + len ? end : offset + len;

	if (first < last)
		memset(bytes + (first - offset), 0, (size_t)(last - first));
}

void ath_pages_mask(uint64_t offset, void *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		blank(offset, bytes, len, masked[i].start, masked[i].end);
}

static sqlite3_file *file_of(struct ath_db *db)
{
	sqlite3_file *file = NULL;

	sqlite3_file_control(ath_db_raw(db), "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (!file || !file->pMethods)
		abort(); /* a database that is open has a file */
	return file;
}

/* How much of the file is the database: what a truncation left behind that failed is none of it. */
static bool find_end(struct ath_db *db, int64_t *out_page_size, sqlite3_int64 *size,
		     struct ath_err *err)
{
	int64_t count;

	if (!ath_db_query_int(db, "PRAGMA page_size", out_page_size, err) ||
	    !ath_db_query_int(db, "PRAGMA page_count", &count, err))
		return false;
	if (*size > count * *out_page_size)
		*size = count * *out_page_size;
	return true;
}

bool ath_pages_read(struct ath_db *db, bool is_masked, ath_pages_fn *on_bytes, void *user,
		    struct ath_err *err)
{
	sqlite3_file *file = file_of(db);
	int64_t page_size = 0;
	sqlite3_int64 size;
	bool is_wanted = true;
	uint64_t offset = 0;
	char *buffer;
	int result = file->pMethods->xFileSize(file, &size);

	if (result != SQLITE_OK)
		return ath_db_fail(db, result, err, "cannot read database");
	if (is_masked && !find_end(db, &page_size, &size, err))
		return false;
	buffer = ath_mem_new(1, BUFFER_BYTES);
	while (is_wanted && result == SQLITE_OK && offset < (uint64_t)size) {
		uint64_t left = (uint64_t)size - offset;
		int len = left < BUFFER_BYTES ? (int)left : BUFFER_BYTES;

		result = file->pMethods->xRead(file, buffer, len, (int64_t)offset);
		if (result != SQLITE_OK)
			break;
		if (is_masked) {
			ath_pages_mask(offset, buffer, (size_t)len);
			blank(offset, buffer, (size_t)len, LOCK_PAGE_START,
			      LOCK_PAGE_START + (uint64_t)page_size);
		}
		is_wanted = on_bytes(user, offset, buffer, (size_t)len);
		offset += (uint64_t)len;
	}
	free(buffer);
	if (!is_wanted)
		return ath_err_set(err, ATH_ERR_CANCELLED, "reading database '%s' was called off",
				   ath_db_path(db));
	return result == SQLITE_OK || ath_db_fail(db, result, err, "cannot read database");
}

static bool is_wal(struct ath_db *db, bool *out_is, struct ath_err *err)
{
	char *mode;

	if (!ath_db_query_text(db, "PRAGMA journal_mode", &mode, err))
		return false;
	*out_is = ath_str_is(mode, "wal");
	free(mode);
	return true;
}

/* A read takes the lock, which the transaction then keeps. */
static bool lock(struct ath_db *db, struct ath_err *err)
{
	bool has_wal;

	if (!ath_db_exec(db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", err) ||
	    !is_wal(db, &has_wal, err))
		return false;
	return !has_wal ||
	       ath_err_set(err, ATH_ERR_DATABASE,
			   "cannot read the pages of '%s': it is in WAL mode", ath_db_path(db));
}

bool ath_pages_read_file(const char *path, ath_pages_fn *on_bytes, void *user, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_READ, 0, err);
	bool is_read = db && lock(db, err) && ath_pages_read(db, true, on_bytes, user, err);

	if (db)
		ath_db_rollback(db);
	ath_db_close(db);
	return is_read;
}
