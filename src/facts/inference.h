/* SPDX-License-Identifier: MIT */
/*
 * facts/inference: at which revision is the database behind a path? Looks at the file, reads what the
 * revisions do, and infers; writes nothing to the database.
 *
 *	missing, no bytes, no object    empty: to be made; no Python is started
 *	locked, damaged, not SQLite     unreadable, with the reason of sqlite/look; no Python either
 *	anything else                   alembic/infer decides, by one read transaction
 */
#ifndef ATH_FACTS_INFERENCE_H
#define ATH_FACTS_INFERENCE_H

#include "alembic/verdict.h"
#include "facts/effects.h"
#include "sqlite/look.h"

/* What is asked; all borrowed, and the chain must live as long as the result. */
struct ath_facts_question {
	const char *path; /* of the database */
	const char *version_table;
	unsigned busy_ms; /* how long a look waits for a lock */
	const struct ath_chain *chain;
	struct ath_facts_reader reader;
	/* Where the chain was read from: what an installation's replay of it saw is used, if it is kept
	 * (facts/effects_replay). NULL: it is not. */
	const struct ath_facts_chain_place *place;
};

struct ath_facts_inference {
	struct ath_arena arena;
	struct ath_look look;     /* owned */
	struct ath_elements live; /* in `arena`; empty unless it could be read */
	struct ath_facts_effects
		effects;             /* owned; what the texts say, or more where a replay saw it */
	struct ath_inference result; /* in `arena`, or borrowed from the above and the chain */
};

/*
 * Look and infer. `out_signal`: as ath_facts_effects_read. On failure `out` is empty.
 * Fails with: what ath_facts_effects_read fails with; ATH_ERR_LOCKED, ATH_ERR_DATABASE,
 * ATH_ERR_TIMEOUT (the database changed its state while it was read).
 */
ATH_NODISCARD bool ath_facts_infer(const struct ath_facts_question *question,
				   struct ath_facts_inference *out, int *out_signal,
				   struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_facts_inference_fini(struct ath_facts_inference *inference);

#endif
