/* SPDX-License-Identifier: MIT */
/* steps/database_state: each state of a file, each form of its version rows, each chain. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "steps/database_state.h"

#define PATH  "/srv/app/app.db"
#define TABLE "alembic_version"

enum {
	ROWS_MAX = 4,
};

/*
 *	a1 ── b2 ── c3 ── d4        chain_line
 *
 *	      ┌─ b2 ──── d4
 *	a1 ───┤                     chain_branches: two heads
 *	      └─ c3
 *
 *	      ┌─ b2 ─┐
 *	a1 ───┤      ├─ d4          chain_merge
 *	      └─ c3 ─┘
 *
 *	a1 ── b2
 *	       ▲                    chain_depends: d4 depends on b2, two histories
 *	c3 ── d4
 */
#define ONE(id)                                      \
	{                                            \
		(const char *const[]){ id, NULL }, 1 \
	}
#define TWO(one, id)                                      \
	{                                                 \
		(const char *const[]){ one, id, NULL }, 2 \
	}

static const struct ath_chain_entry chain_line[] = {
	{ .id = "a1", .file = "a.py" },
	{ .id = "b2", .downs = ONE("a1"), .file = "b.py" },
	{ .id = "c3", .downs = ONE("b2"), .file = "c.py" },
	{ .id = "d4", .downs = ONE("c3"), .file = "d.py" },
};
static const struct ath_chain_entry chain_branches[] = {
	{ .id = "a1", .file = "a.py" },
	{ .id = "b2", .downs = ONE("a1"), .file = "b.py" },
	{ .id = "c3", .downs = ONE("a1"), .file = "c.py" },
	{ .id = "d4", .downs = ONE("b2"), .file = "d.py" },
};
static const struct ath_chain_entry chain_merge[] = {
	{ .id = "a1", .file = "a.py" },
	{ .id = "b2", .downs = ONE("a1"), .file = "b.py" },
	{ .id = "c3", .downs = ONE("a1"), .file = "c.py" },
	{ .id = "d4", .downs = TWO("b2", "c3"), .file = "d.py" },
};
static const struct ath_chain_entry chain_depends[] = {
	{ .id = "a1", .file = "a.py" },
	{ .id = "b2", .downs = ONE("a1"), .file = "b.py" },
	{ .id = "c3", .file = "c.py" },
	{ .id = "d4", .downs = ONE("c3"), .depends_on = ONE("b2"), .file = "d.py" },
};

/* What a look found. */
struct seen {
	enum ath_look_state state;
	enum ath_look_stamp stamp;
	const char *rows[ROWS_MAX];   /* up to NULL */
	const char *tables[ROWS_MAX]; /* up to NULL */
};

/* One decision: what was seen and assumed; what is to come out. */
struct row {
	const struct ath_chain_entry *chain; /* four entries; NULL: an empty chain */
	struct seen seen;
	const char *assume;
	enum ath_err_code code;      /* ATH_ERR_OK: it is decided */
	enum ath_database_need need; /* the rest only then */
	size_t pending;
	const char *stamp; /* ids to write, joined by blanks; NULL: must not stamp */
	const char *said;  /* a part of the sentence or of the message, or NULL */
};

static size_t count(const char *const *texts)
{
	size_t len = 0;

	while (len < ROWS_MAX && texts[len])
		len++;
	return len;
}

static void fill_look(const struct seen *seen, const char **rows, struct ath_schema_object *objects,
		      struct ath_look *out)
{
	*out = (struct ath_look){ .state = seen->state,
				  .reason = "for a reason",
				  .stamp = seen->stamp,
				  .rows = rows,
				  .rows_len = count(seen->rows),
				  .schema = { .objects = objects, .len = count(seen->tables) } };
	for (size_t i = 0; i < out->rows_len; i++)
		rows[i] = seen->rows[i];
	for (size_t i = 0; i < out->schema.len; i++)
		objects[i] = (struct ath_schema_object){ .name = seen->tables[i],
							 .table = seen->tables[i],
							 .sql = "CREATE" };
}

