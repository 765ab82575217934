/* SPDX-License-Identifier: MIT */
/*
 * alembic/assign: one assignment of the strict form that the scanner trusts.
 *
 * Only scan uses it.
 */
#ifndef ATH_ALEMBIC_ASSIGN_H
#define ATH_ALEMBIC_ASSIGN_H

#include "alembic/word.h"

enum ath_assign_outcome {
	ATH_ASSIGN_DONE,  /* the whole line was the assignment; the cursor stands on its NEWLINE */
	ATH_ASSIGN_OTHER, /* the line is no assignment to its first name alone */
	ATH_ASSIGN_REFUSED, /* an assignment whose value is not certain; field.reason says why */
	ATH_ASSIGN_COUNT_
};

struct ath_assign {
	struct ath_scan_field field;
	bool is_mutable; /* the value is written with [] */
};

/*
 * Read the line on whose first name the cursor stands; texts are made in `arena`.
 *
 * Unless DONE, the cursor stands anywhere in the line: the caller goes back by a copy.
 */
enum ath_assign_outcome ath_assign_read(struct ath_word_cursor *cursor, struct ath_arena *arena,
					struct ath_assign *out_assign);

#endif
