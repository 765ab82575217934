/* SPDX-License-Identifier: MIT */
/*
 * facts/url: database URLs in SQLAlchemy's form (https://docs.sqlalchemy.org/core/engines.html),
 * dialect[+driver]://user:password@host:port/database?query, as far as an installer must know.
 */
#ifndef ATH_FACTS_URL_H
#define ATH_FACTS_URL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct ath_url {
	char dialect[32]; /* "sqlite", "postgresql" */
	bool is_sqlite;
	bool is_memory; /* SQLite without a file */
	char *path; /* owned; SQLite's file as the URL says it, relative or absolute; else NULL */
};

/*
 * Read a URL. SQLite's file URIs (sqlite:///file:PATH?uri=true) give the path inside.
 * Fails with: ATH_ERR_RECIPE (not a URL). The message never shows a password.
 */
ATH_NODISCARD bool ath_url_read(const char *text, struct ath_url *out, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_url_fini(struct ath_url *url);

/* Append the SQLite URL `text` with its file replaced by the absolute `path`; driver and query stay. */
void ath_url_put_with_path(const char *text, const char *path, struct ath_str *out);

#endif
