/* SPDX-License-Identifier: MIT */
/*
 * cli/revisions: what `athanor revisions` has found, and its forms for people and programs.
 *
 * Everything is gathered first (revisions.c) and printed then (revisions_draw.c, revisions_json.c).
 */
#ifndef ATH_CLI_REVISIONS_H
#define ATH_CLI_REVISIONS_H

#include "alembic/lint.h"
#include "cli/project.h"
#include "facts/chain.h"
#include "facts/effects.h"

struct ath_revisions {
	struct ath_arena arena;            /* owned */
	struct ath_facts_chain files;      /* owned */
	struct ath_facts_effects effects;  /* owned; items NULL: not read */
	struct ath_str env_text;           /* owned; empty: there is none */
	const struct ath_project *project; /* borrowed */
	const char *env_file;              /* in `arena`, as all below; NULL: not known */
	struct ath_chain chain;
	bool is_whole;         /* the files form a chain */
	struct ath_err broken; /* why they do not */
	struct ath_err unread; /* why the effects could not be read */
	bool is_linted;
	struct ath_lint_report report; /* if it is linted */
};

/* The chain, drawn from base to head. */
void ath_revisions_draw(const struct ath_revisions *revisions, bool is_utf8, struct ath_str *out);

/* The findings, a line each, and their number. */
void ath_revisions_put_findings(const struct ath_revisions *revisions, struct ath_str *out);

/* Print the JSON object of docs/json.md. */
void ath_revisions_print_json(const struct ath_revisions *revisions);

/* Is the effect worth a word, or does it come with the table's being made, dropped or renamed? */
bool ath_revisions_is_shown(const struct ath_effects *effects, const struct ath_effect *effect);

/* How many revisions may do more than is known of them. */
size_t ath_revisions_count_blind(const struct ath_revisions *revisions);

/* A path as the operator would type it: relative to `folder` if it is below that. */
const char *ath_revisions_path(const char *path, const char *folder);

#endif
