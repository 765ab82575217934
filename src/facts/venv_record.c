/* SPDX-License-Identifier: MIT */
/*
 * facts/python: distributions whose files are not all there.
 *
 * A RECORD is a table of comma-separated values (PEP 376, PEP 627): path relative to site-packages,
 * hash, size; a path with a comma or a quote stands in double quotes.
 */
#include "facts/python.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"

enum {
	RECORD_LIMIT = 64 << 20, /* bytes */
};

struct search {
	const char *site;    /* borrowed */
	struct ath_str *out; /* borrowed */
	struct ath_str cell; /* owned; a path of RECORD */
	size_t found;
};

/* Read the cell at `at` into `cell`; returns what follows it. */
static const char *read_cell(const char *at, struct ath_str *cell)
{
	ath_str_reset(cell);
	if (*at != '"') {
		size_t len = strcspn(at, ",\r\n");

		ath_str_add(cell, at, len);
		return at + len;
	}
	for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
		ath_str_putc(cell, *at);
		at += *at == '"';
	}
	return at + (*at == '"');
}

/* The size that stands behind the path and the hash, or 0. */
static unsigned long long read_size(const char *at)
{
	const char *end = at + strcspn(at, "\n");
	const char *comma = memrchr(at, ',', (size_t)(end - at));

	return comma && comma > at ? strtoull(comma + 1, NULL, 10) : 0;
}

static bool is_there(const char *site, const char *path, unsigned long long size)
{
	char *whole = ath_file_join(site, path);
	struct stat facts;
	bool is_good = lstat(whole, &facts) == 0 && (facts.st_size || !size);

	free(whole);
	return is_good;
}

/* Compiled code comes and goes; virtualenv lists the folders for it before they are there. */
static bool is_compiled(const char *path)
{
	return ath_str_has_suffix(path, ".pyc") || strstr(path, "__pycache__");
}

static bool has_all_files(struct search *search, const char *record)
{
	while (*record) {
		const char *rest = read_cell(record, &search->cell);
		const char *path = ath_str_get(&search->cell);

		if (*path && !is_compiled(path) && !is_there(search->site, path, read_size(rest)))
			return false;
		record = rest + strcspn(rest, "\n");
		record += *record == '\n';
	}
	return true;
}

static bool look_at_one(void *user, const char *name, bool is_folder)
{
	static const char suffix[] = ".dist-info";
	struct search *search = user;
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };
	char *folder, *record;

	if (!is_folder || *name == '~' || !ath_str_has_suffix(name, suffix))
		return true;
	folder = ath_file_join(search->site, name);
	record = ath_file_join(folder, "RECORD");
	if (!ath_file_read(record, RECORD_LIMIT, &text, &ignored) ||
	    !has_all_files(search, ath_str_get(&text))) {
		ath_str_add(search->out, name, strlen(name) - strlen(suffix));
		ath_str_putc(search->out, '\n');
		search->found++;
	}
	ath_str_fini(&text);
	free(record);
	free(folder);
	return true;
}

size_t ath_venv_find_incomplete(const char *path, struct ath_str *out_names)
{
	char *site = ath_venv_find_packages(path);
	struct search search = { .site = site, .out = out_names };
	struct ath_err ignored = { 0 };

	if (site && !ath_file_list(site, look_at_one, &search, &ignored))
		ath_err_clear(&ignored); /* then none is named */
	ath_str_fini(&search.cell);
	free(site);
	return search.found;
}
