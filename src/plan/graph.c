/* SPDX-License-Identifier: MIT */
/*
 * plan/graph: steps and edges, their order, and a cycle told with its path.
 *
 * Names are resolved through a sorted table, so building is O((n + e) log n) and 100,000 steps are
 * ordinary. Nothing recurses over the operator's data.
 */
#include "plan/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/mem.h"
#include "base/str.h"

struct name_row {
	const char *name;
	size_t idx;
};

static int compare_names(const void *one, const void *other)
{
	const struct name_row *a = one, *b = other;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->idx > b->idx) - (a->idx < b->idx);
}

static int compare_key(const void *key, const void *row)
{
	return strcmp(key, ((const struct name_row *)row)->name);
}

/* All names, sorted; the caller frees. */
static struct name_row *sort_names(const struct ath_spec *spec)
{
	struct name_row *rows = ath_mem_new(spec->len, sizeof(*rows));

	for (size_t i = 0; i < spec->len; i++)
		rows[i] = (struct name_row){ spec->steps[i].name, i };
	qsort(rows, spec->len, sizeof(*rows), compare_names);
	return rows;
}

static bool check_unique(const struct ath_spec *spec, const struct name_row *rows,
			 struct ath_err *err)
{
	for (size_t i = 1; i < spec->len; i++) {
		if (strcmp(rows[i - 1].name, rows[i].name) == 0)
			return ath_err_at(err, ATH_ERR_RECIPE, spec->steps[rows[i].idx].pos,
					  "there are two steps named '%s'", rows[i].name);
	}
	return true;
}

static bool resolve_needs(const struct ath_spec *spec, const struct name_row *rows,
			  struct ath_arena *arena, struct ath_graph_node *nodes,
			  struct ath_err *err)
{
	for (size_t i = 0; i < spec->len; i++) {
		const struct ath_spec_step *step = &spec->steps[i];
		size_t *needs = ath_arena_new(arena, step->needs.len, sizeof(*needs));

		for (size_t n = 0; n < step->needs.len; n++) {
			const char *name = step->needs.items[n];
			const struct name_row *row =
				bsearch(name, rows, spec->len, sizeof(*rows), compare_key);

			if (!row)
				return ath_err_at(err, ATH_ERR_RECIPE, step->pos,
						  "step '%s' needs '%s', and there is no such step",
						  step->name, name);
			needs[n] = row->idx;
			nodes[row->idx].wanted_len++;
		}
		nodes[i].needs = needs;
		nodes[i].needs_len = step->needs.len;
	}
	return true;
}

static void reverse_edges(struct ath_arena *arena, struct ath_graph_node *nodes, size_t len)
{
	size_t **wanted = ath_mem_new(len, sizeof(*wanted));

	for (size_t i = 0; i < len; i++) {
		wanted[i] = ath_arena_new(arena, nodes[i].wanted_len, sizeof(**wanted));
		nodes[i].wanted_by = wanted[i];
		nodes[i].wanted_len = 0;
	}
	for (size_t i = 0; i < len; i++) {
		for (size_t n = 0; n < nodes[i].needs_len; n++) {
			size_t need = nodes[i].needs[n];

			wanted[need][nodes[need].wanted_len++] = i;
		}
	}
	free(wanted);
}

/* Fills `order`; returns how many steps have a place in it. `waiting` keeps the open needs. */
static size_t sort(const struct ath_graph_node *nodes, size_t len, size_t *order, size_t *waiting)
{
	size_t *heap = ath_mem_new(len, sizeof(*heap)), heap_len = 0, done = 0;

	for (size_t i = 0; i < len; i++) {
		waiting[i] = nodes[i].needs_len;
		if (!waiting[i])
			ath_heap_push(heap, &heap_len, i);
	}
	while (heap_len) {
		size_t idx = ath_heap_pop(heap, &heap_len);

		order[done++] = idx;
		for (size_t n = 0; n < nodes[idx].wanted_len; n++) {
			if (--waiting[nodes[idx].wanted_by[n]] == 0)
				ath_heap_push(heap, &heap_len, nodes[idx].wanted_by[n]);
		}
	}
	free(heap);
	return done;
}

static size_t first_waiting_need(const struct ath_graph_node *node, const size_t *waiting)
{
	size_t n = 0;

	while (!waiting[node->needs[n]])
		n++;
	return node->needs[n];
}

/* Follow open needs from any waiting step: after `len` moves we stand on a circle. */
static bool report_cycle(const struct ath_spec *spec, const struct ath_graph_node *nodes,
			 const size_t *waiting, struct ath_err *err)
{
	struct ath_str path = { 0 };
	size_t start = 0, at;

	while (!waiting[start])
		start++;
	for (size_t i = 0; i < spec->len; i++)
		start = first_waiting_need(&nodes[start], waiting);
	for (at = first_waiting_need(&nodes[start], waiting); at != start;
	     at = first_waiting_need(&nodes[at], waiting))
		ath_str_printf(&path, "%s -> ", spec->steps[at].name);
	ath_err_at(err, ATH_ERR_RECIPE, spec->steps[start].pos, "steps need each other: %s -> %s%s",
		   spec->steps[start].name, ath_str_get(&path), spec->steps[start].name);
	ath_str_fini(&path);
	return false;
}

bool ath_graph_build(const struct ath_spec *spec, struct ath_arena *arena,
		     struct ath_graph *out_graph, struct ath_err *err)
{
	struct name_row *rows = sort_names(spec);
	struct ath_graph_node *nodes = ath_arena_new(arena, spec->len, sizeof(*nodes));
	size_t *order = ath_arena_new(arena, spec->len, sizeof(*order));
	size_t *waiting = ath_mem_new(spec->len, sizeof(*waiting));
	bool is_built =
		check_unique(spec, rows, err) && resolve_needs(spec, rows, arena, nodes, err);

	if (is_built) {
		reverse_edges(arena, nodes, spec->len);
		if (sort(nodes, spec->len, order, waiting) < spec->len)
			is_built = report_cycle(spec, nodes, waiting, err);
	}
	if (is_built)
		*out_graph = (struct ath_graph){ nodes, order, spec->len };
	free(waiting);
	free(rows);
	return is_built;
}

size_t ath_graph_find(const struct ath_spec *spec, const char *name)
{
	size_t idx = 0;

	while (idx < spec->len && strcmp(spec->steps[idx].name, name) != 0)
		idx++;
	return idx;
}
