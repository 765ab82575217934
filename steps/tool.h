/* SPDX-License-Identifier: MIT */
/*
 * steps/tool: runs another's program for a step and says in one line why it failed.
 *
 * struct ath_tool must be the first member of the step's data (ath_step_data), so that the
 * callbacks of the child find it. One tool at a time, any number one after the other.
 */
#ifndef ATH_STEPS_TOOL_H
#define ATH_STEPS_TOOL_H

#include "engine/step.h"
#include "steps/cause.h"

/* The tool has ended; `err` is clean if it exited with 0. */
typedef void ath_tool_end_fn(struct ath_step *step, const struct ath_err *err);

/* What the caller fills in; borrowed for the call, but `what` until the end. */
struct ath_tool_form {
	const char *what; /* for messages: "install the Python packages" */
	const char *const *argv;
	const char *cwd;                       /* NULL: the application's folder */
	const struct ath_environ *environment; /* NULL: the world's */
	uint64_t timeout_ms;                   /* 0: none */
	bool uses_network; /* an unreachable server is ATH_ERR_UNAVAILABLE, anything else ATH_ERR_STEP:
			      trying again would not help */
	ath_tool_end_fn *on_end;
};

/* Zeroed storage is ready. */
struct ath_tool {
	const char *first_line; /* of stdout, in the step's arena; "" if there was none */

	/* private */
	struct ath_cause cause;
	const char *what;
	ath_tool_end_fn *on_end;
	bool uses_network;
};

/*
 * Start the program; its output goes to the log. On true `on_end` comes exactly once.
 * Fails with: ATH_ERR_NOT_FOUND (no such program or folder), ATH_ERR_CHILD.
 */
ATH_NODISCARD bool ath_tool_start(struct ath_step *step, const struct ath_tool_form *form,
				  struct ath_err *err);

#endif
