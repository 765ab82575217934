/* SPDX-License-Identifier: MIT */
/*
 * sqlite/failing_vfs: SQLite's own file layer with a point before each call that changes a file.
 *
 * Behind a call there is none: it is the same moment as before the next one, and what a sync that
 * reports a failure has done is nothing that SQLite relies on.
 */
#include "sqlite/failing_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/failpoint.h"

/* As SQLite allocates it: our part, then the real file. */
struct failing_file {
	sqlite3_file base;
	const char *name; /* borrowed from SQLite, NULL: a temporary file without one */
	sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct failing_file *)file)->real;
}

static const char *name_of(sqlite3_file *file)
{
	return ((struct failing_file *)file)->name;
}

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* The result of a call that shall fail, by errno. */
static int result_of(int otherwise)
{
	return errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : otherwise;
}

static int do_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int do_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), bytes, len, offset);
}

static int do_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	if (ATH_FAIL(VFS_WRITE, name_of(file)))
		return result_of(SQLITE_IOERR_WRITE);
	return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, offset);
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (ATH_FAIL(VFS_TRUNCATE, name_of(file)))
		return result_of(SQLITE_IOERR_TRUNCATE);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int do_sync(sqlite3_file *file, int flags)
{
	if (ATH_FAIL(VFS_SYNC, name_of(file)))
		return result_of(SQLITE_IOERR_FSYNC);
	return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int do_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), out_size);
}

static int do_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int do_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int do_check_lock(sqlite3_file *file, int *out_is_reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out_is_reserved);
}

static int do_control(sqlite3_file *file, int verb, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), verb, argument);
}

static int do_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int do_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int do_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, out);
}

static int do_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void do_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int do_shm_unmap(sqlite3_file *file, int is_deleted)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), is_deleted);
}

/* Without memory mapping (xFetch), which we do not use. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = do_close,
	.xRead = do_read,
	.xWrite = do_write,
	.xTruncate = do_truncate,
	.xSync = do_sync,
	.xFileSize = do_size,
	.xLock = do_lock,
	.xUnlock = do_unlock,
	.xCheckReservedLock = do_check_lock,
	.xFileControl = do_control,
	.xSectorSize = do_sector,
	.xDeviceCharacteristics = do_traits,
	.xShmMap = do_shm_map,
	.xShmLock = do_shm_lock,
	.xShmBarrier = do_shm_barrier,
	.xShmUnmap = do_shm_unmap,
};

static int do_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		   int *out_flags)
{
	struct failing_file *failing = (struct failing_file *)file;
	int result;

	failing->base.pMethods = NULL;
	failing->name = name;
	failing->real = (sqlite3_file *)(failing + 1);
	if ((flags & SQLITE_OPEN_CREATE) && ATH_FAIL(VFS_OPEN, name))
		return result_of(SQLITE_CANTOPEN);
	result = real_vfs(vfs)->xOpen(real_vfs(vfs), name, failing->real, flags, out_flags);
	if (failing->real->pMethods)
		failing->base.pMethods = &methods;
	return result;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	if (ATH_FAIL(VFS_DELETE, name))
		return result_of(SQLITE_IOERR_DELETE);
	return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_folder);
}

static sqlite3_vfs layer;

static void make_layer(void)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	layer = *real;
	layer.zName = "athanor-failing";
	layer.pAppData = real;
	layer.szOsFile = (int)sizeof(struct failing_file) + real->szOsFile;
	layer.xOpen = do_open;
	layer.xDelete = do_delete;
	sqlite3_vfs_register(&layer, 0);
}

const char *ath_failing_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_layer);
	return layer.zName;
}
