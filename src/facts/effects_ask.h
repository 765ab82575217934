/* SPDX-License-Identifier: MIT */
/*
 * facts/effects_ask: one child of the bridge that reads revision files, and its answers line by line.
 */
#ifndef ATH_FACTS_EFFECTS_ASK_H
#define ATH_FACTS_EFFECTS_ASK_H

#include "alembic/chain.h"
#include "base/err.h"
#include "base/str.h"
#include "bridge/request.h"
#include "os/environ.h"

/* How the name of a reading's private folder begins; a killed one leaves it (os/temporary). */
#define ATH_EFFECTS_ASK_FOLDER "athanor-inspect-"

/* What reads; all borrowed. */
struct ath_facts_reader {
	const char *python;    /* absolute path of an interpreter; NULL: none was found */
	const char *folder;    /* where the private folder is made */
	const char *state_dir; /* where answers are kept, if it is there; NULL: nowhere */
	const struct ath_environ *environment;
};

/* What came back. */
struct ath_effects_said {
	struct ath_str text; /* owned; an "effects" (or "identifiers") reply a line, as they came */
	int signum;          /* the signal that ended it, or 0; set in any case */
};

/*
 * Run the child to its end; blocks. `out` is the caller's, empty, to be released in any case
 * (ath_str_fini).
 * Fails with: ATH_ERR_UNAVAILABLE (the interpreter cannot be started), ATH_ERR_BRIDGE (it did not
 * answer to the end), ATH_ERR_TIMEOUT, ATH_ERR_CANCELLED, ATH_ERR_LIMIT, ATH_ERR_IO, ATH_ERR_CHILD.
 */
ATH_NODISCARD bool ath_effects_ask(const struct ath_facts_reader *reader,
				   const struct ath_chain *chain, struct ath_effects_said *out,
				   struct ath_err *err);

/*
 * The same for any command that reads named files alone (EFFECTS, IDENTIFIERS).
 * Fails with: as ath_effects_ask.
 */
ATH_NODISCARD bool ath_effects_ask_command(const struct ath_facts_reader *reader,
					   const struct ath_bridge_command *command,
					   struct ath_effects_said *out, struct ath_err *err);

#endif
