/* SPDX-License-Identifier: MIT */
/*
 * engine/sched under seeded random graphs and random orders of events.
 *
 *	test_sched_random [SEED]        one seed with its trace; without it, all seeds and the controls
 *
 * A watcher keeps its own picture of the run, made only from the actions that come out and the
 * events that go in, and checks the rules of sched.h after each. The controls feed it actions that
 * no right scheduler gives; each must be caught.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "engine/sched.h"

enum {
	SEEDS = 20000,
	CONTROL_SEEDS = 300,
	MOST_STEPS = 14,
	MOST_SECTIONS = 3,
};

/* ---- random graphs ---- */

/* splitmix64 (Steele, Lea, Flood; OOPSLA 2014). */
static uint64_t next_random(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t below(uint64_t *random, size_t limit)
{
	return (size_t)(next_random(random) % limit);
}

static bool one_in(uint64_t *random, size_t chances)
{
	return below(random, chances) == 0;
}

struct world {
	struct ath_arena arena; /* owned */
	struct ath_spec spec;
	struct ath_graph graph;
	bool uses_job[MOST_STEPS];
	int section[MOST_STEPS]; /* -1: none */
	unsigned jobs;
};

/* Steps in a row form a section, so that nothing outside stands between two of them. */
static void give_sections(uint64_t *random, size_t len, int *section)
{
	int count = 0;

	for (size_t i = 0; i < len; i++)
		section[i] = -1;
	for (size_t i = 0; i < len && count < MOST_SECTIONS;) {
		size_t size = 1 + below(random, 4);

		if (one_in(random, 3)) {
			for (size_t n = i; n < len && n < i + size; n++)
				section[n] = count;
			count++;
		}
		i += size;
	}
}

static void give_needs(struct world *world, uint64_t *random, const size_t *place, size_t rank,
		       struct ath_spec_step *steps)
{
	size_t density = 2 + below(random, 4);
	const char **needs = ath_arena_new(&world->arena, rank + 1, sizeof(*needs));
	size_t len = 0;

	for (size_t i = 0; i < rank; i++) {
		if (one_in(random, density))
			needs[len++] = steps[place[i]].name;
	}
	steps[place[rank]].needs = (struct ath_texts){ needs, len };
}

/* `place[rank]` is the index in the spec of the step that stands at `rank` of a right order. */
static void make_world(struct world *world, uint64_t *random)
{
	size_t len = 1 + below(random, MOST_STEPS), place[MOST_STEPS];
	int section_of_rank[MOST_STEPS];
	struct ath_spec_step *steps;
	struct ath_err err = { 0 };

	*world = (struct world){ .jobs = 1 + (unsigned)below(random, 4) };
	steps = ath_arena_new(&world->arena, len, sizeof(*steps));
	for (size_t i = 0; i < len; i++) {
		size_t other = below(random, i + 1);

		place[i] = place[other];
		place[other] = i;
		steps[i] = (struct ath_spec_step){
			.name = ath_arena_printf(&world->arena, "s%zu", i),
			.is_optional = one_in(random, 6),
			.is_always = one_in(random, 6),
			.retries = one_in(random, 3) ? 1 + (unsigned)below(random, 2) : 0,
		};
		world->uses_job[i] = !one_in(random, 4);
	}
	give_sections(random, len, section_of_rank);
	for (size_t rank = 0; rank < len; rank++) {
		int section = section_of_rank[rank];

		world->section[place[rank]] = section;
		if (section >= 0)
			steps[place[rank]].section =
				ath_arena_printf(&world->arena, "S%d", section);
		give_needs(world, random, place, rank, steps);
	}
	world->spec = (struct ath_spec){ steps, len };
	if (!ath_graph_build(&world->spec, &world->arena, &world->graph, &err)) {
		fprintf(stderr, "bug in this test: %s\n", err.msg);
		abort();
	}
}

/* ---- the watcher ---- */

struct seen {
	enum ath_state state; /* last recorded */
	unsigned attempt;
	bool is_asked, is_told_to_run; /* ASK without an answer; answered RUN and not started */
	bool is_started;               /* START without an end */
	bool is_recorded_running;      /* RECORD running without its START */
	bool is_cancel_sent, is_cancel_sent_at_once, is_retry_due;
};

struct watcher {
	const struct world *world; /* borrowed */
	struct seen steps[MOST_STEPS];
	bool is_ending[MOST_SECTIONS], is_settled[MOST_SECTIONS], is_opened[MOST_SECTIONS];
	bool is_cancelled, is_cancelled_at_once, is_finished, is_traced;
	size_t actions;
	char fault[200]; /* the first broken rule, or "" */
};

static void blame(struct watcher *watcher, const char *format, ...) ATH_PRINTF(2, 3);

static void blame(struct watcher *watcher, const char *format, ...)
{
	va_list args;

	if (watcher->fault[0])
		return;
	va_start(args, format);
	vsnprintf(watcher->fault, sizeof(watcher->fault), format, args);
	va_end(args);
}

static bool is_good_end(const struct watcher *watcher, size_t idx)
{
	return ath_state_is_met(watcher->steps[idx].state) ||
	       watcher->world->spec.steps[idx].is_optional;
}

static bool has_failed(const struct watcher *watcher, int section)
{
	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		if (watcher->world->section[i] == section && !is_good_end(watcher, i))
			return true;
	}
	return false;
}

