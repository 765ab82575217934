/* SPDX-License-Identifier: MIT */
/* alembic/explain: turns sets and tracks into texts. */
#include "alembic/explain.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/score.h"
#include "base/str.h"

static int compare_texts(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

static struct ath_texts name_list(const struct ath_chain *chain, struct ath_chain_list list,
				  struct ath_arena *arena)
{
	const char **items = ath_arena_new(arena, list.len + 1, sizeof(*items));

	for (size_t i = 0; i < list.len; i++)
		items[i] = chain->entries[list.items[i]].id;
	return (struct ath_texts){ items, list.len };
}

struct ath_texts ath_explain_rows(const struct ath_chain *chain, const bool *cut,
				  struct ath_arena *arena)
{
	struct ath_chain_list tips = ath_chain_find_tips(chain, cut, arena);
	const char **items = ath_arena_new(arena, tips.len + 1, sizeof(*items));

	for (size_t i = 0; i < tips.len; i++)
		items[i] = chain->entries[tips.items[i]].id;
	if (tips.len > 1)
		qsort(items, tips.len, sizeof(*items), compare_texts);
	return (struct ath_texts){ items, tips.len };
}

const char *ath_explain_cut(const struct ath_chain *chain, const bool *cut, struct ath_arena *arena)
{
	struct ath_texts rows = ath_explain_rows(chain, cut, arena);
	struct ath_str text = { 0 };
	const char *copy;

	for (size_t i = 0; i < rows.len; i++)
		ath_str_printf(&text, "%s%s", i ? "," : "", rows.items[i]);
	copy = ath_arena_strdup(arena, ath_str_get(&text));
	ath_str_fini(&text);
	return copy;
}

struct ath_texts ath_explain_pending(const struct ath_chain *chain, const bool *cut,
				     struct ath_arena *arena)
{
	size_t *items = ath_arena_new(arena, chain->len, sizeof(*items)), len = 0;

	for (size_t place = 0; place < chain->len; place++) {
		if (!cut[chain->order.items[place]])
			items[len++] = chain->order.items[place];
	}
	return name_list(chain, (struct ath_chain_list){ items, len }, arena);
}

struct ath_texts ath_explain_passed(const struct ath_intervals *intervals, const bool *cut,
				    const bool *from, struct ath_arena *arena)
{
	const struct ath_chain *chain = intervals->chain;
	size_t *items = ath_arena_new(arena, chain->len, sizeof(*items)), len = 0;

	for (size_t place = 0; place < chain->len; place++) {
		size_t revision = chain->order.items[place];

		if (cut[revision] && !(from && from[revision]) &&
		    intervals->effects[revision].has_data)
			items[len++] = revision;
	}
	return name_list(chain, (struct ath_chain_list){ items, len }, arena);
}

void ath_explain_against(const struct ath_intervals *intervals, const bool *cut,
			 struct ath_arena *arena, struct ath_inference *out)
{
	struct ath_score score = ath_score_cut(intervals, cut, arena);
	const char *against = ath_explain_cut(intervals->chain, cut, arena);
	size_t len = score.len < ATH_EXPLAIN_EVIDENCE_MAX ? score.len : ATH_EXPLAIN_EVIDENCE_MAX;
	struct ath_evidence *items = ath_arena_new(arena, out->evidence_len + len, sizeof(*items));

	if (out->evidence_len)
		memcpy(items, out->evidence, out->evidence_len * sizeof(*items));
	for (size_t i = 0; i < len; i++) {
		const struct ath_score_item *item = &score.items[i];
		size_t revision = ath_score_find_revision(intervals, cut, item);
		bool is_wanted =
			item->contra == ATH_CONTRA_MISSING || item->contra == ATH_CONTRA_TYPE;

		items[out->evidence_len++] = (struct ath_evidence){
			.against = against,
			.revision = revision == intervals->chain->len
					    ? NULL
					    : intervals->chain->entries[revision].id,
			.element = intervals->tracks[item->track].element.key,
			.expected = is_wanted ? ATH_FOUND_PRESENT : ATH_FOUND_ABSENT,
			.found = intervals->tracks[item->track].live ? ATH_FOUND_PRESENT
								     : ATH_FOUND_ABSENT,
		};
	}
	out->evidence = items;
}

typedef ATH_VEC(struct ath_drift) drift_list;

static void add_drift(drift_list *list, const struct ath_element *element, const char *found)
{
	*ath_vec_push(list) = (struct ath_drift){
		.element = element->key,
		.kind = ath_element_kind_name(element->kind),
		.found = found,
	};
}

/* Is it part of what a half-applied revision has made? */
static bool is_of_half(const struct ath_half *half, const struct ath_element *element,
		       struct ath_arena *arena)
{
	return ath_element_find(&half->there, element->key) ||
	       (half->there.len && element->kind != ATH_ELEMENT_VIEW &&
		element->kind != ATH_ELEMENT_TRIGGER &&
		ath_element_find(&half->there, ath_element_table_key(arena, element->table)));
}

/* A column whose type or nullability is neither what the chain nor what the models say. */
static bool has_other_attributes(const struct ath_track *track, const struct ath_touch *last,
				 const char *type, const struct ath_elements *models)
{
	const struct ath_element *model = ath_element_find(models, track->element.key);
	const struct ath_element_attributes *live = &track->live->attributes;

	if (track->element.kind != ATH_ELEMENT_COLUMN)
		return false;
	if (type && live->type && strcmp(type, live->type) &&
	    !(model && ath_str_is(model->attributes.type, live->type)))
		return true;
	return model && last && last->with && model->attributes.is_nullable != live->is_nullable &&
	       last->with->attributes.is_nullable != live->is_nullable;
}

static void compare_track(const struct ath_intervals *in, const struct ath_track *track,
			  const bool *cut, const struct ath_elements *models, drift_list *list)
{
	const struct ath_touch *last;
	const char *type;
	enum ath_presence presence = ath_interval_find(in, track, cut, &last, &type);
	bool has_table = track->table == ATH_TRACK_NONE || in->tracks[track->table].live;

	if (presence == ATH_PRESENCE_IN && !track->live && has_table)
		add_drift(list, &track->element, "missing");
	else if (presence == ATH_PRESENCE_IN && track->live &&
		 has_other_attributes(track, last, type, models))
		add_drift(list, &track->element, "differs");
	else if (presence == ATH_PRESENCE_OUT && track->live)
		add_drift(list, &track->element, "leftover");
	else if (presence == ATH_PRESENCE_NOT_YET && track->live && has_table &&
		 (track->table == ATH_TRACK_NONE || !track->is_birth))
		add_drift(list, &track->element, "extra");
	else if (presence == ATH_PRESENCE_IMPLIED && track->is_required && !track->live)
		add_drift(list, &track->element, "missing");
}

struct known {
	struct ath_elements tracked; /* all that the chain touches */
	struct ath_elements made;    /* the tables that it creates */
	const struct ath_elements *models;
	bool makes_all; /* the chain makes every table that it touches */
};

/* Is a live element unknown to chain and models, and not only part of something unknown? */
static bool is_extra(const struct known *known, const struct ath_element *one,
		     struct ath_arena *arena)
{
	const char *table;

	if (ath_element_find(&known->tracked, one->key) ||
	    ath_element_find(known->models, one->key))
		return false;
	if (one->kind == ATH_ELEMENT_VIEW || one->kind == ATH_ELEMENT_TRIGGER)
		return true;
	if (one->kind == ATH_ELEMENT_TABLE)
		return known->makes_all || known->models->len;
	table = ath_element_table_key(arena, one->table);
	if (ath_element_find(&known->made, table))
		return true;
	return known->models->len &&
	       (ath_element_find(&known->tracked, table) || ath_element_find(known->models, table));
}

static void find_known(const struct ath_intervals *in, struct ath_arena *arena, struct known *known)
{
	struct ath_element *tracked = ath_arena_new(arena, in->len, sizeof(*tracked));
	struct ath_element *made = ath_arena_new(arena, in->len, sizeof(*made));

	known->makes_all = true;
	for (size_t i = 0; i < in->len; i++) {
		const struct ath_track *track = &in->tracks[i];

		tracked[i] = track->element;
		known->makes_all = known->makes_all && !track->is_required;
		if (track->element.kind == ATH_ELEMENT_TABLE &&
		    track->first == ATH_PRESENCE_NOT_YET)
			made[known->made.len++] = track->element;
	}
	known->tracked = (struct ath_elements){ tracked, ath_element_sort(tracked, in->len) };
	known->made = (struct ath_elements){ made, ath_element_sort(made, known->made.len) };
}

void ath_explain_drift(const struct ath_intervals *intervals, const bool *cut,
		       const struct ath_elements *models, struct ath_arena *arena,
		       struct ath_inference *out)
{
	struct known known = { .models = models };
	struct ath_drift *items;
	drift_list list = { 0 };

	find_known(intervals, arena, &known);
	for (size_t i = 0; i < intervals->len; i++) {
		if (!is_of_half(&out->half, &intervals->tracks[i].element, arena))
			compare_track(intervals, &intervals->tracks[i], cut, models, &list);
	}
	for (size_t i = 0; i < intervals->live.len; i++) {
		const struct ath_element *one = &intervals->live.items[i];

		if (!is_of_half(&out->half, one, arena) && is_extra(&known, one, arena))
			add_drift(&list, one, "extra");
	}
	items = ath_arena_new(arena, list.len, sizeof(*items));
	if (list.len)
		memcpy(items, list.items, list.len * sizeof(*items));
	out->drift = items;
	out->drift_len = list.len;
	ath_vec_fini(&list);
}
