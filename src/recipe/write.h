/* SPDX-License-Identifier: MIT */
/*
 * recipe/write: a recipe as the text of an athanor.yaml.
 */
#ifndef ATH_RECIPE_WRITE_H
#define ATH_RECIPE_WRITE_H

#include "base/str.h"
#include "recipe/recipe.h"

/* Append the text, with short comments; loaded again it gives an equal recipe. */
void ath_recipe_write(const struct ath_recipe *recipe, struct ath_str *out);

#endif
