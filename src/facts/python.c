/* SPDX-License-Identifier: MIT */
/* facts/python: the identity of an interpreter, and whether a version meets a specification. */
#include "facts/python.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum {
	PARTS = 4, /* numbers of a version that count */
};

static const char oldest[] = ">=3.8"; /* what the program's own Python code runs with */

/*
 * Neither inode nor change time: both differ after a container was made anew, or a backup was put
 * back, from the very same files.
 */
void ath_python_put_identity(const char *path, struct ath_str *out)
{
	char *real = realpath(path, NULL);
	struct ath_file_stamp stamp;

	if (real && ath_file_stamp(real, &stamp))
		ath_str_printf(out, "%s %" PRIu64 " %" PRId64, real, stamp.size, stamp.mtime_ns);
	else
		ath_str_printf(out, "%s -", path);
	free(real);
}

/* The numbers at `at`; returns how many, and where they end. */
static size_t read_numbers(const char *at, unsigned long numbers[PARTS], const char **out_end)
{
	size_t len = 0;
	char *end;

	while (len < PARTS && *at >= '0' && *at <= '9') {
		numbers[len++] = strtoul(at, &end, 10);
		at = end;
		if (at[0] != '.' || at[1] < '0' || at[1] > '9')
			break;
		at++;
	}
	*out_end = at;
	return len;
}

static int compare(const unsigned long *one, const unsigned long *other, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (one[i] != other[i])
			return one[i] < other[i] ? -1 : 1;
	}
	return 0;
}

/* The operator at `at` without its blanks; moves `at` behind it. */
static const char *read_operator(const char **at)
{
	static const char *const signs[] = { ">=", "<=", "==", "!=", "~=", ">", "<" };

	*at += strspn(*at, " ");
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (!ath_str_has_prefix(*at, signs[i]))
			continue;
		*at += strlen(signs[i]);
		*at += strspn(*at, " ");
		return signs[i];
	}
	return ">=";
}

static bool holds(const char *sign, const unsigned long *have, const unsigned long *want,
		  size_t len)
{
	int order = compare(have, want, len);

	switch (sign[0]) {
	case '=':
		return order == 0;
	case '!':
		return order != 0;
	case '~':
		return order >= 0 && compare(have, want, len > 1 ? len - 1 : len) == 0;
	case '>':
		return order > 0 || (sign[1] && order == 0);
	default:
		return order < 0 || (sign[1] && order == 0);
	}
}

bool ath_python_meets(const char *version, const char *specification)
{
	const char *at = specification ? specification : oldest, *end;
	unsigned long have[PARTS] = { 0 }, want[PARTS];

	if (!read_numbers(version + (*version == 'v'), have, &end))
		return false;
	for (;; at++) {
		const char *sign = read_operator(&at);
		size_t len = read_numbers(at, want, &end);

		at = ath_str_has_prefix(end, ".*") ? end + 2 : end;
		at += strspn(at, " ");
		if (!len || !holds(sign, have, want, len))
			return false;
		if (*at != ',')
			return !*at;
	}
}
