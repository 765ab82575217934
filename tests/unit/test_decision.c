/* SPDX-License-Identifier: MIT */
/* steps/decision: real files and a known chain in, a plan or a question out; no engine runs. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/db_files.h"

#include "steps/decision.h"
#include "tests/unit/infer_lab.h"

static const struct lab_row chain_rows[] = {
	{ "a1", NULL, "+T:t(id)", NULL },
	{ "b2", "a1", "+C:t.x +C:t.y", NULL },
	{ "c3", "b2", "+T:n(id)", NULL },
	{ "d4", "c3", "+C:t.z +C:n.z", NULL },
};

#define A1        "CREATE TABLE t (id INTEGER PRIMARY KEY);"
#define B2        A1 "ALTER TABLE t ADD x; ALTER TABLE t ADD y;"
#define C3        B2 "CREATE TABLE n (id INTEGER PRIMARY KEY);"
#define D4        C3 "ALTER TABLE t ADD z; ALTER TABLE n ADD z;"
#define V         "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);"
#define STAMP(id) V "INSERT INTO alembic_version VALUES ('" id "');"

struct decision_case {
	const char *name, *sql;
	const char *assume;
	enum ath_err_code code; /* ATH_ERR_OK: there is a plan */
	const char *said;       /* part of the message or of the plan's sentence */
	enum ath_database_need need;
	const char *stamp; /* the rows to be written, joined; NULL: none */
	const char *half;
	size_t pending;
	bool repairs;
};

#define NONE ATH_DATABASE_NONE
#define UP   ATH_DATABASE_UPGRADE

static const struct decision_case cases[] = {
	{ "at the head", D4 STAMP("d4"), NULL, ATH_ERR_OK, "agrees", NONE, NULL, NULL, 0, false },
	{ "behind the head", B2 STAMP("b2"), NULL, ATH_ERR_OK, "2 revisions pending", UP, NULL,
	  NULL, 2, false },
	{ "no rows", D4, NULL, ATH_ERR_OK, "d4", UP, "d4", NULL, 0, true },
	{ "a row too old", D4 STAMP("a1"), NULL, ATH_ERR_OK, "ahead", UP, "d4", NULL, 0, true },
	{ "a row too new", A1 STAMP("d4"), NULL, ATH_ERR_OK, "behind", UP, "a1", NULL, 3, true },
	{ "two rows, one too many", D4 STAMP("a1") "INSERT INTO alembic_version VALUES ('d4')",
	  NULL, ATH_ERR_OK, "", UP, "d4", NULL, 0, true },
	{ "half there", A1 "ALTER TABLE t ADD x;" STAMP("a1"), NULL, ATH_ERR_OK, "", UP, NULL, "b2",
	  3, true },
	{ "half there, and no rows", A1 "ALTER TABLE t ADD x;", NULL, ATH_ERR_DECISION,
	  "is not stamped", NONE, NULL, NULL, 0, false },
	{ "a left-over of a rebuild at the head", D4 STAMP("d4") "CREATE TABLE _alembic_tmp_t (id)",
	  NULL, ATH_ERR_OK, "", NONE, NULL, NULL, 0, true },

	{ "damaged", D4 STAMP("d4") "ALTER TABLE t DROP COLUMN x", NULL, ATH_ERR_DECISION,
	  "is stamped d4, and its schema does not decide", NONE, NULL, NULL, 0, false },
	{ "damaged and not stamped", D4 "ALTER TABLE t DROP COLUMN x", NULL, ATH_ERR_DECISION,
	  "--assume-revision", NONE, NULL, NULL, 0, false },
	{ "another application", "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x)", NULL,
	  ATH_ERR_REFUSED, "is left alone", NONE, NULL, NULL, 0, false },
	{ "a row of another chain", D4 STAMP("zz"), NULL, ATH_ERR_REFUSED, "'zz'", NONE, NULL, NULL,
	  0, false },
	{ "a version table of another shape", D4 "CREATE TABLE alembic_version (x)", NULL,
	  ATH_ERR_REFUSED, "version_num", NONE, NULL, NULL, 0, false },
	{ "nothing", "", NULL, ATH_ERR_OK, "there is no database yet", ATH_DATABASE_INIT, NULL,
	  NULL, 0, false },
	{ "a stamp over nothing", STAMP("d4"), NULL, ATH_ERR_DECISION, "d4", NONE, NULL, NULL, 0,
	  false },

	/* the operator's word */
	{ "an answer", D4 "ALTER TABLE t DROP COLUMN x", "d4", ATH_ERR_OK, "as you said", UP, "d4",
	  NULL, 0, true },
	{ "an answer against a row that the schema does not bear out", A1 STAMP("d4"), "a1",
	  ATH_ERR_OK, "as you said", UP, "a1", NULL, 3, true },
	{ "an answer that names no revision", D4 "ALTER TABLE t DROP COLUMN x", "zz", ATH_ERR_USAGE,
	  "no such revision", NONE, NULL, NULL, 0, false },
	{ "no word against a row that the schema bears out", B2 STAMP("b2"), "a1", ATH_ERR_DECISION,
	  "and --assume-revision says 'a1'", NONE, NULL, NULL, 0, false },
};

