/* SPDX-License-Identifier: MIT */
/*
 * alembic/word: Python's tokens with a mark on the words that matter to the scanner.
 *
 * A cursor stands on one token of a source. Only scan and assign use it.
 */
#ifndef ATH_ALEMBIC_WORD_H
#define ATH_ALEMBIC_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "alembic/revision.h"
#include "alembic/token.h"

enum ath_word {
	ATH_WORD_NONE,
	ATH_WORD_KEY,   /* one of Alembic's four names */
	ATH_WORD_SCOPE, /* begins a function or a class */
	ATH_WORD_BINDS, /* begins a statement that may bind or unbind names, or holds others */
	ATH_WORD_IMPORT,
	ATH_WORD_FROM,
	ATH_WORD_GLOBAL,
	ATH_WORD_REFLECT, /* a way to a module's names, wherever it stands */
	ATH_WORD_LOOK,    /* the same, but only at module level */
	ATH_WORD_MODULES, /* sys.modules */
	ATH_WORD_GETATTR, /* makes names up when a module is asked (PEP 562) */
	ATH_WORD_COUNT_
};

struct ath_word_row {
	const char *text;
	enum ath_word word;
	enum ath_scan_key key; /* KEY: which */
};

struct ath_word_cursor {
	struct ath_token_reader reader; /* stands behind `token` */
	struct ath_token token;         /* the current one */
	const struct ath_word_row *row; /* of a NAME that is a word; else NULL */
};

/* The row of a word, or NULL. */
const struct ath_word_row *ath_word_find(const char *text, size_t len);

/* Step to the next token. */
void ath_word_advance(struct ath_word_cursor *cursor);

/* Is the current token that word? These three are asked for every token of every file. */
static inline bool ath_word_is(const struct ath_word_cursor *cursor, enum ath_word word)
{
	return cursor->row && cursor->row->word == word;
}

/* Is it that sign? */
static inline bool ath_word_is_sign(const struct ath_word_cursor *cursor, char sign)
{
	return cursor->token.kind == ATH_TOKEN_SIGN && cursor->token.sign == sign;
}

/* Does it belong to a logical line (it is neither its end, nor the source's, nor BAD)? */
static inline bool ath_word_has_more(const struct ath_word_cursor *cursor)
{
	return cursor->token.kind != ATH_TOKEN_NEWLINE && cursor->token.kind != ATH_TOKEN_END &&
	       cursor->token.kind != ATH_TOKEN_BAD;
}

#endif
