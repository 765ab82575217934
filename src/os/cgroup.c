/* SPDX-License-Identifier: MIT */
/*
 * os/cgroup: one control group (cgroup v2) per run, where this process may make one.
 *
 * Groups are folders: mkdir makes one, a pid written into `cgroup.procs` moves that process into it,
 * "1" written into `cgroup.kill` kills its members and those of all groups below it, `populated 0` in
 * `cgroup.events` says that nobody is left, rmdir removes it. A move waits for all processors (some
 * ms), so the run is moved once, and not each of its steps.
 */
#include "os/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "base/time.h"
#include "os/file.h"

enum {
	DEPTH_MAX = 24,     /* groups within groups that are looked at */
	TEXT_MAX = 1 << 20, /* bytes of a file of /proc/self that are read */
	STUCK_MS = 5000,    /* after this a killed process is called stuck */
	PAUSE_MS = 5,       /* between two looks at a group that is not empty yet */
	STALE_S = 60,       /* after this an empty group is nobody's */
	REMOVE_TRIES = 20,  /* a group may be busy for a moment after its last process */
};

/* "FOLDER/NAME" into `out`; false if it is too long. */
static bool join(const char *folder, const char *name, char out[ATH_CGROUP_PATH])
{
	return snprintf(out, ATH_CGROUP_PATH, "%s/%s", folder, name) < ATH_CGROUP_PATH;
}

/* ---- where we are ---- */

/* The octal escapes of mountinfo (space, tab, line end, backslash), undone in place. */
static void undo_escapes(char *text)
{
	char *out = text;

	for (; *text; text++) {
		bool is_escape = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;

		*out++ =
			is_escape
				? (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0')
				: *text;
		text += is_escape ? 3 : 0;
	}
	*out = '\0';
}

/* The path in the one line "0::PATH" of /proc/self/cgroup. */
static bool read_own(const char *cgroup, char out[ATH_CGROUP_PATH])
{
	const char *line = strncmp(cgroup, "0::", 3) == 0 ? cgroup : strstr(cgroup, "\n0::");
	size_t len;

	if (!line)
		return false;
	line = strstr(line, "0::") + 3;
	len = strcspn(line, "\n");
	if (*line != '/' || len >= ATH_CGROUP_PATH)
		return false;
	snprintf(out, ATH_CGROUP_PATH, "%.*s", (int)len, line);
	return true;
}

/* One line of mountinfo: a cgroup2 mount whose root our group is in? Then fill the place. */
static bool read_mount(char *line, const char *own, struct ath_cgroup_place *out)
{
	char *rest = NULL, *fields[5], *kind = strstr(line, " - ");
	size_t root_len;
	int len;

	if (!kind || strncmp(kind + 3, "cgroup2 ", 8) != 0)
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!(fields[i] = strtok_r(i ? NULL : line, " ", &rest)))
			return false;
	undo_escapes(fields[3]); /* what of the tree is mounted */
	undo_escapes(fields[4]); /* and where */
	root_len = strcmp(fields[3], "/") == 0 ? 0 : strlen(fields[3]);
	if (strncmp(own, fields[3], root_len) != 0 || (own[root_len] && own[root_len] != '/'))
		return false;
	own += root_len;
	len = snprintf(out->own, sizeof(out->own), "%s%s", fields[4],
		       strcmp(own, "/") == 0 ? "" : own);
	return len < ATH_CGROUP_PATH &&
	       snprintf(out->mount, sizeof(out->mount), "%s", fields[4]) < ATH_CGROUP_PATH;
}

bool ath_cgroup_read_place(const char *cgroup, const char *mountinfo,
			   struct ath_cgroup_place *out_place)
{
	char own[ATH_CGROUP_PATH], line[2 * ATH_CGROUP_PATH];

	*out_place = (struct ath_cgroup_place){ 0 };
	if (!read_own(cgroup, own) || strstr(own, "/.."))
		return false; /* outside of what this namespace sees */
	while (*mountinfo) {
		size_t len = strcspn(mountinfo, "\n");

		if (len < sizeof(line)) {
			snprintf(line, sizeof(line), "%.*s", (int)len, mountinfo);
			if (read_mount(line, own, out_place))
				return true;
		}
		mountinfo += len + (mountinfo[len] == '\n');
	}
	*out_place = (struct ath_cgroup_place){ 0 };
	return false;
}

