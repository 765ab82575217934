/* SPDX-License-Identifier: MIT */
/*
 * os/file: files read within limits, and files and folders written durably.
 *
 * Durable means: written beside under a temporary name, synced, renamed, and the folder synced. What
 * a killed writer left under such a name is removed by the next one of the same file. Nothing here overwrites a file unless the function's name says so. Paths are followed as the
 * system does; the caller has checked where they come from.
 */
#ifndef ATH_OS_FILE_H
#define ATH_OS_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

enum ath_file_kind {
	ATH_FILE_ABSENT,
	ATH_FILE_REGULAR,
	ATH_FILE_FOLDER,
	ATH_FILE_OTHER,
	ATH_FILE_COUNT_
};

/* What is at `path`, after following symbolic links. A dangling link is ABSENT. */
enum ath_file_kind ath_file_kind(const char *path);

/* Is `path` itself a symbolic link? */
bool ath_file_is_link(const char *path);

/*
 * Append the file's contents to `out`.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT (more than `limit` bytes), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_file_read(const char *path, size_t limit, struct ath_str *out,
				 struct ath_err *err);

/*
 * Make a new file durably with mode `mode` (umask does not apply).
 * Fails with: ATH_ERR_EXISTS (there is one already; it is left alone), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_file_create(const char *path, const void *bytes, size_t len, mode_t mode,
				   struct ath_err *err);

/* As ath_file_create, replacing a file that is there. */
ATH_NODISCARD bool ath_file_replace(const char *path, const void *bytes, size_t len, mode_t mode,
				    struct ath_err *err);

/*
 * Make a folder and its missing parents with mode `mode` (umask does not apply to the last one;
 * parents get 0755). An existing folder is fine and keeps its mode.
 * Fails with: ATH_ERR_EXISTS (something else is there), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_file_make_folders(const char *path, mode_t mode, struct ath_err *err);

/*
 * Give a new file to whom its folder belongs (only root can, so nobody else tries), and let it have
 * the mode that the operator's umask leaves of `mode`.
 */
ATH_NODISCARD bool ath_file_adopt(const char *path, mode_t mode, struct ath_err *err);

/* Give a file exactly this mode and, which only root can, this owner. */
ATH_NODISCARD bool ath_file_give(const char *path, mode_t mode, uid_t uid, gid_t gid,
				 struct ath_err *err);

/* Make the file or folder itself durable. */
ATH_NODISCARD bool ath_file_sync(const char *path, struct ath_err *err);

/* Make durable that the entry `path` exists or has gone, by syncing its parent. */
ATH_NODISCARD bool ath_file_sync_parent(const char *path, struct ath_err *err);

/*
 * Give `from` the second name `to`, never overwriting, then remove the name `from`; both folders
 * synced. Same file system.
 * Fails with: ATH_ERR_EXISTS (`to` is there), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_file_put_into_place(const char *from, const char *to, struct ath_err *err);

/* Remove a file, or a folder with all it holds, without following links. Absent is fine. */
ATH_NODISCARD bool ath_file_remove_tree(const char *path, struct ath_err *err);

/* Absolute path without links of `path`, whose last parts need not exist; owned, NULL on failure. */
char *ath_file_resolve(const char *path, struct ath_err *err);

/* `folder` + "/" + `path`, or `path` alone if it is absolute; owned. "." parts are dropped. */
char *ath_file_join(const char *folder, const char *path);

/* The part before the last slash ("/" or "." where there is none); owned. */
char *ath_file_parent(const char *path);

/* Facts about the file system under `path` (or its nearest existing parent). */
struct ath_file_space {
	uint64_t free_bytes; /* for this user */
	uint64_t dev;        /* equal for all places that share these bytes */
	bool is_network;     /* NFS, CIFS, SMB */
	bool is_fuse;
	bool is_readonly;
};

/* Measure. Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_file_space(const char *path, struct ath_file_space *out,
				  struct ath_err *err);

/* May this user create files in the folder? */
bool ath_file_can_write(const char *folder);

/* Is `folder` itself, not what a link leads to, a folder that belongs to this user? */
bool ath_file_is_own(const char *folder);

/* Identity of a file's contents as far as stat tells: equal means unchanged for our purposes. */
struct ath_file_stamp {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
	uint32_t mode;
};

/* Take the stamp, following links; false if there is no such file. */
bool ath_file_stamp(const char *path, struct ath_file_stamp *out);

typedef bool ath_file_entry_fn(void *user, const char *name, bool is_folder);

/*
 * Call `fn` for each entry of a folder, sorted by name, without "." and ".."; `fn` returns false to
 * stop. Links count as what they point to.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT (more than 100,000 entries), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_file_list(const char *folder, ath_file_entry_fn *fn, void *user,
				 struct ath_err *err);

#endif
