/* SPDX-License-Identifier: MIT */
/* The chain lint: each rule finds its fault, and stays silent about what only looks like it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/lint.h"
#include "alembic/lint_text.h"
#include "base/str.h"
#include "tests/unit/cmocka_all.h"

enum {
	ROWS_MAX = 4,
	NOTES_MAX = 3,
	EFFECTS_MAX = 16,
};

/*
 * One revision. Effects are parted by "|": "+column a.b", "-table a", "~column a.b", with "@LINE" and
 * "/TIE" behind them; a foreign key is "+foreign a(x) b(id)".
 */
struct row {
	const char *id, *downs;
	const char *effects;
	const char *down; /* of downgrade(); NULL: there is none; "": nothing stands in it */
	struct ath_lint_note notes[NOTES_MAX];
	const char *labels, *depends_on, *file;
	bool is_unknown, hides;
	bool is_down_unknown;
};

struct fixture {
	struct ath_arena arena;
	struct ath_chain_entry entries[ROWS_MAX];
	struct ath_effects effects[ROWS_MAX];
	struct ath_chain chain;
	struct ath_err broken;
	struct ath_lint_report report;
};

/* ---- building ---- */

static struct ath_texts words(struct ath_arena *arena, const char *text)
{
	const char **items = ath_arena_new(arena, text ? strlen(text) + 1 : 1, sizeof(*items));
	size_t len = 0;

	for (char *at = ath_arena_strdup(arena, text ? text : ""), *word;
	     (word = strtok_r(at, " ", &at));)
		items[len++] = word;
	return (struct ath_texts){ items, len };
}

static unsigned cut_number(char *text, char mark)
{
	char *at = strrchr(text, mark);
	unsigned number = at ? (unsigned)strtoul(at + 1, NULL, 10) : 0;

	if (at)
		*at = '\0';
	return number;
}

static struct ath_effect effect_of(struct ath_arena *arena, char *text)
{
	static const char signs[] = "+-~";
	unsigned tie = cut_number(text, '/'), line = cut_number(text, '@');
	const char *key = ath_arena_strdup(arena, text + 1), *name = strchr(key, ' ') + 1;
	const char *other = strstr(name, ") ");
	struct ath_effect effect = {
		.verb = (enum ath_effect_verb)(strchr(signs, text[0]) - signs),
		.element = { .kind = ATH_ELEMENT_KIND_COUNT_, .key = key },
		.tie = tie,
		.line = line,
	};

	for (unsigned i = 0; i < ATH_ELEMENT_KIND_COUNT_; i++) {
		const char *kind = ath_element_kind_name((enum ath_element_kind)i);

		if (strncmp(key, kind, strlen(kind)) == 0 && key[strlen(kind)] == ' ')
			effect.element.kind = (enum ath_element_kind)i;
	}
	assert_int_not_equal(effect.element.kind, ATH_ELEMENT_KIND_COUNT_);
	effect.element.table = ath_arena_strndup(arena, name, strcspn(name, ".("));
	if (other)
		effect.other = ath_arena_strndup(arena, other + 2, strcspn(other + 2, "("));
	return effect;
}

static size_t effects_of(struct ath_arena *arena, const char *text, const struct ath_effect **out)
{
	struct ath_effect *items = ath_arena_new(arena, EFFECTS_MAX, sizeof(*items));
	size_t len = 0;

	for (char *at = ath_arena_strdup(arena, text ? text : ""), *word;
	     (word = strtok_r(at, "|", &at));)
		items[len++] = effect_of(arena, word);
	*out = items;
	return len;
}

static const struct ath_lint_text *text_of(struct ath_arena *arena, const struct row *row)
{
	struct ath_lint_text *text = ath_arena_new(arena, 1, sizeof(*text));
	struct ath_lint_downgrade *down = ath_arena_new(arena, 1, sizeof(*down));

	*text = (struct ath_lint_text){
		.is_read = true,
		.hides = row->hides || row->is_unknown,
		.notes = row->notes,
		.downgrade = row->down ? down : NULL,
	};
	while (text->len < NOTES_MAX && row->notes[text->len].line)
		text->len++;
	down->line = 90;
	down->is_static = !row->is_down_unknown;
	down->is_empty = row->down && !*row->down;
	down->len = effects_of(arena, row->down, &down->items);
	return text;
}

