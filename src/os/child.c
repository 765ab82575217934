/* SPDX-License-Identifier: MIT */
/*
 * os/child: runs one child process and ends its whole process tree.
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
 * of each loop turn in which a SIGCHLD came (a "scan"). A stray
 * belongs to the child whose session it is in, else to the only child with its mark, else to the
 * only child there is. When the root of its child has exited, it is killed at once. Its death, or
 * that of the process it turned into, is a SIGCHLD again, so the scan repeats until none is left.
 */
#include "os/child.h"

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
#include "base/time.h"
#include "base/vec.h"
#include "os/loop_uv.h"
#include "os/process.h"
#include "os/spawn.h"

enum {
	BUFFER_SIZE = 64 * 1024,
	GRACE_MS = 10000, /* from SIGTERM to SIGKILL */
	DRAIN_MS = 250,   /* from exit until open pipes are given up */
	LAST_READS = 16,  /* buffers read from a pipe that is given up */
	OWN_HANDLES = 2,  /* the timers; each open pipe is one more */
};

/* An adopted orphan. It is our child and unreaped, so its pid cannot mean another process. */
struct stray {
	pid_t pid;
	struct ath_child *owner; /* borrowed; NULL: not known */
	bool is_foreign;         /* another user's, which we may not signal: nobody waits for it */
};

/* What this module keeps for a loop. */
struct ath_children {
	uv_signal_t sigchld;
	int list_fd; /* owned; the kernel's list of our direct children */
	bool scan_is_due;
	struct ath_child *first;      /* children that run, in no order */
	ATH_VEC(struct stray) strays; /* owned */
	ATH_VEC(pid_t) listed;        /* owned; what the last scan saw */
	struct ath_loop *loop;        /* borrowed */
	char buffer[BUFFER_SIZE];
};

struct channel {
	uv_pipe_t pipe;
	struct ath_child *child;
	bool is_open;
};

struct ath_child {
	uv_timer_t ladder; /* the timeout, later the grace between SIGTERM and SIGKILL */
	uv_timer_t drain;
	struct channel channels[ATH_CHILD_STREAM_COUNT_];
	char *mark_entry; /* owned; "ATHANOR_STEP=..." or NULL */
	struct ath_child *next;
	struct ath_child_result result;
	struct ath_mono started;
	pid_t pid;             /* of the root; ours to reap until it has exited */
	unsigned open_handles; /* not yet closed: the memory is the loop's */
	bool has_exited;       /* the root has gone */
	bool is_scanned;       /* a scan was made since */
	bool is_drained;       /* DRAIN_MS have passed since */

	/* borrowed */
	struct ath_children *children;
	ath_child_output_fn *on_output;
	ath_child_done_fn *on_done;
	void *user;
};

static void on_ladder(uv_timer_t *timer);

static void free_child(struct ath_child *child)
{
	free(child->mark_entry);
	free(child);
}

static void release_handle(uv_handle_t *handle)
{
	struct ath_child *child = handle->data;

	if (--child->open_handles == 0)
		free_child(child);
}

static void close_channel(struct channel *channel)
{
	if (!channel->is_open)
		return;
	channel->is_open = false;
	uv_close((uv_handle_t *)&channel->pipe, release_handle);
}

static void deliver(struct channel *channel, const char *bytes, size_t len)
{
	struct ath_child *child = channel->child;
	enum ath_child_stream stream = (enum ath_child_stream)(channel - child->channels);

	if (child->on_output)
		child->on_output(child->user, stream, bytes, len);
}

static void lend_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out_buffer)
{
	struct ath_child *child = handle->data;

	(void)wanted;
	*out_buffer = uv_buf_init(child->children->buffer, BUFFER_SIZE);
}

static bool is_complete(const struct ath_child *child);
static void finish(struct ath_child *child);

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct ath_child *child = stream->data;
	struct channel *channel = (struct channel *)stream;

	if (got > 0)
		deliver(channel, buffer->base, (size_t)got);
	if (got >= 0)
		return;
	close_channel(channel);
	if (is_complete(child))
		finish(child);
}

/* Take what still lies in a pipe that somebody outside the tree holds open. */
static void read_rest(struct channel *channel)
{
	char *buffer;
	ssize_t got = 1;
	int fd = -1;

	if (!channel->is_open || uv_fileno((uv_handle_t *)&channel->pipe, &fd))
		return;
	buffer = channel->child->children->buffer;
	for (int i = 0; i < LAST_READS && got > 0; i++) {
		got = read(fd, buffer, BUFFER_SIZE);
		if (got > 0)
			deliver(channel, buffer, (size_t)got);
	}
}

static void on_drain(uv_timer_t *timer)
{
	struct ath_child *child = timer->data;

	child->is_drained = true;
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++) {
		read_rest(&child->channels[i]);
		close_channel(&child->channels[i]);
	}
	if (is_complete(child))
		finish(child);
}

static bool is_root(const struct ath_children *children, pid_t pid)
{
	for (struct ath_child *child = children->first; child; child = child->next)
		if (!child->has_exited && child->pid == pid)
			return true;
	return false;
}

static bool has_strays(const struct ath_child *child)
{
	ath_vec_each (&child->children->strays, stray)
		if (stray->owner == child)
			return true;
	return false;
}

/* The numbers of the kernel's list. One may be cut at the end of a read: it is carried over. */
static void read_list(struct ath_children *children)
{
	char text[1024];
	pid_t number = 0;
	off_t at = 0;
	ssize_t got;

	children->listed.len = 0;
	while ((got = pread(children->list_fd, text, sizeof(text), at)) > 0) {
		at += got;
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				number = number * 10 + (text[i] - '0');
				continue;
			}
			if (number)
				*ath_vec_push(&children->listed) = number;
			number = 0;
		}
	}
}

