/* SPDX-License-Identifier: MIT */
/*
 * alembic/chain: the revision graph: parents, branches, merges, heads, ancestors.
 *
 * This file builds it. Ids and labels are resolved through sorted tables; the order is topological
 * (Kahn, Communications of the ACM 5, 1962), ties by id. Building is O((n + e) log n), and nothing
 * recurses over the files' data.
 */
#include "alembic/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/mem.h"
#include "base/str.h"

struct ath_chain_name {
	const char *text; /* an id or a label */
	size_t idx;       /* the revision that has it */
};

/* A chain while it is built. */
struct build {
	const struct ath_chain_entry *entries;
	struct ath_chain_node *nodes;
	size_t len;
	struct ath_chain_name *ids, *labels; /* sorted */
	size_t labels_len;
	size_t *rank; /* place of a revision in `ids` */
	struct ath_arena *arena;
	struct ath_err *err;
};

static int compare_names(const void *one, const void *other)
{
	const struct ath_chain_name *a = one, *b = other;
	int order = strcmp(a->text, b->text);

	return order ? order : (a->idx > b->idx) - (a->idx < b->idx);
}

static int compare_key(const void *key, const void *row)
{
	return strcmp(key, ((const struct ath_chain_name *)row)->text);
}

static size_t find_name(const struct ath_chain_name *names, size_t len, const char *text,
			size_t missing)
{
	const struct ath_chain_name *row =
		len ? bsearch(text, names, len, sizeof(*names), compare_key) : NULL;

	return row ? row->idx : missing;
}

size_t ath_chain_find(const struct ath_chain *chain, const char *id)
{
	return find_name(chain->ids, chain->len, id, chain->len);
}

size_t ath_chain_find_label(const struct ath_chain *chain, const char *label)
{
	return find_name(chain->labels, chain->labels_len, label, chain->len);
}

static struct ath_pos pos_of(const struct ath_chain_entry *entry)
{
	return (struct ath_pos){ .file = entry->file, .line = entry->line };
}

/* Alembic takes a lone empty string for none. */
static size_t count_texts(const struct ath_texts *texts)
{
	return texts->len == 1 && !*texts->items[0] ? 0 : texts->len;
}

static bool check_twice(const struct build *build, const struct ath_chain_name *names, size_t len,
			const char *what)
{
	for (size_t i = 1; i < len; i++) {
		const struct ath_chain_entry *first = &build->entries[names[i - 1].idx];

		if (strcmp(names[i - 1].text, names[i].text) == 0)
			return ath_err_at(build->err, ATH_ERR_CHAIN,
					  pos_of(&build->entries[names[i].idx]),
					  "%s '%s' is there twice: it stands in '%s' (line %u) too",
					  what, names[i].text, first->file, first->line);
	}
	return true;
}

static bool name_ids(struct build *build)
{
	build->ids = ath_arena_new(build->arena, build->len, sizeof(*build->ids));
	for (size_t i = 0; i < build->len; i++) {
		const struct ath_chain_entry *entry = &build->entries[i];

		if (!entry->id || !*entry->id)
			return ath_err_at(build->err, ATH_ERR_CHAIN, pos_of(entry),
					  "a revision has no id");
		build->ids[i] = (struct ath_chain_name){ entry->id, i };
	}
	qsort(build->ids, build->len, sizeof(*build->ids), compare_names);
	for (size_t i = 0; i < build->len; i++)
		build->rank[build->ids[i].idx] = i;
	return check_twice(build, build->ids, build->len, "revision");
}

static bool name_labels(struct build *build)
{
	size_t len = 0;

	for (size_t i = 0; i < build->len; i++)
		len += count_texts(&build->entries[i].labels);
	build->labels = ath_arena_new(build->arena, len, sizeof(*build->labels));
	for (size_t i = 0; i < build->len; i++) {
		const struct ath_chain_entry *entry = &build->entries[i];

		for (size_t n = 0; n < count_texts(&entry->labels); n++) {
			const char *label = entry->labels.items[n];

			if (find_name(build->ids, build->len, label, build->len) < build->len)
				return ath_err_at(build->err, ATH_ERR_CHAIN, pos_of(entry),
						  "label '%s' of revision '%s' is an id as well",
						  label, entry->id);
			build->labels[build->labels_len++] = (struct ath_chain_name){ label, i };
		}
	}
	qsort(build->labels, len, sizeof(*build->labels), compare_names);
	return check_twice(build, build->labels, len, "label");
}

