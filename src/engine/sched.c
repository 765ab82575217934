/* SPDX-License-Identifier: MIT */
/*
 * engine/sched: event in, ordered list of actions out; pure.
 *
 * A step counts its open needs; when the last one is over, it is called off, blocked or asked for.
 * A step that comes to its end is put into a queue; settle() works the queue off, so that a chain of
 * any length costs no stack. A need inside a section is over for steps outside only when the section
 * is settled.
 */
#include "engine/sched.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

enum {
	NONE = -1,
};

struct step {
	enum ath_state state;
	unsigned attempt;
	size_t open_needs;
	size_t bad_need; /* the first need that was not met; spec length: none */
	int section;     /* index into sections, or NONE */
	bool is_asked;   /* an answer is due */
	bool is_cancel_sent;
};

struct section {
	const char *name;
	size_t member;     /* any of its steps */
	size_t unfinished; /* members without a final state */
	bool is_opened;    /* one of its steps was started */
	bool has_failed;   /* one of its steps came to a bad end */
	bool is_settled;
};

/* A queue of step indexes; each step enters each queue at most once at a time. */
struct queue {
	size_t *items; /* owned; `cap` long, used as a ring */
	size_t head, len, cap;
};

struct ath_sched {
	struct step *steps;                    /* owned */
	ATH_VEC(struct section) sections;      /* owned */
	ATH_VEC(struct ath_sched_action) acts; /* owned; taken from `acts_taken` on */
	struct queue ready, ended;             /* owned */
	bool *uses_job;                        /* owned */
	const struct ath_spec *spec;           /* borrowed */
	const struct ath_graph *graph;         /* borrowed */
	size_t acts_taken;
	size_t unfinished, unsettled; /* steps, sections */
	unsigned jobs, running;
	bool is_cancelled, is_cancelled_at_once, is_finished;
};

static void queue_push(struct queue *queue, size_t item)
{
	assert(queue->len < queue->cap);
	queue->items[(queue->head + queue->len++) % queue->cap] = item;
}

static size_t queue_pop(struct queue *queue)
{
	size_t item = queue->items[queue->head];

	queue->head = (queue->head + 1) % queue->cap;
	queue->len--;
	return item;
}

static int find_section(struct ath_sched *sched, const char *name, size_t step)
{
	if (!name)
		return NONE;
	for (size_t i = 0; i < sched->sections.len; i++) {
		if (ath_str_is(sched->sections.items[i].name, name))
			return (int)i;
	}
	*ath_vec_push(&sched->sections) = (struct section){ .name = name, .member = step };
	sched->unsettled++;
	return (int)sched->sections.len - 1;
}

struct ath_sched *ath_sched_new(const struct ath_spec *spec, const struct ath_graph *graph,
				const bool *uses_job, unsigned jobs)
{
	struct ath_sched *sched = ath_mem_new(1, sizeof(*sched));

	sched->spec = spec;
	sched->graph = graph;
	sched->jobs = jobs ? jobs : 1;
	sched->unfinished = spec->len;
	sched->steps = ath_mem_new(spec->len, sizeof(*sched->steps));
	sched->uses_job = ath_mem_new(spec->len, sizeof(*sched->uses_job));
	sched->ready = (struct queue){ ath_mem_new(spec->len, sizeof(size_t)), 0, 0, spec->len };
	sched->ended = (struct queue){ ath_mem_new(spec->len, sizeof(size_t)), 0, 0, spec->len };
	for (size_t i = 0; i < spec->len; i++) {
		int section = find_section(sched, spec->steps[i].section, i);

		sched->uses_job[i] = uses_job[i];
		sched->steps[i] = (struct step){ .open_needs = graph->nodes[i].needs_len,
						 .bad_need = spec->len,
						 .section = section };
		if (section != NONE)
			sched->sections.items[section].unfinished++;
	}
	return sched;
}

void ath_sched_free(struct ath_sched *sched)
{
	if (!sched)
		return;
	free(sched->steps);
	free(sched->uses_job);
	free(sched->ready.items);
	free(sched->ended.items);
	ath_vec_fini(&sched->sections);
	ath_vec_fini(&sched->acts);
	free(sched);
}

static struct ath_sched_action *emit(struct ath_sched *sched, enum ath_sched_act act, size_t step)
{
	struct ath_sched_action *action;

	if (sched->acts_taken == sched->acts.len)
		sched->acts_taken = sched->acts.len = 0;
	action = ath_vec_push(&sched->acts);
	*action =
		(struct ath_sched_action){ .act = act, .step = step, .subject = sched->spec->len };
	return action;
}

