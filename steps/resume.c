/* SPDX-License-Identifier: MIT */
/* steps/resume: reads the notes of a section that was left open and compares the live file with them. */
#include "steps/resume.h"

#include <string.h>

#include "os/file.h"
#include "sqlite/recovery.h"
#include "sqlite/snapshot.h"
#include "steps/database.h"

/* Does the newest note of that name belong to the run? */
static bool is_ended_by(const struct ath_step_world *world, const char *note, const char *run)
{
	struct ath_pairs pairs = { 0 };
	bool is_of_run = world->find_note(world->notes, note, &pairs) &&
			 strcmp(ath_pairs_get(&pairs, "run"), run) == 0;

	ath_pairs_fini(&pairs);
	return is_of_run;
}

bool ath_resume_find(const struct ath_step_world *world, const char *path, struct ath_resume *out)
{
	static const char *const ends[] = { "section", "db.committed", "db.resumed" };
	struct ath_resume resume = { 0 };
	const char *run;
	bool is_open;

	*out = resume;
	is_open = world->find_note(world->notes, "db.open", &resume.open) &&
		  strcmp(ath_pairs_get(&resume.open, "path"), path) == 0;
	run = ath_pairs_get(&resume.open, "run");
	is_open = is_open && !ath_str_is(world->run, run);
	for (size_t i = 0; is_open && i < sizeof(ends) / sizeof(ends[0]); i++)
		is_open = !is_ended_by(world, ends[i], run);
	if (is_open)
		*out = resume;
	else
		ath_resume_fini(&resume);
	return is_open;
}

void ath_resume_judge_pages(struct ath_resume *resume, const char *pages)
{
	if (!resume->open.len)
		return;
	memcpy(resume->now, pages, strnlen(pages, sizeof(resume->now) - 1));
	resume->state = strcmp(pages, ath_pairs_get(&resume->open, "pages")) == 0 ? ATH_RESUME_NEW
			: strcmp(pages, ath_pairs_get(&resume->open, "old")) == 0
				? ATH_RESUME_OLD
				: ATH_RESUME_OTHER;
}

struct hashing {
	struct ath_digest *digest;
	struct ath_meter *meter;
	uint64_t total; /* bytes */
};

static bool add(void *user, uint64_t offset, const void *bytes, size_t len)
{
	struct hashing *hashing = user;

	ath_digest_add(hashing->digest, bytes, len);
	return ath_meter_move(hashing->meter, offset + len, hashing->total);
}

bool ath_resume_judge(struct ath_resume *resume, const struct ath_db_form *form,
		      const char *scratch, struct ath_meter *meter, struct ath_err *err)
{
	struct hashing hashing = { NULL, meter, ath_database_bytes(form->path) };
	char pages[ATH_DIGEST_TEXT];
	bool is_read;

	if (!resume->open.len || !hashing.total || ath_recovery_is_due(form->path))
		return true;
	hashing.digest = ath_digest_new();
	ath_meter_begin(meter, "comparing with what an earlier run has left", hashing.total);
	is_read = ath_snapshot_read_pages(form, scratch, add, &hashing, err);
	ath_meter_end(meter);
	if (is_read) {
		ath_digest_finish(hashing.digest, pages);
		ath_resume_judge_pages(resume, pages);
	}
	ath_digest_free(hashing.digest);
	return is_read;
}

static void say(struct ath_step *step, const struct ath_resume *resume)
{
	const char *run = ath_pairs_get(&resume->open, "run");
	const char *path = ath_pairs_get(&resume->open, "path");

	switch (resume->state) {
	case ATH_RESUME_OLD:
		ath_step_say(step, "run %s died before its commit: '%s' is as it was before it",
			     run, path);
		break;
	case ATH_RESUME_NEW:
		ath_step_say(step, "run %s died after its commit, which came through", run);
		break;
	case ATH_RESUME_OTHER:
		if (ath_pairs_find(&resume->open, "online"))
			ath_step_say(step,
				     "run %s died at its commit, and the application has written "
				     "since: what is there now counts",
				     run);
		else
			ath_step_say(step,
				     "WARNING: '%s' was changed by somebody else since run %s "
				     "died: it is "
				     "neither as that run found it nor as it was to leave it; what "
				     "is there "
				     "now counts",
				     path, run);
		break;
	case ATH_RESUME_NOTHING:
	case ATH_RESUME_COUNT_:
		break;
	}
}

void ath_resume_record(struct ath_step *step, const struct ath_resume *resume)
{
	static const char *const found[] = { "", "old", "new", "other" };
	struct ath_pairs pairs = { 0 };

	if (resume->state == ATH_RESUME_NOTHING)
		return;
	say(step, resume);
	ath_pairs_set(&pairs, "run", ath_pairs_get(&resume->open, "run"));
	ath_pairs_set(&pairs, "path", ath_pairs_get(&resume->open, "path"));
	ath_pairs_set(&pairs, "pages", resume->now);
	if (resume->state == ATH_RESUME_NEW)
		ath_step_record(step, "db.committed", &pairs, NULL);
	ath_pairs_set(&pairs, "found", found[resume->state]);
	ath_step_record(step, "db.resumed", &pairs, NULL);
	ath_pairs_fini(&pairs);
}

void ath_resume_open(struct ath_step *step, const struct ath_database_work *work)
{
	struct ath_pairs pairs = { 0 };

	ath_pairs_set(&pairs, "run", work->run);
	ath_pairs_set(&pairs, "path", work->path);
	ath_pairs_set(&pairs, "old", work->old.pages);
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_pairs_set(&pairs, "online", work->is_online ? "yes" : NULL);
	ath_step_record(step, "db.open", &pairs, NULL);
	ath_pairs_fini(&pairs);
}

void ath_resume_fini(struct ath_resume *resume)
{
	ath_pairs_fini(&resume->open);
	*resume = (struct ath_resume){ 0 };
}
