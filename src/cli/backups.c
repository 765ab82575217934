/* SPDX-License-Identifier: MIT */
/* cli/backups: the copies of the database that runs have kept, newest first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/project.h"
#include "cli/result.h"
#include "facts/backups.h"

static void put_size(uint64_t bytes, struct ath_str *out)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;
	uint64_t tenths = bytes * 10;

	while (tenths >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1024;
		unit++;
	}
	if (unit)
		ath_str_printf(out, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
			       units[unit]);
	else
		ath_str_printf(out, "%" PRIu64 " B", bytes);
}

static void put_row(const struct ath_backups *backups, const struct ath_backup *backup,
		    struct ath_str *out)
{
	struct ath_str at = { 0 }, size = { 0 };

	ath_time_put_wall(&at, (struct ath_wall){ backup->at_ms });
	put_size(backup->bytes, &size);
	ath_str_printf(out, "%-*.*s  %s  %10s  %-8s  %-8s  ", (int)backups->digits,
		       (int)backups->digits, backup->mark, ath_str_get(&at),
		       backup->state == ATH_BACKUP_MISSING ? "-" : ath_str_get(&size),
		       ath_backup_state_name(backup->state), backup->command);
	ath_str_put_clean(out, *backup->rows ? backup->rows : "-",
			  *backup->rows ? strlen(backup->rows) : 1);
	ath_str_puts(out, "  ");
	ath_str_put_clean(out, backup->of, strlen(backup->of));
	ath_str_putc(out, '\n');
	ath_str_fini(&at);
	ath_str_fini(&size);
}

static void print_text(const struct ath_project *project, const struct ath_backups *backups)
{
	struct ath_str text = { 0 };
	char *command = ath_project_command(project, "restore ID");

	if (!backups->len)
		ath_str_printf(&text, "no backup has been kept in %s\n", project->state_dir);
	else
		ath_str_printf(&text, "%-8s  %-24s  %10s  %-8s  %-8s  %s\n", "ID", "kept at",
			       "size", "state", "by", "revision  database");
	for (size_t i = 0; i < backups->len; i++)
		put_row(backups, &backups->items[i], &text);
	if (backups->len)
		ath_str_printf(&text, "\n%s puts one back\n", command);
	free(command);
	ath_print_flush(&text, false);
}

static void put_backup(const struct ath_backup *backup, struct ath_json *json)
{
	struct ath_str at = { 0 };

	ath_time_put_wall(&at, (struct ath_wall){ backup->at_ms });
	ath_json_open(json, '{');
	ath_json_put_text(json, "id", backup->mark);
	ath_json_put_text(json, "at", ath_str_get(&at));
	ath_json_put_text(json, "by", backup->command);
	ath_json_put_text(json, "state", ath_backup_state_name(backup->state));
	ath_json_put_text(json, "fault", backup->fault[0] ? backup->fault : NULL);
	ath_json_put_int(json, "bytes", (int64_t)backup->bytes);
	ath_json_put_text(json, "revision", *backup->rows ? backup->rows : NULL);
	ath_json_put_text(json, "database", backup->of);
	ath_json_put_text(json, "file", backup->file);
	ath_json_close(json, '}');
	ath_str_fini(&at);
}

static void print_json(const struct ath_project *project, const struct ath_backups *backups)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_key(&json, "backups");
	ath_json_open(&json, '[');
	for (size_t i = 0; i < backups->len; i++)
		put_backup(&backups->items[i], &json);
	ath_json_close(&json, ']');
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

static int backups_run(const struct ath_options *options)
{
	struct ath_project project;
	struct ath_backups backups = { 0 };
	struct ath_err err = { 0 };
	int status = 0;

	if (!ath_project_open_state(&project, options, &err) ||
	    !ath_project_look_at_journal(&project, &err) ||
	    !ath_backups_load(project.journal, project.state_dir, &backups, &err)) {
		status = ath_print_error(&err, ath_str_get(&project.text));
	} else {
		for (size_t i = 0; i < backups.len; i++)
			ath_backup_check(&backups.items[i]);
		if (options->json)
			print_json(&project, &backups);
		else
			print_text(&project, &backups);
	}
	ath_backups_fini(&backups);
	ath_project_fini(&project);
	return status;
}

const struct ath_command ath_cmd_backups = {
	.name = "backups",
	.operands = "[DIR]",
	.summary = "List the copies of the database that were kept before each change.",
	.takes_dir = true,
	.run = backups_run,
};
