/* SPDX-License-Identifier: MIT */
/*
 * os/child: a child from its start until nothing of its process tree is left.
 *
 * What we rely on: this process is a subreaper, so a member that loses its parent becomes our
 * direct child, before the end of that parent is reported to us. The kernel's list of our direct
 * children (one small read) therefore proves, once the root has gone, that nothing of the tree is
 * left: whoever is in that list and is no root of ours is a "stray".
 *
 *	orchestrator
 *	  |- root of child A            our child by birth
 *	  |- root of child B
 *	  |    `- ...                   descendants: found by walking, signalled by pidfd
 *	  `- stray                      adopted: our child since its parent died; its subtree below it
 *
 * Children are reaped by their pids (nobody waits for "any"), and the list is read, once at the end
 * of each loop turn in which a SIGCHLD came (a "scan"). To whom a stray belongs, and when it is
 * killed, is told in child_strays.c.
 */
#include "os/child_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/process.h"
#include "os/spawn.h"

enum {
	GRACE_MS = 10000, /* from SIGTERM to SIGKILL */
	DRAIN_MS = 250,   /* from exit until open pipes are given up */
	STUCK_MS = 5000,  /* from SIGKILL until a member is told that is still there */
	OWN_HANDLES = 2,  /* the timers; each open pipe is one more */
};

static void on_ladder(uv_timer_t *timer);

static void free_child(struct ath_child *child)
{
	free(child->mark_entry);
	free(child);
}

void ath_child_release_handle(uv_handle_t *handle)
{
	struct ath_child *child = handle->data;

	if (--child->open_handles == 0)
		free_child(child);
}

/* Reap a root that has ended. */
static void reap_root(struct ath_child *child)
{
	int status;

	if (child->has_exited || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->has_exited = true;
	child->result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	child->result.term_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	child->is_killed = true; /* what is left of its tree is, by the scan */
	uv_update_time(ath_loop_uv(child->children->loop));
	uv_timer_start(&child->ladder, on_ladder, STUCK_MS, 0);
	uv_timer_start(&child->drain, ath_child_on_drain, DRAIN_MS, 0);
}

/* The loop goes on as long as there is something to reap. */
static void hold_loop(struct ath_children *children)
{
	bool has_work = children->first;

	ath_vec_each (&children->strays, stray)
		has_work = has_work || !stray->is_foreign;
	if (has_work)
		uv_ref((uv_handle_t *)&children->sigchld);
	else
		uv_unref((uv_handle_t *)&children->sigchld);
}

static struct ath_child *find_complete(struct ath_children *children)
{
	struct ath_child *child = children->first;

	while (child && !ath_child_is_complete(child))
		child = child->next;
	return child;
}

static void scan(void *user)
{
	struct ath_children *children = user;
	struct ath_child *child;

	children->scan_is_due = false;
	for (child = children->first; child; child = child->next)
		reap_root(child);
	ath_child_list_all(children); /* after the roots: what they leave behind is ours by then */
	ath_child_update_strays(children);
	for (child = children->first; child; child = child->next) {
		child->is_scanned = child->has_exited;
		if (child->has_exited && children->strays.len)
			ath_child_signal_strays(children, child, SIGKILL);
	}
	if (!children->first)
		ath_child_signal_strays(children, NULL, SIGKILL);
	while ((child = find_complete(children)))
		ath_child_finish(child);
	hold_loop(children);
}

static void want_scan(struct ath_children *children)
{
	if (children->scan_is_due)
		return;
	children->scan_is_due = true;
	ath_loop_defer(children->loop, scan, children);
}

static void on_sigchld(uv_signal_t *handle, int signum)
{
	(void)signum;
	want_scan(handle->data);
}

bool ath_child_is_complete(const struct ath_child *child)
{
	bool has_open = false;

	if (!child->has_exited || !child->is_scanned || ath_child_has_strays(child))
		return false;
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++)
		has_open = has_open || child->channels[i].is_open;
	return !has_open || child->is_drained;
}

static void unlink_child(struct ath_child *child)
{
	struct ath_child **link = &child->children->first;

	while (*link != child)
		link = &(*link)->next;
	*link = child->next;
}

/* Once, for a complete child: its last call. */
void ath_child_finish(struct ath_child *child)
{
	struct ath_children *children = child->children;

	unlink_child(child);
	child->result.wall_ms = ath_time_elapsed_ms(child->started);
	uv_close((uv_handle_t *)&child->ladder, ath_child_release_handle);
	uv_close((uv_handle_t *)&child->drain, ath_child_release_handle);
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++)
		ath_child_close_channel(&child->channels[i]);
	if (!children->first && children->strays.len)
		want_scan(children);
	hold_loop(children);
	child->on_done(child->user, &child->result);
}

static void signal_members(struct ath_child *child, int signum)
{
	if (!child->has_exited)
		(void)ath_process_signal_tree(child->pid, signum); /* seen by its not ending */
	ath_child_signal_strays(child->children, child, signum);
}

