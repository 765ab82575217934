/* SPDX-License-Identifier: MIT */
/*
 * engine/history: the fold of the journal into the past that a new run starts from.
 *
 * An attempt is a chain of runs, each continuing the one before, that has not come to a good end. A
 * new run belongs to it if the newest run did not succeed; then what its runs finished stands.
 */
#ifndef ATH_ENGINE_HISTORY_H
#define ATH_ENGINE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "journal/replay.h"
#include "plan/make.h"

struct ath_journal;

/* How one step stands in the attempt. */
struct ath_history_step {
	const char *step;
	enum ath_past past;
};

struct ath_history {
	struct ath_arena arena; /* owns everything below */
	struct ath_replay_successes successes;
	const struct ath_history_step *steps; /* sorted by name */
	size_t steps_len;
	struct ath_replay_runs open; /* runs that died: to be swept and closed */
	int64_t continues;           /* the run that a new one goes on with, or 0 */
	const char *continued;       /* its mark, or NULL */
};

/* Load it. `journal` may be NULL: an empty past. */
ATH_NODISCARD bool ath_history_load(struct ath_journal *journal, struct ath_history *out,
				    struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_history_fini(struct ath_history *history);

/* How a step stands in the attempt. */
enum ath_past ath_history_find(const struct ath_history *history, const char *step);

#endif
