/* SPDX-License-Identifier: MIT */
/*
 * plan/make by example: one text file per case, its expectation at the end.
 *
 *	run_cases FOLDER              check every *.txt
 *	run_cases --update FOLDER     rewrite the expectations instead
 *
 * Lines of a case, in any order, up to "expect:"; '#' begins a comment:
 *
 *	step NAME [needs=A,B] [section=S] [when=FACT=VALUE | when=FACT!=VALUE] [optional] [always]
 *	static NAME why it never runs
 *	look NAME absent|partial|whole|unknown|every [same|changed] [done|failed|interrupted]
 *	detail NAME what the probe missed
 *	fact NAME VALUE
 *	only NAME ...
 *	skip NAME ...
 *
 * A step without a look is absent, and so is the record of a success where neither "same" nor
 * "changed" stands.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "plan/make.h"

enum {
	MOST_STEPS = 32,
	MOST_WORDS = 12,
};

static const char end_of_input[] = "expect:\n";

struct plan_case {
	struct ath_arena arena; /* owned */
	struct ath_pairs facts; /* owned */
	struct ath_spec_step steps[MOST_STEPS];
	struct ath_plan_look looks[MOST_STEPS];
	struct ath_plan_choice choice;
	size_t len;
};

static void bad_case(const char *path, const char *what)
{
	fprintf(stderr, "%s: bad case: %s\n", path, what);
	exit(2);
}

/* ---- reading ---- */

static char *load(const char *path)
{
	struct ath_str text = { 0 };
	FILE *file = fopen(path, "r");
	char block[4096];
	size_t len;

	if (!file)
		bad_case(path, "cannot be opened");
	while ((len = fread(block, 1, sizeof(block), file)))
		ath_str_add(&text, block, len);
	fclose(file);
	return ath_str_steal(&text);
}

/* Cut a line into words in place; the list ends with NULL. */
static size_t split(char *line, const char *blanks, const char **words, size_t most)
{
	size_t len = 0;
	char *rest = NULL;

	for (char *word = strtok_r(line, blanks, &rest); word && len + 1 < most;
	     word = strtok_r(NULL, blanks, &rest))
		words[len++] = word;
	words[len] = NULL;
	return len;
}

static struct ath_texts copy_words(struct plan_case *one, const char *const *words, size_t len)
{
	const char **copy = ath_arena_new(&one->arena, len + 1, sizeof(*copy));

	for (size_t i = 0; i < len; i++)
		copy[i] = ath_arena_strdup(&one->arena, words[i]);
	return (struct ath_texts){ copy, len };
}

static size_t find_step(const char *path, const struct plan_case *one, const char *name)
{
	const struct ath_spec spec = { one->steps, one->len };
	size_t idx = name ? ath_graph_find(&spec, name) : one->len;

	if (idx == one->len)
		bad_case(path, name ? name : "a step is missing");
	return idx;
}

static void read_step_word(const char *path, struct plan_case *one, char *word,
			   struct ath_spec_step *step)
{
	const char *needs[MOST_STEPS];

	if (ath_str_has_prefix(word, "needs="))
		step->needs = copy_words(one, needs, split(word + 6, ",", needs, MOST_STEPS));
	else if (ath_str_has_prefix(word, "section="))
		step->section = ath_arena_strdup(&one->arena, word + 8);
	else if (ath_str_is(word, "optional"))
		step->is_optional = true;
	else if (ath_str_is(word, "always"))
		step->is_always = true;
	else if (!ath_str_has_prefix(word, "when=") ||
		 !ath_spec_read_when(word + 5, &one->arena, &step->when))
		bad_case(path, word);
}

static void read_step(const char *path, struct plan_case *one, const char *const *words)
{
	struct ath_spec_step *step = &one->steps[one->len];

	if (!words[1] || one->len + 1 == MOST_STEPS)
		bad_case(path, "a step without a name, or too many");
	step->name = ath_arena_strdup(&one->arena, words[1]);
	for (size_t i = 2; words[i]; i++)
		read_step_word(path, one, ath_arena_strdup(&one->arena, words[i]), step);
	one->looks[one->len].fingerprint = "now";
	one->len++;
}

/* Index of a word in a list, or -1. */
static int find_word(const char *const *list, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++) {
		if (strcmp(list[i], word) == 0)
			return (int)i;
	}
	return -1;
}

static void read_look(const char *path, struct plan_case *one, const char *const *words)
{
	static const char *const probes[] = { "absent", "partial", "whole", "unknown", "every" };
	static const char *const pasts[] = { "none", "done", "failed", "interrupted" };
	struct ath_plan_look *look = &one->looks[find_step(path, one, words[1])];

	for (size_t i = 2; words[i]; i++) {
		int probe = find_word(probes, ATH_PROBE_COUNT_, words[i]);
		int past = find_word(pasts, ATH_PAST_COUNT_, words[i]);

		if (probe >= 0)
			look->probe = (enum ath_probe)probe;
		else if (past >= 0)
			look->past = (enum ath_past)past;
		else if (ath_str_is(words[i], "same") || ath_str_is(words[i], "changed"))
			look->past_fingerprint = words[i][0] == 's' ? "now" : "then";
		else
			bad_case(path, words[i]);
	}
}

