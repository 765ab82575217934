/* SPDX-License-Identifier: MIT */
/*
 * facts/effects_ask: one child of the bridge that reads revision files, and its answers line by line.
 */
#ifndef ATH_FACTS_EFFECTS_ASK_H
#define ATH_FACTS_EFFECTS_ASK_H

#include "base/str.h"
#include "facts/effects.h"

/* What came back. */
struct ath_effects_said {
	struct ath_str text; /* owned; an "effects" reply a line, as they came */
	int signum;          /* the signal that ended it, or 0; set in any case */
};

/*
 * Run the child to its end; blocks. `out` is the caller's, empty, to be released in any case
 * (ath_str_fini).
 * Fails with: as ath_facts_effects_read.
 */
ATH_NODISCARD bool ath_effects_ask(const struct ath_facts_reader *reader,
				   const struct ath_chain *chain, struct ath_effects_said *out,
				   struct ath_err *err);

#endif
