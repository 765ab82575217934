/* SPDX-License-Identifier: MIT */
/* steps/installer: the commands of uv and pip that install into one virtual environment. */
#include "steps/installer.h"

#include <string.h>

#include "base/str.h"

enum {
	MOST_WORDS = 8, /* of a command before its files */
};

/* Settings that would put packages elsewhere than into the environment. */
void ath_installer_init_environment(struct ath_environ *out, const struct ath_step_world *world)
{
	static const char *const elsewhere[] = { "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT",
						 "UV_SYSTEM_PYTHON" };

	ath_environ_copy(out, world->environment);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		ath_environ_set(out, elsewhere[i], NULL);
	ath_environ_set(out, "PIP_USER", "0"); /* a configuration file may say otherwise */
}

/* The words that begin a command of uv or pip; returns how many. */
static size_t begin(const struct ath_installer *installer, const char *verb, const char **argv)
{
	const char *const with_uv[] = { installer->uv, "pip", verb, "--python", installer->python };
	const char *const with_pip[] = { installer->python, "-m", "pip", verb, "--no-input" };

	_Static_assert(sizeof(with_uv) == sizeof(with_pip), "both begin with as many words");
	memcpy(argv, installer->uv ? with_uv : with_pip, sizeof(with_uv));
	return sizeof(with_uv) / sizeof(with_uv[0]);
}

/*
 * pip has no option for the dependencies of a project alone, as uv has; so the environment's own
 * interpreter reads them, and becomes pip. A dependency cannot be taken for an option behind "--".
 */
static const char become_pip[] =
	"import os, sys\n"
	"try:\n"
	"    import tomllib\n"
	"except ImportError:\n"
	"    from pip._vendor import tomli as tomllib\n"
	"words, dependencies = [], []\n"
	"for option, path in zip(sys.argv[1::2], sys.argv[2::2]):\n"
	"    if option != '-r' or os.path.basename(path) != 'pyproject.toml':\n"
	"        words += [option, path]\n"
	"        continue\n"
	"    with open(path, 'rb') as file:\n"
	"        dependencies += tomllib.load(file).get('project', {}).get('dependencies', [])\n"
	"if words or dependencies:\n"
	"    os.execv(sys.executable, [sys.executable, '-m', 'pip', 'install', '--no-input']\n"
	"             + words + ['--'] + dependencies)\n";

static bool is_pyproject(const char *path)
{
	return strcmp(path, "pyproject.toml") == 0 || ath_str_has_suffix(path, "/pyproject.toml");
}

/* Has pip to be told the dependencies of a project that it does not install? */
static bool needs_reading(const struct ath_installer *installer, const struct ath_texts *files)
{
	for (size_t i = 0; i < files->len; i++) {
		if (!installer->uv && is_pyproject(files->items[i]))
			return true;
	}
	return false;
}

const char *const *ath_installer_install(const struct ath_installer *installer,
					 const struct ath_texts *files, const char *project,
					 struct ath_arena *arena)
{
	const char **argv = ath_arena_new(arena, MOST_WORDS + 2 * files->len + 3, sizeof(*argv));
	const char *const reader[] = { installer->python, "-c", become_pip };
	size_t len = sizeof(reader) / sizeof(reader[0]);

	if (needs_reading(installer, files))
		memcpy(argv, reader, sizeof(reader));
	else
		len = begin(installer, "install", argv);
	for (size_t i = 0; i < files->len; i++) {
		argv[len++] = "-r";
		argv[len++] = files->items[i];
	}
	if (project) { /* with a slash, so that it cannot be taken for a package's name */
		argv[len++] = "-e";
		argv[len++] =
			strcmp(project, ".") == 0 ? "." : ath_arena_printf(arena, "./%s", project);
	}
	return argv;
}

const char *const *ath_installer_check(const struct ath_installer *installer,
				       struct ath_arena *arena)
{
	const char **argv = ath_arena_new(arena, MOST_WORDS, sizeof(*argv));

	(void)begin(installer, "check", argv); /* the memory is zeroed, so it ends with a NULL */
	return argv;
}
