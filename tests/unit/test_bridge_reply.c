/* SPDX-License-Identifier: MIT */
/* bridge/reply: every event, and lines that an unfriendly process would send. */
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "bridge/reply.h"

/* Read a line from memory of exactly its size. */
static bool read_line(const char *line, size_t len, struct ath_arena *arena,
		      struct ath_bridge_reply *out, struct ath_err *err)
{
	char *exact = malloc(len ? len : 1);
	bool is_read;

	assert_non_null(exact);
	if (len)
		memcpy(exact, line, len);
	is_read = ath_bridge_read(exact, len, arena, out, err);
	free(exact);
	return is_read;
}

static void must_read(const char *line, struct ath_arena *arena, struct ath_bridge_reply *out)
{
	struct ath_err err = { 0 };

	if (!read_line(line, strlen(line), arena, out, &err))
		fail_msg("%s: %s", line, err.msg);
}

/* Texts joined by blanks are these; the list ends with NULL. */
static void check_texts(const struct ath_texts *texts, const char *joined)
{
	struct ath_str text = { 0 };

	for (size_t i = 0; i < texts->len; i++)
		ath_str_printf(&text, "%s%s", i ? " " : "", texts->items[i]);
	assert_null(texts->items[texts->len]);
	assert_string_equal(ath_str_get(&text), joined);
	ath_str_fini(&text);
}

static void heads_bring_the_graph(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	must_read("{\"event\":\"heads\",\"heads\":[\"b2\",\"c3\"],\"alembic\":\"1.13.1\","
		  "\"sqlalchemy\":\"2.0.30\",\"revisions\":["
		  "{\"id\":\"a1\",\"down\":[],\"depends_on\":[],\"labels\":[\"x\"],\"path\":\"/v/"
		  "a.py\"},"
		  "{\"id\":\"b2\",\"down\":[\"a1\"],\"depends_on\":[\"c3\"],\"labels\":[],"
		  "\"path\":\"/v/b.py\"},{}],\"script\":\"/s\",\"locations\":[\"/v\",\"/w\"],"
		  "\"recursive\":true,\"sources\":[\"/x.py\"]}",
		  &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_HEADS);
	assert_string_equal(reply.script, "/s");
	check_texts(&reply.locations, "/v /w");
	check_texts(&reply.sources, "/x.py");
	assert_true(reply.is_recursive);
	check_texts(&reply.heads, "b2 c3");
	assert_string_equal(reply.alembic, "1.13.1");
	assert_string_equal(reply.sqlalchemy, "2.0.30");
	assert_int_equal(reply.entries_len, 3);
	assert_string_equal(reply.entries[0].id, "a1");
	check_texts(&reply.entries[0].labels, "x");
	check_texts(&reply.entries[1].downs, "a1");
	check_texts(&reply.entries[1].depends_on, "c3");
	assert_string_equal(reply.entries[1].file, "/v/b.py");
	assert_string_equal(reply.entries[2].id, ""); /* the chain refuses it by name */
	assert_string_equal(reply.entries[2].file, "");
	ath_arena_fini(&arena);
}

static void target_names_the_database(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	must_read("{\"event\":\"target\",\"url\":\"sqlite:///a.db\",\"dialect\":\"sqlite\","
		  "\"driver\":\"pysqlite\",\"path\":\"/srv/a.db\",\"version_table\":\"v\","
		  "\"version_table_schema\":null,\"several\":true,\"paths\":[\"/srv/a.db\",\"/b\"],"
		  "\"metadata_tables\":[\"item\"],\"tables\":[\"wrong\"]}",
		  &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_TARGET);
	assert_string_equal(reply.url, "sqlite:///a.db");
	assert_string_equal(reply.dialect, "sqlite");
	assert_string_equal(reply.driver, "pysqlite");
	assert_string_equal(reply.path, "/srv/a.db");
	assert_string_equal(reply.version_table, "v");
	assert_null(reply.version_table_schema);
	assert_true(reply.several);
	check_texts(&reply.paths, "/srv/a.db /b");
	check_texts(&reply.tables, "item");
	ath_arena_fini(&arena);
}

