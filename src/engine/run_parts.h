/* SPDX-License-Identifier: MIT */
/*
 * engine/run_parts: what a run is made of.
 *
 * Shared by the files behind engine/run.h only: run.c turns the loop's turns into commits and what
 * stands on them, run_step.c takes one step through its states, run_section.c a section through its
 * life.
 */
#ifndef ATH_ENGINE_RUN_PARTS_H
#define ATH_ENGINE_RUN_PARTS_H

#include "base/arena.h"
#include "base/vec.h"
#include "engine/event.h"
#include "engine/handle.h"
#include "engine/sched.h"

struct ath_plan_row;
struct ath_run_setup;

/* What waits for the journal's commit. */
enum ath_run_after_kind {
	ATH_RUN_AFTER_START,   /* start the step */
	ATH_RUN_AFTER_NOTE,    /* confirm its note */
	ATH_RUN_AFTER_SECTION, /* close or abandon its section */
};

/* Done after the commit, in this order. */
struct ath_run_after {
	enum ath_run_after_kind kind;
	size_t step;
	ath_step_fn *on_durable; /* NOTE */
	bool is_closing;         /* SECTION: close it, else abandon it */
};

/* What the runner keeps of one step. */
struct ath_run_slot {
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

/* A section from its first step to its close. */
struct ath_run_section {
	const struct ath_section_type *type; /* borrowed */
	void *work;                          /* owned */
	size_t step;                         /* any of it */
	bool is_closing;                     /* else it is being abandoned */
	struct ath_run *run;
};

/* A run; on the stack of ath_run. */
struct ath_run {
	const struct ath_run_setup *in;
	struct ath_sched *sched;             /* owned */
	struct ath_run_slot *slots;          /* owned; one per step */
	struct ath_run_retry *retries;       /* owned; one per step: what a retry timer points to */
	ATH_VEC(struct ath_run_after) after; /* owned */
	ATH_VEC(struct ath_run_section *) sections; /* owned */
	struct ath_arena arena;                     /* owned; of looks taken during the run */
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
struct ath_run_retry {
	struct ath_run *run;
	size_t step;
};

/* ---- run.c ---- */

/* Carry out what the scheduler wants now; called after everything that is told to it. */
void ath_run_pump(struct ath_run *run);

/* Complete an event and hand it to the one who listens. */
void ath_run_send(struct ath_run *run, struct ath_event *event);

/* The name of a step. */
const char *ath_run_step_name(const struct ath_run *run, size_t step);

/* ---- run_step.c ---- */

/* Its needs are met: is it to run, or does it hold already? */
void ath_run_ask(struct ath_run *run, size_t idx);

/* A step has come into a state: into the journal, not durable yet, and told. */
void ath_run_record(struct ath_run *run, const struct ath_sched_action *action);

/* Start it; its record of `ready` is durable. */
void ath_run_start_step(struct ath_run *run, size_t idx);

/* Its attempt has ended (of ath_handle_owner). */
void ath_run_on_end(void *owner, size_t idx, const struct ath_err *err);

/* Try again after a while that grows with the attempts. */
void ath_run_retry_later(struct ath_run *run, const struct ath_sched_action *action);

/* Ask it to end, also if it has not started yet. */
void ath_run_cancel_step(struct ath_run *run, const struct ath_sched_action *action);

/* ---- run_section.c ---- */

/* The open section that a step belongs to, or NULL. */
struct ath_run_section *ath_run_find_section(const struct ath_run *run, size_t step);

/* Open the section of a step, if it has one that is not open. */
void ath_run_open_section(struct ath_run *run, size_t step);

/* Close or abandon a section; the scheduler is told when that is done. */
void ath_run_end_section(struct ath_run *run, const struct ath_run_after *after);

#endif
