/* SPDX-License-Identifier: MIT */
/* schema/affinity: the family of a declared type, by SQLite's rules. */
#include "schema/affinity.h"

#include <stddef.h>
#include <string.h>

/* The first word that a type contains decides. */
static const struct {
	const char *word;
	enum ath_affinity affinity;
} rules[] = {
	{ "INT", ATH_AFFINITY_INTEGER }, { "CHAR", ATH_AFFINITY_TEXT },
	{ "CLOB", ATH_AFFINITY_TEXT },   { "TEXT", ATH_AFFINITY_TEXT },
	{ "BLOB", ATH_AFFINITY_BLOB },   { "REAL", ATH_AFFINITY_REAL },
	{ "FLOA", ATH_AFFINITY_REAL },   { "DOUB", ATH_AFFINITY_REAL },
};

enum ath_affinity ath_affinity_of(const char *type)
{
	if (!type || !*type)
		return ATH_AFFINITY_BLOB;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strstr(type, rules[i].word))
			return rules[i].affinity;
	}
	return ATH_AFFINITY_NUMERIC;
}
