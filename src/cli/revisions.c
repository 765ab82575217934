/* SPDX-License-Identifier: MIT */
/*
 * cli/revisions: the chain, drawn from base to head, and what is wrong with it; nothing of the
 * application is imported, and nothing is written but what Python said of the files (facts/cache).
 */
#include "cli/revisions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/commands.h"
#include "cli/inspection.h"
#include "cli/print.h"
#include "facts/url.h"
#include "os/file.h"
#include "steps/database.h"

static struct ath_facts_reader reader_of(struct ath_revisions *revisions)
{
	const struct ath_project *project = revisions->project;

	return (struct ath_facts_reader){
		.python = ath_inspect_python(project, &revisions->arena),
		.folder = ath_inspect_folder(project),
		.environment = &project->environment,
	};
}

static bool scan_files(struct ath_revisions *revisions, int *out_signal, struct ath_err *err)
{
	const struct ath_project *project = revisions->project;
	struct ath_database_config config = ath_inspect_config(&project->recipe);
	struct ath_facts_reader reader = reader_of(revisions);
	struct ath_facts_chain_place place =
		ath_database_chain_place(&project->world, &config, &revisions->arena);
	bool is_scanned;

	reader.state_dir = project->state_dir;
	place.reader = &reader;
	is_scanned = ath_facts_chain_scan(&place, &revisions->files, err);
	*out_signal = revisions->files.signum;
	return is_scanned &&
	       (!revisions->files.obstacle || ath_inspect_fail_open(&revisions->files, err));
}

/* A file that assigns no id breaks the chain like a parent that is not there. */
static void build_chain(struct ath_revisions *revisions)
{
	const struct ath_facts_chain *files = &revisions->files;

	for (size_t i = 0; i < files->entries_len && !revisions->broken.code; i++) {
		if (!files->entries[i].id)
			ath_err_set(&revisions->broken, ATH_ERR_CHAIN,
				    "%s: no revision is assigned", files->entries[i].file);
	}
	revisions->is_whole = !revisions->broken.code &&
			      ath_chain_build(files->entries, files->entries_len, &revisions->arena,
					      &revisions->chain, &revisions->broken);
}

static bool read_effects(struct ath_revisions *revisions, int *out_signal)
{
	struct ath_facts_reader reader = reader_of(revisions);

	return ath_facts_effects_read(&reader, &revisions->chain, &revisions->effects, out_signal,
				      &revisions->unread);
}

/* env.py is judged if it is there; what Alembic says without it is not ours to say. */
static void read_env(struct ath_revisions *revisions)
{
	struct ath_err ignored = { 0 };
	char *path;

	if (!revisions->files.script)
		return;
	path = ath_file_join(revisions->files.script, "env.py");
	revisions->env_file = ath_arena_strdup(&revisions->arena, path);
	free(path);
	if (!ath_file_read(revisions->env_file, 1 << 20, &revisions->env_text, &ignored))
		ath_str_fini(&revisions->env_text);
}

/* What the chain runs on, as the recipe or an earlier run says it. */
static enum ath_lint_database find_database(struct ath_revisions *revisions)
{
	const struct ath_step_world *world = &revisions->project->world;
	struct ath_database_config config = ath_inspect_config(&revisions->project->recipe);
	enum ath_lint_database found = ATH_LINT_ANY;
	struct ath_str url = { 0 };
	struct ath_err ignored = { 0 };
	struct ath_pairs target = { 0 };
	struct ath_url parts;
	bool from_variable;

	if (ath_database_url(world, &config, &url, &from_variable, &ignored) && url.len &&
	    ath_url_read(ath_str_get(&url), &parts, &ignored)) {
		found = parts.is_sqlite ? ATH_LINT_SQLITE : ATH_LINT_SERVER;
		ath_url_fini(&parts);
	} else if (world->find_note(world->notes, "target", &target) &&
		   ath_pairs_find(&target, "path")) {
		found = ATH_LINT_SQLITE;
	}
	ath_pairs_fini(&target);
	ath_str_fini(&url);
	return found;
}

