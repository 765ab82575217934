/* SPDX-License-Identifier: MIT */
/*
 * os/cgroup: one control group (cgroup v2) per run, where this process may make one (SAFETY.md 4.5).
 *
 * The orchestrator is put into it, so each process of the run is in it by birth and cannot leave it
 * by any fork, session or environment. With it even a run whose warden and orchestrator were both
 * killed is ended whole. Where there is no cgroup v2, or it may not be written to, or the kernel has
 * no cgroup.kill (before 5.14), the group's path stays empty and everything here does nothing.
 * No allocation and no library in what the warden calls: kill, take_in, remove.
 */
#ifndef ATH_OS_CGROUP_H
#define ATH_OS_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "os/process.h"

enum {
	ATH_CGROUP_PATH = 1024, /* bytes of a path, with the NUL; a longer one is not used */
};

/* Where groups are; both are absolute paths, or empty. */
struct ath_cgroup_place {
	char mount[ATH_CGROUP_PATH]; /* the top of what can be seen of the tree */
	char own[ATH_CGROUP_PATH];   /* the group of this process */
};

/* A group; an empty path: there is none. */
struct ath_cgroup {
	char path[ATH_CGROUP_PATH];
};

/*
 * Read the place out of the contents of /proc/self/cgroup and /proc/self/mountinfo (cgroups(7),
 * proc(5)); false, with both paths empty, if they do not tell.
 */
bool ath_cgroup_read_place(const char *cgroup, const char *mountinfo,
			   struct ath_cgroup_place *out_place);

/* The place of this process. */
void ath_cgroup_find_place(struct ath_cgroup_place *out_place);

/*
 * Make the group of the run `mark` below our own; its path stays empty if that cannot be. Removes
 * empty groups of runs beside it that are older than a minute.
 */
void ath_cgroup_make(const struct ath_cgroup_place *place, const char *mark,
		     struct ath_cgroup *out_group);

/* Put a process into the group, with what it will fork; if that fails, remove the group. */
void ath_cgroup_take_in(struct ath_cgroup *group, pid_t pid);

/* Go back to the group above, so that the group can be removed. */
void ath_cgroup_leave(const struct ath_cgroup *group);

/* Kill every process in it. */
void ath_cgroup_kill(const struct ath_cgroup *group);

/* Remove it with the groups that were made in it. One that still has a process stays. */
void ath_cgroup_remove(const struct ath_cgroup *group);

/*
 * Kill what is in the group of a run that died, wait until it is empty, and remove it. A group that
 * this process is in itself is left alone. Returns how many processes it held. Blocks. `on_stuck`
 * may be NULL.
 */
unsigned ath_cgroup_sweep(const struct ath_cgroup_place *place, const char *mark,
			  ath_process_stuck_fn *on_stuck);

#endif
