/* SPDX-License-Identifier: MIT */
/* What a replay saw, folded into effects, and merged with what the texts say. */
#include "tests/unit/cmocka_all.h"

#include "alembic/effects_text.h"
#include "alembic/replayed.h"
#include "tests/unit/infer_lab.h"

/* One event: the words make the schema after it; `told` are the tables that are told whole. */
struct event {
	const char *revision, *schema, *told, *removed;
};

struct scene {
	struct lab lab;
	struct ath_replayed replayed;
	bool is_folded;
};

static struct ath_elements schema_of(const char *words, struct ath_arena *arena)
{
	struct lab_live live = { 0 };
	struct ath_elements sorted;
	struct ath_element *items;

	lab_run(&live, words, arena);
	sorted = lab_elements(&live);
	items = ath_arena_new(arena, sorted.len + 1, sizeof(*items));
	if (sorted.len)
		memcpy(items, sorted.items, sorted.len * sizeof(*items));
	ath_vec_fini(&live.items);
	return (struct ath_elements){ items, sorted.len };
}

static size_t count_effects(const char *words, struct ath_arena *arena)
{
	lab_effects effects = { 0 };
	size_t len;

	lab_read_effects(arena, words, &effects);
	len = effects.len;
	ath_vec_fini(&effects);
	return len;
}

static void set_up(struct scene *scene, const struct lab_row *rows, const struct event *events)
{
	struct ath_arena *arena = &scene->lab.arena;
	struct ath_replay_event *made;
	size_t rows_len = 0, len = 0;

	while (rows[rows_len].id)
		rows_len++;
	while (events[len].schema)
		len++;
	memset(scene, 0, sizeof(*scene));
	lab_set_up(&scene->lab, rows, rows_len);
	for (size_t i = 0; i < rows_len; i++) {
		struct ath_effects *effects = &scene->lab.effects[i];

		effects->is_guarded = lab_has_trait(&rows[i], "guarded");
		effects->len = count_effects(rows[i].effects, arena); /* blind: possible ones */
	}
	made = ath_arena_new(arena, len + 1, sizeof(*made));
	for (size_t i = 0; i < len; i++)
		made[i] = (struct ath_replay_event){
			.revision = events[i].revision,
			.elements = schema_of(events[i].schema, arena),
			.tables = lab_words(arena, events[i].told, " "),
			.removed = lab_words(arena, events[i].removed, " "),
		};
	scene->is_folded = ath_replayed_fold(&scene->lab.chain, made, len, arena, &scene->replayed);
}

