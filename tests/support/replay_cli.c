/* SPDX-License-Identifier: MIT */
/*
 * support/replay_cli: steps/replayed as a program, for tests with real Alembic projects.
 *
 *	replay_cli ROOT VENV LIVE	VENV is relative to ROOT, which holds alembic.ini
 *
 * Runs one step that reads the texts, starts a replay and writes one line per revision:
 * "ID SOURCE TRAITS EFFECT EFFECT ...", effects as "+KEY" with blanks as '_'; then
 * "opened N disagreements N waited BOOL failure CODE". The step's log is RUN/replay.log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "engine/run.h"
#include "facts/effects.h"
#include "journal/journal.h"
#include "os/file.h"
#include "steps/replayed.h"

/* The step's data. */
struct data {
	struct ath_bridge_run bridge;
	struct ath_replayed_run replayed;
	bool has_waited;
};

/* The whole program; steps reach it as world->notes. */
struct program {
	struct ath_arena arena;
	struct ath_facts_chain chain;
	struct ath_facts_effects texts;
	const char *live;
};

static void print_effects(const struct ath_effects *effects)
{
	static const char *const sources[] = { "unknown", "static", "replay" };

	printf(" %s %s%s%s", sources[effects->source], effects->is_literal ? "literal," : "",
	       effects->has_data ? "data," : "", effects->is_lower_bound ? "lower," : "");
	for (size_t i = 0; i < effects->len; i++) {
		char *key = strdup(effects->items[i].element.key);

		for (char *at = key; *at; at++)
			*at = *at == ' ' ? '_' : *at;
		printf(" %c%s", "+-~"[effects->items[i].verb], key);
		if (effects->items[i].tie)
			printf("@%u", effects->items[i].tie);
		free(key);
	}
}

static void on_end(struct ath_step *step)
{
	struct data *data = ath_step_data(step, sizeof(*data));
	const struct ath_chain *chain = data->replayed.chain;
	const struct ath_replayed_merge *merge = &data->replayed.merge;

	for (size_t i = 0; i < chain->order.len; i++) {
		printf("%s", chain->entries[chain->order.items[i]].id);
		print_effects(&merge->items[chain->order.items[i]]);
		printf("\n");
	}
	printf("opened %zu disagreements %zu waited %d failure %s\n", merge->opened,
	       merge->disagreements, data->has_waited, ath_err_name(data->replayed.failure.code));
	ath_step_done(step);
}

static void start(struct ath_step *step)
{
	struct data *data = ath_step_data(step, sizeof(*data));
	struct program *program = ath_step_world(step)->notes;

	data->replayed = (struct ath_replayed_run){
		.bridge = &data->bridge,
		.chain = &program->chain.chain,
		.effects = program->texts.items,
		.live = program->live,
		.alembic = getenv("REPLAY_ALEMBIC"),
		.sqlalchemy = getenv("REPLAY_SQLALCHEMY"),
		.on_end = on_end,
	};
	data->has_waited = ath_replayed_start(step, &data->replayed);
	if (!data->has_waited)
		on_end(step);
}

static void probe(const struct ath_step_world *world, const void *config, struct ath_step_look *out)
{
	(void)world, (void)config, (void)out;
}

static const struct ath_step_type type = {
	.name = "replay",
	.summary = "Replay.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.probe = probe,
	.start = start,
};
static const struct ath_step_type *const types[] = { &type, NULL };
static const struct ath_section_type *const sections[] = { NULL };
static const struct ath_step_table table = { types, sections };

static bool find_no_note(void *user, const char *name, struct ath_pairs *out)
{
	(void)user, (void)name, (void)out;
	return false;
}

static void on_event(void *user, const struct ath_event *event)
{
	(void)user, (void)event;
}

