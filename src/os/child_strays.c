/* SPDX-License-Identifier: MIT */
/*
 * os/child: the strays, which are orphans that we have adopted.
 *
 * A stray belongs to the child whose session it is in, else to the only child with its mark, else to
 * the only child there is. When the root of its child has exited, it is killed at once. Its death, or
 * that of the process it turned into, is a SIGCHLD again, so the scan repeats until none is left.
 */
#include "os/child_parts.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"

static bool is_root(const struct ath_children *children, pid_t pid)
{
	for (struct ath_child *child = children->first; child; child = child->next)
		if (!child->has_exited && child->pid == pid)
			return true;
	return false;
}

bool ath_child_has_strays(const struct ath_child *child)
{
	ath_vec_each (&child->children->strays, stray)
		if (stray->owner == child)
			return true;
	return false;
}

/* The numbers of the kernel's list. One may be cut at the end of a read: it is carried over. */
void ath_child_list_all(struct ath_children *children)
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
static bool reap_stray(struct ath_stray *stray)
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

void ath_child_update_strays(struct ath_children *children)
{
	ath_vec_each (&children->listed, pid)
		if (!is_root(children, *pid) && !is_known_stray(children, *pid))
			*ath_vec_push(&children->strays) = (struct ath_stray){ .pid = *pid };
	for (size_t i = 0; i < children->strays.len; i++) {
		struct ath_stray *stray = &children->strays.items[i];

		if (!stray->owner && !stray->is_foreign)
			stray->owner = find_owner(children, stray->pid);
		if (reap_stray(stray))
			*stray = children->strays.items[--children->strays.len], i--;
	}
}

/* End the strays of a child, or those of no child. */
void ath_child_signal_strays(struct ath_children *children, const struct ath_child *owner,
			     int signum)
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
