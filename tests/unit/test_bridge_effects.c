/* SPDX-License-Identifier: MIT */
/* What the bridge says about revisions and schemas, as elements; and the request that asks for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alembic/lint_text.h"
#include "base/str.h"
#include "bridge/reply.h"
#include "bridge/request.h"
#include "os/file.h"
#include "tests/unit/cmocka_all.h"

struct fixture {
	struct ath_arena arena;
	struct ath_bridge_reply reply;
	struct ath_err err;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	ath_arena_fini(&fix->arena);
	free(fix);
	return 0;
}

/* Reads a line, written with ' for " so that it can be read here. */
static void read_line(struct fixture *fix, const char *line)
{
	char *copy = ath_arena_strdup(&fix->arena, line);

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	if (!ath_bridge_read(copy, strlen(copy), &fix->arena, &fix->reply, &fix->err))
		fail_msg("%s: %s", copy, fix->err.msg);
}

/* "+column a.b:INTEGER /1|..." */
static const char *effects_text(struct fixture *fix)
{
	const struct ath_effects *effects = &fix->reply.effects;
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < effects->len; i++) {
		const struct ath_effect *one = &effects->items[i];

		ath_str_printf(&text, "%s%c%s", i ? "|" : "", "+-~"[one->verb], one -> element.key);
		if (one->tie)
			ath_str_printf(&text, " /%u", one->tie);
	}
	copy = ath_arena_strdup(&fix->arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

static const char *elements_text(struct fixture *fix)
{
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < fix->reply.elements.len; i++)
		ath_str_printf(&text, "%s%s", i ? "|" : "", fix->reply.elements.items[i].key);
	copy = ath_arena_strdup(&fix->arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

static void test_effects(void **state)
{
	struct fixture *fix = *state;
	const struct ath_effects *effects = &fix->reply.effects;
	const struct ath_element *column;

	read_line(
		fix,
		"{'event':'effects','revision':'a1','source':'static','literal':true,'data':false,"
		"'lower_bound':false,'obstacle':null,'effects':["
		"{'verb':'add','kind':'table','table':'Users','tie':0,'line':3},"
		"{'verb':'add','kind':'column','table':'Users','column':'Id','type':'numeric(10,  "
		"2)',"
		"'nullable':false,'server_default':'7','key':true,'tie':0},"
		"{'verb':'add','kind':'unique','table':'Users','columns':['a','B'],'name':null},"
		"{'verb':'drop','kind':'index','table':'Users','columns':['a'],'name':'IX'},"
		"{'verb':'drop','kind':'index','table':'Users','columns':null,'name':'ix_low'},"
		"{'verb':'add','kind':'foreign','table':'t','columns':['a'],'other':'Users',"
		"'other_columns':['Id']},"
		"{'verb':'drop','kind':'column','table':'t','column':'x','tie':2},"
		"{'verb':'add','kind':'column','table':'t','column':'y','tie':2},"
		"{'verb':'alter','kind':'column','table':'t','column':'z','nullable':null},"
		"{'verb':'add','kind':'view','name':'V'},"
		"{'verb':'drop','kind':'trigger','name':'g','table':'t'}]}");
	assert_int_equal(fix->reply.event, ATH_BRIDGE_SAYS_EFFECTS);
	assert_string_equal(fix->reply.revision, "a1");
	assert_int_equal(effects->source, ATH_EFFECTS_STATIC);
	assert_true(effects->is_literal);
	assert_false(effects->has_data || effects->is_lower_bound);
	assert_null(effects->obstacle);
	assert_string_equal(effects_text(fix),
			    "+table users|+column users.id|+unique users(a,b)|-index users(a)|"
			    "-index users ix_low|+foreign t(a) users(id)|-column t.x /2|"
			    "+column t.y /2|~column t.z|+view v|-trigger g");
	column = &effects->items[1].element;
	assert_string_equal(column->table, "users");
	assert_string_equal(column->attributes.default_value, "7");
	assert_true(column->attributes.is_key && !column->attributes.is_nullable);
	assert_string_equal(effects->items[3].element.name, "IX");
	assert_string_equal(effects->items[7].element.attributes.type, "");
	assert_true(effects->items[8].element.attributes.is_nullable);
	assert_string_equal(effects->items[9].element.table, "v");
	assert_string_equal(effects->items[10].element.table, "g");
}

static void test_unknown_revision(void **state)
{
	struct fixture *fix = *state;

	read_line(fix, "{'event':'effects','revision':'b2','source':'unknown','literal':false,"
		       "'data':true,'lower_bound':true,'obstacle':'b2.py:7: a loop','effects':["
		       "{'verb':'drop','kind':'table','table':'t'}]}");
	assert_int_equal(fix->reply.effects.source, ATH_EFFECTS_UNKNOWN);
	assert_false(fix->reply.effects.is_literal);
	assert_true(fix->reply.effects.has_data && fix->reply.effects.is_lower_bound);
	assert_string_equal(fix->reply.effects.obstacle, "b2.py:7: a loop");
	assert_string_equal(effects_text(fix), "-table t");
}

/* An effect that names nothing is left out, and the rest is a lower bound, whatever was said. */
static void test_effects_without_a_name(void **state)
{
	static const char *const nameless[] = {
		"{}",
		"7",
		"{'verb':'add','kind':'table'}",
		"{'verb':'add','kind':'column','table':'t'}",
		"{'verb':'add','kind':'column','column':'c'}",
		"{'verb':'drop','kind':'unique','table':'t','columns':null,'name':'uq'}",
		"{'verb':'drop','kind':'foreign','table':'t','columns':null,'name':'fk'}",
		"{'verb':'add','kind':'foreign','table':'t','columns':['a'],'other':'o'}",
		"{'verb':'add','kind':'unique','table':'t','columns':['a',7]}",
		"{'verb':'drop','kind':'index','columns':null,'name':'ix'}",
		"{'verb':'drop','kind':'index','table':'t'}",
		"{'verb':'add','kind':'view'}",
		"{'verb':'shake','kind':'table','table':'t'}",
		"{'verb':'add','kind':'chair','table':'t'}",
		"{'verb':['add'],'kind':{},'table':7}",
	};

	for (size_t i = 0; i < sizeof(nameless) / sizeof(*nameless); i++) {
		struct fixture *fix = *state;

		read_line(fix, ath_arena_printf(&fix->arena,
						"{'event':'effects','revision':'a','literal':true,"
						"'source':'static','effects':[%s,"
						"{'verb':'add','kind':'table','table':'t'}]}",
						nameless[i]));
		assert_string_equal(effects_text(fix), "+table t");
		assert_true(fix->reply.effects.is_lower_bound);
		assert_false(fix->reply.effects.is_literal);
	}
}

/* What the lint wants to know comes in the same line, and may be missing or strange. */
static void test_lint_facts(void **state)
{
	struct fixture *fix = *state;
	const struct ath_lint_text *text;

	read_line(fix,
		  "{'event':'effects','revision':'r','source':'static','effects':[{'verb':'add',"
		  "'kind':'foreign','table':'T','columns':['x'],'other':'O','other_columns':['id'],"
		  "'line':7}],'lint':{'read':true,'hides':true,'message':'what','notes':["
		  "{'note':'add_column','line':3,'table':'T','columns':['C'],'required':true},"
		  "{'note':'of another time','line':4},{'note':'data','line':5,'name':'UPDATE',"
		  "'table':null,'columns':[1],'doubt':true}],'downgrade':{'line':9,'static':true,"
		  "'empty':false,'effects':[{'verb':'drop','kind':'table','table':'T','line':10}]}}"
		  "}");
	assert_int_equal(fix->reply.effects.items[0].line, 7);
	assert_string_equal(fix->reply.effects.items[0].other, "o");
	text = fix->reply.effects.text;
	assert_true(text->is_read && text->hides);
	assert_string_equal(text->message, "what");
	assert_int_equal(text->len, 2);
	assert_int_equal(text->notes[0].kind, ATH_LINT_NOTE_ADD_COLUMN);
	assert_true(text->notes[0].is_required && !text->notes[0].has_default);
	assert_string_equal(text->notes[0].table, "t");
	assert_string_equal(text->notes[0].columns.items[0], "c");
	assert_int_equal(text->notes[1].kind, ATH_LINT_NOTE_DATA);
	assert_true(text->notes[1].is_doubtful && !text->notes[1].has_columns);
	assert_null(text->notes[1].table);
	assert_int_equal(text->downgrade->line, 9);
	assert_true(text->downgrade->is_static && !text->downgrade->is_empty);
	assert_int_equal(text->downgrade->len, 1);
	assert_int_equal(text->downgrade->items[0].line, 10);

	read_line(fix, "{'event':'effects','revision':'r','lint':{'downgrade':{'static':true,"
		       "'line':-1,'effects':[{'verb':'burn'}]}}}");
	text = fix->reply.effects.text;
	assert_true(!text->is_read && !text->message && text->len == 0);
	assert_true(!text->downgrade->is_static && text->downgrade->line == 0);
	read_line(fix, "{'event':'effects','revision':'r','lint':[1]}");
	assert_null(fix->reply.effects.text);
}

static void test_nothing_said(void **state)
{
	struct fixture *fix = *state;

	read_line(fix, "{'event':'effects'}");
	assert_int_equal(fix->reply.effects.source, ATH_EFFECTS_UNKNOWN);
	assert_int_equal(fix->reply.effects.len, 0);
	assert_null(fix->reply.revision);
	read_line(fix, "{'event':'effects','source':7,'effects':{'a':1},'literal':'yes'}");
	assert_false(fix->reply.effects.is_literal);
	read_line(fix, "{'event':'schema','tables':7,'views':[7],'triggers':{},'removed':[7]}");
	assert_int_equal(fix->reply.elements.len, 0);
	read_line(fix, "{'event':'schema','tables':[{},7,{'name':'t','columns':[{},7],"
		       "'indexes':[{},{'name':7}],'foreign':[{},{'table':'o'}]}]}");
	assert_string_equal(elements_text(fix), "table t");
}

static void test_schema(void **state)
{
	struct fixture *fix = *state;
	const struct ath_element *found;

	read_line(
		fix,
		"{'event':'schema','revision':'a1','ms':3,'removed':['Old'],'tables':[{'name':'T',"
		"'sql':'CREATE','columns':["
		"{'name':'Id','type':'integer','notnull':true,'default':null,'pk':1,'hidden':0},"
		"{'name':'g','type':'','notnull':false,'default':'1','pk':0,'hidden':2},"
		"{'name':'h','type':'','notnull':false,'default':null,'pk':0,'hidden':1}],"
		"'indexes':[{'name':'ix','unique':false,'origin':'c','partial':false,"
		"'columns':['g','Id']},"
		"{'name':'low','unique':true,'origin':'c','partial':false,'columns':[null]},"
		"{'name':'sqlite_autoindex_T_1','unique':true,'origin':'u','partial':false,"
		"'columns':['g']},"
		"{'name':'uq','unique':true,'origin':'c','partial':true,'columns':['g']},"
		"{'name':'sqlite_autoindex_T_2','unique':true,'origin':'pk','columns':['Id']}],"
		"'foreign':[{'columns':['g'],'table':'O','to':['x']},"
		"{'columns':['g'],'table':'P','to':[]}]}],"
		"'views':[{'name':'V','sql':''}],'triggers':[{'name':'Tr','table':'T','sql':''}]}");
	assert_string_equal(fix->reply.revision, "a1");
	assert_string_equal(elements_text(fix),
			    "column t.g|column t.id|foreign t(g) o(x)|foreign t(g) p()|"
			    "index t low|index t(g,id)|table t|trigger tr|unique t(g)|view v");
	assert_int_equal(fix->reply.tables.len, 1);
	assert_string_equal(fix->reply.tables.items[0], "t");
	assert_int_equal(fix->reply.removed.len, 1);
	assert_string_equal(fix->reply.removed.items[0], "old");
	found = ath_element_find(&fix->reply.elements, "column t.id");
	assert_string_equal(found->attributes.type, "INTEGER");
	assert_true(found->attributes.is_key && !found->attributes.is_nullable);
	found = ath_element_find(&fix->reply.elements, "column t.g");
	assert_string_equal(found->attributes.default_value, "1");
	assert_string_equal(ath_element_find(&fix->reply.elements, "index t(g,id)")->name, "ix");
}

static void test_stopped(void **state)
{
	struct fixture *fix = *state;

	read_line(fix, "{'event':'stopped','revision':'b2','message':'no','where':'b2.py:3'}");
	assert_int_equal(fix->reply.event, ATH_BRIDGE_SAYS_STOPPED);
	assert_string_equal(fix->reply.revision, "b2");
	assert_string_equal(fix->reply.message, "no");
	assert_string_equal(fix->reply.where, "b2.py:3");
}

static const char *read_text(struct fixture *fix, const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = ath_arena_new(&fix->arena, 1, 1 << 20);

	assert_non_null(file);
	text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void test_program_and_request(void **state)
{
	struct fixture *fix = *state;
	char folder[] = "/tmp/athanor-bridge-XXXXXX";
	const char *ids[] = { "a1", "b2" }, *files[] = { "/x/a1.py", "/x/b2.py" };
	struct ath_bridge_command commands[] = {
		{ .verb = ATH_BRIDGE_EFFECTS, .ids = { ids, 2 }, .files = { files, 2 } },
		{ .verb = ATH_BRIDGE_EFFECTS },
		{ .verb = ATH_BRIDGE_REPLAY },
	};
	struct ath_bridge_request request = { .config = "/x/alembic.ini",
					      .section = "alembic",
					      .cwd = "/x",
					      .commands = commands,
					      .len = 3 };
	const char *program, *again, *place, *path;
	struct stat found;

	assert_non_null(mkdtemp(folder));
	assert_true(ath_bridge_write_program(folder, &fix->arena, &program, &fix->err));
	assert_true(ath_str_has_suffix(program, "/bridge.py"));
	place = ath_arena_strndup(&fix->arena, program, strlen(program) - strlen("/bridge.py"));
	assert_non_null(strstr(read_text(fix, program), "def main("));
	path = ath_arena_printf(&fix->arena, "%s/effects.py", place);
	assert_non_null(strstr(read_text(fix, path), "def effects_of_all("));
	/* One that is missing is written again, to the same place. */
	assert_int_equal(unlink(path), 0);
	assert_true(ath_bridge_write_program(folder, &fix->arena, &again, &fix->err));
	assert_string_equal(program, again);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	assert_int_equal(stat(ath_arena_printf(&fix->arena, "%s/tables.py", place), &found), 0);

	path = ath_arena_printf(&fix->arena, "%s/request", folder);
	assert_true(ath_bridge_write_request(path, &request, &fix->err));
	assert_non_null(
		strstr(read_text(fix, path),
		       "[{\"do\":\"effects\",\"files\":[{\"id\":\"a1\",\"path\":\"/x/a1.py\"},"
		       "{\"id\":\"b2\",\"path\":\"/x/b2.py\"}]},{\"do\":\"effects\"},"
		       "{\"do\":\"replay\"}]"));
	unlink(path);
	unlink(program);
	unlink(ath_arena_printf(&fix->arena, "%s/effects.py", place));
	unlink(ath_arena_printf(&fix->arena, "%s/identifiers.py", place));
	unlink(ath_arena_printf(&fix->arena, "%s/notes.py", place));
	unlink(ath_arena_printf(&fix->arena, "%s/operations.py", place));
	unlink(ath_arena_printf(&fix->arena, "%s/tables.py", place));
	assert_int_equal(rmdir(place), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_effects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_revision, setup, teardown),
		cmocka_unit_test_setup_teardown(test_effects_without_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lint_facts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program_and_request, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
