/* SPDX-License-Identifier: MIT */
/* steps/known: what is kept of the chain comes back, and what was not written so is refused. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/db_files.h"
#include "tests/unit/infer_lab.h"

#include "steps/known.h"

#define HEADS                                                                                    \
	"{\"event\":\"heads\",\"heads\":[\"b2\"],\"revisions\":[{\"id\":\"a1\",\"down\":[],"     \
	"\"depends_on\":[],\"labels\":[],\"file\":\"a.py\",\"line\":1},{\"id\":\"b2\",\"down\":" \
	"[\"a1\"],\"depends_on\":[],\"labels\":[],\"file\":\"b.py\",\"line\":1}]}\n"
#define TARGET "{\"event\":\"target\",\"metadata_tables\":[\"T\",\"other\"]}\n"
#define KEPT   "chain.known"

static const struct lab_row rows[] = {
	{ "a1", NULL, "+T:t(id)", NULL },
	{ "b2", "a1", "+C:t.x:TEXT -C:t.id", "data" },
};

static struct ath_step_world world_of_test(void)
{
	return (struct ath_step_world){ .run_dir = db_root };
}

/* Keep a chain of two revisions; without its effects if `effects` is NULL. */
static void save(const struct ath_effects *effects)
{
	struct ath_step_world world = world_of_test();
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_known known;
	size_t len;
	struct ath_str line = { 0 };

	ath_str_puts(&line, HEADS TARGET);
	assert_true(ath_known_read(&line, &arena, &known, &len, &err));
	assert_int_equal(len, line.len);
	known.effects = effects;
	assert_true(ath_known_save(&world, &line, &known, &err));
	ath_str_fini(&line);
	ath_arena_fini(&arena);
}

/* Load; the code of the failure. */
static enum ath_err_code load(struct ath_arena *arena, struct ath_known *out)
{
	struct ath_step_world world = world_of_test();
	struct ath_err err = { 0 };

	return ath_known_load(&world, arena, out, &err) ? ATH_ERR_OK : err.code;
}

static void what_was_kept_comes_back(void **state)
{
	struct ath_arena arena = { 0 };
	const struct ath_effects *one;
	struct ath_known known;
	struct lab lab;

	(void)state;
	assert_int_equal(load(&arena, &known), ATH_ERR_NOT_FOUND);
	lab_set_up(&lab, rows, 2);
	save(lab.effects);
	lab_tear_down(&lab);
	assert_int_equal(load(&arena, &known), ATH_ERR_OK);
	assert_int_equal(known.chain.len, 2);
	assert_non_null(ath_element_find(&known.models, "table t"));
	assert_int_equal(known.models.len, 2);
	one = &known.effects[ath_chain_find(&known.chain, "a1")];
	assert_true(one->is_literal && !one->has_data);
	assert_string_equal(one->items[0].element.key, "table t");
	one = &known.effects[ath_chain_find(&known.chain, "b2")];
	assert_true(one->has_data);
	assert_int_equal(one->len, 2);
	assert_string_equal(one->items[0].element.attributes.type, "TEXT");
	assert_int_equal(one->items[1].verb, ATH_EFFECT_DROP);
	ath_arena_fini(&arena);
}

static void effects_that_could_not_be_read_are_not_there_afterwards(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_known known;

	(void)state;
	save(NULL);
	assert_int_equal(load(&arena, &known), ATH_ERR_OK);
	assert_int_equal(known.chain.len, 2);
	assert_null(known.effects);
	ath_arena_fini(&arena);
}

/* Cut anywhere, the file is refused or tells less; never another thing. */
static void file_that_was_cut_is_refused(void **state)
{
	struct db_bytes whole;
	size_t accepted = 0;
	struct lab lab;

	(void)state;
	lab_set_up(&lab, rows, 2);
	save(lab.effects);
	lab_tear_down(&lab);
	whole = db_load(db_path(KEPT));
	for (size_t len = 0; len < whole.len; len++) {
		struct ath_arena arena = { 0 };
		struct ath_known known = { .chain.len = 77 };
		enum ath_err_code code;

		db_store(db_path(KEPT), whole.data, len);
		code = load(&arena, &known);
		assert_int_equal(known.chain.len, code == ATH_ERR_OK ? 2 : 77);
		if (code == ATH_ERR_OK) { /* both lines, and nothing behind them */
			assert_null(known.effects);
			accepted++;
		} else {
			assert_int_equal(code, ATH_ERR_BRIDGE);
		}
		ath_arena_fini(&arena);
	}
	assert_int_equal(accepted, 1);
	free(whole.data);
}

static void what_is_no_graph_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum ath_err_code code;
	} cases[] = {
		{ "", ATH_ERR_BRIDGE },
		{ "a letter\n", ATH_ERR_BRIDGE },
		{ "{\"event\":\"end\"}\n", ATH_ERR_BRIDGE },
		{ HEADS, ATH_ERR_BRIDGE },
		{ TARGET HEADS, ATH_ERR_BRIDGE },
		{ HEADS TARGET "a letter\n", ATH_ERR_BRIDGE },
		{ "{\"event\":\"heads\",\"heads\":[\"b2\"],\"revisions\":[{\"id\":\"b2\",\"down\":"
		  "[\"gone\"],\"depends_on\":[],\"labels\":[],\"file\":\"b.py\",\"line\":1}]}"
		  "\n" TARGET,
		  ATH_ERR_CHAIN },
		{ HEADS TARGET, ATH_ERR_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_known known;

		db_store(db_path(KEPT), cases[i].text, strlen(cases[i].text));
		assert_int_equal(load(&arena, &known), cases[i].code);
		ath_arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		db_test(what_was_kept_comes_back),
		db_test(effects_that_could_not_be_read_are_not_there_afterwards),
		db_test(file_that_was_cut_is_refused),
		db_test(what_is_no_graph_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
