/* SPDX-License-Identifier: MIT */
/*
 * steps/venv: makes or mends the application's virtual environment, at its final path.
 *
 *	healthy ── runs? ── yes ───────────────────────────────────────────► sweep ─► done
 *	             └ no ─┐
 *	broken ────────────┴► set aside ─┐
 *	not to be looked at ─► failed
 *	half made ─► remove ─────────────┼► mark, make, prove, unmark ─────► sweep ─► done
 *	absent ──────────────────────────┘        └ failed ─► remove, put back what was set aside
 *
 * The mark stands inside from before the first file until the environment is proven, so a killed
 * attempt is seen for what it is. What was set aside goes only when its replacement is proven; an
 * older attempt's is found by its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"
#include "steps/table.h"
#include "steps/venv_make.h"

struct venv_config {
	const char *path;
	const char *version;
};

static const struct ath_field venv_fields[] = {
	ATH_FIELD_REQUIRED(venv_config, path, PATH, "Its folder."),
	ATH_FIELD_OPTIONAL(venv_config, version, TEXT, "Demand on Python's version."),
	{ 0 },
};

static void venv_inputs(const struct ath_step_world *world, const void *config,
			struct ath_str *out);
static void venv_probe(const struct ath_step_world *world, const void *config,
		       struct ath_step_look *out);
static void venv_start(struct ath_step *step);

const struct ath_step_type ath_step_venv = {
	.name = "venv",
	.summary = "Make or mend the application's virtual environment.",
	.fields = venv_fields,
	.config_size = sizeof(struct venv_config),
	.uses_job = true,
	.inputs = venv_inputs,
	.probe = venv_probe,
	.start = venv_start,
};

static struct ath_venv_making *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_venv_making));
}

static void venv_inputs(const struct ath_step_world *world, const void *config, struct ath_str *out)
{
	const char *python = ath_pairs_find(world->facts, "python.path");

	(void)config;
	if (python)
		ath_python_put_identity(python, out);
}

/* As ath_venv_look; one of the wrong version is broken too. */
static void look_at(const char *path, const struct venv_config *config, struct ath_venv *out)
{
	ath_venv_look(path, out);
	if (out->state != ATH_VENV_HEALTHY || !out->version[0] ||
	    ath_python_meets(out->version, config->version))
		return;
	out->state = ATH_VENV_BROKEN;
	snprintf(out->detail, sizeof(out->detail), "it is of Python %s, and %s is needed",
		 out->version, config->version ? config->version : ">=3.8");
}

static void venv_probe(const struct ath_step_world *world, const void *config_,
		       struct ath_step_look *out)
{
	static const enum ath_probe probes[] = {
		[ATH_VENV_ABSENT] = ATH_PROBE_ABSENT,
		[ATH_VENV_BROKEN] = ATH_PROBE_PARTIAL,
		[ATH_VENV_UNKNOWN] = ATH_PROBE_PARTIAL, /* the step looks again, and fails */
		[ATH_VENV_HEALTHY] = ATH_PROBE_WHOLE,
	};
	const struct venv_config *config = config_;
	char *path = ath_file_join(world->root, config->path);
	struct ath_venv venv;

	look_at(path, config, &venv);
	out->probe = probes[venv.state];
	snprintf(out->detail, sizeof(out->detail), "%s", venv.detail);
	free(path);
}

/* ---- what is there already ---- */

static bool remove_half_made(void *data, struct ath_err *err)
{
	struct ath_venv_making *making = data;

	return ath_file_remove_tree(making->path, err);
}

static void on_removed(struct ath_step *step, const struct ath_err *err)
{
	struct ath_err failure = *err;

	if (failure.code == ATH_ERR_OK) {
		ath_venv_make(step);
		return;
	}
	(void)ath_err_prefix(&failure, "remove the half-made virtual environment");
	ath_step_fail(step, &failure);
}

