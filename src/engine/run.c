/* SPDX-License-Identifier: MIT */
/*
 * engine/run: carries the scheduler's actions out.
 *
 *	handles, timers, signals ──► ath_sched_* ──► pump(): RECORD into the journal, START into `after`
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

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/handle.h"
#include "engine/report.h"
#include "engine/sched.h"
#include "engine/turn.h"
#include "journal/journal.h"

enum {
	BACKOFF_FIRST_MS = 2000, /* before the second attempt; doubles, up to */
	BACKOFF_MOST_MS = 60000,
	LAZY_MS = 25, /* a record that nothing waits for is durable this much later at the latest */
};

/* What waits for the journal's commit. */
enum after_kind {
	AFTER_START,   /* start the step */
	AFTER_NOTE,    /* confirm its note */
	AFTER_SECTION, /* close or abandon its section */
};

struct after {
	enum after_kind kind;
	size_t step;
	ath_step_fn *on_durable; /* NOTE */
	bool is_closing;         /* SECTION: close it, else abandon it */
};

/* What the runner keeps of one step. */
struct slot {
	const struct ath_plan_row *row;       /* borrowed; the plan's decision */
	struct ath_step *handle;              /* owned; while an attempt is running */
	struct ath_timer *retry;              /* owned; while it waits for its next attempt */
	char *reason;                         /* owned; of its last failure, or NULL */
	char *fingerprint;                    /* owned; of its last success in this run */
	struct ath_mono since;                /* start of the attempt */
	uint64_t ms;                          /* how long the last attempt took */
	uint64_t ready_commit;                /* the commit that holds its record of `ready` */
	bool is_behind_change;                /* a step before it has run */
	bool is_cancel_at_once, is_cancelled; /* asked for before its handle existed */
};

struct section {
	const struct ath_section_type *type; /* borrowed */
	void *work;                          /* owned */
	size_t step;                         /* any of it */
	bool is_closing;                     /* else it is being abandoned */
	struct run *run;
};

struct run {
	const struct ath_run_setup *in;
	struct ath_sched *sched;            /* owned */
	struct slot *slots;                 /* owned; one per step */
	struct retry *retries;              /* owned; one per step: what a retry timer points to */
	ATH_VEC(struct after) after;        /* owned */
	ATH_VEC(struct section *) sections; /* owned */
	struct ath_arena arena;             /* owned; of looks taken during the run */
	struct ath_handle_owner owner;
	struct ath_report *report;
	struct ath_mono since;
	struct ath_timer *lazy; /* owned; a commit that nothing waits for, or NULL */
	uint64_t commits;       /* how many there were in this run */
	size_t ended;           /* steps at their end */
	int signum;             /* the signal that called the run off, or 0 */
	bool is_journal_broken, is_finished;
};

/* A retry timer's user pointer. */
struct retry {
	struct run *run;
	size_t step;
};

static void pump(struct run *run);

static void send(struct run *run, struct ath_event *event)
{
	event->at = ath_time_wall();
	event->run = run->in->world->run;
	event->total = run->in->spec->len;
	event->done = run->ended;
	run->in->on_event(run->in->on_event_user, event);
}

static const char *name_of(const struct run *run, size_t step)
{
	return run->in->spec->steps[step].name;
}

/* ---- the report: one place writes the result ---- */

static void decide_outcome(struct run *run)
{
	bool is_good = ath_sched_is_good(run->sched) && !run->is_journal_broken;

	ath_report_decide(run->report, is_good, run->signum);
}

static void finish(struct run *run)
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
	send(run, &(struct ath_event){ .kind = ATH_EVENT_RUN_ENDED, .report = report });
	ath_loop_stop(run->in->loop);
}

/* ---- asking: what of a step whose needs are met? ---- */

static bool is_behind_change(const struct run *run, size_t idx)
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

static void set_reason(struct slot *slot, const char *text)
{
	free(slot->reason);
	slot->reason = text ? ath_mem_strdup(text) : NULL;
}

