/* SPDX-License-Identifier: MIT */
/*
 * recipe/graph: the default graph as a table, joined with the recipe's own steps.
 *
 *	preflight --+-- directories, env_file ----------------+
 *	            +-- venv -- requirements -----------------+-- detect --+
 *	            +-- node -- build ------------------------------------+-- quiesce --+
 *	  database.work=init:     quiesce -- init ---------------------------+-- commit -- verify
 *	  database.work=upgrade:  quiesce -- backup -- repair -- migrate ----+
 *	  verify and the own steps -- service -- health
 *
 * `service` waits for every own step that does not itself wait, over any number of steps, for
 * `service` or `health`; which those are is asked of plan/graph.
 */
#include "recipe/graph.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "plan/graph.h"

enum {
	MOST_NEEDS = 5,            /* of a default step, with the NULL */
	NETWORK_TIMEOUT = 3600000, /* ms: an hour */
	NETWORK_RETRIES = 2,
};

/* Fills the configuration of a step. */
typedef void config_fn(const struct ath_recipe *recipe, struct ath_arena *arena,
		       struct ath_value *map);

/* Why the step never runs, or NULL. */
typedef const char *skip_fn(const struct ath_recipe *recipe);

struct row {
	const char *name; /* of the step and of its type */
	const char *needs[MOST_NEEDS];
	config_fn *fill;
	skip_fn *skip;
	const char *section;
	struct ath_spec_when when;
	uint64_t timeout_ms;
	unsigned retries;
	bool runs_scripts; /* of the project's migrations: database.timeout is its time limit */
};

static void put_texts(struct ath_arena *arena, struct ath_value *map, const char *key,
		      const struct ath_texts *texts)
{
	struct ath_value *list;

	if (!texts->len)
		return;
	list = ath_value_put_list(arena, map, key);
	for (size_t i = 0; i < texts->len; i++)
		ath_value_add_text(arena, list, texts->items[i]);
}

static const char *env_file_of(const struct ath_recipe *recipe)
{
	return recipe->env_file.is_used ? recipe->env_file.to : NULL;
}

static void fill_preflight(const struct ath_recipe *recipe, struct ath_arena *arena,
			   struct ath_value *map)
{
	struct ath_value *folders;

	ath_value_put_text(arena, map, "python_version", recipe->python.version);
	ath_value_put_text(arena, map, "node_version", recipe->node.version);
	ath_value_put_text(arena, map, "wants_node", recipe->node.is_used ? "true" : "false");
	ath_value_put_text(arena, map, "venv", recipe->python.venv);
	folders = ath_value_put_list(arena, map, "folders");
	ath_value_add_text(arena, folders, ".");
	for (size_t i = 0; i < recipe->directories.len; i++)
		ath_value_add_text(arena, folders, recipe->directories.items[i]);
}

static void fill_directories(const struct ath_recipe *recipe, struct ath_arena *arena,
			     struct ath_value *map)
{
	put_texts(arena, map, "paths", &recipe->directories);
}

static const char *skip_directories(const struct ath_recipe *recipe)
{
	return recipe->directories.len ? NULL : "none are named";
}

static void fill_env_file(const struct ath_recipe *recipe, struct ath_arena *arena,
			  struct ath_value *map)
{
	ath_value_put_text(arena, map, "from", recipe->env_file.from);
	ath_value_put_text(arena, map, "to", recipe->env_file.to);
	put_texts(arena, map, "secrets", &recipe->env_file.secrets);
}

static const char *skip_env_file(const struct ath_recipe *recipe)
{
	return recipe->env_file.is_used ? NULL : "none is named";
}

static void fill_venv(const struct ath_recipe *recipe, struct ath_arena *arena,
		      struct ath_value *map)
{
	ath_value_put_text(arena, map, "path", recipe->python.venv);
	ath_value_put_text(arena, map, "version", recipe->python.version);
}

static void fill_requirements(const struct ath_recipe *recipe, struct ath_arena *arena,
			      struct ath_value *map)
{
	ath_value_put_text(arena, map, "venv", recipe->python.venv);
	put_texts(arena, map, "files", &recipe->python.requirements);
	ath_value_put_text(arena, map, "project", recipe->python.project);
}

static const char *skip_requirements(const struct ath_recipe *recipe)
{
	return recipe->python.requirements.len || recipe->python.project ? NULL : "none are named";
}

static void fill_node(const struct ath_recipe *recipe, struct ath_arena *arena,
		      struct ath_value *map)
{
	ath_value_put_text(arena, map, "dir", recipe->node.dir);
}

static const char *skip_node(const struct ath_recipe *recipe)
{
	return recipe->node.is_used ? NULL : "no frontend";
}

