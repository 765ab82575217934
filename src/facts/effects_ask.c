/* SPDX-License-Identifier: MIT */
/* facts/effects_ask: one child of the bridge that reads revision files. */
#include "facts/effects_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bridge/reply.h"
#include "bridge/request.h"
#include "os/child.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/temporary.h"

enum {
	TIMEOUT_MS = 60 * 1000,
	LINE_BYTES_MAX = 16 * 1024 * 1024,
	TEXT_BYTES_MAX = 256 * 1024 * 1024,
};

/* One reading, while its child is alive. */
struct reading {
	struct ath_arena arena; /* owned; of one reply, and of the start */
	struct ath_str line;    /* owned; the reply that is not whole yet */
	struct ath_effects_said *out;
	const struct ath_bridge_command *command;
	struct ath_child *child; /* NULL once it has ended */
	bool has_end;
	struct ath_err err;
};

static void stop(struct reading *reading)
{
	if (reading->child)
		ath_child_cancel(reading->child, true);
}

static void keep_reply(struct reading *reading, const struct ath_bridge_reply *reply)
{
	if (reply->event == ATH_BRIDGE_SAYS_END) {
		reading->has_end = true;
	} else if (reply->event == ATH_BRIDGE_SAYS_ERROR) {
		ath_err_set(&reading->err, ATH_ERR_BRIDGE, "%s%s%s",
			    reply->message ? reply->message : "no reason was given",
			    reply->where ? ", at " : "", reply->where ? reply->where : "");
	} else if (reply->event == ATH_BRIDGE_SAYS_EFFECTS ||
		   reply->event == ATH_BRIDGE_SAYS_IDENTIFIERS) {
		ath_str_add(&reading->out->text, reading->line.data, reading->line.len);
		ath_str_putc(&reading->out->text, '\n');
	}
}

static void read_line(struct reading *reading)
{
	struct ath_bridge_reply reply;

	if (reading->err.code == ATH_ERR_OK && reading->line.len &&
	    ath_bridge_read(ath_str_get(&reading->line), reading->line.len, &reading->arena, &reply,
			    &reading->err))
		keep_reply(reading, &reply);
	ath_arena_fini(&reading->arena);
	ath_str_reset(&reading->line);
	if (reading->out->text.len > TEXT_BYTES_MAX && reading->err.code == ATH_ERR_OK)
		ath_err_set(&reading->err, ATH_ERR_LIMIT, "answers of more than %d bytes",
			    TEXT_BYTES_MAX);
	if (reading->err.code != ATH_ERR_OK)
		stop(reading);
}

static void on_output(void *user, enum ath_child_stream stream, const char *bytes, size_t len)
{
	struct reading *reading = user;

	if (stream != ATH_CHILD_REPLY || reading->err.code != ATH_ERR_OK)
		return;
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end ? (size_t)(end - bytes) : len;

		if (reading->line.len + part > LINE_BYTES_MAX) {
			ath_err_set(&reading->err, ATH_ERR_LIMIT, "an answer of more than %d bytes",
				    LINE_BYTES_MAX);
			stop(reading);
			return;
		}
		ath_str_add(&reading->line, bytes, part);
		if (end)
			read_line(reading);
		part += end != NULL;
		bytes += part;
		len -= part;
	}
}

static void on_done(void *user, const struct ath_child_result *result)
{
	struct reading *reading = user;

	reading->child = NULL;
	if (reading->err.code != ATH_ERR_OK)
		return;
	if (reading->out->signum)
		ath_err_set(&reading->err, ATH_ERR_CANCELLED, "ended by signal %d",
			    reading->out->signum);
	else if (result->timed_out)
		ath_err_set(&reading->err, ATH_ERR_TIMEOUT, "no end after %d seconds",
			    TIMEOUT_MS / 1000);
	else if (!reading->has_end && result->term_signal)
		ath_err_set(&reading->err, ATH_ERR_BRIDGE, "Python was ended by signal %d",
			    result->term_signal);
	else if (!reading->has_end)
		ath_err_set(&reading->err, ATH_ERR_BRIDGE,
			    "Python ended before it had answered (exit status %d); it has to be "
			    "3.8 or newer",
			    result->exit_status);
}

