/* SPDX-License-Identifier: MIT */
/*
 * recipe/discover: what a source tree says of itself.
 *
 * Alembic's configuration is found first, level by level, and the levels below the one where it
 * stands are never read. Everything else is looked for beside it and at the few usual places.
 */
#include "recipe/discover.h"

#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "recipe/peek.h"
#include "recipe/secrets.h"
#include "recipe/version.h"
#include "recipe/walk.h"

enum {
	MOST_PLACES = 3, /* folders where Python's files are looked for */
};

/* A configuration of Alembic. */
struct project {
	const char *path;
	struct ath_peek_alembic says;
};

struct search {
	struct ath_recipe *recipe;
	struct ath_err *err;
	ATH_VEC(struct project) projects; /* owned */
	ATH_VEC(const char *) findings;   /* owned */
	struct ath_str text;              /* owned; of the file that is looked at */
	const char *without;              /* an alembic.ini that says nothing of scripts; or NULL */
};

static void fini(struct search *search)
{
	ath_vec_fini(&search->projects);
	ath_vec_fini(&search->findings);
	ath_str_fini(&search->text);
}

static bool has_file(const struct search *search, const char *path)
{
	return ath_peek_is_file(search->recipe->root, path);
}

/* Reads into search->text. */
static bool read_file(struct search *search, const char *path)
{
	return ath_peek_read(search->recipe->root, path, &search->text);
}

/* Findings pass the filter for a terminal: their words come from the project's files. */
static void tell(struct search *search, const char *sentence)
{
	struct ath_str clean = { 0 };

	ath_str_put_clean(&clean, sentence, strlen(sentence));
	*ath_vec_push(&search->findings) =
		ath_arena_strdup(&search->recipe->arena, ath_str_get(&clean));
	ath_str_fini(&clean);
}

#define TELL(search, ...) tell(search, ath_arena_printf(&(search)->recipe->arena, __VA_ARGS__))

/* Move the findings into the recipe. */
static void save_findings(struct search *search)
{
	size_t len = search->findings.len;
	const char **items = ath_arena_new(&search->recipe->arena, len + 1, sizeof(*items));

	if (len)
		memcpy(items, search->findings.items, len * sizeof(*items));
	search->recipe->findings = (struct ath_texts){ items, len };
}

/*
 * Flask-Migrate keeps alembic.ini and env.py in one folder, and states the scripts on its own command
 * line; false if the ini is not one of its.
 */
static bool note_flask(struct search *search, const char *folder, struct ath_peek_alembic *out_says)
{
	if (!has_file(search, ath_walk_join(&search->recipe->arena, folder, "env.py")))
		return false;
	*out_says = (struct ath_peek_alembic){
		.sections = { "alembic" },
		.scripts = { folder },
		.len = 1,
	};
	return true;
}

static void look_for_project(struct search *search, const char *folder)
{
	struct ath_arena *arena = &search->recipe->arena;
	const char *ini = ath_walk_join(arena, folder, "alembic.ini");
	const char *toml = ath_walk_join(arena, folder, "pyproject.toml");
	struct project project = { .path = ini };
	bool has_ini = read_file(search, ini);

	if (has_ini)
		ath_peek_ini(ath_str_get(&search->text), arena, &project.says);
	if (!project.says.len && read_file(search, toml)) {
		project.path = toml;
		ath_peek_pyproject(ath_str_get(&search->text), arena, &project.says);
	}
	if (!project.says.len && has_ini && note_flask(search, folder, &project.says))
		project.path = ini;
	if (project.says.len)
		*ath_vec_push(&search->projects) = project;
	else if (has_ini && !search->without)
		search->without = ini;
}

