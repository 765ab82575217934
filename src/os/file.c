/* SPDX-License-Identifier: MIT */
/*
 * os/file: files read within limits, and files and folders written durably.
 *
 * A new file: temporary name beside it, bytes, mode, fsync, one rename that does not replace, fsync
 * of the folder. Whoever looks in between sees the old state or the new one, never half a file under
 * its real name.
 */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"
#include "os/temporary.h"

enum {
	DEPTH_MAX = 256,      /* of a tree that is removed; each level holds a descriptor */
	ENTRIES_MAX = 100000, /* of a folder that is listed */
};

/* Magic numbers of file systems, from statfs(2). */
#define NFS_MAGIC  0x6969
#define SMB_MAGIC  0x517B
#define CIFS_MAGIC 0xFF534D42
#define SMB2_MAGIC 0xFE534D42
#define CEPH_MAGIC 0x00C36400
#define AFS_MAGIC  0x5346414F
#define V9FS_MAGIC 0x01021997
#define FUSE_MAGIC 0x65735546

enum ath_file_kind ath_file_kind(const char *path)
{
	struct stat facts;

	if (stat(path, &facts))
		return ATH_FILE_ABSENT;
	if (S_ISREG(facts.st_mode))
		return ATH_FILE_REGULAR;
	return S_ISDIR(facts.st_mode) ? ATH_FILE_FOLDER : ATH_FILE_OTHER;
}

/* Append at most `limit` bytes; a file may grow while it is read, so its size is not trusted. */
static bool read_within(int fd, const char *path, size_t limit, struct ath_str *out,
			struct ath_err *err)
{
	size_t before = out->len;
	char bytes[16384];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0 && (size_t)got <= limit - (out->len - before)) {
			ath_str_add(out, bytes, (size_t)got);
			continue;
		}
		if (got < 0)
			(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot read '%s'", path);
		else
			(void)ath_err_set(err, ATH_ERR_LIMIT, "'%s' is larger than %zu bytes", path,
					  limit);
		out->len = before;
		if (out->data)
			out->data[before] = '\0';
		return false;
	}
	return true;
}

bool ath_file_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

