/* SPDX-License-Identifier: MIT */
/* facts/url: database URLs in SQLAlchemy's form. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "facts/url.h"

static void sqlite_urls_tell_their_file(void **state)
{
	static const struct {
		const char *url, *path; /* NULL: in memory */
	} rows[] = {
		{ "sqlite:///app.db", "app.db" },
		{ "sqlite:///./data/app.db", "./data/app.db" },
		{ "sqlite:////srv/app/app.db", "/srv/app/app.db" },
		{ "sqlite://///srv/app.db", "//srv/app.db" },
		{ "sqlite+aiosqlite:///app.db", "app.db" },
		{ "sqlite+pysqlite:////srv/a b.db?timeout=5", "/srv/a b.db" },
		{ "sqlite:///a@b:c.db", "a@b:c.db" },
		{ "sqlite:///file:app.db?uri=true", "app.db" },
		{ "sqlite:///file:/srv/app.db?mode=ro&uri=true", "/srv/app.db" },
		{ "sqlite:///file:///srv/app.db?uri=true", "/srv/app.db" },
		{ "sqlite:///file:app.db", "file:app.db" }, /* no URI unless it says so */
		{ "sqlite://", NULL },
		{ "sqlite:///", NULL },
		{ "sqlite+aiosqlite://", NULL },
		{ "sqlite:///:memory:", NULL },
		{ "sqlite:///:memory:?cache=shared", NULL },
		{ "sqlite:///file::memory:?uri=true", NULL },
		{ "sqlite:///file:any?mode=memory&cache=shared&uri=true", NULL },
		{ "sqlite:///:memory:x", ":memory:x" },
		{ "sqlite:///:mem", ":mem" },
		{ "sqlite:///:", ":" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_err err = { 0 };
		struct ath_url url;

		assert_true(ath_url_read(rows[i].url, &url, &err));
		assert_string_equal(url.dialect, "sqlite");
		assert_true(url.is_sqlite);
		if (url.is_memory != !rows[i].path ||
		    strcmp(url.path ? url.path : "-", rows[i].path ? rows[i].path : "-") != 0)
			fail_msg("%s has the file %s", rows[i].url, url.path);
		ath_url_fini(&url);
		assert_null(url.path);
	}
}

static void other_dialects_are_named_without_their_driver(void **state)
{
	static const struct {
		const char *url, *dialect;
	} rows[] = {
		{ "postgresql://u:p@h/db", "postgresql" },
		{ "postgresql+asyncpg://u:p@h:5432/db?ssl=1", "postgresql" },
		{ "mysql+pymysql://h/db", "mysql" },
		{ "postgres://h", "postgres" },
		{ "a-dialect-with-a-name-that-is-far-too-long+x://h",
		  "a-dialect-with-a-name-that-is-f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_err err = { 0 };
		struct ath_url url;

		assert_true(ath_url_read(rows[i].url, &url, &err));
		assert_string_equal(url.dialect, rows[i].dialect);
		assert_false(url.is_sqlite);
		assert_false(url.is_memory);
		assert_null(url.path);
		ath_url_fini(&url);
	}
}

static void what_is_no_url_is_refused_without_being_shown(void **state)
{
	static const char *const texts[] = {
		"",        "app.db",         "/srv/app.db",       "://x",
		"sqlite:", "sqlite:/app.db", "a secret word://x", "user:secret@host/db",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ath_err err = { 0 };
		struct ath_url url;

		assert_false(ath_url_read(texts[i], &url, &err));
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		assert_null(strstr(err.msg, "secret"));
	}
}

static void another_file_is_named_with_driver_and_query_kept(void **state)
{
	static const struct {
		const char *url, *changed;
	} rows[] = {
		{ "sqlite:///app.db", "sqlite:////run/clone.db" },
		{ "sqlite+aiosqlite:////srv/app.db?timeout=5",
		  "sqlite+aiosqlite:////run/clone.db?timeout=5" },
		{ "sqlite:///file:app.db?mode=rw&uri=true",
		  "sqlite:///file:/run/clone.db?mode=rw&uri=true" },
		{ "sqlite:///file:app.db", "sqlite:////run/clone.db" },
		{ "app.db", "sqlite:////run/clone.db" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_str changed = { 0 };
		struct ath_err err = { 0 };
		struct ath_url url;

		ath_url_put_with_path(rows[i].url, "/run/clone.db", &changed);
		assert_string_equal(ath_str_get(&changed), rows[i].changed);
		assert_true(ath_url_read(ath_str_get(&changed), &url, &err));
		assert_string_equal(url.path, "/run/clone.db");
		ath_url_fini(&url);
		ath_str_fini(&changed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sqlite_urls_tell_their_file),
		cmocka_unit_test(other_dialects_are_named_without_their_driver),
		cmocka_unit_test(what_is_no_url_is_refused_without_being_shown),
		cmocka_unit_test(another_file_is_named_with_driver_and_query_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
