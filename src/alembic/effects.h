/* SPDX-License-Identifier: MIT */
/*
 * alembic/effects: what each revision does to a schema, as far as it is known.
 *
 * Two sources (docs/inference.md): the revision's own text read by Python's ast (static), or the
 * difference that it made when the chain was replayed on an empty database (replay). Filled by the
 * bridge; plain values here.
 */
#ifndef ATH_ALEMBIC_EFFECTS_H
#define ATH_ALEMBIC_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/element.h"

struct ath_lint_text; /* alembic/lint_text.h */

enum ath_effect_verb {
	ATH_EFFECT_ADD,
	ATH_EFFECT_DROP,
	ATH_EFFECT_ALTER, /* an attribute of a column, or how a table is stored */
	ATH_EFFECT_VERB_COUNT_
};

/* One effect, in the order of the body. A rename is a DROP and an ADD with the same `tie`. */
struct ath_effect {
	enum ath_effect_verb verb;
	struct ath_element element;
	unsigned tie;      /* number of the rename within its revision, from 1; 0: none */
	unsigned line;     /* in the revision's file; 0: unknown */
	const char *other; /* of a foreign key: the table that it refers to, folded; else NULL */
	const char *was;   /* ALTER of a column's type: the type before it; NULL: not known */
};

enum ath_effects_source {
	ATH_EFFECTS_UNKNOWN, /* neither readable nor replayed: the revision is blind */
	ATH_EFFECTS_STATIC,  /* literal text: trusted */
	ATH_EFFECTS_REPLAY,  /* seen on a database: exact */
	ATH_EFFECTS_SOURCE_COUNT_
};

/* What one revision does; in the order of the chain's entries. */
struct ath_effects {
	enum ath_effects_source source;
	const struct ath_effect *items; /* UNKNOWN: possible ones, no evidence */
	size_t len;
	bool is_literal;     /* its text does nothing but literal schema operations */
	bool has_data;       /* it has data steps: INSERT, UPDATE, DELETE, ORM work */
	bool is_lower_bound; /* it may do more than is listed */
	/*
	 * UNKNOWN by its text: what it does may depend on what it finds in the database. Also where that
	 * is not known.
	 */
	bool is_guarded;
	const char *obstacle; /* UNKNOWN: what could not be read, for people; else NULL */
	const struct ath_lint_text *text; /* what else its text says; NULL: not known */
};

#endif
