/* SPDX-License-Identifier: MIT */
/*
 * facts/hidden: which values of the surroundings are secrets, so that no output shows them.
 *
 * A value is one if the recipe lists its variable under `env_file.secrets`, if the variable's name
 * says so (the tables in hidden.c are the one place of that), or if it is a password within a value:
 * of a URL, or as `password=...`. Not taken is what masking would only spoil the output by: values
 * of fewer than ATH_REDACT_LEAST bytes, words that everybody knows, short numbers, names of files
 * that are there, and what stands in the application's own name or path.
 */
#ifndef ATH_FACTS_HIDDEN_H
#define ATH_FACTS_HIDDEN_H

#include "base/field.h"
#include "base/redact.h"
#include "os/environ.h"

enum {
	ATH_HIDDEN_OPEN = 3,
};

/* What is needed to tell; all borrowed. */
struct ath_hidden {
	struct ath_redact *set;          /* receives the secrets */
	const struct ath_texts *secrets; /* variables that the recipe lists */
	/* Texts that are known to everybody: name, paths; or NULL. */
	const char *open[ATH_HIDDEN_OPEN];
};

/* Add what is secret of one variable. */
void ath_hidden_add(const struct ath_hidden *hidden, const char *name, const char *value);

/* Add what is secret of an environment. */
void ath_hidden_add_environ(const struct ath_hidden *hidden, const struct ath_environ *environment);

/* Add what is secret of a .env file; one that is not there, or cannot be read, adds nothing. */
void ath_hidden_add_file(const struct ath_hidden *hidden, const char *path);

#endif
