/* SPDX-License-Identifier: MIT */
/* engine/run: one step on its way: asked, recorded, started, ended, tried again, called off. */
#include "engine/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/time.h"
#include "engine/report.h"
#include "engine/run_parts.h"
#include "engine/turn.h"
#include "journal/journal.h"

enum {
	BACKOFF_FIRST_MS = 2000, /* before the second attempt; doubles, up to */
	BACKOFF_MOST_MS = 60000,
};

/* ---- asking: what of a step whose needs are met? ---- */

static bool is_behind_change(const struct ath_run *run, size_t idx)
{
	const struct ath_graph_node *node = &run->in->graph->nodes[idx];

	for (size_t i = 0; i < node->needs_len; i++) {
		size_t need = node->needs[i];

		if (run->slots[need].is_behind_change ||
		    ath_sched_state(run->sched, need) == ATH_STATE_SUCCEEDED)
			return true;
	}
	return false;
}

static void set_reason(struct ath_run_slot *slot, const char *text)
{
	free(slot->reason);
	slot->reason = text ? ath_mem_strdup(text) : NULL;
}

void ath_run_ask(struct ath_run *run, size_t idx)
{
	struct ath_run_slot *slot = &run->slots[idx];
	struct ath_plan_row row;
	struct ath_turn turn;
	struct ath_str text = { 0 };

	slot->is_behind_change = is_behind_change(run, idx);
	turn = (struct ath_turn){ .step = &run->in->spec->steps[idx],
				  .bound = &run->in->bound[idx],
				  .history = run->in->history,
				  .world = run->in->world,
				  .planned = slot->row,
				  .is_behind_change = slot->is_behind_change };
	row = ath_turn_decide(&turn, &run->arena);
	ath_plan_put_reason(&run->in->spec->steps[idx], &row, &text);
	set_reason(slot, ath_str_get(&text));
	ath_str_fini(&text);
	ath_sched_answer(run->sched, idx,
			 row.verdict == ATH_PLAN_SKIP        ? ATH_SCHED_PASS_OVER
			 : row.verdict == ATH_PLAN_SATISFIED ? ATH_SCHED_HOLDS
							     : ATH_SCHED_RUN);
}

/* ---- recording and starting ---- */

void ath_run_record(struct ath_run *run, const struct ath_sched_action *action)
{
	struct ath_run_slot *slot = &run->slots[action->step];
	const char *name = ath_run_step_name(run, action->step);
	struct ath_journal *journal = run->in->journal;
	char blocked[128];

	if (action->state == ATH_STATE_BLOCKED && action->subject < run->in->spec->len) {
		snprintf(blocked, sizeof(blocked), "needs '%s'",
			 ath_run_step_name(run, action->subject));
		set_reason(slot, blocked);
	}
	if (action->state == ATH_STATE_SUCCEEDED)
		set_reason(slot, NULL);
	if (action->state == ATH_STATE_SKIPPED && run->in->spec->steps[action->step].skip_reason)
		set_reason(slot, run->in->spec->steps[action->step].skip_reason);
	ath_journal_add_transition(journal, name, action->attempt, ath_state_name(action->state),
				   slot->reason);
	if (action->state == ATH_STATE_READY)
		slot->ready_commit = run->commits + 1;
	if (action->state == ATH_STATE_READY &&
	    ath_replay_find_success(&run->in->history->successes, name))
		ath_journal_forget_satisfied(journal, name);
	if (action->state == ATH_STATE_SUCCEEDED && !run->in->spec->steps[action->step].section)
		ath_journal_add_satisfied(journal, name, slot->fingerprint);
	run->ended += ath_state_is_final(action->state);
	ath_run_send(run, &(struct ath_event){
				  .kind = ATH_EVENT_STATE,
				  .step = name,
				  .idx = action->step,
				  .state = ath_state_name(action->state),
				  .reason = slot->reason,
				  .is_optional = run->in->spec->steps[action->step].is_optional,
				  .attempt = action->attempt,
				  .ms = slot->ms });
}

void ath_run_start_step(struct ath_run *run, size_t idx)
{
	struct ath_run_slot *slot = &run->slots[idx];

	if (slot->is_cancelled || run->is_journal_broken) {
		ath_sched_ended(run->sched, idx, ATH_SCHED_CALLED_OFF);
		ath_run_pump(run);
		return;
	}
	ath_run_open_section(run, idx);
	if (run->in->lock)
		ath_lock_hint(run->in->lock, run->in->world->run, ath_run_step_name(run, idx));
	slot->since = ath_time_mono();
	slot->handle = ath_handle_start(&run->owner, idx, &run->in->spec->steps[idx],
					&run->in->bound[idx]);
}

