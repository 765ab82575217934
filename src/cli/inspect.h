/* SPDX-License-Identifier: MIT */
/*
 * cli/inspect: what `athanor inspect` has found, and its two forms for people and programs.
 *
 * Everything is gathered first (inspect.c, inspect_find.c) and printed then (inspect_print.c,
 * inspect_json.c); printing decides nothing.
 */
#ifndef ATH_CLI_INSPECT_H
#define ATH_CLI_INSPECT_H

#include "cli/project.h"
#include "facts/chain.h"
#include "facts/inference.h"
#include "steps/database.h"

struct ath_inspection {
	struct ath_arena arena;            /* owned */
	struct ath_facts_chain chain;      /* owned */
	struct ath_facts_inference found;  /* owned */
	const struct ath_project *project; /* borrowed */
	const char *path;                  /* of the database, absolute; in `arena`, as all below */
	const char *version_table;
	const char *heads;   /* joined by commas */
	const char *install; /* what `athanor install` would do today, as a sentence */
};

/*
 * Which database is it? `stated` is the file that the operator named, or NULL: then the recipe's URL
 * says it, or what env.py said to an earlier run. Sets path and version_table.
 * Fails with: ATH_ERR_NOT_FOUND (not known yet), ATH_ERR_REFUSED (not SQLite, or in memory),
 * ATH_ERR_RECIPE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_inspect_find(struct ath_inspection *inspection, const char *stated,
				    struct ath_err *err);

/* What the steps around the database are configured with, from the recipe. */
struct ath_database_config ath_inspect_config(const struct ath_recipe *recipe);

/* The interpreter that reads revision files, in `arena`: the environment's own, or any; or NULL. */
const char *ath_inspect_python(const struct ath_project *project, struct ath_arena *arena);

/* Where the private folder of that reading may be made; borrowed. */
const char *ath_inspect_folder(const struct ath_project *project);

/* Print for people. */
void ath_inspect_print(const struct ath_inspection *inspection);

/* Print the JSON object of docs/json.md. */
void ath_inspect_print_json(const struct ath_inspection *inspection);

#endif
