/* SPDX-License-Identifier: MIT */
/*
 * cli/inspect: at which revision is this database really, by what evidence, and what would be
 * decided; changes nothing.
 */
#include "cli/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "facts/python.h"
#include "os/file.h"
#include "steps/verified.h"

enum {
	BUSY_MS = 2000, /* how long a look waits for a lock */
};

static bool load_chain(struct ath_inspection *inspection, struct ath_err *err)
{
	const struct ath_project *project = inspection->project;
	struct ath_database_config config = ath_inspect_config(&project->recipe);
	struct ath_facts_chain_place place =
		ath_database_chain_place(&project->world, &config, &inspection->arena);

	if (!ath_facts_chain_load(&place, &inspection->chain, err))
		return false;
	if (!inspection->chain.is_static)
		return ath_err_set(err, ATH_ERR_UNAVAILABLE,
				   "the revisions of '%s' cannot be read from their files alone, "
				   "Alembic has to be asked (`athanor install` does): %s",
				   project->root,
				   inspection->chain.obstacle ? inspection->chain.obstacle : "");
	inspection->heads = ath_facts_chain_heads(&inspection->chain);
	return true;
}

/* The environment's own interpreter, or any: nothing of the application is imported. */
const char *ath_inspect_python(const struct ath_project *project, struct ath_arena *arena)
{
	char *folder = ath_file_join(project->root, project->recipe.python.venv);
	char *found = NULL;
	const char *path;
	struct ath_venv venv;

	ath_venv_look(folder, &venv);
	if (venv.state == ATH_VENV_HEALTHY)
		found = ath_file_join(folder, "bin/python");
	else
		found = ath_environ_find_program(&project->environment, "python3");
	path = ath_arena_strdup(arena, found);
	free(found);
	free(folder);
	return path;
}

/* Where a private folder may be made for a moment: in the state directory, if there is one. */
const char *ath_inspect_folder(const struct ath_project *project)
{
	const char *other = getenv("TMPDIR");

	if (ath_file_kind(project->state_dir) == ATH_FILE_FOLDER &&
	    !ath_file_is_link(project->state_dir) && ath_file_can_write(project->state_dir))
		return project->state_dir;
	return other && other[0] == '/' ? other : "/tmp";
}

/* A volume that is not mounted looks just like a first installation. */
static void check_gone(struct ath_inspection *inspection)
{
	struct ath_inference *result = &inspection->found.result;

	if (result->decision != ATH_DECISION_INIT ||
	    !ath_verified_was_there(&inspection->project->world, inspection->path))
		return;
	result->decision = ATH_DECISION_ASK;
	result->reason = "there was a database when it was looked at before, and it is gone or "
			 "empty now: put it back, or start anew with --allow-new-database";
}

/* What install, and repair as far as it goes, do with such a database. */
static const char *foresee(struct ath_inspection *inspection)
{
	const struct ath_inference *result = &inspection->found.result;
	const struct ath_chain *chain = &inspection->chain.chain;
	struct ath_arena *arena = &inspection->arena;
	size_t pending = result->pending.len;

	if (inspection->found.look.state == ATH_LOOK_RECOVERY)
		return "rolls the interrupted write back, under its lock, and looks again";
	switch (result->decision) {
	case ATH_DECISION_NONE:
		return pending ? ath_arena_printf(arena,
						  "goes on: %zu pending, run on a copy first",
						  pending)
			       : "has nothing to do";
	case ATH_DECISION_STAMP:
		return ath_arena_printf(arena,
					"writes the row %s on a copy and goes on: %zu pending",
					ath_database_join(&result->stamp, arena), pending);
	case ATH_DECISION_COMPLETE:
		return ath_arena_printf(
			arena,
			"takes back what revision %s has left, if that loses nothing, and runs it "
			"whole, on a copy; %zu pending",
			result->half.revision < chain->len
				? chain->entries[result->half.revision].id
				: "?",
			pending);
	case ATH_DECISION_INIT:
		return "makes a new database";
	case ATH_DECISION_ASK:
		return result->verdict == ATH_VERDICT_EMPTY
			       ? "stops here, too"
			       : "stops here, unless --assume-revision REV says at which revision "
				 "it is";
	default:
		return "stops here, too";
	}
}

