/* SPDX-License-Identifier: MIT */
/*
 * recipe/expand: replaces ${NAME} and ${NAME:-default} in a value; $$ is a dollar.
 *
 * Nothing else of a shell's syntax has a meaning; a default is not expanded again.
 */
#ifndef ATH_RECIPE_EXPAND_H
#define ATH_RECIPE_EXPAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Value of a variable, borrowed until the next call, or NULL if it is not set. */
typedef const char *ath_expand_fn(void *user, const char *name);

/*
 * Append the expanded text. An empty value counts as not set where a default is given.
 * Fails with: ATH_ERR_RECIPE (a lone dollar, an open brace, a variable that is not set and has no
 * default; position `pos`, column moved to the fault).
 */
ATH_NODISCARD bool ath_expand(const char *text, struct ath_pos pos, ath_expand_fn *lookup,
			      void *user, struct ath_str *out, struct ath_err *err);

/* Is the syntax right? As ath_expand, without values. */
ATH_NODISCARD bool ath_expand_check(const char *text, struct ath_pos pos, struct ath_err *err);

#endif
