/* SPDX-License-Identifier: MIT */
/*
 * alembic/token: the words, strings and signs of Python source, one at a time.
 *
 * Follows Python's lexical rules (Language Reference, chapter 2) far enough that a string, a comment
 * or a bracket is never mistaken. What two versions of Python read differently, and what no version
 * reads, is a BAD token, after which nothing follows. Nothing is allocated.
 */
#ifndef ATH_ALEMBIC_TOKEN_H
#define ATH_ALEMBIC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ath_arena;

enum {
	ATH_TOKEN_DEPTH_MAX = 200, /* nested brackets; Python's own limit */
	ATH_TOKEN_WALRUS = 'w',    /* := */
	ATH_TOKEN_AUGMENTED = 'a', /* += and the like */
	ATH_TOKEN_OTHER = 'o',     /* any other sign of two characters or more */
};

enum ath_token_kind {
	ATH_TOKEN_END,
	ATH_TOKEN_NEWLINE, /* end of a logical line */
	ATH_TOKEN_NAME,
	ATH_TOKEN_NUMBER,
	ATH_TOKEN_STRING, /* with its prefix and quotes */
	ATH_TOKEN_SIGN,
	ATH_TOKEN_BAD,
	ATH_TOKEN_COUNT_
};

struct ath_token {
	enum ath_token_kind kind;
	bool is_formatted;  /* STRING: it may hold expressions */
	char sign;          /* SIGN: the character, or a constant from above */
	unsigned line;      /* where it starts, from 1 */
	const char *text;   /* borrowed from the source */
	size_t len;         /* bytes of text */
	const char *reason; /* BAD: for people; static text */
};

/* A place in a source; copying it makes a place to come back to. */
struct ath_token_reader {
	const char *at, *end; /* borrowed source */
	unsigned line;
	unsigned indent;    /* of the logical line of the last token; 0: column 0 */
	bool is_in_line;    /* a token of the current logical line was read */
	bool is_continued;  /* that line has a backslash at the end of a physical line */
	unsigned depth;     /* open brackets behind the last token */
	const char *reason; /* why every further token is BAD, or NULL */
	char closers[ATH_TOKEN_DEPTH_MAX];
};

/* Begin with the first of `len` bytes; they are borrowed. */
void ath_token_init(struct ath_token_reader *reader, const char *text, size_t len);

/* The next token. After END or BAD the same comes again. */
void ath_token_next(struct ath_token_reader *reader, struct ath_token *out_token);

/*
 * The value of a STRING token, a copy in `arena`, if it is certain and of printable ASCII; NULL
 * otherwise, and then `out_reason` (static text) says why.
 */
const char *ath_token_find_value(const struct ath_token *token, struct ath_arena *arena,
				 const char **out_reason);

#endif