static bool is_known_stray(const struct ath_children *children, pid_t pid)
{
	ath_vec_each (&children->strays, stray)
		if (stray->pid == pid)
			return true;
	return false;
}

static bool is_marked(const struct ath_child *child, pid_t pid)
{
	return child->mark_entry && ath_process_has_variable(pid, child->mark_entry);
}

/* The child that a stray belongs to, or NULL if that cannot be told. */
static struct ath_child *find_owner(const struct ath_children *children, pid_t pid)
{
	struct ath_process_facts facts;
	struct ath_child *marked = NULL;
	bool has_running = false, is_unique = true;

	if (!ath_process_look(pid, &facts))
		return NULL;
	for (struct ath_child *child = children->first; child; child = child->next) {
		if (child->pid == facts.session)
			return child;
		has_running = has_running || !child->has_exited;
	}
	for (struct ath_child *child = children->first; child; child = child->next) {
		if (!is_marked(child, pid))
			continue;
		is_unique = !marked;
		marked = child;
	}
	if (marked && is_unique)
		return marked;
	/* nameless: of the only child; and when every root has gone, somebody must wait for it */
	if (children->first && (!children->first->next || !has_running))
		return children->first;
	return NULL;
}

/* Reap a stray that has ended. Its owner, while it drains, counts it if it had to be killed. */
static bool reap_stray(struct stray *stray)
{
	int status;
	pid_t pid = waitpid(stray->pid, &status, WNOHANG);

	if (pid == 0)
		return false;
	if (pid > 0 && stray->owner && stray->owner->has_exited && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGKILL)
		stray->owner->result.leftovers++;
	return true;
}

static void update_strays(struct ath_children *children)
{
	ath_vec_each (&children->listed, pid)
		if (!is_root(children, *pid) && !is_known_stray(children, *pid))
			*ath_vec_push(&children->strays) = (struct stray){ .pid = *pid };
	for (size_t i = 0; i < children->strays.len; i++) {
		struct stray *stray = &children->strays.items[i];

		if (!stray->owner && !stray->is_foreign)
			stray->owner = find_owner(children, stray->pid);
		if (reap_stray(stray))
			*stray = children->strays.items[--children->strays.len], i--;
	}
}

/* End the strays of a child, or those of no child. */
static void signal_strays(struct ath_children *children, const struct ath_child *owner, int signum)
{
	ath_vec_each (&children->strays, stray) {
		if (stray->owner != owner || stray->is_foreign)
			continue;
		if (!ath_process_signal_tree(stray->pid, signum)) {
			stray->is_foreign = true;
			stray->owner = NULL;
		}
	}
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
	uv_timer_stop(&child->ladder);
	uv_update_time(ath_loop_uv(child->children->loop));
	uv_timer_start(&child->drain, on_drain, DRAIN_MS, 0);
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

	while (child && !is_complete(child))
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
	read_list(children); /* after the roots: what they leave behind is ours by then */
	update_strays(children);
	for (child = children->first; child; child = child->next) {
		child->is_scanned = child->has_exited;
		if (child->has_exited && children->strays.len)
			signal_strays(children, child, SIGKILL);
	}
	if (!children->first)
		signal_strays(children, NULL, SIGKILL);
	while ((child = find_complete(children)))
		finish(child);
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

static bool is_complete(const struct ath_child *child)
{
	bool has_open = false;

	if (!child->has_exited || !child->is_scanned || has_strays(child))
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
static void finish(struct ath_child *child)
{
	struct ath_children *children = child->children;

	unlink_child(child);
	child->result.wall_ms = ath_time_elapsed_ms(child->started);
	uv_close((uv_handle_t *)&child->ladder, release_handle);
	uv_close((uv_handle_t *)&child->drain, release_handle);
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++)
		close_channel(&child->channels[i]);
	if (!children->first && children->strays.len)
		want_scan(children);
	hold_loop(children);
	child->on_done(child->user, &child->result);
}

static void signal_members(struct ath_child *child, int signum)
{
	if (!child->has_exited)
		(void)ath_process_signal_tree(child->pid, signum); /* seen by its not ending */
	signal_strays(child->children, child, signum);
}

static void step_up_ladder(struct ath_child *child, bool at_once)
{
	signal_members(child, at_once ? SIGKILL : SIGTERM);
	if (at_once || child->has_exited)
		return;
	uv_update_time(ath_loop_uv(child->children->loop));
	uv_timer_start(&child->ladder, on_ladder, GRACE_MS, 0);
}

/* The timeout has passed, or the grace after it. */
static void on_ladder(uv_timer_t *timer)
{
	struct ath_child *child = timer->data;
	bool is_grace = child->result.was_cancelled || child->result.timed_out;

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

static void open_channel(struct ath_child *child, enum ath_child_stream stream, int fd)
{
	struct channel *channel = &child->channels[stream];
	int status;

	if (fd < 0)
		return;
	channel->child = child;
	channel->is_open = true;
	uv_pipe_init(ath_loop_uv(child->children->loop), &channel->pipe, 0);
	channel->pipe.data = child;
	child->open_handles++;
	status = uv_pipe_open(&channel->pipe, fd);
	assert(status == 0); /* a fresh descriptor of the right kind */
	status = uv_read_start((uv_stream_t *)&channel->pipe, lend_buffer, on_read);
	assert(status == 0);
	(void)status;
}

static void watch(struct ath_child *child, const struct ath_child_form *form,
		  const struct ath_spawn *spawn)
{
	child->pid = spawn->pid;
	child->open_handles = OWN_HANDLES;
	init_timer(child, &child->ladder);
	init_timer(child, &child->drain);
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++)
		open_channel(child, (enum ath_child_stream)i, spawn->pipes[i]);
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
