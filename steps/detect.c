/* SPDX-License-Identifier: MIT */
/*
 * steps/detect: which database is it, and at which revision does it say it is?
 *
 * The application's own env.py is asked, through the bridge, which database it would open; a recipe
 * that names another one stops the run. Only then is the file looked at, and the rows of its
 * version table and its schema are held against the graph and against what the revisions do
 * (steps/decision).
 */
#include <string.h>

#include "facts/effects.h"
#include "os/file.h"
#include "steps/bridge_run.h"
#include "steps/database.h"
#include "steps/decision.h"
#include "steps/detect_probe.h"
#include "steps/detect_target.h"
#include "steps/edited.h"
#include "steps/replayed.h"
#include "steps/resume.h"
#include "steps/table.h"

struct detect {
	struct ath_bridge_run bridge; /* first member, for its callbacks */
	struct ath_bridge_reply heads, target;
	struct ath_str lines; /* owned; in which graph and target were told */
	struct ath_str said;  /* owned; lines in which the effects were told */
	struct ath_known known;
	struct ath_cache_key key; /* of the effects, before they were read */
	struct ath_replayed_run replayed;
	bool is_replayed;                  /* started, or recalled */
	const char *path;                  /* of the database */
	struct ath_bridge_command command; /* of the second process */
	struct ath_arena *arena;           /* of the step */
	struct ath_resume resume;          /* owned; what a run that died has left */
	bool was_resumed;
	const char *scratch;    /* for a copy that is looked at */
	struct ath_meter meter; /* of the wait for the database's lock */
	struct ath_decision_question question;
	struct ath_decision_seen seen; /* its look is owned */
	struct ath_database_plan plan;
};

static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));

	if (reply->event == ATH_BRIDGE_SAYS_HEADS)
		detect->heads = *reply;
	if (reply->event == ATH_BRIDGE_SAYS_TARGET)
		detect->target = *reply;
}

static void set_facts(struct ath_step *step, const struct ath_look *look,
		      const struct ath_database_plan *plan)
{
	static const char *const works[] = {
		[ATH_DATABASE_NONE] = "none",
		[ATH_DATABASE_INIT] = "init",
		[ATH_DATABASE_UPGRADE] = "upgrade",
	};
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_texts rows = { look->rows, look->rows_len };
	enum ath_database_need need = plan->need;

	if (ath_step_world(step)->repairs_only)
		need = !plan->decided || ath_decision_repairs(plan) ? ATH_DATABASE_UPGRADE
								    : ATH_DATABASE_NONE;
	ath_step_fact(step, "database", plan->is_fresh ? "fresh" : "existing");
	ath_step_fact(step, "database.path", detect->path);
	ath_step_fact(step, "database.work", works[need]);
	ath_step_fact(step, "database.decided", plan->decided ? plan->decided : "");
	ath_step_fact(step, "database.doubt", plan->doubt ? plan->doubt : "");
	ath_step_fact(step, "database.rows", ath_database_join(&rows, arena));
	ath_decision_set_end(step, &detect->known.chain, plan, &rows);
	ath_step_fact(step, "database.version_table", detect->target.version_table);
}

/* The last thing that is done; `err` is NULL if all went well. */
static void end(struct ath_step *step, const struct ath_err *err)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));

	ath_str_fini(&detect->lines);
	ath_str_fini(&detect->said);
	ath_look_fini(&detect->seen.look);
	if (err)
		ath_step_fail(step, err);
	else
		ath_step_done(step);
}

/* Files that are not what was applied: told, and left to the schema. */
static void tell_edited(struct ath_step *step, const struct ath_look *look)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_texts rows = { look->rows, look->rows_len };
	struct ath_texts edited =
		ath_edited_find(ath_step_world(step), &detect->known.chain, &rows, arena);

	if (edited.len)
		ath_step_say(step, "edited since they were applied here: %s",
			     ath_database_join(&edited, arena));
}

/* The decision stands: it goes into the record and into the facts. */
static void settle(struct ath_step *step, const struct ath_look *look,
		   const struct ath_database_plan *plan)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = { 0 };

	ath_step_say(step, "%s: %s", detect->path, plan->said);
	tell_edited(step, look);
	set_facts(step, look, plan);
	if (plan->need == ATH_DATABASE_INIT ||
	    ath_known_save(ath_step_world(step), &detect->lines, &detect->known, &err))
		end(step, NULL);
	else
		end(step, &err);
}

