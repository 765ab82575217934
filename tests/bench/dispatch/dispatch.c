/* SPDX-License-Identifier: MIT */
/*
 * Benchmark of dispatch: N steps that run /bin/true, by the engine or by a bare loop.
 *
 *	dispatch athanor SHAPE N JOBS FOLDER    engine, steps and a durable journal in FOLDER
 *	dispatch spawn SHAPE N JOBS             posix_spawn and waitpid, nothing else
 *	dispatch uv SHAPE N JOBS                uv_spawn with two pipes
 *	dispatch sync FOLDER                    p50 of 200 fdatasync, in us
 *
 * SHAPE is independent, chain (each needs the one before) or layers (tenths of N, each step needs
 * one of the layer before). DISPATCH_HANDICAP_US in the environment adds that much to each step.
 * Prints one JSON object. Competitors start a chain one at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "base/time.h"
#include "cli/result.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/process.h"
#include "steps/table.h"
#include "ui/plain.h"

enum {
	LAYERS = 10,
	SYNCS = 200,
};

struct request {
	const char *mode, *shape, *folder;
	size_t len;
	unsigned jobs;
	useconds_t handicap_us;
};

static const char *const argv_true[] = { "/bin/true", NULL };

static void must(bool is_fine, const struct ath_err *err)
{
	if (is_fine)
		return;
	fprintf(stderr, "dispatch: %s\n", err && err->msg[0] ? err->msg : strerror(errno));
	exit(2);
}

static uint64_t now_us(void)
{
	return ath_time_mono().ns / 1000;
}

/* Peak memory of this process, KiB. */
static long peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

static void print_result(const struct request *request, uint64_t since_us)
{
	printf("{\"mode\": \"%s\", \"shape\": \"%s\", \"steps\": %zu, \"us\": %llu, "
	       "\"peak_kib\": %ld}\n",
	       request->mode, request->shape, request->len,
	       (unsigned long long)(now_us() - since_us), peak_kib());
	fflush(stdout);
}

/* ---- the engine ---- */

/* The step that `idx` needs, or `idx` itself: none. */
static size_t need_of(const struct request *request, size_t idx)
{
	size_t width = request->len / LAYERS ? request->len / LAYERS : 1;

	if (strcmp(request->shape, "chain") == 0 && idx)
		return idx - 1;
	if (strcmp(request->shape, "layers") == 0 && idx >= width)
		return idx - width;
	return idx;
}

static void make_spec(const struct request *request, struct ath_arena *arena, struct ath_spec *out)
{
	struct ath_spec_step *steps = ath_arena_new(arena, request->len, sizeof(*steps));

	for (size_t i = 0; i < request->len; i++) {
		struct ath_value *config = ath_value_new_map(arena);
		size_t need = need_of(request, i);

		ath_value_add_text(arena, ath_value_put_list(arena, config, "run"), "/bin/true");
		ath_value_put_text(arena, config, "venv", ".venv");
		steps[i].name = ath_arena_printf(arena, "step-%zu", i);
		steps[i].type = "command";
		steps[i].config = config;
		if (need != i) {
			const char **names = ath_arena_new(arena, 1, sizeof(*names));

			names[0] = steps[need].name;
			steps[i].needs = (struct ath_texts){ names, 1 };
		}
	}
	*out = (struct ath_spec){ steps, request->len };
}

/* What install does with an event, and the handicap. */
struct watcher {
	struct ath_result result;
	struct ath_ui_plain ui;
	useconds_t handicap_us;
};

static void on_event(void *user, const struct ath_event *event)
{
	struct watcher *watcher = user;

	if (watcher->handicap_us && event->kind == ATH_EVENT_STATE &&
	    strcmp(event->state, "running") == 0)
		usleep(watcher->handicap_us);
	ath_result_add(&watcher->result, event);
	ath_ui_plain(&watcher->ui, event);
}

static bool find_no_note(void *user, const char *name, struct ath_pairs *out)
{
	(void)user;
	(void)name;
	(void)out;
	return false;
}

