/* SPDX-License-Identifier: MIT */
/*
 * cli/project: an application's folder as the commands see it: recipe, graph, past, and the plan.
 *
 * Opening reads only. The journal is opened for writing by install alone, under the lock.
 */
#ifndef ATH_CLI_PROJECT_H
#define ATH_CLI_PROJECT_H

#include "base/redact.h"
#include "base/str.h"
#include "cli/options.h"
#include "engine/history.h"
#include "engine/step.h"
#include "engine/survey.h"
#include "facts/hidden.h"
#include "os/environ.h"
#include "os/file.h"
#include "plan/graph.h"
#include "plan/make.h"
#include "recipe/recipe.h"

struct ath_journal;

/* File in .athanor that says where the state is, if --state-dir put it elsewhere. */
#define ATH_PROJECT_STATE_NOTE "state-dir"

/* Name of a copy of the database that a look may make in the state directory and removes again. */
#define ATH_PROJECT_SCRATCH "restore-look.db"

struct ath_project {
	struct ath_arena arena;         /* owned */
	struct ath_recipe recipe;       /* owned */
	struct ath_str text;            /* owned; the recipe's text, for a caret */
	struct ath_environ environment; /* owned; what children get */
	struct ath_pairs facts;         /* owned */
	struct ath_history history;     /* owned */
	struct ath_journal *journal;    /* owned; NULL: none yet, or closed */
	char *root;                     /* owned; absolute, without links */
	char *state_dir;                /* owned; absolute */
	struct ath_spec spec;           /* in the arena, as all below */
	struct ath_graph graph;
	const struct ath_bound *bound;
	struct ath_step_world world;
	struct ath_plan_look *looks;
	struct ath_plan plan;
	struct ath_redact *redact;       /* owned; what no output shows */
	struct ath_hidden hidden;        /* what is a secret of this application */
	struct ath_file_stamp env_stamp; /* of the .env file when it was read last */
	bool is_partial;                 /* --only or --skip leaves steps out */
	bool has_recipe;   /* else there is a folder with a state directory, and no more */
	const char *again; /* what is typed to go on: "install", "restore 1a2b"; static or arena */
	struct ath_err refusal; /* clean, or: it is certain that a run would refuse */
};

/*
 * Find the folder and load its recipe and graph. On failure the project holds what is needed for
 * the message (ath_print_error); fini it in any case. From here on until then secrets are masked in
 * all that is printed.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_RECIPE, ...
 */
ATH_NODISCARD bool ath_project_open(struct ath_project *project, const struct ath_options *options,
				    struct ath_err *err);

/*
 * As ath_project_open, for commands that need no more than the state directory: where the recipe cannot
 * be read there is none (has_recipe), and the name is that of the folder. There is no graph yet.
 * Fails with: ATH_ERR_USAGE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_project_open_state(struct ath_project *project,
					  const struct ath_options *options, struct ath_err *err);

/* Take a graph other than the recipe's: bind its steps. */
ATH_NODISCARD bool ath_project_take_graph(struct ath_project *project, const struct ath_spec *spec,
					  struct ath_err *err);

/*
 * Under the lock, with the journal open for writing: end what is left of runs that died, remove their
 * copies of the database, close their rows. Fails with: ATH_ERR_IO, ...
 */
ATH_NODISCARD bool ath_project_bury_dead(struct ath_project *project, const char *boot_id,
					 struct ath_err *err);

/* Load the past from project->journal (NULL: none), ask every probe and make the plan. */
ATH_NODISCARD bool ath_project_plan(struct ath_project *project, const struct ath_options *options,
				    struct ath_err *err);

/* Open the journal for looking, if there is one. */
ATH_NODISCARD bool ath_project_look_at_journal(struct ath_project *project, struct ath_err *err);

/* A path in the state directory; owned. */
char *ath_project_path(const struct ath_project *project, const char *name);

/* The command to type next, such as "athanor install /srv/app"; owned. */
char *ath_project_command(const struct ath_project *project, const char *command);

/* Release; zeroed afterwards. */
void ath_project_fini(struct ath_project *project);

#endif
