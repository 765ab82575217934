/* SPDX-License-Identifier: MIT */
/* engine/run: the sections, opened by their first step, closed or abandoned as one. */
#include "engine/run.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/report.h"
#include "engine/run_parts.h"
#include "journal/journal.h"

struct ath_run_section *ath_run_find_section(const struct ath_run *run, size_t step)
{
	const char *name = run->in->spec->steps[step].section;

	ath_vec_each (&run->sections, one) {
		if (name && strcmp((*one)->type->name, name) == 0)
			return *one;
	}
	return NULL;
}

void ath_run_open_section(struct ath_run *run, size_t step)
{
	const char *name = run->in->spec->steps[step].section;
	struct ath_run_section *section;

	if (!name || ath_run_find_section(run, step))
		return;
	section = ath_mem_new(1, sizeof(*section));
	section->type = ath_step_find_section(run->in->table, name);
	section->step = step;
	section->run = run;
	section->work = section->type->open(run->in->world);
	*ath_vec_push(&run->sections) = section;
}

static bool section_work(void *user, struct ath_err *err)
{
	struct ath_run_section *section = user;

	return section->is_closing ? section->type->close(section->work, err)
				   : section->type->abandon(section->work, err);
}

static void on_section_done(void *user, const struct ath_err *err)
{
	struct ath_run_section *section = user;
	struct ath_run *run = section->run;
	const char *verdict = section->type->verdict(section->work);
	struct ath_pairs pairs = { 0 };

	snprintf(run->report->database, sizeof(run->report->database), "%s", verdict);
	if (err->code != ATH_ERR_OK)
		ath_report_fail(run->report, run->in->world->run_dir,
				ath_run_step_name(run, section->step), err);
	ath_pairs_set(&pairs, "section", section->type->name);
	ath_pairs_set(&pairs, "run", run->in->world->run);
	ath_pairs_set(&pairs, "end", section->is_closing ? "closed" : "abandoned");
	ath_pairs_set(&pairs, "database", verdict);
	ath_journal_add_note(run->in->journal, ath_run_step_name(run, section->step), "section",
			     &pairs);
	ath_pairs_fini(&pairs);
	ath_sched_section_settled(run->sched, section->step);
	ath_run_pump(run);
}

void ath_run_end_section(struct ath_run *run, const struct ath_run_after *after)
{
	struct ath_run_section *section = ath_run_find_section(run, after->step);

	if (!section) { /* no step of it came to its start */
		ath_sched_section_settled(run->sched, after->step);
		return;
	}
	section->is_closing = after->is_closing;
	ath_work_start(run->in->loop, section_work, on_section_done, section);
}
