/* SPDX-License-Identifier: MIT */
/*
 * plan/spec: the plain structs of a plan's input.
 *
 * Filled by recipe from text (or from what it found), const afterwards, all in one arena.
 */
#ifndef ATH_PLAN_SPEC_H
#define ATH_PLAN_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/field.h"

/* A condition over facts: "database=fresh", "service_manager!=none". */
struct ath_spec_when {
	const char *fact; /* NULL: no condition */
	bool is_negated;
	const char *value;
};

/* One step instance. */
struct ath_spec_step {
	const char *name;       /* unique in the spec */
	const char *type;       /* name of a step type */
	struct ath_texts needs; /* names of steps */
	const char *section;    /* steps with the same section are one unit; or NULL */
	struct ath_spec_when when;
	const char *skip_reason; /* known from the start: never runs, for this reason; or NULL */
	bool is_optional;        /* its failure blocks and fails nothing */
	bool is_always;          /* runs after a failure too */
	bool is_own;             /* written by the operator under `steps:` */
	uint64_t timeout_ms;     /* 0: none */
	unsigned retries;        /* further attempts after the first */
	const struct ath_value *config; /* a map, bound by the step type's field table */
	struct ath_pos pos;             /* of its name in the recipe, or zeroed */
};

struct ath_spec {
	const struct ath_spec_step *steps;
	size_t len;
};

/* Read "fact=value" or "fact!=value"; texts are made in `arena`; false if it is neither. */
bool ath_spec_read_when(const char *text, struct ath_arena *arena, struct ath_spec_when *out_when);

#endif