static bool gather(struct ath_inspection *inspection, const char *stated, int *out_signal,
		   struct ath_err *err)
{
	struct ath_facts_question question = {
		.busy_ms = BUSY_MS,
		.chain = &inspection->chain.chain,
		.reader = {
			.folder = ath_inspect_folder(inspection->project),
			.environment = &inspection->project->environment,
		},
	};

	if (!ath_inspect_find(inspection, stated, err) || !load_chain(inspection, err))
		return false;
	question.path = inspection->path;
	question.version_table = inspection->version_table;
	question.reader.python = ath_inspect_python(inspection->project, &inspection->arena);
	if (!ath_facts_infer(&question, &inspection->found, out_signal, err))
		return false;
	check_gone(inspection);
	inspection->install = foresee(inspection);
	return true;
}

static int exit_status(const struct ath_inspection *inspection, bool is_detailed)
{
	if (inspection->found.look.state == ATH_LOOK_LOCKED)
		return ath_err_exit_status(ATH_ERR_LOCKED);
	switch (inspection->found.result.decision) {
	case ATH_DECISION_NONE:
		return 0;
	case ATH_DECISION_ASK:
		return ath_err_exit_status(ATH_ERR_DECISION);
	case ATH_DECISION_REFUSE:
		return ath_err_exit_status(ATH_ERR_REFUSED);
	default:
		return is_detailed ? 2 : 0;
	}
}

/* The operand is the application's folder or a database; a database is of the folder of -C. */
static bool read_operand(struct ath_options *options, const char **out_file, struct ath_err *err)
{
	const char *operand = options->operands.len ? options->operands.items[0] : NULL;

	*out_file = NULL;
	if (!operand)
		return true;
	switch (ath_file_kind(operand)) {
	case ATH_FILE_REGULAR:
		*out_file = operand;
		return true;
	case ATH_FILE_FOLDER:
		if (strcmp(options->dir, ".") != 0)
			return ath_err_set(err, ATH_ERR_USAGE,
					   "both -C '%s' and the folder '%s' are given",
					   options->dir, operand);
		options->dir = operand;
		return true;
	default:
		return ath_err_set(err, ATH_ERR_USAGE, "there is no folder and no database '%s'",
				   operand);
	}
}

static bool open_project(struct ath_project *project, const struct ath_options *options,
			 const char *file, struct ath_err *err)
{
	if (ath_project_open(project, options, err))
		return ath_project_look_at_journal(project, err);
	if (file && err->code == ATH_ERR_NOT_FOUND)
		ath_err_prefix(err, "whose database '%s' is has to be said with -C DIR", file);
	return false;
}

static int inspect_run(const struct ath_options *given)
{
	struct ath_options options = *given;
	struct ath_project project = { 0 };
	struct ath_inspection inspection = { .project = &project };
	struct ath_err err = { 0 };
	const char *file;
	int status, signum = 0;

	if (!read_operand(&options, &file, &err) || !open_project(&project, &options, file, &err) ||
	    !gather(&inspection, file, &signum, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
		if (signum)
			status = 128 + signum;
	} else {
		if (options.json)
			ath_inspect_print_json(&inspection);
		else
			ath_inspect_print(&inspection);
		status = exit_status(&inspection, options.detailed_exitcode);
	}
	ath_facts_inference_fini(&inspection.found);
	ath_facts_chain_fini(&inspection.chain);
	ath_arena_fini(&inspection.arena);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_inspect = {
	.name = "inspect",
	.operands = "[DIR|DATABASE]",
	.summary = "Say at which revision the database really is, by what evidence.",
	.most_operands = 1,
	.run = inspect_run,
};
