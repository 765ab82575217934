/* SPDX-License-Identifier: MIT */
/* cli/folder: makes the state directory, and says in the application's folder where it is. */
#include "cli/folder.h"

#include <stdlib.h>
#include <string.h>

#include "os/file.h"

/* The folder keeps the lock in any case, and says where the rest is. */
static bool write_state_note(const struct ath_project *project, const char *own,
			     struct ath_err *err)
{
	char *note = ath_file_join(own, ATH_PROJECT_STATE_NOTE);
	struct ath_str text = { 0 };
	bool is_written = true;

	ath_str_printf(&text, "%s\n", project->state_dir);
	if (strcmp(own, project->state_dir) != 0)
		is_written = ath_file_replace(note, ath_str_get(&text), text.len, 0600, err);
	else if (ath_file_kind(note) != ATH_FILE_ABSENT)
		is_written = ath_file_remove_tree(note, err);
	ath_str_fini(&text);
	free(note);
	return is_written;
}

/* What we write and remove below the state directory must not be led elsewhere by a link. */
static bool check_links(const struct ath_project *project, const char *own, struct ath_err *err)
{
	static const char *const names[] = { "journal.db", "runs", "backups", "cache" };
	const char *found = ath_file_is_link(own) ? own : NULL;
	char *path = NULL;

	for (size_t i = 0; !found && i < sizeof(names) / sizeof(names[0]); i++) {
		free(path);
		path = ath_project_path(project, names[i]);
		if (ath_file_is_link(path))
			found = path;
	}
	if (found)
		ath_err_set(err, ATH_ERR_REFUSED,
			    "'%s' is a symbolic link, and state is kept in real folders only: use "
			    "--state-dir to keep it elsewhere",
			    found);
	free(path);
	return !found;
}

bool ath_folder_make_state(const struct ath_project *project, struct ath_err *err)
{
	char *ignore = ath_project_path(project, ".gitignore");
	char *own = ath_file_join(project->root, ".athanor");
	bool is_made = check_links(project, own, err) &&
		       ath_file_make_folders(project->state_dir, 0700, err) &&
		       ath_file_make_folders(own, 0700, err) && write_state_note(project, own, err);

	if (is_made && ath_file_kind(ignore) == ATH_FILE_ABSENT &&
	    !ath_file_create(ignore, "*\n", 2, 0600, err)) {
		is_made = err->code == ATH_ERR_EXISTS;
		if (is_made)
			ath_err_clear(err);
	}
	free(own);
	free(ignore);
	return is_made ||
	       ath_err_prefix(err, "the state directory '%s' cannot be used", project->state_dir);
}
