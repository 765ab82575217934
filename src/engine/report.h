/* SPDX-License-Identifier: MIT */
/*
 * engine/report: the one place that writes the result of a run; exit status, last line and journal
 * are made from it.
 */
#ifndef ATH_ENGINE_REPORT_H
#define ATH_ENGINE_REPORT_H

#include "engine/event.h"
#include "engine/sched.h"
#include "engine/survey.h"

/* Where it happened: the step, and its log in the run's folder. */
void ath_report_place(struct ath_report *report, const char *run_dir, const char *step);

/* The log of a step is incomplete; the first one stands. */
void ath_report_gap(struct ath_report *report, const char *run_dir, const char *step, int errnum);

/* A cause. The first one stands, with its place, unless something worse comes (needs-you). */
void ath_report_fail(struct ath_report *report, const char *run_dir, const char *step,
		     const struct ath_err *err);

/* Count the states in which the steps ended. */
void ath_report_count(struct ath_report *report, const struct ath_sched *sched,
		      const struct ath_spec *spec, const struct ath_bound *bound);

/*
 * Decide outcome and exit status. `is_good`: every step that is not optional came to a good end and
 * all of it is in the journal. `signum`: the signal that called the run off, or 0.
 */
void ath_report_decide(struct ath_report *report, bool is_good, int signum);

#endif