/* Append a parent unless it is there; a long list of parents is not an ordinary thing. */
static void add_parent(struct ath_chain_list *list, size_t *items, size_t parent, size_t *seen,
		       size_t mark)
{
	if (seen[parent] == mark)
		return;
	seen[parent] = mark;
	items[list->len++] = parent;
}

/* Both lists of parents of one revision; `seen` has a mark for each revision. */
static bool resolve_parents(struct build *build, size_t idx, size_t *seen)
{
	const struct ath_chain_entry *entry = &build->entries[idx];
	struct ath_chain_node *node = &build->nodes[idx];
	size_t downs_len = count_texts(&entry->downs), deps_len = count_texts(&entry->depends_on);
	size_t *items = ath_arena_new(build->arena, downs_len + deps_len, sizeof(*items));

	node->downs.items = items;
	node->needs.items = items;
	for (size_t n = 0; n < downs_len; n++) {
		const char *id = entry->downs.items[n];
		size_t parent = find_name(build->ids, build->len, id, build->len);

		if (parent == build->len)
			return ath_err_at(
				build->err, ATH_ERR_CHAIN, pos_of(entry),
				"revision '%s' follows '%s', and there is no such revision",
				entry->id, id);
		add_parent(&node->needs, items, parent, seen, idx + 1);
	}
	node->downs.len = node->needs.len;
	for (size_t n = 0; n < deps_len; n++) {
		const char *name = entry->depends_on.items[n];
		size_t parent = find_name(build->ids, build->len, name, build->len);

		if (parent == build->len)
			parent = find_name(build->labels, build->labels_len, name, build->len);
		if (parent == build->len)
			return ath_err_at(build->err, ATH_ERR_CHAIN, pos_of(entry),
					  "revision '%s' depends on '%s', and there is no such "
					  "revision or label",
					  entry->id, name);
		add_parent(&node->needs, items, parent, seen, idx + 1);
	}
	return true;
}

static bool resolve(struct build *build)
{
	size_t *seen = ath_mem_new(build->len, sizeof(*seen));
	bool is_resolved = true;

	for (size_t i = 0; i < build->len && is_resolved; i++)
		is_resolved = resolve_parents(build, i, seen);
	free(seen);
	return is_resolved;
}

/* Children in the order of their ids: `ids` is walked, and each parent's list grows in step. */
static void reverse_edges(struct build *build)
{
	size_t **nexts = ath_mem_new(build->len, sizeof(*nexts));
	size_t **wanted = ath_mem_new(build->len, sizeof(*wanted));

	for (size_t i = 0; i < build->len; i++) {
		const struct ath_chain_node *node = &build->nodes[i];

		for (size_t n = 0; n < node->needs.len; n++) {
			build->nodes[node->needs.items[n]].wanted_by.len++;
			build->nodes[node->needs.items[n]].nexts.len += n < node->downs.len;
		}
	}
	for (size_t i = 0; i < build->len; i++) {
		struct ath_chain_node *node = &build->nodes[i];

		node->nexts.items = nexts[i] =
			ath_arena_new(build->arena, node->nexts.len, sizeof(size_t));
		node->wanted_by.items = wanted[i] =
			ath_arena_new(build->arena, node->wanted_by.len, sizeof(size_t));
	}
	for (size_t i = 0; i < build->len; i++) {
		size_t child = build->ids[i].idx;
		const struct ath_chain_node *node = &build->nodes[child];

		for (size_t n = 0; n < node->needs.len; n++) {
			size_t parent = node->needs.items[n];

			*wanted[parent]++ = child;
			if (n < node->downs.len)
				*nexts[parent]++ = child;
		}
	}
	free(nexts);
	free(wanted);
}

