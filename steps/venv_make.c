/* SPDX-License-Identifier: MIT */
/* steps/venv_make: makes a virtual environment, proves it, or puts back what was there before. */
#include "steps/venv_make.h"

#include <stdlib.h>

#include "facts/python.h"
#include "os/file.h"

enum {
	CHECK_TIMEOUT = 60000, /* ms */
	MODE = 0755,
};

static struct ath_venv_making *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_venv_making));
}

/* ---- sweep: nothing that was set aside is needed any more ---- */

static bool remove_asides(void *data, struct ath_err *err)
{
	struct ath_venv_making *making = data;

	for (size_t i = 0; i < making->asides_len; i++) {
		if (!ath_file_remove_tree(making->asides[i], err))
			return false;
	}
	return true;
}

/* What cannot be removed is told and not failed for: the environment itself is proven. */
static void on_swept(struct ath_step *step, const struct ath_err *err)
{
	if (err->code != ATH_ERR_OK)
		ath_step_logf(step, "athanor: a broken environment is left over: %s", err->msg);
	ath_step_done(step);
}

void ath_venv_sweep(struct ath_step *step)
{
	struct ath_venv_making *making = data_of(step);

	if (making->asides_len)
		ath_step_work(step, remove_asides, making, on_swept);
	else
		ath_step_done(step);
}

/* ---- undo ---- */

/* The newest that was set aside comes back, so that the world is as it was before. */
static bool put_back(void *data, struct ath_err *err)
{
	struct ath_venv_making *making = data;

	return ath_file_remove_tree(making->path, err) &&
	       (!making->asides_len ||
		ath_file_put_into_place(making->asides[making->asides_len - 1], making->path, err));
}

static void on_put_back(struct ath_step *step, const struct ath_err *err)
{
	struct ath_venv_making *making = data_of(step);

	if (err->code != ATH_ERR_OK)
		ath_step_logf(step, "athanor: cannot put the old environment back: %s", err->msg);
	ath_step_fail(step, &making->failure);
}

static void undo(struct ath_step *step, const struct ath_err *err)
{
	struct ath_venv_making *making = data_of(step);

	making->failure = *err;
	(void)ath_err_prefix(&making->failure, "make the virtual environment '%s'", making->path);
	ath_step_work(step, put_back, making, on_put_back);
}

/* ---- make and prove ---- */

bool ath_venv_run_python(struct ath_step *step, const char *what, const char *const *arguments,
			 ath_tool_end_fn *on_end, struct ath_err *err)
{
	char *python = ath_file_join(data_of(step)->path, "bin/python");
	const char *argv[] = { python, "-I", arguments[0], arguments[1], arguments[2], NULL };
	const struct ath_tool_form form = {
		.what = what, .argv = argv, .timeout_ms = CHECK_TIMEOUT, .on_end = on_end
	};
	bool is_started = ath_tool_start(step, &form, err);

	free(python);
	return is_started;
}

static void on_proven(struct ath_step *step, const struct ath_err *err)
{
	struct ath_venv_making *making = data_of(step);
	char *made = ath_venv_made_mark(making->path);
	struct ath_err failure = *err;

	if (failure.code == ATH_ERR_OK && ath_file_put_into_place(making->mark, made, &failure))
		ath_venv_sweep(step);
	else
		undo(step, &failure);
	free(made);
}

static void on_made(struct ath_step *step, const struct ath_err *err)
{
	static const char *const arguments[] = { "-m", "pip", "--version" };
	struct ath_err failure = *err;

	if (failure.code != ATH_ERR_OK ||
	    !ath_venv_run_python(step, "run its pip", arguments, on_proven, &failure))
		undo(step, &failure);
}

/* The interpreter to make it with; in the arena, NULL if there is none. */
static const char *find_python(struct ath_step *step)
{
	const struct ath_step_world *world = ath_step_world(step);
	const char *known = ath_pairs_find(world->facts, "python.path");
	char *found = known ? NULL : ath_environ_find_program(world->environment, "python3");
	const char *python = ath_arena_strdup(ath_step_arena(step), known ? known : found);

	free(found);
	return python;
}

static bool start_making(struct ath_step *step, struct ath_err *err)
{
	const struct ath_step_world *world = ath_step_world(step);
	const char *python = find_python(step), *path = data_of(step)->path;
	bool wants_uv = ath_str_is(ath_pairs_find(world->facts, "python.makes_venvs"), "no");
	char *uv = wants_uv ? ath_environ_find_program(world->environment, "uv") : NULL;
	const char *with_python[] = { python, "-m", "venv", path, NULL };
	const char *with_uv[] = { uv,         "venv", "--seed", "--allow-existing",
				  "--python", python, path,     NULL };
	const struct ath_tool_form form = {
		.what = uv ? "uv venv" : "python -m venv",
		.argv = uv ? with_uv : with_python,
		.uses_network = uv != NULL, /* its seeds are downloaded */
		.on_end = on_made,
	};
	bool is_started;

	if (python)
		is_started = ath_tool_start(step, &form, err);
	else
		is_started = ath_err_set(err, ATH_ERR_NOT_FOUND, "no Python was found");
	free(uv);
	return is_started;
}

void ath_venv_make(struct ath_step *step)
{
	struct ath_venv_making *making = data_of(step);
	struct ath_err err = { 0 };

	ath_step_say(step, "making the virtual environment");
	if (!ath_file_make_folders(making->path, MODE, &err) ||
	    !ath_file_create(making->mark, "", 0, 0644, &err) || !start_making(step, &err))
		undo(step, &err);
}
