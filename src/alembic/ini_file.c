/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini_file: the sections and settings of an ini file, as Python's ConfigParser reads them.
 *
 * That is its default, strict form: full-line comments with '#' or ';', values that go on in deeper
 * indented lines, empty lines inside them, names in lower case, nothing twice but DEFAULT.
 */
#include "alembic/ini_file.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/ini_value.h"

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct ath_ini_span ath_ini_file_strip(const char *at, size_t len)
{
	while (len && is_blank(*at)) {
		at++;
		len--;
	}
	while (len && is_blank(at[len - 1]))
		len--;
	return (struct ath_ini_span){ at, len };
}

static bool fail_at(const struct ath_ini_file *file, unsigned line, const char *what)
{
	return ath_err_at(file->err, ATH_ERR_CHAIN,
			  (struct ath_pos){ .file = file->source->name, .line = line }, "%s", what);
}

/* The open option is complete. */
static void close_option(struct ath_ini_file *file)
{
	if (file->is_open) {
		struct ath_ini_span value =
			ath_ini_file_strip(ath_str_get(&file->value), file->value.len);
		size_t len = value.at + value.len - ath_str_get(&file->value);

		/* only the end is stripped: a value may begin with a line end */
		file->options.items[file->options.len - 1].value = ath_arena_strndup(
			file->arena, ath_str_get(&file->value), value.len ? len : 0);
	}
	file->is_open = false;
	ath_str_reset(&file->value);
}

static bool read_header(struct ath_ini_file *file, struct ath_ini_span line, unsigned number)
{
	const char *end = memrchr(line.at, ']', line.len);

	if (!end || end == line.at + 1 || memchr(line.at, ']', line.len) != end)
		return fail_at(file, number, "a section's name is not closed by one bracket");
	*ath_vec_push(&file->sections) = (struct ath_ini_section){
		ath_arena_strndup(file->arena, line.at + 1, end - line.at - 1), number
	};
	return true;
}

static bool read_option(struct ath_ini_file *file, struct ath_ini_span line, unsigned number)
{
	size_t len = 0;
	struct ath_ini_span name, value;
	char *lower;

	while (len < line.len && line.at[len] != '=' && line.at[len] != ':')
		len++;
	name = ath_ini_file_strip(line.at, len);
	if (len == line.len || !name.len)
		return fail_at(file, number, "a line is neither a section nor 'name = value'");
	value = ath_ini_file_strip(line.at + len + 1, line.len - len - 1);
	lower = ath_arena_strndup(file->arena, name.at, name.len);
	for (char *letter = lower; *letter; letter++)
		if (*letter >= 'A' && *letter <= 'Z')
			*letter = (char)(*letter | 0x20);
	*ath_vec_push(&file->options) = (struct ath_ini_option){
		.section = file->sections.items[file->sections.len - 1].name,
		.name = lower,
		.line = number,
	};
	ath_str_add(&file->value, value.at, value.len);
	file->is_open = true;
	return true;
}

static bool read_line(struct ath_ini_file *file, const char *at, size_t len, unsigned number)
{
	struct ath_ini_span line = ath_ini_file_strip(at, len);
	unsigned indent = (unsigned)(line.at - at);

	if (line.len && (*line.at == '#' || *line.at == ';'))
		return true;
	if (file->is_open && (!line.len || indent > file->indent)) {
		ath_str_putc(&file->value, '\n');
		ath_str_add(&file->value, line.at, line.len);
		return true;
	}
	if (!line.len)
		return true;
	close_option(file);
	file->indent = indent;
	if (*line.at == '[')
		return read_header(file, line, number);
	if (!file->sections.len)
		return fail_at(file, number, "a line stands before the first section");
	return read_option(file, line, number);
}

static int compare_options(const void *one, const void *other)
{
	const struct ath_ini_option *a = one, *b = other;
	int order = strcmp(a->section, b->section);

	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int compare_sections(const void *one, const void *other)
{
	const struct ath_ini_section *a = one, *b = other;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static bool check_options(struct ath_ini_file *file)
{
	if (file->options.len)
		qsort(file->options.items, file->options.len, sizeof(struct ath_ini_option),
		      compare_options);
	for (size_t i = 1; i < file->options.len; i++) {
		const struct ath_ini_option *before = &file->options.items[i - 1],
					    *one = before + 1;

		if (strcmp(before->section, one->section) == 0 &&
		    strcmp(before->name, one->name) == 0)
			return fail_at(file, one->line, "a setting is there twice in its section");
	}
	return true;
}

static bool check_sections(struct ath_ini_file *file)
{
	size_t len = file->sections.len;
	struct ath_ini_section *sorted = ath_arena_new(file->arena, len, sizeof(*sorted));

	if (len) {
		memcpy(sorted, file->sections.items, len * sizeof(*sorted));
		qsort(sorted, len, sizeof(*sorted), compare_sections);
	}
	for (size_t i = 1; i < len; i++) {
		if (strcmp(sorted[i - 1].name, sorted[i].name) == 0 &&
		    strcmp(sorted[i].name, "DEFAULT") != 0)
			return fail_at(file, sorted[i].line, "a section is there twice");
	}
	return true;
}

static bool read_file(struct ath_ini_file *file)
{
	const char *at = file->source->text, *end = at + file->source->len;
	unsigned number = 0;

	while (at < end) {
		const char *stop = at;

		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		if (!read_line(file, at, stop - at, ++number))
			return false;
		at = stop + (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
	}
	close_option(file);
	return check_options(file) && check_sections(file);
}

bool ath_ini_file_load(struct ath_ini_file *file)
{
	return ath_ini_value_check(file->source, file->err) && read_file(file);
}

void ath_ini_file_fini(struct ath_ini_file *file)
{
	ath_vec_fini(&file->options);
	ath_vec_fini(&file->sections);
	ath_str_fini(&file->value);
}

const struct ath_ini_option *ath_ini_file_find_own(const struct ath_ini_file *file,
						   const char *section, const char *name)
{
	size_t low = 0, high = file->options.len;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct ath_ini_option *one = &file->options.items[middle];
		int order = strcmp(one->section, section);

		if (!order)
			order = strcmp(one->name, name);
		if (!order)
			return one;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct ath_ini_option *ath_ini_file_find(const struct ath_ini_file *file, const char *section,
					       const char *name)
{
	const struct ath_ini_option *own = ath_ini_file_find_own(file, section, name);

	return own ? own : ath_ini_file_find_own(file, "DEFAULT", name);
}
