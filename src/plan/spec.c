/* SPDX-License-Identifier: MIT */
/* plan/spec: reads the condition of a step. */
#include "plan/spec.h"

#include <string.h>

static bool is_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (!(byte == '_' || byte == '.' || byte == '-' || (byte >= '0' && byte <= '9') ||
		      (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')))
			return false;
	}
	return len > 0;
}

bool ath_spec_read_when(const char *text, struct ath_arena *arena, struct ath_spec_when *out_when)
{
	const char *equals = strchr(text, '=');
	size_t name_len;
	bool is_negated;

	if (!equals)
		return false;
	is_negated = equals > text && equals[-1] == '!';
	name_len = (size_t)(equals - text) - is_negated;
	if (!is_word(text, name_len) || !is_word(equals + 1, strlen(equals + 1)))
		return false;
	out_when->fact = ath_arena_strndup(arena, text, name_len);
	out_when->is_negated = is_negated;
	out_when->value = ath_arena_strdup(arena, equals + 1);
	return true;
}
