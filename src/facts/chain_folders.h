/* SPDX-License-Identifier: MIT */
/*
 * facts/chain_folders: where the revision files of a project are, as far as its ini says it
 * literally, and which files that is.
 *
 * Only the modules of facts/chain use it.
 */
#ifndef ATH_FACTS_CHAIN_FOLDERS_H
#define ATH_FACTS_CHAIN_FOLDERS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "os/file.h"

struct ath_facts_chain_place;

/* Folders of one environment, absolute; their names are in the arena of the call. */
struct ath_facts_folders {
	ATH_VEC(const char *) versions; /* owned array */
	const char *script;             /* NULL: the ini does not tell */
	const char *obstacle;           /* why the ini does not tell all of it, or NULL */
	bool is_recursive;
	bool is_below_script; /* the only version folder is the script folder's own */
	bool may_be_compiled; /* revisions need not be sources */
};

/* Files of such folders; their names are in the arena of the call. */
struct ath_facts_files {
	ATH_VEC(const char *) files;            /* owned array; by folder, then by name */
	ATH_VEC(struct ath_file_stamp) folders; /* owned array; of each folder that was read */
};

/*
 * Read the ini for the folders; what a place knows already is used where the ini has an obstacle. `out`
 * is the caller's, zeroed, and to be released in any case.
 * Fails with: as alembic/ini_file; ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_facts_folders_find(const struct ath_facts_chain_place *place,
					  struct ath_arena *arena, struct ath_facts_folders *out,
					  struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_facts_folders_fini(struct ath_facts_folders *folders);

/* The folder in which `alembic` has to be typed (ath_facts_chain_cwd). */
const char *ath_facts_folders_find_cwd(const struct ath_facts_chain_place *place,
				       struct ath_arena *arena);

/*
 * All revision files; a folder that is not there has none. `out` is the caller's, zeroed, and to be
 * released in any case.
 * Fails with: ATH_ERR_LIMIT (over ATH_SCAN_FILES_MAX), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_facts_folders_list(const struct ath_facts_folders *folders,
					  struct ath_arena *arena, struct ath_facts_files *out,
					  struct ath_err *err);

/* The same of every file in and below the folders but hidden and compiled ones. */
ATH_NODISCARD bool ath_facts_folders_list_every(const struct ath_facts_folders *folders,
						struct ath_arena *arena,
						struct ath_facts_files *out, struct ath_err *err);

/* Release. */
void ath_facts_files_fini(struct ath_facts_files *files);

#endif
