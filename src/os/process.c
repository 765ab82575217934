/* SPDX-License-Identifier: MIT */
/*
 * os/process: looks at other processes through /proc and ends them without hitting a stranger.
 *
 * Ending a tree: we are its subreaper, so whoever loses its parent becomes our direct child, and an
 * empty list of children proves that nothing is left. One pass kills all descendants that it finds,
 * parents before children, then reaps. A process that forked away during the pass is our child or
 * the descendant of one, and the next pass finds it.
 */
#include "os/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/time.h"

enum {
	TREE_MAX = 4096,      /* processes that one pass over a tree looks at */
	ANCESTORS_MAX = 64,   /* generations above us that the sweep spares */
	STUCK_MS = 5000,      /* after this a killed process is called stuck */
	QUIET_PASSES = 3,     /* a sweep ends after so many that found nothing */
	FIRST_PAUSE_US = 500, /* between passes that changed nothing; doubles */
	LAST_PAUSE_US = 16000,
};

struct tree {
	size_t len;
	struct {
		pid_t pid, parent;
	} items[TREE_MAX];
};

typedef bool number_fn(void *user, pid_t number);

/* Call `fn` for each entry of a folder of /proc that is a number, until it returns false. False with
 * errno: the folder cannot be listed. */
static bool each_number(const char *folder, number_fn *fn, void *user)
{
	char room[8192] __attribute__((aligned(8)));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool goes_on = fd >= 0;
	long got = 0;

	while (goes_on) {
		got = syscall(SYS_getdents64, fd, room, sizeof(room));

		for (long at = 0; goes_on && at < got;) {
			const struct dirent64 *entry = (const void *)(room + at);

			if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
				goes_on = fn(user, (pid_t)strtol(entry->d_name, NULL, 10));
			at += entry->d_reclen;
		}
		goes_on = goes_on && got > 0;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && got >= 0;
}

bool ath_process_look(pid_t pid, struct ath_process_facts *out_facts)
{
	char path[64], text[512];
	const char *open_mark, *close_mark;
	ssize_t got;
	int fd, parent, group, session;
	char state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	open_mark = strchr(text, '(');
	close_mark = strrchr(text, ')'); /* the name itself may hold brackets */
	if (!open_mark || !close_mark ||
	    sscanf(close_mark + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4)
		return false;
	*out_facts =
		(struct ath_process_facts){ .parent = parent, .session = session, .state = state };
	snprintf(out_facts->name, sizeof(out_facts->name), "%.*s",
		 (int)(close_mark - open_mark - 1), open_mark + 1);
	return true;
}

bool ath_process_has(const struct ath_process_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->pids[i] == pid)
			return true;
	return false;
}

static void remove_pid(struct ath_process_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->pids[i] == pid)
			list->pids[i--] = list->pids[--list->len];
}

struct children_reader {
	pid_t pid;
	struct ath_process_list *list;
};

/* A number may be cut at the end of what was read, so it is carried over to the next read. */
static bool read_children_of_thread(void *user, pid_t thread)
{
	struct children_reader *reader = user;
	struct ath_process_list *list = reader->list;
	char path[64], text[1024];
	pid_t number = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)reader->pid, (int)thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (got = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				number = number * 10 + (text[i] - '0');
				continue;
			}
			if (number && list->len < ATH_PROCESS_LIST)
				list->pids[list->len++] = number;
			number = 0;
		}
	}
	if (fd >= 0)
		close(fd);
	return list->len < ATH_PROCESS_LIST;
}

void ath_process_list_children(pid_t pid, struct ath_process_list *out_list)
{
	struct children_reader reader = { pid, out_list };
	char path[64];

	out_list->len = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	(void)each_number(path, read_children_of_thread, &reader); /* it may have ended */
}

