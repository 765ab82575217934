/* SPDX-License-Identifier: MIT */
/*
 * steps/interpreter: finds the Python that the virtual environment is made with, by asking each
 * candidate itself.
 *
 * Candidates in their order: the interpreter of a virtual environment that is healthy, python3, then
 * python3.14 down to python3.8 on PATH. The first that meets the specification and can make virtual
 * environments wins; if none can, the first that meets the specification is told.
 */
#ifndef ATH_STEPS_INTERPRETER_H
#define ATH_STEPS_INTERPRETER_H

#include "steps/tool.h"

enum {
	ATH_INTERPRETER_CANDIDATES = 8,
};

/* An interpreter; texts are in the step's arena. */
struct ath_interpreter {
	const char *path;    /* absolute, its name with the version; NULL: none was found */
	const char *version; /* "3.11.2" */
	bool makes_venvs;    /* has venv and ensurepip */
};

/* The first member of the step's data. What the caller fills in comes after `tool`. */
struct ath_interpreter_search {
	struct ath_tool tool;
	const char *specification; /* NULL: any from 3.8 */
	const char *venv;          /* absolute path of a healthy environment, or NULL */
	void (*on_found)(struct ath_step *step);

	struct ath_interpreter found; /* the result */
	const char *seen; /* what else is there, for people: "python3 is 3.7.3"; or "" */

	/* private */
	const char *programs[ATH_INTERPRETER_CANDIDATES];
	const char *names[ATH_INTERPRETER_CANDIDATES]; /* as they are called */
	size_t len, next;
};

/* Start the search; `on_found` comes once, perhaps from inside this call if there is no candidate. */
void ath_interpreter_search(struct ath_step *step);

#endif
