/* SPDX-License-Identifier: MIT */
/*
 * cli/restoration: which backup is to be put back where, and what would be lost by that.
 *
 * Gathered under the lock of the installation, before anything runs; nothing is changed. The steps
 * (steps/restore.h) decide the same again under the lock of the database.
 */
#ifndef ATH_CLI_RESTORATION_H
#define ATH_CLI_RESTORATION_H

#include "base/json.h"
#include "cli/project.h"
#include "engine/event.h"
#include "facts/backups.h"
#include "steps/restore.h"

struct ath_restoration {
	struct ath_arena arena;          /* owned */
	struct ath_backups backups;      /* owned */
	struct ath_restore_look look;    /* owned; what is in the database's place */
	struct ath_str losses;           /* owned; one line per table, for people */
	struct ath_project *project;     /* borrowed */
	const char *typed;               /* borrowed; how the backup was named */
	const struct ath_backup *chosen; /* of `backups` */
	const char *path;                /* where it goes; in `arena`, as all below */
	const char *version_table;
	const char *rows;   /* of its version table now, joined by commas; NULL: not known */
	const char *pages;  /* hash over those of the live database; "": not known */
	const char *agreed; /* what a person has agreed to lose (ath_restore_config), or NULL */
	bool is_same;       /* nothing is to be done */
	bool is_newer;      /* there may be something that was written since */
	bool discards_newer;
};

/*
 * Find the backup and look at the database; makes graph and plan of the restore in the project, none
 * if there is nothing to do. Fini in any case.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_USAGE (no such backup, or several), ATH_ERR_REFUSED (it is
 * damaged or missing), ATH_ERR_DECISION (the recipe names another database), ATH_ERR_LOCKED, ATH_ERR_IO, ...
 */
ATH_NODISCARD bool ath_restoration_gather(struct ath_restoration *restoration,
					  const struct ath_options *options, struct ath_err *err);

/* A person has agreed to what would be lost: make the plan again with that. */
ATH_NODISCARD bool ath_restoration_agree(struct ath_restoration *restoration,
					 const struct ath_options *options, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_restoration_fini(struct ath_restoration *restoration);

/* Append, for people: which backup goes where, and what would be lost. */
void ath_restoration_put(const struct ath_restoration *restoration, struct ath_str *out);

/* The member "backup" of a JSON object, and "newer". */
void ath_restoration_put_json(const struct ath_restoration *restoration, struct ath_json *json);

/* Append the last lines of a restore that came to a good end: where the database is now, what next. */
void ath_restoration_put_end(const struct ath_restoration *restoration,
			     const struct ath_report *report, struct ath_str *out);

#endif
