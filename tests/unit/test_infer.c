/* SPDX-License-Identifier: MIT */
/* Hand-made chains: every verdict and decision, one idea a row; then speed and the two scores. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/infer_lab.h"

#include <time.h>

#include "alembic/cut.h"

#define T(name)  ATH_VERDICT_##name
#define TO(name) ATH_DECISION_##name

static const struct lab_row simple[] = {
	{ "r1", NULL, "+T:a(id,x) +I:a(x)", NULL },
	{ "r2", "r1", "+T:b(id) +C:a.y +C:a.z", NULL },
	{ "r3", "r2", "", "data" },
	{ "r4", "r3", "-C:a.x +C:b.k", NULL },
	{ "r5", "r4", "", NULL },
};
static const struct lab_row tail[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "+I:a(id)", NULL },
	{ "r3", "r2", "+U:a(id)", NULL },
};
static const struct lab_row types[] = {
	{ "r1", NULL, "+T:a(id) +C:a.n:INT", NULL },
	{ "r2", "r1", "~C:a.n:TEXT", NULL },
};
static const struct lab_row blind[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "", "blind" },
	{ "r3", "r2", "+C:a.x", NULL },
};
static const struct lab_row renames[] = {
	{ "r1", NULL, "+T:a(id,x) +I:a(x)", NULL },
	{ "r2", "r1", "-T:a@1 +T:b@1", NULL },
	{ "r3", "r2", "-C:b.x@1 +C:b.y@1", NULL },
	{ "r4", "r3", "+T:_new(id) -T:b -T:_new@1 +T:b@1", NULL },
};
/* The two arms of a fork and what merges them. */
static const struct lab_row forked[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "left", "r1", "+C:a.l", NULL },
	{ "right", "r1", "+C:a.r", NULL },
	{ "merge", "left right", "", NULL },
};
static const struct lab_row returns[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "+C:a.x", NULL },
	{ "r3", "r2", "-C:a.x", NULL },
};
static const struct lab_row early[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "+C:a.x", NULL },
	{ "r3", "r2", "+T:b(id)", NULL },
	{ "r4", "r3", "+T:c(id)", NULL },
};
/* A view and a table made anew, the latter with other columns; then one that is swapped. */
static const struct lab_row anew[] = {
	{ "r1", NULL, "+T:a(id,old) +V:v", NULL },
	{ "r2", "r1", "-V:v +V:v", NULL },
	{ "r3", "r2", "-T:a +T:a(id,new)", NULL },
	{ "r4", "r3", "+T:b_new(id,x) -T:b_new@1 +T:b@1", NULL },
};
/* The second leaves of the first what a crash may have left of it, too. */
static const struct lab_row undone[] = {
	{ "r1", NULL, "+T:a(id) +T:b(id)", NULL },
	{ "r2", "r1", "-T:b", NULL },
	{ "r3", "r2", "+C:a.x +C:a.y", NULL },
	{ "r4", "r3", "+I:a(x)", NULL },
	{ "r5", "r4", "-C:a.y", NULL },
};
static const struct lab_row parts[] = {
	{ "r1", NULL, "+T:a(id,x) +I:a(x)", NULL },
	{ "r2", "r1", "+I:a(id)", NULL },
	{ "r3", "r2", "+U:a(x)", NULL },
};

/* A chain begins above a table; the type before the change is told beside it. */
static const struct lab_row widened[] = {
	{ "r1", NULL, "~C:a.n:TEXT<INT", NULL },
	{ "r2", "r1", "+T:b(id)", NULL },
};
/* What the third revision does is not known, but for a column that it may add. */
static const struct lab_row may_add[] = {
	{ "r1", NULL, "+T:a(id)", NULL },
	{ "r2", "r1", "+C:a.x", "data" },
	{ "r3", "r2", "+C:a.y", "possible" },
};
/* An index is dropped by a name whose columns no revision has told. */
static const struct lab_row by_name[] = {
	{ "r1", NULL, "+T:a(id,x)", NULL },
	{ "r2", "r1", "+C:a.y", "blind" },
	{ "r3", "r2", "-N:a.ix", "lower" },
};
/* What shows nowhere: an attribute that is altered last; a rebuild of a table that is not next. */
static const struct lab_row altering[] = {
	{ "r1", NULL, "+T:a(id,t) +T:b(id)", NULL },
	{ "r2", "r1", "+C:a.x ~C:a.t", NULL },
	{ "r3", "r2", "+C:b.y", NULL },
};