static const char *effects_text(struct ath_arena *arena, const struct ath_effects *effects)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < effects->len; i++) {
		const struct ath_effect *one = &effects->items[i];

		ath_str_printf(&text, "%s%c%s", i ? "|" : "", "+-~"[one->verb], one -> element.key);
		if (one->tie)
			ath_str_printf(&text, " /%u", one->tie);
	}
	copy = ath_arena_strdup(arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

static void check_step(struct scene *scene, size_t idx, const char *wanted)
{
	assert_true(idx < scene->replayed.len);
	assert_int_equal(scene->replayed.items[idx].effects.source, ATH_EFFECTS_REPLAY);
	assert_string_equal(effects_text(&scene->lab.arena, &scene->replayed.items[idx].effects),
			    wanted);
}

static const struct lab_row three[] = {
	{ "a", NULL, NULL, "blind" },
	{ "b", "a", NULL, "blind" },
	{ "c", "b", NULL, "blind" },
	{ 0 },
};

static void each_step_is_the_difference_to_the_one_before(void **state)
{
	static const struct event events[] = {
		{ "a", "+T:t(id,x) +T:keep(id) +I:t(x)", "t keep", NULL },
		{ "b", "+T:t(id,y) +V:v +G:g", "t", NULL },
		{ "c", "+V:v", NULL, "t" },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene, three, events);
	assert_true(scene.is_folded);
	check_step(&scene, 0,
		   "+column t.id|+column t.x|+index t(x)|+table t|+column keep.id|+table keep");
	check_step(&scene, 1, "-column t.x|+column t.y|-index t(x)|+trigger g|+view v");
	check_step(&scene, 2, "-column t.id|-column t.y|-table t|-trigger g");
	lab_tear_down(&scene.lab);
}

static void attributes_and_what_elements_do_not_show_are_alterations(void **state)
{
	static const struct event events[] = {
		{ "a", "+T:t(id) +C:t.x:INTEGER +T:u(id)", "t u", NULL },
		{ "b", "+T:t(id) +C:t.x:TEXT", "t", NULL },
		{ "c", "+T:u(id)", "u", NULL },
		{ 0 },
	};
	struct scene scene;

	(void)state;
	set_up(&scene, three, events);
	check_step(&scene, 1, "~column t.x");
	check_step(&scene, 2, "~table u");
	lab_tear_down(&scene.lab);
}

static void what_was_there_before_belongs_to_no_revision(void **state)
{
	static const struct event events[] = {
		{ NULL, "+T:early(id)", "early", NULL },
		{ "a", "+T:t(id)", "t", NULL },
		{ 0 },
	};
	struct scene scene;
	struct ath_replayed_merge merge;

	(void)state;
	set_up(&scene, three, events);
	assert_true(scene.is_folded);
	assert_int_equal(scene.replayed.items[0].revision, 3);
	check_step(&scene, 1, "+column t.id|+table t");
	merge = ath_replayed_merge(&scene.lab.chain, scene.lab.effects, &scene.replayed,
				   &scene.lab.arena);
	assert_int_equal(merge.opened, 1);
	lab_tear_down(&scene.lab);
}

static void a_replay_of_another_chain_is_of_no_use(void **state)
{
	static const struct event others[][3] = {
		{ { "a", "+T:t(id)", "t", NULL }, { "x", "+T:u(id)", "u", NULL }, { 0 } },
		{ { "a", "+T:t(id)", "t", NULL }, { "a", "+T:u(id)", "u", NULL }, { 0 } },
		{ { "a", "+T:t(id)", "t", NULL }, { NULL, "+T:u(id)", "u", NULL }, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct scene scene;

		set_up(&scene, three, others[i]);
		assert_false(scene.is_folded);
		lab_tear_down(&scene.lab);
	}
}

/* One revision of a chain a, b, c is looked at: b. */
struct rule {
	const char *name;
	const char *traits, *text;    /* of b; a makes t(id) and is literal, c is blind */
	const char *schema, *removed; /* after b, of the tables t and n (told if they are named) */
	const char *told;
	const char *wanted; /* effects of b; NULL: it stays unknown */
	bool is_lower_bound, has_data;
	size_t disagreements;
};

static const struct rule rules[] = {
	{ "a loop over what only a run knows, which is known to look at nothing", "blind", "",
	  "+T:t(id,x)", NULL, "t", "+column t.x" },
	{ "the same, but it may look at the database", "blind guarded", "", "+T:t(id,x)", NULL, "t",
	  "+column t.x", .is_lower_bound = true, .has_data = true },
	{ "a data step that the text tells", "blind data", "", "+T:t(id,x)", NULL, "t",
	  "+column t.x", .has_data = true },
	{ "a guard that let it through", "blind guarded", "+C:t.x", "+T:t(id,x)", NULL, "t",
	  "+column t.x", .is_lower_bound = true, .has_data = true },
	{ "a hollow success", "blind guarded", "+C:t.x", "+T:t(id)", NULL, NULL, NULL },
	{ "a hollow success of which nothing is told", "blind guarded", "", "+T:t(id)", NULL, NULL,
	  NULL },
	{ "nothing, and nothing could have been", "blind", "", "+T:t(id)", NULL, NULL, "" },
	{ "one of two guards let it through", "blind guarded", "+C:t.x +C:t.y", "+T:t(id,x)", NULL,
	  "t", NULL },
	{ "a drop that found nothing", "blind guarded", "+C:t.x -T:old", "+T:t(id,x)", NULL, "t",
	  "+column t.x", .is_lower_bound = true, .has_data = true },
	{ "a drop that was not carried out", "blind guarded", "+C:t.x -C:t.id", "+T:t(id,x)", NULL,
	  "t", NULL },
	{ "added and dropped again", "blind", "+C:t.x +C:t.tmp -C:t.tmp", "+T:t(id,x)", NULL, "t",
	  "+column t.x" },
	{ "a rename is tied where the text says so", "blind", "-C:t.id@4 +C:t.key@4", "+T:t(key)",
	  NULL, "t", "-column t.id /4|+column t.key /4" },
	{ "and not where it does not", "blind", "-C:t.id +C:t.key", "+T:t(key)", NULL, "t",
	  "-column t.id|+column t.key" },
	{ "nor if only one end was seen", "blind", "-C:t.old@4 +C:t.x@4", "+T:t(id,x)", NULL, "t",
	  "+column t.x" },
	{ "a table that went", "blind", "-T:t", "", "t", NULL, "-column t.id|-table t" },
	{ "a literal text that agrees", NULL, "+C:t.x", "+T:t(id,x)", NULL, "t", "+column t.x" },
	{ "a literal text that did less", NULL, "+C:t.x +C:t.y", "+T:t(id,x)", NULL, "t",
	  "+column t.x|+column t.y", .disagreements = 1 },
	{ "a literal text that did more", NULL, "+C:t.x", "+T:t(id,x,y)", NULL, "t", "+column t.x",
	  .disagreements = 1 },
	{ "a text with more than literal operations is believed and not compared", "lower",
	  "+C:t.x", "+T:t(id,x,y)", NULL, "t", "+column t.x", .is_lower_bound = true },
};

static void check_rule(const struct rule *rule)
{
	const struct lab_row rows[] = {
		{ "a", NULL, "+T:t(id)" },
		{ "b", "a", rule->text, rule->traits },
		{ "c", "b", "+C:t.z", "blind guarded" },
		{ 0 },
	};
	const struct event events[] = {
		{ "a", "+T:t(id)", "t", NULL },
		{ "b", rule->schema, rule->told, rule->removed },
		{ 0 },
	};
	struct ath_replayed_merge merge;
	const struct ath_effects *b;
	struct scene scene;

	set_up(&scene, rows, events);
	if (!scene.is_folded)
		fail_msg("%s: not folded", rule->name);
	merge = ath_replayed_merge(&scene.lab.chain, scene.lab.effects, &scene.replayed,
				   &scene.lab.arena);
	b = &merge.items[1];
	if ((b->source == ATH_EFFECTS_UNKNOWN) != !rule->wanted)
		fail_msg("%s: source %d", rule->name, b->source);
	if (rule->wanted && strcmp(effects_text(&scene.lab.arena, b), rule->wanted) != 0)
		fail_msg("%s: %s", rule->name, effects_text(&scene.lab.arena, b));
	if (rule->wanted &&
	    (b->is_lower_bound != rule->is_lower_bound || b->has_data != rule->has_data))
		fail_msg("%s: lower %d, data %d", rule->name, b->is_lower_bound, b->has_data);
	if (merge.disagreements != rule->disagreements)
		fail_msg("%s: %zu disagreements", rule->name, merge.disagreements);
	assert_true(b->source != ATH_EFFECTS_REPLAY || !b->is_literal);
	assert_int_equal(merge.opened, b->source == ATH_EFFECTS_REPLAY);
	assert_ptr_equal(merge.items[0].items, scene.lab.effects[0].items);
	assert_ptr_equal(merge.items[2].items, scene.lab.effects[2].items); /* not come to */
	assert_int_equal(merge.items[2].source, ATH_EFFECTS_UNKNOWN);
	lab_tear_down(&scene.lab);
}

static void the_rules_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check_rule(&rules[i]);
}

/* ---- kept as bytes ---- */

static struct ath_effects sample(struct ath_arena *arena)
{
	struct ath_effect *items = ath_arena_new(arena, 2, sizeof(*items));

	items[0] = (struct ath_effect){
		.verb = ATH_EFFECT_ALTER,
		.element = { ATH_ELEMENT_COLUMN,
			     "t\n=",
			     "column t.\"x\ty\"",
			     NULL,
			     { "VARCHAR(9)", "'-'", true, true } },
		.tie = 7,
	};
	items[1] = (struct ath_effect){
		.verb = ATH_EFFECT_DROP,
		.element = { ATH_ELEMENT_TRIGGER, "", "", "-", { NULL, "", false, false } },
	};
	return (struct ath_effects){ ATH_EFFECTS_REPLAY, items, 2, true, true, true, true, "" };
}

static void effects_come_back_from_bytes_as_they_were(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_effects put = sample(&arena), got;
	struct ath_str bytes = { 0 };
	struct ath_effects_text text;
	const char *revision;

	(void)state;
	ath_effects_text_put(&bytes, "a=1", &put);
	ath_effects_text_put(&bytes, "", &(struct ath_effects){ 0 });
	text = (struct ath_effects_text){ bytes.data, bytes.data + bytes.len };
	assert_true(ath_effects_text_next(&text, &arena, &revision, &got));
	assert_string_equal(revision, "a=1");
	assert_int_equal(got.source, ATH_EFFECTS_REPLAY);
	assert_true(got.is_literal && got.has_data && got.is_lower_bound && got.is_guarded);
	assert_string_equal(got.obstacle, "");
	assert_int_equal(got.len, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct ath_effect *a = &put.items[i], *b = &got.items[i];

		assert_int_equal(a->verb, b->verb);
		assert_int_equal(a->tie, b->tie);
		assert_int_equal(a->element.kind, b->element.kind);
		assert_string_equal(a->element.table, b->element.table);
		assert_string_equal(a->element.key, b->element.key);
		assert_int_equal(a->element.attributes.is_key, b->element.attributes.is_key);
		assert_int_equal(a->element.attributes.is_nullable,
				 b->element.attributes.is_nullable);
		assert_string_equal(a->element.attributes.default_value,
				    b->element.attributes.default_value);
	}
	assert_null(got.items[0].element.name);
	assert_string_equal(got.items[1].element.name, "-");
	assert_string_equal(got.items[0].element.attributes.type, "VARCHAR(9)");
	assert_null(got.items[1].element.attributes.type);
	assert_true(ath_effects_text_next(&text, &arena, &revision, &got));
	assert_null(got.obstacle);
	assert_int_equal(got.len, 0);
	assert_ptr_equal(text.at, text.end);
	assert_false(ath_effects_text_next(&text, &arena, &revision, &got));
	ath_str_fini(&bytes);
	ath_arena_fini(&arena);
}

/* Whatever is cut off or changed: an answer or a refusal, never a step outside of the bytes. */
static void other_bytes_are_refused_or_read_within_their_bounds(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_effects put = sample(&arena), got;
	struct ath_str bytes = { 0 };
	const char *revision;
	size_t refused = 0;

	(void)state;
	ath_effects_text_put(&bytes, "a", &put);
	for (size_t i = 0; i < bytes.len; i++) {
		for (int change = -1; change < 256; change += 17) {
			size_t len = change < 0 ? i : bytes.len;
			char *copy = malloc(len ? len : 1); /* at its end the sanitizer watches */
			struct ath_effects_text text;

			memcpy(copy, bytes.data, len);
			if (change >= 0)
				copy[i] = (char)change;
			text = (struct ath_effects_text){ copy, copy + len };
			if (!ath_effects_text_next(&text, &arena, &revision, &got)) {
				assert_ptr_equal(text.at, copy);
				refused++;
			}
			assert_true(change >= 0 || refused);
			free(copy);
		}
	}
	assert_true(refused > bytes.len);
	ath_str_fini(&bytes);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_the_difference_to_the_one_before),
		cmocka_unit_test(attributes_and_what_elements_do_not_show_are_alterations),
		cmocka_unit_test(what_was_there_before_belongs_to_no_revision),
		cmocka_unit_test(a_replay_of_another_chain_is_of_no_use),
		cmocka_unit_test(the_rules_hold),
		cmocka_unit_test(effects_come_back_from_bytes_as_they_were),
		cmocka_unit_test(other_bytes_are_refused_or_read_within_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
