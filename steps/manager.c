/* SPDX-License-Identifier: MIT */
/* steps/manager: the package manager of a frontend, chosen by its lock file. */
#include "steps/manager.h"

#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"
#include "steps/tree.h"

#define WORDS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
#define OF_NPM  WORDS("node_modules/.package-lock.json")
#define OF_PNPM WORDS("node_modules/.modules.yaml")
#define OF_YARN WORDS("node_modules/.yarn-integrity", "node_modules/.yarn-state.yml", ".pnp.cjs")

/* clang-format off */
static const struct ath_manager managers[] = {
	{ "package-lock.json", "npm", WORDS("npm", "ci", "--no-audit", "--no-fund"),
	  WORDS("npm", "run", "build"), OF_NPM },
	{ "npm-shrinkwrap.json", "npm", WORDS("npm", "ci", "--no-audit", "--no-fund"),
	  WORDS("npm", "run", "build"), OF_NPM },
	{ "pnpm-lock.yaml", "pnpm", WORDS("pnpm", "install", "--frozen-lockfile"),
	  WORDS("pnpm", "run", "build"), OF_PNPM },
	{ "yarn.lock", "yarn", WORDS("yarn", "install", "--frozen-lockfile"),
	  WORDS("yarn", "run", "build"), OF_YARN },
	{ NULL, "npm", WORDS("npm", "install", "--no-package-lock", "--no-audit", "--no-fund"),
	  WORDS("npm", "run", "build"), OF_NPM },
};
/* clang-format on */

static bool has_file(const char *folder, const char *name)
{
	char *path = ath_file_join(folder, name);
	bool is_there = ath_file_kind(path) == ATH_FILE_REGULAR;

	free(path);
	return is_there;
}

const struct ath_manager *ath_manager_find(const char *folder)
{
	const struct ath_manager *manager = managers;

	while (manager->lock && !has_file(folder, manager->lock))
		manager++;
	return manager;
}

void ath_manager_put_inputs(const struct ath_step_world *world, const char *dir,
			    struct ath_str *out)
{
	char *node = ath_environ_find_program(world->environment, "node");
	char *folder = ath_file_join(world->root, dir);
	const char *const names[] = { "package.json", ".npmrc", ath_manager_find(folder)->lock };

	/* native modules are made for one node */
	ath_python_put_identity(node ? node : "node", out);
	ath_str_putc(out, '\n');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && names[i]; i++) {
		char *path = ath_file_join(dir, names[i]);

		ath_tree_put_file(world->root, path, out);
		free(path);
	}
	free(folder);
	free(node);
}

const char *ath_manager_find_installed(const struct ath_manager *manager, const char *folder)
{
	for (const char *const *one = manager->installed; *one; one++) {
		if (has_file(folder, *one))
			return *one;
	}
	return NULL;
}

bool ath_manager_init_environment(const struct ath_manager *manager,
				  const struct ath_step_world *world, const char *dir,
				  struct ath_environ *out, struct ath_err *err)
{
	char *program = ath_environ_find_program(world->environment, manager->program);

	if (!program && strcmp(manager->program, "npm") == 0)
		return ath_err_set(err, ATH_ERR_NOT_FOUND,
				   "npm is not on PATH, and the frontend in '%s' needs it", dir);
	if (!program)
		return ath_err_set(err, ATH_ERR_NOT_FOUND,
				   "the frontend in '%s' has a %s, and %s is not on PATH: npm "
				   "install --global %s",
				   dir, manager->lock, manager->program, manager->program);
	free(program);
	ath_environ_copy(out, world->environment);
	return true;
}
