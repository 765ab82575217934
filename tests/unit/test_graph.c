/* SPDX-License-Identifier: MIT */
/* plan/graph: an order in which every step comes after all that it needs. */
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "plan/graph.h"

enum {
	MANY = 10000,
	QUICK_MS = 2000, /* generous: sanitizers and busy machines */
};

static struct ath_spec_step step(struct ath_arena *arena, const char *name, const char *need,
				 unsigned line)
{
	const char **needs = ath_arena_new(arena, 2, sizeof(*needs));

	needs[0] = need;
	return (struct ath_spec_step){ .name = name,
				       .type = "command",
				       .needs = { needs, need != NULL },
				       .pos = { NULL, line, 3 } };
}

/*
 *	a --+-- b --+-- d
 *	    +-- c --+
 */
static void order_follows_needs_and_then_the_spec(void **state)
{
	static const char *const d[] = { "c", "b", NULL }, *const bc[] = { "a", NULL };
	const struct ath_spec_step steps[] = { { .name = "d", .needs = { d, 2 } },
					       { .name = "c", .needs = { bc, 1 } },
					       { .name = "b", .needs = { bc, 1 } },
					       { .name = "a" } };
	const struct ath_spec spec = { steps, 4 };
	static const size_t expected[] = { 3, 1, 2, 0 };
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_graph graph;

	(void)state;
	assert_true(ath_graph_build(&spec, &arena, &graph, &err));
	assert_int_equal(graph.len, 4);
	assert_memory_equal(graph.order, expected, sizeof(expected));
	assert_int_equal(graph.nodes[0].needs_len, 2);
	assert_int_equal(graph.nodes[0].wanted_len, 0);
	assert_int_equal(graph.nodes[3].wanted_len, 2);
	assert_int_equal(graph.nodes[3].wanted_by[0], 1);
	assert_int_equal(ath_graph_find(&spec, "b"), 2);
	assert_int_equal(ath_graph_find(&spec, "x"), 4);
	ath_arena_fini(&arena);
}

static void an_empty_spec_is_a_graph(void **state)
{
	const struct ath_spec spec = { NULL, 0 };
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_graph graph;

	(void)state;
	assert_true(ath_graph_build(&spec, &arena, &graph, &err));
	assert_int_equal(graph.len, 0);
	ath_arena_fini(&arena);
}

static void faults_are_reported_at_the_step(void **state)
{
	static const struct {
		struct {
			const char *name, *need;
		} steps[5];
		unsigned line;
		const char *msg;
	} cases[] = {
		{ { { "a" }, { "b" }, { "a" } }, 3, "there are two steps named 'a'" },
		{ { { "a" }, { "b", "c" } }, 2, "step 'b' needs 'c', and there is no such step" },
		{ { { "a", "a" } }, 1, "steps need each other: a -> a" },
		{ { { "x" }, { "a", "b" }, { "b", "c" }, { "c", "a" } },
		  3,
		  "steps need each other: b -> c -> a -> b" },
		{ { { "out", "a" }, { "a", "b" }, { "b", "a" } },
		  2,
		  "steps need each other: a -> b -> a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_spec_step steps[5];
		struct ath_spec spec = { steps, 0 };
		struct ath_arena arena = { 0 };
		struct ath_err err = { 0 };
		struct ath_graph graph;

		for (; spec.len < 5 && cases[i].steps[spec.len].name; spec.len++)
			steps[spec.len] =
				step(&arena, cases[i].steps[spec.len].name,
				     cases[i].steps[spec.len].need, (unsigned)spec.len + 1);
		assert_false(ath_graph_build(&spec, &arena, &graph, &err));
		assert_int_equal(err.code, ATH_ERR_RECIPE);
		if (strcmp(err.msg, cases[i].msg) != 0 || err.pos.line != cases[i].line)
			fail_msg("case %zu: %u %s", i, err.pos.line, err.msg);
		ath_arena_fini(&arena);
	}
}

/* `need_of(i)` is the index of the one need of step i, or MANY for none. */
static void build_many(size_t (*need_of)(size_t), size_t first, size_t last)
{
	struct ath_arena arena = { 0 };
	struct ath_spec_step *steps = ath_arena_new(&arena, MANY, sizeof(*steps));
	const char **names = ath_arena_new(&arena, MANY, sizeof(*names));
	const struct ath_spec spec = { steps, MANY };
	struct ath_mono start = ath_time_mono();
	struct ath_err err = { 0 };
	struct ath_graph graph;

	for (size_t i = 0; i < MANY; i++)
		names[i] = ath_arena_printf(&arena, "step-%zu", i);
	for (size_t i = 0; i < MANY; i++)
		steps[i] = step(&arena, names[i], need_of(i) < MANY ? names[need_of(i)] : NULL, 1);
	assert_true(ath_graph_build(&spec, &arena, &graph, &err));
	assert_int_equal(graph.order[0], first);
	assert_int_equal(graph.order[MANY - 1], last);
	assert_true(ath_time_elapsed_ms(start) < QUICK_MS);
	ath_arena_fini(&arena);
}

static size_t next_one(size_t idx)
{
	return idx + 1;
}

static size_t first_one(size_t idx)
{
	return idx ? 0 : MANY;
}

static void a_long_chain_is_quick(void **state)
{
	(void)state;
	build_many(next_one, MANY - 1, 0);
}

static void a_wide_graph_is_quick(void **state)
{
	(void)state;
	build_many(first_one, 0, MANY - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_follows_needs_and_then_the_spec),
		cmocka_unit_test(an_empty_spec_is_a_graph),
		cmocka_unit_test(faults_are_reported_at_the_step),
		cmocka_unit_test(a_long_chain_is_quick),
		cmocka_unit_test(a_wide_graph_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