static void check_plan(size_t i, const struct row *row, const struct ath_database_plan *plan)
{
	struct ath_str stamp = { 0 };

	for (size_t n = 0; n < plan->stamp.len; n++)
		ath_str_printf(&stamp, "%s%s", n ? " " : "", plan->stamp.items[n]);
	if (plan->need != row->need || plan->pending != row->pending ||
	    plan->must_stamp != (row->stamp != NULL) ||
	    strcmp(ath_str_get(&stamp), row->stamp ? row->stamp : "") != 0)
		fail_msg("row %zu: need %d, %zu pending, stamp %d '%s'", i, plan->need,
			 plan->pending, plan->must_stamp, ath_str_get(&stamp));
	assert_int_equal(plan->is_fresh, plan->need == ATH_DATABASE_INIT);
	assert_true(strlen(plan->said) > 0);
	if (row->said && !strstr(plan->said, row->said))
		fail_msg("row %zu says '%s'", i, plan->said);
	ath_str_fini(&stamp);
}

static void check_row(size_t i, const struct row *row)
{
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_look look;
	struct ath_database_plan plan;
	struct ath_schema_object objects[ROWS_MAX];
	const char *rows[ROWS_MAX];
	struct ath_err err = { 0 };
	bool is_decided;

	assert_true(ath_chain_build(row->chain, row->chain ? 4 : 0, &arena, &chain, &err));
	fill_look(&row->seen, rows, objects, &look);
	is_decided =
		ath_database_decide(&look, TABLE, &chain, row->assume, PATH, &arena, &plan, &err);
	if (err.code != row->code || is_decided != (row->code == ATH_ERR_OK))
		fail_msg("row %zu: %s (%s), said '%s'", i, ath_err_name(err.code), err.msg,
			 is_decided ? plan.said : "");
	if (is_decided)
		check_plan(i, row, &plan);
	else if (row->said && !strstr(err.msg, row->said))
		fail_msg("row %zu fails with '%s'", i, err.msg);
	if (!is_decided && row->code != ATH_ERR_USAGE)
		assert_non_null(strstr(err.msg, PATH));
	ath_arena_fini(&arena);
}

static void check_rows(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		check_row(i, &rows[i]);
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

#define MISSING                           \
	{                                 \
		.state = ATH_LOOK_MISSING \
	}
#define EMPTY                           \
	{                               \
		.state = ATH_LOOK_EMPTY \
	}
/* A database that is in use: one table beside the version table with these rows. */
#define STAMPED(...)                                          \
	{                                                     \
		ATH_LOOK_OK, ATH_STAMP_ROWS, { __VA_ARGS__ }, \
		{                                             \
			TABLE, "item"                         \
		}                                             \
	}
#define NO_ROWS                                           \
	{                                                 \
		ATH_LOOK_OK, ATH_STAMP_NO_ROWS, { NULL }, \
		{                                         \
			TABLE, "item"                     \
		}                                         \
	}
#define NO_TABLE                                           \
	{                                                  \
		ATH_LOOK_OK, ATH_STAMP_NO_TABLE, { NULL }, \
		{                                          \
			"item", "person"                   \
		}                                          \
	}

static void what_is_not_there_or_empty_is_made(void **state)
{
	static const struct row rows[] = {
		{ chain_line, MISSING, NULL, 0, ATH_DATABASE_INIT, 0, NULL, "no database yet" },
		{ chain_line, EMPTY, NULL, 0, ATH_DATABASE_INIT, 0, NULL, NULL },
		{ chain_branches, MISSING, NULL, 0, ATH_DATABASE_INIT, 0, NULL, NULL },
		{ NULL, MISSING, NULL, 0, ATH_DATABASE_INIT, 0, NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

/* A first upgrade that failed leaves such a file; only rows make it more than that. */
static void a_version_table_alone_counts_as_empty_unless_it_has_rows(void **state)
{
	static const struct row rows[] = {
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_NO_ROWS, { NULL }, { TABLE } },
		  NULL,
		  0,
		  ATH_DATABASE_INIT,
		  0,
		  NULL,
		  NULL },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_NO_ROWS, { NULL }, { "ALEMBIC_Version" } },
		  NULL,
		  0,
		  ATH_DATABASE_INIT,
		  0,
		  NULL,
		  NULL },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_ROWS, { "d4" }, { TABLE } },
		  NULL,
		  ATH_ERR_DECISION,
		  0,
		  0,
		  NULL,
		  "stamped 'd4' but has no tables" },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_ROWS, { "zz" }, { TABLE } },
		  NULL,
		  ATH_ERR_DECISION,
		  0,
		  0,
		  NULL,
		  "stamped 'zz'" },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_ROWS, { "d4" }, { TABLE } },
		  "a1",
		  ATH_ERR_DECISION,
		  0,
		  0,
		  NULL,
		  NULL },
	};

	(void)state;
	CHECK(rows);
}

