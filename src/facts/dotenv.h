/* SPDX-License-Identifier: MIT */
/*
 * facts/dotenv: reads a .env file: NAME=value lines as python-dotenv and docker compose take them.
 *
 * `export ` in front, comments, blank lines, single and double quotes (with \n, \", \\ inside double
 * quotes), and ` #` comments behind unquoted values are understood; ${...} is left as it is. Lines
 * that are none of this are passed over.
 */
#ifndef ATH_FACTS_DOTENV_H
#define ATH_FACTS_DOTENV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/pairs.h"

/* Add all variables of a text; later lines win. */
void ath_dotenv_read(const char *text, struct ath_pairs *out);

/*
 * Add all variables of a file. An absent file adds nothing and is fine.
 * Fails with: ATH_ERR_IO, ATH_ERR_LIMIT (over 1 MiB).
 */
ATH_NODISCARD bool ath_dotenv_load(const char *path, struct ath_pairs *out, struct ath_err *err);

#endif