static void ask(struct run *run, size_t idx)
{
	struct slot *slot = &run->slots[idx];
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

static void record(struct run *run, const struct ath_sched_action *action)
{
	struct slot *slot = &run->slots[action->step];
	const char *name = name_of(run, action->step);
	struct ath_journal *journal = run->in->journal;
	char blocked[128];

	if (action->state == ATH_STATE_BLOCKED && action->subject < run->in->spec->len) {
		snprintf(blocked, sizeof(blocked), "needs '%s'", name_of(run, action->subject));
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
	send(run,
	     &(struct ath_event){ .kind = ATH_EVENT_STATE,
				  .step = name,
				  .idx = action->step,
				  .state = ath_state_name(action->state),
				  .reason = slot->reason,
				  .is_optional = run->in->spec->steps[action->step].is_optional,
				  .attempt = action->attempt,
				  .ms = slot->ms });
}

static struct section *find_section(const struct run *run, size_t step)
{
	const char *name = run->in->spec->steps[step].section;

	ath_vec_each (&run->sections, one) {
		if (name && strcmp((*one)->type->name, name) == 0)
			return *one;
	}
	return NULL;
}

static void open_section(struct run *run, size_t step)
{
	const char *name = run->in->spec->steps[step].section;
	struct section *section;

	if (!name || find_section(run, step))
		return;
	section = ath_mem_new(1, sizeof(*section));
	section->type = ath_step_find_section(run->in->table, name);
	section->step = step;
	section->run = run;
	section->work = section->type->open(run->in->world);
	*ath_vec_push(&run->sections) = section;
}

static void start_step(struct run *run, size_t idx)
{
	struct slot *slot = &run->slots[idx];

	if (slot->is_cancelled || run->is_journal_broken) {
		ath_sched_ended(run->sched, idx, ATH_SCHED_CALLED_OFF);
		pump(run);
		return;
	}
	open_section(run, idx);
	if (run->in->lock)
		ath_lock_hint(run->in->lock, run->in->world->run, name_of(run, idx));
	slot->since = ath_time_mono();
	slot->handle = ath_handle_start(&run->owner, idx, &run->in->spec->steps[idx],
					&run->in->bound[idx]);
}

/* ---- ends ---- */

static enum ath_sched_end judge(const struct run *run, const struct ath_err *err)
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

static void on_end(void *owner, size_t idx, const struct ath_err *err)
{
	struct run *run = owner;
	struct slot *slot = &run->slots[idx];
	const struct ath_spec_step *step = &run->in->spec->steps[idx];
	struct ath_err cause = *err;
	enum ath_sched_end end;

	slot->ms = ath_time_elapsed_ms(slot->since);
	if (cause.code == ATH_ERR_CANCELLED && ath_handle_timed_out(slot->handle)) {
		ath_err_clear(&cause);
		ath_err_set(&cause, ATH_ERR_TIMEOUT, "the step did not end within its time limit");
	}
	if (cause.pos.file) { /* its name may be of the attempt's arena */
		ath_err_prefix(&cause, "%s:%u", cause.pos.file, cause.pos.line);
		cause.pos = (struct ath_pos){ 0 };
	}
	end = judge(run, &cause);
	free(slot->fingerprint);
	slot->fingerprint = ath_mem_strdup(ath_handle_fingerprint(slot->handle));
	ath_handle_free(slot->handle);
	slot->handle = NULL;
	if (end != ATH_SCHED_OK)
		set_reason(slot, cause.msg);
	ath_sched_ended(run->sched, idx, end);
	if (ath_sched_state(run->sched, idx) == ATH_STATE_FAILED && !step->is_optional)
		ath_report_fail(run->report, run->in->world->run_dir, step->name, &cause);
	if (end == ATH_SCHED_CALLED_OFF && !run->report->step[0])
		ath_report_place(run->report, run->in->world->run_dir, step->name);
	pump(run);
}

static void on_retry_due(void *user)
{
	struct retry *retry = user;
	struct run *run = retry->run;

	ath_timer_free(run->slots[retry->step].retry);
	run->slots[retry->step].retry = NULL;
	ath_sched_retry_due(run->sched, retry->step);
	pump(run);
}

static void retry_later(struct run *run, const struct ath_sched_action *action)
{
	struct slot *slot = &run->slots[action->step];
	uint64_t ms = BACKOFF_FIRST_MS;
	char text[64];

	for (unsigned i = 1; i < action->attempt && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	snprintf(text, sizeof(text), "tries again in %llu s", (unsigned long long)(ms / 1000));
	send(run, &(struct ath_event){ .kind = ATH_EVENT_PROGRESS,
				       .step = name_of(run, action->step),
				       .text = text });
	run->retries[action->step] = (struct retry){ run, action->step };
	slot->retry = ath_timer_start(run->in->loop, ms, on_retry_due, &run->retries[action->step]);
}

static void cancel_step(struct run *run, const struct ath_sched_action *action)
{
	struct slot *slot = &run->slots[action->step];

	slot->is_cancelled = true;
	slot->is_cancel_at_once |= action->at_once;
	if (slot->handle)
		ath_handle_cancel(slot->handle, action->at_once);
}

/* ---- sections ---- */

static bool section_work(void *user, struct ath_err *err)
{
	struct section *section = user;

	return section->is_closing ? section->type->close(section->work, err)
				   : section->type->abandon(section->work, err);
}

static void on_section_done(void *user, const struct ath_err *err)
{
	struct section *section = user;
	struct run *run = section->run;
	const char *verdict = section->type->verdict(section->work);
	struct ath_pairs pairs = { 0 };

	snprintf(run->report->database, sizeof(run->report->database), "%s", verdict);
	if (err->code != ATH_ERR_OK)
		ath_report_fail(run->report, run->in->world->run_dir, name_of(run, section->step),
				err);
	ath_pairs_set(&pairs, "section", section->type->name);
	ath_pairs_set(&pairs, "end", section->is_closing ? "closed" : "abandoned");
	ath_pairs_set(&pairs, "database", verdict);
	ath_journal_add_note(run->in->journal, name_of(run, section->step), "section", &pairs);
	ath_pairs_fini(&pairs);
	ath_sched_section_settled(run->sched, section->step);
	pump(run);
}

static void end_section(struct run *run, const struct after *after)
{
	struct section *section = find_section(run, after->step);

	if (!section) { /* no step of it came to its start */
		ath_sched_section_settled(run->sched, after->step);
		return;
	}
	section->is_closing = after->is_closing;
	ath_work_start(run->in->loop, section_work, on_section_done, section);
}

/* ---- the turn ---- */

static void carry_out(struct run *run, const struct ath_sched_action *action)
{
	switch (action->act) {
	case ATH_SCHED_ASK:
		ask(run, action->step);
		break;
	case ATH_SCHED_RECORD:
		record(run, action);
		break;
	case ATH_SCHED_START:
		*ath_vec_push(&run->after) =
			(struct after){ AFTER_START, action->step, NULL, false };
		break;
	case ATH_SCHED_CANCEL:
		cancel_step(run, action);
		break;
	case ATH_SCHED_RETRY_LATER:
		retry_later(run, action);
		break;
	case ATH_SCHED_CLOSE:
	case ATH_SCHED_ABANDON:
		*ath_vec_push(&run->after) = (struct after){ AFTER_SECTION, action->step, NULL,
							     action->act == ATH_SCHED_CLOSE };
		break;
	case ATH_SCHED_FINISH:
		finish(run);
		break;
	case ATH_SCHED_ACT_COUNT_:
		break;
	}
}

static bool has_unwritten(const struct run *run)
{
	return !run->is_journal_broken && ath_journal_has_pending(run->in->journal);
}

static void pump(struct run *run)
{
	struct ath_sched_action action;

	while (ath_sched_take(run->sched, &action))
		carry_out(run, &action);
	if (!run->is_finished && (run->after.len || (has_unwritten(run) && !run->lazy)))
		ath_loop_wake_turn_end(run->in->loop);
}

static void journal_has_failed(struct run *run, const struct ath_err *err)
{
	run->is_journal_broken = true;
	if (run->report->cause.code == ATH_ERR_OK)
		run->report->cause = *err;
	ath_sched_cancel(run->sched, false);
}

/* A note is durable, or never will be: then the step that waits for it must not go on. */
static void confirm(struct run *run, size_t idx, ath_step_fn *on_durable)
{
	struct ath_step *handle = run->slots[idx].handle;

	if (!handle || ath_handle_is_ended(handle))
		return; /* it was cancelled while it waited */
	if (run->is_journal_broken)
		ath_step_fail(handle, &run->report->cause);
	else
		on_durable(handle);
}

static void commit(struct run *run)
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
	pump(user);
}

/* Does anything that is to be done now stand on a record that is not durable yet? */
static bool must_commit(const struct run *run)
{
	ath_vec_each (&run->after, one) {
		if (one->kind != AFTER_START || run->slots[one->step].ready_commit > run->commits)
			return true;
	}
	return false;
}

static void on_turn_end(void *user)
{
	struct run *run = user;
	size_t len;

	if (must_commit(run))
		commit(run);
	else if (has_unwritten(run) && !run->lazy)
		run->lazy = ath_timer_start(run->in->loop, LAZY_MS, on_lazy, run);
	len = run->after.len;
	for (size_t i = 0; i < len; i++) {
		struct after after = run->after.items[i];

		if (after.kind == AFTER_START)
			start_step(run, after.step);
		else if (after.kind == AFTER_NOTE)
			confirm(run, after.step, after.on_durable);
		else
			end_section(run, &after);
	}
	memmove(run->after.items, run->after.items + len,
		(run->after.len - len) * sizeof(*run->after.items));
	run->after.len -= len;
	pump(run);
}

/* ---- what handles ask of us ---- */

static void on_say(void *owner, size_t idx, const char *text)
{
	struct run *run = owner;

	send(run, &(struct ath_event){
			  .kind = ATH_EVENT_PROGRESS, .step = name_of(run, idx), .text = text });
}

static void on_fact(void *owner, const char *name, const char *value)
{
	struct run *run = owner;

	ath_pairs_set(run->in->world->facts, name, value);
	ath_journal_add_fact(run->in->journal, name, value);
	ath_loop_wake_turn_end(run->in->loop);
}

static void on_note(void *owner, size_t idx, const char *name, const struct ath_pairs *pairs,
		    ath_step_fn *on_durable)
{
	struct run *run = owner;

	ath_journal_add_note(run->in->journal, name_of(run, idx), name, pairs);
	if (on_durable)
		*ath_vec_push(&run->after) = (struct after){ AFTER_NOTE, idx, on_durable, false };
	ath_loop_wake_turn_end(run->in->loop);
}

static void *on_section(void *owner, size_t idx)
{
	struct section *section = find_section(owner, idx);

	return section ? section->work : NULL;
}

static void on_signal(void *user, int signum)
{
	struct run *run = user;
	bool at_once = run->signum != 0;

	if (run->is_finished)
		return;
	run->signum = signum;
	ath_sched_cancel(run->sched, at_once);
	pump(run);
}

static void on_warden_death(void *user)
{
	struct run *run = user;

	if (run->is_finished)
		return;
	run->signum = SIGKILL;
	ath_sched_cancel(run->sched, true);
	pump(run);
}

/* ---- life ---- */

static void init_run(struct run *run, const struct ath_run_setup *in, struct ath_report *report)
{
	bool *uses_job = ath_mem_new(in->spec->len, sizeof(*uses_job));

	for (size_t i = 0; i < in->spec->len; i++)
		uses_job[i] = in->bound[i].type && in->bound[i].type->uses_job;
	*run = (struct run){
		.in = in,
		.sched = ath_sched_new(in->spec, in->graph, uses_job, in->jobs),
		.slots = ath_mem_new(in->spec->len, sizeof(*run->slots)),
		.retries = ath_mem_new(in->spec->len, sizeof(*run->retries)),
		.report = report,
		.since = ath_time_mono(),
		.owner = { run, in->loop, in->world, on_say, on_fact, on_note, on_section, on_end },
	};
	free(uses_job);
	for (size_t i = 0; i < in->plan->len; i++)
		run->slots[in->plan->rows[i].step].row = &in->plan->rows[i];
}

static void fini_run(struct run *run)
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
static bool watch(struct run *run, struct ath_err *err)
{
	const struct ath_lock *lock = run->in->lock;

	return ath_loop_watch_signals(run->in->loop, on_signal, run, err) &&
	       (!lock || lock->control_fd < 0 ||
		ath_loop_watch_hangup(run->in->loop, lock->control_fd, on_warden_death, run, err));
}

void ath_run(const struct ath_run_setup *setup, struct ath_report *out_report)
{
	struct run run;
	struct ath_err err = { 0 };

	*out_report = (struct ath_report){ .outcome = "failed", .exit_status = 1 };
	init_run(&run, setup, out_report);
	ath_loop_set_turn_end(setup->loop, on_turn_end, &run);
	send(&run, &(struct ath_event){ .kind = ATH_EVENT_RUN_BEGAN });
	if (!watch(&run, &err))
		journal_has_failed(&run, &err);
	ath_sched_begin(run.sched);
	pump(&run);
	if (!run.is_finished)
		ath_loop_run(setup->loop);
	fini_run(&run);
}
