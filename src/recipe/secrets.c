/* SPDX-License-Identifier: MIT */
/* recipe/secrets: which variables of an example of settings are the application's own secrets. */
#include "recipe/secrets.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

enum {
	MOST_SECRETS = 32,
	MOST_NAME = 64, /* bytes of a variable's name */
};

/* Words of names such as FLASK_SECRET_KEY, JWT_REFRESH_SECRET, AUTH_JWT_SIGNING_KEY. */
static const char *const own_words[] = {
	"SECRET",  "KEY",     "JWT",    "APP",     "APPLICATION", "FLASK",    "DJANGO",
	"FASTAPI", "SESSION", "COOKIE", "AUTH",    "TOKEN",       "ACCESS",   "REFRESH",
	"SIGNING", "CSRF",    "SERVER", "BACKEND", "NEXTAUTH",    "SECURITY",
};

/* How values begin that are to be replaced. */
static const char *const placeholders[] = {
	"change",   "your-", "your_",        "replace",     "<",      "xxx",    "secret",
	"generate", "todo",  "super-secret", "supersecret", "insert", "please",
};

static bool is_own_word(const char *word, size_t len, const char *app)
{
	for (size_t i = 0; i < sizeof(own_words) / sizeof(own_words[0]); i++) {
		if (strlen(own_words[i]) == len && memcmp(own_words[i], word, len) == 0)
			return true;
	}
	for (const char *part = app; *part; part += strspn(part, "-_.")) {
		size_t part_len = strcspn(part, "-_.");

		if (part_len == len && strncasecmp(part, word, len) == 0)
			return true;
		part += part_len;
	}
	return false;
}

static bool is_own_secret(const char *name, const char *app)
{
	bool ends_right = ath_str_has_suffix(name, "SECRET") || ath_str_has_suffix(name, "KEY");

	if (!ends_right || (!strstr(name, "SECRET") && !strstr(name, "JWT")))
		return false;
	while (*name) {
		size_t len = strcspn(name, "_");

		if (!len || !is_own_word(name, len, app))
			return false;
		name += len;
		name += *name == '_';
	}
	return true;
}

static bool is_placeholder(const char *value)
{
	value += strspn(value, " \t");
	value += *value == '"' || *value == '\'';
	if (!*value || strchr("\r\n#\"'", *value))
		return true;
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
		if (strncasecmp(value, placeholders[i], strlen(placeholders[i])) == 0)
			return true;
	}
	return false;
}

/* The name that a line sets; returns its value, or NULL for any other line. */
static const char *read_line(const char *line, char out_name[MOST_NAME + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t len;

	if (ath_str_has_prefix(line, "export "))
		line += strlen("export ");
	len = strspn(line, letters);
	if (!len || len > MOST_NAME || line[len] != '=' || strchr("0123456789", line[0]))
		return NULL;
	memcpy(out_name, line, len);
	out_name[len] = '\0';
	return line + len + 1;
}

static bool has(const char *const *names, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

struct ath_texts ath_secrets_find(const char *example, const char *app, struct ath_arena *arena)
{
	const char **names = ath_arena_new(arena, MOST_SECRETS + 1, sizeof(*names));
	size_t len = 0;

	for (const char *line = example; *line && len < MOST_SECRETS;) {
		char name[MOST_NAME + 1];
		const char *value = read_line(line, name);

		if (value && is_own_secret(name, app) && is_placeholder(value) &&
		    !has(names, len, name))
			names[len++] = ath_arena_strdup(arena, name);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return (struct ath_texts){ names, len };
}
