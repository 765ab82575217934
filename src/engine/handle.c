/* SPDX-License-Identifier: MIT */
/* engine/handle: the running step behind step.h. */
#include "engine/handle.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	LINE_LIMIT = 1 << 20, /* bytes of one line that is kept */
	TOLD_MS = 1000,       /* between two readings of a meter, */
	TOLD_MOST_MS = 10000, /* up to, */
	TOLD_PART = 4,        /* growing with the time that the activity has taken, by that part */
};

/* Gathers bytes into lines. */
struct lines {
	struct ath_redact_flow flow; /* owned; what comes before it is masked */
	struct ath_str text;         /* owned; the line that is not finished */
	ath_step_line_fn *on_line;   /* NULL: nobody listens */
};

struct ath_step {
	struct ath_arena arena;                   /* owned; everything of this attempt */
	struct ath_steplog log;                   /* owned */
	struct lines reply, output, error_output; /* owned; replies are not masked */
	struct ath_str masked;                    /* owned; empty between calls */
	struct ath_timer *timer;                  /* owned; the step's time limit, or NULL */
	struct ath_timer *tell;                   /* owned; the next reading, while work runs */
	struct ath_err failure;                   /* how it failed; clean: it succeeded */
	const struct ath_handle_owner *by;        /* borrowed */
	const struct ath_spec_step *spec;         /* borrowed */
	const struct ath_bound *bound;            /* borrowed */
	struct ath_child *child;                  /* borrowed; while one runs */
	struct ath_meter *meter;                  /* borrowed; of the blocking work, or NULL */
	void *data;                               /* in the arena */
	ath_step_exit_fn *on_exit;
	ath_step_worked_fn *on_worked;
	ath_step_work_fn *work;
	void *work_data;
	size_t idx;
	bool has_told_gap;
	bool is_ended, is_cancelled, is_cancelled_at_once, timed_out;
	char fingerprint[ATH_HASH_TEXT];
};

const char *ath_step_name(const struct ath_step *step)
{
	return step->spec->name;
}

const void *ath_step_config(const struct ath_step *step)
{
	return step->bound->config;
}

const struct ath_step_world *ath_step_world(const struct ath_step *step)
{
	return step->by->world;
}

struct ath_arena *ath_step_arena(struct ath_step *step)
{
	return &step->arena;
}

void *ath_step_data(struct ath_step *step, size_t size)
{
	if (!step->data)
		step->data = ath_arena_new(&step->arena, 1, size);
	return step->data;
}

void *ath_step_section(struct ath_step *step)
{
	return step->spec->section ? step->by->on_section(step->by->owner, step->idx) : NULL;
}

/* A text of our own holds what a tool or a file has said. */
static void mask(const struct ath_step *step, struct ath_str *text)
{
	struct ath_str masked = { 0 };

	ath_redact_put(step->by->world->redact, ath_str_get(text), text->len, &masked);
	ath_str_fini(text);
	*text = masked;
}

void ath_step_say(struct ath_step *step, const char *format, ...)
{
	struct ath_str text = { 0 };
	va_list args;

	va_start(args, format);
	ath_str_vprintf(&text, format, args);
	va_end(args);
	mask(step, &text);
	step->by->on_say(step->by->owner, step->idx, ath_str_get(&text), NULL);
	ath_str_fini(&text);
}

typedef void put_fn(struct ath_steplog *log, const char *bytes, size_t len);

/* A line of our own into the log, at once or held. */
static void ATH_PRINTF(3, 0)
	log_line(struct ath_step *step, put_fn *put, const char *format, va_list args)
{
	struct ath_str text = { 0 };

	ath_str_vprintf(&text, format, args);
	mask(step, &text);
	ath_str_putc(&text, '\n');
	put(&step->log, text.data, text.len);
	ath_str_fini(&text);
}

void ath_step_logf(struct ath_step *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(step, ath_steplog_add, format, args);
	va_end(args);
}

void ath_step_log_held(struct ath_step *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(step, ath_steplog_hold, format, args);
	va_end(args);
}

void ath_step_fact(struct ath_step *step, const char *name, const char *value)
{
	step->by->on_fact(step->by->owner, name, value);
}

void ath_step_record(struct ath_step *step, const char *name, const struct ath_pairs *pairs,
		     ath_step_fn *on_durable)
{
	step->by->on_note(step->by->owner, step->idx, name, pairs, on_durable);
}

bool ath_step_past(const struct ath_step *step, const char *name, struct ath_pairs *out)
{
	return step->by->world->find_note(step->by->world->notes, name, out);
}