static size_t build(struct fixture *fix, const struct row *rows)
{
	size_t len = 0;

	for (; len < ROWS_MAX && rows[len].downs; len++) {
		const struct row *row = &rows[len];

		fix->entries[len] = (struct ath_chain_entry){
			.id = row->id,
			.downs = words(&fix->arena, row->downs),
			.depends_on = words(&fix->arena, row->depends_on),
			.labels = words(&fix->arena, row->labels),
			.file = ath_arena_printf(&fix->arena, "/x/%s.py",
						 row->file ? row->file : row->id),
			.line = (unsigned)len + 5,
		};
		fix->effects[len] = (struct ath_effects){
			.source = row->is_unknown ? ATH_EFFECTS_UNKNOWN : ATH_EFFECTS_STATIC,
			.is_literal = !row->is_unknown,
			.text = text_of(&fix->arena, row),
		};
		fix->effects[len].len =
			effects_of(&fix->arena, row->effects, &fix->effects[len].items);
	}
	return len;
}

static void lint(struct fixture *fix, const struct row *rows, enum ath_lint_database database,
		 const char *env)
{
	struct ath_lint_subject subject = {
		.entries = fix->entries,
		.effects = fix->effects,
		.env_file = "/x/env.py",
		.env_text = env,
		.env_len = env ? strlen(env) : 0,
		.database = database,
	};
	bool is_named = true;

	memset(fix, 0, sizeof(*fix));
	subject.len = build(fix, rows);
	for (size_t i = 0; i < subject.len; i++)
		is_named = is_named && fix->entries[i].id;
	if (!is_named)
		ath_err_set(&fix->broken, ATH_ERR_CHAIN, "no revision is assigned");
	else if (ath_chain_build(fix->entries, subject.len, &fix->arena, &fix->chain, &fix->broken))
		subject.chain = &fix->chain;
	subject.broken = subject.chain ? NULL : &fix->broken;
	ath_lint_check(&subject, &fix->arena, &fix->report);
}

/* ---- one case for each fault, and for each near miss ---- */

struct lint_case {
	const char *rule;
	const char *says; /* part of the message; NULL: the rule must be silent */
	struct row rows[ROWS_MAX];
	enum ath_lint_database database;
	const char *env;
	unsigned line; /* of the finding; 0: not looked at */
};

#define ADD_COLUMN(at, of, name, ...)                                                             \
	{                                                                                         \
		.kind = ATH_LINT_NOTE_ADD_COLUMN, .line = (at), .table = (of),                    \
		.columns = { (const char *const[]){ name }, 1 }, .has_columns = true, __VA_ARGS__ \
	}
#define DATA(at, verb, of, ...)                                                          \
	{                                                                                \
		.kind = ATH_LINT_NOTE_DATA, .line = (at), .name = (verb), .table = (of), \
		__VA_ARGS__                                                              \
	}
#define SETS(name) .columns = { (const char *const[]){ name }, 1 }, .has_columns = true
#define NOTE(what, at, named, of, ...)                                                      \
	{                                                                                   \
		.kind = ATH_LINT_NOTE_##what, .line = (at), .name = (named), .table = (of), \
		__VA_ARGS__                                                                 \
	}

#define LONG_ID "a_name_of_thirty_three_characters"
#define URL_SET "config.set_main_option(\"sqlalchemy.url\", "

