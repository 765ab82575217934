/* SPDX-License-Identifier: MIT */
/*
 * recipe/bind: a section by its table, with hints for misspelt words.
 *
 * The distance of two words is the number of letters to insert, remove, replace or swap with their
 * neighbour (optimal string alignment), on three rows of a table of fixed size.
 */
#include "recipe/bind.h"

#include <string.h>

enum {
	MOST_LETTERS = 40, /* longer words get no hint */
	MOST_FIELDS = 16,  /* keys of one section */
	MOST_SLIPS = 2,
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both words have at most MOST_LETTERS letters. */
static size_t distance(const char *one, const char *other)
{
	size_t table[3][MOST_LETTERS + 1] = { { 0 } };
	size_t one_len = strlen(one), other_len = strlen(other);

	for (size_t j = 0; j <= other_len; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= one_len; i++) {
		size_t *row = table[i % 3], *above = table[(i + 2) % 3];
		const size_t *second = table[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= other_len; j++) {
			bool is_same = one[i - 1] == other[j - 1];

			row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + !is_same);
			if (i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
			    one[i - 2] == other[j - 1])
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return table[one_len % 3][other_len];
}

const char *ath_bind_closest(const char *word, const char *const *known, size_t len)
{
	size_t letters = strlen(word);
	size_t best = letters < 4 ? 1 : MOST_SLIPS;
	const char *closest = NULL;

	if (letters < 2 || letters > MOST_LETTERS)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		size_t slips;

		if (strlen(known[i]) > MOST_LETTERS)
			continue;
		slips = distance(word, known[i]);
		if (slips > best || (closest && slips == best))
			continue;
		best = slips;
		closest = known[i];
	}
	return closest;
}

static bool check_keys(const struct ath_field *fields, const struct ath_value *map,
		       const char *what, struct ath_err *err)
{
	const char *names[MOST_FIELDS];
	size_t len = 0;

	for (; fields[len].name && len < MOST_FIELDS; len++)
		names[len] = fields[len].name;
	ATH_VALUE_EACH (map, entry) {
		const char *closest = ath_bind_closest(entry->key, names, len);

		if (closest && strcmp(closest, entry->key) != 0)
			return ath_err_at(err, ATH_ERR_RECIPE, entry->key_pos,
					  "unknown key '%s' in %s: did you mean '%s'?", entry->key,
					  what, closest);
	}
	return true;
}

/* A list's fault is reported at its item. */
static bool check_items(const struct ath_field *field, const struct ath_value *list,
			const char *what, struct ath_err *err)
{
	bool is_list = field->type == ATH_FIELD_TEXTS || field->type == ATH_FIELD_ARGV ||
		       field->type == ATH_FIELD_PATHS;

	if (!is_list || list->kind != ATH_VALUE_LIST)
		return true;
	ATH_VALUE_EACH (list, one) {
		if (one->kind != ATH_VALUE_TEXT)
			return ath_err_at(err, ATH_ERR_RECIPE, one->pos,
					  "'%s' in %s is a list of texts, and this is %s",
					  field->name, what, ath_value_kind_name(one->kind));
		if (field->type == ATH_FIELD_PATHS && !ath_field_is_path(one->text))
			return ath_err_at(err, ATH_ERR_RECIPE, one->pos,
					  "'%s' in %s takes relative paths inside the "
					  "application's folder",
					  field->name, what);
	}
	return true;
}

static bool check_lists(const struct ath_field *fields, const struct ath_value *map,
			const char *what, struct ath_err *err)
{
	for (; fields->name; fields++) {
		const struct ath_value *value = ath_value_find(map, fields->name);

		if (value && !check_items(fields, value, what, err))
			return false;
	}
	return true;
}

bool ath_bind_section(const struct ath_field *fields, const struct ath_value *map, const char *what,
		      struct ath_arena *arena, void *config, struct ath_err *err)
{
	if (map->kind == ATH_VALUE_MAP &&
	    (!check_keys(fields, map, what, err) || !check_lists(fields, map, what, err)))
		return false;
	return ath_field_bind(fields, map, what, arena, config, err);
}
