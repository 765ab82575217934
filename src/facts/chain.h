/* SPDX-License-Identifier: MIT */
/*
 * facts/chain: the revision files of a project, read or only looked at, without the application.
 *
 * What the ini and the files say literally is enough in nearly every project. Where it is not, Python's
 * parser is asked, once per edit, and after that what Alembic told an earlier installation; where that
 * is not known either, the chain is "not static". Never guesses.
 */
#ifndef ATH_FACTS_CHAIN_H
#define ATH_FACTS_CHAIN_H

#include <stdbool.h>

#include "alembic/chain.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "facts/chain_place.h"

/*
 * The folder in which `alembic` has to be typed, in `arena`: the ini's own, or, where the relative
 * script_location is there only from the application's folder, that one.
 */
const char *ath_facts_chain_cwd(const struct ath_facts_chain_place *place, struct ath_arena *arena);

struct ath_facts_chain {
	struct ath_arena arena; /* owns everything below */
	bool is_static;         /* `chain` is whole */
	const char *obstacle;   /* why it is not, for people, with file and line; or NULL */
	const char *unlabelled; /* why the labels of a revision are not known, likewise; or NULL */
	int signum;             /* that ended the reading, or 0; set in any case */
	struct ath_chain chain;
	struct ath_texts locations; /* absolute version folders, as far as known */
	const char *script;         /* absolute script folder, or NULL */
	/* What the files say, in the order of their names, unless there is an obstacle. */
	const struct ath_chain_entry *entries;
	size_t entries_len;
};

/*
 * Read ini and revision files. A process is started only if the reader has an interpreter and something
 * is neither literal nor kept; if it fails, that is a part of the obstacle.
 * Fails with: ATH_ERR_CHAIN (duplicate id, missing parent, cycle, ...: with file and line),
 * ATH_ERR_NOT_FOUND (no ini), ATH_ERR_LIMIT, ATH_ERR_IO, ATH_ERR_CANCELLED (a signal asked to end).
 */
ATH_NODISCARD bool ath_facts_chain_load(const struct ath_facts_chain_place *place,
					struct ath_facts_chain *out, struct ath_err *err);

/*
 * As ath_facts_chain_load, but the entries are not put together: `chain` stays empty, and what would
 * break it is left to the caller. An entry without an id is one whose file assigns none.
 */
ATH_NODISCARD bool ath_facts_chain_scan(const struct ath_facts_chain_place *place,
					struct ath_facts_chain *out, struct ath_err *err);

/*
 * Keep the graph as Alembic has just told it, in the bridge's `line`, if later readings will need it.
 * `asked` is a file that was written right before Alembic was asked: if anything is younger than that, it
 * may not be what was told of, and nothing is kept.
 */
void ath_facts_chain_keep(const struct ath_facts_chain_place *place, const struct ath_str *line,
			  const char *asked);

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
