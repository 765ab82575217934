/* SPDX-License-Identifier: MIT */
/* alembic/interval: what a finished track says: its traits, and its presence in a cut. */
#include "alembic/interval.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "schema/affinity.h"

enum ath_presence ath_interval_next(enum ath_presence before, const struct ath_touch *touch)
{
	if (touch->is_aside)
		return ATH_PRESENCE_UNKNOWN;
	switch (touch->verb) {
	case ATH_TOUCH_ADD:
	case ATH_TOUCH_NEED:
		return ATH_PRESENCE_IN;
	case ATH_TOUCH_DROP:
		return ATH_PRESENCE_OUT;
	case ATH_TOUCH_LOSE:
		return ATH_PRESENCE_UNKNOWN;
	default:
		return before;
	}
}

const char *ath_interval_next_type(const char *before, const struct ath_touch *touch)
{
	if (touch->verb == ATH_TOUCH_LOSE)
		return NULL;
	return touch->with && touch->with->attributes.type && *touch->with->attributes.type
		       ? touch->with->attributes.type
		       : before;
}

static bool are_contrary(const struct ath_chain *chain, const struct ath_touch *one,
			 const struct ath_touch *other)
{
	return one->place != other->place && one->verb <= ATH_TOUCH_LOSE &&
	       other->verb <= ATH_TOUCH_LOSE && one->verb != other->verb &&
	       !ath_chain_is_ancestor(chain, chain->order.items[one->place],
				      chain->order.items[other->place]);
}

/*
 * Where unordered revisions disagree, the later touch leaves it unknown. If the first touch is one
 * of them, not even what was before is known: the whole track is contested.
 */
static bool is_contested(const struct ath_chain *chain, struct ath_track *track)
{
	bool is_whole = false;

	for (struct ath_touch *one = track->touches; one; one = one->next) {
		for (struct ath_touch *other = one->next; other; other = other->next) {
			if (!are_contrary(chain, one, other))
				continue;
			other->is_aside = true;
			if (one->place == track->touches->place && !other->is_derived)
				is_whole = true;
		}
	}
	return is_whole;
}

static bool has_touch(const struct ath_track *track, enum ath_touch_verb verb, size_t place)
{
	const struct ath_touch *one = track->touches;

	while (one && (one->verb != verb || one->place != place))
		one = one->next;
	return one;
}

/* Is the table dropped and made again, once without the element? */
static bool is_of_one_life(const struct ath_track *track, const struct ath_track *table)
{
	bool is_gone = false, is_back = false, lacks = false;

	for (const struct ath_touch *one = table->touches; one; one = one->next) {
		is_gone = is_gone || one->verb == ATH_TOUCH_DROP;
		if (one->verb != ATH_TOUCH_ADD)
			continue;
		is_back = is_back || is_gone;
		lacks = lacks || !has_touch(track, ATH_TOUCH_ADD, one->place);
	}
	return is_back && lacks;
}

static bool is_birth(const struct ath_track *track, const struct ath_track *table)
{
	if (is_of_one_life(track, table))
		return false;
	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		if ((one->verb == ATH_TOUCH_ADD || one->verb == ATH_TOUCH_DROP) &&
		    !has_touch(table, one->verb, one->place))
			return false;
	}
	return true;
}

static bool has_types(const struct ath_track *track)
{
	const char *type = NULL;

	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		type = one->was ? one->was : type;
		if (!one->with || !one->with->attributes.type || !*one->with->attributes.type)
			continue;
		if (type && strcmp(type, one->with->attributes.type))
			return true;
		type = one->with->attributes.type;
	}
	return false;
}

void ath_interval_settle(const struct ath_intervals *intervals, struct ath_track *track)
{
	if (!intervals->is_linear && is_contested(intervals->chain, track))
		track->is_contested = true;
	track->is_birth =
		track->table != ATH_TRACK_NONE && is_birth(track, &intervals->tracks[track->table]);
	track->has_types = track->element.kind == ATH_ELEMENT_COLUMN && has_types(track);
}

enum ath_presence ath_interval_find(const struct ath_intervals *intervals,
				    const struct ath_track *track, const bool *cut,
				    const struct ath_touch **out_last, const char **out_type)
{
	enum ath_presence presence = track->first;

	*out_last = NULL;
	*out_type = track->first_type;
	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		if (!cut[intervals->chain->order.items[one->place]])
			continue;
		presence = ath_interval_next(presence, one);
		if (one->verb != ATH_TOUCH_ALTER)
			*out_last = one;
		*out_type = ath_interval_next_type(*out_type, one);
	}
	return track->is_contested ? ATH_PRESENCE_UNKNOWN : presence;
}

bool ath_interval_is_blind(const struct ath_effects *effects)
{
	return effects->source == ATH_EFFECTS_UNKNOWN || effects->is_lower_bound;
}

const struct ath_touch *ath_interval_find_net(const struct ath_track *track, size_t place)
{
	const struct ath_touch *found = NULL;

	for (const struct ath_touch *one = track->touches; one; one = one->next) {
		if (one->place == place && (!found || one->verb != ATH_TOUCH_ALTER))
			found = one;
	}
	return found;
}

bool ath_interval_is_born_with_table(const struct ath_intervals *in, const struct ath_track *track,
				     size_t place)
{
	const struct ath_touch *net =
		track->table == ATH_TRACK_NONE
			? NULL
			: ath_interval_find_net(&in->tracks[track->table], place);

	return net && net->verb == ATH_TOUCH_ADD;
}

bool ath_interval_is_separate(const struct ath_intervals *in, const struct ath_track *track,
			      size_t place)
{
	return (track->element.kind != ATH_ELEMENT_COLUMN &&
		track->element.kind != ATH_ELEMENT_FOREIGN) ||
	       !ath_interval_is_born_with_table(in, track, place);
}

const struct ath_touch *ath_interval_find_first(const struct ath_track *track, size_t place)
{
	const struct ath_touch *one = track->touches;

	while (one->place != place)
		one = one->next;
	return one;
}

static bool is_same_column(const struct ath_element_attributes *wanted,
			   const struct ath_element_attributes *found)
{
	if (wanted->type && *wanted->type &&
	    ath_affinity_of(wanted->type) != ath_affinity_of(found->type))
		return false;
	return wanted->is_key == found->is_key;
}

/* A constraint's index has a name of SQLite's own. */
static bool is_same_name(const char *wanted, const char *found)
{
	return !wanted || !found || ath_str_has_prefix(found, "sqlite_autoindex_") ||
	       strcasecmp(wanted, found) == 0;
}

bool ath_interval_is_same_shape(const struct ath_track *track, const struct ath_touch *touch)
{
	if (!track->live || !touch->with)
		return true;
	switch (track->element.kind) {
	case ATH_ELEMENT_COLUMN:
		return is_same_column(&touch->with->attributes, &track->live->attributes);
	case ATH_ELEMENT_INDEX:
	case ATH_ELEMENT_UNIQUE:
		return is_same_name(touch->with->name, track->live->name);
	case ATH_ELEMENT_VIEW:
	case ATH_ELEMENT_TRIGGER:
		return false;
	default:
		return true;
	}
}
