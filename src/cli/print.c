/* SPDX-License-Identifier: MIT */
/* cli/print: errors, plans and results as text for people. */
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/screen.h"
#include "os/file.h"

enum {
	TAIL_LINES = 8, /* of a failed step's log that are shown */
	TAIL_BYTES = 8192,
};

void ath_print_flush(struct ath_str *text, bool to_stderr)
{
	ath_screen_write(ath_str_get(text), text->len, to_stderr);
	ath_str_fini(text);
}

/* The line of the operator's text with a caret below the column. */
static void put_caret(const struct ath_pos *pos, const char *text, struct ath_str *out)
{
	const char *line = text;
	size_t len;

	for (unsigned i = 1; i < pos->line && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return;
	len = strcspn(line, "\r\n");
	ath_str_printf(out, "%6u | ", pos->line);
	ath_str_put_clean(out, line, len);
	ath_str_printf(out, "\n       | %*s^\n", (int)(pos->column ? pos->column - 1 : 0), "");
}

int ath_print_error(const struct ath_err *err, const char *text)
{
	struct ath_err shown = *err;
	struct ath_str out = { 0 };

	ath_screen_mask(&shown);
	ath_str_puts(&out, "athanor: ");
	if (err->pos.line)
		ath_str_printf(&out, "%s:%u:%u: ", err->pos.file ? err->pos.file : "recipe",
			       err->pos.line, err->pos.column);
	ath_str_put_clean(&out, shown.msg, strlen(shown.msg));
	ath_str_putc(&out, '\n');
	if (err->pos.line && text && *text)
		put_caret(&err->pos, text, &out);
	ath_print_flush(&out, true);
	return ath_err_exit_status(err->code);
}

void ath_print_plan(const struct ath_project *project, bool is_verbose, struct ath_str *out)
{
	for (size_t i = 0; i < project->plan.len; i++) {
		const struct ath_plan_row *row = &project->plan.rows[i];

		if (row->verdict == ATH_PLAN_SKIP && !is_verbose)
			continue;
		ath_str_printf(out, "  %-10s%-16s", ath_plan_verdict_name(row->verdict),
			       project->spec.steps[row->step].name);
		ath_plan_put_reason(&project->spec.steps[row->step], row, out);
		if (row->is_asked_again)
			ath_str_puts(out, "; asked again when its turn comes");
		ath_str_putc(out, '\n');
	}
}

/* Length of a log's end without our own last line, which says what the report says anyway. */
static size_t without_own_line(const char *bytes, size_t len)
{
	size_t from;

	while (len && bytes[len - 1] == '\n')
		len--;
	for (from = len; from && bytes[from - 1] != '\n';)
		from--;
	if (len - from > 9 && memcmp(bytes + from, "athanor: ", 9) == 0)
		len = from;
	while (len && bytes[len - 1] == '\n')
		len--;
	return len;
}

/* The last lines of a log, cleaned and indented. */
static void put_log_tail(const char *path, struct ath_str *out)
{
	char buffer[TAIL_BYTES];
	FILE *file = fopen(path, "re");
	size_t len, from, lines = 0;

	if (!file)
		return;
	if (fseek(file, -(long)sizeof(buffer), SEEK_END) != 0)
		rewind(file);
	len = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	len = without_own_line(buffer, len);
	for (from = len; from > 0 && (buffer[from - 1] != '\n' || ++lines < TAIL_LINES);)
		from--;
	while (from < len) {
		const char *end = memchr(buffer + from, '\n', len - from);
		size_t part = end ? (size_t)(end - (buffer + from)) : len - from;

		ath_str_puts(out, "    | ");
		ath_str_put_clean(out, buffer + from, part > 300 ? 300 : part);
		ath_str_putc(out, '\n');
		from += part + 1;
	}
}

static void put_database(const struct ath_project *project, const struct ath_report *report,
			 struct ath_str *out)
{
	const char *path = ath_pairs_find(&project->facts, "database.path");
	const char *recovered = ath_pairs_find(&project->facts, "database.recovered");
	bool is_fresh = ath_str_is(ath_pairs_find(&project->facts, "database"), "fresh");
	const char *state = report->database[0] ? report->database : "unchanged";

	if (!path)
		ath_str_puts(out, "  database: unchanged, it was not touched\n");
	else if (is_fresh && strcmp(state, "unchanged") == 0)
		ath_str_printf(out, "  database: not created (%s)\n", path);
	else
		ath_str_printf(out, "  database: %s (%s)\n", state, path);
	if (recovered)
		ath_str_printf(out,
			       "            an interrupted write of the application was rolled "
			       "back first; "
			       "the files as they were before: %s\n",
			       recovered);
}

/* A service that the recipe names, and that this run did not start. */
static void put_service(const struct ath_project *project, struct ath_str *out)
{
	const struct ath_texts *exec = &project->recipe.service_exec;
	size_t idx = ath_graph_find(&project->spec, "service");

	if (!exec->len || idx == project->spec.len || !project->spec.steps[idx].skip_reason)
		return;
	ath_str_printf(out, "  service:  not started, %s:", project->spec.steps[idx].skip_reason);
	for (size_t i = 0; i < exec->len; i++)
		ath_str_printf(out, " %s", exec->items[i]);
	ath_str_putc(out, '\n');
}

void ath_print_doubt(const struct ath_project *project, struct ath_str *out)
{
	const char *doubt = ath_pairs_find(&project->facts, "database.doubt");

	if (!doubt || !*doubt)
		return;
	ath_str_puts(out, "  WARNING:  by your word; the schema says otherwise: '");
	ath_str_put_clean(out, doubt, strlen(doubt));
	ath_str_puts(out, "' is not as it should be there (`athanor inspect`)\n");
}

/* Ids are the application's: one may hold anything. Owned. */
static char *clean_fact(const struct ath_pairs *facts, const char *name)
{
	const char *value = ath_pairs_get(facts, name);
	struct ath_str out = { 0 };

	ath_str_put_clean(&out, value, strlen(value));
	return ath_str_steal(&out);
}

void ath_print_given_up(const struct ath_project *project, struct ath_str *out)
{
	const char *work = ath_pairs_find(&project->facts, "database.work");

	if (project->world.keeps_none && !ath_str_is(work, "none") && !ath_str_is(work, "init"))
		ath_str_puts(out,
			     "  backup:   none, by --no-backup: once this is committed the state "
			     "before cannot be restored; until then a failure leaves it byte for "
			     "byte as it is, and a commit that fails is decided by SQLite's "
			     "journal alone\n");
}

/* After a change without a backup. */
static void put_given_up(const struct ath_project *project, const struct ath_report *report,
			 struct ath_str *out)
{
	if (project->world.keeps_none && strcmp(report->database, "upgraded") == 0)
		ath_str_puts(out,
			     "  backup:   none was kept (--no-backup): the state before cannot "
			     "be restored\n");
}

/* What a repair has come to; the rows are as they were where nothing was to be done. */
static void put_repaired(const struct ath_project *project, const struct ath_report *report,
			 struct ath_str *out)
{
	const struct ath_pairs *facts = &project->facts;
	char *rows = clean_fact(facts, "database.heads");
	char *before = clean_fact(facts, "database.rows");
	const char *pending = ath_pairs_get(facts, "database.pending");
	const char *rehearsal = ath_pairs_find(facts, "database.rehearsal");
	const char *doubt = ath_pairs_get(facts, "database.doubt");
	char *command = ath_project_command(project, "install");

	if (ath_str_is(ath_pairs_find(facts, "database.work"), "none"))
		ath_str_printf(out, "athanor: nothing to repair, the version row '%s' is %s\n",
			       rows, *doubt ? "as you said" : "true");
	else if (strcmp(report->database, "unchanged") == 0)
		ath_str_printf(out, "athanor: nothing was repaired, the version row stays '%s'\n",
			       rows);
	else if (strcmp(rows, before) == 0)
		ath_str_printf(out, "athanor: repaired, the database is whole and at '%s'\n", rows);
	else
		ath_str_printf(out, "athanor: repaired, the version row is now '%s' (%s%s%s)\n",
			       rows, *before ? "it was '" : "there was none", before,
			       *before ? "'" : "");
	ath_print_doubt(project, out);
	if (rehearsal && strcmp(rehearsal, "works") != 0)
		ath_str_printf(out, "  WARNING:  the upgrade to the head would fail: %s\n",
			       rehearsal);
	if (strcmp(pending, "0") != 0)
		ath_str_printf(out, "  pending:  %s revision%s%s; %s\n", pending,
			       strcmp(pending, "1") == 0 ? "" : "s",
			       ath_str_is(rehearsal, "works") ? ", rehearsed on a copy" : "",
			       command);
	free(command);
	free(before);
	free(rows);
}

static void put_good(const struct ath_project *project, const struct ath_report *report,
		     struct ath_str *out)
{
	char *heads;

	if (project->world.repairs_only) {
		put_repaired(project, report, out);
		return;
	}
	heads = clean_fact(&project->facts, "database.heads");
	if (project->is_partial)
		ath_str_printf(out, "athanor: the chosen steps of %s are done",
			       project->recipe.name);
	else
		ath_str_printf(out, "athanor: %s is installed", project->recipe.name);
	if (*heads && !project->is_partial)
		ath_str_printf(out, ", its database is at %s", heads);
	free(heads);
	ath_str_puts(out, " (");
	ath_time_put_duration(out, report->ms);
	ath_str_printf(out, ": %zu step%s run, %zu already there, %zu not needed)\n",
		       report->succeeded, report->succeeded == 1 ? "" : "s", report->satisfied,
		       report->skipped);
	ath_print_doubt(project, out);
	if (report->failed)
		ath_str_printf(out, "  optional: %zu step%s failed, see `athanor log`\n",
			       report->failed, report->failed == 1 ? "" : "s");
	if (!project->is_partial)
		put_service(project, out);
}

static void put_failure(const struct ath_report *report, struct ath_str *out)
{
	ath_str_printf(out, "athanor: %s", report->outcome);
	if (report->exit_status > 128)
		ath_str_printf(out, " by signal %d (%s)", report->exit_status - 128,
			       strsignal(report->exit_status - 128));
	if (report->step[0])
		ath_str_printf(out, " at step '%s'", report->step);
	if (report->cause.code != ATH_ERR_OK) {
		ath_str_puts(out, ": ");
		ath_str_put_clean(out, report->cause.msg, strlen(report->cause.msg));
	}
	ath_str_putc(out, '\n');
}

/* The options that answer a question, as its message names them, and what is typed. */
static const struct {
	const char *name, *typed;
} answers[] = {
	{ "--assume-revision", " --assume-revision REV" },
	{ "--allow-row-loss", " --allow-row-loss" },
	{ "--allow-new-database", " --allow-new-database" },
	{ "--discard-newer", " --discard-newer" },
};

static const char *find_answer(const struct ath_err *cause)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (cause->code == ATH_ERR_DECISION && strstr(cause->msg, answers[i].name))
			return answers[i].typed;
	}
	return NULL;
}

