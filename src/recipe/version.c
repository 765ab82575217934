/* SPDX-License-Identifier: MIT */
/* recipe/version: the syntax of a demand on a version. */
#include "recipe/version.h"

#include <string.h>

#include "base/str.h"

enum {
	MOST_PARTS = 4,  /* numbers in a version */
	MOST_DIGITS = 6, /* in one number */
};

static const char *const operators[] = { ">=", "<=", "==", "!=", "~=", ">", "<" };

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " ");
}

/* The operator at `at`, or "" for a number alone. */
static const char *sign_at(const char *at)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (ath_str_has_prefix(at, operators[i]))
			return operators[i];
	}
	return "";
}

/* Behind the number at `at`, or NULL. */
static const char *skip_number(const char *at)
{
	size_t digits = strspn(at, "0123456789");

	return digits && digits <= MOST_DIGITS ? at + digits : NULL;
}

/* Behind the version at `at`, or NULL. */
static const char *skip_version(const char *at, bool takes_star, size_t *out_parts)
{
	size_t parts = 1;

	at = skip_number(at);
	while (at && *at == '.' && at[1] != '*') {
		at = ++parts <= MOST_PARTS ? skip_number(at + 1) : NULL;
	}
	if (at && at[0] == '.')
		at = takes_star ? at + 2 : NULL;
	*out_parts = parts;
	return at;
}

/* Append the clause at `at`; returns what stands behind it, or NULL. */
static const char *read_clause(const char *at, struct ath_str *out)
{
	const char *sign = sign_at(at), *version = skip_blanks(at + strlen(sign));
	bool takes_star = strcmp(sign, "==") == 0 || strcmp(sign, "!=") == 0;
	size_t parts;
	const char *end = skip_version(version, takes_star, &parts);

	if (!end || (strcmp(sign, "~=") == 0 && parts < 2))
		return NULL;
	ath_str_puts(out, *sign ? sign : ">=");
	ath_str_add(out, version, (size_t)(end - version));
	return skip_blanks(end);
}

const char *ath_version_read(const char *text, struct ath_arena *arena)
{
	struct ath_str out = { 0 };
	const char *at = read_clause(skip_blanks(text), &out);
	char *demand = NULL;

	while (at && *at == ',') {
		ath_str_putc(&out, ',');
		at = read_clause(skip_blanks(at + 1), &out);
	}
	if (at && !*at)
		demand = ath_arena_strdup(arena, ath_str_get(&out));
	ath_str_fini(&out);
	return demand;
}
