/* SPDX-License-Identifier: MIT */
/*
 * cli/options: the command line as one table, read by getopt_long(3).
 */
#ifndef ATH_CLI_OPTIONS_H
#define ATH_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"
#include "base/str.h"

enum ath_output {
	ATH_OUTPUT_AUTO,
	ATH_OUTPUT_PLAIN,
	ATH_OUTPUT_JSON,
	ATH_OUTPUT_COUNT_
};

/* What was asked for. Texts are borrowed from argv or the environment; lists are in the arena. */
struct ath_options {
	struct ath_arena arena;    /* owned */
	const char *dir;           /* -C, or the first operand; "." */
	const char *state_dir;     /* NULL: .athanor in the folder */
	struct ath_texts operands; /* after the command's name, without the folder */
	struct ath_texts only, skip;
	const char *assume_revision; /* NULL: none */
	uint64_t lock_timeout_ms;
	unsigned jobs; /* 0: as many as processors */
	enum ath_output output;
	bool allow_row_loss, allow_new_database, online, yes, no_input, dry_run, json,
		detailed_exitcode, verbose, quiet, lint;
	bool no_backup, discard_newer;
	bool repairs_only; /* set by `repair`, by no option */
	bool wants_help;
};

/*
 * Read the options of one command. `takes_dir`: the first operand is the folder.
 * Fails with: ATH_ERR_USAGE.
 */
ATH_NODISCARD bool ath_options_read(int argc, char **argv, bool takes_dir, struct ath_options *out,
				    struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_options_fini(struct ath_options *options);

/* Append the list of the options that mean something to a command, for its --help. */
void ath_options_put_help(const char *command, struct ath_str *out);

#endif
