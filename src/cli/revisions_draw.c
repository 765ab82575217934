/* SPDX-License-Identifier: MIT */
/*
 * cli/revisions_draw: the chain of revisions for people.
 *
 *	● 001  base tables              one column for each child that is still to come; a revision
 *	│        +table users           stands in the leftmost column that waits for it
 *	├─╮
 *	│ ● 002  left
 *	● │ 003  right
 *	├─╯
 *	● 004 ← HEAD  merge
 */
#include <string.h>
#include <unistd.h>

#include "alembic/lint_text.h"
#include "cli/revisions.h"

#define FREE ((size_t)-1)

enum {
	SHOWN_MAX = 4, /* effects of one revision; the others are counted */
};

struct glyphs {
	const char *node, *line, *fork, *cross, *flat, *down, *last_down, *up, *last_up, *head,
		*renamed;
};

static const struct glyphs unicode = { "●", "│", "├", "┼", "─", "┬", "╮", "┴", "╯", "← HEAD", "→" };
static const struct glyphs ascii = { "*", "|", "+", "+", "-", "+", ".", "+", "'", "<- HEAD", "->" };

struct drawing {
	const struct ath_revisions *revisions;
	const struct glyphs *glyphs;
	size_t *lanes; /* the revision that each column waits for, or FREE */
	size_t len;
	struct ath_str *out;
};

/* ---- columns ---- */

/* The column of the revision; its parents' other columns for it end there. */
static size_t find_column(const struct drawing *drawing, size_t revision)
{
	size_t at = 0;

	while (at < drawing->len && drawing->lanes[at] != revision)
		at++;
	if (at < drawing->len)
		return at;
	for (at = 0; at < drawing->len && drawing->lanes[at] != FREE; at++)
		;
	return at;
}

static void put_columns(struct drawing *drawing, size_t node, bool has_node)
{
	size_t len = drawing->len > node + 1 ? drawing->len : node + 1;

	for (size_t i = 0; i < len; i++) {
		bool is_used = i < drawing->len && drawing->lanes[i] != FREE;

		ath_str_puts(drawing->out, has_node && i == node ? drawing->glyphs->node
					   : is_used             ? drawing->glyphs->line
								 : " ");
		ath_str_putc(drawing->out, ' ');
	}
}

/* Ends a line, without the blanks of columns that are not used. */
static void put_end_of_line(struct ath_str *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	ath_str_putc(out, '\n');
}

/* What stands in column `i` of a row that joins column `at` with the marked ones up to `last`. */
static const char *joint_glyph(const struct drawing *drawing, size_t i, size_t at, size_t last,
			       bool is_marked, bool is_fork)
{
	const struct glyphs *glyphs = drawing->glyphs;
	bool is_used = drawing->lanes[i] != FREE;

	if (i < at || i > last)
		return is_used ? glyphs->line : " ";
	if (i == at)
		return glyphs->fork;
	if (i == last)
		return is_fork ? glyphs->last_down : glyphs->last_up;
	if (is_marked)
		return is_fork ? glyphs->down : glyphs->up;
	return is_used ? glyphs->cross : glyphs->flat;
}

/* One row that joins column `at` with the marked ones to its right. */
static void put_joint(struct drawing *drawing, size_t at, const bool *marks, bool is_fork)
{
	size_t last = at;

	for (size_t i = at + 1; i < drawing->len; i++)
		last = marks[i] ? i : last;
	if (last == at)
		return;
	for (size_t i = 0; i < drawing->len; i++) {
		ath_str_puts(drawing->out, joint_glyph(drawing, i, at, last, marks[i], is_fork));
		ath_str_puts(drawing->out, i >= at && i < last ? drawing->glyphs->flat : " ");
	}
	put_end_of_line(drawing->out);
}

/* The other columns that wait for the revision end in its own. */
static void merge(struct drawing *drawing, size_t revision, size_t at, bool *marks)
{
	memset(marks, 0, drawing->len * sizeof(*marks));
	for (size_t i = at + 1; i < drawing->len; i++)
		marks[i] = drawing->lanes[i] == revision;
	put_joint(drawing, at, marks, false);
	for (size_t i = at + 1; i < drawing->len; i++)
		drawing->lanes[i] = marks[i] ? FREE : drawing->lanes[i];
	while (drawing->len > at + 1 && drawing->lanes[drawing->len - 1] == FREE)
		drawing->len--;
}

