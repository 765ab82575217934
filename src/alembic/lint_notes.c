/* SPDX-License-Identifier: MIT */
/* alembic/lint: rules about what stands in one file. */
#include <string.h>

#include "alembic/lint_rules.h"
#include "base/str.h"

enum {
	SHOWN = 4, /* of a list of names */
};

static const struct ath_lint_text *text_of(const struct ath_lint_run *run, size_t revision)
{
	return run->subject->effects[revision].text;
}

/* Walks over all notes; `each` is called with those of one kind. */
static void for_each(struct ath_lint_run *run, enum ath_lint_note_kind kind,
		     void (*each)(struct ath_lint_run *run, size_t revision,
				  const struct ath_lint_note *note))
{
	for (size_t i = 0; i < run->subject->len; i++) {
		const struct ath_lint_text *text =
			text_of(run, run->subject->chain->order.items[i]);

		for (size_t n = 0; text && n < text->len; n++) {
			if (text->notes[n].kind == kind)
				each(run, run->subject->chain->order.items[i], &text->notes[n]);
		}
	}
}

static bool makes_table(const struct ath_lint_run *run, size_t revision, const char *table)
{
	return ath_lint_makes(run, revision, ath_element_table_key(run->arena, table));
}

/* ---- columns ---- */

static void check_not_null(struct ath_lint_run *run, size_t revision,
			   const struct ath_lint_note *note)
{
	if (note->is_required && !note->has_default && note->table && note->columns.len &&
	    !makes_table(run, revision, note->table))
		ath_lint_add(run, revision, note->line,
			     "adds the NOT NULL column %s.%s without a server default: it fails as "
			     "soon as the table has a row (default= is not the database's)",
			     note->table, note->columns.items[0]);
}

void ath_lint_not_null(struct ath_lint_run *run)
{
	for_each(run, ATH_LINT_NOTE_ADD_COLUMN, check_not_null);
}

/* ---- SQLite ---- */

static bool is_refused(const struct ath_lint_note *note)
{
	return note->kind == ATH_LINT_NOTE_ALTER && !note->is_batch && !note->is_rename &&
	       !note->is_doubtful;
}

static void check_alter(struct ath_lint_run *run, size_t revision, const struct ath_lint_note *note)
{
	if (is_refused(note))
		ath_lint_add(run, revision, note->line,
			     "%s on table %s outside batch_alter_table: SQLite cannot do that",
			     note->name ? note->name : "an operation",
			     note->table ? note->table : "?");
}

/* Where it is not known that the chain runs on SQLite, one line is enough. */
static void sum_up_alters(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;
	const struct ath_lint_note *first = NULL;
	size_t count = 0, first_revision = 0;

	for (size_t i = 0; i < subject->len; i++) {
		size_t revision = subject->chain->order.items[i];
		const struct ath_lint_text *text = text_of(run, revision);

		for (size_t n = 0; text && n < text->len; n++) {
			if (!is_refused(&text->notes[n]) || count++)
				continue;
			first = &text->notes[n];
			first_revision = revision;
		}
	}
	if (first)
		ath_lint_add(
			run, first_revision, first->line,
			"%s outside batch_alter_table, the first of %zu operation%s that SQLite "
			"cannot do: the chain does not run there",
			first->name ? first->name : "an operation", count, count == 1 ? "" : "s");
}

void ath_lint_alter_without_batch(struct ath_lint_run *run)
{
	if (run->subject->database == ATH_LINT_SQLITE)
		for_each(run, ATH_LINT_NOTE_ALTER, check_alter);
	else
		sum_up_alters(run);
}

/* Does a foreign key that this group of touches makes stand when that place is reached? */
static bool stands(const struct ath_lint_touches *ups, size_t *at, size_t place)
{
	const char *key = ups->items[*at].effect->element.key;
	bool is_there = false;

	for (; *at < ups->len && strcmp(ups->items[*at].effect->element.key, key) == 0; ++*at) {
		if (ups->items[*at].place < place)
			is_there = ups->items[*at].effect->verb != ATH_EFFECT_DROP;
	}
	return is_there;
}

/* The tables whose foreign keys refer to that one; NULL: none. */
static const char *list_referring(struct ath_lint_run *run, const char *table, size_t place)
{
	const struct ath_lint_touches *ups = &run->ups;
	struct ath_str joined = { 0 };
	const char *last = NULL, *text;
	size_t count = 0;

	for (size_t at = 0; at < ups->len;) {
		const struct ath_effect *effect = ups->items[at].effect;

		if (stands(ups, &at, place) && ath_str_is(effect->other, table) &&
		    !ath_str_is(effect->element.table, table) &&
		    !ath_str_is(effect->element.table, last)) {
			last = effect->element.table;
			if (count++ < SHOWN)
				ath_str_printf(&joined, "%s%s", count > 1 ? ", " : "", last);
		}
	}
	if (count > SHOWN)
		ath_str_printf(&joined, " and %zu more", count - SHOWN);
	text = count ? ath_arena_strdup(run->arena, ath_str_get(&joined)) : NULL;
	ath_str_fini(&joined);
	return text;
}

