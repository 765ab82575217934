/* SPDX-License-Identifier: MIT */
/*
 * recipe/peek: the few facts that discovery takes from a project's own files.
 *
 * These are looks, not parsers: each answers one question and says "no" to whatever it does not
 * understand. Texts may hold anything and end with a NUL.
 */
#ifndef ATH_RECIPE_PEEK_H
#define ATH_RECIPE_PEEK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum {
	ATH_PEEK_BYTES = 1024 * 1024, /* longer files are not looked at */
	ATH_PEEK_SECTIONS = 8,        /* of an ini, with scripts; further ones are not counted */
};

/* What an alembic.ini or the Alembic part of a pyproject.toml says. */
struct ath_peek_alembic {
	const char *sections[ATH_PEEK_SECTIONS]; /* those that state script_location */
	const char *scripts[ATH_PEEK_SECTIONS];  /* its value, as written */
	size_t len;
};

/* Replace `out_text` by a regular file's contents; false if there is no such file to be read. */
bool ath_peek_read(const char *root, const char *path, struct ath_str *out_text);

/* Is there such a regular file? */
bool ath_peek_is_file(const char *root, const char *path);

/* Is there such a folder? */
bool ath_peek_is_folder(const char *root, const char *path);

/* The sections of an ini that state script_location; texts in `arena`. */
void ath_peek_ini(const char *text, struct ath_arena *arena, struct ath_peek_alembic *out_found);

/* The table [tool.alembic] of a pyproject.toml, as one section "alembic". */
void ath_peek_pyproject(const char *text, struct ath_arena *arena,
			struct ath_peek_alembic *out_found);

/* Has the text a line that is the table header `[name]`? */
bool ath_peek_has_table(const char *text, const char *name);

/* The value of `key = value` on a line of the table `[table]`, without quotes; NULL if none. */
const char *ath_peek_value(const char *text, const char *table, const char *key,
			   struct ath_arena *arena);

/* Has a package.json a script named "build"? */
bool ath_peek_has_build(const char *text);

#endif
