/* SPDX-License-Identifier: MIT */
/* steps/includes: requirements files with the files that they name, by a list that grows. */
#include "steps/includes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "steps/tree.h"

enum {
	MOST_FILES = 100,
	FILE_LIMIT = 1 << 20, /* bytes in which includes are looked for */
};

struct list {
	char *paths[MOST_FILES]; /* owned */
	size_t len;
};

/* Takes the path. */
static void add_take(struct list *list, char *path)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->paths[i], path) == 0) {
			free(path);
			return;
		}
	}
	if (list->len < MOST_FILES)
		list->paths[list->len++] = path;
	else
		free(path);
}

/* The file that a line names by -r or -c (owned), or NULL. */
static char *read_line(const char *line, size_t len)
{
	static const char *const options[] = { "--requirement", "--constraint", "-r", "-c" };
	const char *end = line + len;
	char *name;

	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!ath_str_has_prefix(line, options[i]))
			continue;
		line += strlen(options[i]);
		line += strspn(line, " \t=");
		if (line >= end)
			return NULL;
		name = ath_mem_strndup(line, strcspn(line, " \t\r\n"));
		if (*name && !strstr(name, "://") && !strchr(name, '$'))
			return name;
		free(name);
		return NULL;
	}
	return NULL;
}

static void add_includes(struct list *list, const char *root, const char *path)
{
	char *whole = ath_file_join(root, path), *folder = ath_file_parent(path);
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };

	if (ath_file_read(whole, FILE_LIMIT, &text, &ignored)) {
		for (const char *line = ath_str_get(&text); *line;) {
			size_t len = strcspn(line, "\n");
			char *name = read_line(line, len);

			if (name)
				add_take(list, ath_file_join(folder, name));
			free(name);
			line += len + (line[len] != '\0');
		}
	}
	ath_str_fini(&text);
	free(folder);
	free(whole);
}

void ath_includes_put(const char *root, const struct ath_texts *files, struct ath_str *out)
{
	struct list list = { .len = 0 };

	for (size_t i = 0; i < files->len; i++)
		add_take(&list, ath_file_join("", files->items[i]));
	for (size_t i = 0; i < list.len; i++) {
		ath_tree_put_file(root, list.paths[i], out);
		add_includes(&list, root, list.paths[i]);
	}
	for (size_t i = 0; i < list.len; i++)
		free(list.paths[i]);
}