static void check_rebuild(struct ath_lint_run *run, size_t revision,
			  const struct ath_lint_note *note)
{
	const char *referring;

	if (!note->table || (run->subject->database == ATH_LINT_SERVER && !note->is_always))
		return;
	referring = list_referring(run, note->table, run->subject->chain->nodes[revision].place);
	if (referring)
		ath_lint_add(run, revision, note->line,
			     "the batch copies table %s and drops the old one, and foreign keys "
			     "refer to it (%s): with foreign keys enforced their rows can vanish%s",
			     note->table, referring, note->is_always ? "" : " (SQLite)");
}

void ath_lint_batch_rebuild(struct ath_lint_run *run)
{
	for_each(run, ATH_LINT_NOTE_REBUILD, check_rebuild);
}

/* ---- what is lost ---- */

/* Is every column that is set one that this revision adds? Then nothing is overwritten. */
static bool fills_new(struct ath_lint_run *run, size_t revision, const struct ath_lint_note *note)
{
	if (!note->table || !note->has_columns || !note->columns.len)
		return false;
	for (size_t i = 0; i < note->columns.len; i++) {
		if (!ath_lint_makes(run, revision,
				    ath_element_column_key(run->arena, note->table,
							   note->columns.items[i])))
			return false;
	}
	return true;
}

static void check_data(struct ath_lint_run *run, size_t revision, const struct ath_lint_note *note)
{
	static const struct {
		const char *verb, *does;
	} verbs[] = {
		{ "UPDATE", "changes" },
		{ "DELETE", "deletes" },
		{ "TRUNCATE", "deletes all" },
		{ "REPLACE", "overwrites" },
	};

	if (note->table && makes_table(run, revision, note->table))
		return;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (ath_str_is(note->name, verbs[i].verb) && (i || !fills_new(run, revision, note)))
			ath_lint_add(run, revision, note->line, "%s%s rows%s%s (%s)",
				     note->is_doubtful ? "perhaps " : "", verbs[i].does,
				     note->table ? " of table " : "",
				     note->table ? note->table : "", verbs[i].verb);
	}
}

void ath_lint_destroys_data(struct ath_lint_run *run)
{
	for (size_t i = 0; i < run->ups.len; i++) {
		const struct ath_lint_touch *touch = &run->ups.items[i];
		const struct ath_effect *effect = touch->effect;
		bool is_possible =
			run->subject->effects[touch->revision].source == ATH_EFFECTS_UNKNOWN;

		if (effect->verb == ATH_EFFECT_DROP && !effect->tie && !touch->is_derived &&
		    (effect->element.kind == ATH_ELEMENT_TABLE ||
		     effect->element.kind == ATH_ELEMENT_COLUMN) &&
		    !ath_lint_makes(run, touch->revision, effect->element.key))
			ath_lint_add(run, touch->revision, effect->line,
				     "%sdrops %s with all that is in it",
				     is_possible ? "perhaps " : "", effect->element.key);
	}
	for_each(run, ATH_LINT_NOTE_DATA, check_data);
}

/* ---- one finding for a file: what commits apart, what happens when it is loaded ---- */

/* Gives the first note of that kind; the names of all are joined. */
static const struct ath_lint_note *join_notes(struct ath_lint_run *run, size_t revision,
					      enum ath_lint_note_kind kind, const char **out_names)
{
	const struct ath_lint_text *text = text_of(run, revision);
	const struct ath_lint_note *first = NULL;
	struct ath_str joined = { 0 };
	const char *last = NULL;
	size_t count = 0;

	for (size_t i = 0; text && i < text->len; i++) {
		const struct ath_lint_note *note = &text->notes[i];

		if (note->kind != kind || !note->name || ath_str_is(note->name, last))
			continue;
		first = first ? first : note;
		last = note->name;
		if (count++ < SHOWN)
			ath_str_printf(&joined, "%s%s", count > 1 ? ", " : "", last);
	}
	if (count > SHOWN)
		ath_str_printf(&joined, " and %zu more", count - SHOWN);
	*out_names = ath_arena_strdup(run->arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return first;
}

/* One finding for each file that has such notes, with their names between the two texts. */
static void add_joined(struct ath_lint_run *run, enum ath_lint_note_kind kind, const char *before,
		       const char *after)
{
	for (size_t i = 0; i < run->subject->len; i++) {
		const char *names;
		const struct ath_lint_note *note = join_notes(run, i, kind, &names);

		if (note)
			ath_lint_add(run, i, note->line, "%s%s%s", before, names, after);
	}
}

void ath_lint_commits_apart(struct ath_lint_run *run)
{
	add_joined(run, ATH_LINT_NOTE_APART, "part of it commits on its own (",
		   "): the revision can stop half-way even on PostgreSQL");
}

void ath_lint_module_use(struct ath_lint_run *run)
{
	add_joined(
		run, ATH_LINT_NOTE_MODULE_USE, "",
		" is used when the file is loaded: the chain cannot be listed without a database");
}

void ath_lint_third_party_import(struct ath_lint_run *run)
{
	add_joined(run, ATH_LINT_NOTE_IMPORT, "imports ",
		   " when the file is loaded: Alembic cannot even list the heads without it");
}