static struct ath_known know(struct lab *lab)
{
	lab_set_up(lab, chain_rows, sizeof(chain_rows) / sizeof(chain_rows[0]));
	return (struct ath_known){ .chain = lab->chain, .effects = lab->effects };
}

static bool make(const struct decision_case *one, const struct ath_known *known,
		 struct ath_arena *arena, struct ath_database_plan *plan, struct ath_err *err)
{
	struct ath_decision_question question = {
		.path = db_path("a"),
		.name = "app.db",
		.version_table = "alembic_version",
		.known = known,
		.assume = one->assume,
	};
	struct ath_decision_seen seen;
	bool is_made;

	db_store(db_path("a"), "", 0);
	db_run(db_path("a"), one->sql);
	is_made = ath_decision_make(&question, arena, &seen, plan, err);
	ath_look_fini(&seen.look);
	return is_made;
}

static bool is_as_planned(const struct decision_case *one, const struct ath_database_plan *plan)
{
	bool is_stamp = one->stamp ? plan->must_stamp && plan->stamp.len == 1 &&
					     strcmp(plan->stamp.items[0], one->stamp) == 0
				   : !plan->must_stamp;
	bool is_half = one->half ? plan->half && strcmp(plan->half, one->half) == 0 : !plan->half;

	return plan->need == one->need && is_stamp && is_half && plan->pending == one->pending &&
	       ath_decision_repairs(plan) == one->repairs && strstr(plan->said, one->said);
}

static bool is_right(const struct decision_case *one, bool is_shown)
{
	struct ath_database_plan plan = { 0 };
	struct lab lab;
	struct ath_err err = { 0 };
	struct ath_known known;
	bool is_fine, is_made;

	known = know(&lab);
	is_made = make(one, &known, &lab.arena, &plan, &err);
	is_fine = err.code == one->code && is_made == (one->code == ATH_ERR_OK) &&
		  (is_made ? is_as_planned(one, &plan) : strstr(err.msg, one->said) != NULL);
	if (!is_fine && is_shown)
		printf("%s: %s; need %d, stamp %s, half %s, %zu pending, %s\n", one->name,
		       is_made ? plan.said : err.msg, plan.need,
		       plan.must_stamp && plan.stamp.len ? plan.stamp.items[0] : "none",
		       plan.half ? plan.half : "none", plan.pending,
		       ath_decision_repairs(&plan) ? "repairs" : "no repair");
	lab_tear_down(&lab);
	return is_fine;
}

static void decision_becomes_a_plan_or_a_question(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		wrong += !is_right(&cases[i], true);
	assert_int_equal(wrong, 0);
}

