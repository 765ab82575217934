/* SPDX-License-Identifier: MIT */
/*
 * base/field: one row of a configuration table, and the one way from a value tree to a struct.
 *
 * A step type or a recipe section declares its fields once; the check (with line and column), the
 * help and the manual are made from the same rows, so they cannot disagree.
 */
#ifndef ATH_BASE_FIELD_H
#define ATH_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/value.h"

enum ath_field_type {
	ATH_FIELD_TEXT,     /* const char *: any text without control characters */
	ATH_FIELD_PATH,     /* const char *: relative, stays below the application's folder */
	ATH_FIELD_BOOL,     /* bool */
	ATH_FIELD_COUNT,    /* unsigned: 0 to 1000000 */
	ATH_FIELD_DURATION, /* uint64_t milliseconds: "90s", "30m", "2h", "500ms" */
	ATH_FIELD_MODE,     /* unsigned: octal file mode, "0750" */
	ATH_FIELD_TEXTS,    /* struct ath_texts: a list of texts */
	ATH_FIELD_PATHS, /* struct ath_texts: a list of paths as PATH; one path alone is a list of one */
	ATH_FIELD_ARGV,  /* struct ath_texts: an argument vector, at least one item */
	ATH_FIELD_VALUE, /* const struct ath_value *: checked by its owner */
	ATH_FIELD_TYPE_COUNT_
};

/* A list of texts in an arena; `items` ends with a NULL so that it is an argument vector too. */
struct ath_texts {
	const char *const *items;
	size_t len;
};

struct ath_field {
	const char *name; /* key in the recipe; NULL ends a table */
	enum ath_field_type type;
	bool is_required;
	size_t offset;    /* of the member in the configuration struct */
	const char *help; /* one sentence */
};

#define ATH_FIELD_(config, member, kind, required, text)                              \
	{                                                                             \
		.name = #member, .type = ATH_FIELD_##kind, .is_required = (required), \
		.offset = offsetof(struct config, member), .help = (text)             \
	}
#define ATH_FIELD_REQUIRED(config, member, kind, text) ATH_FIELD_(config, member, kind, true, text)
#define ATH_FIELD_OPTIONAL(config, member, kind, text) ATH_FIELD_(config, member, kind, false, text)

/*
 * Fill a zeroed configuration struct from a map by its table.
 *
 * Members that the map does not name stay as they were, so defaults are set before the call.
 * Texts are borrowed from the map; lists are made in `arena`.
 * Fails with: ATH_ERR_RECIPE (unknown key, missing key, wrong type; positioned).
 */
ATH_NODISCARD bool ath_field_bind(const struct ath_field *fields, const struct ath_value *map,
				  const char *what, struct ath_arena *arena, void *config,
				  struct ath_err *err);

/* Is `path` relative, without "..", empty parts or control characters? "." is allowed. */
bool ath_field_is_path(const char *path);

/* Read a duration ("90s", "30m", "2h", "500ms", "10" as seconds); false if it is none. */
bool ath_field_read_duration(const char *text, uint64_t *out_ms);

#endif
