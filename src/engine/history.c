/* SPDX-License-Identifier: MIT */
/* engine/history: the fold of the journal into the past that a new run starts from. */
#include "engine/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "engine/state.h"

enum {
	MOST_RUNS = 100, /* runs of one attempt that are looked at */
};

/* One transition with its place in time, for sorting by step. */
struct row {
	const char *step;
	size_t order;
	enum ath_state state;
};

typedef ATH_VEC(struct row) rows_vec;

static int compare_rows(const void *one, const void *other)
{
	const struct row *a = one, *b = other;
	int order = strcmp(a->step, b->step);

	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_good_end(const struct ath_replay_run *run)
{
	return ath_str_is(run->outcome, "succeeded") || ath_str_is(run->outcome, "nothing");
}

static bool add_run(struct ath_journal *journal, int64_t run, struct ath_arena *arena,
		    rows_vec *rows, struct ath_err *err)
{
	struct ath_replay_transitions loaded;

	if (!ath_replay_load_transitions(journal, run, arena, &loaded, err))
		return false;
	for (size_t i = 0; i < loaded.len; i++) {
		enum ath_state state = ath_state_find(loaded.items[i].state);

		if (state < ATH_STATE_COUNT_)
			*ath_vec_push(rows) =
				(struct row){ loaded.items[i].step, rows->len - 1, state };
	}
	return true;
}

/*
 * A step's past: its last state, but a later run in which it was not reached (skipped, blocked, or
 * called off before it began) leaves what an earlier run of the attempt finished.
 */
static enum ath_past fold(enum ath_past before, enum ath_state state)
{
	enum ath_past now = ath_state_past(state);

	if (state == ATH_STATE_CANCELLED && before != ATH_PAST_INTERRUPTED)
		return before;
	return now == ATH_PAST_NONE ? before : now;
}

static void fold_rows(rows_vec *rows, struct ath_history *out)
{
	struct ath_history_step *steps = ath_arena_new(&out->arena, rows->len, sizeof(*steps));
	size_t len = 0;

	if (rows->len)
		qsort(rows->items, rows->len, sizeof(*rows->items), compare_rows);
	ath_vec_each (rows, one) {
		if (!len || strcmp(steps[len - 1].step, one->step) != 0)
			steps[len++] = (struct ath_history_step){ one->step, ATH_PAST_NONE };
		steps[len - 1].past = fold(steps[len - 1].past, one->state);
	}
	out->steps = steps;
	out->steps_len = len;
}

/* The runs of the attempt, newest first, back along `continues`. */
static bool load_attempt(struct ath_journal *journal, struct ath_history *out, struct ath_err *err)
{
	struct ath_replay_runs runs;
	rows_vec rows = { 0 };
	size_t len = 0;
	bool is_done = true;

	if (!ath_replay_load_runs(journal, true, MOST_RUNS, &out->arena, &runs, err))
		return false;
	if (!runs.len || is_good_end(&runs.items[0]))
		return true;
	out->continues = runs.items[0].id;
	out->continued = runs.items[0].mark;
	for (len = 1; len < runs.len && runs.items[len - 1].continues == runs.items[len].id;)
		len++;
	while (is_done && len--)
		is_done = add_run(journal, runs.items[len].id, &out->arena, &rows, err);
	if (is_done)
		fold_rows(&rows, out);
	ath_vec_fini(&rows);
	return is_done;
}

bool ath_history_load(struct ath_journal *journal, struct ath_history *out, struct ath_err *err)
{
	*out = (struct ath_history){ 0 };
	if (!journal)
		return true;
	if (ath_replay_load_successes(journal, &out->arena, &out->successes, err) &&
	    ath_replay_load_open(journal, &out->arena, &out->open, err) &&
	    load_attempt(journal, out, err))
		return true;
	ath_history_fini(out);
	return false;
}

void ath_history_fini(struct ath_history *history)
{
	ath_arena_fini(&history->arena);
	*history = (struct ath_history){ 0 };
}

static int compare_name(const void *name, const void *step)
{
	return strcmp(name, ((const struct ath_history_step *)step)->step);
}

enum ath_past ath_history_find(const struct ath_history *history, const char *step)
{
	const struct ath_history_step *found =
		history->steps_len ? bsearch(step, history->steps, history->steps_len,
					     sizeof(*history->steps), compare_name)
				   : NULL;

	return found ? found->past : ATH_PAST_NONE;
}
