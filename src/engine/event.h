/* SPDX-License-Identifier: MIT */
/*
 * engine/event: what happened, as plain values: all that ui sees of the engine.
 */
#ifndef ATH_ENGINE_EVENT_H
#define ATH_ENGINE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/meter.h"
#include "base/time.h"

enum ath_event_kind {
	ATH_EVENT_RUN_BEGAN,
	ATH_EVENT_STATE,    /* a step came into a state */
	ATH_EVENT_PROGRESS, /* a running step says something */
	ATH_EVENT_RUN_ENDED,
	ATH_EVENT_COUNT_
};

/* The result of a run: exit status, last line and journal are made from this one value. */
struct ath_report {
	const char *outcome;  /* succeeded, nothing, failed, refused, cancelled; static text */
	int exit_status;      /* PRODUCT.md */
	char step[64];        /* the step that failed, or "" */
	struct ath_err cause; /* of the failure; clean after success */
	char database[16];    /* unchanged, restored, upgraded, created, needs-you, or "" */
	char log[512];        /* path of the failed step's log, or "" */
	char gap[512];        /* path of the first log that is incomplete, or "" */
	int gap_errnum;       /* why */
	bool has_changed;     /* a step that does more than look has run */
	size_t succeeded, satisfied, skipped, failed, blocked, cancelled; /* steps */
	uint64_t ms;                                                      /* the whole run */
};

struct ath_event {
	enum ath_event_kind kind;
	struct ath_wall at;
	const char *run;    /* mark of the run */
	const char *step;   /* STATE and PROGRESS */
	size_t idx;         /* STATE: its place in the spec, below `total` */
	const char *state;  /* STATE: name of the state */
	const char *reason; /* STATE: why, or NULL */
	bool is_optional;   /* STATE: its failure fails nothing */
	unsigned attempt;   /* STATE: from 1; 0 if it never started */
	uint64_t ms;        /* STATE: how long it ran, if it ended */
	const char *text;   /* PROGRESS */
	const struct ath_meter_reading
		*reading;                /* PROGRESS: what the text was made from, or NULL */
	size_t done, total;              /* STATE: steps at their end, steps in all */
	const struct ath_report *report; /* RUN_ENDED */
};

/* Receives every event, on the loop's thread; everything is borrowed for the call. */
typedef void ath_event_fn(void *user, const struct ath_event *event);

#endif
