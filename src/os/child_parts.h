/* SPDX-License-Identifier: MIT */
/*
 * os/child_parts: what a child is made of, and what the loop's children have in common.
 *
 * Shared by the files behind os/child.h only: child_life.c leads a child from its start to its end,
 * child_output.c reads its pipes, child_strays.c finds, allots and ends the orphans.
 */
#ifndef ATH_OS_CHILD_PARTS_H
#define ATH_OS_CHILD_PARTS_H

#include "base/time.h"
#include "base/vec.h"
#include "os/child.h"
#include "os/loop_uv.h"

enum {
	ATH_CHILD_BUFFER = 64 * 1024, /* bytes of the buffer that all children share */
};

/* An adopted orphan. It is our child and unreaped, so its pid cannot mean another process. */
struct ath_stray {
	pid_t pid;
	struct ath_child *owner; /* borrowed; NULL: not known */
	bool is_foreign;         /* another user's, which we may not signal: nobody waits for it */
};

/* What this module keeps for a loop. */
struct ath_children {
	uv_signal_t sigchld;
	int list_fd; /* owned; the kernel's list of our direct children */
	bool scan_is_due;
	struct ath_child *first;          /* children that run, in no order */
	ATH_VEC(struct ath_stray) strays; /* owned */
	ATH_VEC(pid_t) listed;            /* owned; what the last scan saw */
	struct ath_loop *loop;            /* borrowed */
	char buffer[ATH_CHILD_BUFFER];
};

/* One pipe from a child. */
struct ath_channel {
	uv_pipe_t pipe;
	struct ath_child *child;
	bool is_open;
};

struct ath_child {
	uv_timer_t ladder; /* the timeout, then the grace after SIGTERM, then the time to die */
	uv_timer_t drain;
	struct ath_channel channels[ATH_CHILD_STREAM_COUNT_];
	char *mark_entry; /* owned; "ATHANOR_STEP=..." or NULL */
	struct ath_child *next;
	struct ath_child_result result;
	struct ath_mono started;
	pid_t pid;             /* of the root; ours to reap until it has exited */
	unsigned open_handles; /* not yet closed: the memory is the loop's */
	bool is_killed;        /* SIGKILL was sent to all members */
	bool has_exited;       /* the root has gone */
	bool is_scanned;       /* a scan was made since */
	bool is_drained;       /* DRAIN_MS have passed since */

	/* borrowed */
	struct ath_children *children;
	ath_child_output_fn *on_output;
	ath_child_stuck_fn *on_stuck;
	ath_child_done_fn *on_done;
	void *user;
};

/* ---- child_life.c ---- */

/* Has the root gone, all of its tree with it, and is its output read? */
bool ath_child_is_complete(const struct ath_child *child);

/* Once, for a complete child: its last call. */
void ath_child_finish(struct ath_child *child);

/* The close callback of each handle; the last one releases the child. */
void ath_child_release_handle(uv_handle_t *handle);

/* ---- child_output.c ---- */

/* Read from `fd`, which becomes the channel's, as it comes; below 0: there is no such pipe. */
void ath_child_open_channel(struct ath_child *child, enum ath_child_stream stream, int fd);

/* Close; an unused or closed channel is fine. */
void ath_child_close_channel(struct ath_channel *channel);

/* The time to drain is over: take what lies there and give up the pipes. */
void ath_child_on_drain(uv_timer_t *timer);

/* ---- child_strays.c ---- */

/* Is there a stray that belongs to the child? */
bool ath_child_has_strays(const struct ath_child *child);

/* Read the kernel's list of our direct children into `listed`. */
void ath_child_list_all(struct ath_children *children);

/* Find the new strays in that list and their owners; reap those that have ended. */
void ath_child_update_strays(struct ath_children *children);

/* Signal the strays of a child, or those of no child (NULL), with all below them. */
void ath_child_signal_strays(struct ath_children *children, const struct ath_child *owner,
			     int signum);

#endif
