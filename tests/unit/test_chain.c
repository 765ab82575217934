/* SPDX-License-Identifier: MIT */
/* The revision graph: merges, branches, dependencies, labels, and every way to be broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/chain.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/cmocka_all.h"

/* One revision; lists are words parted by blanks. */
struct row {
	const char *id, *downs, *depends_on, *labels;
};

struct fixture {
	struct ath_arena arena;
	struct ath_chain_entry *entries;
	struct ath_chain chain;
	struct ath_err err;
	bool is_built;
};

static struct ath_texts words(struct ath_arena *arena, const char *text)
{
	const char **items = ath_arena_new(arena, text ? strlen(text) + 1 : 1, sizeof(*items));
	size_t len = 0;

	for (char *at = ath_arena_strdup(arena, text ? text : ""), *word;
	     (word = strtok_r(at, " ", &at));)
		items[len++] = word;
	return (struct ath_texts){ items, len };
}

static void build(struct fixture *fixture, const struct row *rows, size_t len)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->entries = ath_arena_new(&fixture->arena, len, sizeof(*fixture->entries));
	for (size_t i = 0; i < len; i++)
		fixture->entries[i] = (struct ath_chain_entry){
			.id = rows[i].id,
			.downs = words(&fixture->arena, rows[i].downs),
			.depends_on = words(&fixture->arena, rows[i].depends_on),
			.labels = words(&fixture->arena, rows[i].labels),
			.file = ath_arena_printf(&fixture->arena, "%s.py", rows[i].id),
			.line = (unsigned)i + 10,
		};
	fixture->is_built = ath_chain_build(fixture->entries, len, &fixture->arena, &fixture->chain,
					    &fixture->err);
}

#define BUILD(fixture, rows) build(fixture, rows, sizeof(rows) / sizeof(*(rows)))

static const char *list_text(struct fixture *fixture, struct ath_chain_list list)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < list.len; i++)
		ath_str_printf(&text, "%s%s", i ? " " : "", fixture->entries[list.items[i]].id);
	copy = ath_arena_strdup(&fixture->arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

static const char *set_text(struct fixture *fixture, const bool *set)
{
	size_t *items = ath_arena_new(&fixture->arena, fixture->chain.len, sizeof(*items)), len = 0;

	for (size_t i = 0; i < fixture->chain.len; i++)
		if (set[fixture->chain.order.items[i]])
			items[len++] = fixture->chain.order.items[i];
	return list_text(fixture, (struct ath_chain_list){ items, len });
}

static struct ath_chain_list ids(struct fixture *fixture, const char *text)
{
	struct ath_texts names = words(&fixture->arena, text);
	size_t *items = ath_arena_new(&fixture->arena, names.len, sizeof(*items));

	for (size_t i = 0; i < names.len; i++)
		items[i] = ath_chain_find(&fixture->chain, names.items[i]);
	return (struct ath_chain_list){ items, names.len };
}

/*
 *	a --- b --- c --- e --- f		e merges c and d
 *	       `--- d ---'
 */
static const struct row diamond[] = {
	{ "f", "e", NULL, NULL }, { "e", "c d", NULL, NULL }, { "d", "b", NULL, "left" },
	{ "c", "b", NULL, NULL }, { "b", "a", NULL, NULL },   { "a", NULL, NULL, NULL },
};

/*
 *	x1 --- x2 (depends on "other") --- x3
 *	y1 (label other) --- y2
 */
static const struct row two_bases[] = {
	{ "x1", NULL, NULL, "main" },  { "x2", "x1", "other", NULL }, { "x3", "x2", NULL, NULL },
	{ "y1", NULL, NULL, "other" }, { "y2", "y1", NULL, NULL },
};

static void chain_orders_a_merge_after_both_branches(void **state)
{
	struct fixture f;

	(void)state;
	BUILD(&f, diamond);
	assert_true(f.is_built);
	assert_string_equal(list_text(&f, f.chain.order), "a b c d e f");
	assert_string_equal(list_text(&f, f.chain.heads), "f");
	assert_string_equal(list_text(&f, f.chain.bases), "a");
	assert_string_equal(list_text(&f, f.chain.nodes[ath_chain_find(&f.chain, "b")].nexts),
			    "c d");
	assert_int_equal(f.chain.nodes[ath_chain_find(&f.chain, "f")].place, 5);
	assert_int_equal(ath_chain_find(&f.chain, "fe"), f.chain.len);
	ath_arena_fini(&f.arena);
}

static void chain_keeps_several_heads_and_bases(void **state)
{
	struct fixture f;

	(void)state;
	BUILD(&f, two_bases);
	assert_true(f.is_built);
	assert_string_equal(list_text(&f, f.chain.heads), "x3 y2");
	assert_string_equal(list_text(&f, f.chain.bases), "x1 y1");
	assert_string_equal(list_text(&f, f.chain.order), "x1 y1 x2 x3 y2");
	ath_arena_fini(&f.arena);
}

static void chain_resolves_a_dependency_on_a_label(void **state)
{
	struct fixture f;
	const struct ath_chain_node *x2;

	(void)state;
	BUILD(&f, two_bases);
	x2 = &f.chain.nodes[ath_chain_find(&f.chain, "x2")];
	assert_string_equal(list_text(&f, x2->downs), "x1");
	assert_string_equal(list_text(&f, x2->needs), "x1 y1");
	assert_true(ath_chain_is_ancestor(&f.chain, ath_chain_find(&f.chain, "y1"),
					  ath_chain_find(&f.chain, "x3")));
	assert_false(ath_chain_is_ancestor(&f.chain, ath_chain_find(&f.chain, "y2"),
					   ath_chain_find(&f.chain, "x3")));
	assert_int_equal(ath_chain_find_label(&f.chain, "other"), ath_chain_find(&f.chain, "y1"));
	assert_int_equal(ath_chain_find_label(&f.chain, "none"), f.chain.len);
	ath_arena_fini(&f.arena);
}

static void chain_takes_a_lone_empty_text_for_none(void **state)
{
	const char *empty[] = { "", NULL };
	struct ath_chain_entry entry = { .id = "a",
					 .downs = { empty, 1 },
					 .depends_on = { empty, 1 },
					 .labels = { empty, 1 },
					 .file = "a.py",
					 .line = 1 };
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_chain_build(&entry, 1, &arena, &chain, &err));
	assert_int_equal(chain.bases.len, 1);
	assert_int_equal(chain.labels_len, 0);
	ath_arena_fini(&arena);
}

