/* SPDX-License-Identifier: MIT */
/*
 * steps/preflight: everything that can be known to fail is found first, all of it reported at once.
 *
 *	folders, space, env  ──►  Python (steps/interpreter)  ──►  node, npm  ──►  note "python"
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"
#include "steps/interpreter.h"
#include "steps/preflight.h"
#include "steps/table.h"

enum {
	SPACE_MIB = 300, /* free space below which no installation is begun */
	TIMEOUT = 60000, /* ms: of node and npm, asked for their version */
};

static const struct ath_field preflight_fields[] = {
	ATH_FIELD_OPTIONAL(ath_preflight_config, python_version, TEXT,
			   "Demand on Python's version."),
	ATH_FIELD_OPTIONAL(ath_preflight_config, node_version, TEXT, "Demand on node's version."),
	ATH_FIELD_OPTIONAL(ath_preflight_config, wants_node, BOOL,
			   "Whether node is needed at all."),
	ATH_FIELD_REQUIRED(ath_preflight_config, venv, PATH, "Folder of the virtual environment."),
	ATH_FIELD_OPTIONAL(ath_preflight_config, folders, PATHS, "Folders that must be writable."),
	{ 0 },
};

static void preflight_start(struct ath_step *step);

const struct ath_step_type ath_step_preflight = {
	.name = "preflight",
	.summary = "Find everything that can be known to fail, and report all of it at once.",
	.fields = preflight_fields,
	.only_looks = true,
	.config_size = sizeof(struct ath_preflight_config),
	.probe = ath_preflight_probe,
	.start = preflight_start,
};

struct preflight {
	struct ath_interpreter_search search; /* first: its callbacks look for it there */
	const char *problems;                 /* joined by "; ", in the arena; NULL: none */
	const char *tool;                     /* node or npm, while it is asked */
};

static struct preflight *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct preflight));
}

static void ATH_PRINTF(2, 3) add_problem(struct ath_step *step, const char *format, ...)
{
	struct preflight *preflight = data_of(step);
	struct ath_str text = { 0 };
	va_list args;

	va_start(args, format);
	ath_str_vprintf(&text, format, args);
	va_end(args);
	ath_step_say(step, "problem: %s", ath_str_get(&text));
	ath_step_logf(step, "athanor: problem: %s", ath_str_get(&text));
	preflight->problems = ath_arena_printf(ath_step_arena(step), "%s%s%s",
					       preflight->problems ? preflight->problems : "",
					       preflight->problems ? "; " : "", ath_str_get(&text));
	ath_str_fini(&text);
}

/* ---- folders ---- */

static void check_folders(struct ath_step *step, const struct ath_preflight_config *config)
{
	const char *root = ath_step_world(step)->root;
	char *last = NULL;

	for (size_t i = 0; i < config->folders.len; i++) {
		char *existing = ath_preflight_find_existing(root, config->folders.items[i]);
		const char *obstacle = ath_preflight_find_obstacle(existing);

		if (obstacle && !ath_str_is(last, existing))
			add_problem(step, "'%s' %s", existing, obstacle);
		free(last);
		last = existing;
	}
	free(last);
}

static void check_space(struct ath_step *step)
{
	const char *root = ath_step_world(step)->root;
	struct ath_file_space space;
	struct ath_err err = { 0 };

	if (!ath_file_space(root, &space, &err))
		add_problem(step, "%s", err.msg);
	else if (space.free_bytes >> 20 < SPACE_MIB)
		add_problem(step,
			    "%" PRIu64 " MiB are free at '%s', and at least %d MiB are needed",
			    space.free_bytes >> 20, root, SPACE_MIB);
}

/* The environment if it is healthy and of the right version; in the arena, or NULL. */
static const char *check_venv(struct ath_step *step, const struct ath_preflight_config *config)
{
	char *path = ath_file_join(ath_step_world(step)->root, config->venv);
	const char *healthy = NULL;
	struct ath_venv venv;

	ath_venv_look(path, &venv);
	if (venv.is_foreign)
		add_problem(step, "'%s' is in the way of the virtual environment: %s; move it away",
			    path, venv.detail);
	if (venv.state == ATH_VENV_HEALTHY &&
	    (!venv.version[0] || ath_python_meets(venv.version, config->python_version)))
		healthy = ath_arena_strdup(ath_step_arena(step), path);
	free(path);
	return healthy;
}

/* ---- the end ---- */

static void on_recorded(struct ath_step *step)
{
	ath_step_done(step);
}