struct row {
	const char *name;
	const struct lab_row *chain;
	size_t len;
	const char *stamp, *live;
	enum ath_verdict verdict;
	enum ath_decision decision;
	const char *inferred, *candidates;
};

#define OF(chain) chain, sizeof(chain) / sizeof(*(chain))

static const struct row rows[] = {
	{ "agrees", OF(simple), "r2", "+T:a(id,x,y,z) +T:b(id)", T(EQUIVALENT), TO(NONE), "r2",
	  "r3 r2" },
	{ "data between, no stamp", OF(simple), NULL, "+T:a(id,x,y,z) +I:a(x) +T:b(id)",
	  T(EQUIVALENT), TO(ASK), NULL, "r3 r2" },
	{ "empty revision on top", OF(simple), NULL, "+T:a(id,y,z) +T:b(id,k)", T(EQUIVALENT),
	  TO(STAMP), "r5", "r5 r4" },
	{ "one ahead but for an attribute", OF(altering), "r1", "+T:a(id,t,x) +T:b(id)",
	  T(HALF_APPLIED), TO(COMPLETE), "r1", "r2 r1" },
	{ "no row, and an attribute unproven", OF(altering), NULL, "+T:a(id,t,x) +T:b(id)",
	  T(HALF_APPLIED), TO(ASK), NULL, "r2" },
	{ "a later revision proves it", OF(altering), "r1", "+T:a(id,t,x) +T:b(id,y)", T(AHEAD),
	  TO(STAMP), "r3", "r3" },
	{ "left-over of a table that is not next", OF(altering), "r1",
	  "+T:a(id,t) +T:b(id) +T:_alembic_tmp_b(id)", T(EXACT), TO(NONE), "r1", "r1" },
	{ "ahead over a data step", OF(simple), "r1", "+T:a(id,y,z) +T:b(id,k)", T(AHEAD),
	  TO(STAMP), "r5", "r5 r4" },
	{ "behind by two strong ones", OF(simple), "r5", "+T:a(id,x) +I:a(x)", T(BEHIND), TO(STAMP),
	  "r1", "r1" },
	{ "behind by one strong one", OF(returns), "r2", "+T:a(id)", T(AHEAD), TO(STAMP), "r3",
	  "r3 r1" },
	{ "half applied", OF(simple), "r1", "+T:a(id,x) +I:a(x) +T:b(id)", T(HALF_APPLIED),
	  TO(COMPLETE), "r1", "r1" },
	{ "half applied after a drop", OF(simple), "r3", "+T:a(id,y,z) +T:b(id)", T(HALF_APPLIED),
	  TO(ASK), "r3", "r3" },
	{ "own tip lacks its index", OF(simple), NULL, "+T:a(id,x)", T(HALF_APPLIED), TO(ASK), NULL,
	  "r1" },
	{ "first revision interrupted", OF(simple), "", "+T:a(id,x)", T(HALF_APPLIED), TO(COMPLETE),
	  NULL, NULL },
	{ "damaged", OF(simple), NULL, "+T:a(id,y) +T:b(id,k)", T(AMBIGUOUS), TO(ASK), NULL, "" },
	{ "damaged under a stamp", OF(simple), "r5", "+T:a(id,y) +T:b(id,k)", T(AMBIGUOUS), TO(ASK),
	  NULL, "" },
	{ "unknown stamp", OF(simple), "r9", "+T:a(id,x)", T(UNKNOWN_STAMP), TO(REFUSE), NULL,
	  NULL },
	{ "foreign", OF(simple), NULL, "+T:p(id) +T:q(id)", T(FOREIGN), TO(REFUSE), NULL, NULL },
	{ "empty", OF(simple), NULL, "", T(EMPTY), TO(INIT), NULL, "" },
	{ "empty with a stamp", OF(simple), "r1", "", T(EMPTY), TO(ASK), NULL, "" },
	{ "redundant row", OF(forked), "r1 left", "+T:a(id,l)", T(EXACT), TO(STAMP), "left",
	  "left" },
	{ "only indexes, no stamp", OF(tail), NULL, "+T:a(id) +I:a(id)", T(EXACT), TO(STAMP), "r2",
	  "r3 r2 r1" },
	{ "only indexes, stamp too high", OF(tail), "r3", "+T:a(id)", T(BEHIND), TO(ASK), NULL,
	  "r3 r2 r1" },
	{ "only indexes, crash before the row", OF(tail), "r1", "+T:a(id) +I:a(id)", T(AHEAD),
	  TO(STAMP), "r2", "r3 r2 r1" },
	{ "type before", OF(types), NULL, "+T:a(id) +C:a.n:INT", T(EXACT), TO(STAMP), "r1",
	  "r2 r1" },
	{ "type after", OF(types), NULL, "+T:a(id) +C:a.n:TEXT", T(EXACT), TO(STAMP), "r2",
	  "r2 r1" },
	{ "type of neither", OF(types), NULL, "+T:a(id) +C:a.n:BLOB", T(EQUIVALENT), TO(ASK), NULL,
	  "r2 r1" },
	{ "blind, no stamp", OF(blind), NULL, "+T:a(id)", T(EQUIVALENT), TO(ASK), NULL, "r2 r1" },
	{ "blind, stamp inside", OF(blind), "r2", "+T:a(id)", T(EQUIVALENT), TO(NONE), "r2",
	  "r2 r1" },
	{ "beyond the blind one", OF(blind), NULL, "+T:a(id,x)", T(EXACT), TO(STAMP), "r3", "r3" },
	{ "table renamed", OF(renames), NULL, "+T:b(id,x) +I:b(x)", T(EXACT), TO(STAMP), "r2",
	  "r4 r2" },
	{ "column renamed", OF(renames), NULL, "+T:b(id,y)", T(EXACT), TO(STAMP), "r3", "r3" },
	{ "table rebuilt by hand", OF(renames), NULL, "+T:b(id)", T(EXACT), TO(STAMP), "r4", "r4" },
	{ "one arm", OF(forked), NULL, "+T:a(id,r)", T(EXACT), TO(STAMP), "right", "right" },
	{ "both arms", OF(forked), NULL, "+T:a(id,l,r)", T(EQUIVALENT), TO(STAMP), "merge",
	  "merge left,right" },
	{ "both arms stamped", OF(forked), "left right", "+T:a(id,l,r)", T(EQUIVALENT), TO(NONE),
	  "left,right", "merge left,right" },
	{ "the other arm", OF(forked), "left", "+T:a(id,r)", T(AMBIGUOUS), TO(ASK), NULL, "right" },
	{ "back to an earlier state", OF(returns), NULL, "+T:a(id)", T(EQUIVALENT), TO(STAMP), "r3",
	  "r3 r1" },
	{ "early tables", OF(early), "r1", "+T:a(id) +T:b(id) +T:c(id)", T(EXACT), TO(NONE), "r1",
	  "" },
	{ "early tables, no stamp", OF(early), NULL, "+T:a(id) +T:b(id) +T:c(id)", T(AMBIGUOUS),
	  TO(ASK), NULL, "" },
	{ "rebuild left behind", OF(simple), "r1", "+T:a(id,x) +I:a(x) +T:_alembic_tmp_a(id)",
	  T(HALF_APPLIED), TO(COMPLETE), "r1", "r1" },
	{ "view made anew", OF(anew), NULL, "+T:a(id,old) +V:v", T(EQUIVALENT), TO(ASK), NULL,
	  NULL },
	{ "table made anew", OF(anew), NULL, "+T:a(id,new) +V:v", T(EXACT), TO(STAMP), "r3", NULL },
	{ "not yet made anew", OF(anew), "r3", "+T:a(id,old) +V:v", T(BEHIND), TO(ASK), NULL,
	  NULL },
	{ "half of a swap", OF(anew), "r3", "+T:a(id,new) +V:v +T:b_new(id,x)", T(AMBIGUOUS),
	  TO(ASK), NULL, NULL },
	{ "crash or drop, no row", OF(undone), "", "+T:a(id)", T(AMBIGUOUS), TO(ASK), NULL, NULL },
	{ "far behind, not half", OF(undone), "r2", "+T:a(id,x) +I:a(x)", T(AMBIGUOUS), TO(ASK),
	  NULL, NULL },
	{ "half, and an index by hand", OF(undone), "r2", "+T:a(id,y) +I:a(id,y)", T(HALF_APPLIED),
	  TO(COMPLETE), "r2", NULL },
	{ "half, and of another", OF(parts), "", "+T:a(id,x) +U:a(x)", T(HALF_APPLIED), TO(ASK),
	  NULL, NULL },
	{ "rebuild above the choice", OF(undone), NULL,
	  "+T:a(id,x,y) +I:a(x) +T:_alembic_tmp_a(id)", T(HALF_APPLIED), TO(COMPLETE), "r4", NULL },
	{ "told type before", OF(widened), "", "+T:a(id) +C:a.n:INT", T(EXACT), TO(NONE), NULL,
	  NULL },
	{ "told type before, stamp after", OF(widened), "r1", "+T:a(id) +C:a.n:INT", T(BEHIND),
	  TO(ASK), NULL, NULL },
	{ "told type after", OF(widened), NULL, "+T:a(id) +C:a.n:TEXT", T(EXACT), TO(STAMP), "r1",
	  NULL },
	{ "told type of neither", OF(widened), "r1", "+T:a(id) +C:a.n:BLOB", T(EQUIVALENT),
	  TO(NONE), "r1", NULL },
	{ "whole, data unproven", OF(may_add), "r1", "+T:a(id,x)", T(HALF_APPLIED), TO(COMPLETE),
	  "r1", NULL },
	{ "whole, and a later blind one", OF(may_add), "r1", "+T:a(id,x,y)", T(HALF_APPLIED),
	  TO(ASK), "r1", NULL },
	{ "index by its name", OF(by_name), "r2", "+T:a(id,x) +I:a(x)", T(EQUIVALENT), TO(NONE),
	  "r2", NULL },
	{ "no index of that name", OF(by_name), "r2", "+T:a(id,x)", T(AMBIGUOUS), TO(ASK), NULL,
	  NULL },
	{ "rebuild may be the only copy", OF(simple), "r2", "+T:b(id) +T:_alembic_tmp_a(id)",
	  T(HALF_APPLIED), TO(ASK), NULL, "" },
};

