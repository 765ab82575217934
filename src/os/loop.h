/* SPDX-License-Identifier: MIT */
/*
 * os/loop: the event loop, its timers, deferred calls and signals, and the order of shutdown.
 *
 * One loop per process, made after the warden was forked. Everything that reports asynchronously
 * does so on this loop's thread, never from inside the call that started it.
 */
#ifndef ATH_OS_LOOP_H
#define ATH_OS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ath_loop;
struct ath_timer;

typedef void ath_loop_fn(void *user);
typedef void ath_loop_signal_fn(void *user, int signum);

/* Make the loop; NULL and an error if the system refuses. SIGPIPE is ignored from here on. */
ATH_NODISCARD struct ath_loop *ath_loop_new(struct ath_err *err);

/* Run until nothing is left to wait for, or until ath_loop_stop. */
void ath_loop_run(struct ath_loop *loop);

/* Make ath_loop_run return after the current turn. */
void ath_loop_stop(struct ath_loop *loop);

/*
 * Close what is still open and release the loop. Returns false if something was still active, that
 * is, if an object outlived its owner (a bug that tests look for). NULL is fine.
 */
bool ath_loop_free(struct ath_loop *loop);

/*
 * Report SIGINT, SIGTERM, SIGHUP and SIGQUIT to `on_signal` from now on, on the loop's thread.
 * Waiting for them does not keep the loop running.
 */
ATH_NODISCARD bool ath_loop_watch_signals(struct ath_loop *loop, ath_loop_signal_fn *on_signal,
					  void *user, struct ath_err *err);

/* Call `fn` once, after `ms` milliseconds. The timer keeps the loop running; owned by the caller. */
struct ath_timer *ath_timer_start(struct ath_loop *loop, uint64_t ms, ath_loop_fn *fn, void *user);

/*
 * Release a timer, fired or not; its callback does not come any more. Must be called exactly once
 * for each timer, also from inside its callback. NULL is fine.
 */
void ath_timer_free(struct ath_timer *timer);

/*
 * Call `fn` once, in this or the next turn, after everything that is already due. This is how "a
 * callback never comes from inside start" is kept by code that has its answer at once.
 */
void ath_loop_defer(struct ath_loop *loop, ath_loop_fn *fn, void *user);

/*
 * Call `fn` at the end of each loop turn in which ath_loop_wake_turn_end was called: one call for
 * all that happened in the turn (the journal's one commit per turn).
 */
void ath_loop_set_turn_end(struct ath_loop *loop, ath_loop_fn *fn, void *user);

/* Ask for the turn-end call in this turn. */
void ath_loop_wake_turn_end(struct ath_loop *loop);

/*
 * Watch `fd` for becoming readable or closed by its peer; used for the warden's control pipe. Does
 * not keep the loop running. `fd` stays the caller's.
 */
ATH_NODISCARD bool ath_loop_watch_hangup(struct ath_loop *loop, int fd, ath_loop_fn *fn, void *user,
					 struct ath_err *err);

#endif
