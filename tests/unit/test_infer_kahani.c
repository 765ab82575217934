/* SPDX-License-Identifier: MIT */
/*
 * Every state of Kahani's table that concerns schema and stamp, for both chains and both shapes of
 * the live schema. A row says from which revision the schema starts and what was done to it.
 */
#include "tests/unit/cmocka_all.h"
#include "tests/unit/infer_lab.h"

#define BASE_TABLES                                                                            \
	"+T:users(id,username,email,hashed_password) +U:users(username) "                      \
	"+T:stories(id,owner_id,title) +I:stories(owner_id) +F:stories(owner_id)>users(id) "   \
	"+T:chapters(id,story_id) +I:chapters(story_id) +T:scenes(id,story_id,chapter_id) "    \
	"+T:scene_variants(id,scene_id) +T:scene_choices(id,scene_id) +T:characters(id,name) " \
	"+T:story_characters(id,story_id,character_id) +T:writing_style_presets(id,user_id) "  \
	"+T:prompt_templates(id,user_id) +T:story_flows(id,story_id) +T:tts_settings(id) "     \
	"+T:tts_provider_configs(id) +T:scene_audio(id) +T:stt_settings(id) "                  \
	"+T:character_states(id) +T:location_states(id) "

#define SHARED_SETTINGS                                                                     \
	"id,user_id,llm_temperature,llm_top_p,llm_top_k,llm_max_tokens,context_max_tokens," \
	"context_keep_recent_scenes,ui_font_size,ui_auto_save,created_at,updated_at"
#define ORPHAN_SETTINGS                                                                  \
	"ui_theme,generation_style,generation_auto_continue,generation_show_choices,"    \
	"generation_choices_count,generation_scene_length,context_enable_summarization," \
	"ui_show_token_info,export_format,llm_repetition_penalty,context_summary_threshold"
#define MODEL_SETTINGS                                                                      \
	"auto_open_last_story,stt_enabled,stt_model,default_genre,default_tone,tts_volume," \
	"separate_choice_generation,use_context_aware,llm_api_url,llm_api_key"

#define MEMORIES                                                                             \
	"+T:character_memories(id,character_id,scene_id,story_id,embedding_id,moment_type) " \
	"+I:character_memories(id) +I:character_memories(character_id) "                     \
	"+I:character_memories(scene_id) +U:character_memories(embedding_id) "
#define EVENTS_TABLE "+T:plot_events(id,story_id,scene_id,embedding_id,event_type) "
#define EVENTS                                                                               \
	EVENTS_TABLE "+I:plot_events(id) +I:plot_events(story_id) +I:plot_events(scene_id) " \
		     "+U:plot_events(embedding_id) "
#define EMBEDDINGS                                                                        \
	"+T:scene_embeddings(id,story_id,scene_id,embedding_id) +I:scene_embeddings(id) " \
	"+I:scene_embeddings(story_id) +U:scene_embeddings(embedding_id) "
#define PERMISSIONS                                                                              \
	"+C:users.is_approved +C:users.approved_at +C:users.approved_by_id +C:users.allow_nsfw " \
	"+C:users.can_change_llm_provider +C:users.can_use_stt +C:users.max_stories "            \
	"+F:users(approved_by_id)>users(id) "
#define SYSTEM "+T:system_settings(id,default_allow_nsfw,updated_by_id) "

#define LATER_ROWS(second_scenario)                                                              \
	{ "002", "001", MEMORIES EVENTS EMBEDDINGS, NULL },                                      \
		{ "003", "002", PERMISSIONS SYSTEM, "data" },                                    \
		{ "004", "003", "+C:stories.scenario", NULL },                                   \
		{ "005", "004", second_scenario, NULL },                                         \
		{ "006", "005", "+C:story_characters.role", NULL },                              \
		{ "007", "006", "+C:user_settings.color_theme -C:user_settings.theme", "data" }, \
		{ "008", "007", "+C:user_settings.scene_container_style", "data" },              \
		{ "ec1f", "008",                                                                 \
		  "+C:user_settings.engine_settings +C:user_settings.current_engine", NULL },    \
		{ "bbf4", "ec1f", "-C:user_settings.scene_container_style", NULL },              \
	{                                                                                        \
		"head", "bbf4",                                                                  \
			"+C:user_settings.enable_character_suggestions "                         \
			"+C:user_settings.character_importance_threshold:INTEGER "               \
			"+C:user_settings.character_mention_threshold:INTEGER",                  \
			NULL                                                                     \
	}

