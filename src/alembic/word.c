/* SPDX-License-Identifier: MIT */
/*
 * alembic/word: Python's tokens with a mark on the words that matter to the scanner.
 *
 * The words are listed by length, so that most names are settled by their first letters.
 */
#include "alembic/word.h"

#include <string.h>

static const struct ath_word_row words_2[] = { { "if", ATH_WORD_BINDS, 0 }, { 0 } };
static const struct ath_word_row words_3[] = {
	{ "def", ATH_WORD_SCOPE, 0 },
	{ "for", ATH_WORD_BINDS, 0 },
	{ "try", ATH_WORD_BINDS, 0 },
	{ "del", ATH_WORD_BINDS, 0 },
	{ 0 },
};
static const struct ath_word_row words_4[] = {
	{ "from", ATH_WORD_FROM, 0 },    { "with", ATH_WORD_BINDS, 0 },
	{ "elif", ATH_WORD_BINDS, 0 },   { "else", ATH_WORD_BINDS, 0 },
	{ "exec", ATH_WORD_REFLECT, 0 }, { "eval", ATH_WORD_REFLECT, 0 },
	{ "vars", ATH_WORD_LOOK, 0 },    { 0 },
};
static const struct ath_word_row words_5[] = {
	{ "class", ATH_WORD_SCOPE, 0 },
	{ "async", ATH_WORD_SCOPE, 0 },
	{ "while", ATH_WORD_BINDS, 0 },
	{ 0 },
};
static const struct ath_word_row words_6[] = {
	{ "import", ATH_WORD_IMPORT, 0 },
	{ "global", ATH_WORD_GLOBAL, 0 },
	{ "except", ATH_WORD_BINDS, 0 },
	{ "locals", ATH_WORD_LOOK, 0 },
	{ 0 },
};
static const struct ath_word_row words_7[] = {
	{ "finally", ATH_WORD_BINDS, 0 },   { "globals", ATH_WORD_REFLECT, 0 },
	{ "setattr", ATH_WORD_LOOK, 0 },    { "delattr", ATH_WORD_LOOK, 0 },
	{ "modules", ATH_WORD_MODULES, 0 }, { 0 },
};
static const struct ath_word_row words_8[] = {
	{ "revision", ATH_WORD_KEY, ATH_SCAN_REVISION },
	{ "nonlocal", ATH_WORD_BINDS, 0 },
	{ "builtins", ATH_WORD_REFLECT, 0 },
	{ "__dict__", ATH_WORD_LOOK, 0 },
	{ 0 },
};
static const struct ath_word_row words_9[] = { { "f_globals", ATH_WORD_REFLECT, 0 }, { 0 } };
static const struct ath_word_row words_10[] = {
	{ "depends_on", ATH_WORD_KEY, ATH_SCAN_DEPENDS_ON },
	{ "__import__", ATH_WORD_REFLECT, 0 },
	{ 0 },
};
static const struct ath_word_row words_11[] = {
	{ "__getattr__", ATH_WORD_GETATTR, 0 },
	{ "__globals__", ATH_WORD_REFLECT, 0 },
	{ 0 },
};
static const struct ath_word_row words_12[] = { { "__builtins__", ATH_WORD_REFLECT, 0 }, { 0 } };
static const struct ath_word_row words_13[] = {
	{ "down_revision", ATH_WORD_KEY, ATH_SCAN_DOWN_REVISION },
	{ "branch_labels", ATH_WORD_KEY, ATH_SCAN_BRANCH_LABELS },
	{ "import_module", ATH_WORD_REFLECT, 0 },
	{ 0 },
};

/* By length, so that most names are settled without a comparison. */
static const struct ath_word_row *const words[] = {
	[2] = words_2,   [3] = words_3,   [4] = words_4,   [5] = words_5,
	[6] = words_6,   [7] = words_7,   [8] = words_8,   [9] = words_9,
	[10] = words_10, [11] = words_11, [12] = words_12, [13] = words_13,
};

const struct ath_word_row *ath_word_find(const char *text, size_t len)
{
	const struct ath_word_row *row = len < sizeof(words) / sizeof(*words) ? words[len] : NULL;

	while (row && row->text && (row->text[0] != text[0] || memcmp(row->text, text, len) != 0))
		row++;
	return row && row->text ? row : NULL;
}

void ath_word_advance(struct ath_word_cursor *cursor)
{
	ath_token_next(&cursor->reader, &cursor->token);
	cursor->row = NULL;
	if (cursor->token.kind == ATH_TOKEN_NAME)
		cursor->row = ath_word_find(cursor->token.text, cursor->token.len);
}
