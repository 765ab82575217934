/* SPDX-License-Identifier: MIT */
/*
 * steps/cause: finds in a tool's output the one line that says why it failed.
 *
 * pip, uv and npm each have their way: a line "ERROR: ..." or "error: ..." with what belongs to it
 * on the lines behind, or with the output of a package's build, where the cause is; "npm error ...",
 * of which the first that is a sentence counts. Of any other
 * program the last line of its error output is taken, for which Python's tracebacks are made.
 */
#ifndef ATH_STEPS_CAUSE_H
#define ATH_STEPS_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ATH_CAUSE_TEXT = 320, /* bytes of a line that are kept, with the NUL */
};

/* Zeroed storage has read nothing; there is nothing to release. */
struct ath_cause {
	char error[ATH_CAUSE_TEXT];       /* the last error, with what belongs to it */
	char npm[ATH_CAUSE_TEXT];         /* the first sentence of npm's errors */
	char last_error[ATH_CAUSE_TEXT];  /* the last line of stderr that is not blank */
	char last[ATH_CAUSE_TEXT];        /* likewise of stdout */
	char build[ATH_CAUSE_TEXT];       /* pip: what failed, and why, by the output of a build */
	char last_quoted[ATH_CAUSE_TEXT]; /* the last line of such an output */
	const char *network; /* words that tell that a server was not reached, or NULL */
	bool is_open;        /* the line before this one belongs to `error` */
	bool is_quoted;      /* within a build's output, as pip quotes it */
};

/* Read one line of a tool's output. */
void ath_cause_read(struct ath_cause *cause, bool is_stderr, const char *line, size_t len);

/* The line that says why, cleaned for a terminal; borrowed, "" if the tool said nothing. */
const char *ath_cause_get(const struct ath_cause *cause);

#endif
