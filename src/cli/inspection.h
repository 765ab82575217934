/* SPDX-License-Identifier: MIT */
/*
 * cli/inspection: what is found of a database, and its two forms for people and programs.
 *
 * Everything is gathered first (inspection.c, inspect_find.c), what a run would do is added by
 * cli/foresee, and then it is printed (inspect_print.c, inspect_json.c); printing decides nothing.
 */
#ifndef ATH_CLI_INSPECTION_H
#define ATH_CLI_INSPECTION_H

#include "alembic/walk.h"
#include "base/json.h"
#include "cli/project.h"
#include "facts/chain.h"
#include "facts/inference.h"
#include "steps/database.h"

struct ath_inspection {
	struct ath_arena arena;             /* owned */
	struct ath_facts_chain chain;       /* owned */
	struct ath_facts_chain_place place; /* of the chain; in `arena` */
	struct ath_facts_inference found;   /* owned */
	const struct ath_project *project;  /* borrowed */
	const char *path; /* of the database, absolute; in `arena`, as all below */
	bool is_noted;    /* the path is what an earlier run has noted: nothing else tells it */
	const char *version_table;
	const char *heads;    /* joined by commas */
	const char *install;  /* what `athanor install` would do, as a sentence */
	const char *by_hand;  /* commands for a person where it would not act; or NULL */
	struct ath_walk walk; /* what would be done with each pending revision */
};

/*
 * Find the database, look and infer: fills all but `project`, which the caller
 * has set, and what cli/foresee adds.
 * `stated` as for ath_inspect_find; `out_signal` as for ath_facts_infer. Fini in any case.
 * Fails with: what those fail with; ATH_ERR_UNAVAILABLE (the chain cannot be read without Alembic).
 */
ATH_NODISCARD bool ath_inspect_gather(struct ath_inspection *inspection, const char *stated,
				      int *out_signal, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_inspect_fini(struct ath_inspection *inspection);

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

/* Append all of it for people. */
void ath_inspect_put(const struct ath_inspection *inspection, struct ath_str *out);

/* Append what a run would do with the database: answer, decision and acts, without the evidence. */
void ath_inspect_put_plan(const struct ath_inspection *inspection, struct ath_str *out);

/* The same as members of a JSON object: verdict, decision, revision, walk. */
void ath_inspect_put_plan_json(const struct ath_inspection *inspection, struct ath_json *json);

/* The interpreter that reads revision files, in `arena`: the environment's own, or any; or NULL. */
const char *ath_inspect_python(const struct ath_project *project, struct ath_arena *arena);

/* Fails with ATH_ERR_UNAVAILABLE: the chain is not static, with its obstacle and what to do; false. */
bool ath_inspect_fail_open(const struct ath_facts_chain *chain, struct ath_err *err);

/* Where the private folder of that reading may be made; borrowed. */
const char *ath_inspect_folder(const struct ath_project *project);

/* Print the JSON object of docs/json.md. */
void ath_inspect_print_json(const struct ath_inspection *inspection);

#endif
