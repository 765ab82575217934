/* SPDX-License-Identifier: MIT */
/*
 * recipe/own: the operator's own steps, the section `steps:` of a recipe.
 */
#ifndef ATH_RECIPE_OWN_H
#define ATH_RECIPE_OWN_H

#include "base/value.h"
#include "recipe/recipe.h"

/* Keys of one own step, for the manual. */
extern const struct ath_field ath_own_fields[];

/*
 * Read the section into recipe->steps, in the order of the text.
 *
 * That the needs exist is checked here, at the place of each need; cycles are left to plan/graph.
 * Fails with: ATH_ERR_RECIPE (positioned).
 */
ATH_NODISCARD bool ath_own_read(const struct ath_value *section, struct ath_recipe *recipe,
				struct ath_err *err);

#endif