/* A section of which no step started needs no end of its own. */
static bool is_section_over(const struct watcher *watcher, int section)
{
	if (watcher->is_opened[section])
		return watcher->is_settled[section];
	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		if (watcher->world->section[i] == section &&
		    !ath_state_is_final(watcher->steps[i].state))
			return false;
	}
	return true;
}

static bool is_over(const struct watcher *watcher, size_t need, size_t idx)
{
	int section = watcher->world->section[need];

	return ath_state_is_final(watcher->steps[need].state) &&
	       (section < 0 || section == watcher->world->section[idx] ||
		is_section_over(watcher, section));
}

static bool is_met(const struct watcher *watcher, size_t need, size_t idx)
{
	int section = watcher->world->section[need];

	if (section >= 0 && section != watcher->world->section[idx] && has_failed(watcher, section))
		return watcher->world->spec.steps[need].is_optional;
	return is_good_end(watcher, need);
}

static bool is_wanted(const struct watcher *watcher, size_t idx)
{
	return !watcher->is_cancelled ||
	       (watcher->world->spec.steps[idx].is_always && !watcher->is_cancelled_at_once);
}

static void check_needs(struct watcher *watcher, size_t idx, const char *doing)
{
	const struct ath_graph_node *node = &watcher->world->graph.nodes[idx];

	for (size_t i = 0; i < node->needs_len; i++) {
		size_t need = node->needs[i];

		if (!is_over(watcher, need, idx))
			blame(watcher, "s%zu is %s before s%zu is over", idx, doing, need);
		else if (!is_met(watcher, need, idx) && !watcher->world->spec.steps[idx].is_always)
			blame(watcher, "s%zu is %s although s%zu is not met", idx, doing, need);
	}
}

/* One move of the table. */
static bool can_move(enum ath_state from, enum ath_state to)
{
	for (unsigned event = 0; event < ATH_STATE_EVENT_COUNT_; event++) {
		enum ath_state_event one = (enum ath_state_event)event;

		if (ath_state_can(from, one) && ath_state_next(from, one) == to)
			return true;
	}
	return false;
}

static void see_record(struct watcher *watcher, const struct ath_sched_action *action)
{
	struct seen *step = &watcher->steps[action->step];
	size_t len = watcher->world->spec.len;

	if (!can_move(step->state, action->state))
		blame(watcher, "s%zu moves from %s to %s", action->step,
		      ath_state_name(step->state), ath_state_name(action->state));
	if (action->state == ATH_STATE_BLOCKED &&
	    (action->subject >= len || is_met(watcher, action->subject, action->step) ||
	     watcher->world->spec.steps[action->step].is_always))
		blame(watcher, "s%zu is blocked without an unmet need", action->step);
	if (action->state == ATH_STATE_RUNNING)
		step->is_recorded_running = true;
	step->state = action->state;
}