static void a_wrong_expectation_is_seen(void **state)
{
	struct decision_case lie = cases[3];

	(void)state;
	lie.stamp = "c3";
	assert_false(is_right(&lie, false));
	lie = cases[0];
	lie.repairs = true;
	assert_false(is_right(&lie, false));
	lie = cases[9];
	lie.code = ATH_ERR_REFUSED;
	assert_false(is_right(&lie, false));
}

/* Without effects there is no evidence: the rows alone decide, and a missing row is a question. */
static void without_effects_the_rows_decide(void **state)
{
	static const struct decision_case stamped = { .sql = A1 STAMP("d4") },
					  missing = { .sql = D4 };
	struct ath_database_plan plan = { 0 };
	struct lab lab;
	struct ath_err err = { 0 };
	struct ath_known known;

	(void)state;
	known = know(&lab);
	known.effects = NULL;
	assert_true(make(&stamped, &known, &lab.arena, &plan, &err));
	assert_int_equal(plan.need, ATH_DATABASE_NONE);
	assert_false(make(&missing, &known, &lab.arena, &plan, &err));
	assert_int_equal(err.code, ATH_ERR_DECISION);
	lab_tear_down(&lab);
}

/* A look under the lock confirms an earlier one by this text. */
static void same_decision_has_the_same_name_and_another_has_another(void **state)
{
	static const struct decision_case one = { .sql = D4 STAMP("a1") },
					  same = { .sql = D4 STAMP("a1") },
					  other = { .sql = A1 STAMP("a1") };
	struct ath_database_plan first = { 0 }, second = { 0 }, third = { 0 };
	struct lab lab;
	struct ath_err err = { 0 };
	struct ath_known known;

	(void)state;
	known = know(&lab);
	assert_true(make(&one, &known, &lab.arena, &first, &err));
	assert_true(make(&same, &known, &lab.arena, &second, &err));
	assert_true(make(&other, &known, &lab.arena, &third, &err));
	assert_string_equal(first.decided, second.decided);
	assert_string_not_equal(first.decided, third.decided);
	lab_tear_down(&lab);
}

/* The goal of a repair: what the new rows say, and the revision that is run whole; else the rows. */
static void goal_is_what_a_repair_alone_reaches(void **state)
{
	static const struct {
		const char *sql, *goal;
	} rows[] = {
		{ B2 STAMP("b2"), "a1 b2 " },
		{ A1 STAMP("d4"), "a1 " },
		{ A1 "ALTER TABLE t ADD x;" STAMP("a1"), "a1 b2 " },
		{ D4, "a1 b2 c3 d4 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decision_case one = { .sql = rows[i].sql };
		struct ath_database_plan plan = { 0 };
		struct lab lab;
		struct ath_err err = { 0 };
		struct ath_known known;
		struct ath_str text = { 0 };
		const char *row;
		const char *items[1];
		struct ath_texts stamped = { items, 0 };
		const bool *goal;

		known = know(&lab);
		assert_true(make(&one, &known, &lab.arena, &plan, &err));
		row = db_ask(db_path("a"), "SELECT version_num FROM alembic_version", NULL);
		if (*row) {
			items[0] = row;
			stamped.len = 1;
		}
		goal = ath_decision_goal(&known.chain, &plan, &stamped, &lab.arena);
		for (size_t n = 0; n < known.chain.len; n++)
			ath_str_printf(&text, "%s%s", goal[n] ? known.chain.entries[n].id : "",
				       goal[n] ? " " : "");
		assert_string_equal(ath_str_get(&text), rows[i].goal);
		ath_str_fini(&text);
		lab_tear_down(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(decision_becomes_a_plan_or_a_question),
		db_test(a_wrong_expectation_is_seen),
		db_test(without_effects_the_rows_decide),
		db_test(same_decision_has_the_same_name_and_another_has_another),
		db_test(goal_is_what_a_repair_alone_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