static const struct lint_case cases[] = {
	/* the graph */
	{ "no-revision", "no revision is assigned", { { NULL, "", .file = "x" } } },
	{ "no-revision", NULL, { { "a", "" } } },
	{ "duplicate-id",
	  "'a' is there twice",
	  { { "a", "", .file = "1" }, { "a", "", .file = "2" } } },
	{ "duplicate-id", NULL, { { "a", "" }, { "A", "a" } } },
	{ "missing-parent", "follows 'z'", { { "a", "" }, { "b", "z" } }, .line = 6 },
	{ "missing-parent", "depends on 'z'", { { "a", "", .depends_on = "z" } } },
	{ "missing-parent", NULL, { { "a", "", .labels = "z" }, { "b", "a", .depends_on = "z" } } },
	{ "label-twice",
	  "'one' is there twice",
	  { { "a", "", .labels = "one" }, { "b", "a", .labels = "one" } } },
	{ "label-twice", "'a' is there twice", { { "a", "" }, { "b", "a", .labels = "a" } } },
	{ "label-twice", NULL, { { "a", "", .labels = "one" }, { "b", "a", .labels = "two" } } },
	{ "cycle", "need each other: ", { { "a", "b" }, { "b", "a" } } },
	{ "cycle", NULL, { { "a", "" }, { "b", "z" } } },
	{ "several-heads", "2 heads (b, c)", { { "a", "" }, { "b", "a" }, { "c", "a" } } },
	{ "several-heads", NULL, { { "a", "" }, { "b", "a" }, { "c", "a" }, { "d", "b c" } } },
	{ "long-id", "33 characters", { { LONG_ID, "" } } },
	{ "long-id", NULL, { { "a_name_of_just_32_characters_yes", "" } } },
	{ "file-order",
	  "the last is c, and the head is b",
	  { { "a", "" }, { "c", "a" }, { "b", "c" } } },
	{ "file-order",
	  "b comes before its parent c",
	  { { "a", "" }, { "c", "a" }, { "b", "c" }, { "d", "b" } } },
	{ "file-order", NULL, { { "a", "" }, { "b", "a" }, { "c", "a" } } },
	{ "file-name", "1 of 2 files", { { "a", "" }, { "b2", "a", .file = "b25_x" } } },
	{ "file-name", NULL, { { "a", "" }, { "b2", "a", .file = "2024_01_02-b2_x" } } },

	/* effects */
	{ "same-effect-twice",
	  "adds column t.c, which a (a.py:3)",
	  { { "a", "", "+table t@1|+column t.c@3" }, { "b", "a", "+column t.c@7" } },
	  .line = 7 },
	{ "same-effect-twice",
	  "as b (b.py:1) does on another branch",
	  { { "a", "" }, { "b", "a", "+table t@1" }, { "c", "a", "+table t@1" } } },
	{ "same-effect-twice",
	  "(unless b, which cannot be read, drops it)",
	  { { "a", "", "+table t@1" },
	    { "b", "a", .is_unknown = true },
	    { "c", "b", "+table t@1" } } },
	{ "same-effect-twice",
	  NULL,
	  { { "a", "", "+table t@1|+column t.c@3" },
	    { "b", "a", "-column t.c@7" },
	    { "c", "b", "+column t.c@7" } } },
	{ "same-effect-twice",
	  NULL,
	  { { "a", "", "+table t@1" }, { "b", "a", "+table t@1", .is_unknown = true } } },
	{ "same-effect-twice",
	  NULL, /* the column comes with the table, which is named on its own */
	  { { "a", "", "+column t.c@3" }, { "b", "a", "+table t@7|+column t.c@7" } } },
	{ "same-effect-twice",
	  NULL, /* two indexes may have the same columns */
	  { { "a", "", "+table t@1|+index t(c)@2" }, { "b", "a", "+index t(c)@2" } } },
	{ "unmade",
	  "needs table t, which no revision before it makes (it changes column t.c)",
	  { { "a", "", "+column t.c@4" } },
	  .line = 4 },
	{ "unmade",
	  "needs table o, which no revision before it makes (a foreign key refers to it)",
	  { { "a", "", "+table t@1|+foreign t(x) o(id)@1" } } },
	{ "unmade",
	  "drops column t.c, which no revision makes",
	  { { "a", "", "+table t@1" }, { "b", "a", "-column t.c@8" } },
	  .line = 8 },
	{ "unmade",
	  "alters column t.c",
	  { { "a", "", "+table t@1" }, { "b", "a", "~column t.c@8" } } },
	{ "unmade",
	  "renames column t.c",
	  { { "a", "", "+table t@1" }, { "b", "a", "-column t.c@8/1|+column t.d@8/1" } } },
	{ "unmade",
	  NULL,
	  { { "a", "", "+table t@1|+column t.c@1" }, { "b", "a", "-column t.c@8" } } },
	{ "unmade",
	  NULL, /* the table to which a key refers may be made behind it */
	  { { "a", "", "+table t@1|+foreign t(x) o(id)@1|+table o@5" } } },
	{ "unmade", NULL, { { "a", "", .hides = true }, { "b", "a", "+column t.c@4" } } },
	{ "unmade",
	  NULL, /* b may have added it */
	  { { "a", "", "+table t@1" },
	    { "b", "a", .hides = true },
	    { "c", "b", "-column t.c@4" } } },
	{ "unmade",
	  NULL, /* what a renamed table has is not known */
	  { { "a", "", "+table t@1" },
	    { "b", "a", "-table t@2/1|+table u@2/1" },
	    { "c", "b", "-column u.c@1" } } },
	{ "unmade", NULL, { { "a", "", "~column alembic_version.version_num@4" } } },

	/* downgrades */
	{ "downgrade-missing", "there is no downgrade()", { { "a", "", .down = NULL } } },
	{ "downgrade-missing",
	  "does nothing",
	  { { "a", "", "+table t@1", .down = "" } },
	  .line = 90 },
	{ "downgrade-missing", NULL, { { "a", "", .down = "" } } },
	{ "downgrade-unmade",
	  "drops column t.d, which its upgrade() does not make",
	  { { "a", "", "+column t.c@1", .down = "-column t.d@9" } },
	  .line = 9 },
	{ "downgrade-unmade", NULL, { { "a", "", "+column t.c@1", .down = "-column t.c@9" } } },
	{ "downgrade-unmade",
	  NULL, /* it comes with the table */
	  { { "a", "", "+table t@1", .down = "-table t@9|-column t.d@9" } } },
	{ "downgrade-unmade", NULL, { { "a", "", .down = "-column t.d@9", .hides = true } } },
	{ "downgrade-unmade",
	  NULL,
	  { { "a", "", .down = "-column t.d@9", .is_down_unknown = true } } },
	{ "downgrade-twice",
	  "drops column t.c, which the downgrade of b (b.py:9) has dropped",
	  { { "a", "", "+column t.c@1", .down = "-column t.c@8" },
	    { "b", "a", "+column t.c@1", .down = "-column t.c@9" } },
	  .line = 8 },
	{ "downgrade-twice",
	  NULL,
	  { { "a", "", "+column t.c@1", .down = "-column t.c@8" },
	    { "b", "a", "-column t.c@1", .down = "+column t.c@9" },
	    { "c", "b", "+column t.c@1", .down = "-column t.c@9" } } },
	{ "downgrade-twice",
	  NULL, /* another branch is another database */
	  { { "a", "" },
	    { "b", "a", "+column t.c@1", .down = "-column t.c@8" },
	    { "c", "a", "+column t.c@1", .down = "-column t.c@8" } } },

	/* one file */
	{ "not-null-without-default",
	  "NOT NULL column t.c",
	  { { "a", "", "+column t.c@4",
	      .notes = { ADD_COLUMN(4, "t", "c", .is_required = true) } } },
	  .line = 4 },
	{ "not-null-without-default",
	  NULL,
	  { { "a", "", "+column t.c@4",
	      .notes = { ADD_COLUMN(4, "t", "c", .is_required = true, .has_default = true) } } } },
	{ "not-null-without-default",
	  NULL,
	  { { "a", "", "+column t.c@4", .notes = { ADD_COLUMN(4, "t", "c") } } } },
	{ "not-null-without-default",
	  NULL, /* the table is made here: it has no row */
	  { { "a", "", "+table t@2|+column t.c@4",
	      .notes = { ADD_COLUMN(4, "t", "c", .is_required = true) } } } },
	{ "alter-without-batch",
	  "alter_column on table t outside",
	  { { "a", "", .notes = { NOTE(ALTER, 4, "alter_column", "t") } } },
	  ATH_LINT_SQLITE },
	{ "alter-without-batch",
	  "the first of 2 operations",
	  { { "a", "",
	      .notes = { NOTE(ALTER, 4, "alter_column", "t"),
			 NOTE(ALTER, 5, "drop_constraint", "t") } } } },
	{ "alter-without-batch",
	  NULL,
	  { { "a", "", .notes = { NOTE(ALTER, 4, "alter_column", "t", .is_batch = true) } } },
	  ATH_LINT_SQLITE },
	{ "alter-without-batch",
	  NULL, /* SQLite has a statement for that */
	  { { "a", "", .notes = { NOTE(ALTER, 4, "alter_column", "t", .is_rename = true) } } },
	  ATH_LINT_SQLITE },
	{ "alter-without-batch",
	  NULL,
	  { { "a", "", .notes = { NOTE(ALTER, 4, "alter_column", "t", .is_doubtful = true) } } },
	  ATH_LINT_SQLITE },
	{ "alter-without-batch",
	  NULL,
	  { { "a", "", .notes = { NOTE(ALTER, 4, "alter_column", "t") } } },
	  ATH_LINT_SERVER },
	{ "batch-rebuild-referenced",
	  "refer to it (o)",
	  { { "a", "", "+table t@1|+table o@2|+foreign o(x) t(id)@2" },
	    { "b", "a", .notes = { NOTE(REBUILD, 6, NULL, "t") } } } },
	{ "batch-rebuild-referenced",
	  NULL, /* it refers to itself only */
	  { { "a", "", "+table t@1|+foreign t(x) t(id)@2" },
	    { "b", "a", .notes = { NOTE(REBUILD, 6, NULL, "t") } } } },
	{ "batch-rebuild-referenced",
	  NULL,
	  { { "a", "", "+table t@1|+table o@2|+foreign o(x) t(id)@2" },
	    { "b", "a", "-foreign o(x) t(id)@3" },
	    { "c", "b", .notes = { NOTE(REBUILD, 6, NULL, "t") } } } },
	{ "batch-rebuild-referenced",
	  NULL, /* only SQLite needs a copy */
	  { { "a", "", "+table t@1|+table o@2|+foreign o(x) t(id)@2" },
	    { "b", "a", .notes = { NOTE(REBUILD, 6, NULL, "t") } } },
	  ATH_LINT_SERVER },
	{ "commits-apart",
	  "(CONCURRENTLY)",
	  { { "a", "", .notes = { NOTE(APART, 4, "CONCURRENTLY", NULL) } } } },
	{ "commits-apart",
	  NULL,
	  { { "a", "", .notes = { NOTE(APART, 4, "CONCURRENTLY", NULL) } } },
	  ATH_LINT_SQLITE },
	{ "destroys-data",
	  "drops column t.c with all",
	  { { "a", "", "+table t@1|+column t.c@1" }, { "b", "a", "-column t.c@8" } },
	  .line = 8 },
	{ "destroys-data",
	  "perhaps drops table t",
	  { { "a", "", "-table t@1", .is_unknown = true } } },
	{ "destroys-data",
	  "changes rows of table t (UPDATE)",
	  { { "a", "", "+column t.c@1", .notes = { DATA(4, "UPDATE", "t", SETS("d")) } } } },
	{ "destroys-data",
	  "deletes rows of table t (DELETE)",
	  { { "a", "", .notes = { DATA(4, "DELETE", "t") } } } },
	{ "destroys-data",
	  NULL, /* the new column is filled, nothing is overwritten */
	  { { "a", "", "+column t.c@1", .notes = { DATA(4, "UPDATE", "t", SETS("c")) } } } },
	{ "destroys-data", NULL, { { "a", "", .notes = { DATA(4, "INSERT", "t") } } } },
	{ "destroys-data",
	  NULL, /* a table for the time of the revision */
	  { { "a", "", "+table t@1|-table t@5", .notes = { DATA(4, "DELETE", "t") } } } },
	{ "destroys-data", NULL, { { "a", "", "-column t.c@8/1|+column t.d@8/1" } } },
	{ "module-use",
	  "op.get_bind is used when the file is loaded",
	  { { "a", "", .notes = { NOTE(MODULE_USE, 4, "op.get_bind", NULL) } } } },
	{ "module-use", NULL, { { "a", "", .notes = { NOTE(IMPORT, 4, "op", NULL) } } } },
	{ "third-party-import",
	  "imports app.models, pgvector when",
	  { { "a", "",
	      .notes = { NOTE(IMPORT, 4, "app.models", NULL),
			 NOTE(IMPORT, 5, "pgvector", NULL) } } } },
	{ "third-party-import",
	  NULL,
	  { { "a", "", .notes = { NOTE(MODULE_USE, 4, "op.x", NULL) } } } },

	/* env.py */
	{ "percent-in-url",
	  "without doubling '%'",
	  { { "a", "" } },
	  .env = "x = 1\n" URL_SET "settings.url)\n",
	  .line = 2 },
	{ "percent-in-url",
	  "without doubling '%'",
	  { { "a", "" } },
	  .env = URL_SET "f\"{base}/x\")\n" },
	{ "percent-in-url",
	  "without doubling '%'",
	  { { "a", "" } },
	  .env = "config.set_section_option(config.config_ini_section, \"sqlalchemy.url\", "
		 "url)\n" },
	{ "percent-in-url",
	  NULL,
	  { { "a", "" } },
	  .env = URL_SET "settings.url.replace(\"%\", \"%%\"))\n" },
	{ "percent-in-url", NULL, { { "a", "" } }, .env = URL_SET "\"sqlite:///x.db\")\n" },
	{ "percent-in-url",
	  NULL,
	  { { "a", "" } },
	  .env = "config.set_main_option(\"k\", settings.url)\n" },
	{ "percent-in-url", NULL, { { "a", "" } }, .env = "# " URL_SET "settings.url)\n" },
	{ "transaction-per-migration",
	  "a transaction of its own",
	  { { "a", "" } },
	  .env = "context.configure(\n    x=1,\n    transaction_per_migration=True)\n",
	  .line = 3 },
	{ "transaction-per-migration",
	  NULL,
	  { { "a", "" } },
	  .env = "context.configure(transaction_per_migration=False)\n" },
	{ "transaction-per-migration",
	  NULL,
	  { { "a", "" } },
	  ATH_LINT_SQLITE,
	  "context.configure(transaction_per_migration=True)\n" },
};

