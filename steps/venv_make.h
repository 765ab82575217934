/* SPDX-License-Identifier: MIT */
/*
 * steps/venv_make: makes a virtual environment at a free path, proves it, or puts back what was
 * there before.
 */
#ifndef ATH_STEPS_VENV_MAKE_H
#define ATH_STEPS_VENV_MAKE_H

#include "steps/tool.h"

enum {
	ATH_VENV_ASIDES = 16,
};

/* An attempt; texts are in the step's arena. */
struct ath_venv_making {
	struct ath_tool tool; /* first: its callbacks look for it there */
	const char *path;     /* of the environment */
	const char *mark;     /* that it is being made */
	const char
		*asides[ATH_VENV_ASIDES]; /* broken ones set aside, by this run or an earlier one */
	size_t asides_len;
	struct ath_err failure; /* why it is being undone */
};

/* Make the environment; ends the step, on every way. Nothing may stand at its path. */
void ath_venv_make(struct ath_step *step);

/* Remove what was set aside, because the environment is proven; ends the step. */
void ath_venv_sweep(struct ath_step *step);

/*
 * Run its bin/python -I with up to three arguments (a NULL ends them). On true `on_end` comes once.
 * Fails with: what ath_tool_start fails with.
 */
ATH_NODISCARD bool ath_venv_run_python(struct ath_step *step, const char *what,
				       const char *const *arguments, ath_tool_end_fn *on_end,
				       struct ath_err *err);

#endif