static void chain_may_be_empty(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_chain_build(NULL, 0, &arena, &chain, &err));
	assert_int_equal(chain.heads.len, 0);
	assert_int_equal(ath_chain_find(&chain, "a"), 0);
	assert_int_equal(ath_chain_find_pending(&chain, (struct ath_chain_list){ 0 }, &arena).len,
			 0);
	ath_arena_fini(&arena);
}

static void check_error(const struct row *rows, size_t len, const char *id, const char *text)
{
	struct fixture f;
	char file[32];

	build(&f, rows, len);
	assert_false(f.is_built);
	assert_int_equal(f.err.code, ATH_ERR_CHAIN);
	snprintf(file, sizeof(file), "%s.py", id);
	assert_string_equal(f.err.pos.file, file);
	assert_true(f.err.pos.line >= 10);
	assert_string_equal(f.err.msg, text);
	ath_arena_fini(&f.arena);
}

#define CHECK_ERROR(rows, id, text) check_error(rows, sizeof(rows) / sizeof(*(rows)), id, text)

static void chain_reports_an_id_that_is_there_twice(void **state)
{
	static const struct row rows[] = {
		{ "b", "a", NULL, NULL },
		{ "a", NULL, NULL, NULL },
		{ "b", "a", NULL, NULL },
	};

	(void)state;
	CHECK_ERROR(rows, "b", "revision 'b' is there twice: it stands in 'b.py' (line 10) too");
}

static void chain_reports_missing_parents_and_dependencies(void **state)
{
	static const struct row parent[] = { { "a", "z", NULL, NULL } };
	static const struct row dependency[] = { { "a", NULL, "z", "zz" } };
	static const struct row nameless[] = { { "", NULL, NULL, NULL } };

	(void)state;
	CHECK_ERROR(parent, "a", "revision 'a' follows 'z', and there is no such revision");
	CHECK_ERROR(dependency, "a",
		    "revision 'a' depends on 'z', and there is no such revision or label");
	CHECK_ERROR(nameless, "", "a revision has no id");
}

static void chain_does_not_take_a_label_for_a_parent(void **state)
{
	static const struct row rows[] = { { "a", NULL, NULL, "l" }, { "b", "l", NULL, NULL } };

	(void)state;
	CHECK_ERROR(rows, "b", "revision 'b' follows 'l', and there is no such revision");
}