/* Move a step by an event and have its new state recorded. */
static void move(struct ath_sched *sched, size_t idx, enum ath_state_event event)
{
	struct step *step = &sched->steps[idx];
	struct ath_sched_action *record;

	step->state = ath_state_next(step->state, event);
	record = emit(sched, ATH_SCHED_RECORD, idx);
	record->state = step->state;
	record->attempt = step->attempt;
	if (step->state == ATH_STATE_BLOCKED)
		record->subject = step->bad_need;
	if (ath_state_is_final(step->state))
		queue_push(&sched->ended, idx);
}

static bool is_wanted(const struct ath_sched *sched, size_t idx)
{
	if (!sched->is_cancelled)
		return true;
	return sched->spec->steps[idx].is_always && !sched->is_cancelled_at_once;
}

/* The last need of a pending step is over. */
static void needs_are_over(struct ath_sched *sched, size_t idx)
{
	struct step *step = &sched->steps[idx];
	bool is_blocked = step->bad_need < sched->spec->len && !sched->spec->steps[idx].is_always;

	if (!is_wanted(sched, idx)) {
		move(sched, idx, ATH_STATE_EVENT_CALLED_OFF);
	} else if (is_blocked) {
		move(sched, idx, ATH_STATE_EVENT_BLOCK);
	} else if (sched->spec->steps[idx].skip_reason) {
		move(sched, idx, ATH_STATE_EVENT_PASS_OVER);
	} else {
		step->is_asked = true;
		emit(sched, ATH_SCHED_ASK, idx);
	}
}

static bool counts_as_met(const struct ath_sched *sched, size_t idx)
{
	return ath_state_is_met(sched->steps[idx].state) || sched->spec->steps[idx].is_optional;
}

/* What a section did is undone if one of its steps failed: then none of them is met outside. */
static bool is_undone(const struct ath_sched *sched, size_t need, size_t idx)
{
	int section = sched->steps[need].section;

	return section != NONE && section != sched->steps[idx].section &&
	       sched->sections.items[section].has_failed && !sched->spec->steps[need].is_optional;
}

static void need_is_over(struct ath_sched *sched, size_t idx, size_t need)
{
	struct step *step = &sched->steps[idx];
	bool is_met = counts_as_met(sched, need) && !is_undone(sched, need, idx);

	step->open_needs--;
	if (!is_met && step->bad_need == sched->spec->len)
		step->bad_need = need;
	if (!step->open_needs && step->state == ATH_STATE_PENDING)
		needs_are_over(sched, idx);
}

/* Tell those who wait for `idx`: its own section, or everybody else. */
static void tell(struct ath_sched *sched, size_t idx, bool own_section)
{
	const struct ath_graph_node *node = &sched->graph->nodes[idx];
	int section = sched->steps[idx].section;

	for (size_t i = 0; i < node->wanted_len; i++) {
		size_t other = node->wanted_by[i];
		bool is_inside = section != NONE && sched->steps[other].section == section;

		if (is_inside == own_section)
			need_is_over(sched, other, idx);
	}
}

static void settle_section(struct ath_sched *sched, struct section *section)
{
	section->is_settled = true;
	sched->unsettled--;
	for (size_t i = 0; i < sched->spec->len; i++) {
		int of = sched->steps[i].section;

		if (of != NONE && &sched->sections.items[of] == section)
			tell(sched, i, false);
	}
}

static void member_has_ended(struct ath_sched *sched, size_t idx)
{
	struct section *section = &sched->sections.items[sched->steps[idx].section];

	tell(sched, idx, true);
	if (!counts_as_met(sched, idx))
		section->has_failed = true;
	if (--section->unfinished)
		return;
	if (section->is_opened)
		emit(sched, section->has_failed ? ATH_SCHED_ABANDON : ATH_SCHED_CLOSE, idx);
	else
		settle_section(sched, section);
}

static void start(struct ath_sched *sched, size_t idx)
{
	struct step *step = &sched->steps[idx];

	if (step->section != NONE)
		sched->sections.items[step->section].is_opened = true;
	move(sched, idx, ATH_STATE_EVENT_START);
	emit(sched, ATH_SCHED_START, idx)->attempt = step->attempt;
}

static void start_ready(struct ath_sched *sched)
{
	while (sched->ready.len && sched->running < sched->jobs) {
		size_t idx = queue_pop(&sched->ready);

		if (sched->steps[idx].state != ATH_STATE_READY)
			continue; /* called off while it waited */
		sched->running++;
		start(sched, idx);
	}
}

/* Work off all that follows from the last event. */
static void settle(struct ath_sched *sched)
{
	while (sched->ended.len) {
		size_t idx = queue_pop(&sched->ended);

		sched->unfinished--;
		if (sched->steps[idx].section == NONE)
			tell(sched, idx, false);
		else
			member_has_ended(sched, idx);
	}
	start_ready(sched);
	if (!sched->unfinished && !sched->unsettled && !sched->is_finished) {
		sched->is_finished = true;
		emit(sched, ATH_SCHED_FINISH, sched->spec->len);
	}
}

