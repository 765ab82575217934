/* SPDX-License-Identifier: MIT */
/* recipe/own: the operator's own steps. */
#include "recipe/own.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/bind.h"
#include "recipe/graph.h"

enum {
	MOST_NAME = 64, /* bytes of a step's name, which is the name of its log too */
};

/* A step with what is read further. */
struct own_form {
	struct ath_recipe_step step;
	const char *when; /* or NULL */
};

#define OWN(key, kind, required, member, text)                                            \
	{                                                                                 \
#key, ATH_FIELD_##kind, required, offsetof(struct own_form, member), text \
	}

const struct ath_field ath_own_fields[] = {
	OWN(run, ARGV, true, step.run, "Command, as an argument vector."),
	OWN(in, PATH, false, step.in, "Folder in which it runs."),
	OWN(needs, TEXTS, false, step.needs, "Steps that must have succeeded before."),
	OWN(optional, BOOL, false, step.optional, "Its failure stops nothing."),
	OWN(always, BOOL, false, step.always, "Runs after a failure too."),
	OWN(timeout, DURATION, false, step.timeout_ms, "Longest time that it may take."),
	OWN(retries, COUNT, false, step.retries, "Further attempts after the first."),
	OWN(creates, PATHS, false, step.creates, "Paths whose existence proves its effect."),
	OWN(inputs, PATHS, false, step.inputs, "Paths whose contents decide if it runs again."),
	OWN(check, ARGV, false, step.check, "Command whose success proves its effect."),
	OWN(when, TEXT, false, when, "Condition: fact=value or fact!=value."),
	{ 0 },
};

static bool is_default(const char *name)
{
	const char *known;

	for (size_t i = 0; (known = ath_recipe_graph_default(i)); i++) {
		if (strcmp(known, name) == 0)
			return true;
	}
	return false;
}

static bool check_name(const struct ath_value *entry, struct ath_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-";
	size_t len = strlen(entry->key);

	if (is_default(entry->key))
		return ath_err_at(err, ATH_ERR_RECIPE, entry->key_pos,
				  "'%s' is the name of a step that every recipe has: choose "
				  "another name",
				  entry->key);
	if (!len || len > MOST_NAME || !strchr(letters, entry->key[0]) ||
	    strspn(entry->key, others) != len)
		return ath_err_at(err, ATH_ERR_RECIPE, entry->key_pos,
				  "the name of a step is a letter and then letters, digits, '_' "
				  "or '-', at most %d in all",
				  MOST_NAME);
	return true;
}

static bool read_step(const struct ath_value *entry, struct ath_recipe *recipe,
		      struct ath_recipe_step *out_step, struct ath_err *err)
{
	struct own_form form = { .step = { .name = entry->key, .pos = entry->key_pos } };
	const char *what = ath_arena_printf(&recipe->arena, "step '%.64s'", entry->key);

	if (!check_name(entry, err) ||
	    !ath_bind_section(ath_own_fields, entry, what, &recipe->arena, &form, err))
		return false;
	form.step.has_needs = ath_value_find(entry, "needs") != NULL;
	if (form.when && !ath_spec_read_when(form.when, &recipe->arena, &form.step.when))
		return ath_err_at(err, ATH_ERR_RECIPE, ath_value_find(entry, "when")->pos,
				  "'when' in %s must be fact=value or fact!=value", what);
	*out_step = form.step;
	return true;
}

static int compare_texts(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* All names of steps, sorted; the caller frees. */
static const char **list_names(const struct ath_recipe *recipe, size_t *out_len)
{
	size_t len = 0;
	const char **names;

	while (ath_recipe_graph_default(len))
		len++;
	names = ath_mem_new(len + recipe->steps_len, sizeof(*names));
	for (size_t i = 0; i < len; i++)
		names[i] = ath_recipe_graph_default(i);
	for (size_t i = 0; i < recipe->steps_len; i++)
		names[len++] = recipe->steps[i].name;
	qsort(names, len, sizeof(*names), compare_texts);
	*out_len = len;
	return names;
}

static bool check_need(const struct ath_value *need, const char *step, const char *const *names,
		       size_t len, struct ath_err *err)
{
	const char *closest;

	if (!bsearch(&need->text, names, len, sizeof(*names), compare_texts)) {
		closest = ath_bind_closest(need->text, names, len);
		return ath_err_at(err, ATH_ERR_RECIPE, need->pos,
				  "step '%s' needs '%s', and there is no such step%s%s%s", step,
				  need->text, closest ? ": did you mean '" : "",
				  closest ? closest : "", closest ? "'?" : "");
	}
	if (!ath_recipe_graph_can_be_needed(need->text))
		return ath_err_at(err, ATH_ERR_RECIPE, need->pos,
				  "step '%s' cannot need '%s', which is undone if a later step of "
				  "the database fails: it can need 'commit'",
				  step, need->text);
	return true;
}

static bool check_needs(const struct ath_value *section, const struct ath_recipe *recipe,
			struct ath_err *err)
{
	size_t len;
	const char **names = list_names(recipe, &len);
	bool is_right = true;

	ATH_VALUE_EACH (section, entry) {
		const struct ath_value *needs = ath_value_find(entry, "needs");

		for (const struct ath_value *one = needs ? needs->items : NULL; one && is_right;
		     one = one->next)
			is_right = check_need(one, entry->key, names, len, err);
	}
	free(names);
	return is_right;
}

bool ath_own_read(const struct ath_value *section, struct ath_recipe *recipe, struct ath_err *err)
{
	struct ath_recipe_step *steps;
	size_t len = 0;

	if (section->kind != ATH_VALUE_MAP)
		return ath_err_at(err, ATH_ERR_RECIPE, section->pos,
				  "'steps' must be a mapping, not %s",
				  ath_value_kind_name(section->kind));
	ATH_VALUE_EACH (section, entry)
		len++;
	steps = ath_arena_new(&recipe->arena, len, sizeof(*steps));
	len = 0;
	ATH_VALUE_EACH (section, entry) {
		if (!read_step(entry, recipe, &steps[len++], err))
			return false;
	}
	recipe->steps = steps;
	recipe->steps_len = len;
	return check_needs(section, recipe, err);
}
