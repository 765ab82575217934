/* SPDX-License-Identifier: MIT */
/* facts/hidden: which values are secrets by the names of their variables and by their form. */
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts/hidden.h"

static const char *const listed[] = { "SIGNER" };
static const struct ath_texts secrets = { listed, 1 };

/* Is `word` masked, once this variable is known? */
static bool hides(const char *name, const char *value, const char *word)
{
	struct ath_hidden hidden = { ath_redact_new(),
				     &secrets,
				     { "/srv/app-home", NULL, "kahani" } };
	struct ath_str out = { 0 };
	bool is_hidden;

	ath_hidden_add(&hidden, name, value);
	ath_redact_put(hidden.set, word, strlen(word), &out);
	is_hidden = strcmp(ath_str_get(&out), ATH_REDACT_MASK) == 0;
	ath_str_fini(&out);
	ath_redact_free(hidden.set);
	return is_hidden;
}

static void names_tell(void **state)
{
	static const char *const names[] = {
		"DB_PASSWORD",
		"password",
		"SMTP_PASS",
		"PGPASSWORD",
		"ADMIN_PWD",
		"JWT_SECRET_KEY",
		"SECRETS",
		"GITHUB_TOKEN",
		"OPENAI_API_KEY",
		"FERNET_KEY",
		"AWS_SECRET_ACCESS_KEY",
		"SSH_PASSPHRASE",
		"GOOGLE_CREDENTIALS",
		"npm_config_//registry.example/:_authToken",
		"npm_config__auth",
		"SENTRY_DSN",
		"PASSWORD_SALT",
		"SIGNER",
		"PRIVATE_KEY_PEM",
	};
	static const char *const others[] = {
		"GREETING",
		"KEYBOARD",
		"PWD",
		"OLDPWD",
		"BYPASS",
		"SECRET_FILE",
		"TOKEN_URL_PATH",
		"ACCESS_TOKEN_ALGORITHM",
		"API_KEY_HEADER",
		"AWS_ACCESS_KEY_ID",
		"PASSWORD_POLICY",
		"SSH_AUTH_SOCK",
		"AUTHOR",
		"KEY",
		"MONKEY",
		"COMPASS",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!hides(names[i], "Xq-81-word", "Xq-81-word"))
			fail_msg("%s is not taken for a secret", names[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (hides(others[i], "Xq-81-word", "Xq-81-word"))
			fail_msg("%s is taken for a secret", others[i]);
}

static void what_would_spoil_the_output_is_not_taken(void **state)
{
	static const char *const values[] = { "true",    "12345",    "postgres",    "SQLite",
					      "1234567", "changeme", "/etc/passwd", "app-home",
					      "kahani",  "0.25.5" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (hides("DB_PASSWORD", values[i], values[i]))
			fail_msg("'%s' is masked", values[i]);
	assert_true(hides("DB_PASSWORD", "12345678", "12345678"));
	assert_true(hides("DB_PASSWORD", "/not/there", "/not/there"));
	assert_true(hides("DB_PASSWORD", "postgres1", "postgres1"));
}

static void passwords_within_values_are_found(void **state)
{
	static const char *const rows[][2] = {
		{ "postgresql://me:pass%40word@db/x", "pass%40word" },
		{ "postgresql://me:pass%40word@db/x", "pass@word" },
		{ "postgresql+asyncpg://me:pa/ss?word@db/x", "pa/ss?word" },
		{ "x://me:one@two-three@db/x", "one@two-three" },
		{ "redis://:only-word@h:6379/0", "only-word" },
		{ "https://a:first-word@h/ https://b:second-word@h/", "first-word" },
		{ "https://a:first-word@h/ https://b:second-word@h/", "second-word" },
		{ "https://ghp_0123456789abcdefghij@h/x", "ghp_0123456789abcdefghij" },
		{ "host=db password=dsn-word user=me", "dsn-word" },
		{ "Server=db;Pwd=odbc-word;", "odbc-word" },
		{ "postgresql://db/x?user=me&password=query-word&ssl=1", "query-word" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!hides("PLACE", rows[i][0], rows[i][1]))
			fail_msg("'%s' of '%s' is not found", rows[i][1], rows[i][0]);
	assert_false(hides("PLACE", "http://localhost:8080/some@where", "8080/some"));
	assert_false(hides("PLACE", "postgresql://long-user@db/x", "long-user"));
}

static void environments_and_files_are_read(void **state)
{
	char path[] = "/tmp/athanor-test-XXXXXX";
	int fd = mkstemp(path);
	struct ath_hidden hidden = { .set = ath_redact_new(), .secrets = &secrets };
	struct ath_environ environment = { 0 };
	struct ath_str out = { 0 };
	static const char text[] = "# x\nexport MAIL_PASSWORD=\"of file\"\nGREETING=hello there\n";

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	ath_environ_set(&environment, "SIGNER", "of-surroundings");
	ath_hidden_add_environ(&hidden, &environment);
	ath_hidden_add_file(&hidden, path);
	ath_hidden_add_file(&hidden, "/nonexistent/.env");
	ath_redact_put(hidden.set, "of file, of-surroundings, hello there", 37, &out);
	assert_string_equal(ath_str_get(&out), "***, ***, hello there");
	ath_str_fini(&out);
	ath_environ_fini(&environment);
	ath_redact_free(hidden.set);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell),
		cmocka_unit_test(what_would_spoil_the_output_is_not_taken),
		cmocka_unit_test(passwords_within_values_are_found),
		cmocka_unit_test(environments_and_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