static void see_start(struct watcher *watcher, const struct ath_sched_action *action)
{
	struct seen *step = &watcher->steps[action->step];
	int section = watcher->world->section[action->step];
	unsigned running = 0;

	if (!step->is_recorded_running)
		blame(watcher, "s%zu starts without its record", action->step);
	if (step->is_started || !step->is_told_to_run)
		blame(watcher, "s%zu starts, and nobody asked for it", action->step);
	if (action->attempt != step->attempt + 1 ||
	    action->attempt > 1 + watcher->world->spec.steps[action->step].retries)
		blame(watcher, "s%zu starts as attempt %u", action->step, action->attempt);
	if (!is_wanted(watcher, action->step))
		blame(watcher, "s%zu starts in a run that is cancelled", action->step);
	check_needs(watcher, action->step, "started");
	if (section >= 0 && watcher->is_ending[section])
		blame(watcher, "s%zu starts in a section that is over", action->step);
	else if (section >= 0)
		watcher->is_opened[section] = true;
	step->is_started = true;
	step->is_told_to_run = step->is_recorded_running = false;
	step->attempt = action->attempt;
	for (size_t i = 0; i < watcher->world->spec.len; i++)
		running += watcher->steps[i].is_started && watcher->world->uses_job[i];
	if (running > watcher->world->jobs)
		blame(watcher, "%u steps run with %u jobs", running, watcher->world->jobs);
}

static void see_section(struct watcher *watcher, const struct ath_sched_action *action)
{
	int section = watcher->world->section[action->step];

	if (section < 0 || watcher->is_ending[section] || !watcher->is_opened[section]) {
		blame(watcher, "a section ends that is not open");
		return;
	}
	watcher->is_ending[section] = true;
	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		if (watcher->world->section[i] == section &&
		    !ath_state_is_final(watcher->steps[i].state))
			blame(watcher, "section S%d ends before s%zu", section, i);
	}
	if ((action->act == ATH_SCHED_ABANDON) != has_failed(watcher, section))
		blame(watcher, "section S%d ends the wrong way", section);
}

static void see_finish(struct watcher *watcher)
{
	if (watcher->is_finished)
		blame(watcher, "the run finishes twice");
	watcher->is_finished = true;
	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		int section = watcher->world->section[i];

		if (!ath_state_is_final(watcher->steps[i].state))
			blame(watcher, "the run finishes, and s%zu is %s", i,
			      ath_state_name(watcher->steps[i].state));
		if (section >= 0 && watcher->is_opened[section] && !watcher->is_settled[section])
			blame(watcher, "the run finishes with section S%d open", section);
	}
}

static void trace(const struct ath_sched_action *action)
{
	static const char *const words[] = {
		[ATH_SCHED_ASK] = "ASK",
		[ATH_SCHED_RECORD] = "RECORD",
		[ATH_SCHED_START] = "START",
		[ATH_SCHED_CANCEL] = "CANCEL",
		[ATH_SCHED_RETRY_LATER] = "RETRY_LATER",
		[ATH_SCHED_CLOSE] = "CLOSE",
		[ATH_SCHED_ABANDON] = "ABANDON",
		[ATH_SCHED_FINISH] = "FINISH",
	};

	printf("    %s s%zu %s\n", words[action->act], action->step,
	       action->act == ATH_SCHED_RECORD ? ath_state_name(action->state) : "");
}

