/* SPDX-License-Identifier: MIT */
/*
 * athanor: an installer orchestrator for self-hosted Python applications with Alembic databases.
 *
 * A map of the program; each folder is a layer and uses only those above it (docs/architecture.md):
 *
 *	base       errors, strings, arenas, fields, values
 *	os         event loop, children, warden and lock, durable files
 *	trust      digests and secrets               schema   a database's objects as plain structs
 *	plan       the graph and the decision over each step (pure)
 *	sqlite     the user's database: look, lock, copy, commit
 *	alembic    revision files and their graph (pure)
 *	recipe     athanor.yaml, or what is found instead
 *	journal    what every run did, durably
 *	bridge     the embedded Python program and its replies
 *	facts      what is there: Python, environment, chain, target
 *	engine     survey, scheduler (pure), runner, the interface of steps
 *	steps      one file per kind of step
 *	ui, cli    what a person sees; one file per command
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/commands.h"
#include "cli/print.h"

static const struct ath_command *const commands[] = {
	&ath_cmd_install, &ath_cmd_plan, &ath_cmd_inspect, &ath_cmd_repair,  &ath_cmd_revisions,
	&ath_cmd_status,  &ath_cmd_log,  &ath_cmd_backups, &ath_cmd_restore, &ath_cmd_init,
};

enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

static void print_help(const struct ath_command *command, bool to_stderr)
{
	struct ath_str text = { 0 };

	if (command) {
		ath_str_printf(&text, "Usage: athanor %s [OPTION]... %s\n%s\n\nOptions:\n",
			       command->name, command->operands, command->summary);
		ath_options_put_help(command->name, &text);
	} else {
		ath_str_puts(&text, "Usage: athanor COMMAND [OPTION]... [DIR]\n\nCommands:\n");
		for (size_t i = 0; i < COMMANDS; i++)
			ath_str_printf(&text, "  %-9s %-18s %s\n", commands[i]->name,
				       commands[i]->operands, commands[i]->summary);
		ath_str_puts(&text, "\nathanor COMMAND --help lists the options; athanor --version "
				    "prints the version.\n");
	}
	ath_print_flush(&text, to_stderr);
}

/* A process that dies leaves no image of its memory, where secrets are; children inherit it. */
static void leave_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none); /* lowering a limit is always allowed */
}

static int fail_usage(const char *what, const char *name)
{
	fprintf(stderr, "athanor: %s '%s'; athanor --help lists the commands\n", what, name);
	return 64;
}

static int run_command(const struct ath_command *command, int argc, char **argv)
{
	struct ath_options options;
	struct ath_err err = { 0 };
	int status = 0;

	if (!ath_options_read(argc, argv, command->takes_dir, &options, &err))
		status = ath_print_error(&err, NULL);
	else if (options.wants_help)
		print_help(command, false);
	else if (options.operands.len > command->most_operands)
		status = fail_usage("too many operands, beginning with",
				    options.operands.items[command->most_operands]);
	else
		status = command->run(&options);
	ath_options_fini(&options);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	leave_no_core();
	signal(SIGPIPE, SIG_IGN); /* whoever reads our output may go away at any time */
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
	if (strcmp(name, "--version") == 0)
		return printf("athanor %s\n", ATH_VERSION) < 0;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(NULL, argc == 1);
		return argc > 1 ? 0 : 64;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return run_command(commands[i], argc - 1, argv + 1);
	}
	return fail_usage("unknown command", name);
}