static const char *skip_build(const struct ath_recipe *recipe)
{
	if (recipe->node.is_used && !recipe->node.has_build)
		return "package.json has no build script";
	return skip_node(recipe);
}

static void fill_database(const struct ath_recipe *recipe, struct ath_arena *arena,
			  struct ath_value *map)
{
	const struct ath_recipe_database *database = &recipe->database;

	ath_value_put_text(arena, map, "alembic", database->alembic);
	ath_value_put_text(arena, map, "section", database->section);
	ath_value_put_text(arena, map, "url", database->url);
	ath_value_put_text(arena, map, "venv", recipe->python.venv);
	ath_value_put_text(arena, map, "env_file", env_file_of(recipe));
	put_texts(arena, map, "init_run", &database->init_run);
	ath_value_put_text(arena, map, "init_in", database->init_in);
}

static void fill_service(const struct ath_recipe *recipe, struct ath_arena *arena,
			 struct ath_value *map)
{
	put_texts(arena, map, "exec", &recipe->service_exec);
	ath_value_put_text(arena, map, "user", recipe->service_user);
}

static const char *skip_service(const struct ath_recipe *recipe)
{
	if (!recipe->service_exec.len)
		return "no service is configured";
	if (access("/run/systemd/system", F_OK) != 0)
		return "there is no service manager here";
	return "services are not managed yet: start it by the command of `service:`";
}

static void fill_health(const struct ath_recipe *recipe, struct ath_arena *arena,
			struct ath_value *map)
{
	ath_value_put_text(arena, map, "url", recipe->health_url);
	ath_value_put_text(
		arena, map, "within",
		ath_arena_printf(arena, "%llums", (unsigned long long)recipe->health_within_ms));
	ath_value_put_text(arena, map, "env_file", env_file_of(recipe));
}

static const char *skip_health(const struct ath_recipe *recipe)
{
	return recipe->health_url ? skip_service(recipe) : "no address is configured";
}

/* Conditions over the fact that `detect` sets (steps/database.h). */
#define WORK_IS(work)                         \
	{                                     \
		"database.work", false, #work \
	}
#define WORK_IS_NOT(work)                    \
	{                                    \
		"database.work", true, #work \
	}
#define NETWORK .timeout_ms = NETWORK_TIMEOUT, .retries = NETWORK_RETRIES
#define SCRIPTS .runs_scripts = true

/* clang-format off */
static const struct row rows[] = {
	{ "preflight", { NULL }, fill_preflight },
	{ "directories", { "preflight" }, fill_directories, skip_directories },
	{ "env_file", { "preflight" }, fill_env_file, skip_env_file },
	{ "venv", { "preflight" }, fill_venv },
	{ "requirements", { "venv" }, fill_requirements, skip_requirements, NETWORK },
	{ "node", { "preflight" }, fill_node, skip_node, NETWORK },
	{ "build", { "node" }, fill_node, skip_build },
	{ "detect", { "requirements", "env_file", "directories" }, fill_database, SCRIPTS },
	{ "quiesce", { "detect", "requirements", "build" }, fill_service, skip_service },
	{ "init", { "quiesce" }, fill_database, NULL, "database", WORK_IS(init), SCRIPTS },
	{ "backup", { "quiesce" }, fill_database, NULL, "database", WORK_IS(upgrade) },
	{ "repair", { "backup" }, fill_database, NULL, "database", WORK_IS(upgrade), SCRIPTS },
	{ "migrate", { "repair" }, fill_database, NULL, "database", WORK_IS(upgrade), SCRIPTS },
	{ "commit", { "init", "migrate" }, fill_database, NULL, "database", WORK_IS_NOT(none) },
	{ "verify", { "commit" }, fill_database },
	{ "service", { "verify" }, fill_service, skip_service },
	{ "health", { "service" }, fill_health, skip_health },
};
/* clang-format on */

enum {
	ROWS = sizeof(rows) / sizeof(rows[0]),
};

const char *ath_recipe_graph_default(size_t idx)
{
	return idx < ROWS ? rows[idx].name : NULL;
}

bool ath_recipe_graph_can_be_needed(const char *name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return !rows[i].section || strcmp(name, "commit") == 0;
	}
	return true;
}

static struct ath_texts row_needs(const struct row *row)
{
	size_t len = 0;

	while (row->needs[len])
		len++;
	return (struct ath_texts){ row->needs, len };
}

static void make_default(const struct ath_recipe *recipe, const struct row *row,
			 struct ath_arena *arena, struct ath_spec_step *out_step)
{
	struct ath_value *config = ath_value_new_map(arena);