bool ath_step_is_cancelled(const struct ath_step *step)
{
	return step->is_cancelled;
}

static void add_to_lines(struct ath_step *step, struct lines *lines, const char *bytes, size_t len)
{
	while (len && lines->on_line) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end ? (size_t)(end - bytes) : len;
		size_t room = LINE_LIMIT - lines->text.len;

		ath_str_add(&lines->text, bytes, part < room ? part : room);
		if (!end)
			return;
		lines->on_line(step, ath_str_get(&lines->text), lines->text.len);
		ath_str_reset(&lines->text);
		bytes += part + 1;
		len -= part + 1;
	}
}

/* The log has stopped, on a full disk say: told once, as nothing else would tell it. */
static void tell_gap(struct ath_step *step)
{
	if (!step->log.errnum || step->has_told_gap)
		return;
	step->has_told_gap = true;
	ath_step_say(step, "its log is incomplete: %s", strerror(step->log.errnum));
}

static void pass_on(struct ath_step *step, struct lines *lines)
{
	if (step->masked.len)
		ath_steplog_add(&step->log, step->masked.data, step->masked.len);
	tell_gap(step);
	add_to_lines(step, lines, step->masked.data, step->masked.len);
	ath_str_reset(&step->masked);
}

static void on_output(void *user, enum ath_child_stream stream, const char *bytes, size_t len)
{
	struct ath_step *step = user;
	struct lines *lines;

	if (stream == ATH_CHILD_REPLY) {
		add_to_lines(step, &step->reply, bytes, len);
		return;
	}
	lines = stream == ATH_CHILD_STDOUT ? &step->output : &step->error_output;
	ath_redact_feed(&lines->flow, bytes, len, &step->masked);
	pass_on(step, lines);
}

/* What was held back comes now, and the last line may have no end. */
static void finish_lines(struct ath_step *step, struct lines *lines)
{
	ath_redact_finish(&lines->flow, false, &step->masked);
	pass_on(step, lines);
	if (lines->text.len && lines->on_line)
		lines->on_line(step, ath_str_get(&lines->text), lines->text.len);
}

static void on_child_stuck(void *user, pid_t pid, const struct ath_process_facts *facts)
{
	ath_step_say(user,
		     "waiting for process %d (%s), which was killed but does not end (state %c)",
		     (int)pid, facts->name, facts->state);
}

static void on_child_done(void *user, const struct ath_child_result *result)
{
	struct ath_step *step = user;

	step->child = NULL;
	finish_lines(step, &step->output);
	finish_lines(step, &step->error_output);
	step->on_exit(step, result);
}

bool ath_step_exec(struct ath_step *step, const struct ath_step_command *command,
		   struct ath_err *err)
{
	const struct ath_step_world *world = step->by->world;
	struct ath_child_form form = {
		.argv = command->argv,
		.cwd = command->cwd ? command->cwd : world->root,
		.environment = command->environment ? command->environment : world->environment,
		.mark = step->spec->name,
		.wants_reply = command->on_line != NULL,
		.timeout_ms = command->timeout_ms,
		.on_output = on_output,
		.on_stuck = on_child_stuck,
		.on_done = on_child_done,
		.user = step,
	};

	assert(!step->child);
	ath_str_reset(&step->reply.text);
	ath_str_reset(&step->output.text);
	ath_str_reset(&step->error_output.text);
	step->reply.on_line = command->on_line;
	step->output.on_line = command->on_output;
	step->error_output.on_line = command->on_error_output;
	step->on_exit = command->on_exit;
	if (!ath_child_start(step->by->loop, &form, &step->child, err))
		return false;
	if (step->is_cancelled)
		ath_child_cancel(step->child, step->is_cancelled_at_once);
	return true;
}

static void tell_later(struct ath_step *step, uint64_t ms);

/* A short activity is not worth a word: the next reading may be of a longer one. */
static void on_tell(void *user)
{
	struct ath_step *step = user;
	struct ath_meter_reading reading;
	struct ath_str text = { 0 };
	bool is_told = ath_meter_read(step->meter, &reading) && reading.ms >= TOLD_MS / 2;

	ath_timer_free(step->tell);
	tell_later(step, is_told ? reading.ms / TOLD_PART : 0);
	if (!is_told)
		return;
	ath_meter_put(&text, &reading);
	step->by->on_say(step->by->owner, step->idx, ath_str_get(&text), &reading);
	ath_str_fini(&text);
}