enum {
	CASES = sizeof(cases) / sizeof(cases[0]),
};

/* The findings of the rule; the first of them that says that. */
static size_t find(const struct fixture *fix, const struct lint_case *one,
		   const struct ath_lint_finding **out)
{
	size_t count = 0;

	*out = NULL;
	for (size_t i = 0; i < fix->report.len; i++) {
		const struct ath_lint_finding *finding = &fix->report.findings[i];

		if (strcmp(finding->rule, one->rule) != 0)
			continue;
		count++;
		if (!*out && one->says && strstr(finding->message, one->says))
			*out = finding;
	}
	return count;
}

static void rule_finds_its_fault_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct lint_case *one = &cases[i];
		const struct ath_lint_finding *finding;
		struct fixture fix;
		size_t count;

		lint(&fix, one->rows, one->database, one->env);
		count = find(&fix, one, &finding);
		if (one->says && !finding)
			fail_msg("case %zu: %s is silent, or does not say: %s", i, one->rule,
				 one->says);
		if (!one->says && count)
			fail_msg("case %zu: %s sees what is not there", i, one->rule);
		if (one->line && finding->line != one->line)
			fail_msg("case %zu: %s is at line %u", i, one->rule, finding->line);
		ath_arena_fini(&fix.arena);
	}
}

