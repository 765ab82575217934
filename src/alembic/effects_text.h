/* SPDX-License-Identifier: MIT */
/*
 * alembic/effects_text: effects of revisions as bytes and back, to be kept from one call to the next.
 *
 * A list of texts, each ended by a NUL: per revision its id, its traits, its obstacle, then the
 * traits and texts of each effect. It is read a hundred times as fast as the bridge's JSON, as
 * nothing is copied. Bytes that were not written so are refused, not guessed at.
 */
#ifndef ATH_ALEMBIC_EFFECTS_TEXT_H
#define ATH_ALEMBIC_EFFECTS_TEXT_H

#include "alembic/effects.h"
#include "base/arena.h"
#include "base/str.h"

/* Changes with the format. */
#define ATH_EFFECTS_TEXT_FORMAT "effects 2"

/* Append what one revision does. */
void ath_effects_text_put(struct ath_str *out, const char *revision,
			  const struct ath_effects *effects);

/* Bytes that are being read; borrowed, as are all texts that come out. */
struct ath_effects_text {
	const char *at, *end;
};

/* The next revision, its items in `arena`; false: not such bytes, or the end (at == end). */
bool ath_effects_text_next(struct ath_effects_text *text, struct ath_arena *arena,
			   const char **out_revision, struct ath_effects *out);

#endif
