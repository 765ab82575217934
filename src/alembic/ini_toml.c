/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini: [tool.alembic] of a pyproject.toml.
 *
 * Every statement of the document is stepped over, and only those below tool.alembic are read, however their keys are spread over tables and dots. Strings
 * and arrays of strings on one level are values; whatever else TOML has is "not static". Whether
 * the rest of the document is sound is not this reader's business.
 */
#include "alembic/ini.h"

#include <string.h>

#include "alembic/ini_value.h"
#include "alembic/toml.h"
#include "base/str.h"

/* The document while it is read. */
struct document {
	struct ath_toml text;
	struct ath_toml_path table; /* of the statements that follow */
	struct ath_ini ini;
	const struct ath_ini_source *source; /* borrowed */
	unsigned section_line;               /* of [tool.alembic], or 0 */
	bool is_strange;       /* tool.alembic is written in a form that is not read */
	unsigned strange_line; /* where */
};

static bool begins_with_section(const struct ath_toml_path *path)
{
	return path->len >= 2 && strcmp(path->parts[0], "tool") == 0 &&
	       strcmp(path->parts[1], "alembic") == 0;
}

/* The field of a path tool.alembic.KEY or deeper, or NULL. */
static struct ath_ini_field *find_field(struct document *doc, const struct ath_toml_path *path,
					enum ath_ini_key *out_key)
{
	if (path->len < 3 || !begins_with_section(path))
		return NULL;
	doc->ini.has_section = true;
	for (enum ath_ini_key key = 0; key < ATH_INI_URL; key++) {
		*out_key = key;
		if (strcmp(ath_ini_key_name(key), path->parts[2]) == 0)
			return &doc->ini.fields[key];
	}
	return NULL;
}

/* tool or tool.alembic itself is given a value, or is an array of tables. */
static void note_strange(struct document *doc, const struct ath_toml_path *path)
{
	if ((path->len == 1 && strcmp(path->parts[0], "tool") == 0) ||
	    (path->len == 2 && begins_with_section(path))) {
		doc->is_strange = true;
		doc->strange_line = doc->text.line;
	}
}

static bool read_header(struct document *doc)
{
	struct ath_toml_path path = { 0 };
	bool is_array = ath_toml_peek(&doc->text, 1) == '[';
	struct ath_ini_field *field;
	enum ath_ini_key key;

	doc->text.at += is_array ? 2 : 1;
	if (!ath_toml_read_key(&doc->text, &path))
		return false;
	if (ath_toml_peek(&doc->text, 0) != ']' ||
	    (is_array && ath_toml_peek(&doc->text, 1) != ']'))
		return ath_toml_fail(&doc->text, "a table's name is not understood as TOML");
	doc->text.at += is_array ? 2 : 1;
	if (is_array)
		note_strange(doc, &path);
	field = find_field(doc, &path, &key);
	if (field)
		*field = ath_ini_value_refuse(doc->text.line, "the setting is a table");
	if (path.len == 2 && begins_with_section(&path) && !is_array) {
		if (doc->section_line)
			return ath_toml_fail(&doc->text, "the table tool.alembic is there twice");
		doc->section_line = doc->text.line;
		doc->ini.has_section = true;
	}
	doc->table = path;
	return ath_toml_end_line(&doc->text);
}

