/* SPDX-License-Identifier: MIT */
/*
 * facts/chain: the revision files of a project, read or only looked at, without Python.
 *
 * What the ini and the files say literally is enough in nearly every project; where it is not, the
 * chain is "not static" and the bridge has to be asked. Never guesses.
 */
#ifndef ATH_FACTS_CHAIN_H
#define ATH_FACTS_CHAIN_H

#include <stdbool.h>

#include "alembic/chain.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

/* Where a project's Alembic files are. */
struct ath_facts_chain_place {
	const char *root;    /* the application's folder */
	const char *alembic; /* alembic.ini or pyproject.toml, relative to it */
	const char *section;
	/* Version folders (absolute) that an earlier run learned from Alembic; used where the ini
	 * does not say them literally. */
	struct ath_texts known;
};

/*
 * The folder in which `alembic` has to be typed, in `arena`: the ini's own, or, where the relative
 * script_location is there only from the application's folder, that one.
 */
const char *ath_facts_chain_cwd(const struct ath_facts_chain_place *place, struct ath_arena *arena);

struct ath_facts_chain {
	struct ath_arena arena; /* owns everything below */
	bool is_static;         /* `chain` is whole */
	const char *obstacle;   /* why it is not, for people; or NULL */
	struct ath_chain chain;
	struct ath_texts locations; /* absolute version folders, as far as known */
	const char *script;         /* absolute script folder, or NULL */
	/* What the files say, in the order of their names, unless there is an obstacle. */
	const struct ath_chain_entry *entries;
	size_t entries_len;
};

/*
 * Read ini and revision files.
 * Fails with: ATH_ERR_CHAIN (duplicate id, missing parent, cycle, ...: with file and line),
 * ATH_ERR_NOT_FOUND (no ini), ATH_ERR_LIMIT, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_facts_chain_load(const struct ath_facts_chain_place *place,
					struct ath_facts_chain *out, struct ath_err *err);

/*
 * As ath_facts_chain_load, but the entries are not put together: `chain` stays empty, and what would
 * break it is left to the caller. An entry without an id is one whose file assigns none.
 */
ATH_NODISCARD bool ath_facts_chain_scan(const struct ath_facts_chain_place *place,
					struct ath_facts_chain *out, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_facts_chain_fini(struct ath_facts_chain *chain);

/*
 * The fingerprint of everything that decides what an upgrade does, by stat alone: the ini, env.py,
 * and name, size and times of each revision file. `out_env_py`: env.py's path in `arena`, or NULL
 * where the ini does not tell.
 */
void ath_facts_chain_stamp(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			   const char **out_env_py, char out_text[ATH_HASH_TEXT]);

/* The heads' ids joined by commas, sorted; in the chain's arena. */
const char *ath_facts_chain_heads(struct ath_facts_chain *chain);

#endif
