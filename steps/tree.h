/* SPDX-License-Identifier: MIT */
/*
 * steps/tree: walks the files below a folder, and tells files and folders apart by what they hold.
 *
 * Symbolic links are never followed. The order is the same in every walk.
 */
#ifndef ATH_STEPS_TREE_H
#define ATH_STEPS_TREE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/str.h"

enum {
	ATH_TREE_MOST = 50000, /* files that are looked at */
};

struct ath_tree_form {
	bool (*skips)(void *user, const char *path, bool is_folder); /* may be NULL */
	/* `path` is relative to the folder; links and everything else count as files. */
	void (*on_file)(void *user, const char *path, const struct stat *facts);
	void *user;
};

/* Call `on_file` for every file below; what cannot be read is passed over. */
void ath_tree_walk(const char *folder, const struct ath_tree_form *form);

/* Append a line that changes when the file's contents change: its path and their SHA-256. */
void ath_tree_put_file(const char *root, const char *path, struct ath_str *out);

/*
 * Append a line that changes when the file's contents change or, of a folder, the name, the size or
 * the time of any file below it that `form` does not skip (NULL: of all).
 */
void ath_tree_put_path(const char *root, const char *path,
		       bool (*skips)(void *user, const char *path, bool is_folder), void *user,
		       struct ath_str *out);

#endif