/* A column for each child; the first one takes that of its parent. */
static void branch(struct drawing *drawing, const struct ath_chain_node *node, size_t at,
		   bool *marks)
{
	size_t column = at + 1;

	memset(marks, 0, (drawing->len + node->nexts.len) * sizeof(*marks));
	for (size_t n = 1; n < node->nexts.len; n++) {
		while (column < drawing->len && drawing->lanes[column] != FREE)
			column++;
		drawing->len = column < drawing->len ? drawing->len : column + 1;
		drawing->lanes[column] = node->nexts.items[n];
		marks[column] = true;
	}
	put_joint(drawing, at, marks, true);
	while (drawing->len && drawing->lanes[drawing->len - 1] == FREE)
		drawing->len--;
}

/* ---- text ---- */

static void put_clean(struct ath_str *out, const char *text)
{
	ath_str_put_clean(out, text, strlen(text));
}

bool ath_revisions_is_shown(const struct ath_effects *effects, const struct ath_effect *effect)
{
	if (effect->element.kind == ATH_ELEMENT_TABLE)
		return true;
	for (size_t i = 0; i < effects->len; i++) {
		const struct ath_effect *other = &effects->items[i];

		if (other->element.kind == ATH_ELEMENT_TABLE && other->verb == effect->verb &&
		    !other->tie == !effect->tie &&
		    ath_str_is(other->element.table, effect->element.table))
			return false;
	}
	return true;
}

/* The new name that belongs to a dropped old one, or NULL. */
static const struct ath_effect *find_renamed(const struct ath_effects *effects, size_t at)
{
	for (size_t i = at + 1; effects->items[at].tie && i < effects->len; i++) {
		if (effects->items[i].tie == effects->items[at].tie)
			return &effects->items[i];
	}
	return NULL;
}

/* False: it is the second half of a rename. */
static bool put_effect(const struct drawing *drawing, const struct ath_effects *effects, size_t at,
		       struct ath_str *text)
{
	const struct ath_effect *effect = &effects->items[at];
	const struct ath_effect *renamed = find_renamed(effects, at);
	const char *blank;

	if (effect->tie && !renamed)
		return false;
	if (!renamed) {
		ath_str_printf(text, "%c%s", "+-~"[effect->verb], effect -> element.key);
		return true;
	}
	blank = strchr(renamed->element.key, ' ');
	ath_str_printf(text, "%s %s %s", effect->element.key, drawing->glyphs->renamed,
		       blank ? blank + 1 : renamed->element.key);
	return true;
}

static void put_summary(const struct drawing *drawing, const struct ath_effects *effects,
			struct ath_str *text)
{
	size_t count = 0;

	for (size_t i = 0; i < effects->len; i++) {
		struct ath_str one = { 0 };

		if (ath_revisions_is_shown(effects, &effects->items[i]) &&
		    put_effect(drawing, effects, i, &one) && count++ < SHOWN_MAX)
			ath_str_printf(text, "%s%s", text->len ? ", " : "", ath_str_get(&one));
		ath_str_fini(&one);
	}
	if (count > SHOWN_MAX)
		ath_str_printf(text, ", %zu more", count - SHOWN_MAX);
	if (effects->has_data)
		ath_str_printf(text, "%sdata step", text->len ? ", " : "");
}

static void put_line(struct drawing *drawing, size_t at, const char *label, const char *text)
{
	put_columns(drawing, at, false);
	ath_str_printf(drawing->out, "    %s", label);
	put_clean(drawing->out, text);
	ath_str_putc(drawing->out, '\n');
}

static void put_effects(struct drawing *drawing, size_t at, const struct ath_effects *effects)
{
	struct ath_str text = { 0 };
	bool is_unknown = effects->source == ATH_EFFECTS_UNKNOWN;

	put_summary(drawing, effects, &text);
	if (text.len)
		put_line(drawing, at, is_unknown ? "perhaps " : "", ath_str_get(&text));
	if (is_unknown)
		put_line(drawing, at, "blind: ", effects->obstacle ? effects->obstacle : "");
	else if (effects->is_lower_bound)
		put_line(drawing, at,
			 "blind, it may do more: ", effects->obstacle ? effects->obstacle : "");
	ath_str_fini(&text);
}

static void put_list(struct ath_str *out, const char *before, const struct ath_texts *texts,
		     const char *after)
{
	for (size_t i = 0; i < texts->len; i++) {
		if (!*texts->items[i])
			continue;
		ath_str_puts(out, i ? ", " : before);
		put_clean(out, texts->items[i]);
		if (i + 1 == texts->len)
			ath_str_puts(out, after);
	}
}

static void put_revision(struct drawing *drawing, size_t revision, size_t at,
			 const struct ath_effects *effects)
{
	const struct ath_chain *chain = &drawing->revisions->chain;
	const struct ath_chain_entry *entry = &chain->entries[revision];

	put_columns(drawing, at, true);
	put_clean(drawing->out, entry->id);
	if (!chain->nodes[revision].nexts.len)
		ath_str_printf(drawing->out, " %s", drawing->glyphs->head);
	put_list(drawing->out, " [", &entry->labels, "]");
	put_list(drawing->out, " (needs ", &entry->depends_on, ")");
	if (effects && effects->text && effects->text->message) {
		ath_str_puts(drawing->out, "  ");
		put_clean(drawing->out, effects->text->message);
	}
	ath_str_putc(drawing->out, '\n');
}

