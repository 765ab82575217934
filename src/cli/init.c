/* SPDX-License-Identifier: MIT */
/* cli/init: writes athanor.yaml from what it finds. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"
#include "cli/screen.h"
#include "os/file.h"
#include "recipe/write.h"

static void print_json(const struct ath_project *project, const char *path, bool is_written)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", is_written);
	ath_json_put_text(&json, "path", path);
	ath_json_put_texts(&json, "found", project->recipe.findings.items,
			   project->recipe.findings.len);
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

static bool write_recipe(const struct ath_project *project, const struct ath_options *options,
			 struct ath_err *err)
{
	char *path = ath_file_join(project->root, "athanor.yaml");
	struct ath_str text = { 0 };
	bool is_done = true;

	ath_recipe_write(&project->recipe, &text);
	if (options->dry_run && !options->json)
		ath_screen_write(ath_str_get(&text), text.len, false);
	else if (!options->dry_run)
		is_done = ath_file_create(path, ath_str_get(&text), text.len, 0644, err);
	if (is_done && options->json)
		print_json(project, path, !options->dry_run);
	else if (is_done && !options->dry_run && !options->quiet) {
		struct ath_str told = { 0 };
		char *command = ath_project_command(project, "install");

		for (size_t i = 0; i < project->recipe.findings.len; i++)
			ath_str_printf(&told, "found: %s\n", project->recipe.findings.items[i]);
		ath_str_printf(&told, "wrote %s; look through it, then type: %s\n", path, command);
		ath_print_flush(&told, false);
		free(command);
	}
	ath_str_fini(&text);
	free(path);
	return is_done;
}

static int init_run(const struct ath_options *options)
{
	struct ath_project project;
	struct ath_err err = { 0 };
	int status = 0;

	bool is_done = ath_project_open(&project, options, &err);

	if (is_done && project.recipe.path)
		is_done = ath_err_set(&err, ATH_ERR_EXISTS,
				      "'%s' is there already, it was left alone",
				      project.recipe.path);
	if (!is_done || !write_recipe(&project, options, &err))
		status = ath_print_error(&err, ath_str_get(&project.text));
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_init = {
	.name = "init",
	.operands = "[DIR]",
	.summary = "Write athanor.yaml from what is found.",
	.takes_dir = true,
	.run = init_run,
};
