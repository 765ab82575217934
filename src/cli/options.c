/* SPDX-License-Identifier: MIT */
/* cli/options: the command line as one table. */
#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	FLAG,     /* bool */
	TEXT,     /* const char * */
	LIST,     /* struct ath_texts; may be repeated */
	SECONDS,  /* uint64_t milliseconds */
	NUMBER,   /* unsigned */
	OUTPUT,   /* enum ath_output */
	NO_COLOR, /* accepted: plain output has no colour */
};

struct row {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	size_t offset;
	const char *value; /* how help names the value; NULL: takes none */
	const char *help;
	const char *commands; /* to which it means something; NULL: to all */
};

#define AT(member) offsetof(struct ath_options, member)

#define RUNS       "install repair"
#define CHANGES    "install repair restore"

static const struct row rows[] = {
	{ "dir", 'C', TEXT, AT(dir), "DIR", "the application's folder (default: this one)", NULL },
	{ "state-dir", 0, TEXT, AT(state_dir), "DIR", "keep journal, logs and backups there",
	  NULL },
	{ "yes", 'y', FLAG, AT(yes), NULL, "go ahead without asking", CHANGES },
	{ "no-input", 0, FLAG, AT(no_input), NULL, "never ask anything", CHANGES },
	{ "dry-run", 'n', FLAG, AT(dry_run), NULL, "show what would be done, do nothing",
	  "install repair restore init" },
	{ "jobs", 'j', NUMBER, AT(jobs), "N", "steps at a time (default: processors)", RUNS },
	{ "only", 0, LIST, AT(only), "STEP", "run this step alone; may be repeated",
	  "install plan status" },
	{ "skip", 0, LIST, AT(skip), "STEP", "leave this step out; may be repeated",
	  "install plan status" },
	{ "lock-timeout", 0, SECONDS, AT(lock_timeout_ms), "SECONDS",
	  "wait so long for another run or a locked database (default 20)", CHANGES },
	{ "assume-revision", 0, TEXT, AT(assume_revision), "REV",
	  "the database is at this revision, where the evidence leaves a question; rehearsed on a "
	  "copy",
	  "install repair plan" },
	{ "allow-row-loss", 0, FLAG, AT(allow_row_loss), NULL,
	  "a migration may leave a table with fewer rows", RUNS },
	{ "online", 0, FLAG, AT(online), NULL,
	  "the application goes on using its database: no lock until the commit, which asks "
	  "whether "
	  "it has written",
	  RUNS },
	{ "allow-new-database", 0, FLAG, AT(allow_new_database), NULL,
	  "start with a new database although one was there before", "install repair plan" },
	{ "no-backup", 0, FLAG, AT(no_backup), NULL,
	  "keep no copy of the database before it is changed; nothing can be restored then",
	  "install repair plan" },
	{ "discard-newer", 0, FLAG, AT(discard_newer), NULL,
	  "give up what was written since that backup", "restore" },
	{ "json", 0, FLAG, AT(json), NULL, "the result as one JSON object on stdout", NULL },
	{ "output", 0, OUTPUT, AT(output), "auto|plain|json", "how progress is shown on stderr",
	  CHANGES },
	{ "detailed-exitcode", 0, FLAG, AT(detailed_exitcode), NULL,
	  "exit 2 if something would be changed", "install repair restore plan inspect" },
	{ "lint", 0, FLAG, AT(lint), NULL, "revisions: find the faults of the chain", "revisions" },
	{ "verbose", 'v', FLAG, AT(verbose), NULL, "also say what is skipped and when steps start",
	  "install repair restore plan" },
	{ "quiet", 'q', FLAG, AT(quiet), NULL, "say failures and the end only",
	  "install repair restore init" },
	{ "no-color", 0, NO_COLOR, 0, NULL, "no colours", NULL },
	{ "help", 'h', FLAG, AT(wants_help), NULL, "this text", NULL },
};

enum {
	ROWS = sizeof(rows) / sizeof(rows[0]),
};

static bool read_output(const char *text, enum ath_output *out, struct ath_err *err)
{
	static const char *const names[] = { "auto", "plain", "json" };

	for (unsigned i = 0; i < ATH_OUTPUT_COUNT_; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum ath_output)i;
			return true;
		}
	}
	return ath_err_set(err, ATH_ERR_USAGE, "--output takes auto, plain or json, not '%s'",
			   text);
}