/* A text with "%(here)s" and "%%" replaced, as Alembic does by Python's "%"; NULL: not static. */
static const char *expand(struct document *doc, const char *text)
{
	struct ath_str out = { 0 };
	const char *expanded = NULL;

	for (;;) {
		size_t plain = strcspn(text, "%");

		ath_str_add(&out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (text[1] == '%') {
			ath_str_putc(&out, '%');
			text += 2;
		} else if (doc->source->here && ath_str_has_prefix(text, "%(here)s") &&
			   out.len < ATH_INI_BYTES_MAX) {
			ath_str_puts(&out, doc->source->here);
			text += 8;
		} else {
			break;
		}
	}
	if (!*text)
		expanded = ath_arena_strndup(doc->text.arena, ath_str_get(&out), out.len);
	ath_str_fini(&out);
	return expanded;
}

/* One string in an arena, expanded; NULL with the error clean: not static. */
static bool read_text(struct document *doc, const char **out_text)
{
	struct ath_str text = { 0 };
	bool is_read = ath_toml_read_string(&doc->text, &text);

	*out_text = NULL;
	if (is_read)
		*out_text = expand(doc, ath_str_get(&text));
	ath_str_fini(&text);
	return is_read;
}

/* Strings up to "]"; `is_plain` turns false where something else stands. */
static bool read_array(struct document *doc, struct ath_texts *out_texts, bool *is_plain)
{
	enum {
		ITEMS_MAX = 64
	};
	const char **items = ath_arena_new(doc->text.arena, ITEMS_MAX + 1, sizeof(*items));
	size_t len = 0;
	bool has_comma = true;

	doc->text.at++;
	ath_toml_skip_lines(&doc->text);
	while (has_comma && doc->text.at < doc->text.end && ath_toml_peek(&doc->text, 0) != ']') {
		bool is_string =
			ath_toml_peek(&doc->text, 0) == '"' || ath_toml_peek(&doc->text, 0) == '\'';

		if (is_string && !ath_toml_is_long_string(&doc->text) && len < ITEMS_MAX) {
			if (!read_text(doc, &items[len]))
				return false;
			*is_plain = *is_plain && items[len++];
		} else {
			*is_plain = false;
			if (!ath_toml_skip_value(&doc->text))
				return false;
		}
		ath_toml_skip_lines(&doc->text);
		has_comma = ath_toml_peek(&doc->text, 0) == ',';
		doc->text.at += has_comma;
		ath_toml_skip_lines(&doc->text);
	}
	if (ath_toml_peek(&doc->text, 0) != ']')
		return ath_toml_fail(&doc->text, "an array is not understood as TOML");
	doc->text.at++;
	*out_texts = (struct ath_texts){ items, len };
	return true;
}

static bool is_flag(enum ath_ini_key key)
{
	return key == ATH_INI_RECURSIVE_VERSION_LOCATIONS || key == ATH_INI_SOURCELESS;
}

/* A setting that is a list, written as an array. */
static bool read_list_setting(struct document *doc, enum ath_ini_key key,
			      struct ath_ini_field *field)
{
	unsigned line = doc->text.line;
	struct ath_texts texts = { 0 };
	bool is_plain = true;

	if (!read_array(doc, &texts, &is_plain))
		return false;
	*field = is_plain ? ath_ini_value_texts(key, line, texts)
			  : ath_ini_value_refuse(
				    line, "the array has an item that is not a plain string");
	return true;
}

/* A setting in quotes: only one that is neither a list nor a flag keeps it. */
static bool read_text_setting(struct document *doc, enum ath_ini_key key,
			      struct ath_ini_field *field)
{
	unsigned line = doc->text.line;
	const char *text = NULL;

	if (!read_text(doc, &text))
		return false;
	if (!text)
		field->reason = "a reference with % cannot be followed here";
	else if (!ath_ini_value_is_list(key) && !is_flag(key))
		*field = ath_ini_value_text(key, line, text);
	return true;
}

/* Anything else: only true and false mean something, and to a flag only. */
static bool read_bare_setting(struct document *doc, enum ath_ini_key key,
			      struct ath_ini_field *field)
{
	static const char *const values[] = { "true", "false" };
	unsigned line = doc->text.line;
	const char *start = doc->text.at;

	if (!ath_toml_skip_value(&doc->text))
		return false;
	while (doc->text.at > start && (doc->text.at[-1] == ' ' || doc->text.at[-1] == '\t'))
		doc->text.at--;
	for (size_t i = 0; is_flag(key) && i < sizeof(values) / sizeof(values[0]); i++) {
		size_t len = strlen(values[i]);

		if ((size_t)(doc->text.at - start) == len && memcmp(start, values[i], len) == 0)
			*field = ath_ini_value_text(key, line, values[i]);
	}
	return true;
}

/* The value of a setting; Alembic takes each only in its own type. */
static bool read_setting(struct document *doc, enum ath_ini_key key, struct ath_ini_field *field)
{
	char first = *doc->text.at;

	*field = ath_ini_value_refuse(doc->text.line,
				      "the value is not of the type that Alembic reads");
	if (first == '[' && ath_ini_value_is_list(key))
		return read_list_setting(doc, key, field);
	if ((first == '"' || first == '\'') && !ath_toml_is_long_string(&doc->text))
		return read_text_setting(doc, key, field);
	return read_bare_setting(doc, key, field);
}

static bool read_pair(struct document *doc)
{
	struct ath_toml_path path = doc->table;
	struct ath_ini_field *field;
	enum ath_ini_key key = 0;

	if (!ath_toml_read_key(&doc->text, &path))
		return false;
	if (ath_toml_peek(&doc->text, 0) != '=')
		return ath_toml_fail(&doc->text, "a statement is not understood as TOML");
	doc->text.at++;
	ath_toml_skip_blanks(&doc->text);
	note_strange(doc, &path);
	field = find_field(doc, &path, &key);
	if (field && path.len > 3)
		*field = ath_ini_value_refuse(doc->text.line, "the setting is a table");
	if (!field || path.len > 3)
		return ath_toml_skip_value(&doc->text) && ath_toml_end_line(&doc->text);
	if (field->state != ATH_INI_ABSENT)
		return ath_toml_fail(&doc->text, "a setting is there twice");
	if (doc->text.at == doc->text.end)
		return ath_toml_fail(&doc->text, "a value is missing");
	return read_setting(doc, key, field) && ath_toml_end_line(&doc->text);
}

bool ath_ini_read_toml(const struct ath_ini_source *source, struct ath_arena *arena,
		       struct ath_ini *out_ini, struct ath_err *err)
{
	struct document doc = {
		.text = { .name = source->name,
			  .at = source->text,
			  .end = source->text + source->len,
			  .line = 1,
			  .arena = arena,
			  .err = err },
		.source = source,
	};

	if (!ath_ini_value_check(source, err))
		return false;
	for (ath_toml_skip_lines(&doc.text); doc.text.at < doc.text.end;
	     ath_toml_skip_lines(&doc.text)) {
		if (!(*doc.text.at == '[' ? read_header(&doc) : read_pair(&doc)))
			return false;
	}
	for (enum ath_ini_key key = 0; doc.is_strange && key < ATH_INI_URL; key++)
		doc.ini.fields[key] = ath_ini_value_refuse(
			doc.strange_line, "tool.alembic is written in a form that is not read");
	doc.ini.has_section = doc.ini.has_section || doc.is_strange;
	*out_ini = doc.ini;
	return true;
}
