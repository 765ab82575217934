/* SPDX-License-Identifier: MIT */
/*
 * journal/journal: adds events durably, one writer.
 *
 * Events are gathered and written by ath_journal_flush in one transaction, which is durable when it
 * returns (WAL, synchronous=FULL). So what happens in one turn of the loop costs one sync, and
 * nothing may be acted upon before the flush that holds its record.
 */
#ifndef ATH_JOURNAL_JOURNAL_H
#define ATH_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pairs.h"

struct ath_journal;
struct ath_redact;
struct ath_db;

/* What is known when a run begins. */
struct ath_journal_run {
	const char *mark; /* random id of the run */
	const char *boot_id;
	const char *command; /* install, ... */
	int64_t continues;   /* id of the unfinished run before, or 0 */
};

/* How a run ended. */
struct ath_journal_end {
	const char *outcome; /* succeeded, nothing, failed, refused, cancelled */
	int exit_status;
	const char *message;  /* NULL: none */
	const char *database; /* unchanged, restored, upgraded, created, needs-you; NULL: none */
};

/*
 * Open the journal `path` for writing, making it (0600) or migrating it if needed.
 * Fails with: ATH_ERR_JOURNAL_NEWER, ATH_ERR_JOURNAL (damaged: names file and what to do),
 * ATH_ERR_IO (cannot be made, read-only folder).
 */
ATH_NODISCARD struct ath_journal *ath_journal_open(const char *path, struct ath_err *err);

/*
 * Open an existing journal to look at it; nothing is migrated. NULL without an error if there is no
 * journal yet.
 */
struct ath_journal *ath_journal_open_read(const char *path, struct ath_err *err);

/*
 * Mask what is recorded from here on (`set` is borrowed). A value of a note or a fact that is a path
 * stays: a later run opens it, and who may read the journal can list the folder.
 */
void ath_journal_hide(struct ath_journal *journal, struct ath_redact *set);

/* Close; events not yet flushed are lost. NULL is fine. */
void ath_journal_close(struct ath_journal *journal);

/* The database behind it, for journal/replay. */
struct ath_db *ath_journal_db(struct ath_journal *journal);

/* Record that a run begins; durable when this returns. All later events belong to it. */
ATH_NODISCARD bool ath_journal_begin_run(struct ath_journal *journal,
					 const struct ath_journal_run *run, struct ath_err *err);

/* Gather: `step` came into `state`. */
void ath_journal_add_transition(struct ath_journal *journal, const char *step, unsigned attempt,
				const char *state, const char *reason);

/* Gather: `step` succeeded with these inputs. */
void ath_journal_add_satisfied(struct ath_journal *journal, const char *step,
			       const char *fingerprint);

/* Gather: the success of `step` is not true any more. */
void ath_journal_forget_satisfied(struct ath_journal *journal, const char *step);

/* Gather: a note of `step`. */
void ath_journal_add_note(struct ath_journal *journal, const char *step, const char *name,
			  const struct ath_pairs *pairs);

/* Gather: a fact. */
void ath_journal_add_fact(struct ath_journal *journal, const char *name, const char *value);

/* Is anything gathered? */
bool ath_journal_has_pending(const struct ath_journal *journal);

/* Write all that was gathered in one durable transaction. Nothing gathered: does nothing. */
ATH_NODISCARD bool ath_journal_flush(struct ath_journal *journal, struct ath_err *err);

/* Flush, and record how the run ended; durable. */
ATH_NODISCARD bool ath_journal_end_run(struct ath_journal *journal,
				       const struct ath_journal_end *end, struct ath_err *err);

/* Record that an earlier run died: closed with the outcome "died". */
ATH_NODISCARD bool ath_journal_mark_dead(struct ath_journal *journal, int64_t run,
					 struct ath_err *err);

/*
 * Record that a run found nothing to do. Not synced: losing this record does no harm. Consecutive
 * records are one row that counts.
 */
ATH_NODISCARD bool ath_journal_add_nothing(struct ath_journal *journal,
					   const struct ath_journal_run *run, struct ath_err *err);

#endif
