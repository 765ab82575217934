/* SPDX-License-Identifier: MIT */
/* recipe/walk: the folders of a source tree, level by level. */
#include "recipe/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/vec.h"

typedef ATH_VEC(const char *) paths;

static const char *const skipped[] = {
	"node_modules", "build", "dist",     "test",        "tests",         "example",
	"examples",     "docs",  "fixtures", "__pycache__", "site-packages",
};

static bool is_skipped(const char *name)
{
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (strcmp(skipped[i], name) == 0)
			return true;
	}
	return name[0] == '.';
}

/* A name that cannot be written into a recipe is not offered. */
static bool is_clean(const char *name)
{
	struct ath_str clean = { 0 };
	bool is_same;

	ath_str_put_clean(&clean, name, strlen(name));
	is_same = strcmp(ath_str_get(&clean), name) == 0;
	ath_str_fini(&clean);
	return is_same;
}

static bool is_folder(int parent, const struct dirent *entry)
{
	char mark[sizeof(entry->d_name) + sizeof("/pyvenv.cfg")];
	struct stat found;

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return false;
	if (is_skipped(entry->d_name) || !is_clean(entry->d_name))
		return false;
	if (fstatat(parent, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(found.st_mode))
		return false;
	snprintf(mark, sizeof(mark), "%s/pyvenv.cfg", entry->d_name);
	return faccessat(parent, mark, F_OK, 0) != 0;
}

const char *ath_walk_join(struct ath_arena *arena, const char *folder, const char *name)
{
	if (strcmp(folder, ".") == 0)
		return ath_arena_strdup(arena, name);
	return ath_arena_printf(arena, "%s/%s", folder, name);
}

const char *ath_walk_folder(struct ath_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? ath_arena_strndup(arena, path, (size_t)(slash - path)) : ".";
}

static DIR *open_folder(const struct ath_walk *walk, const char *folder)
{
	bool is_root = strcmp(folder, ".") == 0;
	struct ath_str full = { 0 };
	DIR *dir = NULL;
	int fd;

	ath_str_printf(&full, "%s/%s", walk->root, folder);
	fd = open(ath_str_get(&full),
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_root ? 0 : O_NOFOLLOW));
	ath_str_fini(&full);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static bool list_below(struct ath_walk *walk, DIR *dir, const char *folder, paths *out,
		       struct ath_err *err)
{
	const struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (!walk->entries_left--)
			return ath_err_set(
				err, ATH_ERR_LIMIT,
				"looked at too many files below '%.300s' without finding "
				"the Alembic project: name it in athanor.yaml, key "
				"database.alembic",
				walk->root);
		if (is_folder(dirfd(dir), entry))
			*ath_vec_push(out) = ath_walk_join(walk->arena, folder, entry->d_name);
	}
	return true;
}

static int compare_paths(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

bool ath_walk_below(struct ath_walk *walk, const struct ath_texts *level,
		    struct ath_texts *out_level, struct ath_err *err)
{
	paths found = { 0 };
	bool is_done = true;
	const char **items;

	for (size_t i = 0; i < level->len && is_done; i++) {
		DIR *dir = open_folder(walk, level->items[i]);

		if (!dir && strcmp(level->items[i], ".") == 0)
			is_done = ath_err_sys(err, ATH_ERR_IO, errno, "read folder '%.300s'",
					      walk->root);
		if (!dir)
			continue;
		is_done = list_below(walk, dir, level->items[i], &found, err);
		closedir(dir);
	}
	if (is_done) {
		items = ath_arena_new(walk->arena, found.len + 1, sizeof(*items));
		if (found.len)
			memcpy(items, found.items, found.len * sizeof(*items));
		qsort(items, found.len, sizeof(*items), compare_paths);
		*out_level = (struct ath_texts){ items, found.len };
	}
	ath_vec_fini(&found);
	return is_done;
}
