/* SPDX-License-Identifier: MIT */
/*
 * os/child: runs one child process and ends its whole process tree.
 *
 * The child gets its own session, /dev/null as standard input, pipes for its output and no other
 * descriptor but the reply pipe. It is complete when it has exited, its pipes are drained or 250 ms
 * have passed, and no member of its tree is left (SAFETY.md 4.4). Members: descendants of the root,
 * processes of its session, and orphans adopted by us that carry its mark ATHANOR_STEP.
 * Output is delivered from one fixed buffer per loop, as it comes, at any amount.
 */
#ifndef ATH_OS_CHILD_H
#define ATH_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/environ.h"
#include "os/loop.h"
#include "os/process.h"

struct ath_child;

enum ath_child_stream {
	ATH_CHILD_STDOUT,
	ATH_CHILD_STDERR,
	ATH_CHILD_REPLY, /* descriptor 3 of the child, if asked for */
	ATH_CHILD_STREAM_COUNT_
};

/* How a child came to its end. */
struct ath_child_result {
	int exit_status;    /* 0 to 255, or -1 if it did not exit by itself */
	int term_signal;    /* the signal that ended it, or 0 */
	bool was_cancelled; /* ath_child_cancel was called */
	bool timed_out;     /* the form's timeout passed */
	unsigned leftovers; /* members of the tree that had to be killed after the root had gone */
	uint64_t wall_ms;   /* from start to completion */
};

/* `bytes` are valid during the call only. */
typedef void ath_child_output_fn(void *user, enum ath_child_stream stream, const char *bytes,
				 size_t len);
/* The last call for a child; it is released when this returns. */
typedef void ath_child_done_fn(void *user, const struct ath_child_result *result);

/*
 * A process of the child's tree was killed and is still there 5 s later (uninterruptible sleep): it is
 * waited for. Comes at most once for a child.
 */
typedef void ath_child_stuck_fn(void *user, pid_t pid, const struct ath_process_facts *facts);

/* What the caller fills in; everything is borrowed for the call of ath_child_start only. */
struct ath_child_form {
	const char *const *argv; /* argv[0] is a path or is looked up in PATH of `env` */
	const char *cwd;         /* NULL: ours */
	const struct ath_environ *environment;
	const char *mark;               /* value of ATHANOR_STEP; NULL: none */
	bool wants_reply;               /* a pipe on descriptor 3 */
	uint64_t timeout_ms;            /* 0: none */
	ath_child_output_fn *on_output; /* NULL: output is drained and dropped */
	ath_child_stuck_fn *on_stuck;   /* NULL: nobody is told */
	ath_child_done_fn *on_done;
	void *user;
};

/*
 * Start a child, after ath_child_prepare. On true, `on_done` comes exactly once and never from
 * inside this call; on false it never comes.
 * Fails with: ATH_ERR_NOT_FOUND (no such program or folder), ATH_ERR_CHILD (anything else).
 */
ATH_NODISCARD bool ath_child_start(struct ath_loop *loop, const struct ath_child_form *form,
				   struct ath_child **out_child, struct ath_err *err);

/*
 * End the child's tree: SIGTERM to all members, SIGKILL after 10 s; `at_once`: SIGKILL now. A wish;
 * `on_done` still comes. May be called again to make it `at_once`.
 */
void ath_child_cancel(struct ath_child *child, bool at_once);

/* Process id of the root. */
pid_t ath_child_pid(const struct ath_child *child);

/*
 * Prepare this process for running children: become a subreaper, and reap adopted orphans of the
 * loop's process that no child of ours claims (ending them when no child runs). Call once per loop,
 * before the first child. Descriptors that are open by then, 0 to 2 apart, are closed in children.
 * Fails with: ATH_ERR_CHILD (no /proc, or a kernel that does not list children there).
 */
ATH_NODISCARD bool ath_child_prepare(struct ath_loop *loop, struct ath_err *err);

#endif
