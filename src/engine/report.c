/* SPDX-License-Identifier: MIT */
/* engine/report: the one place that writes the result of a run. */
#include "engine/report.h"

#include <stdio.h>

void ath_report_place(struct ath_report *report, const char *run_dir, const char *step)
{
	snprintf(report->step, sizeof(report->step), "%s", step);
	snprintf(report->log, sizeof(report->log), "%s/%s.log", run_dir, step);
}

void ath_report_gap(struct ath_report *report, const char *run_dir, const char *step, int errnum)
{
	if (!errnum || report->gap_errnum)
		return;
	snprintf(report->gap, sizeof(report->gap), "%s/%s.log", run_dir, step);
	report->gap_errnum = errnum;
}

void ath_report_fail(struct ath_report *report, const char *run_dir, const char *step,
		     const struct ath_err *err)
{
	bool is_first = report->cause.code == ATH_ERR_OK;

	if (!is_first && err->code != ATH_ERR_NEEDS_YOU)
		return;
	if (is_first)
		ath_report_place(report, run_dir, step);
	report->cause = *err;
}

void ath_report_count(struct ath_report *report, const struct ath_sched *sched,
		      const struct ath_spec *spec, const struct ath_bound *bound)
{
	size_t *const counters[ATH_STATE_COUNT_] = {
		[ATH_STATE_SUCCEEDED] = &report->succeeded,
		[ATH_STATE_FAILED] = &report->failed,
		[ATH_STATE_CANCELLED] = &report->cancelled,
		[ATH_STATE_SATISFIED] = &report->satisfied,
		[ATH_STATE_SKIPPED] = &report->skipped,
		[ATH_STATE_BLOCKED] = &report->blocked,
	};

	for (size_t i = 0; i < spec->len; i++) {
		size_t *counter = counters[ath_sched_state(sched, i)];

		if (counter)
			++*counter;
		if (counter == &report->succeeded && !bound[i].type->only_looks)
			report->has_changed = true;
	}
}

void ath_report_decide(struct ath_report *report, bool is_good, int signum)
{
	int failure = ath_err_exit_status(report->cause.code);

	if (is_good && report->cause.code == ATH_ERR_OK) {
		report->outcome = "succeeded";
		report->exit_status = 0;
	} else if (signum && report->cause.code != ATH_ERR_NEEDS_YOU) {
		report->outcome = "cancelled";
		report->exit_status = 128 + signum;
	} else {
		report->outcome = failure == 3 ? "refused" : "failed";
		report->exit_status = failure ? failure : 1;
	}
}