static const char *say_when(const struct ath_err *cause, bool has_answer)
{
	if (has_answer)
		return "with your answer to what is said above";
	if (cause->code == ATH_ERR_DECISION || cause->code == ATH_ERR_REFUSED ||
	    cause->code == ATH_ERR_NEEDS_YOU)
		return "after what is said above";
	switch (cause->code) {
	case ATH_ERR_BRIDGE:
	case ATH_ERR_CHILD:
	case ATH_ERR_IO:
	case ATH_ERR_PREFLIGHT:
	case ATH_ERR_TIMEOUT:
	case ATH_ERR_VERIFY:
		return "when the cause is mended";
	default:
		return "goes on where this run stopped";
	}
}

/* What to type next: a question has to be answered, a wall is not passed by running against it. */
static void put_next(const struct ath_project *project, const struct ath_report *report,
		     struct ath_str *out)
{
	const struct ath_err *cause = &report->cause;
	bool is_for_install = strstr(cause->msg, "`athanor install`");
	char *command = ath_project_command(project, is_for_install ? "install" : project->again);
	const char *answer = find_answer(cause);

	ath_str_printf(out, "  next:     %s%s   (%s)\n", command, answer ? answer : "",
		       say_when(cause, answer));
	free(command);
}

static void put_gap(const struct ath_report *report, struct ath_str *out)
{
	if (report->gap_errnum)
		ath_str_printf(out, "  WARNING:  a log is incomplete (%s): %s\n",
			       strerror(report->gap_errnum), report->gap);
}

void ath_print_report(const struct ath_project *project, const struct ath_report *report,
		      struct ath_str *out)
{
	if (report->exit_status == 0) {
		put_good(project, report, out);
		put_gap(report, out);
		put_given_up(project, report, out);
		return;
	}
	put_failure(report, out);
	if (report->log[0] && ath_file_kind(report->log) == ATH_FILE_REGULAR &&
	    report->cause.code !=
		    ATH_ERR_PREFLIGHT) /* its log is of questions to Python and Node */
		put_log_tail(report->log, out);
	put_database(project, report, out);
	put_given_up(project, report, out);
	put_next(project, report, out);
	if (report->log[0] && ath_file_kind(report->log) == ATH_FILE_REGULAR)
		ath_str_printf(out, "  log:      %s\n", report->log);
	put_gap(report, out);
}
