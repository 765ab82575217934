/* SPDX-License-Identifier: MIT */
/*
 * alembic/chain: the revision graph: parents, branches, merges, heads, ancestors.
 *
 * One chain is one environment: ids never match across chains. Revisions are numbered as their
 * entries; a set of revisions is an array of truth values by that number, a list is an array of
 * numbers. There are two kinds of edge: `downs` make history, `depends_on` only orders. "Ancestor"
 * means over both; heads, bases and labels follow `downs` alone. A chain is const once built.
 */
#ifndef ATH_ALEMBIC_CHAIN_H
#define ATH_ALEMBIC_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"

enum {
	ATH_CHAIN_MAX = 10000, /* revisions of one environment; more are refused */
};

/* One revision as its file says it. A lone empty string in a list means none, as in Alembic. */
struct ath_chain_entry {
	const char *id;
	struct ath_texts downs;      /* ids */
	struct ath_texts depends_on; /* ids or labels */
	struct ath_texts labels;
	const char *file; /* for messages */
	unsigned line;    /* of the id, from 1; 0: unknown */
};

/* Numbers of revisions. */
struct ath_chain_list {
	const size_t *items;
	size_t len;
};

struct ath_chain_node {
	struct ath_chain_list downs;     /* parents by history, each once */
	struct ath_chain_list nexts;     /* children by history */
	struct ath_chain_list needs;     /* parents over both kinds of edge, each once */
	struct ath_chain_list wanted_by; /* children over both */
	size_t place;                    /* its index in `order` */
};

struct ath_chain_name; /* one row of the look-up table of ids */

struct ath_chain {
	const struct ath_chain_entry *entries; /* borrowed from the caller of build */
	const struct ath_chain_node *nodes;
	size_t len;
	struct ath_chain_list order;      /* every revision once, after all it needs; ties by id */
	struct ath_chain_list heads;      /* nobody's parent by history; in `order` */
	struct ath_chain_list bases;      /* without a parent by history; in `order` */
	const struct ath_chain_name *ids; /* by id */
	const struct ath_chain_name *labels; /* by label */
	size_t labels_len;
};

/*
 * Build the chain of `len` entries in `arena`; the entries are borrowed and must live as long.
 *
 * Fails with: ATH_ERR_CHAIN (empty id, id or label twice, missing parent or dependency, cycle with
 * its path; at file and line), ATH_ERR_LIMIT (over ATH_CHAIN_MAX).
 */
ATH_NODISCARD bool ath_chain_build(const struct ath_chain_entry *entries, size_t len,
				   struct ath_arena *arena, struct ath_chain *out_chain,
				   struct ath_err *err);

/* Number of the revision with that whole id, or chain->len. */
size_t ath_chain_find(const struct ath_chain *chain, const char *id);

/* Number of the revision that carries that label in its own file, or chain->len. */
size_t ath_chain_find_label(const struct ath_chain *chain, const char *label);

/*
 * The branch of a label as a set (arena, chain->len values): the descendants by history of the
 * revision that carries it, and its ancestors back to the nearest branch or merge point, which does
 * not belong to it. NULL if no revision carries the label.
 */
const bool *ath_chain_find_branch(const struct ath_chain *chain, const char *label,
				  struct ath_arena *arena);

/* The revisions of `rows` and all their ancestors, as a set: the cut that the rows stand for. */
bool *ath_chain_new_ancestors(const struct ath_chain *chain, struct ath_chain_list rows,
			      struct ath_arena *arena);

/* Is revision `one` a proper ancestor of revision `other`? */
bool ath_chain_is_ancestor(const struct ath_chain *chain, size_t one, size_t other);

/* The rows that are ancestors of other rows, in `order`: redundant in a version table. */
struct ath_chain_list ath_chain_find_redundant(const struct ath_chain *chain,
					       struct ath_chain_list rows, struct ath_arena *arena);

/*
 * What an upgrade from `rows` to all heads runs, in `order`: every revision that is neither a row
 * nor an ancestor of one. No rows: the whole chain.
 */
struct ath_chain_list ath_chain_find_pending(const struct ath_chain *chain,
					     struct ath_chain_list rows, struct ath_arena *arena);

/* The members of a set that no other member needs, in `order`: the rows of that cut. */
struct ath_chain_list ath_chain_find_tips(const struct ath_chain *chain, const bool *cut,
					  struct ath_arena *arena);

#endif
