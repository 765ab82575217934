/* SPDX-License-Identifier: MIT */
/*
 * recipe/files: do the files and folders that a recipe names exist?
 */
#ifndef ATH_RECIPE_FILES_H
#define ATH_RECIPE_FILES_H

#include "base/value.h"
#include "recipe/recipe.h"

/*
 * Look for everything that must be there before the first step; `tree` is the checked text.
 *
 * A folder in which a command runs may also be one that the recipe creates (`directories`).
 * Fails with: ATH_ERR_RECIPE (at the place of the path).
 */
ATH_NODISCARD bool ath_files_check(const struct ath_value *tree, const struct ath_recipe *recipe,
				   struct ath_err *err);

#endif
