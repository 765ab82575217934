/* SPDX-License-Identifier: MIT */
/* steps/preflight: what can be seen without starting a program. */
#include "steps/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"

char *ath_preflight_find_existing(const char *root, const char *path)
{
	char *at = ath_file_join(root, path);

	while (ath_file_kind(at) == ATH_FILE_ABSENT && strcmp(at, "/") != 0) {
		char *parent = ath_file_parent(at);

		free(at);
		at = parent;
	}
	return at;
}

const char *ath_preflight_find_obstacle(const char *existing)
{
	if (ath_file_kind(existing) != ATH_FILE_FOLDER)
		return "is no folder";
	return ath_file_can_write(existing) ? NULL : "is a folder without the right to write";
}

bool ath_preflight_has_program(const struct ath_step_world *world, const char *name)
{
	char *program = ath_environ_find_program(world->environment, name);

	free(program);
	return program != NULL;
}

static bool ATH_PRINTF(2, 3) miss(struct ath_step_look *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->detail, sizeof(out->detail), format, args);
	va_end(args);
	return false;
}

static bool holds_python(const struct ath_pairs *note, const struct ath_preflight_config *config,
			 struct ath_step_look *out)
{
	const char *path = ath_pairs_get(note, "path");
	struct ath_str identity = { 0 };
	bool is_same;

	ath_python_put_identity(path, &identity);
	is_same = strcmp(ath_str_get(&identity), ath_pairs_get(note, "identity")) == 0;
	ath_str_fini(&identity);
	if (!is_same)
		return miss(out, "the interpreter '%s' has changed", path);
	if (!ath_python_meets(ath_pairs_get(note, "version"), config->python_version))
		return miss(out, "'%s' is Python %s", path, ath_pairs_get(note, "version"));
	return true;
}

static bool holds_folders(const struct ath_step_world *world,
			  const struct ath_preflight_config *config, struct ath_step_look *out)
{
	bool holds = true;

	for (size_t i = 0; i < config->folders.len && holds; i++) {
		char *existing = ath_preflight_find_existing(world->root, config->folders.items[i]);

		if (ath_preflight_find_obstacle(existing))
			holds = miss(out, "'%s' is not a writable folder", existing);
		free(existing);
	}
	return holds;
}

static bool holds_node(const struct ath_step_world *world,
		       const struct ath_preflight_config *config, struct ath_step_look *out)
{
	static const char *const tools[] = { "node", "npm" };

	for (size_t i = 0; config->wants_node && i < sizeof(tools) / sizeof(tools[0]); i++) {
		if (!ath_preflight_has_program(world, tools[i]))
			return miss(out, "%s is not on PATH", tools[i]);
	}
	return true;
}

void ath_preflight_probe(const struct ath_step_world *world, const void *config_,
			 struct ath_step_look *out)
{
	const struct ath_preflight_config *config = config_;
	struct ath_pairs note = { 0 };

	if (world->find_note(world->notes, "python", &note) && holds_python(&note, config, out) &&
	    holds_folders(world, config, out) && holds_node(world, config, out)) {
		ath_pairs_set(world->facts, "python.path", ath_pairs_get(&note, "path"));
		ath_pairs_set(world->facts, "python.version", ath_pairs_get(&note, "version"));
		ath_pairs_set(world->facts, "python.makes_venvs",
			      ath_pairs_get(&note, "makes_venvs"));
		out->probe = ATH_PROBE_WHOLE;
	}
	ath_pairs_fini(&note);
}