void ath_cgroup_find_place(struct ath_cgroup_place *out_place)
{
	struct ath_str cgroup = { 0 }, mountinfo = { 0 };
	struct ath_err untold = { 0 }; /* without it there is no group, which is no failure */

	*out_place = (struct ath_cgroup_place){ 0 };
	if (ath_file_read("/proc/self/cgroup", TEXT_MAX, &cgroup, &untold) &&
	    ath_file_read("/proc/self/mountinfo", TEXT_MAX, &mountinfo, &untold))
		(void)ath_cgroup_read_place(ath_str_get(&cgroup), ath_str_get(&mountinfo),
					    out_place); /* empty: no group */
	ath_str_fini(&cgroup);
	ath_str_fini(&mountinfo);
}

/* ---- a group ---- */

static bool write_into(const char *folder, const char *name, const char *text)
{
	char path[ATH_CGROUP_PATH];
	int fd = join(folder, name, path) ? open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	bool is_written = fd >= 0 && ATH_ACT(CGROUP_WRITE, name, write(fd, text, strlen(text))) ==
					     (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_written;
}

/* What a file of a group says; empty if it cannot be read. */
static void read_from(const char *folder, const char *name, char *out, size_t cap)
{
	char path[ATH_CGROUP_PATH];
	int fd = join(folder, name, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	ssize_t got = fd >= 0 ? read(fd, out, cap - 1) : 0;

	out[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

void ath_cgroup_take_in(struct ath_cgroup *group, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	if (!*group->path || write_into(group->path, "cgroup.procs", text))
		return;
	(void)ATH_ACT(CGROUP_REMOVE, group->path, rmdir(group->path));
	*group->path = '\0';
}

void ath_cgroup_leave(const struct ath_cgroup *group)
{
	char above[ATH_CGROUP_PATH];

	if (!*group->path)
		return;
	memcpy(above, group->path, sizeof(above));
	*strrchr(above, '/') = '\0';
	write_into(above, "cgroup.procs", "0"); /* or the group stays, empty */
}

void ath_cgroup_kill(const struct ath_cgroup *group)
{
	if (*group->path)
		write_into(group->path, "cgroup.kill", "1"); /* what is left is found by /proc */
}

/* ---- groups within groups ---- */

typedef bool folder_fn(void *user, const char *path);

/* Call `fn` for each folder in `folder`, until it returns false. */
static bool each_folder(const char *folder, folder_fn *fn, void *user)
{
	char room[4096] __attribute__((aligned(8))), path[ATH_CGROUP_PATH];
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bool goes_on = fd >= 0;
	long got;

	while (goes_on && (got = syscall(SYS_getdents64, fd, room, sizeof(room))) > 0) {
		for (long at = 0; goes_on && at < got;) {
			const struct dirent64 *entry = (const void *)(room + at);

			if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			    join(folder, entry->d_name, path))
				goes_on = fn(user, path);
			at += entry->d_reclen;
		}
	}
	if (fd >= 0)
		close(fd);
	return goes_on;
}

/*
 * A group whose run was killed as it removed it, or before its journal knew of it. One with processes
 * is not removed by the kernel, and a young one may be about to get some.
 */
static bool remove_stale(void *unused, const char *path)
{
	struct stat facts;

	(void)unused;
	if (ath_str_has_prefix(strrchr(path, '/'), "/athanor-") && stat(path, &facts) == 0 &&
	    time(NULL) - facts.st_mtime > STALE_S)
		rmdir(path);
	return true;
}

void ath_cgroup_make(const struct ath_cgroup_place *place, const char *mark,
		     struct ath_cgroup *out_group)
{
	char path[ATH_CGROUP_PATH], name[80];

	*out_group = (struct ath_cgroup){ 0 };
	if (*place->own)
		each_folder(place->own, remove_stale, NULL);
	snprintf(name, sizeof(name), "athanor-%s", mark);
	if (!*place->own || !join(place->own, name, path) ||
	    ATH_ACT(CGROUP_MAKE, path, mkdir(path, 0700)))
		return;
	if (write_into(path, "cgroup.kill", "1")) /* of an empty group: is it there, may we? */
		memcpy(out_group->path, path, sizeof(path));
	else
		(void)ATH_ACT(CGROUP_REMOVE, path, rmdir(path));
}

/* A walk over a group and the groups below it. */
struct walk {
	int depth; /* below where it began, at most DEPTH_MAX */
	unsigned processes;
	const char *name; /* of the group that is looked for */
	struct ath_cgroup *found;
};

static bool remove_group(void *user, const char *path)
{
	struct walk *walk = user;

	if (++walk->depth < DEPTH_MAX)
		each_folder(path, remove_group, walk);
	walk->depth--;
	(void)ATH_ACT(CGROUP_REMOVE, path, rmdir(path));
	return true;
}

void ath_cgroup_remove(const struct ath_cgroup *group)
{
	struct timespec pause = { 0, PAUSE_MS * 1000000 };
	struct walk walk = { 0 };

	for (int i = 0; *group->path && i < REMOVE_TRIES; i++) {
		remove_group(&walk, group->path);
		if (access(group->path, F_OK) != 0)
			return;
		ath_cgroup_kill(group);
		nanosleep(&pause, NULL);
	}
}

static bool count_processes(void *user, const char *path)
{
	struct walk *walk = user;
	char name[ATH_CGROUP_PATH], text[4096];
	int fd = join(path, "cgroup.procs", name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < got; i++)
			walk->processes += text[i] == '\n';
	if (fd >= 0)
		close(fd);
	if (++walk->depth < DEPTH_MAX)
		each_folder(path, count_processes, walk);
	walk->depth--;
	return true;
}

static bool find_group(void *user, const char *path)
{
	struct walk *walk = user;

	if (strcmp(strrchr(path, '/') + 1, walk->name) == 0)
		memcpy(walk->found->path, path, strlen(path) + 1);
	else if (++walk->depth < DEPTH_MAX)
		each_folder(path, find_group, walk);
	walk->depth -= !*walk->found->path;
	return !*walk->found->path;
}

/* ---- the sweep ---- */

/* Is this process in the group, or in one below it? */
static bool is_within(const struct ath_cgroup_place *place, const struct ath_cgroup *group)
{
	size_t len = strlen(group->path);

	return strncmp(place->own, group->path, len) == 0 &&
	       (place->own[len] == '\0' || place->own[len] == '/');
}

static bool is_populated(const struct ath_cgroup *group)
{
	char text[256];

	read_from(group->path, "cgroup.events", text, sizeof(text));
	return strstr(text, "populated 1") != NULL;
}

/* Some process of the group that can be looked at. */
static void report(const struct ath_cgroup *group, ath_process_stuck_fn *on_stuck)
{
	struct ath_process_facts facts;
	char text[256];
	pid_t pid;

	read_from(group->path, "cgroup.procs", text, sizeof(text));
	pid = (pid_t)strtol(text, NULL, 10);
	if (pid > 0 && ath_process_look(pid, &facts))
		on_stuck(pid, &facts);
}

static void wait_until_empty(const struct ath_cgroup *group, ath_process_stuck_fn *on_stuck)
{
	struct timespec pause = { 0, PAUSE_MS * 1000000 };
	struct ath_mono since = ath_time_mono();

	while (is_populated(group)) {
		ath_cgroup_kill(group);
		nanosleep(&pause, NULL);
		if (on_stuck && ath_time_elapsed_ms(since) > STUCK_MS) {
			report(group, on_stuck);
			on_stuck = NULL;
		}
	}
}

unsigned ath_cgroup_sweep(const struct ath_cgroup_place *place, const char *mark,
			  ath_process_stuck_fn *on_stuck)
{
	struct ath_cgroup group = { 0 };
	char name[80];
	struct walk walk = { .name = name, .found = &group };

	snprintf(name, sizeof(name), "athanor-%s", mark);
	if (*place->mount)
		each_folder(place->mount, find_group, &walk);
	if (!*group.path || is_within(place, &group))
		return 0;
	walk.depth = 0;
	count_processes(&walk, group.path);
	ath_cgroup_kill(&group);
	wait_until_empty(&group, on_stuck);
	ath_cgroup_remove(&group);
	return walk.processes;
}