static bool set_aside(struct ath_step *step, struct ath_err *err)
{
	struct ath_venv_making *making = data_of(step);
	const char *aside = ath_arena_printf(ath_step_arena(step), "%s.broken-%s", making->path,
					     ath_step_world(step)->run);

	if (!ath_file_put_into_place(making->path, aside, err))
		return ath_err_prefix(err, "set the broken virtual environment aside");
	making->asides_len -= making->asides_len == ATH_VENV_ASIDES;
	making->asides[making->asides_len++] = aside;
	return true;
}

static void replace(struct ath_step *step, const char *why)
{
	struct ath_err err = { 0 };

	ath_step_say(step, "replacing the virtual environment: %s", why);
	ath_step_logf(step, "athanor: replaces the virtual environment: %s", why);
	if (set_aside(step, &err))
		ath_venv_make(step);
	else
		ath_step_fail(step, &err);
}

static void on_checked(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_OK)
		ath_venv_sweep(step);
	else if (err->code == ATH_ERR_CANCELLED)
		ath_step_fail(step, err);
	else
		replace(step, err->msg);
}

/* No process can be started now: that says nothing about the environment. */
static bool is_shortage(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == EAGAIN || errnum == ENOMEM ||
	       errnum == EIO;
}

static void check(struct ath_step *step)
{
	static const char *const arguments[] = { "-c", "import sys; print(sys.version)", NULL };
	struct ath_err err = { 0 };

	if (ath_venv_run_python(step, "its Python", arguments, on_checked, &err))
		return;
	if (is_shortage(err.errnum))
		ath_step_fail(step, &err);
	else
		replace(step, err.msg);
}

/* What is set aside beside the environment, as the name tells. */
struct listing {
	struct ath_step *step;
	const char *parent, *head; /* borrowed */
};

static bool note_aside(void *user, const char *name, bool is_folder)
{
	struct listing *listing = user;
	struct ath_venv_making *making = data_of(listing->step);

	(void)is_folder;
	if (ath_str_has_prefix(name, listing->head) && making->asides_len < ATH_VENV_ASIDES)
		making->asides[making->asides_len++] = ath_arena_printf(
			ath_step_arena(listing->step), "%s/%s", listing->parent, name);
	return true;
}

static void find_asides(struct ath_step *step)
{
	struct ath_venv_making *making = data_of(step);
	char *parent = ath_file_parent(making->path);
	struct listing listing = {
		.step = step,
		.parent = parent,
		.head = ath_arena_printf(ath_step_arena(step), "%s.broken-",
					 strrchr(making->path, '/') + 1),
	};
	struct ath_err ignored = { 0 };

	if (!ath_file_list(parent, note_aside, &listing, &ignored))
		ath_err_clear(&ignored); /* then nothing is set aside */
	free(parent);
}

static void prepare(struct ath_step *step)
{
	const struct venv_config *config = ath_step_config(step);
	struct ath_venv_making *making = data_of(step);
	char *path = ath_file_join(ath_step_world(step)->root, config->path);
	char *mark = ath_venv_building_mark(path);

	making->path = ath_arena_strdup(ath_step_arena(step), path);
	making->mark = ath_arena_strdup(ath_step_arena(step), mark);
	free(mark);
	free(path);
	find_asides(step);
}

static void venv_start(struct ath_step *step)
{
	struct ath_venv_making *making = data_of(step);
	struct ath_err err = { 0 };
	struct ath_venv venv;

	prepare(step);
	look_at(making->path, ath_step_config(step), &venv);
	if (venv.state == ATH_VENV_UNKNOWN) {
		(void)ath_err_set(&err, ATH_ERR_IO, "the virtual environment '%s': %s",
				  making->path, venv.detail);
		ath_step_fail(step, &err);
	} else if (venv.is_foreign) {
		(void)ath_err_set(&err, ATH_ERR_EXISTS,
				  "'%s' is in the way of the virtual environment: %s; move it away",
				  making->path, venv.detail);
		ath_step_fail(step, &err);
	} else if (venv.state == ATH_VENV_HEALTHY) {
		check(step);
	} else if (venv.state == ATH_VENV_ABSENT) {
		ath_venv_make(step);
	} else if (ath_file_kind(making->mark) != ATH_FILE_ABSENT) {
		ath_step_work(step, remove_half_made, making, on_removed);
	} else {
		replace(step, venv.detail);
	}
}
