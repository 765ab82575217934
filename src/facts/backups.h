/* SPDX-License-Identifier: MIT */
/*
 * facts/backups: the copies of the database that runs have kept (pre-images), as the journal records
 * them and as they lie in the state directory now. Reads only.
 *
 * A backup is known by its record (note "db.saved") and lies in backups/pre-MARK.db, where MARK is that
 * of the run that kept it. It is whole if the hash over its pages is the recorded one. A record without
 * a file counts as missing only if a backup must be there: its run has committed, and none has removed
 * it since (note "db.removed"); a run that left the live database as it was keeps no copy of it.
 */
#ifndef ATH_FACTS_BACKUPS_H
#define ATH_FACTS_BACKUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct ath_journal;

enum {
	ATH_BACKUP_MARK = 16, /* hexadecimal digits of a run's mark in a file's name */
};

/*
 * Is this the name of a copy in backups/ that a run has not finished, or of what SQLite keeps beside
 * one? They are "pre-MARK.db.partial", "raw-MARK-2.db-journal.partial", "damaged-MARK.db.partial-wal"
 * and the like; any other name is not ours. Pure.
 */
bool ath_backup_is_partial(const char *name);

enum ath_backup_state {
	ATH_BACKUP_UNCHECKED, /* a file of that name is there */
	ATH_BACKUP_WHOLE,
	ATH_BACKUP_DAMAGED,
	ATH_BACKUP_MISSING,
	ATH_BACKUP_STATE_COUNT_
};

struct ath_backup {
	const char *mark;    /* of the run that kept it */
	const char *command; /* of that run */
	const char *file;    /* absolute; where it lies or should */
	const char *of;      /* absolute path of the database it is of */
	const char *was;     /* that path as recorded: another one if the folder was moved since */
	const char *pages;   /* hash over its pages, as recorded */
	const char *rows;    /* of its version table, joined by commas; "" if it had none */
	const char *rights;  /* "MODE UID:GID" of the database then ("0640 0:0"), or NULL */
	const char *made;    /* hash over the pages that its run then put into place, or NULL */
	int64_t at_ms;       /* when it was kept, since 1970 */
	uint64_t bytes;      /* 0 if missing */
	bool is_needed;      /* its run could not put things back: it says that this is kept */
	enum ath_backup_state state;
	char fault[160]; /* of a damaged one */
};

struct ath_backups {
	struct ath_arena arena;   /* owns everything below */
	struct ath_backup *items; /* newest first */
	size_t len;
	size_t digits; /* of a mark that tell all of them apart, at least 8 */
};

/*
 * All of them, unchecked. `journal` may be NULL: there are none. Fini in any case.
 * Fails with: ATH_ERR_JOURNAL, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_backups_load(struct ath_journal *journal, const char *state_dir,
				    struct ath_backups *out, struct ath_err *err);

/* Release; zeroed afterwards. */
void ath_backups_fini(struct ath_backups *backups);

/* Read a backup whole and set its state; costs a read of the file. */
void ath_backup_check(struct ath_backup *backup);

/* The place of what "last" means; `len` if there is none. */
size_t ath_backups_find_last(const struct ath_backups *backups);

/* Name of a state: whole, damaged, missing, unchecked; static text. */
const char *ath_backup_state_name(enum ath_backup_state state);

/*
 * The backup that `text` names: the beginning of a mark that no other has, at least 4 digits, or "last",
 * the state before the last change that was not a restore. So "last" means the same when it is typed
 * again: what a restore has kept is named by its mark alone.
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_USAGE (more than one: names them).
 */
ATH_NODISCARD bool ath_backups_find(const struct ath_backups *backups, const char *text,
				    size_t *out_idx, struct ath_err *err);

/*
 * The hashes of all states that the backup has come to without anybody writing but runs of ours: its
 * own, what its run made of it, what a later run made of that, and so on; joined by commas, in `arena`.
 * What a restore has put back counts only if that state was kept before the backup was, or with it.
 * A live database whose pages have one of them holds nothing that was written since.
 */
const char *ath_backups_follow(const struct ath_backups *backups, size_t idx,
			       struct ath_arena *arena);

#endif