static void finish(struct ath_step *step)
{
	const struct preflight *preflight = data_of(step);
	const struct ath_interpreter *found = &preflight->search.found;
	const char *ability = found->makes_venvs ? "yes" : "no";
	struct ath_pairs pairs = { 0 };
	struct ath_str identity = { 0 };
	struct ath_err err = { 0 };

	if (preflight->problems) {
		(void)ath_err_set(&err, ATH_ERR_PREFLIGHT, "%s", preflight->problems);
		ath_step_fail(step, &err);
		return;
	}
	ath_step_fact(step, "python.path", found->path);
	ath_step_fact(step, "python.version", found->version);
	ath_step_fact(step, "python.makes_venvs", ability);
	ath_python_put_identity(found->path, &identity);
	ath_pairs_set(&pairs, "path", found->path);
	ath_pairs_set(&pairs, "version", found->version);
	ath_pairs_set(&pairs, "makes_venvs", ability);
	ath_pairs_set(&pairs, "identity", ath_str_get(&identity));
	ath_step_record(step, "python", &pairs, on_recorded);
	ath_str_fini(&identity);
	ath_pairs_fini(&pairs);
}

static void fail_cancelled(struct ath_step *step)
{
	struct ath_err err = { 0 };

	(void)ath_err_set(&err, ATH_ERR_CANCELLED, "the look at the system was cancelled");
	ath_step_fail(step, &err);
}

/* ---- node ---- */

static void ask_node(struct ath_step *step, const char *tool);

static void on_node(struct ath_step *step, const struct ath_err *err)
{
	const struct ath_preflight_config *config = ath_step_config(step);
	struct preflight *preflight = data_of(step);
	const char *version = preflight->search.tool.first_line;
	bool is_node = strcmp(preflight->tool, "node") == 0;

	version += *version == 'v';
	if (err->code == ATH_ERR_CANCELLED) {
		fail_cancelled(step);
		return;
	}
	if (err->code != ATH_ERR_OK)
		add_problem(step, "%s does not run: %s", preflight->tool, err->msg);
	else if (is_node && config->node_version &&
		 !ath_python_meets(version, config->node_version))
		add_problem(step, "node is %s, and %s is needed", version, config->node_version);
	if (is_node)
		ask_node(step, "npm");
	else
		finish(step);
}

static void ask_node(struct ath_step *step, const char *tool)
{
	const struct ath_preflight_config *config = ath_step_config(step);
	const char *const argv[] = { tool, "--version", NULL };
	const struct ath_tool_form form = {
		.what = tool, .argv = argv, .timeout_ms = TIMEOUT, .on_end = on_node
	};
	struct ath_err err = { 0 };

	data_of(step)->tool = tool;
	if (ath_tool_start(step, &form, &err))
		return;
	add_problem(step, "%s is not installed, and the frontend needs it%s%s", tool,
		    config->node_version ? ": node " : "",
		    config->node_version ? config->node_version : "");
	if (strcmp(tool, "node") == 0 && ath_preflight_has_program(ath_step_world(step), "npm"))
		ask_node(step, "npm");
	else
		finish(step);
}

/* ---- Python ---- */

static void report_no_python(struct ath_step *step)
{
	const struct ath_preflight_config *config = ath_step_config(step);
	const char *seen = data_of(step)->search.seen;

	add_problem(step, "no Python that meets %s was found%s%s",
		    config->python_version ? config->python_version : ">=3.8", *seen ? ": " : "",
		    seen);
}

/* It has no ensurepip: Debian has a package of its own for it. */
static void report_no_venv(struct ath_step *step, const char *version)
{
	const char *dot = strchr(version, '.');
	int minor = dot ? (int)(dot + 1 + strcspn(dot + 1, ".") - version) : (int)strlen(version);

	if (ath_file_kind("/etc/debian_version") != ATH_FILE_ABSENT)
		add_problem(step,
			    "python%.*s cannot make virtual environments: apt-get install "
			    "python%.*s-venv",
			    minor, version, minor, version);
	else
		add_problem(step,
			    "python%.*s cannot make virtual environments: install its modules venv "
			    "and ensurepip, or uv",
			    minor, version);
}

static void on_python(struct ath_step *step)
{
	const struct ath_preflight_config *config = ath_step_config(step);
	const struct ath_interpreter_search *search = &data_of(step)->search;

	if (ath_step_is_cancelled(step)) {
		fail_cancelled(step);
		return;
	}
	if (!search->found.path)
		report_no_python(step);
	else if (!search->found.makes_venvs && !search->venv &&
		 !ath_preflight_has_program(ath_step_world(step), "uv"))
		report_no_venv(step, search->found.version);
	if (config->wants_node)
		ask_node(step, "node");
	else
		finish(step);
}

static void preflight_start(struct ath_step *step)
{
	const struct ath_preflight_config *config = ath_step_config(step);
	struct preflight *preflight = data_of(step);

	ath_step_say(step, "looking at the system");
	check_folders(step, config);
	check_space(step);
	preflight->search.specification = config->python_version;
	preflight->search.venv = check_venv(step, config);
	preflight->search.on_found = on_python;
	ath_interpreter_search(step);
}
