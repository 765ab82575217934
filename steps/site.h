/* SPDX-License-Identifier: MIT */
/*
 * steps/site: what stands in a virtual environment's site-packages.
 */
#ifndef ATH_STEPS_SITE_H
#define ATH_STEPS_SITE_H

#include "base/hash.h"
#include "base/str.h"

/*
 * Remove what a killed installer left: folders whose name begins with '~', and the *.dist-info of
 * distributions whose files are not all there, so that the installer sees that they are missing.
 * Appends one line per removal to `out_names`. Blocks.
 */
ATH_NODISCARD bool ath_site_clean(const char *venv, struct ath_str *out_names, struct ath_err *err);

/* A hash of the names of what is installed (*.dist-info, *.egg-link, *.pth); false if it has none. */
bool ath_site_hash(const char *venv, char out_text[ATH_HASH_TEXT]);

/* Is a module or package of that name there? */
bool ath_site_has(const char *venv, const char *name);

#endif
