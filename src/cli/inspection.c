/* SPDX-License-Identifier: MIT */
/* cli/inspection: finds the database and the chain, and infers. */
#include "cli/inspection.h"

#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"
#include "steps/verified.h"

enum {
	BUSY_MS = 2000, /* how long a look waits for a lock */
};

bool ath_inspect_fail_open(const struct ath_facts_chain *chain, struct ath_err *err)
{
	return ath_err_set(err, ATH_ERR_UNAVAILABLE,
			   "the revisions cannot be read from their files alone: %s; run `athanor "
			   "install` once, which asks Alembic, or write it as a literal",
			   chain->obstacle ? chain->obstacle : "their order is not known");
}

static bool load_chain(struct ath_inspection *inspection, const struct ath_facts_reader *reader,
		       int *out_signal, struct ath_err *err)
{
	const struct ath_project *project = inspection->project;
	struct ath_database_config config = ath_inspect_config(&project->recipe);
	bool is_loaded;

	inspection->place = ath_database_chain_place(&project->world, &config, &inspection->arena);
	inspection->place.reader = reader;
	is_loaded = ath_facts_chain_load(&inspection->place, &inspection->chain, err);
	inspection->place.reader = NULL; /* the caller's */
	*out_signal = inspection->chain.signum;
	if (!is_loaded)
		return false;
	if (!inspection->chain.is_static)
		return ath_inspect_fail_open(&inspection->chain, err);
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
			 "empty now: put it back (`athanor backups` lists copies), or start anew "
			 "with --allow-new-database";
}

bool ath_inspect_gather(struct ath_inspection *inspection, const char *stated, int *out_signal,
			struct ath_err *err)
{
	struct ath_facts_question question = {
		.busy_ms = BUSY_MS,
		.chain = &inspection->chain.chain,
		.place = &inspection->place,
		.reader = {
			.folder = ath_inspect_folder(inspection->project),
			.state_dir = inspection->project->state_dir,
			.environment = &inspection->project->environment,
		},
	};

	question.reader.python = ath_inspect_python(inspection->project, &inspection->arena);
	if (!ath_inspect_find(inspection, stated, err) ||
	    !load_chain(inspection, &question.reader, out_signal, err))
		return false;
	question.path = inspection->path;
	question.version_table = inspection->version_table;
	if (!ath_facts_infer(&question, &inspection->found, out_signal, err))
		return false;
	check_gone(inspection);
	return true;
}

void ath_inspect_fini(struct ath_inspection *inspection)
{
	ath_facts_inference_fini(&inspection->found);
	ath_facts_chain_fini(&inspection->chain);
	ath_arena_fini(&inspection->arena);
	*inspection = (struct ath_inspection){ 0 };
}