static int open_environ(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool holds(int fd, const char *entry)
{
	size_t matched = 0, want = strlen(entry) + 1; /* with the NUL */
	bool is_candidate = true, is_found = false;
	char text[8192];
	ssize_t got;

	while (!is_found && (got = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < got && !is_found; i++) {
			is_candidate = is_candidate && text[i] == entry[matched];
			matched += is_candidate;
			is_found = matched == want;
			if (text[i] == '\0') {
				is_candidate = true;
				matched = 0;
			}
		}
	}
	return is_found;
}

bool ath_process_has_variable(pid_t pid, const char *entry)
{
	int fd = open_environ(pid);
	bool has_it = fd >= 0 && holds(fd, entry);

	if (fd >= 0)
		close(fd);
	return has_it;
}

/* A process and what it descends from, parents first. Cut at TREE_MAX; the next pass sees more. */
static void grow_tree(pid_t root, struct tree *tree)
{
	struct ath_process_list children;

	tree->len = 1;
	tree->items[0].pid = root;
	tree->items[0].parent = getpid();
	for (size_t i = 0; i < tree->len && tree->len < TREE_MAX; i++) {
		ath_process_list_children(tree->items[i].pid, &children);
		for (size_t k = 0; k < children.len && tree->len < TREE_MAX; k++) {
			tree->items[tree->len].pid = children.pids[k];
			tree->items[tree->len++].parent = tree->items[i].pid;
		}
	}
}

/* Signal a process that is not our child, unless its pid belongs to somebody else by now. */
static void signal_descendant(pid_t pid, pid_t parent, int signum)
{
	struct ath_process_facts facts;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool is_same;

	if (fd < 0 && errno != ENOSYS)
		return;
	/* its parent may have died of this very pass; a session leader could be a new step's root */
	is_same = ath_process_look(pid, &facts) &&
		  (facts.parent == parent || (facts.parent == getpid() && facts.session != pid));
	if (is_same) {
		if (fd >= 0)
			syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0);
		else
			kill(pid, signum); /* Linux before 5.3 */
	}
	if (fd >= 0)
		close(fd);
}

bool ath_process_signal_tree(pid_t child, int signum)
{
	struct tree tree;
	bool is_allowed;

	(void)ATH_FAIL(PROCESS_KILL, NULL);
	grow_tree(child, &tree);
	is_allowed = kill(child, signum) == 0 || errno != EPERM;
	for (size_t i = 1; i < tree.len; i++)
		signal_descendant(tree.items[i].pid, tree.items[i].parent, signum);
	return is_allowed;
}

static void pause_us(unsigned *us)
{
	struct timespec time = { 0, (long)*us * 1000 };

	nanosleep(&time, NULL);
	*us = *us * 2 < LAST_PAUSE_US ? *us * 2 : LAST_PAUSE_US;
}

/* Kill our children but the spared ones; false if there was none. */
static bool kill_children(struct ath_process_list *spared, pid_t *out_one)
{
	struct ath_process_list children;
	bool was_there = false;

	ath_process_list_children(getpid(), &children);
	for (size_t i = 0; i < children.len; i++) {
		if (ath_process_has(spared, children.pids[i]))
			continue;
		if (ath_process_signal_tree(children.pids[i], SIGKILL)) {
			*out_one = children.pids[i];
			was_there = true;
		} else if (spared->len < ATH_PROCESS_LIST) {
			spared->pids[spared->len++] =
				children.pids[i]; /* another user's: not ours to end */
		}
	}
	return was_there;
}

/* Reap what has ended; false once no child exists at all. */
static bool reap_children(struct ath_process_list *spared, bool *out_reaped)
{
	pid_t pid;

	*out_reaped = false;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		remove_pid(spared, pid);
		*out_reaped = true;
	}
	return pid == 0 || errno != ECHILD;
}

