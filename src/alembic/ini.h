/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini: what must be known of an alembic.ini, or of [tool.alembic] in a pyproject.toml,
 * without Python.
 *
 * A first guess for the fast path: a value is what Alembic would read, or it is called "not static"
 * and the bridge has to be asked. The text is given by the caller; no file is opened and no path is
 * resolved.
 */
#ifndef ATH_ALEMBIC_INI_H
#define ATH_ALEMBIC_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "alembic/setting.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"

/*
 * Read the section of that name ("alembic" unless one is named) as Python's ConfigParser does.
 *
 * Fails with: ATH_ERR_LIMIT (over ATH_INI_BYTES_MAX), ATH_ERR_CHAIN (not an ini file to
 * ConfigParser, at the line; holds a NUL byte).
 */
ATH_NODISCARD bool ath_ini_read(const struct ath_ini_source *source, const char *section,
				struct ath_arena *arena, struct ath_ini *out_ini,
				struct ath_err *err);

/*
 * The names of all sections that look like an environment (they have script_location of their
 * own), in the order of the text; "alembic" is among them if it does.
 *
 * Fails as ath_ini_read.
 */
ATH_NODISCARD bool ath_ini_find_environments(const struct ath_ini_source *source,
					     struct ath_arena *arena, struct ath_texts *out_names,
					     struct ath_err *err);

/*
 * Read [tool.alembic] of a pyproject.toml: strings, arrays of strings, true and false; anything
 * else is not static.
 *
 * Fails with: ATH_ERR_LIMIT (over ATH_INI_BYTES_MAX), ATH_ERR_CHAIN (not understood as TOML, at the
 * line; holds a NUL byte).
 */
ATH_NODISCARD bool ath_ini_read_toml(const struct ath_ini_source *source, struct ath_arena *arena,
				     struct ath_ini *out_ini, struct ath_err *err);

#endif
