/* SPDX-License-Identifier: MIT */
/* steps/site: what stands in a virtual environment's site-packages. */
#include "steps/site.h"

#include <stdlib.h>
#include <string.h>

#include "facts/python.h"
#include "os/file.h"

/* pip renames to "~name" what it is about to remove. */
static bool note_remains(void *user, const char *name, bool is_folder)
{
	if (is_folder && *name == '~')
		ath_str_printf(user, "%s\n", name);
	return true;
}

static void note_incomplete(const char *venv, struct ath_str *out)
{
	struct ath_str names = { 0 };

	(void)ath_venv_find_incomplete(venv, &names); /* the names say it all */
	for (const char *name = ath_str_get(&names); *name;) {
		size_t len = strcspn(name, "\n");

		ath_str_printf(out, "%.*s.dist-info\n", (int)len, name);
		name += len + (name[len] != '\0');
	}
	ath_str_fini(&names);
}

static bool remove_all(const char *site, const char *names, struct ath_err *err)
{
	bool is_removed = true;

	while (*names && is_removed) {
		size_t len = strcspn(names, "\n");
		struct ath_str path = { 0 };

		ath_str_printf(&path, "%s/%.*s", site, (int)len, names);
		is_removed = ath_file_remove_tree(ath_str_get(&path), err);
		ath_str_fini(&path);
		names += len + (names[len] != '\0');
	}
	return is_removed;
}

bool ath_site_clean(const char *venv, struct ath_str *out_names, struct ath_err *err)
{
	char *site = ath_venv_find_packages(venv);
	struct ath_str names = { 0 };
	bool is_clean = true;

	if (site) {
		is_clean = ath_file_list(site, note_remains, &names, err);
		if (is_clean)
			note_incomplete(venv, &names);
		is_clean = is_clean && remove_all(site, ath_str_get(&names), err);
	}
	if (is_clean)
		ath_str_puts(out_names, ath_str_get(&names));
	ath_str_fini(&names);
	free(site);
	return is_clean;
}

static bool add_to_hash(void *user, const char *name, bool is_folder)
{
	static const char *const ends[] = { ".dist-info", ".egg-link", ".pth" };

	(void)is_folder;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ath_str_has_suffix(name, ends[i]))
			ath_hash_add_text(user, name);
	}
	return true;
}

bool ath_site_hash(const char *venv, char out_text[ATH_HASH_TEXT])
{
	char *site = ath_venv_find_packages(venv);
	struct ath_hash hash = ath_hash_start();
	struct ath_err ignored = { 0 };
	bool is_there = site && ath_file_list(site, add_to_hash, &hash, &ignored);

	if (is_there)
		ath_hash_text(hash, out_text);
	free(site);
	return is_there;
}

bool ath_site_has(const char *venv, const char *name)
{
	char *site = ath_venv_find_packages(venv);
	char *path = site ? ath_file_join(site, name) : NULL;
	bool is_there = path && ath_file_kind(path) != ATH_FILE_ABSENT;

	free(path);
	free(site);
	return is_there;
}
