/* SPDX-License-Identifier: MIT */
/*
 * os/file: files and folders made, replaced and removed durably.
 *
 * A new file: temporary name beside it, bytes, mode, fsync, one rename that does not replace, fsync
 * of the folder. Whoever looks in between sees the old state or the new one, never half a file under
 * its real name.
 */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "os/temporary.h"

enum {
	DEPTH_MAX = 256, /* of a tree that is removed; each level holds a descriptor */
};

/* The umask without setting it, which other threads would see (proc(5), /proc/self/status). */
static mode_t read_umask(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned mask = 077;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	}
	if (file)
		fclose(file);
	return (mode_t)mask;
}

bool ath_file_adopt(const char *path, mode_t mode, struct ath_err *err)
{
	char *folder = ath_file_parent(path);
	struct stat st;
	int errnum = 0;

	if (ATH_ACT(FILE_MODE, path, chmod(path, mode & ~read_umask())) != 0)
		errnum = errno;
	if (!errnum && geteuid() == 0 &&
	    (stat(folder, &st) != 0 || lchown(path, st.st_uid, st.st_gid) != 0))
		errnum = errno;
	free(folder);
	return !errnum ||
	       ath_err_sys(err, ATH_ERR_IO, errnum, "cannot set owner and mode of '%s'", path);
}

bool ath_file_give(const char *path, mode_t mode, uid_t uid, gid_t gid, struct ath_err *err)
{
	if ((geteuid() == 0 && lchown(path, uid, gid)) ||
	    ATH_ACT(FILE_MODE, path, chmod(path, mode)))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot set owner and mode of '%s'",
				   path);
	return true;
}

bool ath_file_sync(const char *path, struct ath_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int errnum = fd < 0 || ATH_ACT(FILE_SYNC, path, fsync(fd)) ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (errnum)
		return ath_err_sys(err, ATH_ERR_IO, errnum, "cannot make '%s' durable", path);
	return true;
}

bool ath_file_sync_parent(const char *path, struct ath_err *err)
{
	char *parent = ath_file_parent(path);
	bool is_synced = ath_file_sync(parent, err);

	free(parent);
	return is_synced;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = ATH_ACT(FILE_WRITE, NULL, write(fd, bytes, len));

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
	return true;
}

/* Close the file, which is of no use any more; errno is kept. */
static void drop(struct ath_temporary *file)
{
	int errnum = errno;

	(void)ATH_ACT(FILE_UNLINK, file->name, unlink(file->name)); /* else swept later */
	ath_temporary_fini(file);
	errno = errnum;
}

/* A synced file under a temporary name beside `path`. */
static bool write_temporary(const char *path, const void *bytes, size_t len, mode_t mode,
			    struct ath_temporary *out, struct ath_err *err)
{
	if (!ath_temporary_make(path, out))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make a file beside '%s'", path);
	if (write_all(out->fd, bytes, len) && !ATH_ACT(FILE_MODE, path, fchmod(out->fd, mode)) &&
	    !ATH_ACT(FILE_SYNC, path, fsync(out->fd)))
		return true;
	drop(out);
	return ath_err_sys(err, ATH_ERR_IO, errno, "cannot write '%s'", path);
}

static int rename_over(const char *from, const char *to)
{
	return ATH_ACT(FILE_RENAME, to, rename(from, to));
}

/*
 * Rename, never replacing. Where the file system cannot (EINVAL), a file gets its second name by
 * link, which does not replace either; a folder, of which there is no second name, by a look first.
 */
static int rename_new(const char *from, const char *to)
{
	struct stat facts;

	if (ATH_ACT(FILE_RENAME, to, renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)) ==
	    0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (lstat(from, &facts) == 0 && S_ISDIR(facts.st_mode)) {
		if (lstat(to, &facts) == 0) {
			errno = EEXIST;
			return -1;
		}
		return rename_over(from, to);
	}
	return ATH_ACT(FILE_LINK, to, link(from, to)) || ATH_ACT(FILE_UNLINK, from, unlink(from))
		       ? -1
		       : 0;
}

static bool fail_to_place(const char *to, struct ath_err *err)
{
	if (errno == EEXIST)
		return ath_err_set(err, ATH_ERR_EXISTS, "'%s' exists already", to);
	return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make '%s'", to);
}

static bool write_file(const char *path, const void *bytes, size_t len, mode_t mode,
		       int (*put)(const char *from, const char *to), struct ath_err *err)
{
	struct ath_temporary file;

	if (!write_temporary(path, bytes, len, mode, &file, err))
		return false;
	if (put(file.name, path)) {
		drop(&file);
		return fail_to_place(path, err);
	}
	ath_temporary_fini(&file);
	return ath_file_sync_parent(path, err);
}

bool ath_file_create(const char *path, const void *bytes, size_t len, mode_t mode,
		     struct ath_err *err)
{
	return write_file(path, bytes, len, mode, rename_new, err);
}

bool ath_file_replace(const char *path, const void *bytes, size_t len, mode_t mode,
		      struct ath_err *err)
{
	return write_file(path, bytes, len, mode, rename_over, err);
}

static bool sync_both_parents(const char *one, const char *other, struct ath_err *err)
{
	return ath_file_sync_parent(one, err) && ath_file_sync_parent(other, err);
}

bool ath_file_put_into_place(const char *from, const char *to, struct ath_err *err)
{
	if (rename_new(from, to))
		return fail_to_place(to, err);
	return sync_both_parents(to, from, err);
}

/* One part of ath_file_make_folders; `is_last` decides on the mode. */
static bool make_folder(const char *path, bool is_last, mode_t mode, struct ath_err *err)
{
	if (ATH_ACT(FOLDER_MAKE, path, mkdir(path, is_last ? 0700 : 0755))) {
		if (errno == EEXIST && ath_file_kind(path) == ATH_FILE_FOLDER)
			return true;
		if (errno == EEXIST)
			return ath_err_set(err, ATH_ERR_EXISTS, "'%s' exists and is no folder",
					   path);
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make the folder '%s'", path);
	}
	if (is_last && ATH_ACT(FILE_MODE, path, chmod(path, mode)))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot set the mode of '%s'", path);
	return ath_file_sync_parent(path, err);
}

bool ath_file_make_folders(const char *path, mode_t mode, struct ath_err *err)
{
	char *whole = ath_file_join("", path);
	bool is_made = true;

	for (char *slash = strchr(whole + 1, '/'); is_made && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		is_made = make_folder(whole, false, mode, err);
		*slash = '/';
	}
	is_made = is_made && make_folder(whole, true, mode, err);
	free(whole);
	return is_made;
}

/* Remove `name` in the folder `at`; a folder is entered by descriptor, never through a link. */
static int remove_at(int at, const char *name, int depth)
{
	int fd, status = 0;
	struct dirent *entry;
	DIR *folder;

	if (ATH_ACT(FILE_UNLINK, name, unlinkat(at, name, 0)) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || depth >= DEPTH_MAX) {
		errno = depth >= DEPTH_MAX ? ELOOP : errno;
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)fchmod(fd, 0700); /* caches with read-only folders; if it fails, unlinkat will tell */
	folder = fdopendir(fd);
	while (status == 0 && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = remove_at(fd, entry->d_name, depth + 1);
	if (status == 0)
		status = ATH_ACT(FOLDER_REMOVE, name, unlinkat(at, name, AT_REMOVEDIR));
	depth = errno;
	closedir(folder);
	errno = depth;
	return status;
}

bool ath_file_remove_tree(const char *path, struct ath_err *err)
{
	if (remove_at(AT_FDCWD, path, 0))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot remove '%s'", path);
	return true;
}