static bool read_number(const char *name, const char *text, unsigned long most, unsigned long *out,
			struct ath_err *err)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || number > most)
		return ath_err_set(err, ATH_ERR_USAGE, "--%s takes a number up to %lu, not '%s'",
				   name, most, text);
	*out = number;
	return true;
}

static void add_text(struct ath_arena *arena, struct ath_texts *list, const char *text)
{
	const char **items = ath_arena_new(arena, list->len + 2, sizeof(*items));

	for (size_t i = 0; i < list->len; i++)
		items[i] = list->items[i];
	items[list->len] = text;
	*list = (struct ath_texts){ items, list->len + 1 };
}

static bool take(const struct row *row, const char *value, struct ath_options *out,
		 struct ath_err *err)
{
	void *member = (char *)out + row->offset;
	unsigned long number = 0;

	switch (row->kind) {
	case FLAG:
		*(bool *)member = true;
		return true;
	case TEXT:
		*(const char **)member = value;
		return true;
	case LIST:
		add_text(&out->arena, member, value);
		return true;
	case SECONDS:
		if (!read_number(row->name, value, 86400, &number, err))
			return false;
		*(uint64_t *)member = number * 1000;
		return true;
	case NUMBER:
		if (!read_number(row->name, value, 1000, &number, err))
			return false;
		*(unsigned *)member = (unsigned)number;
		return true;
	case OUTPUT:
		return read_output(value, member, err);
	case NO_COLOR:
		return true;
	}
	return true;
}

/* getopt_long's two forms of the table. */
static void make_getopt(struct option *longs, char *letters)
{
	*letters++ = ':'; /* tell a missing value apart */
	for (size_t i = 0; i < ROWS; i++) {
		longs[i] =
			(struct option){ rows[i].name, rows[i].value != NULL, NULL, (int)i + 256 };
		if (rows[i].letter)
			*letters++ = rows[i].letter;
		if (rows[i].letter && rows[i].value)
			*letters++ = ':';
	}
	longs[ROWS] = (struct option){ 0 };
	*letters = '\0';
}

static const struct row *find_row(int code)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (code == (int)i + 256 || (rows[i].letter && code == rows[i].letter))
			return &rows[i];
	}
	return NULL;
}

static bool read_all(int argc, char **argv, struct ath_options *out, struct ath_err *err)
{
	struct option longs[ROWS + 1];
	char letters[3 * ROWS + 2];
	int code;

	make_getopt(longs, letters);
	opterr = 0;
	optind = 1;
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct row *row = find_row(code);

		if (code == ':')
			return ath_err_set(err, ATH_ERR_USAGE, "%s needs a value",
					   argv[optind - 1]);
		if (!row)
			return ath_err_set(err, ATH_ERR_USAGE, "unknown option '%s'",
					   argv[optind - 1]);
		if (!take(row, optarg, out, err))
			return false;
	}
	return true;
}

static bool read_environment(struct ath_options *out, struct ath_err *err)
{
	const char *output = getenv("ATHANOR_OUTPUT");

	return !output || !*output || read_output(output, &out->output, err);
}

bool ath_options_read(int argc, char **argv, bool takes_dir, struct ath_options *out,
		      struct ath_err *err)
{
	bool has_dir;

	*out = (struct ath_options){ .lock_timeout_ms = 20000 };
	if (!read_environment(out, err) || !read_all(argc, argv, out, err))
		return false;
	has_dir = out->dir != NULL;
	if (!has_dir)
		out->dir = takes_dir && optind < argc ? argv[optind++] : ".";
	else if (takes_dir && optind < argc)
		return ath_err_set(err, ATH_ERR_USAGE, "both -C '%s' and the folder '%s' are given",
				   out->dir, argv[optind]);
	for (int i = optind; i < argc; i++)
		add_text(&out->arena, &out->operands, argv[i]);
	return true;
}

void ath_options_fini(struct ath_options *options)
{
	ath_arena_fini(&options->arena);
	*options = (struct ath_options){ 0 };
}

/* Is the word one of those in the list, which blanks separate? */
static bool is_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

void ath_options_put_help(const char *command, struct ath_str *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		char names[64];

		if (rows[i].commands && !is_in(rows[i].commands, command))
			continue;

		snprintf(names, sizeof(names), "%c%c%c --%s %s", rows[i].letter ? '-' : ' ',
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ',
			 rows[i].name, rows[i].value ? rows[i].value : "");
		ath_str_printf(out, "  %-32s %s\n", names, rows[i].help);
	}
}
