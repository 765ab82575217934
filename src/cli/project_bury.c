/* SPDX-License-Identifier: MIT */
/* cli/project_bury: what is to be done about runs that died, before anything is looked at. */
#include <string.h>

#include "base/failpoint.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/retention.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/cgroup.h"
#include "os/process.h"
#include "os/warden.h"

static void say_killed(unsigned count)
{
	struct ath_str text = { 0 };

	if (!count)
		return;
	ath_str_printf(&text, "athanor: ended %u process%s of an earlier run that died\n", count,
		       count == 1 ? "" : "es");
	ath_print_flush(&text, true);
}

/* Of another boot nothing can be alive. Where one of the two is not known, it may have been this one. */
static bool may_be_alive(const char *boot_id, const struct ath_replay_run *run)
{
	return strcmp(run->boot_id, boot_id) == 0 || ath_str_is(run->boot_id, "-") ||
	       ath_str_is(boot_id, "-");
}

/* By its group, where it had one, and by its mark: the group's members may have erased that. */
static bool end_processes(const char *mark, struct ath_err *err)
{
	struct ath_cgroup_place place;
	struct ath_str entry = { 0 };
	unsigned killed, marked = 0;
	bool is_swept;

	if (ATH_SABOTAGE("no-sweep"))
		return true;
	ath_cgroup_find_place(&place);
	killed = ath_cgroup_sweep(&place, mark, ath_warden_report_stuck);
	ath_str_printf(&entry, "ATHANOR_RUN=%s", mark);
	is_swept = ath_process_sweep(ath_str_get(&entry), ath_warden_report_stuck, &marked, err);
	ath_str_fini(&entry);
	say_killed(killed + marked);
	return is_swept;
}

/* No process of a run that died may live beside this one; its copies go, its row is closed. */
bool ath_project_bury_dead(struct ath_project *project, const char *boot_id, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	struct ath_replay_runs open;
	bool is_done = ath_replay_load_open(project->journal, &arena, &open, err);

	for (size_t i = 0; is_done && i < open.len; i++) {
		const struct ath_replay_run *run = &open.items[i];

		is_done = !may_be_alive(boot_id, run) || end_processes(run->mark, err);
		if (!is_done)
			break;
		ath_retention_sweep_run(project, run->mark);
		is_done = ath_journal_mark_dead(project->journal, run->id, err);
	}
	ath_arena_fini(&arena);
	return is_done;
}
