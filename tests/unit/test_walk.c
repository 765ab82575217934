/* SPDX-License-Identifier: MIT */
/*
 * Each act of the walk and each reason for it. Beside every row that is not run stands one in which
 * only the ground for it is taken away, so that another act comes out.
 */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/infer_lab.h"

#include "alembic/walk.h"

enum {
	ROWS_MAX = 4,
};

struct walk_case {
	const char *name;
	struct lab_row rows[ROWS_MAX]; /* up to one without an id */
	const char *live;
	const char *cut;  /* ids, parted by blanks */
	const char *goal; /* NULL: all */
	const char *acts; /* "run b2; redo c3 column t.x" */
	const char *says; /* part of the reason of the last act; NULL: it has none */
};

#define BASE                                 \
	{                                    \
		"a1", NULL, "+T:t(id)", NULL \
	}

static const struct walk_case cases[] = {
	/* run */
	{ "nothing is pending", { BASE }, "+T:t(id)", "a1", NULL, "", NULL },
	{ "none of it is there",
	  { BASE, { "b2", "a1", "+C:t.x", NULL } },
	  "+T:t(id)",
	  "a1",
	  NULL,
	  "run b2",
	  NULL },
	{ "from before the first", { BASE }, "", "", NULL, "run a1", NULL },
	{ "it has no effects",
	  { BASE, { "b2", "a1", "", NULL } },
	  "+T:t(id)",
	  "a1",
	  NULL,
	  "run b2",
	  NULL },
	{ "data alone",
	  { BASE, { "b2", "a1", "", "data" } },
	  "+T:t(id)",
	  "a1",
	  NULL,
	  "run b2",
	  NULL },
	{ "its text is blind",
	  { BASE, { "b2", "a1", "+C:t.x", "blind" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "run b2",
	  NULL },
	{ "only up to the goal",
	  { BASE, { "b2", "a1", "+C:t.x", NULL }, { "c3", "b2", "+C:t.y", NULL } },
	  "+T:t(id)",
	  "a1",
	  "b2",
	  "run b2",
	  NULL },
	{ "what it drops is there",
	  { { "a1", NULL, "+T:t(id,x)", NULL }, { "b2", "a1", "-C:t.x", NULL } },
	  "+T:t(id,x)",
	  "a1",
	  NULL,
	  "run b2",
	  NULL },

	/* adopt */
	{ "all of it is there",
	  { BASE, { "b2", "a1", "+C:t.x +I:t(x)", NULL } },
	  "+T:t(id) +C:t.x +I:t(x)",
	  "a1",
	  NULL,
	  "adopt b2",
	  "all that it does is there already" },
	{ "a table of it is there with rows or without",
	  { BASE, { "b2", "a1", "+T:n(id,x)", NULL } },
	  "+T:t(id) +T:n(id,x)",
	  "a1",
	  NULL,
	  "adopt b2",
	  "all that" },
	{ "what it drops was never made by the chain and is not there",
	  { BASE, { "b2", "a1", "-C:t.old", NULL } },
	  "+T:t(id)",
	  "a1",
	  NULL,
	  "adopt b2",
	  "all that" },
	{ "the same column a second time",
	  { BASE, { "b2", "a1", "+C:t.x", NULL }, { "c3", "b2", "+C:t.x", NULL } },
	  "+T:t(id)",
	  "a1",
	  NULL,
	  "run b2; adopt c3",
	  "all that" },
	{ "another type of the same family",
	  { BASE, { "b2", "a1", "+C:t.x:VARCHAR(20)", NULL } },
	  "+T:t(id) +C:t.x:TEXT",
	  "a1",
	  NULL,
	  "adopt b2",
	  "all that" },
	{ "its reading was confirmed by a replay",
	  { BASE, { "b2", "a1", "+C:t.x", "replay" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "adopt b2",
	  "all that" },

	/* redo */
	{ "part of it is there",
	  { BASE, { "b2", "a1", "+C:t.x +C:t.y", NULL } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "redo b2 column t.x",
	  "part of it is there" },
	{ "an index is missing",
	  { BASE, { "b2", "a1", "+T:n(id,x) +I:n(x)", NULL } },
	  "+T:t(id) +T:n(id,x)",
	  "a1",
	  NULL,
	  "redo b2 table n",
	  "part of it" },
	{ "an index goes with its table",
	  { BASE, { "b2", "a1", "+T:n(id,x) +I:n(x) +I:n(id)", NULL } },
	  "+T:t(id) +T:n(id,x) +I:n(x)",
	  "a1",
	  NULL,
	  "redo b2 table n",
	  "part of it" },
	{ "an index of an older table is there",
	  { { "a1", NULL, "+T:t(id,x)", NULL }, { "b2", "a1", "+I:t(x) +C:t.y", NULL } },
	  "+T:t(id,x) +I:t(x)",
	  "a1",
	  NULL,
	  "redo b2 index t(x)",
	  "part of it" },
	{ "all is there, but for its data",
	  { BASE, { "b2", "a1", "+C:t.x", "data" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "redo b2 column t.x",
	  "nothing proves that its data steps ran" },
	{ "the same, confirmed by a replay",
	  { BASE, { "b2", "a1", "+C:t.x", "data replay" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "redo b2 column t.x",
	  "nothing proves that its data steps ran" },
	{ "all is there, but it alters something as well",
	  { BASE, { "b2", "a1", "+C:t.x ~C:t.id:BIGINT", NULL } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "redo b2 column t.x",
	  "nothing proves that the rest of it ran" },
	{ "another family of type",
	  { BASE, { "b2", "a1", "+C:t.x:INTEGER", NULL } },
	  "+T:t(id) +C:t.x:TEXT",
	  "a1",
	  NULL,
	  "stop b2",
	  "need not be" },
	{ "a table of the same name with other columns",
	  { BASE, { "b2", "a1", "+T:n(id,x)", NULL } },
	  "+T:t(id) +T:n(id,z)",
	  "a1",
	  NULL,
	  "stop b2",
	  "need not be" },
	{ "a column that it adds before it drops another one",
	  { { "a1", NULL, "+T:t(id,old)", NULL }, { "b2", "a1", "+C:t.new -C:t.old", "data" } },
	  "+T:t(id,old) +C:t.new",
	  "a1",
	  NULL,
	  "redo b2 column t.new",
	  "part of it" },
	{ "what comes behind a redo is planned",
	  { BASE, { "b2", "a1", "+C:t.x", "data" }, { "c3", "b2", "+C:t.y", NULL } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "redo b2 column t.x; run c3",
	  NULL },

	/* stop */
	{ "it has dropped what the chain had made",
	  { { "a1", NULL, "+T:t(id,old)", NULL }, { "b2", "a1", "+C:t.x -C:t.old", "data" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "stop b2",
	  "it has dropped 'column t.old'" },
	{ "part of it is there, and more may be",
	  { BASE, { "b2", "a1", "+C:t.x +C:t.y", "lower" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "stop b2",
	  "not all that it does is known" },
	{ "all of it is there, and more may be",
	  { BASE, { "b2", "a1", "+C:t.x", "lower" } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "stop b2",
	  "not all that it does is known" },
	{ "an applied revision has made it too",
	  { BASE, { "b2", "a1", "+C:t.x", NULL }, { "c3", "b2", "+C:t.x", "data" } },
	  "+T:t(id) +C:t.x",
	  "a1 b2",
	  NULL,
	  "stop c3",
	  "made by revision b2" },
	{ "a foreign key cannot be taken away",
	  { BASE, { "b2", "a1", "+C:t.x +F:t(x)>t(id) +C:t.y", NULL } },
	  "+T:t(id) +C:t.x +F:t(x)>t(id)",
	  "a1",
	  NULL,
	  "stop b2",
	  "cannot be taken away without more" },
	{ "nothing is planned behind a stop",
	  { BASE, { "b2", "a1", "+C:t.x", "lower" }, { "c3", "b2", "+C:t.y", NULL } },
	  "+T:t(id) +C:t.x",
	  "a1",
	  NULL,
	  "stop b2",
	  "known" },
};

static void set_up(struct lab *lab, const struct walk_case *one)
{
	size_t len = 0;

	while (len < ROWS_MAX && one->rows[len].id)
		len++;
	lab_set_up(lab, one->rows, len);
}

/* Revisions by their ids. */
static const bool *set_of(struct lab *lab, const char *ids)
{
	struct ath_texts words = lab_words(&lab->arena, ids, " ");
	bool *set = ath_arena_new(&lab->arena, lab->chain.len + 1, sizeof(*set));

	for (size_t i = 0; i < lab->chain.len; i++)
		set[i] = !ids;
	for (size_t i = 0; i < words.len; i++)
		set[ath_chain_find(&lab->chain, words.items[i])] = true;
	return set;
}

static const char *acts_text(struct lab *lab, const struct ath_walk *walk)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < walk->len; i++) {
		const struct ath_walk_step *step = &walk->steps[i];

		ath_str_printf(&text, "%s%s %s", i ? "; " : "", ath_walk_act_name(step->act),
			       lab->chain.entries[step->revision].id);
		for (size_t n = 0; n < step->undo.len; n++)
			ath_str_printf(&text, "%s%s", n ? ", " : " ", step->undo.items[n].key);
	}
	copy = ath_arena_strdup(&lab->arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

static bool is_said(const struct ath_walk *walk, const char *says)
{
	const char *reason = walk->len ? walk->steps[walk->len - 1].reason : NULL;

	return says ? reason && strstr(reason, says) : !reason;
}

static bool is_right(const struct walk_case *one, bool is_shown)
{
	struct lab_live live = { 0 };
	struct ath_walk_question question;
	struct ath_walk walk;
	const char *acts;
	struct lab lab;
	bool is_fine;

	set_up(&lab, one);
	lab_run(&live, one->live, &lab.arena);
	question = (struct ath_walk_question){
		.chain = &lab.chain,
		.effects = lab.effects,
		.live = lab_elements(&live),
		.cut = set_of(&lab, one->cut),
		.goal = one->goal ? set_of(&lab, ath_arena_printf(&lab.arena, "%s %s", one->cut,
								  one->goal))
				  : set_of(&lab, NULL),
	};
	ath_walk_plan(&question, &lab.arena, &walk);
	acts = acts_text(&lab, &walk);
	is_fine = strcmp(acts, one->acts) == 0 && is_said(&walk, one->says);
	if (!is_fine && is_shown)
		printf("%s: '%s' instead of '%s' (%s)\n", one->name, acts, one->acts,
		       walk.len && walk.steps[walk.len - 1].reason ? walk.steps[walk.len - 1].reason
								   : "no reason");
	ath_vec_fini(&live.items);
	lab_tear_down(&lab);
	return is_fine;
}

static void walk_acts_by_what_is_there(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		wrong += !is_right(&cases[i], true);
	assert_int_equal(wrong, 0);
}

/* The table would say so if the walk did something else. */
static void a_wrong_expectation_is_seen(void **state)
{
	struct walk_case lie = cases[1];

	(void)state;
	assert_true(is_right(&lie, false));
	lie.acts = "adopt b2";
	assert_false(is_right(&lie, false));
	lie.acts = cases[1].acts;
	lie.says = "all that";
	assert_false(is_right(&lie, false));
}

static void every_act_is_in_the_table(void **state)
{
	(void)state;
	for (int act = 0; act < ATH_WALK_ACT_COUNT_; act++) {
		const char *name = ath_walk_act_name((enum ath_walk_act)act);
		size_t found = 0;

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			found += strstr(cases[i].acts, name) != NULL;
		assert_true(found > 0);
	}
}

/* A unique constraint inside CREATE TABLE has an index that cannot be dropped by itself. */
static void constraint_of_a_table_stops_the_walk_and_an_index_does_not(void **state)
{
	static const struct walk_case one = { "unique",
					      { { "a1", NULL, "+T:t(id,x)", NULL },
						{ "b2", "a1", "+U:t(x) +C:t.y", NULL } },
					      "+T:t(id,x) +U:t(x)",
					      "a1",
					      NULL,
					      NULL,
					      NULL };
	static const struct {
		const char *name, *acts;
	} rows[] = { { "ix", "redo b2 unique t(x)" },
		     { "of_the_users_own", "stop b2" },
		     { "sqlite_autoindex_t_1", "stop b2" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lab_live live = { 0 };
		struct ath_walk walk;
		struct lab lab;

		set_up(&lab, &one);
		lab_run(&live, one.live, &lab.arena);
		for (size_t n = 0; n < live.items.len; n++)
			live.items.items[n].name = rows[i].name;
		ath_walk_plan(
			&(struct ath_walk_question){
				.chain = &lab.chain,
				.effects = lab.effects,
				.live = lab_elements(&live),
				.cut = set_of(&lab, "a1"),
				.goal = set_of(&lab, NULL),
			},
			&lab.arena, &walk);
		assert_string_equal(acts_text(&lab, &walk), rows[i].acts);
		ath_vec_fini(&live.items);
		lab_tear_down(&lab);
	}
}

/* One question about a table t(id) and a revision that adds t.x, which is there. */
static const char *ask_of_added(void (*change)(struct lab *lab, struct lab_live *live),
				struct lab *lab)
{
	static const struct walk_case one = { "added",
					      { BASE, { "b2", "a1", "+C:t.x", NULL } },
					      "+T:t(id) +C:t.x",
					      "a1",
					      NULL,
					      NULL,
					      NULL };
	struct lab_live live = { 0 };
	struct ath_walk walk;

	set_up(lab, &one);
	lab_run(&live, one.live, &lab->arena);
	change(lab, &live);
	ath_walk_plan(
		&(struct ath_walk_question){
			.chain = &lab->chain,
			.effects = lab->effects,
			.live = lab_elements(&live),
			.cut = set_of(lab, "a1"),
			.goal = set_of(lab, NULL),
		},
		&lab->arena, &walk);
	ath_vec_fini(&live.items);
	return acts_text(lab, &walk);
}

static void no_change(struct lab *lab, struct lab_live *live)
{
	(void)lab, (void)live;
}

static void is_unknown(struct lab *lab, struct lab_live *live)
{
	(void)live;
	lab->effects[1].source = ATH_EFFECTS_UNKNOWN;
}

static void is_key(struct lab *lab, struct lab_live *live)
{
	(void)lab;
	for (size_t i = 0; i < live->items.len; i++)
		live->items.items[i].attributes.is_key = true;
}

static void unknown_text_is_run_and_another_key_is_another_shape(void **state)
{
	static const struct {
		void (*change)(struct lab *lab, struct lab_live *live);
		const char *acts;
	} rows[] = { { no_change, "adopt b2" }, { is_unknown, "run b2" }, { is_key, "stop b2" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lab lab;

		assert_string_equal(ask_of_added(rows[i].change, &lab), rows[i].acts);
		lab_tear_down(&lab);
	}
}

/* ---- left-overs ---- */

static void leftovers_are_those_whose_table_is_there(void **state)
{
	static const struct {
		const char *live, *found;
	} rows[] = {
		{ "+T:users(id)", "" },
		{ "+T:users(id) +T:_alembic_tmp_users(id)", "table _alembic_tmp_users" },
		{ "+T:_alembic_tmp_users(id)", "" }, /* it may be the only copy */
		{ "+T:users(id) +T:_alembic_tmp_(id)", "" },
		{ "+T:users(id) +T:alembic_tmp_users(id)", "" },
		{ "+T:a(id) +T:b(id) +T:_alembic_tmp_a(id) +T:_alembic_tmp_b(id) "
		  "+T:_alembic_tmp_c(id)",
		  "table _alembic_tmp_a, table _alembic_tmp_b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_arena arena = { 0 };
		struct lab_live live = { 0 };
		struct ath_elements set, found;
		struct ath_str text = { 0 };

		lab_run(&live, rows[i].live, &arena);
		set = lab_elements(&live);
		found = ath_walk_find_leftovers(&set, &arena);
		for (size_t n = 0; n < found.len; n++)
			ath_str_printf(&text, "%s%s", n ? ", " : "", found.items[n].key);
		assert_string_equal(ath_str_get(&text), rows[i].found);
		ath_str_fini(&text);
		ath_vec_fini(&live.items);
		ath_arena_fini(&arena);
	}
}

/* ---- after the walk ---- */

static const struct lab_row told[] = {
	{ "a1", NULL, "+T:t(id,old)", NULL },
	{ "b2", "a1", "+C:t.x -C:t.old +I:t(x)", NULL },
	{ "c3", "b2", "+C:t.y", "blind" },
};

static void revision_that_did_not_do_what_its_text_says_is_named(void **state)
{
	static const struct {
		const char *live, *ran, *fault, *revision;
		const char *cut; /* NULL: all */
	} rows[] = {
		{ "+T:t(id) +C:t.x +I:t(x)", "b2 c3", NULL, NULL },
		{ "+T:t(id) +I:t(x)", "b2", "column t.x", "b2" },
		{ "+T:t(id) +C:t.x +I:t(x) +C:t.old", "b2", NULL, NULL }, /* of no tip: light */
		{ "+T:t(id) +C:t.x", "b2", NULL, NULL },  /* an index is no strong one */
		{ "+T:t(id) +I:t(x)", "c3", NULL, NULL }, /* not by this walk */
		{ "+T:t(id) +C:t.x +C:mine.z", "b2 c3", NULL, NULL }, /* the operator's own */
		{ "+T:t(id,old) +C:t.x", "a1 b2", NULL, NULL, "a1" }, /* early is no lack */
		{ "+C:n.x", "a1 b2", "table t", "a1", "a1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lab_live live = { 0 };
		const char *fault;
		size_t revision = 99;
		struct lab lab;

		lab_set_up(&lab, told, 3);
		lab_run(&live, rows[i].live, &lab.arena);
		fault = ath_walk_find_fault(
			&(struct ath_walk_question){
				.chain = &lab.chain,
				.effects = lab.effects,
				.live = lab_elements(&live),
				.cut = set_of(&lab, rows[i].cut),
			},
			set_of(&lab, rows[i].ran), &lab.arena, &revision);
		if (!ath_str_is(fault, rows[i].fault))
			fail_msg("%s: %s", rows[i].live, fault ? fault : "no fault");
		if (fault)
			assert_string_equal(lab.chain.entries[revision].id, rows[i].revision);
		ath_vec_fini(&live.items);
		lab_tear_down(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_acts_by_what_is_there),
		cmocka_unit_test(a_wrong_expectation_is_seen),
		cmocka_unit_test(every_act_is_in_the_table),
		cmocka_unit_test(constraint_of_a_table_stops_the_walk_and_an_index_does_not),
		cmocka_unit_test(unknown_text_is_run_and_another_key_is_another_shape),
		cmocka_unit_test(leftovers_are_those_whose_table_is_there),
		cmocka_unit_test(revision_that_did_not_do_what_its_text_says_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
