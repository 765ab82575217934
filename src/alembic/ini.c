/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini: what must be known of an alembic.ini without Python.
 *
 * References %(name)s are followed ten deep, as ConfigParser does; lists are split and flags read as
 * Alembic does.
 */
#include "alembic/ini.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/ini_file.h"
#include "alembic/ini_value.h"

enum {
	DEPTH_MAX = 10,      /* of references; ConfigParser's own limit */
	STEPS_MAX = 10000,   /* references in one value */
	VALUE_MAX = 1 << 16, /* bytes of a value */
};

/* The raw text behind %(name)s, or NULL; `reference` begins behind the opening bracket. */
static const char *find_reference(const struct ath_ini_file *file, const char *section,
				  const char *reference, size_t len)
{
	char name[128];
	const struct ath_ini_option *option;

	if (!len || len >= sizeof(name))
		return NULL;
	for (size_t i = 0; i < len; i++)
		name[i] = reference[i] >= 'A' && reference[i] <= 'Z' ? reference[i] | 0x20
								     : reference[i];
	name[len] = '\0';
	option = ath_ini_file_find(file, section, name);
	if (option)
		return option->value;
	return strcmp(name, "here") == 0 && file->source->here && !strchr(file->source->here, '%')
		       ? file->source->here
		       : NULL;
}

/* One step of a value with references: text, "%%" or "%(name)s". False: not static. */
static bool expand_step(const struct ath_ini_file *file, const char *section, const char **stack,
			size_t *depth, struct ath_str *out)
{
	const char *rest = stack[*depth - 1], *close, *text;
	size_t plain = strcspn(rest, "%");

	ath_str_add(out, rest, plain);
	rest += plain;
	if (!*rest) {
		--*depth;
		return true;
	}
	if (rest[1] == '%') {
		ath_str_putc(out, '%');
		stack[*depth - 1] = rest + 2;
		return true;
	}
	close = rest[1] == '(' ? strchr(rest, ')') : NULL;
	if (!close || close[1] != 's')
		return false;
	text = find_reference(file, section, rest + 2, close - rest - 2);
	stack[*depth - 1] = close + 2;
	if (!text)
		return false;
	if (!strchr(text, '%')) {
		ath_str_puts(out, text);
		return true;
	}
	if (*depth == DEPTH_MAX)
		return false;
	stack[(*depth)++] = text;
	return true;
}

/* The value of an option with its references replaced, in the arena; NULL: not static. */
static const char *expand(const struct ath_ini_file *file, const char *section, const char *value)
{
	const char *stack[DEPTH_MAX] = { value }, *text = NULL;
	struct ath_str out = { 0 };
	size_t depth = 1, steps = 0;
	bool is_static = true;

	while (is_static && depth)
		is_static = ++steps <= STEPS_MAX && out.len <= VALUE_MAX &&
			    expand_step(file, section, stack, &depth, &out);
	if (is_static)
		text = ath_arena_strndup(file->arena, ath_str_get(&out), out.len);
	ath_str_fini(&out);
	return text;
}

/*
 * Where a list is cut. Alembic's older form, without a separator named, cuts at ", *" and " +",
 * and sys.path at ":" as well.
 */
static size_t gap_len(const char *at, char separator, bool cuts_colon)
{
	size_t len = 1;

	if (separator)
		return *at == separator;
	if (*at == ':')
		return cuts_colon;
	if (*at != ',' && *at != ' ')
		return 0;
	return len + strspn(at + 1, " ");
}

static struct ath_texts split(struct ath_arena *arena, const char *value, char separator,
			      bool cuts_colon)
{
	const char **items = ath_arena_new(arena, strlen(value) + 2, sizeof(*items));
	size_t len = 0;

	for (const char *start = value, *at = value;;) {
		size_t gap = *at ? gap_len(at, separator, cuts_colon) : 0;

		if (*at && !gap) {
			at++;
			continue;
		}
		if (!separator || at > start) {
			struct ath_ini_span item =
				separator ? ath_ini_file_strip(start, at - start)
					  : (struct ath_ini_span){ start, at - start };

			items[len++] = ath_arena_strndup(arena, item.at, item.len);
		}
		if (!*at)
			break;
		at += gap;
		start = at;
	}
	return (struct ath_texts){ items, len };
}