static bool is_right(const struct row *row)
{
	struct lab_live live = { 0 };
	struct ath_inference out;
	struct lab lab;
	bool is_fine;

	lab_set_up(&lab, row->chain, row->len);
	lab_run(&live, row->live, &lab.arena);
	out = lab_infer(&lab, &live, NULL, row->stamp);
	is_fine = out.verdict == row->verdict && out.decision == row->decision &&
		  ath_str_is(out.inferred, row->inferred) && out.reason && *out.reason &&
		  (!row->candidates ||
		   !strcmp(lab_join(&lab.arena, &out.candidates), row->candidates));
	if (!is_fine)
		printf("%s: %s -> %s, inferred %s, candidates '%s': %s\n", row->name,
		       ath_verdict_name(out.verdict), ath_decision_name(out.decision),
		       out.inferred ? out.inferred : "null", lab_join(&lab.arena, &out.candidates),
		       out.reason);
	ath_vec_fini(&live.items);
	lab_tear_down(&lab);
	return is_fine;
}

static void every_verdict_and_decision_is_reached(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		wrong += !is_right(&rows[i]);
	assert_int_equal(wrong, 0);
}

static void a_result_tells_what_follows_from_it(void **state)
{
	struct lab_live live = { 0 };
	struct ath_inference out;
	struct lab lab;

	(void)state;
	lab_set_up(&lab, OF(simple));
	lab_run(&live, "+T:a(id,y,z,own) +T:b(id,k)", &lab.arena);
	out = lab_infer(&lab, &live, NULL, "r1");
	assert_string_equal(lab_join(&lab.arena, &out.stamp), "r5");
	assert_string_equal(lab_join(&lab.arena, &out.passed_over), "r3");
	assert_int_equal(out.pending.len, 0);
	assert_string_equal(out.lowest ? out.lowest : "r4", "r4");
	assert_true(out.evidence_len > 0);
	assert_string_equal(out.evidence[0].against, "r1");
	assert_int_equal(out.drift_len, 1);
	assert_string_equal(out.drift[0].element, "column a.own");
	assert_string_equal(out.drift[0].found, "extra");
	ath_vec_fini(&live.items);
	lab_tear_down(&lab);
}