static void step_up_ladder(struct ath_child *child, bool at_once)
{
	signal_members(child, at_once ? SIGKILL : SIGTERM);
	if (child->has_exited)
		return;
	child->is_killed = at_once;
	uv_update_time(ath_loop_uv(child->children->loop));
	uv_timer_start(&child->ladder, on_ladder, at_once ? STUCK_MS : GRACE_MS, 0);
}

/* Who of the tree is still there: the root, or a stray. */
static void report_stuck(const struct ath_child *child)
{
	pid_t pid = child->has_exited ? 0 : child->pid;
	struct ath_process_facts facts;

	ath_vec_each (&child->children->strays, stray)
		if (!pid && stray->owner == child)
			pid = stray->pid;
	if (pid && child->on_stuck && ath_process_look(pid, &facts))
		child->on_stuck(child->user, pid, &facts);
}

/* The timeout has passed, or the grace after it, or the time in which a killed process ends. */
static void on_ladder(uv_timer_t *timer)
{
	struct ath_child *child = timer->data;
	bool is_grace = child->result.was_cancelled || child->result.timed_out;

	if (child->is_killed) {
		report_stuck(child);
		return;
	}
	if (!is_grace)
		child->result.timed_out = true;
	step_up_ladder(child, is_grace);
}

void ath_child_cancel(struct ath_child *child, bool at_once)
{
	bool is_on_ladder = child->result.was_cancelled || child->result.timed_out;

	child->result.was_cancelled = true;
	if (at_once || !is_on_ladder)
		step_up_ladder(child, at_once);
}

pid_t ath_child_pid(const struct ath_child *child)
{
	return child->pid;
}

static void init_timer(struct ath_child *child, uv_timer_t *timer)
{
	uv_timer_init(ath_loop_uv(child->children->loop), timer);
	timer->data = child;
}

static void watch(struct ath_child *child, const struct ath_child_form *form,
		  const struct ath_spawn *spawn)
{
	child->pid = spawn->pid;
	child->open_handles = OWN_HANDLES;
	init_timer(child, &child->ladder);
	init_timer(child, &child->drain);
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++)
		ath_child_open_channel(child, (enum ath_child_stream)i, spawn->pipes[i]);
	if (form->timeout_ms) {
		uv_update_time(ath_loop_uv(child->children->loop));
		uv_timer_start(&child->ladder, on_ladder, form->timeout_ms, 0);
	}
	child->next = child->children->first;
	child->children->first = child;
	hold_loop(child->children);
}

static struct ath_child *new_child(struct ath_loop *loop, const struct ath_child_form *form)
{
	struct ath_child *child = ath_mem_new(1, sizeof(*child));
	struct ath_str entry = { 0 };

	child->children = ath_loop_children(loop);
	assert(child->children); /* ath_child_prepare comes first */
	child->on_output = form->on_output;
	child->on_stuck = form->on_stuck;
	child->on_done = form->on_done;
	child->user = form->user;
	child->started = ath_time_mono();
	if (form->mark) {
		ath_str_printf(&entry, "ATHANOR_STEP=%s", form->mark);
		child->mark_entry = ath_str_steal(&entry);
	}
	return child;
}

bool ath_child_start(struct ath_loop *loop, const struct ath_child_form *form,
		     struct ath_child **out_child, struct ath_err *err)
{
	struct ath_child *child = new_child(loop, form);
	struct ath_spawn spawn;
	struct ath_spawn_form spawn_form = {
		.argv = form->argv,
		.cwd = form->cwd,
		.environment = form->environment,
		.mark_entry = child->mark_entry,
		.pipe_count = form->wants_reply ? ATH_CHILD_REPLY + 1 : ATH_CHILD_REPLY,
	};

	if (!ath_spawn_start(&spawn_form, &spawn, err)) {
		free_child(child);
		return false;
	}
	watch(child, form, &spawn);
	*out_child = child;
	return true;
}

static void free_children(uv_handle_t *handle)
{
	struct ath_children *children = handle->data;

	close(children->list_fd);
	ath_vec_fini(&children->strays);
	ath_vec_fini(&children->listed);
	free(children);
}

static void close_children(struct ath_children *children)
{
	uv_close((uv_handle_t *)&children->sigchld, free_children);
}

/* Descriptors that the operator's shell left open (or a library does) are not for children. */
static void keep_descriptors_from_children(void)
{
	syscall(SYS_close_range, 3, ~0U, 1U << 2); /* CLOSE_RANGE_CLOEXEC; Linux 5.11 */
}

bool ath_child_prepare(struct ath_loop *loop, struct ath_err *err)
{
	struct ath_children *children;
	char path[64];
	int fd;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return ath_err_sys(err, ATH_ERR_CHILD, errno, "cannot become a subreaper");
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ath_err_sys(err, ATH_ERR_CHILD, errno,
				   "cannot list child processes in '%s' (/proc is needed)", path);
	keep_descriptors_from_children();
	children = ath_mem_new(1, sizeof(*children));
	children->list_fd = fd;
	children->loop = loop;
	uv_signal_init(ath_loop_uv(loop), &children->sigchld);
	children->sigchld.data = children;
	ath_loop_take_children(loop, children, close_children);
	uv_signal_start(&children->sigchld, on_sigchld, SIGCHLD);
	uv_unref((uv_handle_t *)&children->sigchld);
	return true;
}
