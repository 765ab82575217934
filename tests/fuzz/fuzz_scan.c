/* SPDX-License-Identifier: MIT */
/*
 * The scanner survives any bytes, and its answers keep their form.
 *
 * Invariants: an answer is whole (state, texts, reason and line agree), texts are printable ASCII,
 *
 * and CR LF instead of LF changes no answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/scan.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_field(const struct ath_scan_field *field)
{
	require(field->state < ATH_SCAN_STATE_COUNT_);
	require((field->reason != NULL) == (field->state == ATH_SCAN_ESCALATE));
	require((field->line != 0) == (field->state != ATH_SCAN_ABSENT));
	require(field->state != ATH_SCAN_TEXT || field->texts.len == 1);
	require(field->state == ATH_SCAN_TEXT || field->state == ATH_SCAN_LIST ||
		!field->texts.len);
	for (size_t i = 0; i < field->texts.len; i++) {
		const char *text = field->texts.items[i];

		while (*text >= ' ' && *text <= '~')
			text++;
		require(!*text);
	}
	require(!field->texts.items || !field->texts.items[field->texts.len]);
}

static void require_same(const struct ath_scan_field *one, const struct ath_scan_field *other)
{
	require(one->state == other->state && one->texts.len == other->texts.len);
	for (size_t i = 0; i < one->texts.len; i++)
		require(strcmp(one->texts.items[i], other->texts.items[i]) == 0);
}

/* The same text with every LF as CR LF; only of use where it holds no CR. */
static void check_line_ends(const char *text, size_t len, const struct ath_scan_file *file,
			    struct ath_arena *arena)
{
	struct ath_str changed = { 0 };
	struct ath_scan_file other;
	struct ath_err err = { 0 };

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			ath_str_putc(&changed, '\r');
		ath_str_putc(&changed, text[i]);
	}
	if (ath_scan_read("other", changed.data, changed.len, arena, &other, &err))
		for (size_t key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
			require_same(&file->fields[key], &other.fields[key]);
			require(file->fields[key].line == other.fields[key].line);
		}
	ath_str_fini(&changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ath_arena arena = { 0 };
	struct ath_scan_file file;
	struct ath_err err = { 0 };
	char *text = malloc(size + 1);

	require(text != NULL);
	if (size)
		memcpy(text, data, size);
	text = realloc(text, size ? size : 1); /* no byte behind the text may be read */
	if (ath_scan_read("input", text, size, &arena, &file, &err)) {
		for (size_t key = 0; key < ATH_SCAN_KEY_COUNT_; key++)
			check_field(&file.fields[key]);
		if (size && !memchr(text, '\r', size))
			check_line_ends(text, size, &file, &arena);
	} else {
		require(err.code != ATH_ERR_OK);
	}
	free(text);
	ath_arena_fini(&arena);
	return 0;
}