bool ath_file_read(const char *path, size_t limit, struct ath_str *out, struct ath_err *err)
{
	/* O_NONBLOCK: a FIFO under this name must not hang us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool is_read;

	if (fd < 0)
		return ath_err_sys(
			err, errno == ENOENT || errno == ENOTDIR ? ATH_ERR_NOT_FOUND : ATH_ERR_IO,
			errno, "cannot open '%s'", path);
	is_read = read_within(fd, path, limit, out, err);
	close(fd);
	return is_read;
}

char *ath_file_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ath_mem_strdup(".");
	return slash == path ? ath_mem_strdup("/") : ath_mem_strndup(path, (size_t)(slash - path));
}

char *ath_file_join(const char *folder, const char *path)
{
	struct ath_str whole = { 0 };
	const char *parts[2] = { *path == '/' ? "" : folder, path };

	if (*parts[0] == '/' || *path == '/')
		ath_str_putc(&whole, '/');
	for (size_t i = 0; i < 2; i++) {
		for (const char *at = parts[i]; *at;) {
			size_t len = strcspn(at, "/");

			if (len > 1 || (len == 1 && *at != '.')) {
				if (whole.len && whole.data[whole.len - 1] != '/')
					ath_str_putc(&whole, '/');
				ath_str_add(&whole, at, len);
			}
			at += len + (at[len] == '/');
		}
	}
	if (!whole.len)
		ath_str_putc(&whole, '.');
	return ath_str_steal(&whole);
}

char *ath_file_resolve(const char *path, struct ath_err *err)
{
	char *whole = realpath(path, NULL), *parent, *folder;
	const char *slash = strrchr(path, '/');
	bool has_parent = slash && slash != path;

	if (whole)
		return whole;
	if (errno != ENOENT || (slash && !slash[1])) {
		(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot resolve the path '%s'", path);
		return NULL;
	}
	parent = ath_file_parent(path);
	folder = has_parent ? ath_file_resolve(parent, err) : realpath(parent, NULL);
	if (folder)
		whole = ath_file_join(folder, slash ? slash + 1 : path);
	free(folder);
	free(parent);
	return whole;
}

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

	if (chmod(path, mode & ~read_umask()) != 0)
		errnum = errno;
	if (!errnum && geteuid() == 0 &&
	    (stat(folder, &st) != 0 || lchown(path, st.st_uid, st.st_gid) != 0))
		errnum = errno;
	free(folder);
	return !errnum ||
	       ath_err_sys(err, ATH_ERR_IO, errnum, "cannot set owner and mode of '%s'", path);
}

bool ath_file_sync(const char *path, struct ath_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int errnum = fd < 0 || fsync(fd) ? errno : 0;

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
		ssize_t put = write(fd, bytes, len);

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

	unlink(file->name);
	ath_temporary_fini(file);
	errno = errnum;
}

/* A synced file under a temporary name beside `path`. */
static bool write_temporary(const char *path, const void *bytes, size_t len, mode_t mode,
			    struct ath_temporary *out, struct ath_err *err)
{
	if (!ath_temporary_make(path, out))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make a file beside '%s'", path);
	if (write_all(out->fd, bytes, len) && !fchmod(out->fd, mode) && !fsync(out->fd))
		return true;
	drop(out);
	return ath_err_sys(err, ATH_ERR_IO, errno, "cannot write '%s'", path);
}

/*
 * Rename, never replacing. Where the file system cannot (EINVAL), a file gets its second name by
 * link, which does not replace either; a folder, of which there is no second name, by a look first.
 */
static int rename_new(const char *from, const char *to)
{
	struct stat facts;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (lstat(from, &facts) == 0 && S_ISDIR(facts.st_mode)) {
		if (lstat(to, &facts) == 0) {
			errno = EEXIST;
			return -1;
		}
		return rename(from, to);
	}
	return link(from, to) || unlink(from) ? -1 : 0;
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
	return write_file(path, bytes, len, mode, rename, err);
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
	if (mkdir(path, is_last ? 0700 : 0755)) {
		if (errno == EEXIST && ath_file_kind(path) == ATH_FILE_FOLDER)
			return true;
		if (errno == EEXIST)
			return ath_err_set(err, ATH_ERR_EXISTS, "'%s' exists and is no folder",
					   path);
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make the folder '%s'", path);
	}
	if (is_last && chmod(path, mode))
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

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
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
		status = unlinkat(at, name, AT_REMOVEDIR);
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

static bool is_network(unsigned long type)
{
	return type == NFS_MAGIC || type == SMB_MAGIC || type == CIFS_MAGIC || type == SMB2_MAGIC ||
	       type == CEPH_MAGIC || type == AFS_MAGIC || type == V9FS_MAGIC;
}

bool ath_file_space(const char *path, struct ath_file_space *out, struct ath_err *err)
{
	char *at = ath_mem_strdup(path);
	struct statvfs room;
	struct statfs type;
	int errnum;

	while (ath_file_kind(at) == ATH_FILE_ABSENT && strcmp(at, "/") != 0 &&
	       strcmp(at, ".") != 0) {
		char *parent = ath_file_parent(at);

		free(at);
		at = parent;
	}
	errnum = statvfs(at, &room) || statfs(at, &type) ? errno : 0;
	free(at);
	if (errnum)
		return ath_err_sys(err, ATH_ERR_IO, errnum, "cannot measure the space at '%s'",
				   path);
	*out = (struct ath_file_space){
		.free_bytes = (uint64_t)room.f_bavail * room.f_frsize,
		.is_network = is_network((unsigned long)type.f_type & 0xffffffffUL),
		.is_fuse = ((unsigned long)type.f_type & 0xffffffffUL) == FUSE_MAGIC,
		.is_readonly = room.f_flag & ST_RDONLY,
	};
	return true;
}

bool ath_file_can_write(const char *folder)
{
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

static int64_t in_ns(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

bool ath_file_stamp(const char *path, struct ath_file_stamp *out)
{
	struct stat facts;

	if (stat(path, &facts))
		return false;
	*out = (struct ath_file_stamp){
		.dev = facts.st_dev,
		.ino = facts.st_ino,
		.size = (uint64_t)facts.st_size,
		.mtime_ns = in_ns(facts.st_mtim),
		.ctime_ns = in_ns(facts.st_ctim),
		.mode = facts.st_mode,
	};
	return true;
}

struct entry {
	char *name; /* owned */
	bool is_folder;
};

static int compare_entries(const void *one, const void *other)
{
	return strcmp(((const struct entry *)one)->name, ((const struct entry *)other)->name);
}

static bool is_folder_entry(int folder_fd, const struct dirent *entry)
{
	struct stat facts;

	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(folder_fd, entry->d_name, &facts, 0) == 0 && S_ISDIR(facts.st_mode);
}

bool ath_file_list(const char *folder, ath_file_entry_fn *fn, void *user, struct ath_err *err)
{
	ATH_VEC(struct entry) entries = { 0 };
	DIR *stream = opendir(folder);
	bool is_listed = true, goes_on = true;
	struct dirent *found;

	if (!stream)
		return ath_err_sys(
			err, errno == ENOENT || errno == ENOTDIR ? ATH_ERR_NOT_FOUND : ATH_ERR_IO,
			errno, "cannot list the folder '%s'", folder);
	while (is_listed && (errno = 0, found = readdir(stream))) {
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		*ath_vec_push(&entries) = (struct entry){ ath_mem_strdup(found->d_name),
							  is_folder_entry(dirfd(stream), found) };
		if (entries.len > ENTRIES_MAX)
			is_listed = ath_err_set(err, ATH_ERR_LIMIT, "'%s' has more than %d entries",
						folder, ENTRIES_MAX);
	}
	if (is_listed && errno)
		is_listed =
			ath_err_sys(err, ATH_ERR_IO, errno, "cannot list the folder '%s'", folder);
	closedir(stream);
	if (entries.len)
		qsort(entries.items, entries.len, sizeof(*entries.items), compare_entries);
	ath_vec_each (&entries, entry) {
		goes_on = goes_on && is_listed && fn(user, entry->name, entry->is_folder);
		free(entry->name);
	}
	ath_vec_fini(&entries);
	return is_listed;
}
