/* SPDX-License-Identifier: MIT */
/*
 * steps/requirements: the application's Python packages, by uv or pip.
 *
 *	remove leftovers ──► (ensurepip) ──► install ──► check ──► nothing incomplete? ──► note
 *
 * A killed installer leaves distributions that look installed and are not; they are taken out
 * before, so that one command puts them right, and looked for again after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"
#include "steps/appenv.h"
#include "steps/includes.h"
#include "steps/installer.h"
#include "steps/site.h"
#include "steps/table.h"
#include "steps/tool.h"
#include "steps/tree.h"

struct requirements_config {
	const char *venv;
	struct ath_texts files;
	const char *project;
};

static const struct ath_field requirements_fields[] = {
	ATH_FIELD_REQUIRED(requirements_config, venv, PATH, "Folder of the virtual environment."),
	ATH_FIELD_OPTIONAL(requirements_config, files, PATHS, "Files for pip install -r."),
	ATH_FIELD_OPTIONAL(requirements_config, project, PATH, "Folder to install editable."),
	{ 0 },
};

static void requirements_inputs(const struct ath_step_world *world, const void *config,
				struct ath_str *out);
static void requirements_probe(const struct ath_step_world *world, const void *config,
			       struct ath_step_look *out);
static void requirements_start(struct ath_step *step);

const struct ath_step_type ath_step_requirements = {
	.name = "requirements",
	.summary = "Install the application's Python packages.",
	.fields = requirements_fields,
	.config_size = sizeof(struct requirements_config),
	.uses_job = true,
	.inputs = requirements_inputs,
	.probe = requirements_probe,
	.start = requirements_start,
};

/* An attempt; texts are in the step's arena unless said otherwise. */
struct installing {
	struct ath_tool tool; /* first: its callbacks look for it there */
	const char *venv;     /* absolute path */
	struct ath_installer installer;
	struct ath_str removed;    /* owned; leftovers that were removed, one per line */
	struct ath_str incomplete; /* owned; what is not all there after the installation */
	char hash[ATH_HASH_TEXT];  /* of what is installed */
};

static struct installing *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct installing));
}

/* ---- looking ---- */

static void requirements_inputs(const struct ath_step_world *world, const void *config_,
				struct ath_str *out)
{
	static const char *const names[] = { "pyproject.toml", "setup.py", "setup.cfg" };
	const struct requirements_config *config = config_;
	char *python = ath_appenv_python(world, config->venv);

	ath_python_put_identity(python, out);
	ath_str_putc(out, '\n');
	free(python);
	ath_includes_put(world->root, &config->files, out);
	for (size_t i = 0; config->project && i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = ath_file_join(config->project, names[i]);

		ath_tree_put_file(world->root, path, out);
		free(path);
	}
}

static void requirements_probe(const struct ath_step_world *world, const void *config_,
			       struct ath_step_look *out)
{
	const struct requirements_config *config = config_;
	char *path = ath_file_join(world->root, config->venv);
	struct ath_pairs note = { 0 };
	char hash[ATH_HASH_TEXT];
	struct ath_venv venv;

	ath_venv_look(path, &venv);
	if (venv.state != ATH_VENV_HEALTHY || !ath_site_hash(path, hash)) {
		snprintf(out->detail, sizeof(out->detail), "there is no healthy environment '%s'",
			 config->venv);
	} else if (!world->find_note(world->notes, "requirements", &note)) {
		out->probe = ATH_PROBE_ABSENT;
	} else if (strcmp(ath_pairs_get(&note, "installed"), hash) != 0) {
		snprintf(out->detail, sizeof(out->detail),
			 "other packages are installed than after the last time");
		out->probe = ATH_PROBE_PARTIAL;
	} else {
		out->probe = ATH_PROBE_WHOLE;
	}
	ath_pairs_fini(&note);
	free(path);
}

/* ---- the end ---- */

static void release(struct installing *installing)
{
	ath_str_fini(&installing->removed);
	ath_str_fini(&installing->incomplete);
}

static void fail(struct ath_step *step, const struct ath_err *err)
{
	release(data_of(step));
	ath_step_fail(step, err);
}

static void log_lines(struct ath_step *step, const char *what, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		ath_step_logf(step, "athanor: %s %.*s", what, (int)len, lines);
		lines += len + (lines[len] != '\0');
	}
}

/* ---- after the installation ---- */

static bool look_at_result(void *data, struct ath_err *err)
{
	struct installing *installing = data;

	(void)ath_venv_find_incomplete(installing->venv, &installing->incomplete);
	return ath_site_hash(installing->venv, installing->hash) ||
	       ath_err_set(err, ATH_ERR_VERIFY, "'%s' has no site-packages", installing->venv);
}

/*
 * Was every one of them taken out before and put back by an installer that was content? Then its
 * RECORD names what its wheel does not hold, and no repetition would help.
 */
