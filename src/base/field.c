/* SPDX-License-Identifier: MIT */
/* base/field: from a value tree to a configuration struct, by a table. */
#include "base/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const expected[] = {
	[ATH_FIELD_TEXT] = "a text",
	[ATH_FIELD_PATH] = "a relative path inside the application's folder",
	[ATH_FIELD_BOOL] = "true or false",
	[ATH_FIELD_COUNT] = "a whole number from 0 to 1000000",
	[ATH_FIELD_DURATION] = "a duration such as 90s, 30m or 2h",
	[ATH_FIELD_MODE] = "an octal mode such as 0750",
	[ATH_FIELD_TEXTS] = "a list of texts",
	[ATH_FIELD_PATHS] = "a list of relative paths inside the application's folder",
	[ATH_FIELD_ARGV] = "an argument vector such as [python, init.py]",
	[ATH_FIELD_VALUE] = "a value",
};

bool ath_field_is_path(const char *path)
{
	const char *part = path;

	if (!*path || *path == '/')
		return false;
	for (const char *at = path;; at++) {
		if (((unsigned char)*at < 0x20 && *at) || *at == 0x7f)
			return false;
		if (*at && *at != '/')
			continue;
		if (at == part || (at - part == 2 && part[0] == '.' && part[1] == '.'))
			return !*at && at == part; /* a slash at the end is harmless */
		if (!*at)
			return true;
		part = at + 1;
	}
}

bool ath_field_read_duration(const char *text, uint64_t *out_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
	char *end;
	unsigned long long number;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || number > 10000000)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*out_ms = number * units[i].ms;
			return true;
		}
	}
	return false;
}

static bool is_text(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

static bool read_number(const char *text, int base, unsigned long most, unsigned *out)
{
	char *end;
	unsigned long number;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, base);
	if (errno || *end || number > most)
		return false;
	*out = (unsigned)number;
	return true;
}

static bool read_bool(const struct ath_value *value, bool *out)
{
	bool is_true = strcmp(value->text, "true") == 0;

	if (value->is_quoted || (!is_true && strcmp(value->text, "false") != 0))
		return false;
	*out = is_true;
	return true;
}

static bool bind_texts(const struct ath_value *value, enum ath_field_type type,
		       struct ath_arena *arena, struct ath_texts *out)
{
	bool is_one = value->kind == ATH_VALUE_TEXT && type == ATH_FIELD_PATHS;
	const char **items;
	size_t len = 0;

	if (value->kind != ATH_VALUE_LIST && !is_one)
		return false;
	for (const struct ath_value *one = is_one ? value : value->items; one; one = one->next) {
		if (one->kind != ATH_VALUE_TEXT || !is_text(one->text))
			return false;
		if (type == ATH_FIELD_PATHS && !ath_field_is_path(one->text))
			return false;
		len++;
		if (is_one)
			break;
	}
	if (type == ATH_FIELD_ARGV && (!len || !value->items->text[0]))
		return false;
	items = ath_arena_new(arena, len + 1, sizeof(*items));
	len = 0;
	for (const struct ath_value *one = is_one ? value : value->items; one; one = one->next) {
		items[len++] = one->text;
		if (is_one)
			break;
	}
	*out = (struct ath_texts){ items, len };
	return true;
}

static bool bind_scalar(const struct ath_value *value, enum ath_field_type type, void *member)
{
	if (value->kind != ATH_VALUE_TEXT)
		return false;
	switch (type) {
	case ATH_FIELD_TEXT:
		*(const char **)member = value->text;
		return is_text(value->text);
	case ATH_FIELD_PATH:
		*(const char **)member = value->text;
		return ath_field_is_path(value->text);
	case ATH_FIELD_BOOL:
		return read_bool(value, member);
	case ATH_FIELD_COUNT:
		return read_number(value->text, 10, 1000000, member);
	case ATH_FIELD_MODE:
		return read_number(value->text, 8, 07777, member);
	case ATH_FIELD_DURATION:
		return ath_field_read_duration(value->text, member);
	default:
		return false;
	}
}

static bool bind_one(const struct ath_field *field, const struct ath_value *value,
		     struct ath_arena *arena, void *config)
{
	void *member = (char *)config + field->offset;

	switch (field->type) {
	case ATH_FIELD_VALUE:
		*(const struct ath_value **)member = value;
		return true;
	case ATH_FIELD_TEXTS:
	case ATH_FIELD_PATHS:
	case ATH_FIELD_ARGV:
		return bind_texts(value, field->type, arena, member);
	default:
		return bind_scalar(value, field->type, member);
	}
}

static const struct ath_field *find_field(const struct ath_field *fields, const char *name)
{
	for (; fields->name; fields++) {
		if (strcmp(fields->name, name) == 0)
			return fields;
	}
	return NULL;
}

static bool report_unknown(const struct ath_field *fields, const struct ath_value *entry,
			   const char *what, struct ath_err *err)
{
	struct ath_str known = { 0 };

	for (; fields->name; fields++)
		ath_str_printf(&known, "%s%s", known.len ? ", " : "", fields->name);
	ath_err_at(err, ATH_ERR_RECIPE, entry->key_pos, "unknown key '%s' in %s: it takes %s",
		   entry->key, what, ath_str_get(&known));
	ath_str_fini(&known);
	return false;
}

bool ath_field_bind(const struct ath_field *fields, const struct ath_value *map, const char *what,
		    struct ath_arena *arena, void *config, struct ath_err *err)
{
	if (map->kind != ATH_VALUE_MAP)
		return ath_err_at(err, ATH_ERR_RECIPE, map->pos, "%s must be a mapping, not %s",
				  what, ath_value_kind_name(map->kind));
	ATH_VALUE_EACH (map, entry) {
		const struct ath_field *field = find_field(fields, entry->key);

		if (!field)
			return report_unknown(fields, entry, what, err);
		if (!bind_one(field, entry, arena, config))
			return ath_err_at(err, ATH_ERR_RECIPE, entry->pos, "'%s' in %s must be %s",
					  entry->key, what, expected[field->type]);
	}
	for (; fields->name; fields++) {
		if (fields->is_required && !ath_value_find(map, fields->name))
			return ath_err_at(err, ATH_ERR_RECIPE, map->pos, "%s needs the key '%s'",
					  what, fields->name);
	}
	return true;
}
