/* SPDX-License-Identifier: MIT */
/*
 * steps/database: what the steps around the database share: their configuration, the names of their
 * facts and notes, and the work that the section `database` hands from step to step.
 *
 *	fact                    set by          meaning
 *	database                detect          fresh, existing
 *	database.path           detect          the file, absolute, without links
 *	database.verified       the probes      yes: the record "verified" holds, as was just seen
 *	database.work           detect          none, init, upgrade
 *	database.rows           detect          rows of the version table, joined by commas
 *	database.heads          detect          the rows at the end of the run, likewise
 *	database.pending        detect          revisions that are still pending at the end of the run
 *	database.decided        detect          what the evidence decides (steps/decision); may be empty
 *	database.doubt          detect          what the schema says against the operator's word; may be empty
 *	database.outrun         commit          yes: the application has written since the copy was made
 *	database.recovered      backup          copy of the files before an interrupted write was rolled back
 *	database.rehearsal      migrate         of a repair: works, or why the upgrade would fail
 *	database.version_table  detect
 *
 *	note         recorded by     fields
 *	target       detect          path, version_table, locations: what env.py said
 *	db.recovered backup          copies of the files before an interrupted write is rolled back
 *	db.open      backup, commit  page hashes before and after the section (steps/resume)
 *	db.resumed   detect, backup  how the live database was found after a run that died (steps/resume)
 *	db.locked    backup          identity and hashes of the live database when our lock was taken
 *	db.saved     backup          file and hash of the pre-image, kept in backups/pre-RUN.db
 *	db.verified  migrate, init   page hash of what is about to be committed
 *	db.committed commit          page hash of what is live now
 *	verified     verify          identity, rows, schema and chain of the last verified state
 */
#ifndef ATH_STEPS_DATABASE_H
#define ATH_STEPS_DATABASE_H

#include "engine/step.h"
#include "facts/chain.h"
#include "sqlite/audit.h"
#include "sqlite/live.h"
#include "sqlite/look.h"
#include "sqlite/online.h"
#include "trust/digest.h"

/* The configuration of detect, init, backup, repair, migrate, commit and verify alike. */
struct ath_database_config {
	const char *alembic; /* alembic.ini or pyproject.toml */
	const char *section;
	const char *url; /* as written, with ${...}; NULL: env.py is asked */
	const char *venv;
	const char *env_file; /* or NULL */
	struct ath_texts init_run;
	const char *init_in;
};

extern const struct ath_field ath_database_fields[];

/* Hashes of the live database at one moment. */
struct ath_database_hashes {
	char main[ATH_DIGEST_TEXT]; /* SHA-256 of the main file */
	char wal[ATH_DIGEST_TEXT];  /* of a -wal; "" if there is none */
	char pages
		[ATH_DIGEST_TEXT]; /* of the main file with the bytes masked that a commit changes */
};

/* What the section owns. Touched by one step at a time, on the loop's thread or by its work. */
struct ath_database_work {
	char *path;                     /* owned; the live file */
	char *clone;                    /* owned; the copy that is migrated, or the scratch file */
	char *pre_image;                /* owned */
	char *run;                      /* owned; mark of the run */
	char *version_table;            /* owned */
	char *heads;                    /* owned; joined by commas */
	struct ath_live *live;          /* owned; while the lock is held */
	struct ath_online *online;      /* owned; instead, where the application goes on using it */
	void *backup;                   /* of the step backup, in its arena */
	struct ath_meter meter;         /* of the blocking work that is going on */
	struct ath_audit before, after; /* owned */
	struct ath_database_hashes old; /* when the lock was taken */
	char new_pages[ATH_DIGEST_TEXT]; /* of what is about to be committed; "" before */
	uint64_t lock_timeout_ms;
	bool allow_row_loss; /* the operator means it */
	bool keeps_none;     /* --no-backup: there is no pre-image */
	bool is_restore;     /* of a backup; nothing is migrated */
	bool is_unread;      /* the live file is damaged: its bytes are kept, as `raw` says */
	bool has_made_file; /* nothing was in its place: the file is ours until it is committed to */
	char *raw;          /* owned; where those bytes are kept, or NULL */
	bool was_absent;    /* no file was there when the section was opened */
	bool is_fresh;      /* there is no live database yet */
	bool is_committed;  /* read back and found to be the new state */
	bool is_write_begun; /* the commit was begun */
	bool is_online;      /* no lock until the commit (SAFETY.md 3.4) */
	bool is_outrun;      /* somebody has written since the copy, so nothing was committed */
	const char *verdict; /* static text */
};

/*
 * Hash the bytes of main file and -wal alone, under the lock: all that can be had of a damaged one.
 * `pages` is "".
 */
