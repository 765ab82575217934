/* SPDX-License-Identifier: MIT */
/* os/environ: the environment that children get. */
#include "os/environ.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* What would make another Python or shell of a child; a trailing '*' stands for any rest. */
static const char *const dropped[] = {
	"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV",     "BASH_ENV",
	"ENV",        "LD_PRELOAD", "LD_LIBRARY_PATH", "GIT_*",
};

static const char *const added[][2] = {
	{ "PIP_NO_INPUT", "1" },
	{ "GIT_TERMINAL_PROMPT", "0" },
	{ "DEBIAN_FRONTEND", "noninteractive" },
	{ "PIP_DISABLE_PIP_VERSION_CHECK", "1" },
};

/* Is `item` ("NAME=value") the variable of that name? */
static bool is_named(const char *item, const char *name, size_t name_len)
{
	return strncmp(item, name, name_len) == 0 && item[name_len] == '=';
}

static bool is_dropped(const char *item)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		size_t len = strlen(dropped[i]);

		if (dropped[i][len - 1] == '*' && strncmp(item, dropped[i], len - 1) == 0)
			return true;
		if (is_named(item, dropped[i], len))
			return true;
	}
	return false;
}

static void append(struct ath_environ *environment, char *owned_item)
{
	environment->items =
		ath_mem_grow(environment->items, environment->len + 2, sizeof(*environment->items));
	environment->items[environment->len++] = owned_item;
	environment->items[environment->len] = NULL;
}

void ath_environ_init(struct ath_environ *environment)
{
	*environment = (struct ath_environ){ 0 };
	for (char **item = environ; item && *item; item++)
		if (strchr(*item, '=') && !is_dropped(*item))
			append(environment, ath_mem_strdup(*item));
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		ath_environ_set(environment, added[i][0], added[i][1]);
}

void ath_environ_fini(struct ath_environ *environment)
{
	for (size_t i = 0; i < environment->len; i++)
		free(environment->items[i]);
	free(environment->items);
	*environment = (struct ath_environ){ 0 };
}

static size_t index_of(const struct ath_environ *environment, const char *name)
{
	size_t i = 0, len = strlen(name);

	while (i < environment->len && !is_named(environment->items[i], name, len))
		i++;
	return i;
}

void ath_environ_set(struct ath_environ *environment, const char *name, const char *value)
{
	size_t at = index_of(environment, name);
	struct ath_str item = { 0 };

	assert(*name && !strchr(name, '='));
	if (at < environment->len)
		free(environment->items[at]);
	if (value) {
		ath_str_printf(&item, "%s=%s", name, value);
		if (at < environment->len)
			environment->items[at] = ath_str_steal(&item);
		else
			append(environment, ath_str_steal(&item));
	} else if (at < environment->len) {
		environment->items[at] = environment->items[--environment->len];
		environment->items[environment->len] = NULL;
	}
}

const char *ath_environ_find(const struct ath_environ *environment, const char *name)
{
	size_t at = index_of(environment, name);

	return at < environment->len ? environment->items[at] + strlen(name) + 1 : NULL;
}

void ath_environ_copy(struct ath_environ *out_copy, const struct ath_environ *from)
{
	*out_copy = (struct ath_environ){ .len = from->len };
	out_copy->items = ath_mem_new(from->len + 1, sizeof(*out_copy->items));
	for (size_t i = 0; i < from->len; i++)
		out_copy->items[i] = ath_mem_strdup(from->items[i]);
}

static bool is_program(const char *path)
{
	struct stat facts;

	return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && access(path, X_OK) == 0;
}

/* `path` made absolute, its links kept: a virtual environment's python is known by its link. */
static char *find_by_path(const char *path)
{
	struct ath_str whole = { 0 };
	char *folder = *path == '/' ? NULL : getcwd(NULL, 0);

	if (folder)
		ath_str_printf(&whole, "%s/", folder);
	free(folder);
	ath_str_puts(&whole, path);
	if (*ath_str_get(&whole) == '/' && is_program(ath_str_get(&whole)))
		return ath_str_steal(&whole);
	ath_str_fini(&whole);
	return NULL;
}

char *ath_environ_find_program(const struct ath_environ *environment, const char *name)
{
	const char *folder = ath_environ_find(environment, "PATH");
	struct ath_str whole = { 0 };

	if (strchr(name, '/'))
		return find_by_path(name);
	while (*name && folder && *folder) {
		size_t len = strcspn(folder, ":");

		ath_str_reset(&whole);
		ath_str_add(&whole, folder, len);
		ath_str_printf(&whole, "/%s", name);
		/* relative entries of PATH mean another program in each folder: passed over */
		if (*folder == '/' && is_program(ath_str_get(&whole)))
			return ath_str_steal(&whole);
		folder += len + (folder[len] == ':');
	}
	ath_str_fini(&whole);
	return NULL;
}
