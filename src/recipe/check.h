/* SPDX-License-Identifier: MIT */
/*
 * recipe/check: what a tree of values means as a recipe.
 *
 * Looks at the text alone; whether the named files exist is recipe/files' question. One table of
 * fields per section makes the check and the manual.
 */
#ifndef ATH_RECIPE_CHECK_H
#define ATH_RECIPE_CHECK_H

#include "base/value.h"
#include "recipe/recipe.h"

/* The version of the format that this program reads. */
#define ATH_CHECK_FORMAT "1"

/* Keys of the top level, for the manual. */
extern const struct ath_field ath_check_fields[];

/* Fill what is true of every recipe: the name of its folder, the usual places. */
void ath_check_defaults(struct ath_recipe *recipe);

/*
 * Fill a recipe that has its root and its defaults; texts are borrowed from the tree, which lives
 * in the recipe's arena too.
 * Fails with: ATH_ERR_RECIPE (positioned).
 */
ATH_NODISCARD bool ath_check_recipe(const struct ath_value *tree, struct ath_recipe *recipe,
				    struct ath_err *err);

#endif