/* A chain of `len` revisions with some five effects each, whose schema stands at `at`. */
static void build_long(struct lab *lab, struct lab_row *chain, size_t len, size_t at,
		       struct lab_live *live, struct ath_arena *arena)
{
	for (size_t i = 0; i < len; i++)
		chain[i] = (struct lab_row){
			.id = ath_arena_printf(arena, "r%03zu", i),
			.downs = i ? chain[i - 1].id : NULL,
			.effects = i % 5 ? ath_arena_printf(arena,
							    "+C:t%zu.c%zu +C:t%zu.d%zu"
							    " +I:t%zu(c%zu)",
							    i / 5, i, i / 5, i, i / 5, i)
					 : ath_arena_printf(arena, "+T:t%zu(a,b,c,d,e,f,g,h,i)",
							    i / 5),
		};
	lab_set_up(lab, chain, len);
	for (size_t i = 0; i <= at; i++) {
		for (size_t n = 0; n < lab->effects[i].len; n++)
			*ath_vec_push(&live->items) = lab->effects[i].items[n].element;
	}
}

static void a_long_chain_is_judged_quickly(void **state)
{
	static struct lab_row chain[588];
	struct ath_arena arena = { 0 };
	struct lab_live live = { 0 };
	struct ath_inference out;
	struct timespec from, to;
	struct lab lab;

	(void)state;
	build_long(&lab, chain, 588, 430, &live, &arena);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	out = lab_infer(&lab, &live, NULL, "r500");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_string_equal(out.inferred, "r430");
	assert_int_equal(out.decision, ATH_DECISION_STAMP);
	printf("588 revisions, %zu elements: %.1f ms of processor time\n", live.items.len,
	       (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	ath_vec_fini(&live.items);
	lab_tear_down(&lab);
	ath_arena_fini(&arena);
}

/* The enumeration changes its counts step by step; the list of a cut is made from scratch. */
static void counts_of_a_cut_are_those_of_its_list(void **state)
{
	static const struct lab_row *const chains[] = { simple, tail, types, renames, forked };
	static const size_t lens[] = { 5, 3, 2, 4, 4 };
	static const char *const lives[] = { "+T:a(id,x,l) +I:a(x)", "+T:a(id,y)", "+T:b(id,x)",
					     "+T:a(id,l,r) +C:a.n:TEXT", "+T:b(id,k) +T:a(z)" };

	(void)state;
	for (size_t i = 0; i < 25; i++) {
		struct lab_live live = { 0 };
		struct ath_intervals in;
		struct ath_cuts cuts;
		struct ath_score score;
		struct lab lab;

		lab_set_up(&lab, chains[i % 5], lens[i % 5]);
		lab_run(&live, lives[i / 5], &lab.arena);
		ath_interval_build(&lab.chain, lab.effects, lab_elements(&live), &lab.arena, &in);
		ath_cut_find(&in, &lab.arena, &cuts);
		assert_true(cuts.is_complete);
		for (size_t n = 0; n < cuts.free_len; n++) {
			score = ath_score_cut(&in, cuts.free[n].set, &lab.arena);
			assert_memory_equal(score.counts, cuts.free[n].counts,
					    sizeof(score.counts));
		}
		if (cuts.nearest.set) {
			score = ath_score_cut(&in, cuts.nearest.set, &lab.arena);
			assert_memory_equal(score.counts, cuts.nearest.counts,
					    sizeof(score.counts));
		}
		ath_vec_fini(&live.items);
		lab_tear_down(&lab);
	}
}

static void a_graph_with_too_many_cuts_ends_in_a_question(void **state)
{
	struct lab_row arms[40] = { { "root", NULL, "+T:a(id)", NULL } };
	struct ath_arena arena = { 0 };
	struct lab_live live = { 0 };
	struct ath_inference out;
	struct lab lab;

	(void)state;
	for (size_t i = 1; i < 40; i++)
		arms[i] = (struct lab_row){ ath_arena_printf(&arena, "arm%02zu", i), "root", "",
					    NULL };
	lab_set_up(&lab, arms, 40);
	lab_run(&live, "+T:a(id)", &lab.arena);
	out = lab_infer(&lab, &live, NULL, NULL);
	assert_int_equal(out.decision, ATH_DECISION_ASK);
	ath_vec_fini(&live.items);
	lab_tear_down(&lab);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_and_decision_is_reached),
		cmocka_unit_test(a_result_tells_what_follows_from_it),
		cmocka_unit_test(a_long_chain_is_judged_quickly),
		cmocka_unit_test(counts_of_a_cut_are_those_of_its_list),
		cmocka_unit_test(a_graph_with_too_many_cuts_ends_in_a_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
