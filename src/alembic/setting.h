/* SPDX-License-Identifier: MIT */
/*
 * alembic/setting: what one section of a configuration file says, as plain structs: the result of
 * alembic/ini.
 */
#ifndef ATH_ALEMBIC_SETTING_H
#define ATH_ALEMBIC_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/field.h"

enum {
	ATH_INI_BYTES_MAX = 1 << 20, /* a longer text is refused */
};

enum ath_ini_key {
	ATH_INI_SCRIPT_LOCATION,             /* text */
	ATH_INI_VERSION_LOCATIONS,           /* texts, split as Alembic would */
	ATH_INI_PREPEND_SYS_PATH,            /* texts, split as Alembic would */
	ATH_INI_PATH_SEPARATOR,              /* text: the key path_separator */
	ATH_INI_VERSION_PATH_SEPARATOR,      /* text: the older key version_path_separator */
	ATH_INI_RECURSIVE_VERSION_LOCATIONS, /* text: "true" or "false" */
	ATH_INI_SOURCELESS,                  /* text: "true" or "false" */
	ATH_INI_URL, /* text: sqlalchemy.url, to report only; may hold a password */
	ATH_INI_KEY_COUNT_
};

enum ath_ini_state {
	ATH_INI_ABSENT,
	ATH_INI_VALUE,
	ATH_INI_NOT_STATIC,
	ATH_INI_STATE_COUNT_
};

struct ath_ini_field {
	enum ath_ini_state state;
	const char *text;       /* VALUE of a text; interpolated; in the arena */
	struct ath_texts texts; /* VALUE of a list of texts; in the arena */
	const char *reason;     /* NOT_STATIC: why, for people; static text */
	unsigned line;          /* of the key, from 1; 0: ABSENT */
};

/* What one section says. */
struct ath_ini {
	bool has_section; /* false: all fields are absent (an ini's DEFAULT alone makes no section) */
	struct ath_ini_field fields[ATH_INI_KEY_COUNT_]; /* by enum ath_ini_key */
};

/* A configuration text, all borrowed. */
struct ath_ini_source {
	const char *name; /* for messages */
	const char *text;
	size_t len;
	const char *here; /* its folder, for %(here)s; NULL: values with %(here)s are not static */
};

/* The name of a key as the file writes it: "script_location". Static text. */
const char *ath_ini_key_name(enum ath_ini_key key);

#endif
