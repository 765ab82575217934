/* SPDX-License-Identifier: MIT */
/* steps/walk_run: carries a walk out on a copy of the database. */
#include "steps/walk_run.h"

#include <string.h>

#include "alembic/walk.h"
#include "base/str.h"
#include "facts/snapshot.h"
#include "sqlite/undo.h"

/* What comes next: some commands of one bridge process, and what is said before them. */
struct ath_walk_part {
	struct ath_bridge_command *commands;
	size_t len;
	const char **said; /* for people, in order */
	size_t said_len;
};

static struct ath_walk_run *run_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_walk_run));
}

static const char *id_of(const struct ath_walk_run *run, size_t revision)
{
	return run->known->chain.entries[revision].id;
}

static void say(struct ath_walk_run *run, const char *text)
{
	run->part->said[run->part->said_len++] = text;
}

/* ---- the next part ---- */

static bool check_readable(const struct ath_look *look, struct ath_err *err)
{
	return look->state == ATH_LOOK_OK || look->state == ATH_LOOK_EMPTY ||
	       ath_err_set(err, ATH_ERR_VERIFY, "the copy is %s: %s",
			   ath_look_state_name(look->state), look->reason);
}

/* Rows of the copy as a cut. */
static bool read_cut(const struct ath_walk_run *run, const struct ath_look *look, bool **out,
		     struct ath_err *err)
{
	const struct ath_chain *chain = &run->known->chain;
	size_t *rows = ath_arena_new(run->arena, look->rows_len, sizeof(*rows));

	for (size_t i = 0; i < look->rows_len; i++) {
		rows[i] = ath_chain_find(chain, look->rows[i]);
		if (rows[i] == chain->len)
			return ath_err_set(err, ATH_ERR_VERIFY,
					   "the copy's version table holds '%s', which is no "
					   "revision of the chain",
					   look->rows[i]);
	}
	*out = ath_chain_new_ancestors(chain, (struct ath_chain_list){ rows, look->rows_len },
				       run->arena);
	return true;
}

/* Each part has to bring the copy forward, or we would go in a circle. */
static bool check_progress(const struct ath_walk_run *run, const bool *cut, struct ath_err *err)
{
	if (!run->before)
		return true;
	for (size_t i = 0; i < run->known->chain.len; i++) {
		if (cut[i] && !run->before[i])
			return true;
	}
	return ath_err_set(err, ATH_ERR_VERIFY,
			   "the copy's version table did not change although revisions were run");
}

static void add_command(struct ath_walk_run *run, enum ath_bridge_do verb, struct ath_texts ids)
{
	run->part->commands[run->part->len++] = (struct ath_bridge_command){
		.verb = verb,
		.ids = ids,
		.purge = verb == ATH_BRIDGE_STAMP,
	};
}

static struct ath_texts ids_of(const struct ath_walk_run *run, struct ath_chain_list revisions)
{
	const char **ids = ath_arena_new(run->arena, revisions.len + 1, sizeof(*ids));

	for (size_t i = 0; i < revisions.len; i++)
		ids[i] = id_of(run, revisions.items[i]);
	return (struct ath_texts){ ids, revisions.len };
}

/* Steps of one act in a row are one part; `cut` becomes what is applied after it. */
static size_t take_steps(const struct ath_walk *walk, bool *cut)
{
	size_t taken = 0;

	do
		cut[walk->steps[taken++].revision] = true;
	while (taken < walk->len && walk->steps[taken].act == walk->steps[0].act &&
	       walk->steps[0].act != ATH_WALK_REDO);
	return taken;
}

/* An upgrade to each tip that is new; to the heads where that is the whole chain. */
static void add_upgrades(struct ath_walk_run *run, const bool *before, const bool *cut)
{
	const struct ath_chain *chain = &run->known->chain;
	struct ath_chain_list tips = ath_chain_find_tips(chain, cut, run->arena);
	bool is_all = true;

	for (size_t i = 0; i < chain->len; i++)
		is_all &= cut[i];
	if (is_all) {
		add_command(run, ATH_BRIDGE_UPGRADE, (struct ath_texts){ 0 });
		return;
	}
	for (size_t i = 0; i < tips.len; i++) {
		const struct ath_chain_list tip = { &tips.items[i], 1 };

		if (!before[tips.items[i]])
			add_command(run, ATH_BRIDGE_UPGRADE, ids_of(run, tip));
	}
}

static bool take_away(struct ath_walk_run *run, const struct ath_walk_step *step,
		      struct ath_err *err)
{
	if (!ath_undo(run->clone, &step->undo, err))
		return ath_err_prefix(err, "revision %s is partly there and has to be taken back",
				      id_of(run, step->revision));
	for (size_t i = 0; i < step->undo.len; i++)
		say(run, ath_arena_printf(run->arena, "took '%s' away", step->undo.items[i].key));
	return true;
}

