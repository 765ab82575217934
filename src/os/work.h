/* SPDX-License-Identifier: MIT */
/*
 * os/work: blocking work on the thread pool, the only place with threads.
 *
 * `work` runs on another thread and touches only what it was given; `on_done` comes on the loop's
 * thread, exactly once, never from inside start.
 */
#ifndef ATH_OS_WORK_H
#define ATH_OS_WORK_H

#include <stdbool.h>

#include "base/err.h"
#include "os/loop.h"

/* Runs on a thread of the pool; true, or false with a filled error. */
typedef bool ath_work_fn(void *user, struct ath_err *err);
/* `err` is clean if the work returned true; borrowed for the call. */
typedef void ath_work_done_fn(void *user, const struct ath_err *err);

/* Start `work`. It cannot be taken back: `work` looks at a flag of its own if it can end early. */
void ath_work_start(struct ath_loop *loop, ath_work_fn *work, ath_work_done_fn *on_done,
		    void *user);

#endif
