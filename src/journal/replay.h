/* SPDX-License-Identifier: MIT */
/*
 * journal/replay: hands back what earlier runs did.
 */
#ifndef ATH_JOURNAL_REPLAY_H
#define ATH_JOURNAL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/pairs.h"
#include "base/str.h"

struct ath_journal;

/* One row of the table `run`. */
struct ath_replay_run {
	int64_t id;
	const char *mark;
	const char *boot_id;
	const char *version;
	const char *command;
	int64_t started_ms;
	int64_t ended_ms;    /* 0: open */
	const char *outcome; /* NULL: open */
	int exit_status;
	const char *message;  /* or NULL */
	const char *database; /* or NULL */
	int64_t repeats;
	int64_t continues; /* 0: none */
};

/* One row of the table `transition`. */
struct ath_replay_transition {
	const char *step;
	unsigned attempt;
	const char *state;
	const char *reason; /* or NULL */
	int64_t at_ms;
};

/* One row of the table `note`, with the run that wrote it. */
struct ath_replay_note {
	struct ath_replay_run run; /* that wrote it */
	const char *pairs;         /* for ath_pairs_read */
	int64_t at_ms;
};

/* The last success of a step. */
struct ath_replay_satisfied {
	const char *step;
	const char *fingerprint;
};

struct ath_replay_runs {
	const struct ath_replay_run *items;
	size_t len;
};

struct ath_replay_transitions {
	const struct ath_replay_transition *items;
	size_t len;
};

struct ath_replay_notes {
	const struct ath_replay_note *items;
	size_t len;
};

struct ath_replay_successes {
	const struct ath_replay_satisfied *items; /* sorted by step */
	size_t len;
};

/* The newest runs, newest first, at most `limit`. Runs that found nothing to do are left out if
 * `with_nothing` is false. */
ATH_NODISCARD bool ath_replay_load_runs(struct ath_journal *journal, bool with_nothing,
					size_t limit, struct ath_arena *arena,
					struct ath_replay_runs *out, struct ath_err *err);

/* Runs that are not closed, oldest first. */
ATH_NODISCARD bool ath_replay_load_open(struct ath_journal *journal, struct ath_arena *arena,
					struct ath_replay_runs *out, struct ath_err *err);

/* The transitions of one run, in order. */
ATH_NODISCARD bool ath_replay_load_transitions(struct ath_journal *journal, int64_t run,
					       struct ath_arena *arena,
					       struct ath_replay_transitions *out,
					       struct ath_err *err);

/* The last success of every step. */
ATH_NODISCARD bool ath_replay_load_successes(struct ath_journal *journal, struct ath_arena *arena,
					     struct ath_replay_successes *out, struct ath_err *err);

/* The fingerprint of a step's last success, or NULL. */
const char *ath_replay_find_success(const struct ath_replay_successes *successes, const char *step);

/* All notes of that name, newest first. */
ATH_NODISCARD bool ath_replay_load_notes(struct ath_journal *journal, const char *name,
					 struct ath_arena *arena, struct ath_replay_notes *out,
					 struct ath_err *err);

/*
 * Fill `out` with the newest note of that name (of any step and run). Returns false, with a clean
 * error, if there is none.
 */
bool ath_replay_find_note(struct ath_journal *journal, const char *name, struct ath_pairs *out,
			  struct ath_err *err);

#endif
