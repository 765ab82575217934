/* SPDX-License-Identifier: MIT */
/*
 * steps/resume: what a run that died while it had the section `database` open has left in the live
 * file (SAFETY.md 3.2).
 *
 * A section writes down, before it can do anything to a database, which run opened it, the page hash of
 * the database then (OLD), and, before its commit, that of what it commits (NEW): note `db.open`. It is
 * ended by the note `section` of that run, by `db.committed` once the commit was read back, or by
 * `db.resumed` once a later run has looked. Rows and schema cannot tell a restore or a migration of data
 * that was committed already; the hash can.
 *
 * Whoever resumes asks ath_resume_find on the loop's thread, ath_resume_judge on another, then
 * ath_resume_record, and goes on with what is live: from NEW nothing is left to be committed.
 */
#ifndef ATH_STEPS_RESUME_H
#define ATH_STEPS_RESUME_H

#include "engine/step.h"
#include "sqlite/live.h"
#include "trust/digest.h"

enum ath_resume_state {
	ATH_RESUME_NOTHING, /* no section is open, or what is live has not been compared */
	ATH_RESUME_OLD, /* as it was when the section was opened: the commit did not come through */
	ATH_RESUME_NEW, /* the commit came through */
	ATH_RESUME_OTHER, /* neither: somebody else has changed it since */
	ATH_RESUME_COUNT_
};

struct ath_resume {
	struct ath_pairs open; /* owned; the note db.open of the dead run; empty: none is open */
	enum ath_resume_state state;
	char now[ATH_DIGEST_TEXT]; /* page hash of what is live, once it was compared */
};

/* Is a section open that an earlier run has left for the database at `path`? */
bool ath_resume_find(const struct ath_step_world *world, const char *path, struct ath_resume *out);

/*
 * Compare what is live, in a read transaction, and set `state`; `scratch` is a name for a copy. Nothing
 * is compared (state NOTHING) where there is no file, or an interrupted write must be rolled back first.
 * Fails with: ATH_ERR_LOCKED, ATH_ERR_CANCELLED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_resume_judge(struct ath_resume *resume, const struct ath_db_form *form,
				    const char *scratch, struct ath_meter *meter,
				    struct ath_err *err);

/* The same by a page hash that was taken under the lock. */
void ath_resume_judge_pages(struct ath_resume *resume, const char *pages);

/*
 * Say and record what was found (`db.resumed`; NEW: also `db.committed`). Nothing if nothing was
 * compared.
 */
void ath_resume_record(struct ath_step *step, const struct ath_resume *resume);

struct ath_database_work;

/* Record that the section of this run is open, with what is known of its page hashes. */
void ath_resume_open(struct ath_step *step, const struct ath_database_work *work);

/* Release; zeroed afterwards. */
void ath_resume_fini(struct ath_resume *resume);

#endif