static void draw_one(struct drawing *drawing, size_t revision, bool *marks)
{
	const struct ath_effects *all = drawing->revisions->effects.items;
	const struct ath_effects *effects = all ? &all[revision] : NULL;
	const struct ath_chain_node *node = &drawing->revisions->chain.nodes[revision];
	size_t at = find_column(drawing, revision);

	if (at < drawing->len)
		merge(drawing, revision, at, marks);
	else
		drawing->len = at + 1;
	drawing->lanes[at] = revision;
	put_revision(drawing, revision, at, effects);
	drawing->lanes[at] = node->nexts.len ? node->nexts.items[0] : FREE;
	if (effects)
		put_effects(drawing, at, effects);
	branch(drawing, node, at, marks);
}

static void put_end(const struct ath_revisions *revisions, struct ath_str *out)
{
	const struct ath_chain *chain = &revisions->chain;
	size_t blind = ath_revisions_count_blind(revisions);

	ath_str_printf(out, "%zu revision%s", chain->len, chain->len == 1 ? "" : "s");
	for (size_t i = 0; i < chain->heads.len; i++) {
		ath_str_puts(out, i ? ", " : chain->heads.len > 1 ? ", heads " : ", head ");
		put_clean(out, chain->entries[chain->heads.items[i]].id);
	}
	if (blind)
		ath_str_printf(out, "; %zu blind: not all that they do can be read from their text",
			       blind);
	ath_str_putc(out, '\n');
}

void ath_revisions_draw(const struct ath_revisions *revisions, bool is_utf8, struct ath_str *out)
{
	const struct ath_chain *chain = &revisions->chain;
	struct ath_arena arena = { 0 };
	struct drawing drawing = {
		.revisions = revisions,
		.glyphs = is_utf8 ? &unicode : &ascii,
		.out = out,
	};
	size_t most = chain->len + 1;
	bool *marks;

	for (size_t i = 0; i < chain->len; i++)
		most += chain->nodes[i].nexts.len;
	drawing.lanes = ath_arena_new(&arena, most, sizeof(*drawing.lanes));
	marks = ath_arena_new(&arena, 2 * most, sizeof(*marks));
	for (size_t i = 0; i < chain->order.len; i++)
		draw_one(&drawing, chain->order.items[i], marks);
	put_end(revisions, out);
	ath_arena_fini(&arena);
}

/* ---- findings ---- */

size_t ath_revisions_count_blind(const struct ath_revisions *revisions)
{
	size_t count = 0;

	for (size_t i = 0; revisions->effects.items && i < revisions->chain.len; i++)
		count += revisions->effects.items[i].source == ATH_EFFECTS_UNKNOWN ||
			 revisions->effects.items[i].is_lower_bound;
	return count;
}

const char *ath_revisions_path(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static const char *ending(size_t count)
{
	return count == 1 ? "" : "s";
}

void ath_revisions_put_findings(const struct ath_revisions *revisions, struct ath_str *out)
{
	const struct ath_lint_report *report = &revisions->report;
	const size_t *counts = report->counts;
	char cwd[4096];
	size_t blind = ath_revisions_count_blind(revisions);

	if (!getcwd(cwd, sizeof(cwd)))
		cwd[0] = '\0';
	for (size_t i = 0; i < report->len; i++) {
		const struct ath_lint_finding *one = &report->findings[i];

		put_clean(out, ath_revisions_path(one->file, cwd));
		ath_str_printf(out, ":%u: %s: ", one->line, ath_lint_level_name(one->level));
		put_clean(out, one->message);
		ath_str_printf(out, " [%s]\n", one->rule);
	}
	ath_str_printf(out, "%s: %zu error%s, %zu risk%s, %zu info%s in %zu revision%s",
		       revisions->project->recipe.name, counts[ATH_LINT_ERROR],
		       ending(counts[ATH_LINT_ERROR]), counts[ATH_LINT_RISK],
		       ending(counts[ATH_LINT_RISK]), counts[ATH_LINT_INFO],
		       ending(counts[ATH_LINT_INFO]), revisions->files.entries_len,
		       ending(revisions->files.entries_len));
	if (!revisions->is_whole)
		ath_str_puts(out, "; the other rules need a whole chain");
	else if (blind)
		ath_str_printf(out,
			       "; %zu cannot be wholly read from their text, and about what comes "
			       "after them some rules are silent",
			       blind);
	ath_str_putc(out, '\n');
}