/* A repair makes no database. */
static bool check_repairable(const struct ath_step_world *world,
			     const struct ath_database_plan *plan, const char *path,
			     struct ath_err *err)
{
	return !world->repairs_only || plan->need != ATH_DATABASE_INIT ||
	       ath_err_set(err, ATH_ERR_REFUSED,
			   "there is nothing to repair: '%s' is not there, or empty; `athanor "
			   "install` makes it",
			   path);
}

static void refuse(struct ath_step *step, const struct ath_look *look, const struct ath_err *err)
{
	tell_edited(step, look);
	end(step, err);
}

static void decide(struct ath_step *step);

/* What the texts do not tell may be seen when the chain runs on an empty database. */
static bool start_replay(struct ath_step *step)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));

	if (detect->is_replayed || !detect->known.effects)
		return false;
	detect->is_replayed = true;
	detect->replayed = (struct ath_replayed_run){
		.bridge = &detect->bridge,
		.chain = &detect->known.chain,
		.effects = detect->known.effects,
		.live = detect->path,
		.alembic = detect->heads.alembic,
		.sqlalchemy = detect->heads.sqlalchemy,
		.on_end = decide,
	};
	return ath_replayed_start(step, &detect->replayed);
}

/* The evidence does not decide: is there more to be had? True: another decision has been asked for. */
static bool look_further(struct ath_step *step)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	bool was_replayed = detect->is_replayed;

	if (start_replay(step))
		return true;
	if (was_replayed || detect->replayed.merge.items == detect->known.effects)
		return false;
	decide(step); /* what an earlier replay saw was recalled */
	return true;
}

/* What a run that died has left; that it cannot be told is no reason to stop. */
static bool compare_with_past(struct detect *detect, struct ath_err *err)
{
	struct ath_db_form form = {
		.path = detect->path,
		.busy_ms = detect->question.busy_ms,
		.is_wanted = ath_meter_goes_on,
		.wanted_by = &detect->meter,
	};

	if (ath_resume_judge(&detect->resume, &form, detect->scratch, &detect->meter, err) ||
	    err->code == ATH_ERR_CANCELLED)
		return err->code == ATH_ERR_OK;
	ath_err_clear(err);
	return true;
}

/* A wait for the lock of the database must not keep the loop from hearing signals. */
static bool decide_work(void *data, struct ath_err *err)
{
	struct detect *detect = data;

	ath_look_fini(&detect->seen.look);
	if (!compare_with_past(detect, err))
		return false;
	return ath_decision_make(&detect->question, detect->arena, &detect->seen, &detect->plan,
				 err);
}

static void on_decided(struct ath_step *step, const struct ath_err *decision_err)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = *decision_err;

	ath_resume_record(step, &detect->resume);
	ath_resume_fini(&detect->resume);
	if (err.code == ATH_ERR_OK &&
	    ath_detect_check_gone(world, &detect->plan, detect->path, &err) &&
	    check_repairable(world, &detect->plan, detect->path, &err))
		settle(step, &detect->seen.look, &detect->plan);
	else if (err.code != ATH_ERR_DECISION || ath_step_is_cancelled(step) || !look_further(step))
		refuse(step, &detect->seen.look, &err);
}

static void decide(struct ath_step *step)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct detect *detect = ath_step_data(step, sizeof(*detect));

	if (detect->is_replayed)
		detect->known.effects = detect->replayed.merge.items;
	detect->arena = ath_step_arena(step);
	detect->scratch = ath_arena_printf(detect->arena, "%s/found.db", world->run_dir);
	if (!detect->was_resumed)
		(void)ath_resume_find(world, detect->path,
				      &detect->resume); /* empty if there is none */
	detect->was_resumed = true;
	detect->question = (struct ath_decision_question){
		.path = detect->path,
		.name = detect->path,
		.version_table = detect->target.version_table,
		.known = &detect->known,
		.assume = world->assume_revision,
		.busy_ms = (unsigned)world->lock_timeout_ms,
		.meter = &detect->meter,
	};
	ath_step_watch(step, &detect->meter);
	ath_step_work(step, decide_work, detect, on_decided);
}

static struct ath_facts_reader reader_of(struct ath_step *step)
{
	const struct ath_database_config *config = ath_step_config(step);
	const struct ath_step_world *world = ath_step_world(step);

	return (struct ath_facts_reader){
		.python = ath_arena_printf(ath_step_arena(step), "%s/%s/bin/python", world->root,
					   config->venv),
		.state_dir = world->state_dir,
	};
}

