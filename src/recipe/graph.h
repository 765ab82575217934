/* SPDX-License-Identifier: MIT */
/*
 * recipe/graph: the default graph of a recipe, and its own steps, as a plan's input.
 *
 * The table in graph.c is the default graph of every recipe. Each step's configuration is a map with
 * the keys of its step type's field table (steps/); a test holds the two against each other.
 */
#ifndef ATH_RECIPE_GRAPH_H
#define ATH_RECIPE_GRAPH_H

#include "plan/spec.h"
#include "recipe/recipe.h"

/* The steps of a recipe, made in `arena`; texts are borrowed from the recipe. */
void ath_recipe_graph(const struct ath_recipe *recipe, struct ath_arena *arena,
		      struct ath_spec *out_spec);

/* Name of the idx-th step of the default graph, or NULL behind the last. */
const char *ath_recipe_graph_default(size_t idx);

/* Can an own step need this default step? Not if it stands inside a section that may be undone. */
bool ath_recipe_graph_can_be_needed(const char *name);

#endif
