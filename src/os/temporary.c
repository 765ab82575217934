/* SPDX-License-Identifier: MIT */
/*
 * os/temporary: the names under which files are written before they get their own.
 *
 *	writer    make ── lock ── still there? ── write, sync, rename ── unlock
 *	sweeper                                 open ── lock ── still that file? ── remove ── unlock
 *
 * A name changes its file only under the lock of the file, on both sides. Between making and locking
 * a sweeper may come first: then the writer takes the next name.
 */
#include "os/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/file.h"

enum {
	TRIES = 1000, /* names that are taken, by whomever */
	STEM = 200,   /* bytes of the file's own name in a temporary name */
};

/* How many bytes of a path name the folder, with the slash at their end. */
static size_t folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* ---- what a killed writer left ---- */

/* "PID-N" */
static bool is_tail(const char *text)
{
	size_t pid = strspn(text, "0123456789");
	size_t number = text[pid] == '-' ? strspn(text + pid + 1, "0123456789") : 0;

	return pid && number && !text[pid + 1 + number];
}

/* Is the open file a regular one, and the one that the name means? */
static bool is_named(int fd, int folder, const char *name)
{
	struct stat open, named;

	return fstat(fd, &open) == 0 && S_ISREG(open.st_mode) &&
	       fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static void remove_if_left(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, folder, name))
		/* if it stays, the next writer tries again */
		(void)ATH_ACT(FILE_UNLINK, name, unlinkat(folder, name, 0));
	close(fd);
}

/* Remove what was left in the folder of `path` under names that begin with `head`. */
static void sweep(const char *path, const char *head)
{
	size_t len = folder_len(path);
	char *folder = len ? ath_mem_strndup(path, len) : ath_mem_strdup(".");
	DIR *stream = opendir(folder);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (ath_str_has_prefix(entry->d_name, head) &&
		    is_tail(entry->d_name + strlen(head)))
			remove_if_left(dirfd(stream), entry->d_name);
	if (stream) /* else the writer will tell that it cannot write there */
		closedir(stream);
	free(folder);
}

/* ---- a new one ---- */

/* Lock a file that has just been made, and see that no sweeper was first. */
static bool claim(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static bool make(const char *path, const char *head, struct ath_temporary *out)
{
	for (int n = 0; n < TRIES; n++) {
		struct ath_str name = { 0 };
		bool is_taken;
		int fd;

		ath_str_printf(&name, "%.*s%s%d-%d", (int)folder_len(path), path, head,
			       (int)getpid(), n);
		fd = open(ath_str_get(&name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  0600);
		if (fd >= 0 && claim(fd)) {
			*out = (struct ath_temporary){ ath_str_steal(&name), fd };
			return true;
		}
		is_taken = fd >= 0 || errno == EEXIST;
		if (fd >= 0)
			close(fd);
		ath_str_fini(&name);
		if (!is_taken)
			return false;
	}
	errno = EEXIST;
	return false;
}

bool ath_temporary_make(const char *path, struct ath_temporary *out)
{
	struct ath_str head = { 0 };
	bool is_made;
	int errnum;

	ath_str_printf(&head, ".%.*s.athanor-", STEM, path + folder_len(path));
	sweep(path, ath_str_get(&head));
	is_made = !ATH_FAIL(FILE_CREATE, path) && make(path, ath_str_get(&head), out);
	errnum = errno;
	ath_str_fini(&head);
	errno = errnum;
	return is_made;
}

/* ---- folders ---- */

/* A sweeper may have come between making and locking: then there is no such folder any more. */
static bool claim_folder(const char *name, int fd)
{
	struct stat open, named;

	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &open) == 0 && lstat(name, &named) == 0 && open.st_ino == named.st_ino &&
	       open.st_dev == named.st_dev;
}

bool ath_temporary_make_folder(const char *parent, const char *head, struct ath_temporary *out)
{
	for (int n = 0; n < TRIES; n++) {
		struct ath_str name = { 0 };
		char *path;
		int fd;

		ath_str_printf(&name, "%s/%sXXXXXX", parent, head);
		path = ath_str_steal(&name);
		if (!mkdtemp(path)) {
			free(path);
			return false;
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && claim_folder(path, fd)) {
			*out = (struct ath_temporary){ path, fd };
			return true;
		}
		if (fd >= 0)
			close(fd);
		free(path);
	}
	errno = EEXIST;
	return false;
}

static void remove_folder_if_left(int parent, const char *parent_path, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct ath_err ignored = { 0 }; /* it costs space only */
	struct stat st;
	char *path;

	if (fd < 0)
		return;
	path = ath_file_join(parent_path, name);
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    !ath_file_remove_tree(path, &ignored))
		ath_err_clear(&ignored);
	free(path);
	close(fd);
}

void ath_temporary_sweep_folders(const char *parent, const char *head)
{
	DIR *stream = opendir(parent);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (ath_str_has_prefix(entry->d_name, head) &&
		    strlen(entry->d_name) == strlen(head) + 6)
			remove_folder_if_left(dirfd(stream), parent, entry->d_name);
	if (stream)
		closedir(stream);
}

void ath_temporary_fini(struct ath_temporary *temporary)
{
	close(temporary->fd);
	free(temporary->name);
	*temporary = (struct ath_temporary){ .fd = -1 };
}