static void on_signal(void *user, int signum)
{
	struct reading *reading = user;

	reading->out->signum = signum;
	stop(reading);
}

static bool start(struct reading *reading, const struct ath_facts_reader *reader,
		  struct ath_loop *loop, const char *folder)
{
	struct ath_arena *arena = &reading->arena;
	struct ath_bridge_request asked = {
		.config = "", .section = "", .cwd = folder, .commands = reading->command, .len = 1
	};
	const char *request = ath_arena_printf(arena, "%s/request", folder);
	const char *argv[] = { reader->python, "-I", "-S", "-B", NULL, request, NULL };
	struct ath_child_form form = {
		.argv = argv,
		.cwd = folder,
		.environment = reader->environment,
		.wants_reply = true,
		.timeout_ms = TIMEOUT_MS,
		.on_output = on_output,
		.on_done = on_done,
		.user = reading,
	};

	if (!ath_bridge_write_program(folder, arena, &argv[4], &reading->err) ||
	    !ath_bridge_write_request(request, &asked, &reading->err))
		return false;
	if (ath_child_start(loop, &form, &reading->child, &reading->err))
		return true;
	if (reading->err.code == ATH_ERR_NOT_FOUND)
		reading->err.code = ATH_ERR_UNAVAILABLE;
	return false;
}

static void run(struct reading *reading, const struct ath_facts_reader *reader, const char *folder)
{
	struct ath_loop *loop = ath_loop_new(&reading->err);

	if (loop && ath_loop_watch_signals(loop, on_signal, reading, &reading->err) &&
	    ath_child_prepare(loop, &reading->err) && start(reading, reader, loop, folder))
		ath_loop_run(loop);
	ath_loop_free(loop);
}

/* Make the private folder, run, remove it. */
static void run_in_private(struct reading *reading, const struct ath_facts_reader *reader)
{
	struct ath_temporary folder;
	struct ath_err ignored = { 0 };

	if (!ath_temporary_make_folder(reader->folder, ATH_EFFECTS_ASK_FOLDER, &folder)) {
		ath_err_sys(&reading->err, ATH_ERR_IO, errno, "cannot make a folder in '%s'",
			    reader->folder);
		return;
	}
	run(reading, reader, folder.name);
	if (!ath_file_remove_tree(folder.name, &ignored) && reading->err.code == ATH_ERR_OK)
		reading->err = ignored;
	ath_temporary_fini(&folder);
}

bool ath_effects_ask_command(const struct ath_facts_reader *reader,
			     const struct ath_bridge_command *command, struct ath_effects_said *out,
			     struct ath_err *err)
{
	struct reading reading = { .command = command, .out = out };

	if (!reader->python)
		return ath_err_set(err, ATH_ERR_UNAVAILABLE,
				   "the revision files have to be read by Python, and there is "
				   "neither a healthy virtual environment nor a python3 in PATH");
	run_in_private(&reading, reader);
	ath_arena_fini(&reading.arena);
	ath_str_fini(&reading.line);
	if (reading.err.code == ATH_ERR_OK)
		return true;
	*err = reading.err;
	return ath_err_prefix(err, "reading the revision files with '%s'", reader->python);
}

/* Every revision with its file, parents first. */
bool ath_effects_ask(const struct ath_facts_reader *reader, const struct ath_chain *chain,
		     struct ath_effects_said *out, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	const char **ids = ath_arena_new(&arena, chain->len + 1, sizeof(*ids));
	const char **files = ath_arena_new(&arena, chain->len + 1, sizeof(*files));
	struct ath_bridge_command command = {
		.verb = ATH_BRIDGE_EFFECTS,
		.ids = { ids, chain->len },
		.files = { files, chain->len },
	};
	bool is_asked;

	for (size_t i = 0; i < chain->order.len; i++) {
		ids[i] = chain->entries[chain->order.items[i]].id;
		files[i] = chain->entries[chain->order.items[i]].file;
	}
	is_asked = ath_effects_ask_command(reader, &command, out, err);
	ath_arena_fini(&arena);
	return is_asked;
}
