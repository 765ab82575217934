/* SPDX-License-Identifier: MIT */
/*
 * support/scan_cli: the scanner as a program, for comparison with Python's own parser.
 *
 * Reads file names from its standard input, one a line, and writes one JSON object for each:
 * {"file": ..., "revision": [state, value or reason, line], ...}; a refused file has "refused".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/scan.h"
#include "base/json.h"
#include "base/str.h"

static const char *const state_names[ATH_SCAN_STATE_COUNT_] = {
	[ATH_SCAN_ABSENT] = "absent", [ATH_SCAN_NONE] = "none",         [ATH_SCAN_TEXT] = "text",
	[ATH_SCAN_LIST] = "list",     [ATH_SCAN_ESCALATE] = "escalate",
};

static bool read_file(const char *name, struct ath_str *out)
{
	char bytes[65536];
	FILE *file = fopen(name, "rb");
	size_t len;

	if (!file)
		return false;
	while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0)
		ath_str_add(out, bytes, len);
	fclose(file);
	return true;
}

static void put_field(struct ath_json *json, enum ath_scan_key key,
		      const struct ath_scan_field *field)
{
	ath_json_key(json, ath_scan_key_name(key));
	ath_json_open(json, '[');
	ath_json_text(json, state_names[field->state]);
	if (field->state == ATH_SCAN_TEXT) {
		ath_json_text(json, field->texts.items[0]);
	} else if (field->state == ATH_SCAN_LIST) {
		ath_json_open(json, '[');
		for (size_t i = 0; i < field->texts.len; i++)
			ath_json_text(json, field->texts.items[i]);
		ath_json_close(json, ']');
	} else {
		ath_json_text(json, field->reason);
	}
	ath_json_int(json, field->line);
	ath_json_close(json, ']');
}

static void scan_one(const char *name)
{
	struct ath_arena arena = { 0 };
	struct ath_str text = { 0 }, line = { 0 };
	struct ath_json json = { .out = &line };
	struct ath_scan_file file;
	struct ath_err err = { 0 };

	ath_json_open(&json, '{');
	ath_json_put_text(&json, "file", name);
	if (!read_file(name, &text)) {
		ath_json_put_text(&json, "refused", "cannot be read");
	} else if (!ath_scan_read(name, text.data, text.len, &arena, &file, &err)) {
		ath_json_put_text(&json, "refused", err.msg);
	} else {
		for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++)
			put_field(&json, key, &file.fields[key]);
	}
	ath_json_close(&json, '}');
	puts(ath_str_get(&line));
	ath_str_fini(&line);
	ath_str_fini(&text);
	ath_arena_fini(&arena);
}

int main(void)
{
	char *name = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&name, &cap, stdin)) > 0) {
		name[strcspn(name, "\n")] = '\0';
		scan_one(name);
	}
	free(name);
	return 0;
}
