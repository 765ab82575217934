/* SPDX-License-Identifier: MIT */
/*
 * facts/target: which database an application's settings name, and how those settings are made to
 * name another file.
 */
#ifndef ATH_FACTS_TARGET_H
#define ATH_FACTS_TARGET_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "os/environ.h"

/*
 * Append the URL that a recipe names, with its variables replaced. `out_from_variable`: the whole
 * URL came from a variable, so a relative path in it means what the application takes it for.
 * Fails with: ATH_ERR_RECIPE (a variable that is not set and has no default).
 */
ATH_NODISCARD bool ath_target_expand(const char *written, const struct ath_environ *environment,
				     struct ath_str *out, bool *out_from_variable,
				     struct ath_err *err);

/* Where relative paths may start from, and what is to be replaced by what. */
struct ath_target_redirect {
	const char *live;       /* absolute, without links */
	const char *clone;      /* absolute */
	const char *written;    /* the recipe's URL, or NULL */
	const char *folders[3]; /* relative paths are tried from here; NULL: none */
};

/*
 * Let every variable whose value is the live file, or a SQLite URL of it, name the clone (net 1 of
 * ALEMBIC.md 12), and the variable that is the recipe's whole URL, too.
 */
void ath_target_apply(struct ath_environ *environment, const struct ath_target_redirect *redirect);

/*
 * Append the names and values of the variables that may decide which database is opened: those of
 * `hints` (the text of env.py, say) that are set, and those whose names speak of databases.
 */
void ath_target_put_variables(const struct ath_environ *environment, const char *hints,
			      struct ath_str *out);

#endif
