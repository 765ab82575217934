/* SPDX-License-Identifier: MIT */
/*
 * alembic/scan: reads the identifiers of a revision out of Python source, without running it, or
 * says that it cannot.
 *
 * The whole text of one file goes in; each of Alembic's four names comes out as a value that is
 * certain, as absent, or as "escalate" with the reason and the line: then the bridge has to be
 * asked. An answer is never a guess. Files are hostile input: linear time, no recursion.
 */
#ifndef ATH_ALEMBIC_SCAN_H
#define ATH_ALEMBIC_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "alembic/revision.h"
#include "base/arena.h"
#include "base/err.h"

enum {
	ATH_SCAN_BYTES_MAX = 1 << 20, /* a longer revision file is refused */
	ATH_SCAN_FILES_MAX = 10000,   /* more in one environment are refused, by the caller */
};

/*
 * Read the four names out of the `len` bytes of a revision file.
 *
 * `name` is only for messages and is borrowed by `err`.
 * Fails with: ATH_ERR_LIMIT (over ATH_SCAN_BYTES_MAX), ATH_ERR_CHAIN (holds a NUL byte).
 */
ATH_NODISCARD bool ath_scan_read(const char *name, const char *text, size_t len,
				 struct ath_arena *arena, struct ath_scan_file *out_file,
				 struct ath_err *err);

/* The Python name of a key: "down_revision". Static text. */
const char *ath_scan_key_name(enum ath_scan_key key);

/* Is a file of that base name a revision file to Alembic ("*.py", not ".#*", not "__init__*")? */
bool ath_scan_is_revision_name(const char *name);

/* The id that a base name "[a-f0-9]+.py" stands for where `revision` is absent, or NULL. */
const char *ath_scan_find_name_id(const char *name, struct ath_arena *arena);

#endif
