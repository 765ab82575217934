/* SPDX-License-Identifier: MIT */
/*
 * steps/migrate: runs the pending revisions on the clone, then verifies it (SAFETY.md 3.3).
 */
#include <string.h>

#include "steps/bridge_run.h"
#include "steps/database.h"
#include "steps/table.h"

struct migrate {
	struct ath_bridge_run bridge; /* first member, for its callbacks */
	struct ath_bridge_command command;
};

static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	if (reply->event == ATH_BRIDGE_SAYS_REVISION && ath_str_is(reply->state, "start"))
		ath_step_say(step, "revision %s", reply->revision);
}

/* The live file must be as it was when the lock was taken: a migration may have found a way to it. */
static bool check_live(struct ath_database_work *work, struct ath_err *err)
{
	bool is_unchanged;

	if (!ath_database_is_unchanged(work, &is_unchanged, err))
		return false;
	return is_unchanged ||
	       ath_err_set(
		       err, ATH_ERR_NEEDS_YOU,
		       "'%s' was changed while its copy was migrated; the state before is kept as "
		       "'%s'",
		       work->path, work->pre_image);
}

static bool verify_work(void *data, struct ath_err *err)
{
	struct ath_database_work *work = data;

	return check_live(work, err) && ath_database_verify(work, &work->before, err);
}

static void on_verified(struct ath_step *step, const struct ath_err *err)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_pairs_set(&pairs, "rows", work->heads);
	ath_step_record(step, "db.verified", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void on_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct ath_err err = *bridge_err;

	if (err.code == ATH_ERR_OK) {
		ath_step_work(step, verify_work, ath_step_section(step), on_verified);
		return;
	}
	ath_err_prefix(&err, "migrating a copy of the database");
	ath_step_fail(step, &err);
}

static void migrate_start(struct ath_step *step)
{
	struct migrate *migrate = ath_step_data(step, sizeof(*migrate));
	struct ath_database_work *work = ath_step_section(step);
	struct ath_err err = { 0 };

	migrate->command.verb = ATH_BRIDGE_UPGRADE;
	migrate->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.clone = work->clone,
		.live = work->path,
		.commands = &migrate->command,
		.len = 1,
		.on_reply = on_reply,
		.on_end = on_end,
	};
	if (!ath_bridge_run_start(step, &err))
		ath_step_fail(step, &err);
}

static void migrate_probe(const struct ath_step_world *world, const void *config,
			  struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* what is on a clone does not outlive its run */
}

const struct ath_step_type ath_step_migrate = {
	.name = "migrate",
	.summary = "Run the pending revisions on the copy and verify it.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.probe = migrate_probe,
	.start = migrate_start,
};
