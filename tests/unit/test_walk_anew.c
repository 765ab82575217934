/* SPDX-License-Identifier: MIT */
/* What is to be done with each pending revision: one habit of revisions a row. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/infer_lab.h"

#include "alembic/walk.h"

/* A foreign key, an index and a table are dropped and made again. */
static const struct lab_row anew[] = {
	{ "r1", NULL, "+T:b(id) +T:a(id,x) +F:a(x)>b(id) +I:a(x)", NULL },
	{ "r2", "r1", "-F:a(x)>b(id) +F:a(x)>b(id)", NULL },
	{ "r3", "r2", "-I:a(x) +I:a(x) +C:a.y", NULL },
	{ "r4", "r3", "+T:_b(id) -T:b -T:_b@1 +T:b@1", NULL },
	{ "r5", "r4", "+T:c(id)", NULL },
};
/* A table is there for a while only. */
static const struct lab_row passing[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "+T:tmp(id) -T:tmp", "data" },
	{ "r3", "r2", "-T:a", NULL },
};
/* What the second drops for certain no revision before it has made. */
static const struct lab_row back[] = {
	{ "r1", NULL, "+T:a(id) +C:a.x", NULL },
	{ "r2", "r1", "-C:a.x", NULL },
	{ "r3", "r2", "-C:a.x +C:a.x", NULL },
};

/* What the second does is not known, but for what it may drop and make. */
static const struct lab_row may[] = {
	{ "r1", NULL, "+T:a(id) +C:a.x", NULL },
	{ "r2", "r1", "-C:a.x +C:a.y", "possible" },
	{ "r3", "r2", "+C:a.x", NULL },
	{ "r4", "r3", "-C:a.y", NULL },
};

struct row {
	const char *name;
	const struct lab_row *chain;
	size_t len;
	const char *applied, *live, *acts;
};

#define OF(chain) chain, sizeof(chain) / sizeof(*(chain))
#define ANEW      "+T:b(id) +T:a(id,x) +F:a(x)>b(id) +I:a(x)"

static const struct row rows[] = {
	{ "healthy", OF(anew), "r1", ANEW, "run run run run" },
	{ "healthy, one later", OF(anew), "r2", ANEW, "run run run" },
	{ "the rest of it is there", OF(anew), "r2", ANEW " +C:a.y", "redo run run" },
	{ "a table of a later one is there", OF(anew), "r1", ANEW " +T:c(id)",
	  "run run run adopt" },
	{ "another table is dropped already", OF(passing), "r1", "+T:b(id)", "run adopt" },
	{ "passing, healthy", OF(passing), "r1", "+T:a(id)", "run run" },
	{ "passing, left behind", OF(passing), "r1", "+T:a(id) +T:tmp(id)", "run run" },
	{ "anew, not there before", OF(back), "r2", "+T:a(id) +C:a.x", "adopt" },
	{ "made again behind a blind one", OF(may), "r1", "+T:a(id) +C:a.x", "run run run" },
	{ "and not dropped before", OF(may), "r2", "+T:a(id) +C:a.x", "adopt adopt" },
	{ "anew, healthy", OF(back), "r2", "+T:a(id)", "run" },
};

static const char *walk(struct lab *lab, struct lab_live *live, const char *applied)
{
	struct ath_chain *chain = &lab->chain;
	size_t tip = ath_chain_find(chain, applied);
	bool *goal = ath_arena_new(&lab->arena, chain->len, sizeof(*goal));
	struct ath_walk_question question = {
		.chain = chain,
		.effects = lab->effects,
		.live = lab_elements(live),
		.cut = ath_chain_new_ancestors(chain, (struct ath_chain_list){ &tip, 1 },
					       &lab->arena),
		.goal = goal,
	};
	struct ath_str acts = { 0 };
	struct ath_walk found;
	const char *copy;

	memset(goal, true, chain->len * sizeof(*goal));
	ath_walk_plan(&question, &lab->arena, &found);
	for (size_t i = 0; i < found.len; i++)
		ath_str_printf(&acts, "%s%s", i ? " " : "", ath_walk_act_name(found.steps[i].act));
	copy = ath_arena_strdup(&lab->arena, ath_str_get(&acts));
	ath_str_fini(&acts);
	return copy;
}

static void what_is_there_decides_what_is_done(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct lab_live live = { 0 };
		const char *acts;
		struct lab lab;

		lab_set_up(&lab, rows[i].chain, rows[i].len);
		lab_run(&live, rows[i].live, &lab.arena);
		acts = walk(&lab, &live, rows[i].applied);
		if (strcmp(acts, rows[i].acts) != 0) {
			printf("%s: %s\n", rows[i].name, acts);
			wrong++;
		}
		ath_vec_fini(&live.items);
		lab_tear_down(&lab);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_decides_what_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
