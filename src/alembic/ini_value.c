/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini_value: from the text of a setting to the field that it makes.
 *
 * A location is static if it is a path to Alembic: "pkg:path" is looked up through Python's
 * packages, and braces are placeholders that a project fills in by itself.
 */
#include "alembic/ini_value.h"

#include <string.h>

struct ath_ini_field ath_ini_value_refuse(unsigned line, const char *reason)
{
	return (struct ath_ini_field){ .state = ATH_INI_NOT_STATIC,
				       .reason = reason,
				       .line = line };
}

bool ath_ini_value_is_list(enum ath_ini_key key)
{
	return key == ATH_INI_VERSION_LOCATIONS || key == ATH_INI_PREPEND_SYS_PATH;
}

static bool has_control(const char *text)
{
	while ((unsigned char)*text >= ' ' && *text != 0x7f)
		text++;
	return *text;
}

/* Why a text is no static value of that key, or NULL. */
static const char *find_obstacle(enum ath_ini_key key, const char *text)
{
	if (has_control(text))
		return "the value holds a line end or another control character";
	if (key != ATH_INI_SCRIPT_LOCATION && !ath_ini_value_is_list(key))
		return NULL;
	if (!*text)
		return "a path is empty";
	if (key == ATH_INI_PREPEND_SYS_PATH)
		return NULL;
	if (strpbrk(text, "{}"))
		return "the location has a placeholder";
	if (text[0] != '/' && strchr(text, ':'))
		return "the location names a Python package";
	return NULL;
}

struct ath_ini_field ath_ini_value_text(enum ath_ini_key key, unsigned line, const char *text)
{
	const char *obstacle = find_obstacle(key, text);

	if (obstacle)
		return ath_ini_value_refuse(line, obstacle);
	return (struct ath_ini_field){ .state = ATH_INI_VALUE, .text = text, .line = line };
}

struct ath_ini_field ath_ini_value_texts(enum ath_ini_key key, unsigned line,
					 struct ath_texts texts)
{
	for (size_t i = 0; i < texts.len; i++) {
		const char *obstacle = find_obstacle(key, texts.items[i]);

		if (obstacle)
			return ath_ini_value_refuse(line, obstacle);
	}
	return (struct ath_ini_field){ .state = ATH_INI_VALUE, .texts = texts, .line = line };
}

bool ath_ini_value_check(const struct ath_ini_source *source, struct ath_err *err)
{
	struct ath_pos pos = { .file = source->name };

	if (source->len > ATH_INI_BYTES_MAX)
		return ath_err_at(err, ATH_ERR_LIMIT, pos, "'%s' is longer than 1 MiB",
				  source->name);
	if (source->len && memchr(source->text, '\0', source->len))
		return ath_err_at(err, ATH_ERR_CHAIN, pos, "'%s' holds a NUL byte", source->name);
	return true;
}

const char *ath_ini_key_name(enum ath_ini_key key)
{
	static const char *const names[ATH_INI_KEY_COUNT_] = {
		[ATH_INI_SCRIPT_LOCATION] = "script_location",
		[ATH_INI_VERSION_LOCATIONS] = "version_locations",
		[ATH_INI_PREPEND_SYS_PATH] = "prepend_sys_path",
		[ATH_INI_PATH_SEPARATOR] = "path_separator",
		[ATH_INI_VERSION_PATH_SEPARATOR] = "version_path_separator",
		[ATH_INI_RECURSIVE_VERSION_LOCATIONS] = "recursive_version_locations",
		[ATH_INI_SOURCELESS] = "sourceless",
		[ATH_INI_URL] = "sqlalchemy.url",
	};

	return names[key];
}