/* An action has come out. */
static void see(struct watcher *watcher, const struct ath_sched_action *action)
{
	struct seen *step = &watcher->steps[action->step % MOST_STEPS];

	if (watcher->is_traced)
		trace(action);
	if (watcher->is_finished)
		blame(watcher, "something comes after the end");
	watcher->actions++;
	switch (action->act) {
	case ATH_SCHED_ASK:
		check_needs(watcher, action->step, "asked for");
		if (step->is_asked || step->state != ATH_STATE_PENDING)
			blame(watcher, "s%zu is asked for twice", action->step);
		step->is_asked = true;
		break;
	case ATH_SCHED_RECORD:
		see_record(watcher, action);
		break;
	case ATH_SCHED_START:
		see_start(watcher, action);
		break;
	case ATH_SCHED_CANCEL:
		if (!step->is_started || is_wanted(watcher, action->step))
			blame(watcher, "s%zu is cancelled for no reason", action->step);
		step->is_cancel_sent = true;
		step->is_cancel_sent_at_once |= action->at_once;
		break;
	case ATH_SCHED_RETRY_LATER:
		if (step->state != ATH_STATE_WAITING_RETRY || !is_wanted(watcher, action->step))
			blame(watcher, "s%zu is tried again for no reason", action->step);
		step->is_retry_due = true;
		break;
	case ATH_SCHED_CLOSE:
	case ATH_SCHED_ABANDON:
		see_section(watcher, action);
		break;
	case ATH_SCHED_FINISH:
		see_finish(watcher);
		break;
	case ATH_SCHED_ACT_COUNT_:
		break;
	}
}

/* No action is due: what must hold between two events. */
static void check_quiet(struct watcher *watcher, const struct ath_sched *sched)
{
	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		const struct seen *step = &watcher->steps[i];
		enum ath_state state = ath_sched_state(sched, i);

		if (state != step->state)
			blame(watcher, "s%zu is %s and was recorded as %s", i,
			      ath_state_name(state), ath_state_name(step->state));
		if (step->is_recorded_running)
			blame(watcher, "s%zu is recorded as running and was not started", i);
		if ((step->state == ATH_STATE_RUNNING) != step->is_started)
			blame(watcher, "s%zu is %s, started: %d", i, ath_state_name(step->state),
			      step->is_started);
		if (step->is_started && !is_wanted(watcher, i) && !step->is_cancel_sent)
			blame(watcher, "s%zu was not told to end", i);
		if (step->is_started && watcher->is_cancelled_at_once &&
		    !step->is_cancel_sent_at_once)
			blame(watcher, "s%zu was not told to end at once", i);
	}
	/* per attempt: two records, start, later, and a cancel of each kind; the rest once */
	if (watcher->actions > watcher->world->spec.len * (3 * 6 + 4) + 2 * MOST_SECTIONS + 1)
		blame(watcher, "more and more actions: %zu", watcher->actions);
}

static void check_end(struct watcher *watcher, const struct ath_sched *sched)
{
	bool is_good = true;

	for (size_t i = 0; i < watcher->world->spec.len; i++)
		is_good &= is_good_end(watcher, i);
	if (is_good != ath_sched_is_good(sched))
		blame(watcher, "the run is taken for %s", is_good ? "bad" : "good");
}

/* ---- the driver: everything that may happen next ---- */

enum happening {
	ANSWER,
	END,
	RETRY,
	SETTLE,
};

struct choice {
	enum happening what;
	size_t step;
};

static size_t list_choices(const struct watcher *watcher, struct choice *out)
{
	size_t len = 0;
	bool is_listed[MOST_SECTIONS] = { false };

	for (size_t i = 0; i < watcher->world->spec.len; i++) {
		const struct seen *step = &watcher->steps[i];
		int section = watcher->world->section[i];

		if (step->is_asked)
			out[len++] = (struct choice){ ANSWER, i };
		if (step->is_started)
			out[len++] = (struct choice){ END, i };
		if (step->is_retry_due)
			out[len++] = (struct choice){ RETRY, i };
		if (section >= 0 && watcher->is_ending[section] && !watcher->is_settled[section] &&
		    !is_listed[section]) {
			is_listed[section] = true;
			out[len++] = (struct choice){ SETTLE, i };
		}
	}
	return len;
}

