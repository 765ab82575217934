/* SPDX-License-Identifier: MIT */
/*
 * os/loop: the event loop, its timers, deferred calls and signals, and the order of shutdown.
 *
 * One check handle runs the end of a turn, in this order: deferred calls, then the turn-end call.
 * While either is due, an idle handle keeps the poll from blocking, so that a wish uttered in a
 * timer or in a close callback is not left lying until the next input.
 */
#include "os/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/vec.h"
#include "os/loop_uv.h"
#include "os/spawn.h"

enum {
	WATCHED_SIGNALS = 4,
	SAME_SIGNAL_MS = 100, /* a signal sent to the whole process group arrives twice */
};

struct deferred {
	ath_loop_fn *fn;
	void *user;
};

struct hangup {
	uv_poll_t poll;
	ath_loop_fn *fn;
	void *user;
	struct hangup *next;
};

struct watched_signal {
	uv_signal_t handle;
	struct ath_mono last; /* when it was reported; zeroed: never */
	bool is_open;
};

struct ath_loop {
	uv_loop_t uv;
	uv_idle_t idle;
	uv_check_t check;
	ATH_VEC(struct deferred) due; /* owned */
	struct hangup *hangups;       /* owned */
	struct ath_children *children;
	ath_children_close_fn *close_children;
	struct watched_signal signals[WATCHED_SIGNALS];
	bool turn_end_is_due;

	/* borrowed */
	ath_loop_fn *on_turn_end;
	void *turn_end_user;
	ath_loop_signal_fn *on_signal;
	void *signal_user;
};

struct ath_timer {
	uv_timer_t handle;
	ath_loop_fn *fn;
	void *user;
};

uv_loop_t *ath_loop_uv(struct ath_loop *loop)
{
	return &loop->uv;
}

struct ath_children *ath_loop_children(struct ath_loop *loop)
{
	return loop->children;
}

void ath_loop_take_children(struct ath_loop *loop, struct ath_children *children,
			    ath_children_close_fn *close)
{
	assert(!loop->children);
	loop->children = children;
	loop->close_children = close;
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* its being active is its whole work */
}

static void run_turn_end(struct ath_loop *loop)
{
	if (!loop->turn_end_is_due)
		return;
	loop->turn_end_is_due = false;
	if (loop->on_turn_end)
		loop->on_turn_end(loop->turn_end_user);
}

/* Calls deferred by the calls themselves wait for the next turn, so input is not starved. */
static void run_deferred(struct ath_loop *loop)
{
	struct deferred *items = loop->due.items;
	size_t len = loop->due.len;

	loop->due.items = NULL;
	loop->due.len = loop->due.cap = 0;
	for (size_t i = 0; i < len; i++)
		items[i].fn(items[i].user);
	free(items);
}

static void on_check(uv_check_t *check)
{
	struct ath_loop *loop = check->data;

	run_deferred(loop);
	run_turn_end(loop);
	if (loop->due.len == 0 && !loop->turn_end_is_due) {
		uv_idle_stop(&loop->idle);
		uv_check_stop(&loop->check);
	}
}

static void wake(struct ath_loop *loop)
{
	uv_idle_start(&loop->idle, on_idle);
	uv_check_start(&loop->check, on_check);
}

/*
 * libuv 1.44 ends the process if it cannot make the pipe behind its signals while it makes its first
 * loop: for that, and the descriptor that it opens before, there must be room.
 */
static int check_room(void)
{
	int fds[3], status = 0;
	size_t len = 0;

	while (len < sizeof(fds) / sizeof(fds[0]) && !status) {
		fds[len] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		if (fds[len] < 0)
			status = uv_translate_sys_error(errno);
		else
			len++;
	}
	while (len > 0)
		close(fds[--len]);
	return status;
}

struct ath_loop *ath_loop_new(struct ath_err *err)
{
	struct ath_loop *loop = ath_mem_new(1, sizeof(*loop));
	int status;

