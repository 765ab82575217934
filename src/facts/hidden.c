/* SPDX-License-Identifier: MIT */
/* facts/hidden: which values of the surroundings are secrets. */
#include "facts/hidden.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "facts/dotenv.h"
#include "os/file.h"
#include "trust/secret.h"

enum {
	LEAST_DIGITS = 8, /* of a number; shorter ones are limits and ports */
	LEAST_TOKEN = 20, /* bytes of a URL's user that is a token, as base/redact has it */
};

/* ---- names ---- */

/* Anywhere in the name of a variable, whatever stands around them. */
static const char *const telling[] = {
	"PASSWORD", "PASSWD",  "PASSPHRASE",  "SECRET",     "TOKEN", "CREDENTIAL",
	"APIKEY",   "API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "DSN",
};

/* As its last word, behind another one: DB_PASS, FERNET_KEY, npm_config__auth. */
static const char *const telling_ends[] = { "PASS", "PWD", "KEY", "AUTH", "SALT", "PEPPER" };

/* As its last word: then the value is something about a secret. */
static const char *const harmless_ends[] = {
	"FILE",     "PATH",   "DIR",     "NAME",   "TYPE",   "ID",        "HEADER",  "URL",
	"URI",      "HOST",   "PORT",    "ISSUER", "SOCK",   "AUDIENCE",  "LENGTH",  "SIZE",
	"SECONDS",  "HOURS",  "MINUTES", "DAYS",   "EXPIRE", "EXPIRES",   "EXPIRY",  "TTL",
	"LIFETIME", "AGE",    "ENABLED", "POLICY", "ROUNDS", "ALGORITHM", "COUNT",   "PREFIX",
	"REQUIRED", "METHOD", "BACKEND", "CLASS",  "SCHEME", "ENDPOINT",  "STORAGE", "PROVIDER",
};

/* Is `word` the last word of the name, with another one before it? */
static bool ends_with_word(const char *name, const char *word)
{
	size_t len = strlen(name), word_len = strlen(word);

	return len > word_len && strcasecmp(name + len - word_len, word) == 0 &&
	       !isalnum((unsigned char)name[len - word_len - 1]);
}

static bool ends_with_one(const char *name, const char *const *words, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (ends_with_word(name, words[i]))
			return true;
	}
	return false;
}

static bool has_telling(const char *text)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		if (strcasestr(text, telling[i]))
			return true;
	}
	return false;
}

static bool tells(const char *name)
{
	if (ends_with_one(name, harmless_ends, sizeof(harmless_ends) / sizeof(harmless_ends[0])))
		return false;
	return has_telling(name) ||
	       ends_with_one(name, telling_ends, sizeof(telling_ends) / sizeof(telling_ends[0]));
}

static bool is_listed(const struct ath_texts *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

/* ---- values ---- */

/* Words that stand in any log; as a password each is the first that anybody tries. */
static const char *const known_words[] = {
	"password",      "passwd",   "secret",      "changeme",    "default",  "postgres",
	"postgresql",    "sqlite",   "mariadb",     "mongodb",     "rabbitmq", "admin1",
	"administrator", "database", "development", "production",  "testing",  "localhost",
	"public",        "private",  "disabled",    "enabled",     "required", "optional",
	"example",       "username", "string",      "application", "backend",  "frontend",
	"redacted",      "notset",   "undefined",
};

/* The words of our own results and of the journal (docs/json.md): masked, they would break those who read them. */
static const char *const own_words[] = {
	"activity",       "against",     "asked_again", "athanor",          "attempt",
	"backup",         "backups",     "by_hand",     "bytes_per_second", "bytes_total",
	"candidates",     "changed",     "counts",      "decision",         "effects",
	"element",        "evidence",    "exit_status", "expected",         "findings",
	"incomplete_log", "inferred",    "inspection",  "install",          "is_head",
	"journal_mode",   "left_ms",     "margin",      "message",          "obstacle",
	"outcome",        "passed_over", "pending",     "reason",           "recovered",
	"refusal",        "renamed",     "revision",    "revisions",        "to_write",
	"transitions",    "verdict",     "succeeded",   "nothing",          "failed",
	"refused",        "cancelled",   "running",     "satisfied",        "skipped",
	"blocked",        "unchanged",   "upgraded",    "created",          "restored",
	"needs-you",      "missing",     "unreadable",  "locked",           "equivalent",
	"half_applied",   "behind",      "ambiguous",   "unknown_stamp",    "foreign",
	"complete",       "commands",    "pyproject",   "section",
};

static bool is_among(const char *value, const char *const *words, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strcasecmp(value, words[i]) == 0)
			return true;
	}
	return false;
}

