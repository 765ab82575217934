/* SPDX-License-Identifier: MIT */
/*
 * recipe/discover: what a source tree says of itself.
 *
 * Looks at the root and at most three levels below; the shallowest Alembic project wins. Hidden
 * folders, virtual environments, results of builds, packages, tests and examples are not entered,
 * symbolic links to folders not followed. What is found is told in recipe->findings.
 */
#ifndef ATH_RECIPE_DISCOVER_H
#define ATH_RECIPE_DISCOVER_H

#include "recipe/recipe.h"

enum {
	ATH_DISCOVER_DEPTH = 5, /* levels below the root: src/NAME/server/database/alembic.ini */
	ATH_DISCOVER_ENTRIES = 20000, /* folder entries that are looked at */
};

/*
 * Fill a recipe that has its root and defaults and no text: Alembic, Python, Node, settings.
 * Fails with: ATH_ERR_NOT_FOUND (no Alembic project), ATH_ERR_RECIPE (more than one),
 * ATH_ERR_LIMIT, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_discover_recipe(struct ath_recipe *recipe, struct ath_err *err);

/*
 * Fill what a checked recipe left out and must have: database.alembic, and what python installs.
 * Fails as ath_discover_recipe.
 */
ATH_NODISCARD bool ath_discover_missing(struct ath_recipe *recipe, struct ath_err *err);

#endif