static void tell_later(struct ath_step *step, uint64_t ms)
{
	if (ms < TOLD_MS)
		ms = TOLD_MS;
	if (ms > TOLD_MOST_MS)
		ms = TOLD_MOST_MS;
	step->tell = ath_timer_start(step->by->loop, ms, on_tell, step);
}

void ath_step_watch(struct ath_step *step, struct ath_meter *meter)
{
	step->meter = meter;
	if (step->is_cancelled)
		ath_meter_call_off(meter);
}

static bool do_work(void *user, struct ath_err *err)
{
	struct ath_step *step = user;

	return step->work(step->work_data, err);
}

static void on_work_done(void *user, const struct ath_err *err)
{
	struct ath_step *step = user;

	step->work = NULL;
	ath_timer_free(step->tell);
	step->tell = NULL;
	step->on_worked(step, err);
}

void ath_step_work(struct ath_step *step, ath_step_work_fn *work, void *data,
		   ath_step_worked_fn *on_done)
{
	assert(!step->work);
	step->work = work;
	step->work_data = data;
	step->on_worked = on_done;
	if (step->meter)
		tell_later(step, TOLD_MS);
	ath_work_start(step->by->loop, do_work, on_work_done, step);
}

/* Before it starts, and after what it has made: the settings file with its new secrets. */
static void learn(const struct ath_step *step)
{
	const struct ath_step_world *world = step->by->world;

	if (world->learn)
		world->learn(world->notes);
}

static void report_end(void *user)
{
	struct ath_step *step = user;

	learn(step);
	ath_steplog_fini(&step->log);
	tell_gap(step);
	step->by->on_end(step->by->owner, step->idx, &step->failure);
}

/* The end is reported in a turn of its own: it may have come from inside start. */
static void end(struct ath_step *step)
{
	assert(!step->is_ended && !step->child && !step->work);
	step->is_ended = true;
	ath_timer_free(step->timer);
	step->timer = NULL;
	ath_loop_defer(step->by->loop, report_end, step);
}

void ath_step_done(struct ath_step *step)
{
	end(step);
}

void ath_step_fail(struct ath_step *step, const struct ath_err *err)
{
	assert(err->code != ATH_ERR_OK);
	step->failure = *err;
	ath_redact_err(step->by->world->redact, &step->failure);
	ath_step_logf(step, "athanor: %s", step->failure.msg);
	end(step);
}

static void on_timeout(void *user)
{
	struct ath_step *step = user;

	step->timed_out = true;
	ath_step_logf(step, "athanor: the time limit of the step has passed, ending it");
	ath_handle_cancel(step, false);
}

struct ath_step *ath_handle_start(const struct ath_handle_owner *owner, size_t idx,
				  const struct ath_spec_step *spec, const struct ath_bound *bound)
{
	struct ath_step *step = ath_mem_new(1, sizeof(*step));

	step->by = owner;
	step->idx = idx;
	step->spec = spec;
	step->bound = bound;
	step->output.flow.set = step->error_output.flow.set = owner->world->redact;
	learn(step);
	ath_steplog_init(&step->log, owner->world->run_dir, spec->name);
	ath_survey_fingerprint(spec, bound, owner->world, step->fingerprint);
	if (spec->timeout_ms)
		step->timer = ath_timer_start(owner->loop, spec->timeout_ms, on_timeout, step);
	bound->type->start(step);
	return step;
}

void ath_handle_cancel(struct ath_step *step, bool at_once)
{
	step->is_cancelled = true;
	step->is_cancelled_at_once |= at_once;
	if (step->is_ended)
		return;
	if (step->child)
		ath_child_cancel(step->child, at_once);
	if (step->meter)
		ath_meter_call_off(step->meter);
	if (step->bound->type->cancel)
		step->bound->type->cancel(step, at_once);
}

const char *ath_handle_fingerprint(const struct ath_step *step)
{
	return step->fingerprint;
}

bool ath_handle_is_ended(const struct ath_step *step)
{
	return step->is_ended;
}

bool ath_handle_timed_out(const struct ath_step *step)
{
	return step->timed_out;
}

int ath_handle_log_error(const struct ath_step *step)
{
	return step->log.errnum;
}

void ath_handle_free(struct ath_step *step)
{
	if (!step)
		return;
	ath_timer_free(step->timer);
	ath_redact_finish(&step->output.flow, true, &step->masked);
	ath_redact_finish(&step->error_output.flow, true, &step->masked);
	ath_str_fini(&step->masked);
	ath_str_fini(&step->reply.text);
	ath_str_fini(&step->output.text);
	ath_str_fini(&step->error_output.text);
	ath_steplog_fini(&step->log);
	ath_arena_fini(&step->arena);
	free(step);
}
