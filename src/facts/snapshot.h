/* SPDX-License-Identifier: MIT */
/*
 * facts/snapshot: rows and schema of a database as they are at one moment, by one read transaction:
 * what an inference is made from.
 */
#ifndef ATH_FACTS_SNAPSHOT_H
#define ATH_FACTS_SNAPSHOT_H

#include "base/meter.h"
#include "schema/element.h"
#include "sqlite/look.h"

/* Of what; all borrowed. */
struct ath_facts_snapshot_of {
	const char *path;
	const char *version_table;
	unsigned busy_ms;        /* how long a look waits for a lock */
	struct ath_meter *meter; /* tells of that wait, and may call it off; or NULL */
	struct ath_arena *arena; /* for the elements */
};

/*
 * Look at a file, and read its elements (without the version table) if it is a database that can be
 * read and has objects; otherwise `out_live` is empty and the look says why. `out_look` is owned by the
 * caller (ath_look_fini) when this returns true.
 * Fails with: ATH_ERR_LOCKED, ATH_ERR_DATABASE, ATH_ERR_IO, ATH_ERR_LIMIT, ATH_ERR_TIMEOUT,
 * ATH_ERR_CANCELLED (the wait was called off).
 */
ATH_NODISCARD bool ath_facts_snapshot(const struct ath_facts_snapshot_of *of,
				      struct ath_look *out_look, struct ath_elements *out_live,
				      struct ath_err *err);

#endif
