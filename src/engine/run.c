/* SPDX-License-Identifier: MIT */
/*
 * engine/run: carries the scheduler's actions out.
 *
 *	handles, timers, signals ──► ath_sched_* ──► pump: RECORD into the journal, START into `after`
 *	end of the turn: commit() ── durable? ──► `after` is done: steps start, notes are confirmed
 *
 * The commit is put off while nothing in `after` stands on it: the end of a step that has none
 * behind it costs no sync of its own.
 */
#include "engine/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/report.h"
#include "engine/run_parts.h"
#include "journal/journal.h"

enum {
	LAZY_MS = 25, /* a record that nothing waits for is durable this much later at the latest */
};

void ath_run_send(struct ath_run *run, struct ath_event *event)
{
	event->at = ath_time_wall();
	event->run = run->in->world->run;
	event->total = run->in->spec->len;
	event->done = run->ended;
	run->in->on_event(run->in->on_event_user, event);
}

const char *ath_run_step_name(const struct ath_run *run, size_t step)
{
	return run->in->spec->steps[step].name;
}

/* ---- the report: one place writes the result ---- */

static void decide_outcome(struct ath_run *run)
{
	bool is_good = ath_sched_is_good(run->sched) && !run->is_journal_broken;

	ath_report_decide(run->report, is_good, run->signum);
}

static void finish(struct ath_run *run)
{
	struct ath_report *report = run->report;
	struct ath_journal_end end;
	struct ath_err err = { 0 };

	run->is_finished = true;
	ath_report_count(report, run->sched, run->in->spec, run->in->bound);
	decide_outcome(run);
	end = (struct ath_journal_end){
		.outcome = report->outcome,
		.exit_status = report->exit_status,
		.message = report->cause.code != ATH_ERR_OK ? report->cause.msg : NULL,
		.database = report->database[0] ? report->database : NULL,
	};
	if (!run->is_journal_broken && !ath_journal_end_run(run->in->journal, &end, &err)) {
		run->is_journal_broken = true;
		if (report->cause.code == ATH_ERR_OK)
			report->cause = err;
		decide_outcome(run);
	}
	report->ms = ath_time_elapsed_ms(run->since);
	ath_run_send(run, &(struct ath_event){ .kind = ATH_EVENT_RUN_ENDED, .report = report });
	ath_loop_stop(run->in->loop);
}

/* ---- the turn ---- */

static void carry_out(struct ath_run *run, const struct ath_sched_action *action)
{
	switch (action->act) {
	case ATH_SCHED_ASK:
		ath_run_ask(run, action->step);
		break;
	case ATH_SCHED_RECORD:
		ath_run_record(run, action);
		break;
	case ATH_SCHED_START:
		*ath_vec_push(&run->after) =
			(struct ath_run_after){ ATH_RUN_AFTER_START, action->step, NULL, false };
		break;
	case ATH_SCHED_CANCEL:
		ath_run_cancel_step(run, action);
		break;
	case ATH_SCHED_RETRY_LATER:
		ath_run_retry_later(run, action);
		break;
	case ATH_SCHED_CLOSE:
	case ATH_SCHED_ABANDON:
		*ath_vec_push(&run->after) =
			(struct ath_run_after){ ATH_RUN_AFTER_SECTION, action->step, NULL,
						action->act == ATH_SCHED_CLOSE };
		break;
	case ATH_SCHED_FINISH:
		finish(run);
		break;
	case ATH_SCHED_ACT_COUNT_:
		break;
	}
}

static bool has_unwritten(const struct ath_run *run)
{
	return !run->is_journal_broken && ath_journal_has_pending(run->in->journal);
}

void ath_run_pump(struct ath_run *run)
{
	struct ath_sched_action action;

	while (ath_sched_take(run->sched, &action))
		carry_out(run, &action);
	if (!run->is_finished && (run->after.len || (has_unwritten(run) && !run->lazy)))
		ath_loop_wake_turn_end(run->in->loop);
}

static void journal_has_failed(struct ath_run *run, const struct ath_err *err)
{
	run->is_journal_broken = true;
	if (run->report->cause.code == ATH_ERR_OK)
		run->report->cause = *err;
	ath_sched_cancel(run->sched, false);
}

/* A note is durable, or never will be: then the step that waits for it must not go on. */
static void confirm(struct ath_run *run, size_t idx, ath_step_fn *on_durable)
{
	struct ath_step *handle = run->slots[idx].handle;

	if (!handle || ath_handle_is_ended(handle))
		return; /* it was cancelled while it waited */
	if (run->is_journal_broken)
		ath_step_fail(handle, &run->report->cause);
	else
		on_durable(handle);
}

static void commit(struct ath_run *run)
{
	struct ath_err err = { 0 };

	ath_timer_free(run->lazy);
	run->lazy = NULL;
	if (run->is_journal_broken)
		return;
	if (ath_journal_flush(run->in->journal, &err))
		run->commits++;
	else
		journal_has_failed(run, &err);
}

static void on_lazy(void *user)
{
	commit(user);
	ath_run_pump(user);
}

/* Does anything that is to be done now stand on a record that is not durable yet? */
static bool must_commit(const struct ath_run *run)
{
	ath_vec_each (&run->after, one) {
		if (one->kind != ATH_RUN_AFTER_START ||
		    run->slots[one->step].ready_commit > run->commits)
			return true;
	}
	return false;
}

