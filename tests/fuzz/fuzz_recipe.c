/* SPDX-License-Identifier: MIT */
/*
 * tests/fuzz/fuzz_recipe: a recipe's text may be anything.
 *
 * Beyond "no crash": a failure has a place inside the text, and what is accepted is written and read
 * again as the same recipe.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "recipe/check.h"
#include "recipe/graph.h"
#include "recipe/load.h"
#include "recipe/peek.h"
#include "recipe/secrets.h"
#include "recipe/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void demand(bool is_true, const char *what, const char *detail)
{
	if (is_true)
		return;
	fprintf(stderr, "%s: %s\n", what, detail);
	abort();
}

static size_t count_lines(const char *text, size_t len)
{
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* `recipe` is zeroed; released by the caller whatever comes out. */
static bool read_recipe(const char *text, size_t len, struct ath_recipe *recipe,
			struct ath_err *err)
{
	const struct ath_load_source source = { text, len, "athanor.yaml" };
	const struct ath_value *tree;

	recipe->root = "/srv/application";
	ath_check_defaults(recipe);
	return ath_load_text(&source, &recipe->arena, &tree, err) &&
	       ath_check_recipe(tree, recipe, err);
}

static void check_again(const struct ath_recipe *recipe)
{
	struct ath_str first = { 0 }, second = { 0 };
	struct ath_recipe again = { 0 };
	struct ath_err err = { 0 };

	ath_recipe_write(recipe, &first);
	demand(read_recipe(ath_str_get(&first), first.len, &again, &err), err.msg,
	       ath_str_get(&first));
	ath_recipe_write(&again, &second);
	demand(strcmp(ath_str_get(&first), ath_str_get(&second)) == 0, ath_str_get(&first),
	       ath_str_get(&second));
	ath_recipe_fini(&again);
	ath_str_fini(&first);
	ath_str_fini(&second);
}

static void check_recipe(const char *text, size_t len)
{
	struct ath_recipe recipe = { 0 };
	struct ath_err err = { 0 };

	if (read_recipe(text, len, &recipe, &err)) {
		check_again(&recipe);
	} else {
		demand(err.code == ATH_ERR_RECIPE || err.code == ATH_ERR_LIMIT, "code", err.msg);
		demand(err.pos.line <= count_lines(text, len), "line", err.msg);
		demand(err.pos.line || len > ATH_LOAD_BYTES, "no line", err.msg);
	}
	ath_recipe_fini(&recipe);
}

/* The looks of discovery take the same bytes. */
static void check_looks(const char *text)
{
	struct ath_arena arena = { 0 };
	struct ath_peek_alembic found;

	ath_peek_ini(text, &arena, &found);
	ath_peek_pyproject(text, &arena, &found);
	(void)ath_peek_has_table(text, "project"); /* only that it ends */
	(void)ath_peek_has_build(text);
	(void)ath_secrets_find(text, "app", &arena);
	ath_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ath_str text = { 0 };

	check_recipe((const char *)bytes, len);
	ath_str_add(&text, (const char *)bytes, len);
	check_looks(ath_str_get(&text));
	ath_str_fini(&text);
	return 0;
}
