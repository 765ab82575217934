/* SPDX-License-Identifier: MIT */
/*
 * engine/state: the states of a step, the events that move it, and the one transition table.
 *
 *	pending ──DEPS_MET──► ready ──START──► running ──ENDED_OK──► succeeded
 *	   │                   ▲                 │ │ └───ENDED_BAD─► failed
 *	   │                RETRY_DUE         RETRY│ └───CALLED_OFF► cancelled
 *	   │                   └──waiting_retry◄───┘
 *	   ├──HOLDS────► satisfied      its effect is there
 *	   ├──PASS_OVER► skipped        it is not wanted
 *	   ├──BLOCK────► blocked        a need failed, was blocked or was cancelled
 *	   └──CALLED_OFF► cancelled     the run is ending (also from ready and waiting_retry)
 *
 * Events come from the scheduler only. A running step that finds its effect there reports
 * ENDED_OK. Invariant: a step is started only when its record of `ready` is durable. So a step whose
 * last record is `ready` or `running` may have run when its run died, and no other step can have.
 * A pair that is not in the table is a bug, and the program ends naming both.
 */
#ifndef ATH_ENGINE_STATE_H
#define ATH_ENGINE_STATE_H

#include <stdbool.h>

#include "plan/make.h"

#define ATH_STATES(X)                     \
	X(PENDING, "pending")             \
	X(READY, "ready")                 \
	X(RUNNING, "running")             \
	X(WAITING_RETRY, "waiting_retry") \
	X(SUCCEEDED, "succeeded")         \
	X(FAILED, "failed")               \
	X(CANCELLED, "cancelled")         \
	X(SATISFIED, "satisfied")         \
	X(SKIPPED, "skipped")             \
	X(BLOCKED, "blocked")

enum ath_state {
#define X(id, name) ATH_STATE_##id,
	ATH_STATES(X)
#undef X
	ATH_STATE_COUNT_
};

#define ATH_EVENTS(X)             \
	X(DEPS_MET, "deps_met")   \
	X(START, "start")         \
	X(ENDED_OK, "ended_ok")   \
	X(ENDED_BAD, "ended_bad") \
	X(RETRY, "retry")         \
	X(RETRY_DUE, "retry_due") \
	X(HOLDS, "holds")         \
	X(PASS_OVER, "pass_over") \
	X(BLOCK, "block")         \
	X(CALLED_OFF, "called_off")

enum ath_state_event {
#define X(id, name) ATH_STATE_EVENT_##id,
	ATH_EVENTS(X)
#undef X
	ATH_STATE_EVENT_COUNT_
};

/* The state after an event. A pair that cannot be ends the program. */
enum ath_state ath_state_next(enum ath_state state, enum ath_state_event event);

/* Can this event come in this state? */
bool ath_state_can(enum ath_state state, enum ath_state_event event);

/* Has the step come to its end? */
bool ath_state_is_final(enum ath_state state);

/* Does a step in this (final) state count as a met need? */
bool ath_state_is_met(enum ath_state state);

/* Name as in the journal; static text. */
const char *ath_state_name(enum ath_state state);

/* The state of that name, or ATH_STATE_COUNT_. */
enum ath_state ath_state_find(const char *name);

/* What the last recorded state of a step means for the run that continues (the fold). */
enum ath_past ath_state_past(enum ath_state last);

#endif
