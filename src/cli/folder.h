/* SPDX-License-Identifier: MIT */
/*
 * cli/folder: makes the state directory, and says in the application's folder where it is.
 */
#ifndef ATH_CLI_FOLDER_H
#define ATH_CLI_FOLDER_H

#include "cli/project.h"

/*
 * Make both folders (0700) and what always lies in them; what is there stays.
 * Fails with: ATH_ERR_REFUSED (a part of it is a symbolic link), ATH_ERR_IO, ATH_ERR_EXISTS.
 */
ATH_NODISCARD bool ath_folder_make_state(const struct ath_project *project, struct ath_err *err);

#endif