static bool are_as_made(const struct installing *installing)
{
	const char *name = ath_str_get(&installing->incomplete);

	while (*name) {
		size_t len = strcspn(name, "\n");
		struct ath_str entry = { 0 };
		bool was_removed;

		ath_str_printf(&entry, "%.*s.dist-info\n", (int)len, name);
		was_removed = strstr(ath_str_get(&installing->removed), ath_str_get(&entry));
		ath_str_fini(&entry);
		if (!was_removed)
			return false;
		name += len + (name[len] != '\0');
	}
	return true;
}

static void on_recorded(struct ath_step *step)
{
	ath_step_done(step);
}

static void on_looked(struct ath_step *step, const struct ath_err *err)
{
	struct installing *installing = data_of(step);
	struct ath_err failure = *err;
	struct ath_pairs pairs = { 0 };

	log_lines(step, "not all files are there of", ath_str_get(&installing->incomplete));
	if (failure.code == ATH_ERR_OK && !are_as_made(installing))
		(void)ath_err_set(&failure, ATH_ERR_VERIFY,
				  "install the Python packages: the installer ended with success, "
				  "but not all files are there of %.*s",
				  (int)strcspn(ath_str_get(&installing->incomplete), "\n"),
				  ath_str_get(&installing->incomplete));
	if (failure.code != ATH_ERR_OK) {
		fail(step, &failure);
		return;
	}
	ath_pairs_set(&pairs, "installed", installing->hash);
	release(installing);
	ath_step_record(step, "requirements", &pairs, on_recorded);
	ath_pairs_fini(&pairs);
}

/* A check that fails is told: which packages go together is for the application to say. */
static void on_checked(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_CANCELLED) {
		fail(step, err);
		return;
	}
	if (err->code != ATH_ERR_OK) {
		ath_step_say(step, "warning: %s", err->msg);
		ath_step_logf(step, "athanor: warning: %s", err->msg);
	}
	ath_step_work(step, look_at_result, data_of(step), on_looked);
}

/* ---- the commands ---- */

static void run(struct ath_step *step, const char *what, const char *const *argv,
		ath_tool_end_fn *on_end)
{
	struct ath_environ environment;
	struct ath_err err = { 0 };
	bool is_started;

	ath_installer_init_environment(&environment, ath_step_world(step));
	is_started = ath_tool_start(step,
				    &(struct ath_tool_form){
					    .what = what,
					    .argv = argv,
					    .environment = &environment,
					    .uses_network = true,
					    .on_end = on_end,
				    },
				    &err);
	ath_environ_fini(&environment);
	if (!is_started)
		fail(step, &err);
}

static void on_installed(struct ath_step *step, const struct ath_err *err)
{
	if (err->code != ATH_ERR_OK)
		fail(step, err);
	else
		run(step, "check the Python packages",
		    ath_installer_check(&data_of(step)->installer, ath_step_arena(step)),
		    on_checked);
}

static void install(struct ath_step *step)
{
	const struct requirements_config *config = ath_step_config(step);
	const struct ath_installer *installer = &data_of(step)->installer;

	ath_step_say(step, "installing the Python packages with %s", installer->uv ? "uv" : "pip");
	run(step, "install the Python packages",
	    ath_installer_install(installer, &config->files, config->project, ath_step_arena(step)),
	    on_installed);
}

static void on_pip_there(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_OK)
		install(step);
	else
		fail(step, err);
}

static bool clean(void *data, struct ath_err *err)
{
	struct installing *installing = data;

	return ath_site_clean(installing->venv, &installing->removed, err);
}

static void on_clean(struct ath_step *step, const struct ath_err *err)
{
	const struct installing *installing = data_of(step);
	const char *argv[] = { installing->installer.python, "-m", "ensurepip", "--default-pip",
			       NULL };
	struct ath_err failure = *err;

	log_lines(step, "has removed the leftover", ath_str_get(&installing->removed));
	if (failure.code != ATH_ERR_OK) {
		(void)ath_err_prefix(&failure, "remove what a killed installer left");
		fail(step, &failure);
	} else if (installing->installer.uv || ath_site_has(installing->venv, "pip")) {
		install(step);
	} else {
		run(step, "put pip into the environment", argv, on_pip_there);
	}
}

static void requirements_start(struct ath_step *step)
{
	const struct requirements_config *config = ath_step_config(step);
	const struct ath_step_world *world = ath_step_world(step);
	struct installing *installing = data_of(step);
	char *venv = ath_file_join(world->root, config->venv);
	char *python = ath_appenv_python(world, config->venv);
	char *uv = ath_environ_find_program(world->environment, "uv");

	installing->venv = ath_arena_strdup(ath_step_arena(step), venv);
	installing->installer.python = ath_arena_strdup(ath_step_arena(step), python);
	installing->installer.uv = ath_arena_strdup(ath_step_arena(step), uv);
	free(uv);
	free(python);
	free(venv);
	ath_step_work(step, clean, installing, on_clean);
}
