/* SPDX-License-Identifier: MIT */
/*
 * facts/chain_ask: what the scanner left open in some revision files, read by Python's own parser.
 *
 * Nothing is imported and nothing is run (bridge/identifiers.py). What was said is kept in the cache
 * under the bytes of those files, so that a process is started only after an edit; the interpreter is
 * no part of the key, as what is certain does not depend on it, and a file that it did not understand
 * is not kept.
 */
#ifndef ATH_FACTS_CHAIN_ASK_H
#define ATH_FACTS_CHAIN_ASK_H

#include "alembic/revision.h"
#include "facts/effects_ask.h"

/*
 * Recall or ask; `out` has one answer per file, in `arena`, with the texts in it. A reader without an
 * interpreter can only recall. `out_signal` (else 0) is set in any case.
 * Fails with: as ath_effects_ask.
 */
ATH_NODISCARD bool ath_facts_chain_identify(const struct ath_facts_reader *reader,
					    const struct ath_texts *files, struct ath_arena *arena,
					    const struct ath_scan_file **out, int *out_signal,
					    struct ath_err *err);

#endif
