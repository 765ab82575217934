/* SPDX-License-Identifier: MIT */
/*
 * engine/sched: event in, ordered list of actions out; pure.
 *
 * Two phases: events settle the states through a queue until it is quiet, then actions come out.
 * "Record that X is ready" always stands before "start X", and the states of a whole ready set come
 * together, so that one commit of the journal serves all their starts. The caller carries the actions
 * out in order and reports back with further events:
 *
 *	ASK step            its needs are met: decide, then ath_sched_answer
 *	RECORD step         write its state into the journal
 *	START step          start it (only after its RECORD of `ready` is durable), then ath_sched_ended
 *	CANCEL step         ask it to end; ath_sched_ended still comes
 *	RETRY_LATER step    call ath_sched_retry_due after the delay
 *	CLOSE section       all of it is done: close, then ath_sched_section_settled
 *	ABANDON section     one of it failed or was cancelled: undo, then ath_sched_section_settled
 *	FINISH              nothing is left to do; comes exactly once, last
 *
 * A step with a skip_reason is passed over without being asked for; it is blocked like any other, so
 * that a failure reaches those behind it.
 * Sections: steps that need a step of a section from outside wait until the section is settled. A
 * section is opened by its first START. `jobs` limits how many steps with uses_job run at a time.
 * Cost per event is independent of the number of steps.
 */
#ifndef ATH_ENGINE_SCHED_H
#define ATH_ENGINE_SCHED_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/state.h"
#include "plan/graph.h"
#include "plan/spec.h"

struct ath_sched;

enum ath_sched_act {
	ATH_SCHED_ASK,
	ATH_SCHED_RECORD,
	ATH_SCHED_START,
	ATH_SCHED_CANCEL,
	ATH_SCHED_RETRY_LATER,
	ATH_SCHED_CLOSE,
	ATH_SCHED_ABANDON,
	ATH_SCHED_FINISH,
	ATH_SCHED_ACT_COUNT_
};

struct ath_sched_action {
	enum ath_sched_act act;
	size_t step; /* index into the spec; of CLOSE and ABANDON: any step of the section */
	enum ath_state state; /* RECORD: the state it came into */
	unsigned attempt;     /* RECORD, START, RETRY_LATER: from 1 */
	size_t subject;       /* RECORD of BLOCKED: the need that is not met; else spec length */
	bool at_once;         /* CANCEL */
};

/* How a step ended. */
enum ath_sched_end {
	ATH_SCHED_OK,
	ATH_SCHED_BAD,       /* failed, and trying again would not help */
	ATH_SCHED_TRY_AGAIN, /* failed, and may be tried again if retries are left */
	ATH_SCHED_CALLED_OFF,
	ATH_SCHED_END_COUNT_
};

/* What to do with a step whose needs are met. */
enum ath_sched_answer {
	ATH_SCHED_RUN,
	ATH_SCHED_HOLDS,
	ATH_SCHED_PASS_OVER,
	ATH_SCHED_ANSWER_COUNT_
};

/*
 * Make a scheduler over a spec and its graph (borrowed, must outlive it). `uses_job` tells for each
 * step whether it counts against `jobs`.
 */
struct ath_sched *ath_sched_new(const struct ath_spec *spec, const struct ath_graph *graph,
				const bool *uses_job, unsigned jobs);

/* Release; NULL is fine. */
void ath_sched_free(struct ath_sched *sched);

/* Begin: the first actions come out. */
void ath_sched_begin(struct ath_sched *sched);

/* Take the next action; false if there is none now. */
bool ath_sched_take(struct ath_sched *sched, struct ath_sched_action *out_action);

/* The answer to ASK. */
void ath_sched_answer(struct ath_sched *sched, size_t step, enum ath_sched_answer answer);

/* A started step has ended. */
void ath_sched_ended(struct ath_sched *sched, size_t step, enum ath_sched_end end);

/* The delay after RETRY_LATER has passed. */
void ath_sched_retry_due(struct ath_sched *sched, size_t step);

/* The section of `step` is closed or undone. */
void ath_sched_section_settled(struct ath_sched *sched, size_t step);

/*
 * The run shall end: nothing new starts but steps marked always, what runs is cancelled. Again with
 * `at_once`: steps marked always are cancelled too.
 */
void ath_sched_cancel(struct ath_sched *sched, bool at_once);

/* State of a step. */
enum ath_state ath_sched_state(const struct ath_sched *sched, size_t step);

/* Did every step that is not optional come to a good end? Meaningful after FINISH. */
bool ath_sched_is_good(const struct ath_sched *sched);

/* Has ath_sched_cancel been called? */
bool ath_sched_is_cancelled(const struct ath_sched *sched);

#endif
