/* SPDX-License-Identifier: MIT */
/*
 * steps/directories: the application's own folders, for its data, logs and backups.
 *
 * New ones are closed to others (0750), because they will hold people's data. One that is there
 * keeps its mode and its owner, and nothing below it is touched.
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "steps/table.h"

enum {
	MODE = 0750,
};

struct directories_config {
	struct ath_texts paths;
};

static const struct ath_field directories_fields[] = {
	ATH_FIELD_REQUIRED(directories_config, paths, PATHS, "Folders to make."),
	{ 0 },
};

static void directories_probe(const struct ath_step_world *world, const void *config,
			      struct ath_step_look *out);
static void directories_start(struct ath_step *step);

const struct ath_step_type ath_step_directories = {
	.name = "directories",
	.summary = "Make the application's own folders.",
	.fields = directories_fields,
	.config_size = sizeof(struct directories_config),
	.probe = directories_probe,
	.start = directories_start,
};

static void directories_probe(const struct ath_step_world *world, const void *config_,
			      struct ath_step_look *out)
{
	const struct directories_config *config = config_;
	size_t found = 0;

	for (size_t i = 0; i < config->paths.len; i++) {
		char *path = ath_file_join(world->root, config->paths.items[i]);

		if (ath_file_kind(path) == ATH_FILE_FOLDER)
			found++;
		else if (!out->detail[0])
			snprintf(out->detail, sizeof(out->detail), "there is no folder '%s'",
				 config->paths.items[i]);
		free(path);
	}
	if (found == config->paths.len)
		out->probe = ATH_PROBE_WHOLE;
	else
		out->probe = found ? ATH_PROBE_PARTIAL : ATH_PROBE_ABSENT;
}

static bool make_one(struct ath_step *step, const char *relative, struct ath_err *err)
{
	char *path = ath_file_join(ath_step_world(step)->root, relative);
	bool is_there = ath_file_kind(path) == ATH_FILE_FOLDER;
	bool is_made = is_there || ath_file_make_folders(path, MODE, err);

	if (is_made)
		ath_step_logf(step, "athanor: %s '%s'", is_there ? "keeps" : "has made", relative);
	free(path);
	return is_made || ath_err_prefix(err, "make the folder '%s'", relative);
}

static void directories_start(struct ath_step *step)
{
	const struct directories_config *config = ath_step_config(step);
	struct ath_err err = { 0 };

	for (size_t i = 0; i < config->paths.len; i++) {
		if (!make_one(step, config->paths.items[i], &err)) {
			ath_step_fail(step, &err);
			return;
		}
	}
	ath_step_done(step);
}