static void chain_reports_labels_that_are_not_unique(void **state)
{
	static const struct row twice[] = { { "a", NULL, NULL, "l" }, { "b", "a", NULL, "l" } };
	static const struct row as_id[] = { { "a", NULL, NULL, NULL }, { "b", "a", NULL, "a" } };

	(void)state;
	CHECK_ERROR(twice, "b", "label 'l' is there twice: it stands in 'a.py' (line 10) too");
	CHECK_ERROR(as_id, "b", "label 'a' of revision 'b' is an id as well");
}

static void chain_reports_the_path_of_a_cycle(void **state)
{
	static const struct row self[] = { { "a", "a", NULL, NULL } };
	static const struct row three[] = {
		{ "0", NULL, NULL, NULL }, { "a", "c 0", NULL, NULL }, { "b", "a", NULL, NULL },
		{ "c", "b", NULL, NULL },  { "d", "c", NULL, NULL },
	};
	static const struct row mixed[] = { { "a", NULL, "l", NULL }, { "b", "a", NULL, "l" } };

	(void)state;
	CHECK_ERROR(self, "a", "revisions need each other: a -> a");
	CHECK_ERROR(three, "b", "revisions need each other: b -> a -> c -> b");
	CHECK_ERROR(mixed, "a", "revisions need each other: a -> b -> a");
}

static void chain_lists_what_is_pending_in_order(void **state)
{
	struct fixture f;

	(void)state;
	BUILD(&f, diamond);
	assert_string_equal(list_text(&f, ath_chain_find_pending(&f.chain, ids(&f, ""), &f.arena)),
			    "a b c d e f");
	assert_string_equal(list_text(&f, ath_chain_find_pending(&f.chain, ids(&f, "d"), &f.arena)),
			    "c e f");
	assert_string_equal(
		list_text(&f, ath_chain_find_pending(&f.chain, ids(&f, "c d"), &f.arena)), "e f");
	assert_string_equal(list_text(&f, ath_chain_find_pending(&f.chain, ids(&f, "f"), &f.arena)),
			    "");
	ath_arena_fini(&f.arena);
}

static void chain_counts_dependencies_as_applied(void **state)
{
	struct fixture f;

	(void)state;
	BUILD(&f, two_bases);
	assert_string_equal(
		list_text(&f, ath_chain_find_pending(&f.chain, ids(&f, "x2"), &f.arena)), "x3 y2");
	ath_arena_fini(&f.arena);
}

static void chain_finds_redundant_rows(void **state)
{
	struct fixture f;

	(void)state;
	BUILD(&f, diamond);
	assert_string_equal(
		list_text(&f, ath_chain_find_redundant(&f.chain, ids(&f, "e c a"), &f.arena)),
		"a c");
	assert_string_equal(
		list_text(&f, ath_chain_find_redundant(&f.chain, ids(&f, "c d"), &f.arena)), "");
	ath_arena_fini(&f.arena);
	BUILD(&f, two_bases);
	assert_string_equal(
		list_text(&f, ath_chain_find_redundant(&f.chain, ids(&f, "x2 y1"), &f.arena)),
		"y1");
	ath_arena_fini(&f.arena);
}

static void chain_knows_cuts_and_their_tips(void **state)
{
	struct fixture f;
	bool *cut;

	(void)state;
	BUILD(&f, diamond);
	cut = ath_chain_new_ancestors(&f.chain, ids(&f, "c d"), &f.arena);
	assert_string_equal(set_text(&f, cut), "a b c d");
	assert_string_equal(list_text(&f, ath_chain_find_tips(&f.chain, cut, &f.arena)), "c d");
	ath_arena_fini(&f.arena);
	BUILD(&f, two_bases);
	cut = ath_chain_new_ancestors(&f.chain, ids(&f, "x2"), &f.arena);
	assert_string_equal(set_text(&f, cut), "x1 y1 x2");
	assert_string_equal(list_text(&f, ath_chain_find_tips(&f.chain, cut, &f.arena)), "x2");
	ath_arena_fini(&f.arena);
}

