/* SPDX-License-Identifier: MIT */
/*
 * steps/decision: what is to be done with a database: its rows are held against its schema
 * (alembic/infer), and the verdict's decision becomes a plan.
 *
 *	decision of the inference       the plan
 *	none                            go on from the rows
 *	stamp                           write the rows that the schema has, go on from there
 *	complete                        the same, take away what an interrupted revision has left, run it
 *	ask, refuse                     an error that says what is known and how to answer
 *
 * Where the effects of the revisions could not be read, and where there is nothing to hold the rows
 * against (no database yet, locked, unreadable), the rows alone decide (steps/database_state). The
 * operator's --assume-revision answers a question; it does not overrule rows that the schema bears out.
 */
#ifndef ATH_STEPS_DECISION_H
#define ATH_STEPS_DECISION_H

#include "schema/element.h"
#include "steps/database_state.h"
#include "steps/known.h"

/* What is asked; all borrowed. */
struct ath_decision_question {
	const char *path; /* of the file that is looked at */
	const char *name; /* the path that people know it by */
	const char *version_table;
	const struct ath_known *known;
	const char *assume;      /* --assume-revision, or NULL */
	unsigned busy_ms;        /* how long a look waits for a lock */
	struct ath_meter *meter; /* of that wait (facts/snapshot), or NULL */
};

/* What was seen, for what comes after the decision. */
struct ath_decision_seen {
	struct ath_look look;     /* owned: ath_look_fini */
	struct ath_elements live; /* in the arena; empty unless it could be read */
};

/*
 * Look and decide; texts of the plan are in `arena`. `out_seen` is filled, and owned by the caller,
 * also on failure, but for a failure to look.
 * Fails with: ATH_ERR_DECISION (the evidence does not decide: a person must), ATH_ERR_REFUSED (not
 * Alembic's table, of another application, unknown revision, unreadable), ATH_ERR_LOCKED,
 * ATH_ERR_USAGE (`assume` names no revision), ATH_ERR_DATABASE, ATH_ERR_IO, ATH_ERR_CANCELLED.
 */
ATH_NODISCARD bool ath_decision_make(const struct ath_decision_question *question,
				     struct ath_arena *arena, struct ath_decision_seen *out_seen,
				     struct ath_database_plan *out, struct ath_err *err);

/* Does the plan ask for more than an upgrade? */
bool ath_decision_repairs(const struct ath_database_plan *plan);

/*
 * Set the facts about where the run will end (steps/database.h): at the heads of the chain, or, where
 * only a repair is asked for, at the cut of the decision. `rows` are those of the database now.
 */
void ath_decision_set_end(struct ath_step *step, const struct ath_chain *chain,
			  const struct ath_database_plan *plan, const struct ath_texts *rows);

/*
 * The cut that the database is at when the decision is carried out, before anything is upgraded;
 * `rows` are those of the database now. In the arena.
 */
const bool *ath_decision_goal(const struct ath_chain *chain, const struct ath_database_plan *plan,
			      const struct ath_texts *rows, struct ath_arena *arena);

#endif