static bool report_nothing(const struct search *search)
{
	if (search->without)
		return ath_err_set(search->err, ATH_ERR_NOT_FOUND,
				   "'%.200s' does not state script_location, so it is not known "
				   "where its revisions are: add it there",
				   search->without);
	return ath_err_set(search->err, ATH_ERR_NOT_FOUND,
			   "no Alembic project in '%.200s': looked for alembic.ini with "
			   "script_location and for pyproject.toml with [tool.alembic], %d folders "
			   "deep; name another folder, or write athanor.yaml with the key "
			   "database.alembic",
			   search->recipe->root, ATH_DISCOVER_DEPTH);
}

static bool find_projects(struct search *search)
{
	struct ath_recipe *recipe = search->recipe;
	static const char *const root[] = { ".", NULL };
	struct ath_texts level = { root, 1 };
	struct ath_walk walk = { recipe->root, &recipe->arena, ATH_DISCOVER_ENTRIES };

	for (size_t depth = 0;; depth++) {
		for (size_t i = 0; i < level.len; i++)
			look_for_project(search, level.items[i]);
		if (search->projects.len || depth == ATH_DISCOVER_DEPTH)
			return true;
		if (!ath_walk_below(&walk, &level, &level, search->err))
			return false;
	}
}

/* Index of the section to be taken: "alembic", or the only one. */
static bool choose_section(const struct search *search, const struct project *project,
			   size_t *out_idx)
{
	const struct ath_peek_alembic *says = &project->says;

	for (size_t i = 0; i < says->len; i++) {
		if (says->len == 1 || strcmp(says->sections[i], "alembic") == 0) {
			*out_idx = i;
			return true;
		}
	}
	return ath_err_set(search->err, ATH_ERR_RECIPE,
			   "'%.200s' has several sections with scripts, [%.60s] and [%.60s]: write "
			   "athanor.yaml and name one, key database.section",
			   project->path, says->sections[0], says->sections[1]);
}

/* Where the scripts are, for people: %(here)s is the folder of the configuration. */
static const char *shown_scripts(struct ath_arena *arena, const char *path, const char *scripts)
{
	static const char here[] = "%(here)s/";

	if (!ath_str_has_prefix(scripts, here))
		return scripts;
	return ath_walk_join(arena, ath_walk_folder(arena, path), scripts + strlen(here));
}

static bool find_alembic(struct search *search)
{
	struct ath_recipe *recipe = search->recipe;
	const struct project *project;
	size_t idx = 0;

	if (recipe->database.alembic)
		return true;
	if (!find_projects(search))
		return false;
	if (!search->projects.len)
		return report_nothing(search);
	project = &search->projects.items[0];
	if (search->projects.len > 1)
		return ath_err_set(search->err, ATH_ERR_RECIPE,
				   "there are two Alembic projects, '%.200s' and '%.200s': write "
				   "athanor.yaml and name one, key database.alembic",
				   project[0].path, project[1].path);
	if (strcmp(recipe->database.section, "alembic") == 0) {
		if (!choose_section(search, project, &idx))
			return false;
		recipe->database.section = project->says.sections[idx];
		TELL(search, "%s: section [%s], scripts in %s", project->path,
		     project->says.sections[idx],
		     shown_scripts(&recipe->arena, project->path, project->says.scripts[idx]));
	}
	recipe->database.alembic = project->path;
	return true;
}

/* The folder of Alembic's configuration, the one above it, the root; none twice. */
static size_t list_places(struct search *search, const char *places[MOST_PLACES])
{
	struct ath_arena *arena = &search->recipe->arena;
	size_t len = 0;

	places[len++] = ath_walk_folder(arena, search->recipe->database.alembic);
	if (strcmp(places[0], ".") == 0)
		return len;
	places[len++] = ath_walk_folder(arena, places[0]);
	if (strcmp(places[1], ".") != 0)
		places[len++] = ".";
	return len;
}

