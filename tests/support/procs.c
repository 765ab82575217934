/* SPDX-License-Identifier: MIT */
/* procs: what the tests of os/ look at. */
#include "procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool has_argument(const char *pid, const char *tag)
{
	char path[300], text[4096];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	for (ssize_t at = 0; at < got; at += (ssize_t)strlen(text + at) + 1)
		if (strcmp(text + at, tag) == 0)
			return true;
	return false;
}

static unsigned each_tagged(const char *tag, int signum)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;

	while (folder && (entry = readdir(folder))) {
		int pid = atoi(entry->d_name);

		if (pid <= 0 || pid == getpid() || !has_argument(entry->d_name, tag))
			continue;
		count++;
		if (signum)
			kill(pid, signum);
	}
	if (folder)
		closedir(folder);
	return count;
}

unsigned procs_count(const char *tag)
{
	return each_tagged(tag, 0);
}

void procs_wait_for(const char *tag, unsigned least)
{
	bool is_there = false;

	for (int i = 0; i < 500 && !is_there; i++) {
		is_there = procs_count(tag) >= least;
		if (!is_there)
			procs_sleep_ms(10);
	}
	assert_true(is_there);
}

void procs_kill(const char *tag)
{
	for (int quiet = 0; quiet < 3;)
		quiet = each_tagged(tag, SIGKILL) ? 0 : quiet + 1;
}

void procs_adopt(void)
{
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

void procs_assert_no_child(void)
{
	pid_t pid = 0;

	for (int i = 0; i < 200; i++) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		procs_sleep_ms(10);
	}
	fail_msg("a child is left");
}

unsigned procs_count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

const char *procs_new_tag(void)
{
	static char tag[64];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(tag, sizeof(tag), "tag-%d-%lld-%ld", (int)getpid(), (long long)now.tv_sec,
		 now.tv_nsec);
	return tag;
}

void procs_sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static void on_output(void *user, enum ath_child_stream stream, const char *bytes, size_t len)
{
	struct procs_child *self = user;
	size_t used = strlen(self->output[stream]);
	size_t room = sizeof(self->output[stream]) - 1 - used;
	bool is_first = self->amount[stream] == 0;

	memcpy(self->output[stream] + used, bytes, len < room ? len : room);
	self->amount[stream] += len;
	if (is_first && self->on_ready)
		self->on_ready(self);
}

static void on_done(void *user, const struct ath_child_result *result)
{
	struct procs_child *self = user;

	self->ends++;
	self->result = *result;
	self->child = NULL;
	if (self->tag)
		self->tagged_at_end = procs_count(self->tag);
	if (self->on_end)
		self->on_end(self);
}

struct ath_child_form procs_form(const char *const *argv, const struct ath_environ *environment,
				 struct procs_child *child)
{
	return (struct ath_child_form){
		.argv = argv,
		.environment = environment,
		.mark = "step",
		.on_output = on_output,
		.on_done = on_done,
		.user = child,
	};
}