static const struct lab_row clean[] = {
	{ "001", NULL,
	  BASE_TABLES "+T:user_settings(" SHARED_SETTINGS "," ORPHAN_SETTINGS
		      ",theme) +I:user_settings(id)",
	  NULL },
	LATER_ROWS(""),
};

static const struct lab_row flawed[] = {
	{ "001", NULL,
	  "+T:user_settings(" SHARED_SETTINGS "," ORPHAN_SETTINGS ") +I:user_settings(id)", NULL },
	LATER_ROWS("+C:stories.scenario"),
};

enum {
	REVISIONS = sizeof(clean) / sizeof(*clean),
};

enum shape {
	MODELS,
	REPLAY,
	SHAPES,
};

enum which {
	BOTH,
	CLEAN,
	FLAWED,
};

struct state {
	const char *name;
	enum which which;
	const char *stamp;  /* NULL: no version table; "": no rows */
	const char *schema; /* the last revision whose effects are there; "" base, NULL nothing */
	const char *change;
	enum ath_verdict verdict;
	enum ath_decision decision;
	const char *inferred; /* NULL: none */
	const char *rows;     /* to write; NULL: none */
};

#define STAMPED(id)                                                                             \
	{                                                                                       \
		"stamped_" id, BOTH, id, id, "", ATH_VERDICT_EXACT, ATH_DECISION_NONE, id, NULL \
	}
#define UNSTAMPED(id)                                                                              \
	{                                                                                          \
		"unstamped_" id, BOTH, NULL, id, "", ATH_VERDICT_EXACT, ATH_DECISION_STAMP, id, id \
	}

