/* SPDX-License-Identifier: MIT */
/* steps/restore_look: what is in the place that a backup is to be put back to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "sqlite/look.h"
#include "steps/restore.h"

const struct ath_field ath_restore_fields[] = {
	ATH_FIELD_REQUIRED(ath_restore_config, backup, TEXT, "Mark of the run that kept it."),
	ATH_FIELD_REQUIRED(ath_restore_config, image, TEXT, "The file."),
	ATH_FIELD_REQUIRED(ath_restore_config, pages, TEXT, "Hash over its pages."),
	ATH_FIELD_REQUIRED(ath_restore_config, known, TEXT, "Hashes that hold nothing newer."),
	ATH_FIELD_OPTIONAL(ath_restore_config, rights, TEXT, "Mode and owner it had then."),
	ATH_FIELD_OPTIONAL(ath_restore_config, agreed, TEXT, "Hash that a person agreed to lose."),
	ATH_FIELD_OPTIONAL(ath_restore_config, discards_newer, BOOL, "Give up what is newer."),
	{ 0 },
};

static bool check_folder(const char *path, struct ath_err *err)
{
	char *folder = ath_file_parent(path);
	bool is_there = ath_file_kind(folder) == ATH_FILE_FOLDER;

	if (!is_there)
		ath_err_set(err, ATH_ERR_NOT_FOUND,
			    "the folder of '%s' is not there (is its volume mounted?); nothing was "
			    "changed",
			    path);
	free(folder);
	return is_there;
}

static void set_broken(struct ath_restore_look *look, const char *fault)
{
	look->place = ATH_RESTORE_BROKEN;
	snprintf(look->fault, sizeof(look->fault), "%.*s", (int)sizeof(look->fault) - 1, fault);
}

/* A database that can be opened, or what SQLite says of it. */
static bool audit(const char *path, const char *version_table, struct ath_restore_look *out,
		  struct ath_err *err)
{
	struct ath_err failure = { 0 };

	out->is_audited = ath_audit_read(path, version_table, &out->audit, &failure);
	if (out->is_audited && !out->audit.is_sound)
		set_broken(out, out->audit.fault);
	else if (failure.code == ATH_ERR_DATABASE)
		set_broken(out, failure.msg);
	else if (failure.code != ATH_ERR_OK && failure.code != ATH_ERR_LOCKED)
		*err = failure;
	return err->code == ATH_ERR_OK;
}

bool ath_restore_look(const char *path, const char *version_table, unsigned busy_ms,
		      struct ath_restore_look *out, struct ath_err *err)
{
	struct ath_look look;
	enum ath_file_kind kind = ath_file_kind(path);
	bool is_done = true;

	*out = (struct ath_restore_look){ 0 };
	if (!check_folder(path, err))
		return false;
	if (kind != ATH_FILE_REGULAR && kind != ATH_FILE_ABSENT)
		return ath_err_set(err, ATH_ERR_REFUSED, "'%s' is not a regular file", path);
	if (!ath_look(path, version_table, busy_ms, &look, err))
		return false;
	out->is_half_written = look.state == ATH_LOOK_RECOVERY;
	if (look.state == ATH_LOOK_MISSING || (look.state == ATH_LOOK_EMPTY && !look.bytes))
		out->place = ATH_RESTORE_ABSENT;
	else if (look.state != ATH_LOOK_LOCKED && look.state != ATH_LOOK_RECOVERY)
		is_done = audit(path, version_table, out, err);
	ath_look_fini(&look);
	return is_done;
}

void ath_restore_look_fini(struct ath_restore_look *look)
{
	ath_audit_fini(&look->audit);
	*look = (struct ath_restore_look){ 0 };
}

bool ath_restore_is_known(const char *known, const char *hash)
{
	return *hash && strstr(known, hash) != NULL;
}
