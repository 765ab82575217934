/* SPDX-License-Identifier: MIT */
/*
 * steps/includes: requirements files with the files that they name by -r and -c.
 */
#ifndef ATH_STEPS_INCLUDES_H
#define ATH_STEPS_INCLUDES_H

#include "base/field.h"
#include "base/str.h"

/*
 * Append a line with path and SHA-256 for each file and for each that it includes, at any depth,
 * each once, at most 100 in all. Paths are relative to `root`; an include is relative to the file
 * that names it. Addresses (https://...) and names with variables are passed over.
 */
void ath_includes_put(const char *root, const struct ath_texts *files, struct ath_str *out);

#endif
