/* SPDX-License-Identifier: MIT */
/*
 * base/time: clock values as types, and how they are written.
 *
 * Wall time is for people and records only; durations are taken from the monotonic clock, so a
 * clock set back does no harm.
 */
#ifndef ATH_BASE_TIME_H
#define ATH_BASE_TIME_H

#include <stdint.h>

#include "base/str.h"

struct ath_mono {
	uint64_t ns; /* CLOCK_MONOTONIC */
};

struct ath_wall {
	int64_t ms; /* since 1970-01-01T00:00:00Z */
};

/* The monotonic clock now. */
struct ath_mono ath_time_mono(void);

/* The wall clock now. */
struct ath_wall ath_time_wall(void);

/* Milliseconds from `since` until now. */
uint64_t ath_time_elapsed_ms(struct ath_mono since);

/* Append as RFC 3339 in UTC: 2026-11-25T13:08:31.123Z. */
void ath_time_put_wall(struct ath_str *str, struct ath_wall at);

/* Append a duration for people: "0.4 s", "12 s", "3 min 05 s". */
void ath_time_put_duration(struct ath_str *str, uint64_t ms);

#endif