static void what_cannot_be_read_is_refused_whatever_is_assumed(void **state)
{
	static const struct row rows[] = {
		{ chain_line,
		  { .state = ATH_LOOK_LOCKED },
		  NULL,
		  ATH_ERR_LOCKED,
		  0,
		  0,
		  NULL,
		  "for a reason" },
		{ chain_line,
		  { .state = ATH_LOOK_LOCKED },
		  "a1",
		  ATH_ERR_LOCKED,
		  0,
		  0,
		  NULL,
		  NULL },
		{ chain_line,
		  { .state = ATH_LOOK_UNREADABLE },
		  NULL,
		  ATH_ERR_REFUSED,
		  0,
		  0,
		  NULL,
		  "for a reason" },
		{ chain_line,
		  { .state = ATH_LOOK_UNREADABLE },
		  "a1",
		  ATH_ERR_REFUSED,
		  0,
		  0,
		  NULL,
		  NULL },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, { NULL }, { TABLE, "item" } },
		  NULL,
		  ATH_ERR_REFUSED,
		  0,
		  0,
		  NULL,
		  "version_num" },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, { NULL }, { TABLE, "item" } },
		  "a1",
		  ATH_ERR_REFUSED,
		  0,
		  0,
		  NULL,
		  NULL },
		{ chain_line,
		  { ATH_LOOK_OK, ATH_STAMP_WRONG_SHAPE, { NULL }, { TABLE } },
		  NULL,
		  ATH_ERR_REFUSED,
		  0,
		  0,
		  NULL,
		  NULL },
	};

	(void)state;
	CHECK(rows);
}

/* Nothing was read yet, so nothing may be claimed of it: no stamp, no number. */
static void a_crashed_write_is_rolled_back_on_a_copy(void **state)
{
	static const struct row rows[] = {
		{ chain_line,
		  { .state = ATH_LOOK_RECOVERY },
		  NULL,
		  0,
		  ATH_DATABASE_UPGRADE,
		  0,
		  NULL,
		  "rolled back" },
	};

	(void)state;
	CHECK(rows);
}

static void rows_of_one_line_are_counted_against_its_head(void **state)
{
	static const struct row rows[] = {
		{ chain_line, STAMPED("d4"), NULL, 0, ATH_DATABASE_NONE, 0, NULL, "at the head" },
		{ chain_line, STAMPED("c3"), NULL, 0, ATH_DATABASE_UPGRADE, 1, NULL,
		  "1 revision pending" },
		{ chain_line, STAMPED("a1"), NULL, 0, ATH_DATABASE_UPGRADE, 3, NULL,
		  "3 revisions pending" },
	};

	(void)state;
	CHECK(rows);
}

static void rows_of_branches_are_counted_against_all_heads(void **state)
{
	static const struct row rows[] = {
		{ chain_branches, STAMPED("c3", "d4"), NULL, 0, ATH_DATABASE_NONE, 0, NULL, NULL },
		{ chain_branches, STAMPED("d4"), NULL, 0, ATH_DATABASE_UPGRADE, 1, NULL, NULL },
		{ chain_branches, STAMPED("c3"), NULL, 0, ATH_DATABASE_UPGRADE, 2, NULL, NULL },
		{ chain_branches, STAMPED("b2", "c3"), NULL, 0, ATH_DATABASE_UPGRADE, 1, NULL,
		  NULL },
		{ chain_branches, STAMPED("a1"), NULL, 0, ATH_DATABASE_UPGRADE, 3, NULL, NULL },
		{ chain_merge, STAMPED("d4"), NULL, 0, ATH_DATABASE_NONE, 0, NULL, NULL },
		{ chain_merge, STAMPED("b2", "c3"), NULL, 0, ATH_DATABASE_UPGRADE, 1, NULL, NULL },
		{ chain_merge, STAMPED("b2"), NULL, 0, ATH_DATABASE_UPGRADE, 2, NULL, NULL },
		{ chain_depends, STAMPED("d4"), NULL, 0, ATH_DATABASE_NONE, 0, NULL, NULL },
		{ chain_depends, STAMPED("b2"), NULL, 0, ATH_DATABASE_UPGRADE, 2, NULL, NULL },
		{ chain_depends, STAMPED("b2", "c3"), NULL, 0, ATH_DATABASE_UPGRADE, 1, NULL,
		  NULL },
	};

	(void)state;
	CHECK(rows);
}

