/* SPDX-License-Identifier: MIT */
/* recipe/files: do the files and folders that a recipe names exist? */
#include "recipe/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

/* Paths in the recipe that must be regular files. */
static const struct {
	const char *section, *key;
	const char *inside; /* the file is this one inside the named folder; or NULL */
} files[] = {
	{ "python", "requirements", NULL }, { "python", "project", "pyproject.toml" },
	{ "node", "dir", "package.json" },  { "env_file", "from", NULL },
	{ "database", "alembic", NULL },
};

static bool look(const struct ath_recipe *recipe, const char *path, bool wants_folder,
		 struct ath_pos pos, struct ath_err *err)
{
	const char *kind = wants_folder ? "folder" : "file";
	struct ath_str full = { 0 };
	struct stat found;
	int errnum;

	ath_str_printf(&full, "%s/%s", recipe->root, path);
	errnum = stat(ath_str_get(&full), &found) == 0 ? 0 : errno;
	ath_str_fini(&full);
	if (errnum == ENOENT || errnum == ENOTDIR)
		return ath_err_at(err, ATH_ERR_RECIPE, pos, "there is no %s '%s'", kind, path);
	if (errnum)
		return ath_err_at(err, ATH_ERR_RECIPE, pos, "look at %s '%s': %s", kind, path,
				  strerror(errnum));
	if (wants_folder ? S_ISDIR(found.st_mode) : S_ISREG(found.st_mode))
		return true;
	return ath_err_at(err, ATH_ERR_RECIPE, pos, "'%s' is not a %s", path, kind);
}

static bool look_for_file(const struct ath_recipe *recipe, const struct ath_value *path,
			  const char *inside, struct ath_err *err)
{
	struct ath_str whole = { 0 };
	bool is_there;

	if (inside && strcmp(path->text, ".") == 0)
		ath_str_puts(&whole, inside);
	else
		ath_str_printf(&whole, "%s%s%s", path->text, inside ? "/" : "",
			       inside ? inside : "");
	is_there = look(recipe, ath_str_get(&whole), false, path->pos, err);
	ath_str_fini(&whole);
	return is_there;
}

static bool check_files(const struct ath_value *tree, const struct ath_recipe *recipe,
			struct ath_err *err)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const struct ath_value *path =
			ath_value_find(ath_value_find(tree, files[i].section), files[i].key);
		bool is_list = path && path->kind == ATH_VALUE_LIST;

		for (const struct ath_value *one = is_list ? path->items : path; one;
		     one = is_list ? one->next : NULL) {
			if (!look_for_file(recipe, one, files[i].inside, err))
				return false;
		}
	}
	return true;
}

/* The folder of a command: the `in` of a map, if it has one. */
static bool check_folder(const struct ath_value *command, const struct ath_recipe *recipe,
			 struct ath_err *err)
{
	const struct ath_value *folder = ath_value_find(command, "in");

	if (!folder)
		return true;
	for (size_t i = 0; i < recipe->directories.len; i++) {
		if (strcmp(recipe->directories.items[i], folder->text) == 0)
			return true;
	}
	return look(recipe, folder->text, true, folder->pos, err);
}

bool ath_files_check(const struct ath_value *tree, const struct ath_recipe *recipe,
		     struct ath_err *err)
{
	const struct ath_value *steps = ath_value_find(tree, "steps");

	if (!check_files(tree, recipe, err) ||
	    !check_folder(ath_value_find(ath_value_find(tree, "database"), "init"), recipe, err))
		return false;
	for (const struct ath_value *step = steps ? steps->items : NULL; step; step = step->next) {
		if (!check_folder(step, recipe, err))
			return false;
	}
	return true;
}