static bool plan_part(struct ath_walk_run *run, const struct ath_walk *walk, bool *cut,
		      struct ath_err *err)
{
	const struct ath_walk_step *first = &walk->steps[0];
	bool *before = ath_arena_new(run->arena, run->known->chain.len, sizeof(*before));
	size_t taken;

	memcpy(before, cut, run->known->chain.len * sizeof(*before));
	run->before = before;
	if (first->act == ATH_WALK_STOP)
		return ath_err_set(err, ATH_ERR_DECISION,
				   "revision %s can be neither run nor taken as done: %s",
				   id_of(run, first->revision), first->reason);
	taken = take_steps(walk, cut);
	for (size_t i = 0; i < taken && first->reason; i++)
		say(run,
		    ath_arena_printf(run->arena, "revision %s: %s",
				     id_of(run, walk->steps[i].revision), walk->steps[i].reason));
	if (first->act == ATH_WALK_ADOPT) {
		add_command(run, ATH_BRIDGE_STAMP,
			    ids_of(run, ath_chain_find_tips(&run->known->chain, cut, run->arena)));
		return true;
	}
	for (size_t i = 0; i < taken; i++)
		run->ran[walk->steps[i].revision] = true;
	if (first->act == ATH_WALK_REDO && !take_away(run, first, err))
		return false;
	add_upgrades(run, before, cut);
	return true;
}

/* What interrupted rebuilds have left, at the first look only. */
static bool sweep_leftovers(struct ath_walk_run *run, const struct ath_walk *walk,
			    struct ath_err *err)
{
	size_t left;

	if (run->before || !walk->leftovers.len)
		return true;
	if (!ath_undo_empty(run->clone, &walk->leftovers, &left, err))
		return false;
	if (left)
		say(run, "a table of an interrupted rebuild holds rows and was left alone");
	else
		say(run, "took away what an interrupted rebuild had left");
	return true;
}

/* Room for one command per revision, and one sentence per revision and part of the schema. */
static void make_part(struct ath_walk_run *run, size_t elements)
{
	size_t revisions = run->known->chain.len;

	run->part->commands =
		ath_arena_new(run->arena, revisions + 1, sizeof(*run->part->commands));
	run->part->said =
		ath_arena_new(run->arena, revisions + elements + 2, sizeof(*run->part->said));
}

static bool look_work(void *data, struct ath_err *err)
{
	struct ath_walk_run *run = data;
	const struct ath_effects *effects = run->known->effects;
	struct ath_walk_question question = { .chain = &run->known->chain, .goal = run->goal };
	struct ath_facts_snapshot_of of = {
		.path = run->clone,
		.version_table = run->version_table,
		.arena = run->arena,
	};
	struct ath_look look = { 0 };
	struct ath_walk walk;
	bool *cut = NULL, is_planned;

	if (!ath_facts_snapshot(&of, &look, &question.live, err))
		return false;
	make_part(run, question.live.len);
	is_planned = check_readable(&look, err) && read_cut(run, &look, &cut, err) &&
		     check_progress(run, cut, err);
	ath_look_fini(&look);
	if (!is_planned)
		return false;
	question.cut = cut;
	question.effects = effects ? effects
				   : ath_arena_new(run->arena, question.chain->len + 1,
						   sizeof(*effects)); /* all of them UNKNOWN */
	ath_walk_plan(&question, run->arena, &walk);
	return sweep_leftovers(run, &walk, err) && (!walk.len || plan_part(run, &walk, cut, err));
}

/* ---- one part after the other ---- */

static void look(struct ath_step *step);

static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	if (reply->event == ATH_BRIDGE_SAYS_REVISION && ath_str_is(reply->state, "start"))
		ath_step_say(step, "revision %s", reply->revision);
}

static void on_bridge_end(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_OK)
		look(step);
	else
		run_of(step)->on_end(step, err);
}

static void on_looked(struct ath_step *step, const struct ath_err *looked)
{
	struct ath_walk_run *run = run_of(step);
	struct ath_err err = *looked;

	for (size_t i = 0; i < run->part->said_len; i++)
		ath_step_say(step, "%s", run->part->said[i]);
	if (err.code != ATH_ERR_OK || !run->part->len) {
		run->on_end(step, &err);
		return;
	}
	run->bridge = (struct ath_bridge_run){
		.config = run->config,
		.clone = run->clone,
		.live = run->live,
		.commands = run->part->commands,
		.len = run->part->len,
		.on_reply = on_reply,
		.on_end = on_bridge_end,
	};
	if (!ath_bridge_run_start(step, &err))
		run->on_end(step, &err);
}

static void look(struct ath_step *step)
{
	struct ath_walk_run *run = run_of(step);

	run->part = ath_arena_new(run->arena, 1, sizeof(*run->part));
	ath_step_work(step, look_work, run, on_looked);
}

void ath_walk_run_start(struct ath_step *step)
{
	struct ath_walk_run *run = run_of(step);

	run->arena = ath_step_arena(step);
	run->before = NULL;
	run->ran = ath_arena_new(run->arena, run->known->chain.len + 1, sizeof(*run->ran));
	look(step);
}