static void a_row_that_is_the_ancestor_of_another_is_removed(void **state)
{
	static const struct row rows[] = {
		{ chain_line, STAMPED("c3", "d4"), NULL, 0, ATH_DATABASE_UPGRADE, 0, "d4",
		  "'c3' is an ancestor" },
		{ chain_line, STAMPED("a1", "c3"), NULL, 0, ATH_DATABASE_UPGRADE, 1, "c3",
		  "'a1' is an ancestor" },
		{ chain_line, STAMPED("a1", "b2", "d4"), NULL, 0, ATH_DATABASE_UPGRADE, 0, "d4",
		  NULL },
		{ chain_branches, STAMPED("a1", "c3"), NULL, 0, ATH_DATABASE_UPGRADE, 2, "c3",
		  NULL },
		{ chain_branches, STAMPED("b2", "c3", "d4"), NULL, 0, ATH_DATABASE_UPGRADE, 0,
		  "c3 d4", "'b2' is an ancestor" },
		{ chain_merge, STAMPED("b2", "d4"), NULL, 0, ATH_DATABASE_UPGRADE, 0, "d4", NULL },
		{ chain_depends, STAMPED("b2", "d4"), NULL, 0, ATH_DATABASE_UPGRADE, 0, "d4",
		  NULL },
	};

	(void)state;
	CHECK(rows);
}

static void a_row_that_the_chain_does_not_know_is_refused_by_name(void **state)
{
	static const struct row rows[] = {
		{ chain_line, STAMPED("e5"), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "'e5'" },
		{ chain_line, STAMPED("d4", "e5"), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "'e5'" },
		{ chain_line, STAMPED("d"), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "'d'" },
		{ chain_line, STAMPED("D4"), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "'D4'" },
		{ chain_line, STAMPED(""), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "''" },
		{ NULL, STAMPED("a1"), NULL, ATH_ERR_REFUSED, 0, 0, NULL, "'a1'" },
	};

	(void)state;
	CHECK(rows);
}