/* The chain and what its texts say. */
static bool read_texts(struct program *program, const struct ath_step_world *world,
		       const char *python, struct ath_err *err)
{
	struct ath_facts_chain_place place = { world->root, "alembic.ini", "alembic", { 0 } };
	struct ath_facts_reader reader = { .python = python,
					   .folder = world->run_dir,
					   .environment = world->environment };
	int signum;

	return ath_facts_chain_load(&place, &program->chain, err) &&
	       ath_facts_effects_read(&reader, &program->chain.chain, &program->texts, &signum,
				      err);
}

static struct ath_spec make_spec(struct program *program, const char *venv)
{
	struct ath_spec_step *steps = ath_arena_new(&program->arena, 1, sizeof(*steps));
	struct ath_value *config = ath_value_new_map(&program->arena);

	ath_value_put_text(&program->arena, config, "alembic", "alembic.ini");
	ath_value_put_text(&program->arena, config, "venv", venv);
	steps[0] = (struct ath_spec_step){ .name = "replay", .type = "replay", .config = config };
	return (struct ath_spec){ steps, 1 };
}

/* Plan and run the one step. */
static bool run(struct program *program, const struct ath_step_world *world, const char *venv,
		struct ath_err *err)
{
	const struct ath_journal_run begin = { "mark", "boot", "install", 0 };
	const struct ath_spec spec = make_spec(program, venv);
	const struct ath_history history = { 0 };
	char *path = ath_file_join(world->state_dir, "test.db");
	struct ath_loop *loop = ath_loop_new(err);
	struct ath_journal *journal = loop ? ath_journal_open(path, err) : NULL;
	struct ath_plan_look looks[1] = { 0 };
	struct ath_report report = { 0 };
	const struct ath_bound *bound;
	struct ath_graph graph;
	struct ath_plan plan;

	if (journal && ath_child_prepare(loop, err) &&
	    ath_journal_begin_run(journal, &begin, err) &&
	    ath_graph_build(&spec, &program->arena, &graph, err) &&
	    ath_survey_bind(&spec, &table, &program->arena, &bound, err) &&
	    ath_plan_make(&spec, &graph, looks, world->facts, &(struct ath_plan_choice){ 0 },
			  &program->arena, &plan, err)) {
		ath_run(&(struct ath_run_setup){ .loop = loop,
						 .journal = journal,
						 .spec = &spec,
						 .graph = &graph,
						 .plan = &plan,
						 .bound = bound,
						 .history = &history,
						 .table = &table,
						 .world = world,
						 .jobs = 1,
						 .on_event = on_event },
			&report);
		*err = report.cause;
	}
	ath_journal_close(journal);
	ath_loop_free(loop);
	free(path);
	return err->code == ATH_ERR_OK;
}

int main(int argc, char **argv)
{
	struct program program = { .live = argc == 4 ? argv[3] : NULL };
	struct ath_environ environment;
	struct ath_pairs facts = { 0 };
	struct ath_err err = { 0 };
	char *state, *run_dir, *venv, *python;
	struct ath_step_world world;
	bool is_done;

	if (argc != 4)
		return 64;
	state = ath_file_join(argv[1], ".athanor");
	run_dir = ath_file_join(state, "runs/mark");
	venv = ath_file_join(argv[1], argv[2]);
	python = ath_file_join(venv, "bin/python");
	ath_environ_init(&environment);
	world = (struct ath_step_world){
		.root = argv[1],
		.state_dir = state,
		.run_dir = run_dir,
		.run = "mark",
		.environment = &environment,
		.facts = &facts,
		.find_note = find_no_note,
		.notes = &program,
	};
	is_done = ath_file_make_folders(run_dir, 0700, &err) &&
		  read_texts(&program, &world, python, &err) &&
		  run(&program, &world, argv[2], &err);
	if (!is_done)
		fprintf(stderr, "%s\n", err.msg);
	ath_facts_effects_fini(&program.texts);
	ath_facts_chain_fini(&program.chain);
	ath_arena_fini(&program.arena);
	ath_environ_fini(&environment);
	ath_pairs_fini(&facts);
	free(state);
	free(run_dir);
	free(venv);
	free(python);
	return !is_done;
}
