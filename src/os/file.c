/* SPDX-License-Identifier: MIT */
/* os/file: what is there, read within limits. */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"

enum {
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
	struct stat facts;
	int errnum;

	while (ath_file_kind(at) == ATH_FILE_ABSENT && strcmp(at, "/") != 0 &&
	       strcmp(at, ".") != 0) {
		char *parent = ath_file_parent(at);

		free(at);
		at = parent;
	}
	errnum = statvfs(at, &room) || statfs(at, &type) || stat(at, &facts) ? errno : 0;
	free(at);
	if (errnum)
		return ath_err_sys(err, ATH_ERR_IO, errnum, "cannot measure the space at '%s'",
				   path);
	*out = (struct ath_file_space){
		.free_bytes = (uint64_t)room.f_bavail * room.f_frsize,
		.dev = facts.st_dev,
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

bool ath_file_is_own(const char *folder)
{
	struct stat facts;

	return lstat(folder, &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == geteuid();
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
