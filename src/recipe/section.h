/* SPDX-License-Identifier: MIT */
/*
 * recipe/section: the sections of a recipe, from `python:` to `steps:`.
 *
 * A section that is left out keeps the defaults of the recipe; nothing here looks at files.
 */
#ifndef ATH_RECIPE_SECTION_H
#define ATH_RECIPE_SECTION_H

#include "base/value.h"
#include "recipe/recipe.h"

/*
 * Read a section into the recipe; texts are borrowed from it.
 * Fails with: ATH_ERR_RECIPE (positioned).
 */
typedef bool ath_section_fn(const struct ath_value *section, struct ath_recipe *recipe,
			    struct ath_err *err);

struct ath_section {
	const char *name;               /* key at the top level */
	const struct ath_field *fields; /* of the section, or of each entry of `steps` */
	ath_section_fn *read;
};

/* Every section; ends with a NULL name. */
extern const struct ath_section ath_sections[];

/* The section with that name, or NULL. */
const struct ath_section *ath_section_find(const char *name);

#endif
