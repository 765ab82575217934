/* SPDX-License-Identifier: MIT */
/* recipe/peek: the few facts that discovery takes from a project's own files. */
#include "recipe/peek.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A piece of a text. */
struct piece {
	const char *text;
	size_t len;
};

static int open_file(const char *root, const char *path, struct stat *out_found)
{
	struct ath_str full = { 0 };
	int fd;

	ath_str_printf(&full, "%s/%s", root, path);
	fd = open(ath_str_get(&full), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ath_str_fini(&full);
	if (fd >= 0 && (fstat(fd, out_found) != 0 || !S_ISREG(out_found->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool ath_peek_is_file(const char *root, const char *path)
{
	struct stat found;
	int fd = open_file(root, path, &found);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool ath_peek_is_folder(const char *root, const char *path)
{
	struct ath_str full = { 0 };
	struct stat found;
	bool is_folder;

	ath_str_printf(&full, "%s/%s", root, path);
	is_folder = stat(ath_str_get(&full), &found) == 0 && S_ISDIR(found.st_mode);
	ath_str_fini(&full);
	return is_folder;
}

bool ath_peek_read(const char *root, const char *path, struct ath_str *out_text)
{
	struct stat found;
	int fd = open_file(root, path, &found);
	char buffer[4096];
	ssize_t got = -1;

	ath_str_reset(out_text);
	if (fd < 0)
		return false;
	while (out_text->len <= ATH_PEEK_BYTES && (got = read(fd, buffer, sizeof(buffer))) > 0)
		ath_str_add(out_text, buffer, (size_t)got);
	close(fd);
	return got == 0;
}

static struct piece trim(struct piece piece)
{
	while (piece.len && strchr(" \t\r", piece.text[0]))
		piece.text++, piece.len--;
	while (piece.len && strchr(" \t\r", piece.text[piece.len - 1]))
		piece.len--;
	return piece;
}

/* The next line of a text; false at its end. */
static bool next_line(const char **at, struct piece *out_line)
{
	if (!**at)
		return false;
	*out_line = (struct piece){ *at, strcspn(*at, "\n") };
	*at += out_line->len;
	*at += **at == '\n';
	return true;
}

static bool piece_is(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.text, text, piece.len) == 0;
}

/* The name between the brackets of a header line; false for other lines. */
static bool read_header(struct piece line, struct piece *out_name)
{
	const char *end;

	line = trim(line);
	if (!line.len || line.text[0] != '[')
		return false;
	end = memchr(line.text, ']', line.len);
	if (!end)
		return false;
	*out_name = trim((struct piece){ line.text + 1, (size_t)(end - line.text) - 1 });
	return true;
}

/* The value of a line `key = value` or `key: value`, without quotes. */
static bool read_value(struct piece line, const char *key, struct piece *out_value)
{
	size_t len = 0;

	while (len < line.len && line.text[len] != '=' && line.text[len] != ':')
		len++;
	if (len == line.len || !piece_is(trim((struct piece){ line.text, len }), key))
		return false;
	line = trim((struct piece){ line.text + len + 1, line.len - len - 1 });
	if (line.len >= 2 && strchr("\"'", line.text[0])) {
		const char *end = memchr(line.text + 1, line.text[0], line.len - 1);

		if (end)
			line = (struct piece){ line.text + 1, (size_t)(end - line.text) - 1 };
	}
	*out_value = line;
	return true;
}

static void add_section(struct ath_peek_alembic *found, struct ath_arena *arena,
			struct piece section, struct piece scripts)
{
	if (piece_is(section, "DEFAULT"))
		section = (struct piece){ "alembic", strlen("alembic") };
	if (found->len == ATH_PEEK_SECTIONS || !section.len || !scripts.len)
		return;
	found->sections[found->len] = ath_arena_strndup(arena, section.text, section.len);
	found->scripts[found->len++] = ath_arena_strndup(arena, scripts.text, scripts.len);
}

void ath_peek_ini(const char *text, struct ath_arena *arena, struct ath_peek_alembic *out_found)
{
	struct piece line, section = { "", 0 }, scripts;

	*out_found = (struct ath_peek_alembic){ 0 };
	while (next_line(&text, &line)) {
		if (!read_header(line, &section) && line.len && !strchr(" \t", line.text[0]) &&
		    read_value(line, "script_location", &scripts))
			add_section(out_found, arena, section, scripts);
	}
}

void ath_peek_pyproject(const char *text, struct ath_arena *arena,
			struct ath_peek_alembic *out_found)
{
	struct piece line, section = { "", 0 }, scripts;

	*out_found = (struct ath_peek_alembic){ 0 };
	while (next_line(&text, &line)) {
		if (!read_header(line, &section) && piece_is(section, "tool.alembic") &&
		    !out_found->len && read_value(line, "script_location", &scripts))
			add_section(out_found, arena, (struct piece){ "alembic", 7 }, scripts);
	}
}

bool ath_peek_has_table(const char *text, const char *name)
{
	struct piece line, header;

	while (next_line(&text, &line)) {
		if (read_header(line, &header) && piece_is(header, name))
			return true;
	}
	return false;
}

const char *ath_peek_value(const char *text, const char *table, const char *key,
			   struct ath_arena *arena)
{
	struct piece line, header = { "", 0 }, value;

	while (next_line(&text, &line)) {
		if (!read_header(line, &header) && piece_is(header, table) &&
		    read_value(line, key, &value))
			return ath_arena_strndup(arena, value.text, value.len);
	}
	return NULL;
}

/* Behind the string whose opening quote is at `at`. */
static const char *skip_string(const char *at, struct piece *out_string)
{
	const char *start = ++at;

	while (*at && *at != '"')
		at += at[0] == '\\' && at[1] ? 2 : 1;
	*out_string = (struct piece){ start, (size_t)(at - start) };
	return *at ? at + 1 : at;
}

static bool is_key(const char *behind)
{
	return behind[strspn(behind, " \t\r\n")] == ':';
}

/*
 * One pass: `depth` counts open brackets, and `is_inside` says that the object opened last at
 * depth 2 is the value of the top level's "scripts".
 */
bool ath_peek_has_build(const char *text)
{
	size_t depth = 0;
	bool is_scripts_next = false, is_inside = false;

	while (*text) {
		struct piece string;

		if (*text == '"') {
			text = skip_string(text, &string);
			if (depth == 2 && is_inside && piece_is(string, "build") && is_key(text))
				return true;
			is_scripts_next = depth == 1 && piece_is(string, "scripts") && is_key(text);
			continue;
		}
		if (*text == '{' || *text == '[') {
			depth++;
			is_inside = is_inside || (depth == 2 && *text == '{' && is_scripts_next);
		} else if ((*text == '}' || *text == ']') && depth) {
			depth--;
			is_inside = is_inside && depth > 1;
		}
		text++;
	}
	return false;
}
