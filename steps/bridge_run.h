/* SPDX-License-Identifier: MIT */
/*
 * steps/bridge_run: one bridge process on behalf of a step.
 *
 * The struct must be the first member of the step's data (ath_step_data), so that the callbacks of
 * the child find it.
 */
#ifndef ATH_STEPS_BRIDGE_RUN_H
#define ATH_STEPS_BRIDGE_RUN_H

#include "bridge/reply.h"
#include "bridge/request.h"
#include "engine/step.h"
#include "steps/database.h"

typedef void ath_bridge_reply_fn(struct ath_step *step, const struct ath_bridge_reply *reply);
typedef void ath_bridge_end_fn(struct ath_step *step, const struct ath_err *err);

struct ath_bridge_run {
	const struct ath_database_config *config;
	const char *clone; /* NULL: only looking */
	const char *live;  /* NULL: not known, or not there yet */
	const struct ath_bridge_command *commands;
	size_t len;
	struct ath_str *keep; /* lines about graph, target and effects are appended; or NULL */
	ath_bridge_reply_fn *on_reply; /* every reply but notes, errors and the end */
	ath_bridge_end_fn *on_end;     /* comes once; `err` is clean if every command succeeded */
	uint64_t timeout_ms;           /* 0: none of its own */
	void *user;                    /* for the callbacks */
	bool is_of_schema; /* at the end: a revision and the database's schema do not fit */

	/* private */
	struct ath_err failure;
	bool has_end;
};

/*
 * Start the process. On true `on_end` comes exactly once.
 * Fails with: ATH_ERR_IO, ATH_ERR_NOT_FOUND (no interpreter), ATH_ERR_CHILD.
 */
ATH_NODISCARD bool ath_bridge_run_start(struct ath_step *step, struct ath_err *err);

#endif
