/* SPDX-License-Identifier: MIT */
/*
 * cli/result: the result of a command as one JSON object on stdout (docs/json.md).
 */
#ifndef ATH_CLI_RESULT_H
#define ATH_CLI_RESULT_H

#include "base/json.h"
#include "base/vec.h"
#include "cli/project.h"
#include "engine/event.h"

/* The last state of one step. */
struct ath_result_step {
	char *name;        /* owned */
	const char *state; /* static text */
	char *reason;      /* owned; or NULL */
	uint64_t ms;
};

/* The states of a run's steps, gathered from its events. */
struct ath_result {
	ATH_VEC(struct ath_result_step) steps; /* owned; in the order in which they began */
	size_t *places; /* owned; by the step's place in the spec: its place in `steps` + 1 */
};

/* Gather what an event says. */
void ath_result_add(struct ath_result *result, const struct ath_event *event);

/* Puts further members into a result. */
typedef void ath_result_more_fn(const void *user, struct ath_json *json);

/* Print the result of a run of steps; `more` may be NULL. */
void ath_result_print(const struct ath_result *result, const struct ath_project *project,
		      const struct ath_report *report, ath_result_more_fn *more, const void *user);

/* Begin an object with the keys that every command's result has. */
void ath_result_open(struct ath_json *json, const struct ath_project *project);

/* The plan as the value of the key "steps". */
void ath_result_put_plan(struct ath_json *json, const struct ath_project *project);

/* Release; zeroed afterwards. */
void ath_result_fini(struct ath_result *result);

#endif
