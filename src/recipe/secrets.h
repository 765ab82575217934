/* SPDX-License-Identifier: MIT */
/*
 * recipe/secrets: which variables of an example of settings are secrets of the application's own.
 *
 * Only what is certain is named: a generated value in the place of a third party's key would hide
 * that the key is missing. So every word of the name must be one that applications use for keys of
 * their own, or be part of the application's name, and the value must be a placeholder.
 */
#ifndef ATH_RECIPE_SECRETS_H
#define ATH_RECIPE_SECRETS_H

#include "base/field.h"

/* The names, in the order of the example, in `arena`; `app` is the application's name. */
struct ath_texts ath_secrets_find(const char *example, const char *app, struct ath_arena *arena);

#endif
