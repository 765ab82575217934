/* SPDX-License-Identifier: MIT */
/*
 * steps/audit: a separate, read-only look at a database that was put back: can it be read, and at
 * which revision is it? That its pages are the backup's was read back under the lock (steps/commit).
 *
 * It leaves no record that later runs believe ("verified"): the code may be newer than the database,
 * and the next installation is to find that out.
 */
#include <stdlib.h>
#include <string.h>

#include "steps/database.h"
#include "steps/restore.h"
#include "steps/table.h"

struct audit {
	const struct ath_restore_config *config;
	const char *path, *version_table, *rows;
	unsigned busy_ms;
};

static bool check_rows(const struct audit *audit, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	struct ath_look look;
	const char *rows;

	if (!ath_look(audit->path, audit->version_table, audit->busy_ms, &look, err))
		return false;
	rows = ath_database_join(&(struct ath_texts){ look.rows, look.rows_len }, &arena);
	if (look.state == ATH_LOOK_LOCKED)
		ath_err_set(err, ATH_ERR_LOCKED, "'%s' is locked by another process", audit->path);
	else if ((look.state != ATH_LOOK_OK && look.state != ATH_LOOK_EMPTY) ||
		 strcmp(rows, audit->rows) != 0)
		ath_err_set(err, ATH_ERR_VERIFY,
			    "'%s' is %s with the version row '%s', and '%s' is what was put back",
			    audit->path, ath_look_state_name(look.state), rows, audit->rows);
	ath_look_fini(&look);
	ath_arena_fini(&arena);
	return err->code == ATH_ERR_OK;
}

static bool audit_work(void *data, struct ath_err *err)
{
	return check_rows(data, err);
}

static void on_audited(struct ath_step *step, const struct ath_err *err)
{
	const struct audit *audit = ath_step_data(step, sizeof(*audit));
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	ath_pairs_set(&pairs, "path", audit->path);
	ath_pairs_set(&pairs, "rows", audit->rows);
	ath_pairs_set(&pairs, "backup", audit->config->backup);
	ath_step_record(step, "db.restored", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

static void audit_start(struct ath_step *step)
{
	const struct ath_step_world *world = ath_step_world(step);
	struct audit *audit = ath_step_data(step, sizeof(*audit));
	struct ath_arena *arena = ath_step_arena(step);

	*audit = (struct audit){
		.config = ath_step_config(step),
		.path = ath_arena_strdup(arena, ath_pairs_get(world->facts, "database.path")),
		.version_table = ath_arena_strdup(
			arena, ath_pairs_get(world->facts, "database.version_table")),
		.rows = ath_arena_strdup(arena, ath_pairs_get(world->facts, "database.heads")),
		.busy_ms = (unsigned)world->lock_timeout_ms,
	};
	ath_step_work(step, audit_work, audit, on_audited);
}

static void audit_probe(const struct ath_step_world *world, const void *config,
			struct ath_step_look *out)
{
	(void)world, (void)config,
		(void)out; /* only a database that was just put back is looked at */
}

const struct ath_step_type ath_step_audit = {
	.name = "audit",
	.summary = "Look at the database that was put back, read-only, and say where it stands.",
	.fields = ath_restore_fields,
	.only_looks = true,
	.config_size = sizeof(struct ath_restore_config),
	.probe = audit_probe,
	.start = audit_start,
};
