/* SPDX-License-Identifier: MIT */
/* facts/url: database URLs in SQLAlchemy's form. */
#include "facts/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Where the parts of a URL begin; pointers into the text. */
struct parts {
	size_t scheme_len;
	const char *rest;  /* behind "://" */
	const char *query; /* at '?', or at the end */
};

static bool split(const char *text, struct parts *out)
{
	const char *colon = strstr(text, "://");

	if (!colon || colon == text)
		return false;
	out->scheme_len = (size_t)(colon - text);
	for (const char *at = text; at < colon; at++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-",
			    *at))
			return false;
	}
	out->rest = colon + 3;
	out->query = out->rest + strcspn(out->rest, "?");
	return true;
}

/* Is what stands behind the slash a URI for SQLite itself? */
static bool is_file_uri(const struct parts *parts)
{
	return ath_str_has_prefix(parts->rest, "/file:") && strstr(parts->query, "uri=true");
}

/* The file of a SQLite URL: what stands behind the slash after the (empty) host. */
static void read_path(const struct parts *parts, struct ath_url *out)
{
	const char *path = parts->rest + (*parts->rest == '/');
	size_t len;

	if (is_file_uri(parts)) {
		path += strlen("file:");
		path += ath_str_has_prefix(path, "///") ? 2 : 0;
	}
	len = (size_t)(parts->query - path);
	out->is_memory = !len || (len == 8 && strncmp(path, ":memory:", len) == 0) ||
			 strstr(parts->query, "mode=memory");
	if (!out->is_memory)
		out->path = ath_mem_strndup(path, len);
}

bool ath_url_read(const char *text, struct ath_url *out, struct ath_err *err)
{
	struct ath_url url = { 0 };
	struct parts parts;
	size_t len;

	if (!split(text, &parts))
		return ath_err_set(err, ATH_ERR_RECIPE,
				   "the database URL is not of the form dialect://...");
	for (len = 0; len < parts.scheme_len && text[len] != '+'; len++)
		;
	snprintf(url.dialect, sizeof(url.dialect), "%.*s", (int)len, text);
	url.is_sqlite = strcmp(url.dialect, "sqlite") == 0;
	if (url.is_sqlite)
		read_path(&parts, &url);
	*out = url;
	return true;
}

void ath_url_fini(struct ath_url *url)
{
	free(url->path);
	*url = (struct ath_url){ 0 };
}

void ath_url_put_with_path(const char *text, const char *path, struct ath_str *out)
{
	struct parts parts;
	bool is_uri;

	if (!split(text, &parts)) {
		ath_str_printf(out, "sqlite:///%s", path);
		return;
	}
	is_uri = is_file_uri(&parts);
	ath_str_add(out, text, parts.scheme_len);
	ath_str_printf(out, ":///%s%s%s", is_uri ? "file:" : "", path, parts.query);
}