static void no_version_table_is_not_one_without_rows(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	must_read("{\"event\":\"current\",\"rows\":[\"a1\"],\"version_table\":\"v\"}", &arena,
		  &reply);
	assert_true(reply.has_rows);
	check_texts(&reply.rows, "a1");
	must_read("{\"event\":\"current\",\"rows\":[]}", &arena, &reply);
	assert_true(reply.has_rows);
	check_texts(&reply.rows, "");
	must_read("{\"event\":\"current\",\"rows\":null}", &arena, &reply);
	assert_false(reply.has_rows);
	must_read("{\"event\":\"current\"}", &arena, &reply);
	assert_false(reply.has_rows);
	ath_arena_fini(&arena);
}

static void the_other_events_bring_their_members(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	must_read("{\"event\":\"revision\",\"id\":\"a1\",\"state\":\"done\",\"revision\":\"z\"}",
		  &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_REVISION);
	assert_string_equal(reply.revision, "a1");
	assert_string_equal(reply.state, "done");
	must_read("{\"event\":\"missing\",\"tables\":[\"t\"],\"columns\":[\"u.c\"]}", &arena,
		  &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_MISSING);
	check_texts(&reply.tables, "t");
	check_texts(&reply.columns, "u.c");
	must_read("{\"event\":\"created\",\"tables\":[\"t\",\"u\"]}", &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_CREATED);
	check_texts(&reply.tables, "t u");
	must_read("{\"event\":\"note\",\"message\":\"gr\\u00fc\\u00df\\n\"}", &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_NOTE);
	assert_string_equal(reply.message, "gr\xc3\xbc\xc3\x9f\n");
	must_read("{\"event\":\"error\",\"kind\":\"migration\",\"message\":\"no\","
		  "\"revision\":\"b2\",\"where\":\"b.py:7\"}",
		  &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_ERROR);
	assert_string_equal(reply.kind, "migration");
	assert_string_equal(reply.revision, "b2");
	assert_string_equal(reply.where, "b.py:7");
	must_read("{\"event\":\"error\",\"kind\":\"import\",\"revision\":null}", &arena, &reply);
	assert_null(reply.revision);
	assert_null(reply.message);
	ath_arena_fini(&arena);
}

/* One field as Python says it, and what it is taken for. */
static void check_field(const char *said, enum ath_scan_state wanted, const char *texts)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;
	const char *line = ath_arena_printf(&arena,
					    "{\"event\":\"identifiers\",\"id\":\"7\",\"parsed\":"
					    "true,\"fields\":{\"depends_on\":%s}}",
					    said);
	const struct ath_scan_field *field;

	must_read(line, &arena, &reply);
	assert_int_equal(reply.event, ATH_BRIDGE_SAYS_IDENTIFIERS);
	assert_string_equal(reply.revision, "7");
	assert_true(reply.is_parsed);
	assert_int_equal(reply.identifiers.fields[ATH_SCAN_REVISION].state, ATH_SCAN_ESCALATE);
	field = &reply.identifiers.fields[ATH_SCAN_DEPENDS_ON];
	if (field->state != wanted)
		fail_msg("%s: state %u", said, field->state);
	assert_true((field->state == ATH_SCAN_ESCALATE) == (field->reason != NULL));
	assert_int_equal(field->texts.len ? 1 : 0, texts[0] ? 1 : 0);
	if (field->texts.len)
		check_texts(&field->texts, texts);
	ath_arena_fini(&arena);
}

