/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/recipe_tree: a source tree in a temporary folder, for the tests of the recipe layer.
 */
#ifndef ATH_TESTS_RECIPE_TREE_H
#define ATH_TESTS_RECIPE_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file of a tree; a path with a slash at its end is a folder. */
struct tree_file {
	const char *path; /* NULL ends a list */
	const char *text;
};

static inline int tree_remove_one(const char *path, const struct stat *found, int type,
				  struct FTW *place)
{
	(void)found, (void)type, (void)place;
	return remove(path);
}

/* Fill `root` (at least 64 bytes) with the path of a new, empty folder. */
static inline void tree_make(char *root)
{
	snprintf(root, 64, "/tmp/athanor-recipe-XXXXXX");
	if (!mkdtemp(root))
		abort();
}

static inline void tree_remove(const char *root)
{
	nftw(root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_put(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(full, 0700);
	}
	if (full[strlen(full) - 1] == '/')
		return;
	file = fopen(full, "w");
	if (!file || fputs(text ? text : "", file) < 0 || fclose(file) != 0)
		abort();
}

static inline void tree_fill(const char *root, const struct tree_file *files)
{
	for (; files->path; files++)
		tree_put(root, files->path, files->text);
}

#endif