	row->fill(recipe, arena, config);
	*out_step = (struct ath_spec_step){
		.name = row->name,
		.type = row->name,
		.needs = row_needs(row),
		.section = row->section,
		.when = row->when,
		.skip_reason = row->skip ? row->skip(recipe) : NULL,
		.timeout_ms = row->runs_scripts ? recipe->database.timeout_ms : row->timeout_ms,
		.retries = row->retries,
		.config = config,
	};
}

/* Does a command run with the application's own Python? */
static bool wants_environment(const struct ath_recipe *recipe, const char *command)
{
	size_t len = strlen(recipe->python.venv);

	if (ath_str_has_prefix(command, "./"))
		command += 2;
	return strcmp(command, "python") == 0 || strcmp(command, "pip") == 0 ||
	       (strncmp(command, recipe->python.venv, len) == 0 && command[len] == '/');
}

static struct ath_texts own_needs(const struct ath_recipe *recipe,
				  const struct ath_recipe_step *own)
{
	static const char *const requirements[] = { "requirements", NULL };
	static const char *const preflight[] = { "preflight", NULL };

	if (own->has_needs)
		return own->needs;
	return (struct ath_texts){ wants_environment(recipe, own->run.items[0]) ? requirements
										: preflight,
				   1 };
}

static void make_own(const struct ath_recipe *recipe, const struct ath_recipe_step *own,
		     struct ath_arena *arena, struct ath_spec_step *out_step)
{
	struct ath_value *config = ath_value_new_map(arena);

	put_texts(arena, config, "run", &own->run);
	ath_value_put_text(arena, config, "in", own->in);
	put_texts(arena, config, "creates", &own->creates);
	put_texts(arena, config, "inputs", &own->inputs);
	put_texts(arena, config, "check", &own->check);
	ath_value_put_text(arena, config, "venv", recipe->python.venv);
	ath_value_put_text(arena, config, "env_file", env_file_of(recipe));
	*out_step = (struct ath_spec_step){
		.name = own->name,
		.type = "command",
		.needs = own_needs(recipe, own),
		.when = own->when,
		.is_optional = own->optional,
		.is_always = own->always,
		.is_own = true,
		.timeout_ms = own->timeout_ms,
		.retries = own->retries,
		.config = config,
		.pos = own->pos,
	};
}

/* Mark the step and all that wait for it, over any number of steps. */
static void mark_waiting(const struct ath_graph *graph, size_t start, bool *marks)
{
	size_t *queue = ath_mem_new(graph->len, sizeof(*queue)), len = 0;

	marks[start] = true;
	queue[len++] = start;
	for (size_t done = 0; done < len; done++) {
		const struct ath_graph_node *node = &graph->nodes[queue[done]];

		for (size_t i = 0; i < node->wanted_len; i++) {
			if (marks[node->wanted_by[i]])
				continue;
			marks[node->wanted_by[i]] = true;
			queue[len++] = node->wanted_by[i];
		}
	}
	free(queue);
}

/* Without a graph (a need that does not exist, a cycle) nothing is added: plan/graph says why. */
static void let_service_wait(struct ath_spec_step *steps, size_t len, struct ath_arena *arena)
{
	const struct ath_spec spec = { steps, len };
	size_t service = ath_graph_find(&spec, "service"), count = 0;
	bool *waits = ath_mem_new(len, sizeof(*waits));
	const char **needs = ath_arena_new(arena, len + 1, sizeof(*needs));
	struct ath_err ignored = { 0 };
	struct ath_arena own = { 0 };
	struct ath_graph graph;

	if (ath_graph_build(&spec, &own, &graph, &ignored)) {
		mark_waiting(&graph, service, waits); /* health waits for service, so it is in */
		needs[count++] = "verify";
		for (size_t i = ROWS; i < len; i++) {
			if (!waits[i])
				needs[count++] = steps[i].name;
		}
		steps[service].needs = (struct ath_texts){ needs, count };
	}
	ath_arena_fini(&own);
	free(waits);
}

void ath_recipe_graph(const struct ath_recipe *recipe, struct ath_arena *arena,
		      struct ath_spec *out_spec)
{
	size_t len = ROWS + recipe->steps_len;
	struct ath_spec_step *steps = ath_arena_new(arena, len, sizeof(*steps));

	for (size_t i = 0; i < ROWS; i++)
		make_default(recipe, &rows[i], arena, &steps[i]);
	for (size_t i = 0; i < recipe->steps_len; i++)
		make_own(recipe, &recipe->steps[i], arena, &steps[ROWS + i]);
	let_service_wait(steps, len, arena);
	*out_spec = (struct ath_spec){ steps, len };
}
