/* SPDX-License-Identifier: MIT */
/* base/pairs: a small set of names with text values. */
#include "base/pairs.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

void ath_pairs_fini(struct ath_pairs *pairs)
{
	ath_vec_each (pairs, one) {
		free(one->name);
		free(one->value);
	}
	ath_vec_fini(pairs);
}

static struct ath_pair *find(const struct ath_pairs *pairs, const char *name)
{
	ath_vec_each (pairs, one) {
		if (strcmp(one->name, name) == 0)
			return one;
	}
	return NULL;
}

static void remove_pair(struct ath_pairs *pairs, struct ath_pair *pair)
{
	size_t after = (size_t)(pairs->items + pairs->len - (pair + 1));

	free(pair->name);
	free(pair->value);
	memmove(pair, pair + 1, after * sizeof(*pair));
	pairs->len--;
}

void ath_pairs_set(struct ath_pairs *pairs, const char *name, const char *value)
{
	struct ath_pair *pair = find(pairs, name);
	char *copy;

	if (!value) {
		if (pair)
			remove_pair(pairs, pair);
		return;
	}
	copy = ath_mem_strdup(value);
	if (pair) {
		free(pair->value);
		pair->value = copy;
		return;
	}
	*ath_vec_push(pairs) = (struct ath_pair){ ath_mem_strdup(name), copy };
}

void ath_pairs_setf(struct ath_pairs *pairs, const char *name, const char *format, ...)
{
	struct ath_str text = { 0 };
	va_list args;

	va_start(args, format);
	ath_str_vprintf(&text, format, args);
	va_end(args);
	ath_pairs_set(pairs, name, ath_str_get(&text));
	ath_str_fini(&text);
}

const char *ath_pairs_find(const struct ath_pairs *pairs, const char *name)
{
	const struct ath_pair *pair = find(pairs, name);

	return pair ? pair->value : NULL;
}

const char *ath_pairs_get(const struct ath_pairs *pairs, const char *name)
{
	const char *value = ath_pairs_find(pairs, name);

	return value ? value : "";
}

void ath_pairs_write(const struct ath_pairs *pairs, struct ath_str *out)
{
	ath_vec_each (pairs, one) {
		ath_str_puts(out, one->name);
		ath_str_putc(out, '=');
		for (const char *at = one->value; *at; at++) {
			if (*at == '\\')
				ath_str_puts(out, "\\\\");
			else if (*at == '\n')
				ath_str_puts(out, "\\n");
			else if (*at == '\r')
				ath_str_puts(out, "\\r");
			else
				ath_str_putc(out, *at);
		}
		ath_str_putc(out, '\n');
	}
}

static void read_line(struct ath_pairs *pairs, const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len);
	struct ath_str value = { 0 };
	char *name;

	if (!equals)
		return;
	name = ath_mem_strndup(line, (size_t)(equals - line));
	for (const char *at = equals + 1; at < line + len; at++) {
		if (*at == '\\' && at + 1 < line + len) {
			at++;
			ath_str_putc(&value, *at == 'n' ? '\n' : *at == 'r' ? '\r' : *at);
		} else {
			ath_str_putc(&value, *at);
		}
	}
	ath_pairs_set(pairs, name, ath_str_get(&value));
	ath_str_fini(&value);
	free(name);
}

void ath_pairs_read(struct ath_pairs *pairs, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		read_line(pairs, text, len);
		text += len + (text[len] == '\n');
	}
}
