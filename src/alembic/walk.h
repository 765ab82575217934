/* SPDX-License-Identifier: MIT */
/*
 * alembic/walk: what is to be done with each pending revision on a copy of the database
 * (ALEMBIC.md 10), as plain data.
 *
 *	of its effects are there                            act
 *	none, or it has none, or they are not known         RUN
 *	all; it is literal, no data step, shapes agree      ADOPT: stamp past it
 *	some; or all, but with data steps                   REDO: take away what is there, run it whole
 *	anything else                                       STOP: a person has to look
 *
 * The revisions are gone through in the chain's order, and what runs is taken as done for those
 * behind it. Whether what a REDO takes away is empty is not known here: sqlite/undo makes sure of it.
 * A revision that fails on a copy does no harm, so that RUN is the answer where nothing speaks
 * against it.
 */
#ifndef ATH_ALEMBIC_WALK_H
#define ATH_ALEMBIC_WALK_H

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/arena.h"

enum ath_walk_act {
	ATH_WALK_RUN,
	ATH_WALK_ADOPT,
	ATH_WALK_REDO,
	ATH_WALK_STOP,
	ATH_WALK_ACT_COUNT_
};

/* What is known; all borrowed. Sets are by number of revision. */
struct ath_walk_question {
	const struct ath_chain *chain;
	const struct ath_effects *effects; /* one per revision */
	struct ath_elements live;          /* without the version table */
	const bool *cut;                   /* what is applied */
	const bool *goal;                  /* what is to be applied at the end; holds `cut` */
};

struct ath_walk_step {
	size_t revision;
	enum ath_walk_act act;
	struct ath_elements undo; /* REDO: what of it is there, as the live schema has it */
	const char *reason;       /* one clause for people; NULL: RUN */
};

struct ath_walk {
	struct ath_elements leftovers;     /* `_alembic_tmp_X` beside X: of interrupted rebuilds */
	const struct ath_walk_step *steps; /* in the chain's order; nothing behind a STOP */
	size_t len;
};

/* Left-overs of rebuilds whose table is there: theirs are not the only copies. In `arena`. */
struct ath_elements ath_walk_find_leftovers(const struct ath_elements *live,
					    struct ath_arena *arena);

/* Plan the walk; everything in `arena`, or borrowed from the question. */
void ath_walk_plan(const struct ath_walk_question *question, struct ath_arena *arena,
		   struct ath_walk *out);

/*
 * After the walk: the first table or column that a revision of `ran` has by its text made or dropped,
 * and that the schema has not, or still has; `out_revision` is that revision. NULL: all is as it
 * should be. Blind revisions are not judged. The question's `cut` is what is applied now.
 */
const char *ath_walk_find_fault(const struct ath_walk_question *question, const bool *ran,
				struct ath_arena *arena, size_t *out_revision);

/* Name of an act: run, adopt, redo, stop; static text. */
const char *ath_walk_act_name(enum ath_walk_act act);

#endif