static bool find_requirements(struct search *search, const char *const *places, size_t len)
{
	static const char *const names[] = { "requirements.txt", "requirements/prod.txt",
					     "requirements/production.txt",
					     "requirements/base.txt" };
	struct ath_recipe *recipe = search->recipe;

	for (size_t name = 0; name < sizeof(names) / sizeof(names[0]); name++) {
		for (size_t i = 0; i < len; i++) {
			const char **files = ath_arena_new(&recipe->arena, 2, sizeof(*files));

			files[0] = ath_walk_join(&recipe->arena, places[i], names[name]);
			if (!has_file(search, files[0]))
				continue;
			recipe->python.requirements = (struct ath_texts){ files, 1 };
			TELL(search, "%s: the Python packages", files[0]);
			return true;
		}
	}
	return false;
}

/*
 * Can the project whose pyproject.toml is in search->text be installed as a package? Without a build
 * system it cannot, for uv and PDM: they install its dependencies only. setuptools would try, and
 * gives up on the first folder beside the package, such as Alembic's own.
 */
static bool is_package(const struct search *search, const char *place)
{
	static const char *const old[] = { "setup.py", "setup.cfg" };
	const char *text = ath_str_get(&search->text);
	struct ath_arena *arena = &search->recipe->arena;

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		if (has_file(search, ath_walk_join(arena, place, old[i])))
			return true;
	}
	return ath_peek_has_table(text, "build-system") || strstr(text, "[tool.setuptools") ||
	       ath_peek_is_folder(search->recipe->root, ath_walk_join(arena, place, "src"));
}

/* Poetry states a project's dependencies in a table of its own, which only its build system reads. */
static bool is_poetry_package(const struct search *search, struct ath_arena *arena)
{
	const char *text = ath_str_get(&search->text);
	const char *mode = ath_peek_value(text, "tool.poetry", "package-mode", arena);

	return ath_peek_has_table(text, "tool.poetry") &&
	       ath_peek_has_table(text, "build-system") &&
	       (!mode || !ath_str_has_prefix(mode, "false"));
}

static void take_dependencies(struct search *search, const char *path)
{
	const char **files = ath_arena_new(&search->recipe->arena, 2, sizeof(*files));

	files[0] = path;
	search->recipe->python.requirements = (struct ath_texts){ files, 1 };
	TELL(search, "%s: the dependencies of a Python project that is not a package", path);
}

static bool find_project(struct search *search, const char *const *places, size_t len)
{
	struct ath_arena *arena = &search->recipe->arena;

	for (size_t i = 0; i < len; i++) {
		const char *path = ath_walk_join(arena, places[i], "pyproject.toml");
		bool is_standard;

		if (!read_file(search, path))
			continue;
		is_standard = ath_peek_has_table(ath_str_get(&search->text), "project");
		if (!is_standard && !is_poetry_package(search, arena))
			continue;
		if (is_standard && !is_package(search, places[i])) {
			take_dependencies(search, path);
			return true;
		}
		search->recipe->python.project = places[i];
		TELL(search, "%s: a Python project, installed with its dependencies", path);
		return true;
	}
	return false;
}

/* The demand on Python's version that the project states, where the recipe states none. */
static void find_version(struct search *search, const char *const *places, size_t len)
{
	struct ath_recipe *recipe = search->recipe;

	for (size_t i = 0; i < len && !recipe->python.version; i++) {
		const char *path = ath_walk_join(&recipe->arena, places[i], "pyproject.toml");
		const char *stated = read_file(search, path)
					     ? ath_peek_value(ath_str_get(&search->text), "project",
							      "requires-python", &recipe->arena)
					     : NULL;

		recipe->python.version = stated ? ath_version_read(stated, &recipe->arena) : NULL;
		if (recipe->python.version)
			TELL(search, "%s: Python %s", path, recipe->python.version);
	}
}

/* A list that the recipe states is kept, an empty one too. */
static void find_python(struct search *search)
{
	const char *places[MOST_PLACES];
	size_t len = list_places(search, places);

	find_version(search, places, len);
	if (search->recipe->python.requirements.items || search->recipe->python.project)
		return;
	if (!find_requirements(search, places, len) && !find_project(search, places, len))
		TELL(search, "no requirements.txt and no pyproject.toml with [project] or of a "
			     "Poetry package: no Python packages are installed");
}

