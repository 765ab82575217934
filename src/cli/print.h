/* SPDX-License-Identifier: MIT */
/*
 * cli/print: errors, plans and results as text for people.
 */
#ifndef ATH_CLI_PRINT_H
#define ATH_CLI_PRINT_H

#include "base/err.h"
#include "base/str.h"
#include "cli/project.h"
#include "engine/event.h"

/*
 * Print an error on stderr: what was attempted, the cause, with the line of `text` and a caret if it
 * has a position in it. `text` may be NULL. Returns the exit status for it.
 */
int ath_print_error(const struct ath_err *err, const char *text);

/* Append the plan, one line per step. */
void ath_print_plan(const struct ath_project *project, bool is_verbose, struct ath_str *out);

/* Append what ends a run: the result, the database's state, the next command, the log. */
void ath_print_report(const struct ath_project *project, const struct ath_report *report,
		      struct ath_str *out);

/* Append what --no-backup gives up, if it was said and the database may be changed. */
void ath_print_given_up(const struct ath_project *project, struct ath_str *out);

/* Append a warning if the operator's word is believed against the schema. */
void ath_print_doubt(const struct ath_project *project, struct ath_str *out);

/* Write a text to a stream in one go and empty it. */
void ath_print_flush(struct ath_str *text, bool to_stderr);

#endif
