/* SPDX-License-Identifier: MIT */
/*
 * plan/graph: steps and edges, their order, and a cycle told with its path.
 *
 * Steps are numbered as in the spec. The order is topological (Kahn, Communications of the ACM 5,
 * 1962), ties in the order of the spec, so that equal specs give equal plans.
 */
#ifndef ATH_PLAN_GRAPH_H
#define ATH_PLAN_GRAPH_H

#include <stddef.h>

#include "plan/spec.h"

/* Edges of one step; indexes into the spec. */
struct ath_graph_node {
	const size_t *needs;
	size_t needs_len;
	const size_t *wanted_by;
	size_t wanted_len;
};

struct ath_graph {
	const struct ath_graph_node *nodes; /* one per step of the spec */
	const size_t *order;                /* every step once, after all that it needs */
	size_t len;
};

/*
 * Build the graph of a spec in `arena`.
 * Fails with: ATH_ERR_RECIPE (duplicate name, unknown need, cycle with its path; positioned).
 */
ATH_NODISCARD bool ath_graph_build(const struct ath_spec *spec, struct ath_arena *arena,
				   struct ath_graph *out_graph, struct ath_err *err);

/* Index of the step with that name, or spec->len. */
size_t ath_graph_find(const struct ath_spec *spec, const char *name);

#endif
