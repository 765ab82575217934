/* SPDX-License-Identifier: MIT */
/*
 * steps/verified: the record of the last verified state, and whether it still stands.
 *
 * A stamp is a claim, not a proof (ALEMBIC.md 11): what was audited once is believed again only while
 * identity, version rows and exact schema fingerprint of the database, and the revision files, are
 * the same. A revision that the operator states (--assume-revision) must be the one that was stated
 * when the record was made: the same command typed again finds its own work, another statement is
 * acted upon.
 */
#ifndef ATH_STEPS_VERIFIED_H
#define ATH_STEPS_VERIFIED_H

#include "engine/step.h"
#include "sqlite/look.h"
#include "steps/database.h"

enum {
	ATH_VERIFIED_BUSY_MS = 200, /* how long a look waits for a lock */
};

/* Does the record still stand? Sets the facts about the database if it does, else `out->detail`. */
bool ath_verified_holds(const struct ath_step_world *world,
			const struct ath_database_config *config, struct ath_step_look *out);

/*
 * Was a database seen at `path` by an earlier run? Then a new one must not silently take its place: a
 * volume that is not mounted looks just like a first installation.
 */
bool ath_verified_was_there(const struct ath_step_world *world, const char *path);

/* What was seen, for a new record. */
struct ath_verified {
	const char *path;
	const char *version_table;
	const char *chain;   /* fingerprint of the revision files */
	const char *assumed; /* the revision that the operator stated, or "" */
	const struct ath_look *look;
};

/* The fields of a new record (note "verified"). */
void ath_verified_fill(const struct ath_verified *seen, struct ath_pairs *out);

/* The fingerprint of the revision files now; in the arena. */
const char *ath_verified_chain(const struct ath_step_world *world,
			       const struct ath_database_config *config, struct ath_arena *arena);

#endif