static void identifiers_that_hold_less_than_they_say_are_open(void **state)
{
	(void)state;
	check_field("{\"state\":\"text\",\"texts\":[\"a1\"],\"line\":3}", ATH_SCAN_TEXT, "a1");
	check_field("{\"state\":\"list\",\"texts\":[\"a1\",\"b2\"]}", ATH_SCAN_LIST, "a1 b2");
	check_field("{\"state\":\"list\",\"texts\":[]}", ATH_SCAN_LIST, "");
	check_field("{\"state\":\"none\",\"texts\":[]}", ATH_SCAN_NONE, "");
	check_field("{\"state\":\"absent\"}", ATH_SCAN_ABSENT, "");
	check_field("{\"state\":\"text\",\"texts\":[\"a1\",\"b2\"]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"text\",\"texts\":[]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"text\",\"texts\":[7]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"list\",\"texts\":[\"a1\",null]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"none\",\"texts\":[\"a1\"]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"absent\",\"texts\":[\"a1\"]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"text\",\"texts\":[\"a\\u001b\"]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"text\",\"texts\":[\"\\u00e9\"]}", ATH_SCAN_ESCALATE, "");
	check_field("{\"state\":\"sure\",\"texts\":[\"a1\"]}", ATH_SCAN_ESCALATE, "");
	check_field("7", ATH_SCAN_ESCALATE, "");
}

static void every_event_may_come_without_anything(void **state)
{
	static const char *const events[] = { "heads",    "target",  "current",     "revision",
					      "upgraded", "stamped", "created",     "missing",
					      "ran",      "effects", "identifiers", "schema",
					      "stopped",  "note",    "error",       "end" };

	(void)state;
	assert_int_equal(sizeof(events) / sizeof(events[0]), ATH_BRIDGE_SAYS_COUNT_);
	for (size_t i = 0; i < ATH_BRIDGE_SAYS_COUNT_; i++) {
		struct ath_arena arena = { 0 };
		struct ath_bridge_reply reply;
		char line[64];

		snprintf(line, sizeof(line), " {\"event\": \"%s\"} ", events[i]);
		must_read(line, &arena, &reply);
		assert_int_equal(reply.event, i);
		assert_null(reply.message);
		check_texts(&reply.heads, "");
		check_texts(&reply.rows, "");
		check_texts(&reply.paths, "");
		assert_int_equal(reply.entries_len, 0);
		ath_arena_fini(&arena);
	}
}

/* A wrong type is as if the key were missing; a list keeps its texts only. */
static void members_of_wrong_types_are_empty(void **state)
{
	static const char *const values[] = { "null", "1",    "true",        "1.5e300",    "{}",
					      "[]",   "[[]]", "{\"a\":[1]}", "[null,1,{}]" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_bridge_reply reply;
		struct ath_str line = { 0 };

		ath_str_puts(&line, "{\"event\":\"heads\"");
		for (const char *keys = "heads\0revisions\0alembic\0url\0path\0several\0paths\0"
					"tables\0columns\0rows\0revision\0state\0message\0";
		     *keys; keys += strlen(keys) + 1)
			ath_str_printf(&line, ",\"%s\":%s", keys, values[i]);
		ath_str_putc(&line, '}');
		must_read(ath_str_get(&line), &arena, &reply);
		assert_null(reply.alembic);
		assert_null(reply.path);
		assert_null(reply.revision);
		assert_null(reply.message);
		check_texts(&reply.heads, "");
		check_texts(&reply.rows, "");
		for (size_t n = 0; n < reply.entries_len; n++)
			assert_string_equal(reply.entries[n].id, "");
		ath_str_fini(&line);
		ath_arena_fini(&arena);
	}
}

static void a_list_keeps_its_texts_only(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	must_read("{\"event\":\"current\",\"rows\":[null,\"a1\",7,[\"x\"],\"b2\",{}]}", &arena,
		  &reply);
	check_texts(&reply.rows, "a1 b2");
	ath_arena_fini(&arena);
}

