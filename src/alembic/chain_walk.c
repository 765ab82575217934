/* SPDX-License-Identifier: MIT */
/*
 * alembic/chain: questions to a chain that is built.
 *
 * Every answer is one pass over `order` or against it: parents stand before their children there,
 * so no stack is needed.
 */
#include "alembic/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool *new_set(const struct ath_chain *chain, struct ath_chain_list rows,
		     struct ath_arena *arena)
{
	bool *set = ath_arena_new(arena, chain->len, sizeof(*set));

	for (size_t i = 0; i < rows.len; i++)
		set[rows.items[i]] = true;
	return set;
}

/* Members in `order`. */
static struct ath_chain_list list_members(const struct ath_chain *chain, const bool *set,
					  bool wanted, struct ath_arena *arena)
{
	size_t *items, len = 0;

	for (size_t i = 0; i < chain->len; i++)
		len += set[i] == wanted;
	items = ath_arena_new(arena, len, sizeof(*items));
	len = 0;
	for (size_t i = 0; i < chain->len; i++) {
		if (set[chain->order.items[i]] == wanted)
			items[len++] = chain->order.items[i];
	}
	return (struct ath_chain_list){ items, len };
}

/* Close a set over its parents, walking back from place `last` of the order. */
static void add_ancestors(const struct ath_chain *chain, bool *set, size_t last)
{
	for (size_t place = last + 1; place-- > 0;) {
		size_t idx = chain->order.items[place];

		for (size_t n = 0; set[idx] && n < chain->nodes[idx].needs.len; n++)
			set[chain->nodes[idx].needs.items[n]] = true;
	}
}

bool *ath_chain_new_ancestors(const struct ath_chain *chain, struct ath_chain_list rows,
			      struct ath_arena *arena)
{
	bool *set = new_set(chain, rows, arena);

	if (chain->len)
		add_ancestors(chain, set, chain->len - 1);
	return set;
}

bool ath_chain_is_ancestor(const struct ath_chain *chain, size_t one, size_t other)
{
	bool *set, is_ancestor;

	if (chain->nodes[one].place >= chain->nodes[other].place)
		return false;
	set = ath_mem_new(chain->len, sizeof(*set));
	set[other] = true;
	add_ancestors(chain, set, chain->nodes[other].place);
	is_ancestor = set[one];
	free(set);
	return is_ancestor;
}

struct ath_chain_list ath_chain_find_redundant(const struct ath_chain *chain,
					       struct ath_chain_list rows, struct ath_arena *arena)
{
	bool *below = ath_arena_new(arena, chain->len, sizeof(*below));
	bool *redundant = ath_arena_new(arena, chain->len, sizeof(*redundant));

	for (size_t i = 0; i < rows.len; i++) {
		const struct ath_chain_node *node = &chain->nodes[rows.items[i]];

		for (size_t n = 0; n < node->needs.len; n++)
			below[node->needs.items[n]] = true;
	}
	if (chain->len)
		add_ancestors(chain, below, chain->len - 1);
	for (size_t i = 0; i < rows.len; i++)
		redundant[rows.items[i]] = below[rows.items[i]];
	return list_members(chain, redundant, true, arena);
}

struct ath_chain_list ath_chain_find_pending(const struct ath_chain *chain,
					     struct ath_chain_list rows, struct ath_arena *arena)
{
	return list_members(chain, ath_chain_new_ancestors(chain, rows, arena), false, arena);
}

/* Does a member of the set need that revision? */
static bool is_wanted_within(const struct ath_chain *chain, const bool *set, size_t idx)
{
	const struct ath_chain_list *children = &chain->nodes[idx].wanted_by;
	size_t n = 0;

	while (n < children->len && !set[children->items[n]])
		n++;
	return n < children->len;
}

struct ath_chain_list ath_chain_find_tips(const struct ath_chain *chain, const bool *cut,
					  struct ath_arena *arena)
{
	bool *tips = ath_arena_new(arena, chain->len, sizeof(*tips));

	for (size_t i = 0; i < chain->len; i++)
		tips[i] = cut[i] && !is_wanted_within(chain, cut, i);
	return list_members(chain, tips, true, arena);
}

const bool *ath_chain_find_branch(const struct ath_chain *chain, const char *label,
				  struct ath_arena *arena)
{
	size_t carrier = ath_chain_find_label(chain, label), at;
	bool *set;

	if (carrier == chain->len)
		return NULL;
	set = ath_arena_new(arena, chain->len, sizeof(*set));
	set[carrier] = true;
	for (size_t place = chain->nodes[carrier].place; place < chain->len; place++) {
		size_t idx = chain->order.items[place];

		for (size_t n = 0; set[idx] && n < chain->nodes[idx].nexts.len; n++)
			set[chain->nodes[idx].nexts.items[n]] = true;
	}
	for (at = carrier; chain->nodes[at].downs.len == 1;) {
		at = chain->nodes[at].downs.items[0];
		if (chain->nodes[at].nexts.len > 1 || chain->nodes[at].downs.len > 1)
			break;
		set[at] = true;
	}
	return set;
}