/* The parts of a run, made as cli/project and cli/install make them. */
struct parts {
	struct ath_arena arena;
	struct ath_spec spec;
	struct ath_graph graph;
	const struct ath_bound *bound;
	struct ath_history history;
	struct ath_plan plan;
	struct ath_pairs facts;
	struct ath_environ environment;
	struct ath_step_world world;
	struct ath_lock lock;
};

static void make_plan(const struct request *request, struct parts *parts)
{
	struct ath_plan_choice choice = { 0 };
	struct ath_plan_look *looks;
	struct ath_err err = { 0 };

	make_spec(request, &parts->arena, &parts->spec);
	must(ath_graph_build(&parts->spec, &parts->arena, &parts->graph, &err), &err);
	must(ath_survey_bind(&parts->spec, &ath_steps, &parts->arena, &parts->bound, &err), &err);
	ath_environ_init(&parts->environment);
	ath_environ_set(&parts->environment, "ATHANOR_RUN", "bench");
	parts->world = (struct ath_step_world){
		.root = request->folder,
		.state_dir = request->folder,
		.run_dir = request->folder,
		.run = "bench",
		.environment = &parts->environment,
		.facts = &parts->facts,
		.find_note = find_no_note,
	};
	looks = ath_arena_new(&parts->arena, parts->spec.len, sizeof(*looks));
	ath_survey_look_all(&parts->spec, &parts->graph, parts->bound, &parts->history,
			    &parts->world, &parts->arena, looks, NULL);
	must(ath_plan_make(&parts->spec, &parts->graph, looks, &parts->facts, &choice,
			   &parts->arena, &parts->plan, &err),
	     &err);
}

static struct ath_journal *open_journal(const struct request *request)
{
	struct ath_journal_run run = { .mark = "bench", .boot_id = "-", .command = "install" };
	char *path = ath_file_join(request->folder, "journal.db");
	struct ath_err err = { 0 };
	struct ath_journal *journal = ath_journal_open(path, &err);

	must(journal && ath_journal_begin_run(journal, &run, &err), &err);
	free(path);
	return journal;
}

static void take_lock(const struct request *request, struct ath_lock *out_lock)
{
	char *path = ath_file_join(request->folder, "lock");
	struct ath_cgroup_place place;
	struct ath_cgroup group;
	struct ath_err err = { 0 };

	ath_cgroup_find_place(&place);
	ath_cgroup_make(&place, "bench", &group);
	must(ath_lock_take(path, 0, NULL, NULL, out_lock, &err), &err);
	must(ath_warden_split(out_lock, &group, &err), &err);
	free(path);
}

static int run_engine(const struct request *request)
{
	uint64_t since = now_us();
	struct watcher watcher = { .handicap_us = request->handicap_us };
	struct parts parts = { .lock = { -1, -1 } };
	struct ath_err err = { 0 };
	struct ath_report report;
	struct ath_loop *loop;
	struct ath_run_setup setup;

	make_plan(request, &parts);
	take_lock(request, &parts.lock);
	loop = ath_loop_new(&err);
	must(loop && ath_child_prepare(loop, &err), &err);
	setup = (struct ath_run_setup){
		.loop = loop,
		.journal = open_journal(request),
		.spec = &parts.spec,
		.graph = &parts.graph,
		.plan = &parts.plan,
		.bound = parts.bound,
		.history = &parts.history,
		.table = &ath_steps,
		.world = &parts.world,
		.lock = &parts.lock,
		.jobs = request->jobs,
		.on_event = on_event,
		.on_event_user = &watcher,
	};
	ath_warden_wait_until_ready(&parts.lock);
	ath_run(&setup, &report);
	must(report.succeeded == request->len, &report.cause);
	print_result(request, since);
	ath_process_end_all(NULL, NULL);
	return 0;
}

/* ---- the competitors ---- */

static unsigned at_a_time(const struct request *request)
{
	return strcmp(request->shape, "chain") == 0 ? 1 : request->jobs;
}

static int run_spawn(const struct request *request)
{
	uint64_t since = now_us();
	unsigned running = 0;

	for (size_t started = 0; started < request->len || running;) {
		int status;

		if (started < request->len && running < at_a_time(request)) {
			pid_t pid;
			char **argv = (char **)(uintptr_t)argv_true;

			must(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0, NULL);
			started++;
			running++;
			continue;
		}
		must(waitpid(-1, &status, 0) > 0 && status == 0, NULL);
		running--;
	}
	print_result(request, since);
	return 0;
}

