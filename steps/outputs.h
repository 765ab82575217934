/* SPDX-License-Identifier: MIT */
/*
 * steps/outputs: what a frontend's build reads and what it writes, told apart.
 *
 * Never read: hidden folders, node_modules, the usual outputs at the top (dist, build, out,
 * coverage), *.tsbuildinfo. Every other folder of which each file was written by the last build is
 * an output too: it is remembered, so that a build into "www" does not ask for the next one.
 */
#ifndef ATH_STEPS_OUTPUTS_H
#define ATH_STEPS_OUTPUTS_H

#include <stdint.h>

#include "base/str.h"

/*
 * Is it an output? For ath_tree_walk; `user` is the known outputs (const char *), one per line, or
 * NULL.
 */
bool ath_outputs_skip(void *user, const char *path, bool is_folder);

/*
 * Append the outputs that are in the folder (absolute) after a build, one per line: the usual ones
 * that are there, and each topmost folder whose files were all changed since `since_ns` (wall
 * clock).
 */
void ath_outputs_find(const char *folder, int64_t since_ns, struct ath_str *out);

/* The first of the known outputs that is not there, in `out` (appended); false if all are. */
bool ath_outputs_find_missing(const char *folder, const char *known, struct ath_str *out);

/* Is one of the usual outputs there? */
bool ath_outputs_has_usual(const char *folder);

#endif
