/* SPDX-License-Identifier: MIT */
/* steps/replayed: the chain on an empty database, and what it shows of blind revisions. */
#include "steps/replayed.h"

#include "os/file.h"

enum {
	TIMEOUT_MS = 60 * 1000,
	TIMEOUT_PER_REVISION_MS = 100,
};

static struct ath_replayed_run *run_of(struct ath_step *step)
{
	struct ath_bridge_run *bridge = ath_step_data(step, sizeof(*bridge));

	return bridge->user;
}

static struct ath_facts_replay asked_of(struct ath_step *step, const struct ath_replayed_run *run)
{
	return (struct ath_facts_replay){
		.state_dir = ath_step_world(step)->state_dir,
		.place = &run->place,
		.chain = run->chain,
		.alembic = run->alembic,
		.sqlalchemy = run->sqlalchemy,
	};
}

static void merge(struct ath_step *step, struct ath_replayed_run *run,
		  const struct ath_replayed *replayed)
{
	run->merge = ath_replayed_merge(run->chain, run->effects, replayed, ath_step_arena(step));
	if (run->merge.disagreements)
		ath_step_logf(step,
			      "athanor: note: of %zu revisions the replay saw other effects than "
			      "their text tells; the text is believed",
			      run->merge.disagreements);
}

/* A revision may come once, and the state before the first one; what is more is not kept. */
static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	struct ath_replayed_run *run = run_of(step);

	if (reply->event == ATH_BRIDGE_SAYS_STOPPED)
		ath_step_logf(step, "athanor: note: the replay stopped%s%s: %s%s%s",
			      reply->revision ? " at revision " : "",
			      reply->revision ? reply->revision : "",
			      reply->message ? reply->message : "no reason was given",
			      reply->where ? ", at " : "", reply->where ? reply->where : "");
	if (reply->event != ATH_BRIDGE_SAYS_SCHEMA)
		return;
	if (run->len <= run->chain->len)
		run->events[run->len] = (struct ath_replay_event){
			.revision = reply->revision,
			.elements = reply->elements,
			.tables = reply->tables,
			.removed = reply->removed,
		};
	run->len++;
}

static void remove_database(struct ath_step *step, const struct ath_replayed_run *run)
{
	static const char *const ends[] = { "", "-journal", "-wal", "-shm" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *path =
			ath_arena_printf(ath_step_arena(step), "%s%s", run->path, ends[i]);
		struct ath_err err = { 0 };

		if (!ath_file_remove_tree(path, &err))
			ath_step_logf(step, "athanor: note: %s", err.msg);
	}
}

/* Fold what was told, keep it and merge it. */
static bool take_events(struct ath_step *step, struct ath_replayed_run *run, struct ath_err *err)
{
	struct ath_facts_replay asked = asked_of(step, run);
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_replayed replayed;

	if (run->len > run->chain->len + 1 ||
	    !ath_replayed_fold(run->chain, run->events, run->len, arena, &replayed))
		return ath_err_set(err, ATH_ERR_BRIDGE,
				   "it told of other revisions than there are");
	ath_facts_replay_keep(&asked, &run->key, &replayed, arena);
	merge(step, run, &replayed);
	return true;
}

static void on_bridge_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct ath_replayed_run *run = run_of(step);
	struct ath_err err = *bridge_err;

	remove_database(step, run);
	if (err.code != ATH_ERR_OK || !take_events(step, run, &err)) {
		ath_step_logf(step, "athanor: note: the replay is not used: %s", err.msg);
		run->failure = err;
	}
	run->on_end(step);
}

static bool start(struct ath_step *step, struct ath_replayed_run *run, struct ath_err *err)
{
	struct ath_arena *arena = ath_step_arena(step);

	run->path = ath_arena_printf(arena, "%s/replay.db", ath_step_world(step)->run_dir);
	run->events = ath_arena_new(arena, run->chain->len + 1, sizeof(*run->events));
	run->command = (struct ath_bridge_command){ .verb = ATH_BRIDGE_REPLAY };
	*run->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.clone = run->path,
		.live = run->live,
		.commands = &run->command,
		.len = 1,
		.on_reply = on_reply,
		.on_end = on_bridge_end,
		.timeout_ms = TIMEOUT_MS + TIMEOUT_PER_REVISION_MS * (uint64_t)run->chain->len,
		.user = run,
	};
	remove_database(step, run); /* of an attempt before */
	return ath_file_create(run->path, "", 0, 0600, err) && ath_bridge_run_start(step, err);
}

bool ath_replayed_start(struct ath_step *step, struct ath_replayed_run *run)
{
	struct ath_facts_replay asked = asked_of(step, run);
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_replayed replayed = { 0 };

	run->merge = (struct ath_replayed_merge){ .items = run->effects };
	run->failure = (struct ath_err){ 0 };
	run->len = 0;
	if (!ath_facts_replay_is_useful(run->chain, run->effects))
		return false;
	run->place = ath_database_chain_place(ath_step_world(step), ath_step_config(step), arena);
	run->key = ath_facts_replay_key(&asked, arena);
	if (ath_facts_replay_recall(&asked, arena, &replayed)) {
		merge(step, run, &replayed);
		return false;
	}
	if (start(step, run, &run->failure))
		return true;
	ath_step_logf(step, "athanor: note: there is no replay: %s", run->failure.msg);
	remove_database(step, run);
	return false;
}
