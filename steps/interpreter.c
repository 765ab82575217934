/* SPDX-License-Identifier: MIT */
/* steps/interpreter: finds the Python that the virtual environment is made with. */
#include "steps/interpreter.h"

#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"

enum {
	TIMEOUT = 60000, /* ms: an interpreter on a slow disk starts within */
};

/*
 * Runs with any Python from 2.7, so that an old one can say what it is. In a virtual environment the
 * interpreter behind it is named, which stays when the environment goes; by its name with the
 * version, because what python3 leads to changes with the system.
 */
static const char question[] =
	"import os, sys\n"
	"def has(name):\n"
	"    try:\n"
	"        __import__(name)\n"
	"        return 'yes'\n"
	"    except Exception:\n"
	"        return 'no'\n"
	"path = getattr(sys, '_base_executable', None) or sys.executable\n"
	"exact = os.path.join(os.path.dirname(path), 'python%d.%d' % tuple(sys.version_info[:2]))\n"
	"if os.path.exists(exact) and os.path.samefile(exact, path):\n"
	"    path = exact\n"
	"print('\\t'.join(['%d.%d.%d' % tuple(sys.version_info[:3]),\n"
	"                  'yes' if has('venv') == has('ensurepip') == 'yes' else 'no', path]))\n";

static const char *const names[] = {
	"python3",    "python3.14", "python3.13", "python3.12",
	"python3.11", "python3.10", "python3.9",  "python3.8",
};

static void ask_next(struct ath_step *step);

static struct ath_interpreter_search *search_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_interpreter_search));
}

/* Add a program unless it is there already under another name. */
static void add_candidate(struct ath_step *step, const char *name, const char *program)
{
	struct ath_interpreter_search *search = search_of(step);
	char *real = realpath(program, NULL);
	bool is_known = !real || search->len == ATH_INTERPRETER_CANDIDATES;

	for (size_t i = 0; i < search->len && !is_known; i++) {
		char *other = realpath(search->programs[i], NULL);

		is_known = ath_str_is(other, real);
		free(other);
	}
	if (!is_known) {
		search->names[search->len] = name;
		search->programs[search->len++] = ath_arena_strdup(ath_step_arena(step), program);
	}
	free(real);
}

static void add_from_path(struct ath_step *step)
{
	const struct ath_environ *environment = ath_step_world(step)->environment;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *program = ath_environ_find_program(environment, names[i]);

		if (program)
			add_candidate(step, names[i], program);
		free(program);
	}
}

/* Read an answer: version, yes or no, path; false if it is none. */
static bool read_answer(struct ath_step *step, struct ath_interpreter *out)
{
	struct ath_arena *arena = ath_step_arena(step);
	const char *line = search_of(step)->tool.first_line;
	const char *ability = strchr(line, '\t');
	const char *path = ability ? strchr(ability + 1, '\t') : NULL;

	if (!path || path[1] != '/')
		return false;
	*out = (struct ath_interpreter){
		.version = ath_arena_strndup(arena, line, (size_t)(ability - line)),
		.makes_venvs = ath_str_has_prefix(ability + 1, "yes"),
		.path = ath_arena_strdup(arena, path + 1),
	};
	return true;
}

static void note_seen(struct ath_step *step, const char *name, const char *version)
{
	struct ath_interpreter_search *search = search_of(step);

	search->seen = ath_arena_printf(ath_step_arena(step), "%s%s%s is %s", search->seen,
					*search->seen ? ", " : "", name, version);
}

static void on_answer(struct ath_step *step, const struct ath_err *err)
{
	struct ath_interpreter_search *search = search_of(step);
	const char *name = search->names[search->next];
	struct ath_interpreter one;

	search->next++;
	if (err->code == ATH_ERR_CANCELLED) {
		search->on_found(step);
		return;
	}
	if (err->code != ATH_ERR_OK || !read_answer(step, &one)) {
		ath_step_logf(step, "athanor: %s is no Python that runs", name);
	} else if (!ath_python_meets(one.version, search->specification)) {
		note_seen(step, name, one.version);
	} else if (!search->found.path || one.makes_venvs) {
		search->found = one;
	}
	ask_next(step);
}

/* Has it all that is needed? What makes a healthy environment run need not make another one. */
static bool is_enough(const struct ath_interpreter_search *search)
{
	return search->found.path && (search->found.makes_venvs || search->venv);
}

static void ask_next(struct ath_step *step)
{
	struct ath_interpreter_search *search = search_of(step);

	for (; search->next < search->len && !is_enough(search); search->next++) {
		const char *argv[] = { search->programs[search->next], "-I", "-c", question, NULL };
		const struct ath_tool_form form = {
			.what = argv[0],
			.argv = argv,
			.timeout_ms = TIMEOUT,
			.on_end = on_answer,
		};
		struct ath_err err = { 0 };

		if (ath_tool_start(step, &form, &err))
			return;
		ath_step_logf(step, "athanor: %s", err.msg);
	}
	search->on_found(step);
}

void ath_interpreter_search(struct ath_step *step)
{
	struct ath_interpreter_search *search = search_of(step);
	char *python = search->venv ? ath_file_join(search->venv, "bin/python") : NULL;

	search->seen = "";
	if (python)
		add_candidate(step, python, python);
	if (search->len)
		search->names[0] = search->programs[0];
	free(python);
	add_from_path(step);
	ask_next(step);
}
