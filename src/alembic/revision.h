/* SPDX-License-Identifier: MIT */
/*
 * alembic/revision: what one revision file says of itself, as plain structs: the result of
 * alembic/scan.
 */
#ifndef ATH_ALEMBIC_REVISION_H
#define ATH_ALEMBIC_REVISION_H

#include "base/field.h"

enum ath_scan_key {
	ATH_SCAN_REVISION,
	ATH_SCAN_DOWN_REVISION,
	ATH_SCAN_DEPENDS_ON,
	ATH_SCAN_BRANCH_LABELS,
	ATH_SCAN_KEY_COUNT_
};

enum ath_scan_state {
	ATH_SCAN_ABSENT,   /* the module does not have that name */
	ATH_SCAN_NONE,     /* None */
	ATH_SCAN_TEXT,     /* one string: texts.len is 1 (the string may be empty) */
	ATH_SCAN_LIST,     /* a tuple or list of strings, in its order: texts.len is 0 or more */
	ATH_SCAN_ESCALATE, /* not certain: ask the bridge */
	ATH_SCAN_STATE_COUNT_
};

struct ath_scan_field {
	enum ath_scan_state state;
	struct ath_texts texts; /* TEXT and LIST; UTF-8 without control characters; in the arena */
	const char *reason;     /* ESCALATE: what stands in the way, for people; static text */
	unsigned line;          /* of the assignment or of the obstacle, from 1; 0: ABSENT */
};

/* What one revision file says. Its texts live in the arena of the call. */
struct ath_scan_file {
	struct ath_scan_field fields[ATH_SCAN_KEY_COUNT_]; /* by enum ath_scan_key */
};

#endif
