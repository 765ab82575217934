/* SPDX-License-Identifier: MIT */
/*
 * cli/retention: what is kept of earlier runs, and what goes once the newer is proven whole.
 *
 *	backups/pre-MARK.db    as many different states as the recipe says (database.keep), those of the
 *	                       database that was just verified; copies of equal states count as one
 *	backups/damaged-*      all: nothing else is left of what they hold
 *	runs/MARK              those of the newest runs, and of the last one that came to no good end
 *	copies in runs/MARK    none of a run that has ended
 *	cache/bridge-HASH      the program of this version
 *	athanor-inspect-*      none that a killed look has left
 *
 * Whatever the journal does not know is not ours and stays. Removing is never why a run fails.
 */
#ifndef ATH_CLI_RETENTION_H
#define ATH_CLI_RETENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/project.h"

enum {
	ATH_RETENTION_RUNS = 50, /* runs whose folders are kept */
};

/* Something of which only so many are kept. */
struct ath_retention_item {
	const char *key; /* items with equal keys hold the same */
	bool is_whole;   /* proven: only such a one counts, and makes older ones needless */
	bool is_pinned;  /* stays whatever else there is */
	bool goes;       /* out */
};

/*
 * Which items go? They stand newest first; the newest never goes, nor a pinned one. Another goes if a
 * newer whole one has the same key, or if the newer and the pinned ones that are whole make `keep` of
 * different keys. Pure.
 */
void ath_retention_choose(struct ath_retention_item *items, size_t len, size_t keep);

/*
 * After a run that came to a good end, under the lock of the installation, with its journal open.
 * `is_verified`: the database was verified in this run; else no backup goes.
 */
void ath_retention_apply(const struct ath_project *project, bool is_verified);

/* Remove the copies of the database from the folder of a run that has ended; `mark` names it. */
void ath_retention_sweep_run(const struct ath_project *project, const char *mark);

#endif
