/* SPDX-License-Identifier: MIT */
/*
 * steps/room: is there space for what a migration writes, and a file system to rely on (SAFETY.md,
 * protocol P, step 0)?
 *
 *	place                   in multiples of database and -wal
 *	the database's folder   2   the commit's journal or -wal, and what the database grows by
 *	the state directory     3   pre-image, copy, and the copy's own journal while it is migrated
 *	SQLite's temporary one  1   what a statement sorts or keeps to be able to undo itself
 *
 * Places of one file system share it, so there the sum counts; 4 is the most that is in use at one
 * time, as the copy's journal has gone when that of the commit comes. To it come 64 MiB, and, where an
 * interrupted write must be rolled back, the copy of the files before that.
 */
#ifndef ATH_STEPS_ROOM_H
#define ATH_STEPS_ROOM_H

#include <stddef.h>

#include "os/environ.h"
#include "os/file.h"

enum ath_room_place {
	ATH_ROOM_DATABASE,
	ATH_ROOM_STATE,
	ATH_ROOM_TEMPORARY,
	ATH_ROOM_COUNT_
};

/* What is asked. */
struct ath_room_question {
	const char *folders[ATH_ROOM_COUNT_]; /* borrowed; NULL: not needed */
	struct ath_file_space spaces[ATH_ROOM_COUNT_];
	uint64_t bytes; /* of database and -wal */
	uint64_t raw;   /* of the copy before a rollback, which goes to the state directory */
};

/* Bytes that must be free on the file system of a place, for all places that it shares it with. Pure. */
uint64_t ath_room_need(const struct ath_room_question *question, enum ath_room_place place);

/* The first place where they are not free, or ATH_ROOM_COUNT_. Pure. */
enum ath_room_place ath_room_find_lack(const struct ath_room_question *question);

/*
 * The folder that SQLite writes temporary files to in a process of that environment: SQLITE_TMPDIR,
 * TMPDIR, /var/tmp, /usr/tmp, /tmp, the first one that can be written to; NULL: none. Borrowed.
 */
const char *ath_room_temporary(const struct ath_environ *environment);

/*
 * Measure and decide. `*out_is_fuse`: a place that matters is on FUSE, of which nothing is promised.
 * Fails with: ATH_ERR_REFUSED (a network file system), ATH_ERR_PREFLIGHT (no room), ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_room_check(struct ath_room_question *question, bool *out_is_fuse,
				  struct ath_err *err);

#endif