/* 2 for a lock file, 1 for a build script; -1 without package.json. */
static int rate_node(struct search *search, const char *dir)
{
	struct ath_arena *arena = &search->recipe->arena;
	bool has_lock, has_build;

	if (!read_file(search, ath_walk_join(arena, dir, "package.json")))
		return -1;
	has_build = ath_peek_has_build(ath_str_get(&search->text));
	has_lock = has_file(search, ath_walk_join(arena, dir, "package-lock.json")) ||
		   has_file(search, ath_walk_join(arena, dir, "npm-shrinkwrap.json"));
	return 2 * has_lock + has_build;
}

static void find_node(struct search *search)
{
	static const char *const dirs[] = { ".", "frontend", "web", "client", "ui" };
	struct ath_recipe_node *node = &search->recipe->node;
	const char *path;
	int best = -1;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		int rate = rate_node(search, dirs[i]);

		if (rate <= best)
			continue;
		best = rate;
		node->dir = dirs[i];
	}
	if (best < 0)
		return;
	path = ath_walk_join(&search->recipe->arena, node->dir, "package.json");
	node->is_used = best > 0;
	node->has_build = best & 1;
	if (node->is_used)
		TELL(search, "%s: the frontend, %s lock file, %s build script", path,
		     best & 2 ? "with a" : "without", node->has_build ? "a" : "no");
	else
		TELL(search, "%s: neither a lock file nor a build script, so it is not used", path);
	if (!node->is_used)
		node->dir = NULL;
}

static void take_example(struct search *search, const char *folder, const char *path)
{
	struct ath_recipe *recipe = search->recipe;
	struct ath_str names = { 0 };

	recipe->env_file.is_used = true;
	recipe->env_file.from = path;
	recipe->env_file.to = ath_walk_join(&recipe->arena, folder, ".env");
	recipe->env_file.secrets =
		ath_secrets_find(ath_str_get(&search->text), recipe->name, &recipe->arena);
	for (size_t i = 0; i < recipe->env_file.secrets.len; i++)
		ath_str_printf(&names, "%s%s", i ? ", " : "", recipe->env_file.secrets.items[i]);
	TELL(search, "%s: an example of settings; generated: %s", path,
	     names.len ? ath_str_get(&names) : "nothing");
	ath_str_fini(&names);
}

static void find_env_file(struct search *search)
{
	static const char *const names[] = { ".env.example", ".env.sample", ".env.template",
					     "env.example" };
	struct ath_arena *arena = &search->recipe->arena;
	const char *const folders[] = { ".",
					ath_walk_folder(arena, search->recipe->database.alembic) };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		for (size_t name = 0; name < sizeof(names) / sizeof(names[0]); name++) {
			const char *path = ath_walk_join(arena, folders[i], names[name]);

			if (!read_file(search, path))
				continue;
			take_example(search, folders[i], path);
			return;
		}
	}
}

bool ath_discover_recipe(struct ath_recipe *recipe, struct ath_err *err)
{
	struct search search = { .recipe = recipe, .err = err };
	bool is_found = find_alembic(&search);

	if (is_found) {
		find_python(&search);
		find_node(&search);
		find_env_file(&search);
		save_findings(&search);
	}
	fini(&search);
	return is_found;
}

bool ath_discover_missing(struct ath_recipe *recipe, struct ath_err *err)
{
	struct search search = { .recipe = recipe, .err = err };
	bool is_found = find_alembic(&search);

	if (is_found) {
		find_python(&search);
		if (recipe->node.is_used)
			recipe->node.has_build = rate_node(&search, recipe->node.dir) > 0 &&
						 ath_peek_has_build(ath_str_get(&search.text));
		save_findings(&search);
	}
	fini(&search);
	return is_found;
}
