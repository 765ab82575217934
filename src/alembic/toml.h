/* SPDX-License-Identifier: MIT */
/*
 * alembic/toml: the lexical part of TOML 1.0.0 that is needed to step over any document.
 *
 * Only ini_toml uses it. A function that fails says so with ATH_ERR_CHAIN at its line.
 */
#ifndef ATH_ALEMBIC_TOML_H
#define ATH_ALEMBIC_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ath_arena;
struct ath_str;

enum {
	ATH_TOML_PARTS_MAX = 3, /* of a path that are kept; deeper ones are only counted */
};

/* A dotted key or table name, from the root. */
struct ath_toml_path {
	const char *parts[ATH_TOML_PARTS_MAX]; /* in the arena */
	size_t len;                            /* may be greater than ATH_TOML_PARTS_MAX */
};

/* A place in a document; all borrowed. */
struct ath_toml {
	const char *name; /* for messages */
	const char *at, *end;
	unsigned line;
	struct ath_arena *arena;
	struct ath_err *err;
};

/* Set the error at the current line; returns false. */
bool ath_toml_fail(struct ath_toml *toml, const char *what);

/* The byte that many places ahead, or NUL behind the end. */
char ath_toml_peek(const struct ath_toml *toml, size_t ahead);

/* Does a line end here? */
bool ath_toml_is_line_end(const struct ath_toml *toml);

/* Step over blanks and a comment. */
void ath_toml_skip_blanks(struct ath_toml *toml);

/* Step over blanks, comments and line ends. */
void ath_toml_skip_lines(struct ath_toml *toml);

/* Check that nothing but blanks and a comment follows on the line. */
ATH_NODISCARD bool ath_toml_end_line(struct ath_toml *toml);

/* Does a string of several lines begin (or end) here? */
bool ath_toml_is_long_string(const struct ath_toml *toml);

/* Read a string on one line, basic or literal, and append its value to `out`. */
ATH_NODISCARD bool ath_toml_read_string(struct ath_toml *toml, struct ath_str *out);

/* Step over one value of any form, up to what ends it. Brackets are only counted. */
ATH_NODISCARD bool ath_toml_skip_value(struct ath_toml *toml);

/* Read a dotted key and append its parts to `path`. */
ATH_NODISCARD bool ath_toml_read_key(struct ath_toml *toml, struct ath_toml_path *path);

#endif