void ath_process_end_all(struct ath_process_list *spared, ath_process_stuck_fn *on_stuck)
{
	struct ath_process_list nobody = { .len = 0 };
	struct ath_mono since = ath_time_mono();
	struct ath_process_facts facts;
	unsigned pause = FIRST_PAUSE_US;
	bool has_reaped = false;
	pid_t one = 0;

	if (!spared)
		spared = &nobody;
	for (;;) {
		bool was_there = kill_children(spared, &one);

		if (!reap_children(spared, &has_reaped) || (!was_there && spared->len > 0))
			return;
		if (has_reaped) {
			pause = FIRST_PAUSE_US;
			continue;
		}
		pause_us(&pause); /* no event loop runs any more, or none ever did (warden) */
		if (on_stuck && ath_time_elapsed_ms(since) > STUCK_MS &&
		    ath_process_look(one, &facts)) {
			on_stuck(one, &facts);
			on_stuck = NULL;
		}
	}
}

static void list_ancestors(struct ath_process_list *out_list)
{
	struct ath_process_facts facts;
	pid_t pid = getpid();

	out_list->len = 0;
	while (pid > 0 && out_list->len < ANCESTORS_MAX) {
		out_list->pids[out_list->len++] = pid;
		pid = ath_process_look(pid, &facts) ? facts.parent : 0;
	}
}

struct sweep {
	const char *entry;
	int errnum; /* why a process could not be looked at, or 0 */
	struct ath_process_list ancestors;
	struct ath_process_list hit, hit_before; /* in this pass and in the one before */
	unsigned killed;
};

/* A process that has gone, or that is not ours to see, is none of the run's; one that we have no
 * descriptor to look at may be. True if `fd` could not be opened for such a reason. */
static bool is_blind(struct sweep *sweep, int fd)
{
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		sweep->errnum = errno;
	return sweep->errnum != 0;
}

static bool is_marked(struct sweep *sweep, pid_t pid)
{
	int fd = open_environ(pid);
	bool is_it = !is_blind(sweep, fd) && fd >= 0 && holds(fd, sweep->entry);

	if (fd >= 0)
		close(fd);
	return is_it;
}

static bool sweep_one(void *user, pid_t pid)
{
	struct sweep *sweep = user;
	long status = -1;
	int fd;

	if (ath_process_has(&sweep->ancestors, pid) || !is_marked(sweep, pid))
		return !sweep->errnum;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 && errno != ENOSYS)
		return !is_blind(sweep, fd);
	if (is_marked(sweep, pid))
		status = fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0)
				 : kill(pid, SIGKILL);
	if (fd >= 0)
		close(fd);
	if (status != 0)
		return !sweep->errnum;
	sweep->killed += !ath_process_has(&sweep->hit_before, pid);
	if (sweep->hit.len < ATH_PROCESS_LIST)
		sweep->hit.pids[sweep->hit.len++] = pid;
	return true;
}

bool ath_process_sweep(const char *entry, ath_process_stuck_fn *on_stuck, unsigned *out_killed,
		       struct ath_err *err)
{
	struct sweep sweep = { .entry = entry };
	struct ath_mono since = ath_time_mono();
	struct ath_process_facts facts;
	unsigned pause = FIRST_PAUSE_US;
	int quiet = 0;

	list_ancestors(&sweep.ancestors);
	while (quiet < QUIET_PASSES) {
		sweep.hit_before = sweep.hit;
		sweep.hit.len = 0;
		if (!each_number("/proc", sweep_one, &sweep) && !sweep.errnum)
			sweep.errnum = errno;
		if (sweep.errnum)
			return ath_err_sys(err, ATH_ERR_IO, sweep.errnum,
					   "cannot look for processes of an earlier run");
		quiet = sweep.hit.len ? 0 : quiet + 1;
		if (sweep.hit.len)
			pause_us(&pause);
		if (sweep.hit.len && on_stuck && ath_time_elapsed_ms(since) > STUCK_MS &&
		    ath_process_look(sweep.hit.pids[0], &facts)) {
			on_stuck(sweep.hit.pids[0], &facts);
			on_stuck = NULL;
		}
	}
	*out_killed = sweep.killed;
	return true;
}