static const struct state states[] = {
	{ "base", FLAWED, NULL, "", "", ATH_VERDICT_EXACT, ATH_DECISION_NONE, NULL, NULL },
	{ "base, empty version table", FLAWED, "", "", "", ATH_VERDICT_EXACT, ATH_DECISION_NONE,
	  NULL, NULL },
	STAMPED("001"),
	STAMPED("002"),
	STAMPED("003"),
	STAMPED("006"),
	STAMPED("007"),
	STAMPED("008"),
	STAMPED("ec1f"),
	STAMPED("bbf4"),
	STAMPED("head"),
	UNSTAMPED("001"),
	UNSTAMPED("002"),
	UNSTAMPED("003"),
	UNSTAMPED("006"),
	UNSTAMPED("007"),
	UNSTAMPED("008"),
	UNSTAMPED("ec1f"),
	UNSTAMPED("bbf4"),
	{ "004 against 005", BOTH, "004", "004", "", ATH_VERDICT_EQUIVALENT, ATH_DECISION_NONE,
	  "004", NULL },
	{ "005 against 004", BOTH, "005", "005", "", ATH_VERDICT_EQUIVALENT, ATH_DECISION_NONE,
	  "005", NULL },
	{ "004 or 005 unstamped", BOTH, NULL, "004", "", ATH_VERDICT_EQUIVALENT, ATH_DECISION_STAMP,
	  "005", "005" },
	{ "no_alembic_version", BOTH, NULL, "head", "", ATH_VERDICT_EXACT, ATH_DECISION_STAMP,
	  "head", "head" },
	{ "empty_alembic_version", BOTH, "", "head", "", ATH_VERDICT_EXACT, ATH_DECISION_STAMP,
	  "head", "head" },
	{ "wrong_001", BOTH, "001", "head", "", ATH_VERDICT_AHEAD, ATH_DECISION_STAMP, "head",
	  "head" },
	{ "wrong_ec1f_alphabetical", BOTH, "ec1f", "head", "", ATH_VERDICT_AHEAD,
	  ATH_DECISION_STAMP, "head", "head" },
	{ "wrong_unknown_deadbeef", BOTH, "deadbeef", "head", "", ATH_VERDICT_UNKNOWN_STAMP,
	  ATH_DECISION_REFUSE, NULL, NULL },
	{ "wrong_999_newer_app", BOTH, "999", "head", "", ATH_VERDICT_UNKNOWN_STAMP,
	  ATH_DECISION_REFUSE, NULL, NULL },
	{ "two_rows_001_head", BOTH, "001 head", "head", "", ATH_VERDICT_EXACT, ATH_DECISION_STAMP,
	  "head", "head" },
	{ "two_rows_head_deadbeef", BOTH, "head deadbeef", "head", "", ATH_VERDICT_UNKNOWN_STAMP,
	  ATH_DECISION_REFUSE, NULL, NULL },
	{ "stamped_head_schema_008", BOTH, "head", "008", "", ATH_VERDICT_BEHIND,
	  ATH_DECISION_STAMP, "008", "008" },
	{ "stamped_head_schema_003", BOTH, "head", "003", "", ATH_VERDICT_BEHIND,
	  ATH_DECISION_STAMP, "003", "003" },
	{ "ec1f_without_008", BOTH, NULL, "007",
	  "+C:user_settings.engine_settings +C:user_settings.current_engine", ATH_VERDICT_EXACT,
	  ATH_DECISION_STAMP, "bbf4", "bbf4" },
	{ "head_plus_reverted_column", BOTH, NULL, "head", "+C:user_settings.scene_container_style",
	  ATH_VERDICT_EXACT, ATH_DECISION_STAMP, "head", "head" },
	{ "semantic_tables_missing_one", BOTH, NULL, "head", "-T:plot_events",
	  ATH_VERDICT_AMBIGUOUS, ATH_DECISION_ASK, NULL, NULL },
	{ "index_missing", BOTH, "head", "head", "-U:plot_events(embedding_id)", ATH_VERDICT_EXACT,
	  ATH_DECISION_NONE, "head", NULL },
	{ "drift_extra", BOTH, NULL, "head", "+T:notes(id,text) +C:users.nick +V:recent +G:audit",
	  ATH_VERDICT_EXACT, ATH_DECISION_STAMP, "head", "head" },
	{ "drift_type_changed", BOTH, NULL, "head",
	  "~C:user_settings.character_mention_threshold:TEXT", ATH_VERDICT_EXACT,
	  ATH_DECISION_STAMP, "head", "head" },
	{ "foreign_app", BOTH, NULL, NULL,
	  "+T:users(id,login) +T:invoices(id) +T:orders(id) +T:items(id)", ATH_VERDICT_FOREIGN,
	  ATH_DECISION_REFUSE, NULL, NULL },
	{ "only_alembic_version", BOTH, "head", NULL, "", ATH_VERDICT_EMPTY, ATH_DECISION_ASK, NULL,
	  NULL },
	{ "zero_byte", BOTH, NULL, NULL, "", ATH_VERDICT_EMPTY, ATH_DECISION_INIT, NULL, NULL },
	{ "half_001_before_index", BOTH, "", "001", "-I:user_settings(id)",
	  ATH_VERDICT_HALF_APPLIED, ATH_DECISION_COMPLETE, NULL, NULL },
	{ "half_002_two_tables", BOTH, "001", "001",
	  MEMORIES EVENTS_TABLE "+I:plot_events(id) +I:plot_events(story_id)",
	  ATH_VERDICT_HALF_APPLIED, ATH_DECISION_COMPLETE, "001", "001" },
	{ "half_003_tmp_users", BOTH, "002", "002", "+T:_alembic_tmp_users(id)",
	  ATH_VERDICT_HALF_APPLIED, ATH_DECISION_COMPLETE, "002", "002" },
	{ "half_003_no_system_settings", BOTH, "002", "002", PERMISSIONS, ATH_VERDICT_HALF_APPLIED,
	  ATH_DECISION_COMPLETE, "002", "002" },
	{ "half_007_column_added", BOTH, "006", "006",
	  "+C:user_settings.color_theme +C:user_settings.theme", ATH_VERDICT_HALF_APPLIED,
	  ATH_DECISION_COMPLETE, "006", "006" },
	{ "half_007, theme never there", FLAWED, "006", "006",
	  "+C:user_settings.color_theme -C:user_settings.theme", ATH_VERDICT_HALF_APPLIED,
	  ATH_DECISION_COMPLETE, "006", "006" },
	{ "half_008_no_update", BOTH, "007", "008", "", ATH_VERDICT_HALF_APPLIED,
	  ATH_DECISION_COMPLETE, "007", "007" },
	{ "half_ec1f_one_column", BOTH, "008", "008", "+C:user_settings.engine_settings",
	  ATH_VERDICT_HALF_APPLIED, ATH_DECISION_COMPLETE, "008", "008" },
	{ "half_bbf4_dropped_not_stamped", BOTH, "ec1f", "bbf4", "", ATH_VERDICT_AHEAD,
	  ATH_DECISION_STAMP, "bbf4", "bbf4" },
	{ "half_c792_one_of_three", BOTH, "bbf4", "bbf4",
	  "+C:user_settings.enable_character_suggestions", ATH_VERDICT_HALF_APPLIED,
	  ATH_DECISION_COMPLETE, "bbf4", "bbf4" },
};

