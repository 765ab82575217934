/* SPDX-License-Identifier: MIT */
/*
 * steps/preflight: what the step and its probe share.
 */
#ifndef ATH_STEPS_PREFLIGHT_H
#define ATH_STEPS_PREFLIGHT_H

#include "engine/step.h"

struct ath_preflight_config {
	const char *python_version;
	const char *node_version;
	bool wants_node;
	const char *venv;
	struct ath_texts folders;
};

/* The probe: starts no program, and sets the facts that the note "python" holds. */
void ath_preflight_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out);

/* The folder, or its nearest parent that exists; owned. */
char *ath_preflight_find_existing(const char *root, const char *path);

/* What stands against writing in it ("is no folder"), or NULL. */
const char *ath_preflight_find_obstacle(const char *existing);

/* Is a program of that name on PATH? */
bool ath_preflight_has_program(const struct ath_step_world *world, const char *name);

#endif