void ath_sched_begin(struct ath_sched *sched)
{
	for (size_t i = 0; i < sched->spec->len; i++) {
		const struct step *step = &sched->steps[sched->graph->order[i]];

		/* a run that was cancelled before it began has moved its steps already */
		if (!step->open_needs && step->state == ATH_STATE_PENDING && !step->is_asked)
			needs_are_over(sched, sched->graph->order[i]);
	}
	settle(sched);
}

bool ath_sched_take(struct ath_sched *sched, struct ath_sched_action *out_action)
{
	if (sched->acts_taken == sched->acts.len)
		return false;
	*out_action = sched->acts.items[sched->acts_taken++];
	return true;
}

/* The next attempt may start as soon as there is a job for it. */
static void make_ready(struct ath_sched *sched, size_t idx, enum ath_state_event event)
{
	sched->steps[idx].attempt++;
	move(sched, idx, event);
	if (sched->uses_job[idx])
		queue_push(&sched->ready, idx);
	else
		start(sched, idx);
}

void ath_sched_answer(struct ath_sched *sched, size_t idx, enum ath_sched_answer answer)
{
	struct step *step = &sched->steps[idx];

	assert(step->is_asked);
	step->is_asked = false;
	if (!is_wanted(sched, idx)) {
		move(sched, idx, ATH_STATE_EVENT_CALLED_OFF);
	} else if (answer == ATH_SCHED_HOLDS) {
		move(sched, idx, ATH_STATE_EVENT_HOLDS);
	} else if (answer == ATH_SCHED_PASS_OVER) {
		move(sched, idx, ATH_STATE_EVENT_PASS_OVER);
	} else {
		make_ready(sched, idx, ATH_STATE_EVENT_DEPS_MET);
	}
	settle(sched);
}

void ath_sched_ended(struct ath_sched *sched, size_t idx, enum ath_sched_end end)
{
	struct step *step = &sched->steps[idx];
	bool may_retry = step->attempt <= sched->spec->steps[idx].retries && is_wanted(sched, idx);

	if (sched->uses_job[idx])
		sched->running--;
	step->is_cancel_sent = false;
	if (end == ATH_SCHED_OK) {
		move(sched, idx, ATH_STATE_EVENT_ENDED_OK);
	} else if (end == ATH_SCHED_CALLED_OFF) {
		move(sched, idx, ATH_STATE_EVENT_CALLED_OFF);
	} else if (end == ATH_SCHED_TRY_AGAIN && may_retry) {
		move(sched, idx, ATH_STATE_EVENT_RETRY);
		emit(sched, ATH_SCHED_RETRY_LATER, idx)->attempt = step->attempt;
	} else {
		move(sched, idx, ATH_STATE_EVENT_ENDED_BAD);
	}
	settle(sched);
}

void ath_sched_retry_due(struct ath_sched *sched, size_t idx)
{
	if (sched->steps[idx].state != ATH_STATE_WAITING_RETRY)
		return; /* called off meanwhile */
	make_ready(sched, idx, ATH_STATE_EVENT_RETRY_DUE);
	settle(sched);
}

void ath_sched_section_settled(struct ath_sched *sched, size_t step)
{
	settle_section(sched, &sched->sections.items[sched->steps[step].section]);
	settle(sched);
}

static void cancel_step(struct ath_sched *sched, size_t idx, bool at_once)
{
	struct step *step = &sched->steps[idx];

	if (is_wanted(sched, idx) || step->is_asked)
		return; /* one that is asked for is called off by its answer */
	if (step->state == ATH_STATE_RUNNING && (at_once || !step->is_cancel_sent)) {
		step->is_cancel_sent = true;
		emit(sched, ATH_SCHED_CANCEL, idx)->at_once = at_once;
	} else if (ath_state_can(step->state, ATH_STATE_EVENT_CALLED_OFF) &&
		   step->state != ATH_STATE_RUNNING) {
		move(sched, idx, ATH_STATE_EVENT_CALLED_OFF);
	}
}

void ath_sched_cancel(struct ath_sched *sched, bool at_once)
{
	sched->is_cancelled = true;
	sched->is_cancelled_at_once |= at_once;
	for (size_t i = 0; i < sched->spec->len; i++)
		cancel_step(sched, i, at_once);
	settle(sched);
}

enum ath_state ath_sched_state(const struct ath_sched *sched, size_t step)
{
	return sched->steps[step].state;
}

bool ath_sched_is_good(const struct ath_sched *sched)
{
	for (size_t i = 0; i < sched->spec->len; i++) {
		if (!counts_as_met(sched, i))
			return false;
	}
	return true;
}

bool ath_sched_is_cancelled(const struct ath_sched *sched)
{
	return sched->is_cancelled;
}
