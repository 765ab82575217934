/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint_subject: what alembic/lint judges, and what comes out, as plain structs.
 */
#ifndef ATH_ALEMBIC_LINT_SUBJECT_H
#define ATH_ALEMBIC_LINT_SUBJECT_H

#include <stddef.h>

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/err.h"

enum ath_lint_level {
	ATH_LINT_ERROR, /* the chain is unusable */
	ATH_LINT_RISK,  /* announced; blocks nothing that does not run that revision */
	ATH_LINT_INFO,
	ATH_LINT_LEVEL_COUNT_
};

/* What the chain runs on, where that is known: some rules concern one kind only. */
enum ath_lint_database {
	ATH_LINT_ANY, /* not known */
	ATH_LINT_SQLITE,
	ATH_LINT_SERVER, /* PostgreSQL, MySQL, ... */
};

struct ath_lint_finding {
	enum ath_lint_level level;
	const char *rule; /* static text */
	const char *file;
	unsigned line;        /* from 1 */
	const char *revision; /* id, or NULL */
	const char *message;
};

/* What is judged; all borrowed, and the findings' texts may point into it. */
struct ath_lint_subject {
	const struct ath_chain_entry *entries; /* `id` NULL: its file assigns none */
	size_t len;
	const struct ath_chain *chain;     /* of these entries; NULL: they form none */
	const struct ath_err *broken;      /* then what ath_chain_build said; else NULL */
	const struct ath_effects *effects; /* one per entry; NULL: the texts were not read */
	const char *env_file;              /* path of env.py */
	const char *env_text;              /* its bytes; NULL: not known */
	size_t env_len;
	enum ath_lint_database database;
};

/* Findings in the order of the chain, those of the whole chain first. */
struct ath_lint_report {
	const struct ath_lint_finding *findings;
	size_t len;
	size_t counts[ATH_LINT_LEVEL_COUNT_];
};

#endif
