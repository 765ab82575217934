/* SPDX-License-Identifier: MIT */
/*
 * recipe/open: the recipe of a folder, from its athanor.yaml or from what is found (recipe/recipe).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "recipe/check.h"
#include "recipe/discover.h"
#include "recipe/files.h"
#include "recipe/load.h"
#include "recipe/recipe.h"

static const char file_name[] = "athanor.yaml"; /* positions may outlive a recipe: static */

/* Appends the file's bytes; a file that grows meanwhile meets the limit all the same. */
static bool read_bytes(int fd, struct ath_str *out_text, struct ath_err *err)
{
	char buffer[8192];
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		ath_str_add(out_text, buffer, (size_t)got);
		if (out_text->len > ATH_LOAD_BYTES)
			return ath_err_set(err, ATH_ERR_RECIPE, "'%s' is longer than %d KiB",
					   file_name, ATH_LOAD_BYTES / 1024);
	}
	return got == 0 || ath_err_sys(err, ATH_ERR_IO, errno, "read '%s'", file_name);
}

/* Sets `out_is_there` to false where there is no athanor.yaml. */
static bool read_text(const struct ath_recipe *recipe, struct ath_str *out_text, bool *out_is_there,
		      struct ath_err *err)
{
	int fd = open(recipe->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat found;
	bool is_read;

	*out_is_there = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return ath_err_sys(err, ATH_ERR_IO, errno, "open '%.300s'", recipe->path);
	if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
		is_read = ath_err_set(err, ATH_ERR_IO, "'%.300s' is not a regular file",
				      recipe->path);
	else
		is_read = read_bytes(fd, out_text, err);
	close(fd);
	return is_read;
}

/* A recipe under the other usual ending would be passed over in silence. */
static bool refuse_other_name(const struct ath_recipe *recipe, struct ath_err *err)
{
	struct ath_str other = { 0 };
	bool is_there;

	ath_str_printf(&other, "%s/athanor.yml", recipe->root);
	is_there = access(ath_str_get(&other), F_OK) == 0;
	ath_str_fini(&other);
	return !is_there || ath_err_set(err, ATH_ERR_RECIPE,
					"'athanor.yml' is not read: name it 'athanor.yaml'");
}

static bool read_recipe(struct ath_recipe *recipe, const struct ath_str *text, struct ath_err *err)
{
	const struct ath_load_source source = { ath_str_get(text), text->len, file_name };
	const struct ath_value *tree;

	return ath_load_text(&source, &recipe->arena, &tree, err) &&
	       ath_check_recipe(tree, recipe, err) && ath_files_check(tree, recipe, err) &&
	       ath_discover_missing(recipe, err);
}

static bool fill(struct ath_recipe *recipe, struct ath_str *out_text, struct ath_err *err)
{
	bool is_there;

	if (!read_text(recipe, out_text, &is_there, err))
		return false;
	if (is_there)
		return read_recipe(recipe, out_text, err);
	recipe->path = NULL;
	return refuse_other_name(recipe, err) && ath_discover_recipe(recipe, err);
}

bool ath_recipe_load(const char *root, struct ath_recipe *out_recipe, struct ath_str *out_text,
		     struct ath_err *err)
{
	struct ath_recipe recipe = { 0 };

	ath_str_reset(out_text);
	recipe.root = ath_arena_strdup(&recipe.arena, root);
	recipe.path = ath_arena_printf(&recipe.arena, "%s/%s", root, file_name);
	ath_check_defaults(&recipe);
	if (!fill(&recipe, out_text, err)) {
		ath_recipe_fini(&recipe);
		return false;
	}
	*out_recipe = recipe;
	return true;
}

void ath_recipe_fini(struct ath_recipe *recipe)
{
	ath_arena_fini(&recipe->arena);
	*recipe = (struct ath_recipe){ 0 };
}
