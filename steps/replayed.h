/* SPDX-License-Identifier: MIT */
/*
 * steps/replayed: opens the eyes of blind revisions, by running the chain on an empty database through
 * the application's own env.py and merging what was seen with what the texts say.
 *
 * The database is RUN/replay.db, with the same nets around it as a clone, and is removed afterwards.
 * The application's code runs, so what it does beside its database is done: only an installation
 * may start this. What was seen is kept (facts/effects_replay) and is not run again for the same files
 * and versions. A replay that fails, is refused by a net or takes too long is a note in the step's
 * log; the texts stand alone then.
 *
 *	detect->replayed = (struct ath_replayed_run){ .bridge = &detect->bridge, ..., .on_end = go_on };
 *	if (!ath_replayed_start(step, &detect->replayed))
 *		go_on(step);
 *
 *	static void go_on(struct ath_step *step)     uses detect->replayed.merge
 */
#ifndef ATH_STEPS_REPLAYED_H
#define ATH_STEPS_REPLAYED_H

#include "alembic/replayed.h"
#include "facts/effects_replay.h"
#include "steps/bridge_run.h"

/* One replay; must live until on_end has come, as must all that it borrows. */
struct ath_replayed_run {
	struct ath_bridge_run *bridge;     /* the first member of the step's data; not in use */
	const struct ath_chain *chain;     /* whose `file`s are absolute */
	const struct ath_effects *effects; /* what the texts say; one per revision */
	const char *live;                  /* absolute path of the live database, there or not */
	const char *alembic, *sqlalchemy;  /* versions, as "heads" says them; or NULL */
	ath_step_fn *on_end;

	struct ath_replayed_merge merge; /* the answer; without a replay it is the texts alone */
	/* Why the replay was not of use, or clean. ATH_ERR_CANCELLED: the step is to end. */
	struct ath_err failure;

	/* private */
	struct ath_facts_chain_place place;
	struct ath_cache_key key;
	struct ath_bridge_command command;
	struct ath_replay_event *events;
	size_t len;
	const char *path;
};

/*
 * Recall or start. False: there is nothing to wait for, run->merge is there and on_end does not come.
 * True: on_end comes exactly once, not from inside this call, and run->merge is there then.
 */
bool ath_replayed_start(struct ath_step *step, struct ath_replayed_run *run);

#endif