/* The text behind the first two words of a line. */
static const char *rest_of(struct plan_case *one, const char *line)
{
	for (unsigned i = 0; i < 2; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return ath_arena_strdup(&one->arena, line);
}

static void read_line(const char *path, struct plan_case *one, const char *line)
{
	const char *words[MOST_WORDS];
	size_t len = split(ath_arena_strdup(&one->arena, line), " ", words, MOST_WORDS);

	if (!len || words[0][0] == '#')
		return;
	if (ath_str_is(words[0], "step"))
		read_step(path, one, words);
	else if (ath_str_is(words[0], "look"))
		read_look(path, one, words);
	else if (ath_str_is(words[0], "static"))
		one->steps[find_step(path, one, words[1])].skip_reason = rest_of(one, line);
	else if (ath_str_is(words[0], "detail"))
		one->looks[find_step(path, one, words[1])].detail = rest_of(one, line);
	else if (ath_str_is(words[0], "fact") && len == 3)
		ath_pairs_set(&one->facts, words[1], words[2]);
	else if (ath_str_is(words[0], "only"))
		one->choice.only = copy_words(one, words + 1, len - 1);
	else if (ath_str_is(words[0], "skip"))
		one->choice.skip = copy_words(one, words + 1, len - 1);
	else
		bad_case(path, line);
}

/* ---- planning and comparing ---- */

static void put_row(struct ath_str *out, const struct plan_case *one,
		    const struct ath_plan_row *row)
{
	ath_str_printf(out, "%-9s %s: %s", ath_plan_verdict_name(row->verdict),
		       one->steps[row->step].name, ath_plan_reason_text(row->reason));
	if (row->subject)
		ath_str_printf(out, ": %s", row->subject);
	ath_str_puts(out, row->is_asked_again ? " (asked again)\n" : "\n");
}

static void put_plan(struct ath_str *out, struct plan_case *one)
{
	const struct ath_spec spec = { one->steps, one->len };
	struct ath_graph graph;
	struct ath_plan plan;
	struct ath_err err = { 0 };

	if (!ath_graph_build(&spec, &one->arena, &graph, &err) ||
	    !ath_plan_make(&spec, &graph, one->looks, &one->facts, &one->choice, &one->arena, &plan,
			   &err)) {
		ath_str_printf(out, "error %s: %s\n", ath_err_name(err.code), err.msg);
		return;
	}
	for (size_t i = 0; i < plan.len; i++)
		put_row(out, one, &plan.rows[i]);
	ath_str_printf(out, "%zu to run\n", plan.runs);
}

/* The whole text of the file as it should be. */
static char *make_expectation(const char *path, const char *text)
{
	struct plan_case one = { 0 };
	const char *end = strstr(text, end_of_input);
	struct ath_str out = { 0 };

	if (!end)
		bad_case(path, "no line 'expect:'");
	ath_str_add(&out, text, (size_t)(end - text));
	ath_str_puts(&out, end_of_input);
	while (text < end) {
		size_t len = strcspn(text, "\n");

		read_line(path, &one, ath_arena_strndup(&one.arena, text, len));
		text += len + 1;
	}
	put_plan(&out, &one);
	ath_pairs_fini(&one.facts);
	ath_arena_fini(&one.arena);
	return ath_str_steal(&out);
}

static void update(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		bad_case(path, "cannot be written");
	printf("%s: rewritten\n", path);
}

/* Returns 1 if the file does not say what the plan is. */
static int check(const char *path, bool is_update)
{
	char *text = load(path), *expected = make_expectation(path, text);
	int is_wrong = strcmp(text, expected) != 0;

	if (is_wrong && is_update)
		update(path, expected);
	else if (is_wrong)
		printf("%s: the plan is\n%s--- and the case says\n%s\n", path,
		       strstr(expected, end_of_input), strstr(text, end_of_input));
	free(text);
	free(expected);
	return is_wrong && !is_update;
}

int main(int argc, char **argv)
{
	bool is_update = argc > 2 && strcmp(argv[1], "--update") == 0;
	char pattern[4096];
	glob_t files;
	int wrong = 0;

	if (argc < 2)
		bad_case("run_cases", "name the folder");
	snprintf(pattern, sizeof(pattern), "%s/*.txt", argv[argc - 1]);
	if (glob(pattern, 0, NULL, &files))
		bad_case(pattern, "no cases");
	for (size_t i = 0; i < files.gl_pathc; i++)
		wrong += check(files.gl_pathv[i], is_update);
	printf("%zu cases, %d wrong\n", files.gl_pathc, wrong);
	globfree(&files);
	return wrong != 0;
}
