/* SPDX-License-Identifier: MIT */
/*
 * steps/database_state: what is to be done with a database, decided from what was seen; pure.
 *
 * Here decides only what Alembic itself can tell: the rows of the version table against the graph.
 * Whether a stamp is true to the schema is another question; evidence that does not decide is
 * refused, never guessed.
 */
#ifndef ATH_STEPS_DATABASE_STATE_H
#define ATH_STEPS_DATABASE_STATE_H

#include "alembic/chain.h"
#include "base/arena.h"
#include "base/err.h"
#include "sqlite/look.h"

enum ath_database_need {
	ATH_DATABASE_NONE,    /* the rows are the heads */
	ATH_DATABASE_INIT,    /* there is nothing yet */
	ATH_DATABASE_UPGRADE, /* stamp, recover or upgrade, on a clone */
	ATH_DATABASE_NEED_COUNT_
};

struct ath_database_plan {
	enum ath_database_need need;
	bool is_fresh;
	bool must_stamp;        /* the rows have to be written anew before an upgrade */
	struct ath_texts stamp; /* the rows to write; in the arena */
	const char *half;       /* id of the revision that is half there; NULL: none */
	bool has_leftovers;  /* tables of interrupted rebuilds are beside the tables themselves */
	size_t pending;      /* revisions that an upgrade will run */
	const char *doubt;   /* of the operator's word: what the schema says against it; or NULL */
	const char *decided; /* the same text for the same decision; NULL: by the rows alone */
	char said[400];      /* one sentence for people */
};

/*
 * Decide. `assume` is --assume-revision, or NULL. `path` is for messages. A database that holds
 * nothing but a version table without rows (a failed first upgrade leaves one) counts as fresh.
 * Fails with: ATH_ERR_DECISION (a person must say at which revision it is), ATH_ERR_REFUSED (not
 * Alembic's table, unknown revision, unreadable), ATH_ERR_LOCKED, ATH_ERR_USAGE (`assume` names no
 * revision).
 */
ATH_NODISCARD bool ath_database_decide(const struct ath_look *look, const char *version_table,
				       const struct ath_chain *chain, const char *assume,
				       const char *path, struct ath_arena *arena,
				       struct ath_database_plan *out, struct ath_err *err);

#endif
