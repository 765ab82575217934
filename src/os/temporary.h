/* SPDX-License-Identifier: MIT */
/*
 * os/temporary: the names under which files are written before they get their own.
 *
 * A temporary name stands beside the file it is for: ".NAME.athanor-PID-N". Its writer holds the lock
 * (flock) of it until the end, and the kernel lets go of a lock when its holder dies, however that
 * came. So whoever gets the lock of such a name has found what a killed writer left, and removes it.
 * Where a file system knows no locks, nothing is taken for left over.
 */
#ifndef ATH_OS_TEMPORARY_H
#define ATH_OS_TEMPORARY_H

#include <stdbool.h>

/* A file under a temporary name. */
struct ath_temporary {
	char *name; /* owned */
	int fd;     /* owned; open for writing, and holds the lock */
};

/*
 * Remove what killed writers of `path` left beside it, then make a new, empty file there with mode
 * 0600. On false errno tells why.
 */
bool ath_temporary_make(const char *path, struct ath_temporary *out);

/*
 * Make a private folder (0700) in `parent`, named "HEAD" and six letters, and hold its lock; `fd` is the
 * folder's. On false errno tells why.
 */
bool ath_temporary_make_folder(const char *parent, const char *head, struct ath_temporary *out);

/* Remove the folders of that head in `parent` that belong to this user and that nobody holds any more. */
void ath_temporary_sweep_folders(const char *parent, const char *head);

/* Let go of the file, once it has its own name or none any more. */
void ath_temporary_fini(struct ath_temporary *temporary);

#endif
