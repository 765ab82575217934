/* SPDX-License-Identifier: MIT */
/*
 * recipe/recipe: what is to be installed, as plain structs that keep their positions.
 *
 * Made by recipe/check from athanor.yaml or by recipe/discover from what a source tree says of
 * itself; const afterwards, in one arena. All paths are relative to the application's folder.
 */
#ifndef ATH_RECIPE_RECIPE_H
#define ATH_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/field.h"
#include "plan/spec.h"

/* `python:` */
struct ath_recipe_python {
	const char *version;           /* such as ">=3.11,<3.14"; NULL: any from 3.8 */
	const char *venv;              /* folder of the virtual environment */
	struct ath_texts requirements; /* files for pip install -r */
	const char *project; /* folder with the pyproject.toml to install editable; or NULL */
};

/* `node:` */
struct ath_recipe_node {
	bool is_used;
	const char *version; /* such as ">=18"; NULL: any */
	const char *dir;     /* folder with package.json */
	bool has_build;      /* package.json has a "build" script */
};

/* `env_file:` */
struct ath_recipe_env_file {
	bool is_used;
	const char *from; /* example to copy; NULL: start empty */
	const char *to;
	struct ath_texts secrets; /* names whose values are generated */
};

enum {
	ATH_RECIPE_KEEP = 5, /* backups that are kept unless it is said */
};

/* `database:` */
struct ath_recipe_database {
	const char *alembic; /* path of alembic.ini or pyproject.toml */
	const char *section; /* of the ini; "alembic" unless stated */
	const char *url;     /* as written, with ${...}; NULL: env.py is asked */
	struct ath_pos url_pos;
	struct ath_texts init_run; /* len 0: the default way */
	const char *init_in;       /* folder in which it runs */
	uint64_t timeout_ms;       /* of each step that runs the project's scripts; 0: none */
	unsigned keep;             /* backups of different states, at least 1 */
	bool online;               /* the application goes on using it during an upgrade */
};

/* One entry of `steps:` */
struct ath_recipe_step {
	const char *name;
	struct ath_pos pos;
	struct ath_texts run;
	const char *in;
	struct ath_texts needs;
	bool has_needs;
	struct ath_texts creates; /* paths whose existence proves the effect */
	struct ath_texts inputs;  /* paths whose contents decide whether it runs again */
	struct ath_texts check;   /* argument vector: exit 0 proves the effect */
	struct ath_spec_when when;
	bool optional;
	bool always;
	uint64_t timeout_ms;
	unsigned retries;
};

struct ath_recipe {
	struct ath_arena arena; /* owns everything below */
	const char *root;       /* absolute path of the application's folder */
	const char *path;       /* absolute path of athanor.yaml, or NULL if it was discovered */
	const char *name;
	struct ath_recipe_python python;
	struct ath_recipe_node node;
	struct ath_recipe_env_file env_file;
	struct ath_texts directories;
	struct ath_recipe_database database;
	const struct ath_recipe_step *steps;
	size_t steps_len;
	struct ath_texts service_exec; /* len 0: no service */
	const char *service_user;
	const char *health_url; /* as written; NULL: no health check */
	uint64_t health_within_ms;
	struct ath_texts findings; /* one sentence for people per thing that discovery found */
};

/*
 * The recipe of an application's folder: athanor.yaml if it is there, else what is found.
 *
 * `root` is absolute. `out_text` receives the recipe's text (for the caret of an error), also on
 * failure; it stays empty without athanor.yaml.
 * Fails with: ATH_ERR_RECIPE (positioned), ATH_ERR_NOT_FOUND (neither recipe nor Alembic project),
 * ATH_ERR_LIMIT, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_recipe_load(const char *root, struct ath_recipe *out_recipe,
				   struct ath_str *out_text, struct ath_err *err);

/* Release; zeroed afterwards. Accepts a zeroed object. */
void ath_recipe_fini(struct ath_recipe *recipe);

#endif
