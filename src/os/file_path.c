/* SPDX-License-Identifier: MIT */
/* os/file: paths, taken apart, joined and resolved. */
#include "os/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *ath_file_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ath_mem_strdup(".");
	return slash == path ? ath_mem_strdup("/") : ath_mem_strndup(path, (size_t)(slash - path));
}

char *ath_file_join(const char *folder, const char *path)
{
	struct ath_str whole = { 0 };
	const char *parts[2] = { *path == '/' ? "" : folder, path };

	if (*parts[0] == '/' || *path == '/')
		ath_str_putc(&whole, '/');
	for (size_t i = 0; i < 2; i++) {
		for (const char *at = parts[i]; *at;) {
			size_t len = strcspn(at, "/");

			if (len > 1 || (len == 1 && *at != '.')) {
				if (whole.len && whole.data[whole.len - 1] != '/')
					ath_str_putc(&whole, '/');
				ath_str_add(&whole, at, len);
			}
			at += len + (at[len] == '/');
		}
	}
	if (!whole.len)
		ath_str_putc(&whole, '.');
	return ath_str_steal(&whole);
}

char *ath_file_resolve(const char *path, struct ath_err *err)
{
	char *whole = realpath(path, NULL), *parent, *folder;
	const char *slash = strrchr(path, '/');
	bool has_parent = slash && slash != path;

	if (whole)
		return whole;
	if (errno != ENOENT || (slash && !slash[1])) {
		(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot resolve the path '%s'", path);
		return NULL;
	}
	parent = ath_file_parent(path);
	folder = has_parent ? ath_file_resolve(parent, err) : realpath(parent, NULL);
	if (folder)
		whole = ath_file_join(folder, slash ? slash + 1 : path);
	free(folder);
	free(parent);
	return whole;
}