static enum ath_sched_end choose_end(const struct seen *step, uint64_t *random)
{
	if (step->is_cancel_sent && !one_in(random, 3))
		return ATH_SCHED_CALLED_OFF;
	if (one_in(random, 2))
		return ATH_SCHED_OK;
	return (enum ath_sched_end)below(random, ATH_SCHED_CALLED_OFF);
}

static void happen(struct watcher *watcher, struct ath_sched *sched, struct choice choice,
		   uint64_t *random)
{
	struct seen *step = &watcher->steps[choice.step];
	enum ath_sched_answer answer;

	if (watcher->is_traced)
		printf("  %s s%zu\n",
		       (const char *const[]){ "answer", "end", "retry", "settle" }[choice.what],
		       choice.step);
	switch (choice.what) {
	case ANSWER:
		answer = one_in(random, 3)
				 ? (enum ath_sched_answer)below(random, ATH_SCHED_ANSWER_COUNT_)
				 : ATH_SCHED_RUN;
		step->is_asked = false;
		step->is_told_to_run = answer == ATH_SCHED_RUN;
		ath_sched_answer(sched, choice.step, answer);
		break;
	case END:
		step->is_started = false;
		ath_sched_ended(sched, choice.step, choose_end(step, random));
		step->is_cancel_sent = step->is_cancel_sent_at_once = false;
		break;
	case RETRY: /* the timer also fires when the step was called off meanwhile */
		step->is_retry_due = false;
		step->is_told_to_run = step->state == ATH_STATE_WAITING_RETRY;
		ath_sched_retry_due(sched, choice.step);
		break;
	case SETTLE:
		watcher->is_settled[watcher->world->section[choice.step]] = true;
		ath_sched_section_settled(sched, choice.step);
		break;
	}
}

static void cancel(struct watcher *watcher, struct ath_sched *sched, bool at_once)
{
	if (watcher->is_traced)
		printf("  cancel%s\n", at_once ? " at once" : "");
	watcher->is_cancelled = true;
	watcher->is_cancelled_at_once |= at_once;
	ath_sched_cancel(sched, at_once);
}

/* ---- the controls: how the stream of actions is falsified, once per run ---- */

enum falsehood {
	TRUTH,
	RECORD_LOST, /* the first record of a running step */
	START_EARLY, /* the last step of the order starts at once */
	FINISH_TWICE,
	FINISH_EARLY, /* before the first start */
	NO_SUCH_MOVE, /* a step succeeds that never ran */
	FALSEHOODS,
};

static bool is_first(enum ath_sched_act act, const struct ath_sched_action *action, bool *is_done)
{
	if (*is_done || action->act != act)
		return false;
	*is_done = true;
	return true;
}

/* Let the watcher see the action, or what the falsehood makes of it. */
static void show(struct watcher *watcher, const struct ath_sched_action *action,
		 enum falsehood falsehood, bool *is_done)
{
	size_t last = watcher->world->graph.order[watcher->world->spec.len - 1];
	struct ath_sched_action extra = { .subject = watcher->world->spec.len };

	if (falsehood == RECORD_LOST && action->act == ATH_SCHED_RECORD &&
	    action->state == ATH_STATE_RUNNING && is_first(ATH_SCHED_RECORD, action, is_done))
		return;
	if (falsehood == START_EARLY && is_first(ATH_SCHED_ASK, action, is_done))
		see(watcher,
		    &(struct ath_sched_action){ ATH_SCHED_START, .step = last, .attempt = 1 });
	if (falsehood == FINISH_EARLY && is_first(ATH_SCHED_START, action, is_done)) {
		extra.act = ATH_SCHED_FINISH;
		see(watcher, &extra);
	}
	if (falsehood == NO_SUCH_MOVE && is_first(ATH_SCHED_ASK, action, is_done)) {
		extra.act = ATH_SCHED_RECORD;
		extra.step = last;
		extra.state = ATH_STATE_SUCCEEDED;
		see(watcher, &extra);
	}
	see(watcher, action);
	if (falsehood == FINISH_TWICE && is_first(ATH_SCHED_FINISH, action, is_done))
		see(watcher, action);
}

/* ---- one run ---- */

