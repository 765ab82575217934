/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini_file: the sections and settings of an ini file, as Python's ConfigParser reads them.
 *
 * Only ini uses it.
 */
#ifndef ATH_ALEMBIC_INI_FILE_H
#define ATH_ALEMBIC_INI_FILE_H

#include "alembic/setting.h"
#include "base/str.h"
#include "base/vec.h"

struct ath_ini_option {
	const char *section, *name;
	const char *value; /* raw, lines joined by LF */
	unsigned line;
};

struct ath_ini_section {
	const char *name;
	unsigned line;
};

/* An ini file while it is read, and after. Zeroed but for the three that are borrowed. */
struct ath_ini_file {
	ATH_VEC(struct ath_ini_option) options;   /* by section and name */
	ATH_VEC(struct ath_ini_section) sections; /* in the order of the text */
	const struct ath_ini_source *source;
	struct ath_arena *arena;
	struct ath_err *err;
	struct ath_str value; /* of the option that may go on */
	bool is_open;         /* there is one: the last of `options` */
	unsigned indent;      /* of its first line, or of the section's header */
};

/* A part of a text, borrowed. */
struct ath_ini_span {
	const char *at;
	size_t len;
};

/* A text without the blanks at both ends. */
struct ath_ini_span ath_ini_file_strip(const char *at, size_t len);

/*
 * Read the whole source into the file; texts are made in its arena. Fini it in any case.
 * Fails with: ATH_ERR_LIMIT (too long), ATH_ERR_CHAIN (ConfigParser would refuse it).
 */
ATH_NODISCARD bool ath_ini_file_load(struct ath_ini_file *file);

/* Release what the file owns; texts stay in the arena. */
void ath_ini_file_fini(struct ath_ini_file *file);

/* The setting of a section itself, or NULL. */
const struct ath_ini_option *ath_ini_file_find_own(const struct ath_ini_file *file,
						   const char *section, const char *name);

/* The setting of a section, or of DEFAULT, or NULL. */
const struct ath_ini_option *ath_ini_file_find(const struct ath_ini_file *file, const char *section,
					       const char *name);

#endif