/* The character that a separator's name means; '\0' for no known name. */
static char separator_of(const char *name)
{
	static const struct {
		const char *name;
		char separator;
	} known[] = {
		{ "space", ' ' }, { "newline", '\n' }, { "os", ':' }, { ":", ':' }, { ";", ';' }
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].separator;
	return '\0';
}

/* The separator field that rules a list, or NULL for the older form. */
static const struct ath_ini_field *find_separator(const struct ath_ini *ini, enum ath_ini_key key)
{
	const struct ath_ini_field *field = &ini->fields[ATH_INI_PATH_SEPARATOR];

	if (field->state == ATH_INI_ABSENT && key == ATH_INI_VERSION_LOCATIONS)
		field = &ini->fields[ATH_INI_VERSION_PATH_SEPARATOR];
	return field->state == ATH_INI_ABSENT ? NULL : field;
}

static struct ath_ini_field make_list(const struct ath_ini_file *file, const struct ath_ini *ini,
				      enum ath_ini_key key, unsigned line, const char *value)
{
	const struct ath_ini_field *field = find_separator(ini, key);
	char separator = field && field->state == ATH_INI_VALUE ? separator_of(field->text) : '\0';

	if (!*value)
		return (struct ath_ini_field){ .state = ATH_INI_ABSENT };
	if (strlen(value) > 4096)
		return ath_ini_value_refuse(line, "the list is too long");
	if (field && !separator)
		return ath_ini_value_refuse(line, "the separator of the list is not known");
	return ath_ini_value_texts(
		key, line, split(file->arena, value, separator, key == ATH_INI_PREPEND_SYS_PATH));
}

static struct ath_ini_field make_field(const struct ath_ini_file *file, const struct ath_ini *ini,
				       const char *section, enum ath_ini_key key)
{
	const struct ath_ini_option *option =
		ath_ini_file_find(file, section, ath_ini_key_name(key));
	const char *value;

	if (!option)
		return (struct ath_ini_field){ .state = ATH_INI_ABSENT };
	value = expand(file, section, option->value);
	if (!value)
		return ath_ini_value_refuse(option->line,
					    "a reference with % cannot be followed here");
	if (ath_ini_value_is_list(key))
		return make_list(file, ini, key, option->line, value);
	if (key == ATH_INI_RECURSIVE_VERSION_LOCATIONS || key == ATH_INI_SOURCELESS)
		value = strcmp(value, "true") == 0 ? "true" : "false";
	return ath_ini_value_text(key, option->line, value);
}

static void read_section(const struct ath_ini_file *file, const char *section, struct ath_ini *ini)
{
	/* the lists last: they need the separators */
	for (enum ath_ini_key key = 0; key < ATH_INI_KEY_COUNT_; key++)
		if (!ath_ini_value_is_list(key))
			ini->fields[key] = make_field(file, ini, section, key);
	for (enum ath_ini_key key = 0; key < ATH_INI_KEY_COUNT_; key++)
		if (ath_ini_value_is_list(key))
			ini->fields[key] = make_field(file, ini, section, key);
}

bool ath_ini_read(const struct ath_ini_source *source, const char *section, struct ath_arena *arena,
		  struct ath_ini *out_ini, struct ath_err *err)
{
	struct ath_ini_file file = { .source = source, .arena = arena, .err = err };
	struct ath_ini ini = { 0 };
	bool is_read = ath_ini_file_load(&file);

	ath_vec_each (&file.sections, one)
		if (strcmp(one->name, section) == 0 && strcmp(section, "DEFAULT") != 0)
			ini.has_section = true;
	if (is_read && ini.has_section)
		read_section(&file, section, &ini);
	if (is_read)
		*out_ini = ini;
	ath_ini_file_fini(&file);
	return is_read;
}

bool ath_ini_find_environments(const struct ath_ini_source *source, struct ath_arena *arena,
			       struct ath_texts *out_names, struct ath_err *err)
{
	struct ath_ini_file file = { .source = source, .arena = arena, .err = err };
	bool is_read = ath_ini_file_load(&file);

	if (is_read) {
		const char **names = ath_arena_new(arena, file.sections.len + 1, sizeof(*names));
		size_t len = 0;

		ath_vec_each (&file.sections, one)
			if (strcmp(one->name, "DEFAULT") != 0 &&
			    ath_ini_file_find_own(&file, one->name, "script_location"))
				names[len++] = one->name;
		*out_names = (struct ath_texts){ names, len };
	}
	ath_ini_file_fini(&file);
	return is_read;
}
