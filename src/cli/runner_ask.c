/* SPDX-License-Identifier: MIT */
/* cli/runner_ask: what is shown and asked before anything is done. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/foresee.h"
#include "cli/print.h"
#include "cli/runner_parts.h"

enum {
	NAMED_MAX = 5, /* candidates in a question */
};

void ath_runner_print_result(struct ath_runner *runner, const struct ath_report *report)
{
	const struct ath_runner_own *own = runner->kind->own;

	ath_result_print(&runner->result, &runner->project, report, own ? own->put_json : NULL,
			 own ? own->user : NULL);
}

static bool can_ask(const struct ath_options *options)
{
	return !options->no_input && !options->json && isatty(STDIN_FILENO) &&
	       isatty(STDERR_FILENO);
}

static bool must_ask(const struct ath_runner *runner)
{
	const struct ath_runner_own *own = runner->kind->own;

	return (!runner->options->yes || (own && own->must_ask(own->user))) &&
	       can_ask(runner->options);
}

static bool is_yes(struct ath_runner *runner, struct ath_str *text)
{
	char answer[16] = "";

	ath_str_printf(text, "%s %s in %s? [y/N] ", runner->kind->question,
		       runner->project.recipe.name, runner->project.root);
	ath_print_flush(text, true);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static bool ask(struct ath_runner *runner)
{
	struct ath_foresight foresight = { 0 };
	struct ath_str text = { 0 };

	ath_print_plan(&runner->project, false, &text);
	if (!runner->project.world.assume_revision)
		ath_foresee_inspect(&runner->project, &foresight);
	if (foresight.is_told) /* else the run itself will tell why not */
		ath_inspect_put_plan(&foresight.inspection, &text);
	ath_inspect_fini(&foresight.inspection);
	runner->signum = foresight.signum;
	if (foresight.signum) {
		ath_str_fini(&text);
		return false;
	}
	ath_print_given_up(&runner->project, &text);
	return is_yes(runner, &text);
}

static void put_revision_question(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_texts *candidates = &inspection->found.result.candidates;

	ath_str_puts(out, "At which revision is this database? (");
	for (size_t i = 0; i < candidates->len && i < NAMED_MAX; i++)
		if (*candidates->items[i])
			ath_str_printf(out, "%s, ", candidates->items[i]);
	ath_str_puts(out, "as --assume-revision REV would say it; empty: stop) ");
}

/* The word of somebody who sits there: asked for until it names a revision. False: there is none. */
static bool take_word(struct ath_runner *runner, const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;
	struct ath_str text = { 0 };

	ath_inspect_put(inspection, &text);
	do {
		put_revision_question(inspection, &text);
		ath_print_flush(&text, true);
		if (!fgets(runner->word, sizeof(runner->word), stdin))
			return false;
		runner->word[strcspn(runner->word, "\r\n")] = '\0';
		if (!runner->word[0])
			return false;
		ath_str_puts(&text, "There is no such revision. ");
	} while (ath_chain_find(chain, runner->word) == chain->len);
	ath_str_fini(&text);
	runner->project.world.assume_revision = runner->word;
	return true;
}

/* The evidence does not decide: a person at a terminal may. False: the run ends here. */
static bool ask_revision(struct ath_runner *runner, struct ath_err *err)
{
	struct ath_foresight foresight;
	bool is_answered = true;

	ath_foresee_inspect(&runner->project, &foresight);
	runner->signum = foresight.signum;
	if (runner->signum)
		is_answered = false;
	else if (foresight.is_told && ath_foresee_is_question(&foresight.inspection))
		is_answered = take_word(runner, &foresight.inspection) &&
			      ath_project_plan(&runner->project, runner->options, err);
	ath_inspect_fini(&foresight.inspection);
	return is_answered;
}

bool ath_runner_ask(struct ath_runner *runner, struct ath_err *err)
{
	const struct ath_runner_own *own = runner->kind->own;
	struct ath_str text = { 0 };

	if (!own)
		return !must_ask(runner) || (ask_revision(runner, err) && ask(runner));
	if (!runner->options->json && !runner->options->quiet)
		own->put_plan(own->user, &text); /* said in any case, before anything is done */
	if (own->must_ask(own->user) && !can_ask(runner->options)) {
		ath_print_flush(&text, true);
		return own->fail_unasked(own->user, err);
	}
	if (!must_ask(runner)) {
		ath_print_flush(&text, true);
		return true;
	}
	return is_yes(runner, &text) &&
	       (!own->must_ask(own->user) || own->agree(own->user, runner->options, err));
}

/* ---- instead of doing it ---- */

static int show_own_dry_run(struct ath_runner *runner)
{
	const struct ath_runner_own *own = runner->kind->own;
	const struct ath_report report = { .outcome = "nothing" };
	struct ath_str text = { 0 };
	struct ath_err question = { 0 };

	if (runner->options->json) {
		ath_runner_print_result(runner, &report);
	} else {
		own->put_plan(own->user, &text);
		ath_print_flush(&text, false);
	}
	if (own->must_ask(own->user) && !own->fail_unasked(own->user, &question))
		return ath_print_error(&question, NULL);
	return runner->options->detailed_exitcode ? 2 : 0;
}

static int show_recipe_dry_run(struct ath_runner *runner)
{
	const struct ath_project *project = &runner->project;
	struct ath_foresight foresight;
	struct ath_str text = { 0 };
	int status;

	ath_foresee_inspect(project, &foresight);
	if (runner->options->json) {
		ath_foresee_print_json(project, &foresight);
	} else {
		ath_print_plan(project, runner->options->verbose, &text);
		ath_print_given_up(project, &text);
		ath_str_putc(&text, '\n');
		if (foresight.is_told)
			ath_inspect_put(&foresight.inspection, &text);
		else
			ath_str_printf(&text, "database: %s\n", foresight.untold.msg);
		ath_print_flush(&text, false);
	}
	status = ath_foresee_exit_status(project, &foresight, runner->options);
	ath_inspect_fini(&foresight.inspection);
	return status;
}

int ath_runner_show_dry_run(struct ath_runner *runner)
{
	return runner->kind->own ? show_own_dry_run(runner) : show_recipe_dry_run(runner);
}
