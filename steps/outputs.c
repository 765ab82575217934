/* SPDX-License-Identifier: MIT */
/*
 * steps/outputs: what a frontend's build reads and what it writes, told apart.
 *
 * A folder with an older file anywhere below is "mixed". The topmost folder above a new file that
 * is not mixed is an output; a new file whose folders are all mixed is taken for a source, so that a
 * file that somebody saved during the build is never left out of account.
 */
#include "steps/outputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "os/file.h"
#include "steps/tree.h"

static const char *const usual[] = { "dist", "build", "out", "coverage", ".next" };

enum {
	USUAL = sizeof(usual) / sizeof(usual[0]),
	MOST_OUTPUTS = 100,
};

/* Does the text have that line? */
static bool has_line(const char *lines, const char *line, size_t len)
{
	while (lines && *lines) {
		size_t line_len = strcspn(lines, "\n");

		if (line_len == len && memcmp(lines, line, len) == 0)
			return true;
		lines += line_len + (lines[line_len] != '\0');
	}
	return false;
}

bool ath_outputs_skip(void *user, const char *path, bool is_folder)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!is_folder)
		return ath_str_has_suffix(name, ".tsbuildinfo");
	if (*name == '.' || strcmp(name, "node_modules") == 0)
		return true;
	for (size_t i = 0; i < USUAL && !slash; i++) {
		if (strcmp(name, usual[i]) == 0)
			return true;
	}
	return has_line(user, path, strlen(path));
}

struct search {
	int64_t since_ns;
	ATH_VEC(char *) changed; /* owned; paths of files, in the order of the walk */
	ATH_VEC(char *) mixed;   /* owned; folders with an older file below, sorted later */
};

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void note_mixed(struct search *search, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);
		size_t count = search->mixed.len;
		const char *last = count ? search->mixed.items[count - 1] : "";

		if (strncmp(last, path, len) != 0 || last[len])
			*ath_vec_push(&search->mixed) = ath_mem_strndup(path, len);
	}
}

static bool skip_usual(void *user, const char *path, bool is_folder)
{
	(void)user;
	return ath_outputs_skip(NULL, path, is_folder);
}

/* The time of the change is the kernel's: a file copied with an old time is new all the same. */
static void note_file(void *user, const char *path, const struct stat *facts)
{
	struct search *search = user;

	if ((int64_t)facts->st_ctim.tv_sec * 1000000000 + facts->st_ctim.tv_nsec >=
	    search->since_ns)
		*ath_vec_push(&search->changed) = ath_mem_strdup(path);
	else
		note_mixed(search, path);
}

/* Length of the topmost folder above a new file that is not mixed, or 0. */
static size_t find_top(const struct search *search, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *folder = ath_mem_strndup(path, (size_t)(slash - path));
		bool is_mixed = search->mixed.len &&
				bsearch(&folder, search->mixed.items, search->mixed.len,
					sizeof(*search->mixed.items), compare);

		free(folder);
		if (!is_mixed)
			return (size_t)(slash - path);
	}
	return 0;
}

static bool is_there(const char *folder, const char *name)
{
	char *path = ath_file_join(folder, name);
	bool is_found = ath_file_kind(path) == ATH_FILE_FOLDER;

	free(path);
	return is_found;
}

void ath_outputs_find(const char *folder, int64_t since_ns, struct ath_str *out)
{
	struct search search = { .since_ns = since_ns };
	const struct ath_tree_form form = { skip_usual, note_file, &search };
	size_t found = 0;

	for (size_t i = 0; i < USUAL; i++) {
		if (is_there(folder, usual[i]))
			ath_str_printf(out, "%s\n", usual[i]);
	}
	ath_tree_walk(folder, &form);
	if (search.mixed.len)
		qsort(search.mixed.items, search.mixed.len, sizeof(*search.mixed.items), compare);
	ath_vec_each (&search.changed, path) {
		size_t len = found < MOST_OUTPUTS ? find_top(&search, *path) : 0;

		if (len && !has_line(ath_str_get(out), *path, len)) {
			ath_str_printf(out, "%.*s\n", (int)len, *path);
			found++;
		}
		free(*path);
	}
	ath_vec_each (&search.mixed, path)
		free(*path);
	ath_vec_fini(&search.mixed);
	ath_vec_fini(&search.changed);
}

bool ath_outputs_find_missing(const char *folder, const char *known, struct ath_str *out)
{
	while (*known) {
		size_t len = strcspn(known, "\n");
		char *name = ath_mem_strndup(known, len);
		bool is_missing = *name && !is_there(folder, name);

		if (is_missing)
			ath_str_puts(out, name);
		free(name);
		if (is_missing)
			return true;
		known += len + (known[len] != '\0');
	}
	return false;
}

bool ath_outputs_has_usual(const char *folder)
{
	for (size_t i = 0; i < USUAL; i++) {
		if (is_there(folder, usual[i]))
			return true;
	}
	return false;
}