/* Fills `order`; returns how many revisions have a place in it. `waiting` keeps the open needs. */
static size_t sort(struct build *build, size_t *order, size_t *waiting)
{
	size_t *heap = ath_mem_new(build->len, sizeof(*heap)), heap_len = 0, done = 0;

	for (size_t i = 0; i < build->len; i++) {
		waiting[i] = build->nodes[i].needs.len;
		if (!waiting[i])
			ath_heap_push(heap, &heap_len, build->rank[i]);
	}
	while (heap_len) {
		size_t idx = build->ids[ath_heap_pop(heap, &heap_len)].idx;
		struct ath_chain_node *node = &build->nodes[idx];

		node->place = done;
		order[done++] = idx;
		for (size_t n = 0; n < node->wanted_by.len; n++) {
			size_t child = node->wanted_by.items[n];

			if (--waiting[child] == 0)
				ath_heap_push(heap, &heap_len, build->rank[child]);
		}
	}
	free(heap);
	return done;
}

static size_t first_waiting_need(const struct ath_chain_node *node, const size_t *waiting)
{
	size_t n = 0;

	while (!waiting[node->needs.items[n]])
		n++;
	return node->needs.items[n];
}

/* Follow open needs from any waiting revision: after `len` moves we stand on a circle. */
static bool report_cycle(const struct build *build, const size_t *waiting)
{
	enum {
		SHOWN = 8
	}; /* revisions of a long circle, before the rest is only counted */
	struct ath_str path = { 0 };
	size_t start = 0, at, count = 0;

	while (!waiting[start])
		start++;
	for (size_t i = 0; i < build->len; i++)
		start = first_waiting_need(&build->nodes[start], waiting);
	for (at = first_waiting_need(&build->nodes[start], waiting); at != start;
	     at = first_waiting_need(&build->nodes[at], waiting)) {
		if (++count <= SHOWN)
			ath_str_printf(&path, "%s -> ", build->entries[at].id);
	}
	if (count > SHOWN)
		ath_str_printf(&path, "(%zu more) -> ", count - SHOWN);
	ath_err_at(build->err, ATH_ERR_CHAIN, pos_of(&build->entries[start]),
		   "revisions need each other: %s -> %s%s", build->entries[start].id,
		   ath_str_get(&path), build->entries[start].id);
	ath_str_fini(&path);
	return false;
}

/* The revisions without parents (or children) by history, in `order`. */
static struct ath_chain_list list_ends(const struct build *build, const size_t *order,
				       bool is_heads)
{
	size_t *items = ath_arena_new(build->arena, build->len, sizeof(*items)), len = 0;

	for (size_t i = 0; i < build->len; i++) {
		const struct ath_chain_node *node = &build->nodes[order[i]];

		if (!(is_heads ? node->nexts.len : node->downs.len))
			items[len++] = order[i];
	}
	return (struct ath_chain_list){ items, len };
}

static bool order_all(struct build *build, size_t *order)
{
	size_t *waiting = ath_mem_new(build->len, sizeof(*waiting));
	bool is_ordered = sort(build, order, waiting) == build->len || report_cycle(build, waiting);

	free(waiting);
	return is_ordered;
}

bool ath_chain_build(const struct ath_chain_entry *entries, size_t len, struct ath_arena *arena,
		     struct ath_chain *out_chain, struct ath_err *err)
{
	struct build build = { .entries = entries, .len = len, .arena = arena, .err = err };
	size_t *order;
	bool is_built;

	if (len > ATH_CHAIN_MAX)
		return ath_err_set(err, ATH_ERR_LIMIT, "there are %zu revisions, and %d at most",
				   len, ATH_CHAIN_MAX);
	build.nodes = ath_arena_new(arena, len, sizeof(*build.nodes));
	order = ath_arena_new(arena, len, sizeof(*order));
	build.rank = ath_mem_new(len, sizeof(*build.rank));
	is_built = name_ids(&build) && name_labels(&build) && resolve(&build);
	if (is_built) {
		reverse_edges(&build);
		is_built = order_all(&build, order);
	}
	if (is_built)
		*out_chain = (struct ath_chain){
			.entries = entries,
			.nodes = build.nodes,
			.len = len,
			.order = { order, len },
			.heads = list_ends(&build, order, true),
			.bases = list_ends(&build, order, false),
			.ids = build.ids,
			.labels = build.labels,
			.labels_len = build.labels_len,
		};
	free(build.rank);
	return is_built;
}