static void chain_spreads_a_label_over_its_branch_only(void **state)
{
	static const struct row rows[] = {
		{ "a", NULL, NULL, NULL },  { "b", "a", NULL, NULL }, { "c", "a", NULL, NULL },
		{ "d", "c", NULL, NULL },   { "e", "d", NULL, "l" },  { "f", "e", NULL, NULL },
		{ "g", "f b", NULL, NULL },
	};
	struct fixture f;

	(void)state;
	BUILD(&f, rows);
	assert_string_equal(set_text(&f, ath_chain_find_branch(&f.chain, "l", &f.arena)),
			    "c d e f g");
	assert_null(ath_chain_find_branch(&f.chain, "m", &f.arena));
	ath_arena_fini(&f.arena);
	BUILD(&f, two_bases);
	assert_string_equal(set_text(&f, ath_chain_find_branch(&f.chain, "other", &f.arena)),
			    "y1 y2");
	ath_arena_fini(&f.arena);
}

static void chain_breaks_ties_by_id_whatever_the_order_of_files(void **state)
{
	static const struct row rows[] = {
		{ "2", "0", NULL, NULL },
		{ "10", "0", NULL, NULL },
		{ "0", NULL, NULL, NULL },
		{ "1", "0", NULL, NULL },
	};
	struct fixture f;

	(void)state;
	BUILD(&f, rows);
	assert_string_equal(list_text(&f, f.chain.order), "0 1 10 2");
	ath_arena_fini(&f.arena);
}

/* A chain of the greatest length, with a branch and a merge at each third revision. */
static void chain_takes_ten_thousand_revisions_and_no_more(void **state)
{
	size_t len = ATH_CHAIN_MAX + 1;
	struct ath_chain_entry *entries = ath_mem_new(len, sizeof(*entries));
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < len; i++) {
		const char **downs = ath_arena_new(&arena, 3, sizeof(*downs));
		size_t count = 0;

		if (i && i % 3 != 2)
			downs[count++] = entries[i - 1].id;
		if (i > 1 && i % 3 != 1)
			downs[count++] = entries[i - 2].id;
		entries[i] = (struct ath_chain_entry){
			.id = ath_arena_printf(&arena, "%05zu", i),
			.downs = { downs, count },
			.file = "x.py",
			.line = 1,
		};
	}
	assert_true(ath_chain_build(entries, len - 1, &arena, &chain, &err));
	assert_int_equal(chain.order.items[0], 0);
	assert_true(ath_chain_is_ancestor(&chain, 0, ATH_CHAIN_MAX - 1));
	assert_false(ath_chain_build(entries, len, &arena, &chain, &err));
	assert_int_equal(err.code, ATH_ERR_LIMIT);
	ath_arena_fini(&arena);
	free(entries);
}

/* An endless-looking circle is told in a line. */
static void chain_shortens_the_path_of_a_long_cycle(void **state)
{
	enum {
		LEN = 1000
	};
	struct ath_chain_entry entries[LEN];
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		entries[i] = (struct ath_chain_entry){ .id = ath_arena_printf(&arena, "%04zu", i),
						       .file = "x.py",
						       .line = 1 };
	for (size_t i = 0; i < LEN; i++) {
		const char **down = ath_arena_new(&arena, 2, sizeof(*down));

		down[0] = entries[(i + LEN - 1) % LEN].id;
		entries[i].downs = (struct ath_texts){ down, 1 };
	}
	assert_false(ath_chain_build(entries, LEN, &arena, &chain, &err));
	assert_non_null(strstr(err.msg, "(991 more) -> "));
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_orders_a_merge_after_both_branches),
		cmocka_unit_test(chain_keeps_several_heads_and_bases),
		cmocka_unit_test(chain_resolves_a_dependency_on_a_label),
		cmocka_unit_test(chain_takes_a_lone_empty_text_for_none),
		cmocka_unit_test(chain_may_be_empty),
		cmocka_unit_test(chain_reports_an_id_that_is_there_twice),
		cmocka_unit_test(chain_reports_missing_parents_and_dependencies),
		cmocka_unit_test(chain_does_not_take_a_label_for_a_parent),
		cmocka_unit_test(chain_reports_labels_that_are_not_unique),
		cmocka_unit_test(chain_reports_the_path_of_a_cycle),
		cmocka_unit_test(chain_lists_what_is_pending_in_order),
		cmocka_unit_test(chain_counts_dependencies_as_applied),
		cmocka_unit_test(chain_finds_redundant_rows),
		cmocka_unit_test(chain_knows_cuts_and_their_tips),
		cmocka_unit_test(chain_spreads_a_label_over_its_branch_only),
		cmocka_unit_test(chain_breaks_ties_by_id_whatever_the_order_of_files),
		cmocka_unit_test(chain_takes_ten_thousand_revisions_and_no_more),
		cmocka_unit_test(chain_shortens_the_path_of_a_long_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