/* The version table is not one of its tables: the operator counts the others. */
static void tables_without_a_row_need_a_person(void **state)
{
	static const struct row rows[] = {
		{ chain_line, NO_ROWS, NULL, ATH_ERR_DECISION, 0, 0, NULL, "has 1 table " },
		{ chain_line, NO_TABLE, NULL, ATH_ERR_DECISION, 0, 0, NULL, "has 2 tables " },
		{ chain_line, NO_TABLE, NULL, ATH_ERR_DECISION, 0, 0, NULL,
		  "--assume-revision REV" },
		{ NULL, NO_TABLE, NULL, ATH_ERR_DECISION, 0, 0, NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

static void an_assumed_revision_is_stamped_and_goes_on_from_there(void **state)
{
	static const struct row rows[] = {
		{ chain_line, NO_ROWS, "b2", 0, ATH_DATABASE_UPGRADE, 2, "b2", "as you said" },
		{ chain_line, NO_TABLE, "a1", 0, ATH_DATABASE_UPGRADE, 3, "a1", "3 pending" },
		{ chain_line, NO_TABLE, "d4", 0, ATH_DATABASE_UPGRADE, 0, "d4", NULL },
		{ chain_branches, NO_TABLE, "b2", 0, ATH_DATABASE_UPGRADE, 2, "b2", NULL },
		{ chain_line, STAMPED("e5"), "c3", 0, ATH_DATABASE_UPGRADE, 1, "c3", NULL },
		{ chain_line, NO_ROWS, "zz", ATH_ERR_USAGE, 0, 0, NULL, "'zz'" },
		{ chain_line, NO_ROWS, "b", ATH_ERR_USAGE, 0, 0, NULL, "'b'" },
		{ chain_line, NO_ROWS, "", ATH_ERR_USAGE, 0, 0, NULL, NULL },
		{ chain_line, NO_ROWS, "heads", ATH_ERR_USAGE, 0, 0, NULL, NULL },
		{ NULL, NO_TABLE, "a1", ATH_ERR_USAGE, 0, 0, NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

static void another_name_of_the_version_table_is_respected(void **state)
{
	const struct ath_schema_object objects[] = {
		{ .name = "alembic_version", .table = "alembic_version", .sql = "CREATE" },
		{ .name = "migrations", .table = "migrations", .sql = "CREATE" },
	};
	struct ath_look look = { .state = ATH_LOOK_OK,
				 .stamp = ATH_STAMP_NO_ROWS,
				 .schema = { .objects = objects + 1, .len = 1 } };
	struct ath_arena arena = { 0 };
	struct ath_database_plan plan;
	struct ath_chain chain;
	struct ath_err err = { 0 };

	(void)state;
	assert_true(ath_chain_build(chain_line, 4, &arena, &chain, &err));
	assert_true(
		ath_database_decide(&look, "migrations", &chain, NULL, PATH, &arena, &plan, &err));
	assert_int_equal(plan.need, ATH_DATABASE_INIT);
	look.schema = (struct ath_schema){ .objects = objects, .len = 2 };
	assert_false(
		ath_database_decide(&look, "migrations", &chain, NULL, PATH, &arena, &plan, &err));
	assert_int_equal(err.code, ATH_ERR_DECISION);
	ath_arena_fini(&arena);
}

static void a_long_id_does_not_break_the_sentence(void **state)
{
	char id[400] = { 0 };
	struct ath_chain_entry entries[2];
	struct row row = { NULL, NO_TABLE, id, 0, ATH_DATABASE_UPGRADE, 1, id, "as you said" };
	struct ath_arena arena = { 0 };
	struct ath_chain chain;
	struct ath_look look;
	struct ath_schema_object objects[ROWS_MAX];
	const char *rows[ROWS_MAX];
	struct ath_database_plan plan;
	struct ath_err err = { 0 };

	(void)state;
	memset(id, 'f', sizeof(id) - 1);
	entries[0] = (struct ath_chain_entry){ .id = id, .file = "f.py" };
	entries[1] = (struct ath_chain_entry){ .id = "b2",
					       .downs = { (const char *const[]){ id, NULL }, 1 },
					       .file = "b.py" };
	assert_true(ath_chain_build(entries, 2, &arena, &chain, &err));
	fill_look(&row.seen, rows, objects, &look);
	assert_true(
		ath_database_decide(&look, TABLE, &chain, row.assume, PATH, &arena, &plan, &err));
	assert_string_equal(plan.stamp.items[0], id);
	assert_null(plan.stamp.items[1]);
	assert_int_equal(plan.pending, 1);
	assert_true(strlen(plan.said) < sizeof(plan.said));
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_or_empty_is_made),
		cmocka_unit_test(a_version_table_alone_counts_as_empty_unless_it_has_rows),
		cmocka_unit_test(what_cannot_be_read_is_refused_whatever_is_assumed),
		cmocka_unit_test(a_crashed_write_is_rolled_back_on_a_copy),
		cmocka_unit_test(rows_of_one_line_are_counted_against_its_head),
		cmocka_unit_test(rows_of_branches_are_counted_against_all_heads),
		cmocka_unit_test(a_row_that_is_the_ancestor_of_another_is_removed),
		cmocka_unit_test(a_row_that_the_chain_does_not_know_is_refused_by_name),
		cmocka_unit_test(tables_without_a_row_need_a_person),
		cmocka_unit_test(an_assumed_revision_is_stamped_and_goes_on_from_there),
		cmocka_unit_test(another_name_of_the_version_table_is_respected),
		cmocka_unit_test(a_long_id_does_not_break_the_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
