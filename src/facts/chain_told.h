/* SPDX-License-Identifier: MIT */
/*
 * facts/chain_told: the graph as Alembic told it to an installation, for those who do not ask.
 *
 * It is kept in the cache under the ini and its section, and holds only for the very files that it was
 * told of: inside stands a digest of every file in and below the version folders (name and bytes), of
 * env.py, and of the application's modules that the revisions imported. The environment, installed
 * packages and other files that those may read are no part of it, so it is used for nothing but what the
 * files leave open, and only if all that they say for certain agrees with it.
 */
#ifndef ATH_FACTS_CHAIN_TOLD_H
#define ATH_FACTS_CHAIN_TOLD_H

#include "alembic/chain.h"
#include "alembic/revision.h"
#include "base/arena.h"
#include "base/str.h"

struct ath_facts_chain_place;

/* The graph; everything is in the arena of the call. */
struct ath_facts_told {
	const struct ath_chain_entry *entries;
	size_t len;
	struct ath_texts locations; /* absolute version folders */
	const char *script;         /* absolute script folder */
	bool is_recursive;
};

/* The graph that was kept for the files as they are now; false: there is none. Starts no process. */
bool ath_facts_told_recall(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			   struct ath_facts_told *out);

/*
 * Keep the graph as Alembic has just told it in the bridge's `line`. `asked` is a file that was written
 * right before Alembic was asked: if anything is younger, nothing is kept.
 */
void ath_facts_told_keep(const struct ath_facts_chain_place *place, const struct ath_str *line,
			 const char *asked);

/*
 * Fill what is open in the files' own answers, `scans`, with what was told. False, and nothing is
 * filled, where the two do not agree: another number of files, another file, another certain answer.
 */
bool ath_facts_told_fill(const struct ath_facts_told *told, const struct ath_texts *files,
			 struct ath_scan_file *scans, struct ath_arena *arena);

#endif