static void each_rule_has_a_fault_and_a_near_miss(void **state)
{
	const char *name;

	(void)state;
	for (size_t n = 0; (name = ath_lint_rule_name(n)); n++) {
		size_t faults = 0, misses = 0;

		for (size_t i = 0; i < CASES; i++) {
			faults += strcmp(cases[i].rule, name) == 0 && cases[i].says;
			misses += strcmp(cases[i].rule, name) == 0 && !cases[i].says;
		}
		if (!faults || !misses)
			fail_msg("rule %s has %zu faults and %zu near misses", name, faults,
				 misses);
	}
}

static void findings_are_in_the_order_of_the_chain(void **state)
{
	static const struct row rows[ROWS_MAX] = {
		{ "c", "a", "+column t.c@9|-column t.d@7", .down = "" },
		{ "a", "", "+table t@1|+column t.d@1|+column t.c@1", .down = "-table t@1" },
	};
	struct ath_str text = { 0 };
	struct fixture fix;

	(void)state;
	lint(&fix, rows, ATH_LINT_ANY, NULL);
	for (size_t i = 0; i < fix.report.len; i++)
		ath_str_printf(&text, "%s:%u:%s:%s ", fix.report.findings[i].file,
			       fix.report.findings[i].line, fix.report.findings[i].revision,
			       fix.report.findings[i].rule);
	assert_string_equal(ath_str_get(&text), "/x/c.py:7:c:destroys-data "
						"/x/c.py:9:c:same-effect-twice "
						"/x/c.py:90:c:downgrade-missing ");
	assert_int_equal(fix.report.counts[ATH_LINT_RISK], 2);
	assert_int_equal(fix.report.counts[ATH_LINT_INFO], 1);
	assert_int_equal(fix.report.counts[ATH_LINT_ERROR], 0);
	ath_str_fini(&text);
	ath_arena_fini(&fix.arena);
}

