/* SPDX-License-Identifier: MIT */
/*
 * engine/handle: the running step behind step.h, and what engine/run must do for it.
 *
 * A handle exists from the start of an attempt until its end was reported. It reports to its owner
 * through the functions of ath_handle_owner only, so it knows neither scheduler nor journal.
 */
#ifndef ATH_ENGINE_HANDLE_H
#define ATH_ENGINE_HANDLE_H

#include "base/hash.h"
#include "engine/step.h"
#include "engine/steplog.h"
#include "engine/survey.h"
#include "os/loop.h"
#include "os/work.h"

/* What the owner does for a handle; `owner` is its own pointer. */
struct ath_handle_owner {
	void *owner;
	struct ath_loop *loop;
	const struct ath_step_world *world;
	/* `reading`: of the meter that the text was made from, or NULL. */
	void (*on_say)(void *owner, size_t step, const char *text,
		       const struct ath_meter_reading *reading);
	void (*on_fact)(void *owner, const char *name, const char *value);
	/* Call `on_durable` (may be NULL) when the note cannot be lost any more. */
	void (*on_note)(void *owner, size_t step, const char *name, const struct ath_pairs *pairs,
			ath_step_fn *on_durable);
	void *(*on_section)(void *owner, size_t step);
	/* The attempt has ended; err is clean after success. The handle may be freed by this call. */
	void (*on_end)(void *owner, size_t step, const struct ath_err *err);
};

/* Start an attempt: the type's start is called before this returns. */
struct ath_step *ath_handle_start(const struct ath_handle_owner *owner, size_t idx,
				  const struct ath_spec_step *step, const struct ath_bound *bound);

/* Ask the attempt to end; its children are ended. */
void ath_handle_cancel(struct ath_step *step, bool at_once);

/* The fingerprint of the inputs as they were at the start. */
const char *ath_handle_fingerprint(const struct ath_step *step);

/* Has the step said its last word? Then it must not be called any more; on_end is on its way. */
bool ath_handle_is_ended(const struct ath_step *step);

/* Was the attempt ended because its time had passed? */
bool ath_handle_timed_out(const struct ath_step *step);

/* Why its log is incomplete: an errno value, or 0. Final in on_end. */
int ath_handle_log_error(const struct ath_step *step);

/* Release after on_end. */
void ath_handle_free(struct ath_step *step);

#endif