	ath_spawn_fill_standard();
	status = check_room();
	if (!status)
		status = uv_loop_init(&loop->uv);
	if (status) {
		free(loop);
		(void)ath_err_set(err, ATH_ERR_IO, "cannot make the event loop: %s",
				  uv_strerror(status));
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_idle_init(&loop->uv, &loop->idle);
	uv_check_init(&loop->uv, &loop->check);
	loop->check.data = loop;
	return loop;
}

void ath_loop_run(struct ath_loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	run_turn_end(loop);
}

void ath_loop_stop(struct ath_loop *loop)
{
	uv_stop(&loop->uv);
}

static void free_hangup(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_own(struct ath_loop *loop)
{
	if (loop->children)
		loop->close_children(loop->children);
	for (size_t i = 0; i < WATCHED_SIGNALS; i++)
		if (loop->signals[i].is_open)
			uv_close((uv_handle_t *)&loop->signals[i].handle, NULL);
	while (loop->hangups) {
		struct hangup *hangup = loop->hangups;

		loop->hangups = hangup->next;
		uv_close((uv_handle_t *)&hangup->poll, free_hangup);
	}
	uv_close((uv_handle_t *)&loop->idle, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
}

static void close_foreign(uv_handle_t *handle, void *user)
{
	bool *is_clean = user;

	if (uv_is_closing(handle))
		return;
	*is_clean = false;
	uv_close(handle, NULL);
}

bool ath_loop_free(struct ath_loop *loop)
{
	bool is_clean;

	if (!loop)
		return true;
	is_clean = loop->due.len == 0 && loop->uv.active_reqs.count == 0;
	ath_vec_fini(&loop->due);
	close_own(loop);
	uv_walk(&loop->uv, close_foreign, &is_clean);
	while (uv_run(&loop->uv, UV_RUN_DEFAULT))
		; /* a stop that came while the loop did not run ends the first turn only */
	if (uv_loop_close(&loop->uv))
		return false; /* the memory is still in use: better lost than freed */
	ath_vec_fini(&loop->due);
	free(loop);
	return is_clean;
}

static void on_uv_signal(uv_signal_t *handle, int signum)
{
	struct watched_signal *watched = (struct watched_signal *)handle;
	struct ath_loop *loop = handle->data;
	bool is_same = watched->last.ns && ath_time_elapsed_ms(watched->last) < SAME_SIGNAL_MS;

	watched->last = ath_time_mono();
	if (!is_same)
		loop->on_signal(loop->signal_user, signum);
}

/* Was the process started so that this signal shall not end it (nohup)? */
static bool is_ignored(int signum)
{
	struct sigaction action;

	return sigaction(signum, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

bool ath_loop_watch_signals(struct ath_loop *loop, ath_loop_signal_fn *on_signal, void *user,
			    struct ath_err *err)
{
	static const int signums[WATCHED_SIGNALS] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };

	loop->on_signal = on_signal;
	loop->signal_user = user;
	for (size_t i = 0; i < WATCHED_SIGNALS; i++) {
		struct watched_signal *watched = &loop->signals[i];
		int status;

		if (watched->is_open || (signums[i] == SIGHUP && is_ignored(SIGHUP)))
			continue;
		uv_signal_init(&loop->uv, &watched->handle);
		watched->handle.data = loop;
		watched->is_open = true;
		status = uv_signal_start(&watched->handle, on_uv_signal, signums[i]);
		if (status)
			return ath_err_set(err, ATH_ERR_IO, "cannot watch signal %d: %s",
					   signums[i], uv_strerror(status));
		uv_unref((uv_handle_t *)&watched->handle);
	}
	return true;
}

static void on_timer(uv_timer_t *handle)
{
	struct ath_timer *timer = (struct ath_timer *)handle;

	timer->fn(timer->user);
}

struct ath_timer *ath_timer_start(struct ath_loop *loop, uint64_t ms, ath_loop_fn *fn, void *user)
{
	struct ath_timer *timer = ath_mem_new(1, sizeof(*timer));

	timer->fn = fn;
	timer->user = user;
	uv_timer_init(&loop->uv, &timer->handle);
	uv_update_time(&loop->uv); /* the loop's own clock stands still during a long callback */
	uv_timer_start(&timer->handle, on_timer, ms, 0);
	return timer;
}

static void free_timer(uv_handle_t *handle)
{
	free(handle);
}

void ath_timer_free(struct ath_timer *timer)
{
	if (!timer)
		return;
	if (uv_is_closing((uv_handle_t *)&timer->handle))
		free(timer); /* it outlived its loop, which has closed it */
	else
		uv_close((uv_handle_t *)&timer->handle, free_timer);
}

void ath_loop_defer(struct ath_loop *loop, ath_loop_fn *fn, void *user)
{
	*ath_vec_push(&loop->due) = (struct deferred){ fn, user };
	wake(loop);
}

void ath_loop_set_turn_end(struct ath_loop *loop, ath_loop_fn *fn, void *user)
{
	loop->on_turn_end = fn;
	loop->turn_end_user = user;
}

void ath_loop_wake_turn_end(struct ath_loop *loop)
{
	loop->turn_end_is_due = true;
	wake(loop);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct hangup *hangup = poll->data;

	(void)status; /* an error and an end mean the same to the watcher */
	(void)events;
	uv_poll_stop(poll);
	hangup->fn(hangup->user);
}

bool ath_loop_watch_hangup(struct ath_loop *loop, int fd, ath_loop_fn *fn, void *user,
			   struct ath_err *err)
{
	struct hangup *hangup = ath_mem_new(1, sizeof(*hangup));
	int status = uv_poll_init(&loop->uv, &hangup->poll, fd);

	if (status) {
		free(hangup);
		return ath_err_set(err, ATH_ERR_IO, "cannot watch descriptor %d: %s", fd,
				   uv_strerror(status));
	}
	hangup->poll.data = hangup;
	hangup->fn = fn;
	hangup->user = user;
	hangup->next = loop->hangups;
	loop->hangups = hangup;
	uv_poll_start(&hangup->poll, UV_READABLE | UV_DISCONNECT, on_poll);
	uv_unref((uv_handle_t *)&hangup->poll);
	return true;
}