static bool is_known(const char *value)
{
	return is_among(value, known_words, sizeof(known_words) / sizeof(known_words[0])) ||
	       is_among(value, own_words, sizeof(own_words) / sizeof(own_words[0]));
}

static bool is_open(const struct ath_hidden *hidden, const char *value)
{
	for (size_t i = 0; i < ATH_HIDDEN_OPEN; i++) {
		if (hidden->open[i] && strstr(hidden->open[i], value))
			return true;
	}
	return false;
}

static void add_value(const struct ath_hidden *hidden, const char *value)
{
	size_t len = strlen(value);

	if (len < ATH_REDACT_LEAST || is_known(value) || is_open(hidden, value) ||
	    (strspn(value, "0123456789.") == len && len < LEAST_DIGITS) ||
	    (value[0] == '/' && ath_file_kind(value) != ATH_FILE_ABSENT))
		return;
	ath_redact_add(hidden->set, value);
}

static int hex_of(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* As it stands in the URL, and as it is meant. */
static void add_quoted(const struct ath_hidden *hidden, const char *text, size_t len)
{
	char *value = ath_mem_strndup(text, len);
	size_t to = 0;

	add_value(hidden, value);
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '%' && i + 2 < len && isxdigit((unsigned char)value[i + 1]) &&
		    isxdigit((unsigned char)value[i + 2])) {
			value[to++] = (char)(hex_of(value[i + 1]) << 4 | hex_of(value[i + 2]));
			i += 2;
		} else {
			value[to++] = value[i];
		}
	}
	value[to] = '\0';
	add_value(hidden, value);
	ath_secret_wipe(value, len);
	free(value);
}

/* What may be meant by the password: up to the first '@', or to the last one before the path. */
static void add_user_information(const struct ath_hidden *hidden, const char *at)
{
	size_t user = strcspn(at, ":@/?#"), first, host, last;
	const char *password = at + user + 1;

	if (at[user] == '@' && user >= LEAST_TOKEN)
		add_quoted(hidden, at, user);
	if (at[user] != ':')
		return;
	first = strcspn(password, "@ ");
	host = strcspn(password, "/?# ");
	for (last = host; last && password[last] != '@';)
		last--;
	if (password[first] == '@' && strspn(password, "0123456789") != host) {
		add_quoted(hidden, password, first);
		if (user >= LEAST_TOKEN)
			add_quoted(hidden, at, user);
	}
	if (last > first)
		add_quoted(hidden, password, last);
}

/* "host=db password=x", "Server=db;Password=x", "?user=a&password=x". */
static void add_parts(const struct ath_hidden *hidden, const char *value)
{
	static const char ends[] = " ;&?,\t\n";

	while (*value) {
		size_t len = strcspn(value, ends), name_len = strcspn(value, "=");
		char *name = name_len < len ? ath_mem_strndup(value, name_len) : NULL;

		if (name && (tells(name) || strcasecmp(name, "pwd") == 0))
			add_quoted(hidden, value + name_len + 1, len - name_len - 1);
		free(name);
		value += len;
		value += strspn(value, ends);
	}
}

void ath_hidden_add(const struct ath_hidden *hidden, const char *name, const char *value)
{
	const char *at = value;

	if (is_listed(hidden->secrets, name) || (tells(name) && !strstr(value, "://")))
		add_value(hidden, value);
	while ((at = strstr(at, "://")) != NULL) {
		at += 3;
		add_user_information(hidden, at);
	}
	if (strchr(value, '=') && (has_telling(value) || strcasestr(value, "pwd=")))
		add_parts(hidden, value);
}

void ath_hidden_add_environ(const struct ath_hidden *hidden, const struct ath_environ *environment)
{
	for (size_t i = 0; i < environment->len; i++) {
		const char *item = environment->items[i], *value = strchr(item, '=') + 1;
		char *name = ath_mem_strndup(item, (size_t)(value - item) - 1);

		ath_hidden_add(hidden, name, value);
		free(name);
	}
}

void ath_hidden_add_file(const struct ath_hidden *hidden, const char *path)
{
	struct ath_pairs pairs = { 0 };
	struct ath_err ignored = { 0 };

	if (!ath_dotenv_load(path, &pairs, &ignored))
		ath_err_clear(&ignored); /* who needs it will say so */
	for (size_t i = 0; i < pairs.len; i++) {
		ath_hidden_add(hidden, pairs.items[i].name, pairs.items[i].value);
		ath_secret_wipe(pairs.items[i].value, strlen(pairs.items[i].value));
	}
	ath_pairs_fini(&pairs);
}