static void what_is_no_reply_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"null",
		"[]",
		"\"end\"",
		"{}",
		"{\"event\":null}",
		"{\"event\":5}",
		"{\"event\":[\"end\"]}",
		"{\"event\":\"\"}",
		"{\"event\":\"END\"}",
		"{\"event\":\"end\"",
		"{\"event\":\"end\"}}",
		"{\"event\":\"end\"}{\"event\":\"end\"}",
		"{\"event\":\"end\",}",
		"{\"event\":\"end\",\"event\":\"end\"}",
		"{\"event\":\"note\",\"message\":\"a\",\"message\":\"b\"}",
		"{\"event\":\"note\",\"x\":{\"a\":1,\"a\":2}}",
		"{\"event\":\"note\",\"message\":\"\\u0000\"}",
		"{\"event\":\"note\",\"message\":\"\xff\"}",
		"{\"event\":\"note\",\"message\":\"\\ud800\"}",
		"{\"event\":\"note\",\"message\":\"a\nb\"}",
		"{\"event\":\"note\",\"n\":1e999}",
		"{\"event\":\"note\",\"n\":99999999999999999999999}",
		"Traceback (most recent call last):",
		"\x1b[31m",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct ath_arena arena = { 0 };
		struct ath_bridge_reply reply = { .message = "untouched" };
		struct ath_err err = { 0 };

		if (read_line(lines[i], strlen(lines[i]), &arena, &reply, &err))
			fail_msg("taken: %s", lines[i]);
		assert_int_equal(err.code, ATH_ERR_BRIDGE);
		assert_string_equal(reply.message, "untouched");
		ath_arena_fini(&arena);
	}
}

static void a_nul_byte_ends_no_line(void **state)
{
	static const char line[] = "{\"event\":\"end\"}\0";
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;
	struct ath_err err = { 0 };

	(void)state;
	assert_false(read_line(line, sizeof(line) - 1, &arena, &reply, &err));
	assert_int_equal(err.code, ATH_ERR_BRIDGE);
	ath_arena_fini(&arena);
}

static void deep_nesting_is_refused(void **state)
{
	static const char brackets[] = "[{";
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ath_err err = { 0 };
		struct ath_str line = { 0 };

		ath_str_puts(&line, "{\"event\":\"end\",\"x\":");
		for (size_t n = 0; n < 100000; n++) {
			ath_str_putc(&line, brackets[i]);
			if (brackets[i] == '{')
				ath_str_puts(&line, "\"a\":");
		}
		assert_false(read_line(line.data, line.len, &arena, &reply, &err));
		assert_int_equal(err.code, ATH_ERR_BRIDGE);
		ath_str_fini(&line);
	}
	ath_arena_fini(&arena);
}

/* As long as the reader of lines lets them be; one that was cut there is no reply. */
static void the_longest_line_is_read_and_a_cut_one_refused(void **state)
{
	enum {
		LIMIT = 1 << 20
	};
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;
	struct ath_str line = { 0 };
	struct ath_err err = { 0 };

	(void)state;
	ath_str_puts(&line, "{\"event\":\"current\",\"rows\":[\"0\"");
	for (unsigned n = 1; line.len < LIMIT - 16; n++)
		ath_str_printf(&line, ",\"%u\"", n);
	ath_str_puts(&line, "]}");
	assert_true(read_line(line.data, line.len, &arena, &reply, &err));
	assert_true(reply.rows.len > 100000);
	assert_string_equal(reply.rows.items[7], "7");
	assert_false(read_line(line.data, line.len - 1, &arena, &reply, &err));
	assert_int_equal(err.code, ATH_ERR_BRIDGE);
	ath_str_fini(&line);
	ath_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_bring_the_graph),
		cmocka_unit_test(target_names_the_database),
		cmocka_unit_test(no_version_table_is_not_one_without_rows),
		cmocka_unit_test(the_other_events_bring_their_members),
		cmocka_unit_test(identifiers_that_hold_less_than_they_say_are_open),
		cmocka_unit_test(every_event_may_come_without_anything),
		cmocka_unit_test(members_of_wrong_types_are_empty),
		cmocka_unit_test(a_list_keeps_its_texts_only),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(a_nul_byte_ends_no_line),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(the_longest_line_is_read_and_a_cut_one_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