static void lint(struct ath_revisions *revisions)
{
	struct ath_lint_subject subject = {
		.entries = revisions->files.entries,
		.len = revisions->files.entries_len,
		.chain = revisions->is_whole ? &revisions->chain : NULL,
		.broken = revisions->is_whole ? NULL : &revisions->broken,
		.effects = revisions->effects.items,
		.env_file = revisions->env_file,
		.database = find_database(revisions),
	};

	if (revisions->env_text.len) {
		subject.env_text = ath_str_get(&revisions->env_text);
		subject.env_len = revisions->env_text.len;
	}
	ath_lint_check(&subject, &revisions->arena, &revisions->report);
}

/* The position's file name moves into the message, as ath_print_error has a column to print. */
static bool fail_broken(const struct ath_err *broken, struct ath_err *err)
{
	*err = *broken;
	err->pos = (struct ath_pos){ 0 };
	return broken->pos.file ? ath_err_prefix(err, "%s:%u", broken->pos.file, broken->pos.line)
				: false;
}

static bool gather(struct ath_revisions *revisions, int *out_signal, struct ath_err *err)
{
	if (!scan_files(revisions, out_signal, err))
		return false;
	build_chain(revisions);
	if (!revisions->is_whole && !revisions->is_linted)
		return fail_broken(&revisions->broken, err);
	if (revisions->chain.len && !read_effects(revisions, out_signal) && *out_signal) {
		*err = revisions->unread;
		return false;
	}
	if (revisions->is_linted) {
		read_env(revisions);
		lint(revisions);
	}
	return true;
}

/* Does the terminal take more than ASCII? As setlocale(3) finds it out. */
static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

/* The chain is drawn without its effects, but it is not judged without them. */
static int say_unread(const struct ath_revisions *revisions)
{
	struct ath_err err = revisions->unread;

	if (!err.code)
		return 0;
	ath_err_prefix(&err, revisions->is_linted ? "the texts of the revisions were not judged"
						  : "the effects are not shown");
	ath_print_error(&err, NULL);
	return revisions->is_linted ? ath_err_exit_status(ATH_ERR_UNAVAILABLE) : 0;
}

/* A chain is drawn without labels that are not known, too. */
static void say_unlabelled(const struct ath_revisions *revisions)
{
	struct ath_err err = { 0 };

	if (!revisions->files.unlabelled)
		return;
	ath_err_set(&err, ATH_ERR_UNAVAILABLE, "not all labels are known: %s",
		    revisions->files.unlabelled);
	ath_print_error(&err, NULL);
}

static int print(const struct ath_revisions *revisions, bool is_json)
{
	struct ath_str out = { 0 };
	int status;

	if (is_json)
		ath_revisions_print_json(revisions);
	else if (revisions->is_linted)
		ath_revisions_put_findings(revisions, &out);
	else
		ath_revisions_draw(revisions, is_utf8(), &out);
	ath_print_flush(&out, false);
	say_unlabelled(revisions);
	status = say_unread(revisions);
	return revisions->report.counts[ATH_LINT_ERROR] ? ath_err_exit_status(ATH_ERR_CHAIN)
							: status;
}

static int revisions_run(const struct ath_options *options)
{
	struct ath_project project = { 0 };
	struct ath_revisions revisions = { .project = &project, .is_linted = options->lint };
	struct ath_err err = { 0 };
	int status, signum = 0;

	if (!ath_project_open(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) || !gather(&revisions, &signum, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
		if (signum)
			status = 128 + signum;
	} else {
		status = print(&revisions, options->json);
	}
	ath_facts_effects_fini(&revisions.effects);
	ath_facts_chain_fini(&revisions.files);
	ath_str_fini(&revisions.env_text);
	ath_arena_fini(&revisions.arena);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_revisions = {
	.name = "revisions",
	.operands = "[DIR]",
	.summary = "Draw the chain of revisions from base to head; --lint finds its faults.",
	.takes_dir = true,
	.run = revisions_run,
};
