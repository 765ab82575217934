/* SPDX-License-Identifier: MIT */
/*
 * steps/restore: what the steps of a restore share. They are not in the graph of a recipe; the command
 * `restore` makes a graph of its own:
 *
 *	keep ──► restore ──► commit        the section "database"
 *	                       └──► audit
 *
 *	note             recorded by   fields
 *	restore.chosen   keep          which backup
 *	db.damaged       keep          where the bytes of a live file that cannot be read are kept
 *	db.restored      audit         at which revision the database now is
 */
#ifndef ATH_STEPS_RESTORE_H
#define ATH_STEPS_RESTORE_H

#include "base/field.h"
#include "sqlite/audit.h"
#include "trust/digest.h"

/* The configuration of keep, restore and audit alike. */
struct ath_restore_config {
	const char *backup; /* mark of the run that kept it */
	const char *image;  /* its file */
	const char *pages;  /* hash over its pages, as recorded */
	const char *rights; /* "MODE UID:GID" that the database had then, or NULL: not known */
	const char *known;  /* hashes of all states that hold nothing newer (ath_backups_follow) */
	const char *
		agreed; /* hash over the live pages when a person agreed, ATH_RESTORE_UNREAD; or NULL */
	bool discards_newer; /* whatever was written since is given up */
};

#define ATH_RESTORE_UNREAD "unread" /* in place of a hash over pages */

extern const struct ath_field ath_restore_fields[];

/* What is in the live database's place. */
enum ath_restore_place {
	ATH_RESTORE_SOUND,  /* a database, as far as can be told before its lock is taken */
	ATH_RESTORE_ABSENT, /* nothing, or a file without a byte */
	ATH_RESTORE_BROKEN, /* what SQLite cannot read, or what is not whole */
	ATH_RESTORE_PLACE_COUNT_
};

struct ath_restore_look {
	enum ath_restore_place place;
	bool is_audited;        /* of a sound one: `audit` is filled */
	bool is_half_written;   /* a crashed write waits to be rolled back */
	struct ath_audit audit; /* owned */
	char fault[200];        /* of a damaged one */
};

/*
 * Look at the live file, which nobody of ours has open. A crashed write that waits to be rolled back,
 * and a lock of another process, are for whoever opens it: SOUND, not audited.
 * Fails with: ATH_ERR_NOT_FOUND (its folder is not there), ATH_ERR_IO, ATH_ERR_REFUSED (no file).
 */
ATH_NODISCARD bool ath_restore_look(const char *path, const char *version_table, unsigned busy_ms,
				    struct ath_restore_look *out, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_restore_look_fini(struct ath_restore_look *look);

/* Is `hash` one of the hashes that `known` joins by commas? */
bool ath_restore_is_known(const char *known, const char *hash);

#endif