/* What the revisions do is known, or cannot be: without evidence the rows alone decide. */
static void on_effects_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_facts_reader reader = reader_of(step);

	if (bridge_err->code != ATH_ERR_OK)
		ath_step_logf(step, "athanor: reading the revisions: %s", bridge_err->msg);
	else
		detect->known.effects =
			ath_facts_effects_take(&reader, &detect->known.chain, &detect->key,
					       &detect->said, ath_step_arena(step));
	decide(step);
}

/* Every revision and its file, parents first: nothing of the application is imported for that. */
static void ask_effects(struct ath_step *step)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	const struct ath_chain *chain = &detect->known.chain;
	const char **ids = ath_arena_new(arena, chain->len + 1, sizeof(*ids));
	const char **files = ath_arena_new(arena, chain->len + 1, sizeof(*files));
	struct ath_err err = { 0 };

	for (size_t i = 0; i < chain->len; i++) {
		ids[i] = chain->entries[chain->order.items[i]].id;
		files[i] = chain->entries[chain->order.items[i]].file;
	}
	detect->command = (struct ath_bridge_command){
		.verb = ATH_BRIDGE_EFFECTS,
		.ids = { ids, chain->len },
		.files = { files, chain->len },
	};
	detect->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.commands = &detect->command,
		.len = 1,
		.keep = &detect->said,
		.on_end = on_effects_end,
	};
	if (!ath_bridge_run_start(step, &err))
		end(step, &err);
}

/* Where the files do not say the graph, later commands know it from here. */
static void keep_graph(struct ath_step *step)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_facts_chain_place place =
		ath_database_chain_place(world, ath_step_config(step), arena);
	const char *lines = ath_str_get(&detect->lines);
	struct ath_str line = { 0 };

	ath_str_add(&line, lines, strcspn(lines, "\n") + 1);
	ath_facts_chain_keep(
		&place, &line,
		ath_arena_printf(arena, "%s/%s.request", world->run_dir, ath_step_name(step)));
	ath_str_fini(&line);
}

/* The application has said which database it is; effects are of use only if it is there. */
static void look_at(struct ath_step *step)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_facts_reader reader = reader_of(step);
	struct ath_effects *kept;
	struct ath_err err = { 0 };
	size_t len;

	/* whatever is decided: a look may use it from now on */
	ath_detect_record(step, &detect->heads, &detect->target, detect->path);
	if (!ath_known_read(&detect->lines, arena, &detect->known, &len, &err)) {
		end(step, &err);
		return;
	}
	keep_graph(step);
	if (ath_file_kind(detect->path) == ATH_FILE_ABSENT) {
		decide(step);
	} else if (ath_facts_effects_recall(&reader, &detect->known.chain, arena, &kept)) {
		detect->known.effects = kept;
		decide(step);
	} else {
		detect->key = ath_facts_effects_key(&reader, &detect->known.chain);
		ask_effects(step);
	}
}

/* Alembic names the revision alone; the files' own reader says the same with file and line. */
static void locate_in_chain(struct ath_step *step, struct ath_err *err)
{
	struct ath_facts_chain_place place = ath_database_chain_place(
		ath_step_world(step), ath_step_config(step), ath_step_arena(step));
	struct ath_facts_chain chain = { 0 };
	struct ath_err located = { 0 };

	if (!ath_facts_chain_load(&place, &chain, &located) && located.code == ATH_ERR_CHAIN)
		*err = located;
	ath_facts_chain_fini(&chain);
}

static void on_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = *bridge_err;

	if (err.code == ATH_ERR_CHAIN)
		locate_in_chain(step, &err);
	if (err.code != ATH_ERR_OK)
		ath_err_prefix(&err, "asking the application's env.py");
	else
		detect->path = ath_detect_find_database(step, &detect->target, &err);
	if (detect->path)
		look_at(step);
	else
		end(step, &err);
}

static void detect_start(struct ath_step *step)
{
	static const struct ath_bridge_command commands[] = { { .verb = ATH_BRIDGE_HEADS },
							      { .verb = ATH_BRIDGE_TARGET } };
	struct detect *detect = ath_step_data(step, sizeof(*detect));
	struct ath_err err = { 0 };

	detect->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.commands = commands,
		.len = 2,
		.keep = &detect->lines,
		.on_reply = on_reply,
		.on_end = on_end,
	};
	if (!ath_bridge_run_start(step, &err))
		ath_step_fail(step, &err);
}

const struct ath_step_type ath_step_detect = {
	.name = "detect",
	.summary = "Ask which database the application opens, and at which revision it is.",
	.fields = ath_database_fields,
	.only_looks = true,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.inputs = ath_detect_inputs,
	.probe = ath_detect_probe,
	.start = detect_start,
};
