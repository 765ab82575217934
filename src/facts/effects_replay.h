/* SPDX-License-Identifier: MIT */
/*
 * facts/effects_replay: what a replay of the chain saw, kept from the installation that ran it
 * (steps/replayed) for whoever may not run the application.
 *
 * It is kept under a digest of every revision file in order, of env.py, of the ini and of both
 * programs, with the versions of Alembic and SQLAlchemy that ran it. What env.py and the revisions
 * import of the application is not seen: to forget what was kept, remove STATE/cache.
 */
#ifndef ATH_FACTS_EFFECTS_REPLAY_H
#define ATH_FACTS_EFFECTS_REPLAY_H

#include "alembic/replayed.h"
#include "facts/cache.h"
#include "facts/chain.h"

/* What was replayed; all borrowed. */
struct ath_facts_replay {
	const char *state_dir;
	const struct ath_facts_chain_place *place;
	const struct ath_chain *chain;
	const char *alembic, *sqlalchemy; /* versions; NULL: not known, any will do */
};

/* The key for the files as they are now; its state_dir is NULL if they cannot be read. */
struct ath_cache_key ath_facts_replay_key(const struct ath_facts_replay *asked,
					  struct ath_arena *arena);

/* Recall, into `arena`; false: it has not been replayed, or not by these versions. */
bool ath_facts_replay_recall(const struct ath_facts_replay *asked, struct ath_arena *arena,
			     struct ath_replayed *out);

/* Keep what was seen of the files of `key`, unless they have changed since. */
void ath_facts_replay_keep(const struct ath_facts_replay *asked, const struct ath_cache_key *key,
			   const struct ath_replayed *replayed, struct ath_arena *arena);

/* Is any revision blind? Otherwise a replay has nothing to add. */
bool ath_facts_replay_is_useful(const struct ath_chain *chain, const struct ath_effects *effects);

#endif
