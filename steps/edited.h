/* SPDX-License-Identifier: MIT */
/*
 * steps/edited: revision files that are not what they were when they were applied.
 *
 * A revision's identity is its id and its content (ALEMBIC.md 3): an edited file, or an id that a
 * squashed chain uses again, makes an old row point to something else. The contents are recorded with
 * each verified state; what differs is told, and the schema decides as ever.
 */
#ifndef ATH_STEPS_EDITED_H
#define ATH_STEPS_EDITED_H

#include "alembic/chain.h"
#include "engine/step.h"

/* For the record of a verified state: a hash of each revision's file (field "contents"). */
void ath_edited_fill(const struct ath_chain *chain, struct ath_pairs *out);

/*
 * The revisions that `rows` stand for whose files differ from the record of the last verified state,
 * in the chain's order; none without a record. Texts are in `arena`.
 */
struct ath_texts ath_edited_find(const struct ath_step_world *world, const struct ath_chain *chain,
				 const struct ath_texts *rows, struct ath_arena *arena);

#endif