ATH_NODISCARD bool ath_database_hash_bytes(struct ath_database_work *work,
					   struct ath_database_hashes *out, struct ath_err *err);

/*
 * The page hash of the live database, which nobody of ours has open; its lock is taken for that and
 * given up again, and its bytes stay as they are. `scratch` is the name of a file that may be made.
 * Fails with: as ath_live_open.
 */
ATH_NODISCARD bool ath_database_hash_live(const char *path, const char *scratch, unsigned busy_ms,
					  char out_text[ATH_DIGEST_TEXT], struct ath_err *err);

/*
 * The same of a database whose last write a crash cut off, as it will be once that is rolled back: read
 * from a copy at `scratch`, so its bytes stay as they are. "" if that cannot be told: the write was one
 * over several files, or the copy is damaged.
 * Fails with: as ath_recovery_copy.
 */
ATH_NODISCARD bool ath_database_hash_half_written(const char *path, const char *scratch,
						  unsigned busy_ms, char out_text[ATH_DIGEST_TEXT],
						  struct ath_err *err);

enum {
	ATH_DATABASE_KEPT_TEXT =
		200, /* bytes of what ath_database_say_kept says; longer names are cut */
};

/* "the state before is kept as 'FILE'", or that it is not; in `buffer`. */
const char *ath_database_say_kept(const struct ath_database_work *work, char *buffer, size_t size);

/* Hash the live database under its lock. */
ATH_NODISCARD bool ath_database_hash(struct ath_database_work *work,
				     struct ath_database_hashes *out, struct ath_err *err);

/* Is the file that is locked still the one that the path names, or was it removed or replaced? */
bool ath_database_is_in_place(const struct ath_database_work *work);

/* Are main file and -wal of the live database in their place, as they were when the lock was taken? */
ATH_NODISCARD bool ath_database_is_unchanged(struct ath_database_work *work, bool *out_is,
					     struct ath_err *err);

/* The page hash of a copy, which has been settled. */
ATH_NODISCARD bool ath_database_hash_copy(struct ath_database_work *work, const char *path,
					  char out_text[ATH_DIGEST_TEXT], struct ath_err *err);

/*
 * Copy the live database, as it was when its lock was taken (online: as it is now, which takes the token
 * of this moment), to a new file that is still to be settled.
 */
ATH_NODISCARD bool ath_database_copy_live(struct ath_database_work *work, const char *to,
					  struct ath_err *err);

/* Copy a database file of our own making to a new file; `meter` may be NULL. */
ATH_NODISCARD bool ath_database_copy_file(const char *from, const char *to, struct ath_meter *meter,
					  struct ath_err *err);

/* Audit a copy (sqlite/audit). */
ATH_NODISCARD bool ath_database_audit(struct ath_database_work *work, const char *path,
				      struct ath_audit *out, struct ath_err *err);

/* What the live database was like when it was opened; borrowed. */
const struct ath_live_traits *ath_database_traits(const struct ath_database_work *work);

/* Bytes of a file; 0 if there is none. */
uint64_t ath_database_bytes(const char *path);

/* Remove such a file, and what SQLite may have left beside it. */
ATH_NODISCARD bool ath_database_remove_copy(const char *path, struct ath_err *err);

/*
 * Check the file that is about to become the live database: settled, sound, its version rows are
 * the heads of the graph, and nothing is worse than in `before` (NULL: there was nothing). Fills
 * work->after and work->new_pages.
 */
ATH_NODISCARD bool ath_database_verify(struct ath_database_work *work,
				       const struct ath_audit *before, struct ath_err *err);

/* Join texts by commas, in the arena; the order is kept. */
const char *ath_database_join(const struct ath_texts *texts, struct ath_arena *arena);

/*
 * What a database's URL is without asking the application: from the recipe, with values from the
 * environment and the env file. Appends nothing if the recipe names none.
 * Fails with: ATH_ERR_RECIPE (positioned only by text).
 */
ATH_NODISCARD bool ath_database_url(const struct ath_step_world *world,
				    const struct ath_database_config *config, struct ath_str *out,
				    bool *out_from_variable, struct ath_err *err);

/* The application's environment with every variable that names the live database naming `clone`. */
void ath_database_environ(const struct ath_step_world *world,
			  const struct ath_database_config *config, const char *live,
			  const char *clone, struct ath_environ *out);

/* Where the project's Alembic files are, with folders that an earlier run learned; in the arena. */
struct ath_facts_chain_place ath_database_chain_place(const struct ath_step_world *world,
						      const struct ath_database_config *config,
						      struct ath_arena *arena);

extern const struct ath_section_type ath_section_database;

#endif