static void on_turn_end(void *user)
{
	struct ath_run *run = user;
	size_t len;

	if (must_commit(run))
		commit(run);
	else if (has_unwritten(run) && !run->lazy)
		run->lazy = ath_timer_start(run->in->loop, LAZY_MS, on_lazy, run);
	len = run->after.len;
	for (size_t i = 0; i < len; i++) {
		struct ath_run_after after = run->after.items[i];

		if (after.kind == ATH_RUN_AFTER_START)
			ath_run_start_step(run, after.step);
		else if (after.kind == ATH_RUN_AFTER_NOTE)
			confirm(run, after.step, after.on_durable);
		else
			ath_run_end_section(run, &after);
	}
	memmove(run->after.items, run->after.items + len,
		(run->after.len - len) * sizeof(*run->after.items));
	run->after.len -= len;
	ath_run_pump(run);
}

/* ---- what handles ask of us ---- */

static void on_say(void *owner, size_t idx, const char *text,
		   const struct ath_meter_reading *reading)
{
	struct ath_run *run = owner;

	ath_run_send(run, &(struct ath_event){ .kind = ATH_EVENT_PROGRESS,
					       .step = ath_run_step_name(run, idx),
					       .text = text,
					       .reading = reading });
}

static void on_fact(void *owner, const char *name, const char *value)
{
	struct ath_run *run = owner;

	ath_pairs_set(run->in->world->facts, name, value);
	ath_journal_add_fact(run->in->journal, name, value);
	ath_loop_wake_turn_end(run->in->loop);
}

static void on_note(void *owner, size_t idx, const char *name, const struct ath_pairs *pairs,
		    ath_step_fn *on_durable)
{
	struct ath_run *run = owner;

	ath_journal_add_note(run->in->journal, ath_run_step_name(run, idx), name, pairs);
	if (on_durable)
		*ath_vec_push(&run->after) =
			(struct ath_run_after){ ATH_RUN_AFTER_NOTE, idx, on_durable, false };
	ath_loop_wake_turn_end(run->in->loop);
}

static void *on_section(void *owner, size_t idx)
{
	struct ath_run_section *section = ath_run_find_section(owner, idx);

	return section ? section->work : NULL;
}

static void on_signal(void *user, int signum)
{
	struct ath_run *run = user;
	bool at_once = run->signum != 0;

	if (run->is_finished)
		return;
	run->signum = signum;
	ath_sched_cancel(run->sched, at_once);
	ath_run_pump(run);
}

static void on_warden_death(void *user)
{
	struct ath_run *run = user;

	if (run->is_finished)
		return;
	run->signum = SIGKILL;
	ath_sched_cancel(run->sched, true);
	ath_run_pump(run);
}

/* ---- life ---- */

static void init_run(struct ath_run *run, const struct ath_run_setup *in, struct ath_report *report)
{
	bool *uses_job = ath_mem_new(in->spec->len, sizeof(*uses_job));

	for (size_t i = 0; i < in->spec->len; i++)
		uses_job[i] = in->bound[i].type && in->bound[i].type->uses_job;
	*run = (struct ath_run){
		.in = in,
		.sched = ath_sched_new(in->spec, in->graph, uses_job, in->jobs),
		.slots = ath_mem_new(in->spec->len, sizeof(*run->slots)),
		.retries = ath_mem_new(in->spec->len, sizeof(*run->retries)),
		.report = report,
		.since = ath_time_mono(),
		.owner = { run, in->loop, in->world, on_say, on_fact, on_note, on_section,
			   ath_run_on_end },
	};
	free(uses_job);
	for (size_t i = 0; i < in->plan->len; i++)
		run->slots[in->plan->rows[i].step].row = &in->plan->rows[i];
}

static void fini_run(struct ath_run *run)
{
	for (size_t i = 0; i < run->in->spec->len; i++) {
		ath_handle_free(run->slots[i].handle);
		ath_timer_free(run->slots[i].retry);
		free(run->slots[i].reason);
		free(run->slots[i].fingerprint);
	}
	ath_vec_each (&run->sections, one) {
		(*one)->type->free((*one)->work);
		free(*one);
	}
	ath_timer_free(run->lazy);
	ath_vec_fini(&run->sections);
	ath_vec_fini(&run->after);
	ath_sched_free(run->sched);
	ath_arena_fini(&run->arena);
	free(run->slots);
	free(run->retries);
}

/* Signals and the warden's death reach the run from here on. */
static bool watch(struct ath_run *run, struct ath_err *err)
{
	const struct ath_lock *lock = run->in->lock;

	return ath_loop_watch_signals(run->in->loop, on_signal, run, err) &&
	       (!lock || lock->control_fd < 0 ||
		ath_loop_watch_hangup(run->in->loop, lock->control_fd, on_warden_death, run, err));
}

void ath_run(const struct ath_run_setup *setup, struct ath_report *out_report)
{
	struct ath_run run;
	struct ath_err err = { 0 };

	*out_report = (struct ath_report){ .outcome = "failed", .exit_status = 1 };
	init_run(&run, setup, out_report);
	ath_loop_set_turn_end(setup->loop, on_turn_end, &run);
	ath_run_send(&run, &(struct ath_event){ .kind = ATH_EVENT_RUN_BEGAN });
	if (!watch(&run, &err))
		journal_has_failed(&run, &err);
	ath_sched_begin(run.sched);
	ath_run_pump(&run);
	if (!run.is_finished)
		ath_loop_run(setup->loop);
	fini_run(&run);
}
