/* SPDX-License-Identifier: MIT */
/* facts/target: which database an application's settings name. */
#include "facts/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "facts/url.h"
#include "os/file.h"
#include "recipe/expand.h"

/* The lookup of an expansion, remembering the last name asked for. */
struct lookup {
	const struct ath_environ *environment;
	char *name; /* owned */
	bool is_set;
};

static const char *find_variable(void *user, const char *name)
{
	struct lookup *lookup = user;
	const char *value = ath_environ_find(lookup->environment, name);

	free(lookup->name);
	lookup->name = ath_mem_strdup(name);
	lookup->is_set = value && *value;
	return value;
}

/* Is the text one ${...} and nothing else? */
static bool is_one_variable(const char *written)
{
	const char *end = strchr(written, '}');

	return ath_str_has_prefix(written, "${") && end && !end[1];
}

bool ath_target_expand(const char *written, const struct ath_environ *environment,
		       struct ath_str *out, bool *out_from_variable, struct ath_err *err)
{
	struct lookup lookup = { .environment = environment };
	bool is_done = ath_expand(written, (struct ath_pos){ 0 }, find_variable, &lookup, out, err);

	if (is_done)
		*out_from_variable = is_one_variable(written) && lookup.is_set;
	free(lookup.name);
	return is_done;
}

/* Does `path`, absolute or relative to one of the folders, lead to the live file? */
static bool is_live(const struct ath_target_redirect *redirect, const char *path)
{
	for (size_t i = 0; i < 3; i++) {
		struct ath_err err = { 0 };
		char *joined, *real;
		bool is_same;

		if (!redirect->folders[i])
			continue;
		joined = ath_file_join(redirect->folders[i], path);
		real = ath_file_resolve(joined, &err);
		is_same = real && strcmp(real, redirect->live) == 0;
		free(real);
		free(joined);
		if (is_same)
			return true;
	}
	return false;
}

/* The value that names the clone instead, owned; NULL if the value does not name the live file. */
static char *redirect_value(const struct ath_target_redirect *redirect, const char *value)
{
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };
	struct ath_url url = { 0 };

	if (is_live(redirect, value)) {
		ath_str_puts(&text, redirect->clone);
		return ath_str_steal(&text);
	}
	if (!ath_url_read(value, &url, &err))
		return NULL;
	if (url.path && is_live(redirect, url.path))
		ath_url_put_with_path(value, redirect->clone, &text);
	ath_url_fini(&url);
	return text.len ? ath_str_steal(&text) : NULL;
}

/* The variable that is the recipe's whole URL names the clone even where it is not set. */
static void redirect_written(struct ath_environ *environment,
			     const struct ath_target_redirect *redirect)
{
	struct lookup lookup = { .environment = environment };
	struct ath_str url = { 0 }, to = { 0 };
	struct ath_err err = { 0 };

	if (redirect->written && is_one_variable(redirect->written) &&
	    ath_expand(redirect->written, (struct ath_pos){ 0 }, find_variable, &lookup, &url,
		       &err) &&
	    lookup.name) {
		ath_url_put_with_path(ath_str_get(&url), redirect->clone, &to);
		ath_environ_set(environment, lookup.name, ath_str_get(&to));
	}
	free(lookup.name);
	ath_str_fini(&url);
	ath_str_fini(&to);
}

void ath_target_apply(struct ath_environ *environment, const struct ath_target_redirect *redirect)
{
	struct ath_environ copy;

	ath_environ_copy(&copy, environment);
	for (size_t i = 0; i < copy.len; i++) {
		char *equals = strchr(copy.items[i], '=');
		char *value = equals && equals[1] ? redirect_value(redirect, equals + 1) : NULL;

		if (value) {
			*equals = '\0';
			ath_environ_set(environment, copy.items[i], value);
		}
		free(value);
	}
	ath_environ_fini(&copy);
	redirect_written(environment, redirect);
}

static bool speaks_of_databases(const char *name, size_t len)
{
	static const char *const words[] = { "DB", "DATABASE", "SQL", "DSN", "URL", "URI", "DATA" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (memmem(name, len, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

static bool is_word_byte(char byte)
{
	return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z');
}

/* Does the text name the variable, as a word of its own? */
static bool names_variable(const char *hints, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(hints, name); at; at = strstr(at + 1, name)) {
		if ((at == hints || !is_word_byte(at[-1])) && !is_word_byte(at[len]))
			return true;
	}
	return false;
}

/* Variables that differ between a shell, cron and a service without meaning anything to us. */
static bool is_volatile(const char *name)
{
	static const char *const names[] = { "PATH", "PWD", "OLDPWD", "_", "SHLVL", "TERM" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int compare_texts(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

void ath_target_put_variables(const struct ath_environ *environment, const char *hints,
			      struct ath_str *out)
{
	const char **sorted = ath_mem_new(environment->len, sizeof(*sorted));
	size_t len = 0;

	for (size_t i = 0; i < environment->len; i++) {
		const char *item = environment->items[i];
		size_t name_len = strcspn(item, "=");
		char *name = ath_mem_strndup(item, name_len);

		if (!is_volatile(name) &&
		    (speaks_of_databases(item, name_len) || names_variable(hints, name)))
			sorted[len++] = item;
		free(name);
	}
	if (len)
		qsort(sorted, len, sizeof(*sorted), compare_texts);
	for (size_t i = 0; i < len; i++)
		ath_str_printf(out, "%s\n", sorted[i]);
	free(sorted);
}
