/* SPDX-License-Identifier: MIT */
/* steps/known: lines of the bridge become a graph and effects, and come back from the run's folder. */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/db_files.h"

#include "steps/known.h"

#define HEADS                                                                                    \
	"{\"event\":\"heads\",\"heads\":[\"b2\"],\"revisions\":[{\"id\":\"a1\",\"down\":[],"     \
	"\"depends_on\":[],\"labels\":[],\"file\":\"a.py\",\"line\":1},{\"id\":\"b2\",\"down\":" \
	"[\"a1\"],\"depends_on\":[],\"labels\":[],\"file\":\"b.py\",\"line\":1}]}\n"
#define EFFECTS(id)                                                                              \
	"{\"event\":\"effects\",\"revision\":\"" id "\",\"source\":\"static\",\"literal\":true," \
	"\"data\":false,\"lower_bound\":false,\"obstacle\":null,\"effects\":[{\"verb\":\"add\"," \
	"\"kind\":\"table\",\"table\":\"t_" id "\",\"tie\":0,\"line\":3}]}\n"

static void lines_are_read(void **state)
{
	static const struct {
		const char *lines;
		size_t revisions;
		const char *first,
			*second; /* table of the revision's effect; "": UNKNOWN; NULL: none at all */
	} rows[] = {
		{ "", 0, NULL, NULL },
		{ HEADS, 2, NULL, NULL },
		{ HEADS EFFECTS("a1") EFFECTS("b2"), 2, "t_a1", "t_b2" },
		{ HEADS "\n\n" EFFECTS("b2") EFFECTS("a1"), 2, "t_a1", "t_b2" },
		{ HEADS EFFECTS("b2"), 2, "", "t_b2" },
		{ HEADS EFFECTS("zz"), 2, "", "" }, /* of no revision of the chain */
		{ HEADS EFFECTS("a1") "{\"event\":\"end\"}\n", 2, "t_a1", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wanted[] = { rows[i].first, rows[i].second };
		struct ath_arena arena = { 0 };
		struct ath_err err = { 0 };
		struct ath_known known;

		if (!ath_known_read(rows[i].lines, strlen(rows[i].lines), &arena, &known, &err))
			fail_msg("row %zu: %s", i, err.msg);
		assert_int_equal(known.chain.len, rows[i].revisions);
		assert_int_equal(known.effects != NULL, rows[i].first != NULL);
		for (size_t n = 0; known.effects && n < 2; n++) {
			const char *id = n ? "b2" : "a1";
			const struct ath_effects *one =
				&known.effects[ath_chain_find(&known.chain, id)];

			assert_int_equal(one->source == ATH_EFFECTS_UNKNOWN, !*wanted[n]);
			if (*wanted[n])
				assert_string_equal(one->items[0].element.table, wanted[n]);
			else
				assert_non_null(one->obstacle);
		}
		ath_arena_fini(&arena);
	}
}

static void last_line_needs_no_end(void **state)
{
	static const char lines[] = HEADS EFFECTS("a1");
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_known known;

	(void)state;
	assert_true(ath_known_read(lines, strlen(lines) - 1, &arena, &known, &err));
	assert_non_null(known.effects);
	ath_arena_fini(&arena);
}

static void what_is_no_reply_is_refused_and_nothing_is_given(void **state)
{
	static const struct {
		const char *lines;
		enum ath_err_code code;
	} rows[] = {
		{ HEADS "a letter\n", ATH_ERR_BRIDGE },
		{ "{\"event\":\"heads\",\"heads\":[\"b2\"],\"revisions\":[{\"id\":\"b2\",\"down\":"
		  "[\"gone\"],\"depends_on\":[],\"labels\":[],\"file\":\"b.py\",\"line\":1}]}\n",
		  ATH_ERR_CHAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_err err = { 0 };
		struct ath_known known = { .chain.len = 77 };

		assert_false(
			ath_known_read(rows[i].lines, strlen(rows[i].lines), &arena, &known, &err));
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(known.chain.len, 77);
		ath_arena_fini(&arena);
	}
}

static void what_was_saved_is_loaded(void **state)
{
	static const char lines[] = HEADS EFFECTS("a1") EFFECTS("b2");
	struct ath_step_world world = { .run_dir = db_root };
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_known known;
	struct ath_str text = { 0 };

	(void)state;
	assert_false(ath_known_load(&world, &arena, &known, &err));
	assert_int_equal(err.code, ATH_ERR_NOT_FOUND);
	ath_err_clear(&err);
	ath_str_puts(&text, lines);
	assert_true(ath_known_save(&world, &text, &err));
	assert_true(ath_known_load(&world, &arena, &known, &err));
	assert_int_equal(known.chain.len, 2);
	assert_string_equal(known.effects[ath_chain_find(&known.chain, "b2")].items[0].element.key,
			    "table t_b2");
	ath_str_fini(&text);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(last_line_needs_no_end),
		cmocka_unit_test(what_is_no_reply_is_refused_and_nothing_is_given),
		db_test(what_was_saved_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