/* The live schema of a shape at a revision. */
static void build(struct lab *lab, const struct lab_row *rows, enum shape shape, const char *schema,
		  struct lab_live *live)
{
	if (!schema)
		return;
	lab_run(live, BASE_TABLES, &lab->arena);
	for (size_t i = 0; *schema && i < REVISIONS; i++) {
		lab_run(live, rows[i].effects, &lab->arena);
		if (!i && shape == MODELS)
			lab_run(live, "+C:user_settings.theme", &lab->arena);
		if (!strcmp(rows[i].id, schema))
			break;
	}
	if (shape == REPLAY || !*schema)
		return;
	for (size_t i = live->items.len; i-- > 0;) {
		const struct ath_element *one = &live->items.items[i];
		struct ath_texts orphans = lab_words(&lab->arena, ORPHAN_SETTINGS, ",");

		for (size_t n = 0; n < orphans.len; n++) {
			if (!strcmp(one->key, ath_element_column_key(&lab->arena, "user_settings",
								     orphans.items[n]))) {
				lab_remove_at(live, i);
				break;
			}
		}
	}
	for (size_t i = 0; i < 10; i++)
		lab_run(live,
			ath_arena_printf(&lab->arena, "+C:user_settings.%s",
					 lab_words(&lab->arena, MODEL_SETTINGS, ",").items[i]),
			&lab->arena);
	lab_run(live, "+U:user_settings(user_id)", &lab->arena);
	if (strcmp(schema, "003") >= 0)
		lab_run(live, "+I:system_settings(id)", &lab->arena);
}

static bool is_right(struct lab *lab, const struct state *state, const struct ath_inference *out)
{
	bool is_written =
		out->decision == ATH_DECISION_STAMP || out->decision == ATH_DECISION_COMPLETE;

	return out->verdict == state->verdict && out->decision == state->decision &&
	       ath_str_is(out->inferred, state->inferred) &&
	       (!is_written ||
		!strcmp(lab_join(&lab->arena, &out->stamp), state->rows ? state->rows : ""));
}

static bool run(const struct lab_row *rows, enum shape shape, const struct state *state,
		bool has_models)
{
	struct lab_live live = { 0 }, head = { 0 };
	struct ath_elements models;
	struct ath_inference out;
	struct lab lab;
	bool is_fine;

	lab_set_up(&lab, rows, REVISIONS);
	build(&lab, rows, shape, state->schema, &live);
	build(&lab, rows, MODELS, "head", &head);
	models = lab_elements(&head);
	lab_run(&live, state->change, &lab.arena);
	out = lab_infer(&lab, &live, has_models ? &models : NULL, state->stamp);
	is_fine = is_right(&lab, state, &out);
	if (!is_fine)
		printf("%s, %s, %s%s: %s -> %s, inferred %s, rows '%s': %s\n", state->name,
		       rows == clean ? "clean" : "flawed", shape == MODELS ? "models" : "replay",
		       has_models ? "" : ", models not known", ath_verdict_name(out.verdict),
		       ath_decision_name(out.decision), out.inferred ? out.inferred : "null",
		       lab_join(&lab.arena, &out.stamp), out.reason);
	ath_vec_fini(&live.items);
	ath_vec_fini(&head.items);
	lab_tear_down(&lab);
	return is_fine;
}

static void inference_answers_every_row_of_the_state_table(void **state)
{
	size_t asked = 0, right = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		for (int n = 0; n < 8; n++) {
			const struct lab_row *rows = n & 1 ? flawed : clean;

			if (states[i].which != BOTH && (states[i].which == CLEAN) != !(n & 1))
				continue;
			asked++;
			right += run(rows, n & 2 ? REPLAY : MODELS, &states[i], !(n & 4));
		}
	}
	printf("state table: %zu rows, %zu of %zu answers right\n",
	       sizeof(states) / sizeof(*states), right, asked);
	assert_int_equal(right, asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inference_answers_every_row_of_the_state_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