/* ---- ends ---- */

static enum ath_sched_end judge(const struct ath_run *run, const struct ath_err *err)
{
	switch (err->code) {
	case ATH_ERR_OK:
		return ATH_SCHED_OK;
	case ATH_ERR_CANCELLED:
		return ath_sched_is_cancelled(run->sched) ? ATH_SCHED_CALLED_OFF : ATH_SCHED_BAD;
	case ATH_ERR_CHILD:
	case ATH_ERR_TIMEOUT:
	case ATH_ERR_UNAVAILABLE:
		return ATH_SCHED_TRY_AGAIN;
	default:
		return ATH_SCHED_BAD;
	}
}

/* What is ended for its time limit may still choose the words of its failure. */
static bool has_run_out_of_time(const struct ath_step *handle, const struct ath_err *cause)
{
	return cause->code != ATH_ERR_OK && cause->code != ATH_ERR_NEEDS_YOU &&
	       ath_handle_timed_out(handle);
}

static void tell_limit(const struct ath_spec_step *step, struct ath_err *cause)
{
	struct ath_str limit = { 0 };

	ath_time_put_duration(&limit, step->timeout_ms);
	ath_err_clear(cause);
	ath_err_set(cause, ATH_ERR_TIMEOUT, "the step did not end within its time limit of %s",
		    ath_str_get(&limit));
	ath_str_fini(&limit);
}

void ath_run_on_end(void *owner, size_t idx, const struct ath_err *err)
{
	struct ath_run *run = owner;
	struct ath_run_slot *slot = &run->slots[idx];
	const struct ath_spec_step *step = &run->in->spec->steps[idx];
	struct ath_err cause = *err;
	enum ath_sched_end end;

	slot->ms = ath_time_elapsed_ms(slot->since);
	if (has_run_out_of_time(slot->handle, &cause))
		tell_limit(step, &cause);
	if (cause.pos.file) { /* its name may be of the attempt's arena */
		ath_err_prefix(&cause, "%s:%u", cause.pos.file, cause.pos.line);
		cause.pos = (struct ath_pos){ 0 };
	}
	end = judge(run, &cause);
	free(slot->fingerprint);
	slot->fingerprint = ath_mem_strdup(ath_handle_fingerprint(slot->handle));
	ath_report_gap(run->report, run->in->world->run_dir, step->name,
		       ath_handle_log_error(slot->handle));
	ath_handle_free(slot->handle);
	slot->handle = NULL;
	if (end != ATH_SCHED_OK)
		set_reason(slot, cause.msg);
	ath_sched_ended(run->sched, idx, end);
	if (ath_sched_state(run->sched, idx) == ATH_STATE_FAILED && !step->is_optional)
		ath_report_fail(run->report, run->in->world->run_dir, step->name, &cause);
	if (end == ATH_SCHED_CALLED_OFF && !run->report->step[0])
		ath_report_place(run->report, run->in->world->run_dir, step->name);
	ath_run_pump(run);
}

static void on_retry_due(void *user)
{
	struct ath_run_retry *retry = user;
	struct ath_run *run = retry->run;

	ath_timer_free(run->slots[retry->step].retry);
	run->slots[retry->step].retry = NULL;
	ath_sched_retry_due(run->sched, retry->step);
	ath_run_pump(run);
}

void ath_run_retry_later(struct ath_run *run, const struct ath_sched_action *action)
{
	struct ath_run_slot *slot = &run->slots[action->step];
	uint64_t ms = BACKOFF_FIRST_MS;
	char text[64];

	for (unsigned i = 1; i < action->attempt && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	snprintf(text, sizeof(text), "tries again in %llu s", (unsigned long long)(ms / 1000));
	ath_run_send(run, &(struct ath_event){ .kind = ATH_EVENT_PROGRESS,
					       .step = ath_run_step_name(run, action->step),
					       .text = text });
	run->retries[action->step] = (struct ath_run_retry){ run, action->step };
	slot->retry = ath_timer_start(run->in->loop, ms, on_retry_due, &run->retries[action->step]);
}

void ath_run_cancel_step(struct ath_run *run, const struct ath_sched_action *action)
{
	struct ath_run_slot *slot = &run->slots[action->step];

	slot->is_cancelled = true;
	slot->is_cancel_at_once |= action->at_once;
	if (slot->handle)
		ath_handle_cancel(slot->handle, action->at_once);
}