struct uv_job {
	uv_process_t process;
	uv_pipe_t pipes[2];
	unsigned open;
	struct uv_jobs *all;
};

struct uv_jobs {
	const struct request *request;
	size_t started;
	char buffer[65536];
};

static void uv_start(struct uv_jobs *all);

static void on_closed(uv_handle_t *handle)
{
	struct uv_job *job = handle->data;
	struct uv_jobs *all = job->all;

	if (--job->open)
		return;
	free(job);
	uv_start(all);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signum)
{
	must(status == 0 && signum == 0, NULL);
	uv_close((uv_handle_t *)process, on_closed);
}

static void lend(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
	struct uv_job *job = handle->data;

	(void)wanted;
	*out = uv_buf_init(job->all->buffer, sizeof(job->all->buffer));
}

static void on_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	(void)buffer;
	if (got < 0)
		uv_close((uv_handle_t *)stream, on_closed);
}

static void uv_start(struct uv_jobs *all)
{
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE } };
	uv_process_options_t options = { .exit_cb = on_exit_of,
					 .file = argv_true[0],
					 .args = (char **)(uintptr_t)argv_true,
					 .stdio_count = 3,
					 .stdio = stdio };
	struct uv_job *job;

	if (all->started == all->request->len)
		return;
	all->started++;
	job = ath_mem_new(1, sizeof(*job));
	*job = (struct uv_job){ .open = 3, .all = all };
	job->process.data = job;
	for (size_t i = 0; i < 2; i++) {
		uv_pipe_init(uv_default_loop(), &job->pipes[i], 0);
		job->pipes[i].data = job;
		stdio[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
		stdio[i + 1].data.stream = (uv_stream_t *)&job->pipes[i];
	}
	must(uv_spawn(uv_default_loop(), &job->process, &options) == 0, NULL);
	for (size_t i = 0; i < 2; i++)
		uv_read_start((uv_stream_t *)&job->pipes[i], lend, on_bytes);
}

static int run_uv(const struct request *request)
{
	static struct uv_jobs all;
	uint64_t since = now_us();

	all.request = request;
	for (unsigned i = 0; i < at_a_time(request); i++)
		uv_start(&all);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	print_result(request, since);
	return 0;
}

/* ---- the disk ---- */

static int compare_numbers(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

static int measure_sync(const char *folder)
{
	char *path = ath_file_join(folder, "sync-probe");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char bytes[256] = { 0 };
	uint64_t us[SYNCS];

	must(fd >= 0, NULL);
	for (size_t i = 0; i < SYNCS; i++) {
		uint64_t since = now_us();

		must(write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && !fdatasync(fd), NULL);
		us[i] = now_us() - since;
	}
	qsort(us, SYNCS, sizeof(us[0]), compare_numbers);
	printf("{\"p50_us\": %llu}\n", (unsigned long long)us[SYNCS / 2]);
	close(fd);
	unlink(path);
	free(path);
	return 0;
}

int main(int argc, char **argv)
{
	const char *handicap = getenv("DISPATCH_HANDICAP_US");
	struct request request;

	if (argc == 3 && strcmp(argv[1], "sync") == 0)
		return measure_sync(argv[2]);
	if (argc < 5) {
		fputs("usage: dispatch athanor|spawn|uv SHAPE N JOBS [FOLDER]\n", stderr);
		return 64;
	}
	request = (struct request){
		.mode = argv[1],
		.shape = argv[2],
		.len = strtoul(argv[3], NULL, 10),
		.jobs = (unsigned)strtoul(argv[4], NULL, 10),
		.folder = argv[5],
		.handicap_us = handicap ? (useconds_t)strtoul(handicap, NULL, 10) : 0,
	};
	if (strcmp(request.mode, "spawn") == 0)
		return run_spawn(&request);
	if (strcmp(request.mode, "uv") == 0)
		return run_uv(&request);
	return run_engine(&request);
}
