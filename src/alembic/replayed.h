/* SPDX-License-Identifier: MIT */
/*
 * alembic/replayed: what a replay of the chain on an empty database saw, as effects, and what it adds
 * to the effects that are read from the texts (docs/inference.md, "Replay").
 *
 *	the text says   the replay                       what stands then
 *	static          ran                              the text; a literal one that disagrees is counted
 *	unknown         did not come to it               unknown
 *	unknown         changed nothing                  unknown if guarded, else replay: no effects
 *	unknown         shows all that the text may do   replay; a lower bound if guarded
 *	unknown         shows a part of it               unknown: it may go another way elsewhere
 *
 * What a text may do is shown if what it may add is there afterwards, and what it may drop is not. A
 * guarded revision looks at the database first: on an empty one it may do less than on one in use.
 */
#ifndef ATH_ALEMBIC_REPLAYED_H
#define ATH_ALEMBIC_REPLAYED_H

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/arena.h"

/* The schema after one revision, as far as it is told. Borrowed. */
struct ath_replay_event {
	const char *revision;         /* NULL: before the first one */
	struct ath_elements elements; /* of the tables below; and all views and triggers */
	struct ath_texts tables;      /* folded names: told whole, in place of what was known */
	struct ath_texts removed;     /* folded names: gone */
};

/* What one revision changed. */
struct ath_replayed_step {
	size_t revision; /* number in the chain; chain->len: what was there before the first one */
	struct ath_effects effects;
};

/* What a replay saw, in its own order. */
struct ath_replayed {
	const struct ath_replayed_step *items;
	size_t len;
};

/*
 * Turn events into differences, in `arena`; texts are borrowed from the events. False: an event names
 * no revision of the chain, or one a second time; then the replay is of no use.
 */
bool ath_replayed_fold(const struct ath_chain *chain, const struct ath_replay_event *events,
		       size_t len, struct ath_arena *arena, struct ath_replayed *out);

/* Texts and replay together. */
struct ath_replayed_merge {
	const struct ath_effects *items; /* one per revision, in the chain's numbering */
	size_t opened;                   /* revisions that were unknown and are not any more */
	size_t disagreements; /* literal revisions of which the replay saw other effects */
};

/* Merge, in `arena`; texts are borrowed. `effects`: one per revision, read from the texts. */
struct ath_replayed_merge ath_replayed_merge(const struct ath_chain *chain,
					     const struct ath_effects *effects,
					     const struct ath_replayed *replayed,
					     struct ath_arena *arena);

#endif
