/* SPDX-License-Identifier: MIT */
/* facts/dotenv: reads a .env file. */
#include "facts/dotenv.h"

#include <string.h>

#include "os/file.h"

enum {
	FILE_LIMIT = 1 << 20, /* bytes */
};

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				   "0123456789.-";

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static const char *skip_line(const char *at)
{
	at += strcspn(at, "\n");
	return at + (*at == '\n');
}

/* Behind `NAME =` at `at`, or NULL where there is none; the name is appended. */
static const char *read_name(const char *at, struct ath_str *name)
{
	static const char word[] = "export";
	size_t len;

	if (ath_str_has_prefix(at, word) && strchr(" \t", at[strlen(word)]) && at[strlen(word)])
		at = skip_blanks(at + strlen(word));
	len = strspn(at, name_letters);
	if (!len || strchr("0123456789.-", *at))
		return NULL;
	ath_str_add(name, at, len);
	at = skip_blanks(at + len);
	return *at == '=' ? skip_blanks(at + 1) : NULL;
}

/* What `\x` inside double quotes stands for; 0: the backslash stays. */
static char escaped(char letter)
{
	static const char letters[] = "nrt\"\\'", meant[] = "\n\r\t\"\\'";
	const char *found = letter ? strchr(letters, letter) : NULL;

	return found ? meant[found - letters] : '\0';
}

/* Behind the quoted value at `at`, or NULL if its end is missing or more than a comment follows. */
static const char *read_quoted(const char *at, struct ath_str *value)
{
	char quote = *at++;

	for (; *at && *at != quote; at++) {
		char meant = '\0';

		if (*at == '\\')
			meant = quote == '"' ? escaped(at[1]) : at[1] == '\'' ? '\'' : '\0';
		ath_str_putc(value, meant ? meant : *at);
		at += meant != '\0';
	}
	if (!*at)
		return NULL;
	at = skip_blanks(at + 1);
	return strchr("#\r\n", *at) ? skip_line(at) : NULL;
}

static const char *read_plain(const char *at, struct ath_str *value)
{
	size_t len = strcspn(at, "\r\n");

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '#' && (i == 0 || strchr(" \t", at[i - 1])))
			len = i;
	}
	while (len && strchr(" \t", at[len - 1]))
		len--;
	ath_str_add(value, at, len);
	return skip_line(at + len);
}

void ath_dotenv_read(const char *text, struct ath_pairs *out)
{
	static const char mark[] = "\xef\xbb\xbf"; /* byte order mark of an editor */
	struct ath_str name = { 0 }, value = { 0 };

	if (ath_str_has_prefix(text, mark))
		text += strlen(mark);
	while (*text) {
		const char *at, *end = NULL;

		ath_str_reset(&name);
		ath_str_reset(&value);
		at = read_name(skip_blanks(text), &name);
		if (at)
			end = *at == '"' || *at == '\'' ? read_quoted(at, &value)
							: read_plain(at, &value);
		if (end)
			ath_pairs_set(out, ath_str_get(&name), ath_str_get(&value));
		text = end ? end : skip_line(text);
	}
	ath_str_fini(&value);
	ath_str_fini(&name);
}

bool ath_dotenv_load(const char *path, struct ath_pairs *out, struct ath_err *err)
{
	struct ath_str text = { 0 };
	bool is_read = true;

	if (ath_file_kind(path) != ATH_FILE_ABSENT)
		is_read = ath_file_read(path, FILE_LIMIT, &text, err);
	if (is_read)
		ath_dotenv_read(ath_str_get(&text), out);
	ath_str_fini(&text);
	return is_read;
}
