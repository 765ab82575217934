/* SPDX-License-Identifier: MIT */
/*
 * alembic/interval: every element that a chain touches, and how it stands after each revision.
 *
 * A track is one element with its touches in the order of the chain:
 *
 *	revision     -    r1    r2    r3    r4
 *	touch             add         drop
 *	presence  NOT_YET IN    IN    OUT   OUT
 *
 * First touched by anything but an add, it is IMPLIED before: probably there, but no evidence. What
 * follows from an effect without being written in it is added here: the parts of a table go and
 * move with it, an index goes with its column, also when that is renamed. Effects of a revision
 * that could not be read leave an element UNKNOWN, as is a table that such a revision may have
 * made. An element that unordered revisions contradict
 * each other about is contested: UNKNOWN everywhere.
 */
#ifndef ATH_ALEMBIC_INTERVAL_H
#define ATH_ALEMBIC_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/arena.h"
#include "schema/element.h"

#define ATH_TRACK_NONE ((size_t)-1)

enum ath_presence {
	ATH_PRESENCE_NOT_YET,
	ATH_PRESENCE_IN,
	ATH_PRESENCE_OUT, /* dropped by the chain */
	ATH_PRESENCE_IMPLIED,
	ATH_PRESENCE_UNKNOWN,
	ATH_PRESENCE_COUNT_
};

enum ath_touch_verb {
	ATH_TOUCH_ADD,
	ATH_TOUCH_DROP,
	ATH_TOUCH_LOSE, /* from here on nothing is known of it */
	ATH_TOUCH_ALTER,
	ATH_TOUCH_NEED, /* it must be there now, whoever made it */
	ATH_TOUCH_VERB_COUNT_
};

/* One touch of one element by one revision. */
struct ath_touch {
	enum ath_touch_verb verb;
	size_t place;             /* of the revision in the chain's order */
	size_t track;             /* number of the element's track */
	bool is_derived;          /* follows from another effect of the revision */
	bool is_aside;            /* a revision that is neither before nor after says otherwise */
	enum ath_touch_verb said; /* as the text has it: of a LOSE, what may have been done */
	const struct ath_element *with; /* the element as the effect has it */
	const char *was;                /* ALTER: a column's type before it; NULL: not known */
	struct ath_touch *next;         /* of the same track, in order */
	struct ath_touch *beside;       /* of the same revision */
};

struct ath_track {
	struct ath_element element;
	const struct ath_element *live;   /* the same in the live schema, or NULL */
	struct ath_touch *touches, *last; /* in order of place */
	enum ath_presence first;          /* before any touch */
	const char *first_type;           /* of a column before any touch; NULL: not known */
	size_t table;                     /* track of its table; NONE: it has none */
	size_t child, sibling;            /* first part of a table; next part of the same table */
	bool is_contested;
	bool is_birth;    /* comes and goes with its table only: never decides */
	bool has_types;   /* a column to which the chain gives different types */
	bool is_required; /* a table that the chain needs and does not make */
};

struct ath_intervals {
	const struct ath_chain *chain;
	const struct ath_effects *effects;
	struct ath_elements live;
	struct ath_track *tracks;
	size_t len;
	struct ath_touch **steps; /* by place: the touches of that revision */
	bool is_linear;           /* the order is the only one */
	bool is_tangled; /* a branch renames a table that an unordered one changes: not followed */
};

/* All tracks of a chain, beside a live schema; in `arena`. */
void ath_interval_build(const struct ath_chain *chain, const struct ath_effects *effects,
			struct ath_elements live, struct ath_arena *arena,
			struct ath_intervals *out);

/* For the building: set the traits of a track whose touches are all known. */
void ath_interval_settle(const struct ath_intervals *intervals, struct ath_track *track);

/* The presence after a touch, where it was `before`. */
enum ath_presence ath_interval_next(enum ath_presence before, const struct ath_touch *touch);

/*
 * The presence of a track in a cut (a set by number of revision); `out_last` is the touch it is due
 * to, NULL if the cut does not touch it; `out_type` the type that a column should have, or NULL.
 */
enum ath_presence ath_interval_find(const struct ath_intervals *intervals,
				    const struct ath_track *track, const bool *cut,
				    const struct ath_touch **out_last, const char **out_type);

/* The last touch of a track by the revision at a place, or NULL: its net effect. */
const struct ath_touch *ath_interval_find_net(const struct ath_track *track, size_t place);

/* Its first touch by that revision; it has one. */
const struct ath_touch *ath_interval_find_first(const struct ath_track *track, size_t place);

/*
 * Is what is live, as far as it can be compared, what an add makes? A column by type family and key, an
 * index by its name where it has one; a view and a trigger are known by their names alone, so never.
 */
bool ath_interval_is_same_shape(const struct ath_track *track, const struct ath_touch *touch);

/* Does the revision at a place make the track's table, too? */
bool ath_interval_is_born_with_table(const struct ath_intervals *intervals,
				     const struct ath_track *track, size_t place);

/*
 * Can the revision at a place be interrupted between the track and its table? CREATE TABLE is one
 * statement: its columns and foreign keys cannot be half there.
 */
bool ath_interval_is_separate(const struct ath_intervals *intervals, const struct ath_track *track,
			      size_t place);

/* The type that a column should have after a touch, where it was `before`; NULL: not known. */
const char *ath_interval_next_type(const char *before, const struct ath_touch *touch);

/* May the revision do more than is known of it? */
bool ath_interval_is_blind(const struct ath_effects *effects);

#endif