static void all_that_breaks_a_chain_is_named(void **state)
{
	static const struct row rows[ROWS_MAX] = {
		{ "a", "", .file = "1" },
		{ "a", "", .file = "2" },
		{ "b", "y" },
		{ "c", "z" },
	};
	struct fixture fix;

	(void)state;
	lint(&fix, rows, ATH_LINT_ANY, NULL);
	assert_int_equal(fix.report.counts[ATH_LINT_ERROR], 3);
	assert_int_equal(fix.report.len, 3);
	ath_arena_fini(&fix.arena);
}

static enum ath_lint_level level_of_long_id(enum ath_lint_database database, const char *env,
					    struct ath_lint_note note)
{
	struct row rows[ROWS_MAX] = { { LONG_ID, "", .notes = { note } } };
	struct lint_case one = { .rule = "long-id", .says = "" };
	const struct ath_lint_finding *finding;
	enum ath_lint_level level;
	struct fixture fix;

	lint(&fix, rows, database, env);
	assert_int_equal(find(&fix, &one, &finding), 1);
	level = finding->level;
	ath_arena_fini(&fix.arena);
	return level;
}

static void long_id_is_an_error_where_the_column_is_that_short(void **state)
{
	struct ath_lint_note none = { 0 };
	struct ath_lint_note widens = NOTE(ALTER, 3, "alter_column", "alembic_version");

	(void)state;
	assert_int_equal(level_of_long_id(ATH_LINT_SERVER, "x = 1\n", none), ATH_LINT_ERROR);
	assert_int_equal(level_of_long_id(ATH_LINT_SQLITE, "x = 1\n", none), ATH_LINT_RISK);
	assert_int_equal(level_of_long_id(ATH_LINT_ANY, "x = 1\n", none), ATH_LINT_RISK);
	assert_int_equal(level_of_long_id(ATH_LINT_SERVER, "'version_num VARCHAR(99)'\n", none),
			 ATH_LINT_RISK);
	assert_int_equal(level_of_long_id(ATH_LINT_SERVER, "x = 1\n", widens), ATH_LINT_RISK);
}

static void texts_that_were_not_read_are_not_judged(void **state)
{
	static const struct row rows[ROWS_MAX] = { { "a", "", "-column t.c@1" } };
	struct fixture fix;
	struct ath_lint_subject subject = { .entries = fix.entries, .chain = &fix.chain };

	(void)state;
	lint(&fix, rows, ATH_LINT_ANY, NULL);
	assert_true(fix.report.len > 0);
	subject.len = 1;
	ath_lint_check(&subject, &fix.arena, &fix.report);
	assert_int_equal(fix.report.len, 0);
	fix.effects[0].text = NULL; /* as from a bridge that says no more than effects */
	subject.effects = fix.effects;
	ath_lint_check(&subject, &fix.arena, &fix.report);
	assert_true(fix.report.len > 0);
	ath_arena_fini(&fix.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_finds_its_fault_and_no_other),
		cmocka_unit_test(each_rule_has_a_fault_and_a_near_miss),
		cmocka_unit_test(findings_are_in_the_order_of_the_chain),
		cmocka_unit_test(all_that_breaks_a_chain_is_named),
		cmocka_unit_test(long_id_is_an_error_where_the_column_is_that_short),
		cmocka_unit_test(texts_that_were_not_read_are_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
