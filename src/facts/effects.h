/* SPDX-License-Identifier: MIT */
/*
 * facts/effects: what each revision of a chain does, read from its text by one short Python process,
 * or recalled from what such a process said of the same files before (facts/cache).
 *
 * Nothing of the application is imported, so any Python from 3.8 can do it; it runs isolated (no
 * site-packages). The program and the request are written into a private folder that is gone when
 * the call returns. What is recalled is what would be read: any difference of the files, of the
 * reading program or of the interpreter is another key.
 */
#ifndef ATH_FACTS_EFFECTS_H
#define ATH_FACTS_EFFECTS_H

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/arena.h"
#include "base/err.h"
#include "os/environ.h"

/* What reads; all borrowed. */
struct ath_facts_reader {
	const char *python;    /* absolute path of an interpreter; NULL: none was found */
	const char *folder;    /* where the private folder is made */
	const char *state_dir; /* where answers are kept, if it is there; NULL: nowhere */
	const struct ath_environ *environment;
};

struct ath_facts_effects {
	struct ath_arena arena;          /* owns everything below */
	const struct ath_effects *items; /* one per revision, in the chain's numbering */
};

/*
 * Recall the effects of all revisions, into `arena`, one per revision in the chain's numbering; false:
 * they have to be read. Starts no process. Of the reader, python and state_dir are used.
 */
bool ath_facts_effects_recall(const struct ath_facts_reader *reader, const struct ath_chain *chain,
			      struct ath_arena *arena, struct ath_effects **out);

/*
 * Recall or read the effects of all revisions; one without an answer is UNKNOWN. To read, it runs an
 * event loop of its own, and blocks. A signal that asks to end stops it; `out_signal` (else 0) is set in any case.
 * Fails with: ATH_ERR_UNAVAILABLE (the interpreter cannot be started), ATH_ERR_BRIDGE (it did not
 * answer to the end), ATH_ERR_TIMEOUT, ATH_ERR_CANCELLED, ATH_ERR_LIMIT, ATH_ERR_IO, ATH_ERR_CHILD.
 */
ATH_NODISCARD bool ath_facts_effects_read(const struct ath_facts_reader *reader,
					  const struct ath_chain *chain,
					  struct ath_facts_effects *out, int *out_signal,
					  struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_facts_effects_fini(struct ath_facts_effects *effects);

#endif
