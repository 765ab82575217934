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
#include "facts/cache.h"
#include "facts/effects_ask.h"

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

/* The key of the answers for these files as they are now; without a state directory if it has none. */
struct ath_cache_key ath_facts_effects_key(const struct ath_facts_reader *reader,
					   const struct ath_chain *chain);

/*
 * For whoever has asked Python by itself: the effects of all revisions, in `arena`, from the lines that
 * it has said; they are kept if the files are still those of `key`, which was taken before.
 */
const struct ath_effects *ath_facts_effects_take(const struct ath_facts_reader *reader,
						 const struct ath_chain *chain,
						 const struct ath_cache_key *key,
						 const struct ath_str *said,
						 struct ath_arena *arena);

/*
 * Recall or read the effects of all revisions; one without an answer is UNKNOWN. To read, it runs an
 * event loop of its own, and blocks. A signal that asks to end stops it; `out_signal` (else 0) is set
 * in any case.
 * Fails with: what ath_effects_ask fails with.
 */
ATH_NODISCARD bool ath_facts_effects_read(const struct ath_facts_reader *reader,
					  const struct ath_chain *chain,
					  struct ath_facts_effects *out, int *out_signal,
					  struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_facts_effects_fini(struct ath_facts_effects *effects);

#endif
