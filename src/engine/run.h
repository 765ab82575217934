/* SPDX-License-Identifier: MIT */
/*
 * engine/run: carries the scheduler's actions out; the only place where the pure and the impure
 * meet.
 *
 * What happens in one turn of the loop is gathered and written by one durable commit of the journal,
 * and what stands on it is done only then. A commit that nothing waits for is put off for some
 * milliseconds. If the journal cannot be written, nothing new starts and the run ends.
 */
#ifndef ATH_ENGINE_RUN_H
#define ATH_ENGINE_RUN_H

#include "engine/event.h"
#include "engine/history.h"
#include "engine/step.h"
#include "engine/survey.h"
#include "os/loop.h"
#include "os/warden.h"
#include "plan/graph.h"
#include "plan/make.h"

struct ath_journal;

/* Everything that a run needs; all borrowed, and must outlive ath_run. */
struct ath_run_setup {
	struct ath_loop *loop;
	struct ath_journal *journal; /* with the run begun */
	const struct ath_spec *spec;
	const struct ath_graph *graph;
	const struct ath_plan *plan;
	const struct ath_bound *bound; /* one per step */
	const struct ath_history *history;
	const struct ath_step_table *table;
	const struct ath_step_world *world;
	const struct ath_lock *lock; /* NULL: no hint, no control pipe */
	unsigned jobs;
	ath_event_fn *on_event;
	void *on_event_user;
};

/*
 * Run to the end, running the loop meanwhile, and close the run in the journal. The outcome is in
 * the report and nowhere else; this function itself cannot fail.
 */
void ath_run(const struct ath_run_setup *setup, struct ath_report *out_report);

#endif
