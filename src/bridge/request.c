/* SPDX-License-Identifier: MIT */
/* bridge/request: the embedded Python program, and what it is asked to do. */
#include "bridge/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "os/file.h"

/* bridge.py first; the others are modules that it loads out of its own folder. */
static const struct {
	int number; /* not used */
	const char *name;
	const char *text;
} programs[] = {
#include "bridge/bridge.inc"
};

static const char *const verbs[] = {
	[ATH_BRIDGE_HEADS] = "heads",
	[ATH_BRIDGE_TARGET] = "target",
	[ATH_BRIDGE_CURRENT] = "current",
	[ATH_BRIDGE_UPGRADE] = "upgrade",
	[ATH_BRIDGE_STAMP] = "stamp",
	[ATH_BRIDGE_CREATE_ALL] = "create_all",
	[ATH_BRIDGE_MISSING] = "missing",
	[ATH_BRIDGE_RUN] = "run",
	[ATH_BRIDGE_EFFECTS] = "effects",
	[ATH_BRIDGE_REPLAY] = "replay",
	[ATH_BRIDGE_IDENTIFIERS] = "identifiers",
};

enum {
	PROGRAMS = sizeof(programs) / sizeof(programs[0]),
};

void ath_bridge_hash_program(char out_text[ATH_HASH_TEXT])
{
	struct ath_hash hash = ath_hash_start();

	for (size_t i = 0; i < PROGRAMS; i++) {
		ath_hash_add_text(&hash, programs[i].name);
		ath_hash_add_text(&hash, programs[i].text);
	}
	ath_hash_text(hash, out_text);
}

bool ath_bridge_write_program(const char *folder, struct ath_arena *arena, const char **out_path,
			      struct ath_err *err)
{
	char digits[ATH_HASH_TEXT];
	const char *place;

	ath_bridge_hash_program(digits);
	place = ath_arena_printf(arena, "%s/bridge-%s", folder, digits);
	if (!ath_file_make_folders(place, 0700, err))
		return ath_err_prefix(err, "the bridge program");
	/* bridge.py comes last, so that it is there only with everything that it loads. */
	for (size_t i = PROGRAMS; i-- > 0;) {
		const char *path = ath_arena_printf(arena, "%s/%s", place, programs[i].name);
		const char *text = programs[i].text;

		if (ath_file_kind(path) != ATH_FILE_REGULAR &&
		    !ath_file_replace(path, text, strlen(text), 0600, err))
			return ath_err_prefix(err, "the bridge program");
		*out_path = path;
	}
	return true;
}

static void put_files(struct ath_json *json, const struct ath_bridge_command *command)
{
	ath_json_key(json, "files");
	ath_json_open(json, '[');
	for (size_t i = 0; i < command->ids.len && i < command->files.len; i++) {
		ath_json_open(json, '{');
		ath_json_put_text(json, "id", command->ids.items[i]);
		ath_json_put_text(json, "path", command->files.items[i]);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

static void put_command(struct ath_json *json, const struct ath_bridge_command *command)
{
	ath_json_open(json, '{');
	ath_json_put_text(json, "do", verbs[command->verb]);
	if (command->verb == ATH_BRIDGE_UPGRADE)
		ath_json_put_text(json, "to", command->ids.len ? command->ids.items[0] : "heads");
	if (command->verb == ATH_BRIDGE_STAMP) {
		ath_json_put_texts(json, "to", command->ids.items, command->ids.len);
		ath_json_put_bool(json, "purge", command->purge);
	}
	if (command->verb == ATH_BRIDGE_RUN) {
		ath_json_put_texts(json, "argv", command->ids.items, command->ids.len);
		ath_json_put_text(json, "cwd", command->cwd);
	}
	if (command->files.len)
		put_files(json, command);
	ath_json_close(json, '}');
}

bool ath_bridge_write_request(const char *path, const struct ath_bridge_request *request,
			      struct ath_err *err)
{
	bool is_toml = ath_str_has_suffix(request->config, ".toml");
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	bool is_written;

	ath_json_open(&json, '{');
	ath_json_put_text(&json, "ini", is_toml ? NULL : request->config);
	ath_json_put_text(&json, "pyproject", is_toml ? request->config : NULL);
	ath_json_put_text(&json, "section", request->section);
	ath_json_put_text(&json, "cwd", request->cwd);
	ath_json_put_text(&json, "clone", request->clone);
	ath_json_put_text(&json, "live", request->live);
	ath_json_key(&json, "commands");
	ath_json_open(&json, '[');
	for (size_t i = 0; i < request->len; i++)
		put_command(&json, &request->commands[i]);
	ath_json_close(&json, ']');
	ath_json_close(&json, '}');
	is_written = ath_file_replace(path, ath_str_get(&text), text.len, 0600, err);
	ath_str_fini(&text);
	return is_written;
}
