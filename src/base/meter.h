/* SPDX-License-Identifier: MIT */
/*
 * base/meter: how far a long piece of work has come, and whether it is still wanted.
 *
 * The thread that works moves the meter on, another one reads it and may call the work off: every
 * field that both touch is atomic, and nothing blocks. What is read while a new activity begins may
 * mix both for one reading; it is for people only.
 */
#ifndef ATH_BASE_METER_H
#define ATH_BASE_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ath_str;

/* Zeroed: nothing is going on. */
struct ath_meter {
	_Atomic(const char *)
		what; /* static text: "copying the database"; NULL: nothing is going on */
	_Atomic(uint64_t) done, total; /* bytes; total 0: it cannot be told */
	_Atomic(uint64_t) since_ns;    /* when the activity began, monotonic */
	atomic_bool is_called_off;
	atomic_bool is_deaf; /* set by the work itself: it cannot be called off any more */
};

/* A meter at one moment. */
struct ath_meter_reading {
	const char *what;     /* static text */
	uint64_t done, total; /* bytes; total 0: it cannot be told */
	uint64_t ms;          /* since the activity began */
};

/* An activity begins, of `total` bytes (0: it cannot be told); `what` is static text. NULL is fine. */
void ath_meter_begin(struct ath_meter *meter, const char *what, uint64_t total);

/* Nothing is going on any more. NULL is fine. */
void ath_meter_end(struct ath_meter *meter);

/*
 * The activity has come to `done` of `all` parts of equal size; false: it is called off. `meter` is a
 * struct ath_meter, or NULL: this is a progress function for other modules.
 */
bool ath_meter_move(void *meter, uint64_t done, uint64_t all);

/* Is the work still wanted? `meter` as above. */
bool ath_meter_goes_on(void *meter);

/* The work is not wanted any more; it ends soon, unless it is deaf. */
void ath_meter_call_off(struct ath_meter *meter);

/* Read it; false if nothing is going on. */
bool ath_meter_read(struct ath_meter *meter, struct ath_meter_reading *out);

/*
 * Bytes in a second on the average since the activity began; 0 where that cannot be told yet (nothing
 * done, or no time gone).
 */
uint64_t ath_meter_rate(const struct ath_meter_reading *reading);

/* Milliseconds that are left at that rate; UINT64_MAX where that cannot be told. */
uint64_t ath_meter_left_ms(const struct ath_meter_reading *reading);

/*
 * Append a reading for people: "copying the database: 312 of 1024 MiB, 104 MiB/s, 7 s left", or
 * "checking the copy, 12 s so far" where no total is known.
 */
void ath_meter_put(struct ath_str *out, const struct ath_meter_reading *reading);

#endif