static volatile sig_atomic_t seed_now; /* for the report of a bug that aborts */

static void on_abort(int signum)
{
	fprintf(stderr, "seed %d: aborted\n", (int)seed_now);
	signal(signum, SIG_DFL);
	raise(signum);
}

static void drain(struct watcher *watcher, struct ath_sched *sched, enum falsehood falsehood,
		  bool *is_done)
{
	struct ath_sched_action action;

	while (!watcher->fault[0] && ath_sched_take(sched, &action))
		show(watcher, &action, falsehood, is_done);
	if (!watcher->fault[0])
		check_quiet(watcher, sched);
}

/* Something that may come too late must change nothing. */
static void knock_after_the_end(struct watcher *watcher, struct ath_sched *sched)
{
	struct ath_sched_action action;

	check_end(watcher, sched);
	ath_sched_retry_due(sched, 0);
	ath_sched_cancel(sched, true);
	if (ath_sched_take(sched, &action))
		blame(watcher, "a finished run goes on");
}

/* Play one seed; *out_was_falsified tells whether the falsehood found its place. */
static void play(uint64_t seed, enum falsehood falsehood, struct watcher *watcher,
		 bool *out_was_falsified)
{
	uint64_t random = seed;
	struct choice choices[MOST_STEPS * 2];
	struct ath_sched *sched;
	struct world world;
	bool may_cancel;
	size_t len;

	seed_now = (sig_atomic_t)seed;
	make_world(&world, &random);
	may_cancel = one_in(&random, 2);
	watcher->world = &world;
	sched = ath_sched_new(&world.spec, &world.graph, world.uses_job, world.jobs);
	ath_sched_begin(sched);
	drain(watcher, sched, falsehood, out_was_falsified);
	while (!watcher->fault[0] && !watcher->is_finished) {
		len = list_choices(watcher, choices);
		if (!len)
			blame(watcher, "nothing can happen any more");
		else if (may_cancel && one_in(&random, 12))
			cancel(watcher, sched, one_in(&random, 3));
		else
			happen(watcher, sched, choices[below(&random, len)], &random);
		drain(watcher, sched, falsehood, out_was_falsified);
	}
	if (!watcher->fault[0])
		knock_after_the_end(watcher, sched);
	ath_sched_free(sched);
	ath_arena_fini(&world.arena);
	watcher->world = NULL;
}

static int check_seed(uint64_t seed, bool is_traced)
{
	struct watcher watcher = { .is_traced = is_traced };
	bool ignored = false;

	play(seed, TRUTH, &watcher, &ignored);
	if (!watcher.fault[0])
		return 0;
	printf("seed %llu: %s\n", (unsigned long long)seed, watcher.fault);
	return 1;
}

/* Every falsehood that found its place must be seen. */
static int check_controls(void)
{
	int missed = 0;

	for (unsigned falsehood = TRUTH + 1; falsehood < FALSEHOODS; falsehood++) {
		unsigned placed = 0;

		for (uint64_t seed = 1; seed <= CONTROL_SEEDS; seed++) {
			struct watcher watcher = { 0 };
			bool is_done = false;

			play(seed, (enum falsehood)falsehood, &watcher, &is_done);
			placed += is_done;
			if (is_done && !watcher.fault[0]) {
				printf("control %u, seed %llu: not seen\n", falsehood,
				       (unsigned long long)seed);
				missed++;
			}
		}
		if (placed < CONTROL_SEEDS / 4) {
			printf("control %u: found its place in %u runs only\n", falsehood, placed);
			missed++;
		}
	}
	return missed;
}

int main(int argc, char **argv)
{
	int failures = 0;

	signal(SIGABRT, on_abort);
	if (argc > 1)
		return check_seed(strtoull(argv[1], NULL, 10), true);
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		failures += check_seed(seed, false);
	failures += check_controls();
	printf("%d seeds, %d controls, %d failures\n", SEEDS, (FALSEHOODS - 1) * CONTROL_SEEDS,
	       failures);
	return failures != 0;
}
