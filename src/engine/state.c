/* SPDX-License-Identifier: MIT */
/* engine/state: the one transition table. */
#include "engine/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
#define X(id, name) name,
	ATH_STATES(X)
#undef X
};
static const char *const event_names[] = {
#define X(id, name) name,
	ATH_EVENTS(X)
#undef X
};

#define TO(id) (ATH_STATE_##id + 1) /* 0: this event cannot come in this state */
#define ON(id) [ATH_STATE_EVENT_##id]

static const unsigned char next_state[ATH_STATE_COUNT_][ATH_STATE_EVENT_COUNT_] = {
	[ATH_STATE_PENDING] = { ON(DEPS_MET) = TO(READY), ON(HOLDS) = TO(SATISFIED),
				ON(PASS_OVER) = TO(SKIPPED), ON(BLOCK) = TO(BLOCKED),
				ON(CALLED_OFF) = TO(CANCELLED) },
	[ATH_STATE_READY] = { ON(START) = TO(RUNNING), ON(CALLED_OFF) = TO(CANCELLED) },
	[ATH_STATE_RUNNING] = { ON(ENDED_OK) = TO(SUCCEEDED), ON(ENDED_BAD) = TO(FAILED),
				ON(RETRY) = TO(WAITING_RETRY), ON(CALLED_OFF) = TO(CANCELLED) },
	[ATH_STATE_WAITING_RETRY] = { ON(RETRY_DUE) = TO(READY), ON(CALLED_OFF) = TO(CANCELLED) },
	[ATH_STATE_SUCCEEDED] = { 0 },
	[ATH_STATE_FAILED] = { 0 },
	[ATH_STATE_CANCELLED] = { 0 },
	[ATH_STATE_SATISFIED] = { 0 },
	[ATH_STATE_SKIPPED] = { 0 },
	[ATH_STATE_BLOCKED] = { 0 },
};
static_assert(sizeof(state_names) / sizeof(state_names[0]) == ATH_STATE_COUNT_, "a name per state");

bool ath_state_can(enum ath_state state, enum ath_state_event event)
{
	return next_state[state][event] != 0;
}

enum ath_state ath_state_next(enum ath_state state, enum ath_state_event event)
{
	if (!next_state[state][event]) {
		fprintf(stderr, "athanor: bug: event '%s' in state '%s'\n", event_names[event],
			state_names[state]);
		abort();
	}
	return (enum ath_state)(next_state[state][event] - 1);
}

bool ath_state_is_final(enum ath_state state)
{
	return state >= ATH_STATE_SUCCEEDED;
}

bool ath_state_is_met(enum ath_state state)
{
	return state == ATH_STATE_SUCCEEDED || state == ATH_STATE_SATISFIED ||
	       state == ATH_STATE_SKIPPED;
}

const char *ath_state_name(enum ath_state state)
{
	return state_names[state];
}

enum ath_state ath_state_find(const char *name)
{
	unsigned state = 0;

	while (state < ATH_STATE_COUNT_ && strcmp(state_names[state], name) != 0)
		state++;
	return (enum ath_state)state;
}

enum ath_past ath_state_past(enum ath_state last)
{
	switch (last) {
	case ATH_STATE_SUCCEEDED:
	case ATH_STATE_SATISFIED:
		return ATH_PAST_DONE;
	case ATH_STATE_FAILED:
		return ATH_PAST_FAILED;
	case ATH_STATE_READY:
	case ATH_STATE_RUNNING:
	case ATH_STATE_CANCELLED:
		return ATH_PAST_INTERRUPTED;
	default:
		return ATH_PAST_NONE;
	}
}
