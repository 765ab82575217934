/* SPDX-License-Identifier: MIT */
/*
 * recipe/bind: a section of the recipe by its table, and what a misspelt word was meant to be.
 */
#ifndef ATH_RECIPE_BIND_H
#define ATH_RECIPE_BIND_H

#include "base/field.h"

/*
 * As ath_field_bind, but a key that resembles a known one is reported with that one.
 * Fails with: ATH_ERR_RECIPE (positioned).
 */
ATH_NODISCARD bool ath_bind_section(const struct ath_field *fields, const struct ath_value *map,
				    const char *what, struct ath_arena *arena, void *config,
				    struct ath_err *err);

/* The known word that `word` was probably meant to be (at most two slips away), or NULL. */
const char *ath_bind_closest(const char *word, const char *const *known, size_t len);

#endif
