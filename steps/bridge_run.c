/* SPDX-License-Identifier: MIT */
/* steps/bridge_run: one bridge process on behalf of a step. */
#include "steps/bridge_run.h"

#include <stdlib.h>
#include <string.h>

#include "os/file.h"

static struct ath_bridge_run *run_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_bridge_run));
}

/* The kinds of bridge.py that are not the migration's own failure. */
static enum ath_err_code code_of(const char *kind)
{
	if (strcmp(kind, "revision") == 0)
		return ATH_ERR_CHAIN;
	return strcmp(kind, "net") == 0 ? ATH_ERR_VERIFY : ATH_ERR_BRIDGE;
}

static void keep_failure(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	struct ath_bridge_run *run = run_of(step);
	const char *kind = reply->kind ? reply->kind : "internal";

	if (run->failure.code != ATH_ERR_OK)
		return;
	ath_err_set(&run->failure, code_of(kind), "%s%s%s", reply->message ? reply->message : kind,
		    reply->where ? ", at " : "", reply->where ? reply->where : "");
	run->is_of_schema = reply->is_of_schema;
	if (reply->revision)
		ath_err_prefix(&run->failure, "revision '%s'", reply->revision);
}

static bool is_of_chain(enum ath_bridge_event event)
{
	return event == ATH_BRIDGE_SAYS_HEADS || event == ATH_BRIDGE_SAYS_TARGET ||
	       event == ATH_BRIDGE_SAYS_EFFECTS;
}

/* What the application says may hold its secrets; here it is whole, behind here it may be cut. */
static const char *mask(struct ath_step *step, const char *message)
{
	struct ath_str out = { 0 };
	const char *copy;

	if (!message)
		return NULL;
	ath_redact_put(ath_step_world(step)->redact, message, strlen(message), &out);
	copy = ath_arena_strdup(ath_step_arena(step), ath_str_get(&out));
	ath_str_fini(&out);
	return copy;
}

static void on_line(struct ath_step *step, const char *line, size_t len)
{
	struct ath_bridge_run *run = run_of(step);
	struct ath_bridge_reply reply;
	struct ath_err err = { 0 };

	if (!ath_bridge_read(line, len, ath_step_arena(step), &reply, &err)) {
		if (run->failure.code == ATH_ERR_OK)
			run->failure = err;
		return;
	}
	reply.message = mask(step, reply.message);
	if (reply.event == ATH_BRIDGE_SAYS_END) {
		run->has_end = true;
	} else if (reply.event == ATH_BRIDGE_SAYS_ERROR) {
		keep_failure(step, &reply);
	} else if (reply.event == ATH_BRIDGE_SAYS_NOTE) {
		ath_step_logf(step, "athanor: note: %s", reply.message ? reply.message : "");
	} else {
		if (run->keep && is_of_chain(reply.event)) {
			ath_str_add(run->keep, line, len);
			ath_str_putc(run->keep, '\n');
		}
		if (run->on_reply)
			run->on_reply(step, &reply);
	}
}

/* Without an end line the bridge has failed, whatever its exit status says. */
static void on_exit_(struct ath_step *step, const struct ath_child_result *result)
{
	struct ath_bridge_run *run = run_of(step);
	struct ath_err err = run->failure;

	if (err.code == ATH_ERR_OK && !run->has_end &&
	    ath_step_check_exit(result, "the application's Python", &err))
		ath_err_set(&err, ATH_ERR_BRIDGE,
			    "the application ended the process before its work was done");
	run->on_end(step, &err);
}

static const char *arena_join(struct ath_arena *arena, const char *folder, const char *path)
{
	char *joined = ath_file_join(folder, path);
	const char *copy = ath_arena_strdup(arena, joined);

	free(joined);
	return copy;
}

static bool write_request(struct ath_step *step, const char *path, const char **out_cwd,
			  struct ath_err *err)
{
	const struct ath_step_world *world = ath_step_world(step);
	const struct ath_bridge_run *run = run_of(step);
	struct ath_arena *arena = ath_step_arena(step);
	struct ath_facts_chain_place place = ath_database_chain_place(world, run->config, arena);
	struct ath_bridge_request request = {
		.config = arena_join(arena, world->root, run->config->alembic),
		.section = place.section,
		.cwd = ath_facts_chain_cwd(&place, arena),
		.clone = run->clone,
		.live = run->live,
		.commands = run->commands,
		.len = run->len,
	};

	*out_cwd = request.cwd;
	return ath_bridge_write_request(path, &request, err);
}

bool ath_bridge_run_start(struct ath_step *step, struct ath_err *err)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct ath_bridge_run *run = run_of(step);
	struct ath_arena *arena = ath_step_arena(step);
	const char *request =
		ath_arena_printf(arena, "%s/%s.request", world->run_dir, ath_step_name(step));
	const char *interpreter = arena_join(
		arena, world->root, ath_arena_printf(arena, "%s/bin/python", run->config->venv));
	const char *folder = ath_arena_printf(arena, "%s/cache", world->state_dir);
	const char *argv[] = { interpreter, "-B", NULL, request, NULL };
	struct ath_step_command command = {
		.argv = argv,
		.on_line = on_line,
		.timeout_ms = run->timeout_ms,
		.on_exit = on_exit_,
	};
	struct ath_environ environment;
	bool is_started;

	run->failure = (struct ath_err){ 0 };
	run->has_end = false;
	if (ath_file_kind(interpreter) == ATH_FILE_ABSENT)
		return ath_err_set(err, ATH_ERR_NOT_FOUND,
				   "the application's environment is not there ('%s'): `athanor "
				   "install` makes it, and repairs the database too",
				   interpreter);
	if (!ath_bridge_write_program(folder, arena, &argv[2], err) ||
	    !write_request(step, request, &command.cwd, err))
		return false;
	ath_database_environ(world, run->config, run->live, run->clone, &environment);
	command.environment = &environment;
	is_started = ath_step_exec(step, &command, err);
	ath_environ_fini(&environment);
	return is_started;
}
