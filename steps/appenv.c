/* SPDX-License-Identifier: MIT */
/* steps/appenv: the surroundings in which the application's own commands run. */
#include "steps/appenv.h"

#include <stdlib.h>
#include <string.h>

#include "facts/dotenv.h"
#include "os/file.h"

/* What no file of settings may set: it would make another program of the child. */
static const char *const kept_out[] = { "PATH", "PYTHONHOME", "VIRTUAL_ENV", "BASH_ENV", "ENV" };
static const char *const kept_out_heads[] = { "ATHANOR_", "LD_" };

static bool is_kept_out(const char *name)
{
	for (size_t i = 0; i < sizeof(kept_out) / sizeof(kept_out[0]); i++) {
		if (strcmp(name, kept_out[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(kept_out_heads) / sizeof(kept_out_heads[0]); i++) {
		if (ath_str_has_prefix(name, kept_out_heads[i]))
			return true;
	}
	return false;
}

char *ath_appenv_python(const struct ath_step_world *world, const char *venv)
{
	char *folder = ath_file_join(world->root, venv);
	char *python = ath_file_join(folder, "bin/python");

	free(folder);
	return python;
}

static void activate(struct ath_environ *environment, const char *folder)
{
	const char *path = ath_environ_find(environment, "PATH");
	struct ath_str whole = { 0 };

	ath_str_printf(&whole, "%s/bin%s%s", folder, path ? ":" : "", path ? path : "");
	ath_environ_set(environment, "PATH", ath_str_get(&whole));
	ath_environ_set(environment, "VIRTUAL_ENV", folder);
	ath_str_fini(&whole);
}

static bool add_env_file(struct ath_environ *environment, const char *path, struct ath_err *err)
{
	struct ath_pairs pairs = { 0 };
	bool is_read = ath_dotenv_load(path, &pairs, err);

	for (size_t i = 0; i < pairs.len; i++) {
		if (!is_kept_out(pairs.items[i].name) &&
		    !ath_environ_find(environment, pairs.items[i].name))
			ath_environ_set(environment, pairs.items[i].name, pairs.items[i].value);
	}
	ath_pairs_fini(&pairs);
	return is_read;
}

bool ath_appenv_init(struct ath_environ *out, const struct ath_step_world *world, const char *venv,
		     const char *env_file, struct ath_err *err)
{
	char *folder = ath_file_join(world->root, venv);
	char *path = env_file ? ath_file_join(world->root, env_file) : NULL;
	struct ath_environ environment;
	bool is_read;

	ath_environ_copy(&environment, world->environment);
	is_read = !path || add_env_file(&environment, path, err);
	activate(&environment, folder);
	if (is_read)
		*out = environment;
	else
		ath_environ_fini(&environment);
	free(path);
	free(folder);
	return is_read;
}

static bool is_one_of(const char *word, const char *one, const char *other)
{
	return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

/* A program by path: where the command runs, else in the application's folder. */
static const char *find_by_path(const struct ath_step_world *world, const char *folder,
				const char *word, struct ath_arena *arena)
{
	char *here = ath_file_join(folder, word), *below_root = ath_file_join(world->root, word);
	bool is_here = ath_file_kind(here) != ATH_FILE_ABSENT ||
		       ath_file_kind(below_root) == ATH_FILE_ABSENT;
	const char *found = ath_arena_strdup(arena, is_here ? here : below_root);

	free(below_root);
	free(here);
	return found;
}

const char *const *ath_appenv_argv(const struct ath_step_world *world, const char *venv,
				   const char *folder, const struct ath_texts *run,
				   struct ath_arena *arena)
{
	const char **argv = ath_arena_new(arena, run->len + 3, sizeof(*argv));
	const char *word = run->items[0];
	char *python = ath_appenv_python(world, venv);
	size_t len = 0;

	if (is_one_of(word, "python", "python3")) {
		argv[len++] = ath_arena_strdup(arena, python);
	} else if (is_one_of(word, "pip", "pip3")) {
		argv[len++] = ath_arena_strdup(arena, python);
		argv[len++] = "-m";
		argv[len++] = "pip";
	} else {
		argv[len++] = strchr(word, '/') ? find_by_path(world, folder, word, arena) : word;
	}
	for (size_t i = 1; i < run->len; i++)
		argv[len++] = run->items[i];
	free(python);
	return argv;
}
