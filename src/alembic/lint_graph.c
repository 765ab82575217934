/* SPDX-License-Identifier: MIT */
/* alembic/lint: rules about the graph of revisions and the names of their files. */
#include <stdlib.h>
#include <string.h>

#include "alembic/lint_rules.h"
#include "base/str.h"

enum {
	ID_MAX = 32, /* characters of alembic_version.version_num */
	SHOWN = 6,   /* of a list of ids */
};

/* ---- a graph that is none ---- */

void ath_lint_no_revision(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;

	for (size_t i = 0; i < subject->len; i++) {
		if (!subject->entries[i].id || !*subject->entries[i].id)
			ath_lint_add(run, i, subject->entries[i].line,
				     "no revision is assigned in this file, and its name does not "
				     "stand for one: Alembic loads nothing of the folder then");
	}
}

/* A name that must be there once only, and who has it. */
struct name {
	const char *text;
	size_t revision;
	bool is_label;
};

static int compare_names(const void *one, const void *other)
{
	const struct name *a = one, *b = other;
	int order = strcmp(a->text, b->text);

	return order ? order : (a->revision > b->revision) - (a->revision < b->revision);
}

static bool is_none(const struct ath_texts *texts, size_t idx)
{
	return !texts->items[idx] || (texts->len == 1 && !*texts->items[idx]);
}

/* All ids, and the labels if they are asked for, sorted. */
static struct name *list_names(struct ath_lint_run *run, bool with_labels, size_t *out_len)
{
	const struct ath_lint_subject *subject = run->subject;
	struct name *names;
	size_t most = 1, len = 0;

	for (size_t i = 0; i < subject->len; i++)
		most += 1 + subject->entries[i].labels.len;
	names = ath_arena_new(run->arena, most, sizeof(*names));
	for (size_t i = 0; i < subject->len; i++) {
		const struct ath_chain_entry *entry = &subject->entries[i];

		if (entry->id && *entry->id)
			names[len++] = (struct name){ entry->id, i, false };
		for (size_t n = 0; with_labels && n < entry->labels.len; n++) {
			if (!is_none(&entry->labels, n))
				names[len++] = (struct name){ entry->labels.items[n], i, true };
		}
	}
	qsort(names, len, sizeof(*names), compare_names);
	*out_len = len;
	return names;
}

/* Walks over the names that are there twice; `of_labels`: those that a label has. */
static void add_twice(struct ath_lint_run *run, bool of_labels)
{
	const struct ath_chain_entry *entries = run->subject->entries;
	size_t len;
	struct name *names = list_names(run, of_labels, &len);

	for (size_t i = 1; i < len; i++) {
		const struct name *first = &names[i - 1], *second = &names[i];
		const struct ath_chain_entry *entry = &entries[second->revision];

		if (strcmp(first->text, second->text) != 0 ||
		    (of_labels && !first->is_label && !second->is_label))
			continue;
		ath_lint_add(run, second->revision, entry->line,
			     "%s '%s' is there twice, the other is %s%s",
			     of_labels ? "the label or id" : "revision", second->text,
			     ath_lint_place(run, first->revision, entries[first->revision].line),
			     of_labels ? "" : ": Alembic lets one of them win");
	}
}

void ath_lint_duplicate_id(struct ath_lint_run *run)
{
	add_twice(run, false);
}

void ath_lint_label_twice(struct ath_lint_run *run)
{
	add_twice(run, true);
}

static bool is_known(const char *text, const struct name *names, size_t len)
{
	struct name key = { text, 0, false };
	size_t low = 0, high = len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(&names[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < len && strcmp(names[low].text, text) == 0;
}

void ath_lint_missing_parent(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;
	size_t ids_len, names_len;
	struct name *ids = list_names(run, false, &ids_len);
	struct name *names = list_names(run, true, &names_len);

	for (size_t i = 0; i < subject->len; i++) {
		const struct ath_chain_entry *entry = &subject->entries[i];

		for (size_t n = 0; n < entry->downs.len; n++) {
			if (!is_none(&entry->downs, n) &&
			    !is_known(entry->downs.items[n], ids, ids_len))
				ath_lint_add(run, i, entry->line,
					     "it follows '%s', and there is no such revision",
					     entry->downs.items[n]);
		}
		for (size_t n = 0; n < entry->depends_on.len; n++) {
			if (!is_none(&entry->depends_on, n) &&
			    !is_known(entry->depends_on.items[n], names, names_len))
				ath_lint_add(run, i, entry->line,
					     "it depends on '%s', and there is no such revision or "
					     "label",
					     entry->depends_on.items[n]);
		}
	}
}

/* What the other rules do not explain of a broken chain: revisions that need each other. */
void ath_lint_cycle(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;
	const struct ath_err *broken = subject->broken;
	size_t at = 0;

	if (!broken || run->found.len)
		return;
	for (size_t i = 0; i < subject->len && broken->pos.file; i++) {
		if (strcmp(subject->entries[i].file, broken->pos.file) == 0)
			at = i;
	}
	ath_lint_add(run, at, broken->pos.line, "%s", broken->msg);
}

/* ---- a graph ---- */

static const char *join_heads(struct ath_lint_run *run)
{
	const struct ath_chain *chain = run->subject->chain;
	struct ath_str joined = { 0 };
	const char *text;

	for (size_t i = 0; i < chain->heads.len && i < SHOWN; i++)
		ath_str_printf(&joined, "%s%s", i ? ", " : "",
			       chain->entries[chain->heads.items[i]].id);
	if (chain->heads.len > SHOWN)
		ath_str_printf(&joined, " and %zu more", chain->heads.len - SHOWN);
	text = ath_arena_strdup(run->arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return text;
}

void ath_lint_several_heads(struct ath_lint_run *run)
{
	const struct ath_chain *chain = run->subject->chain;
	size_t last;

	if (chain->heads.len < 2)
		return;
	last = chain->heads.items[chain->heads.len - 1];
	ath_lint_add(run, last, chain->entries[last].line,
		     "the chain has %zu heads (%s): `alembic upgrade head` refuses, `heads` runs "
		     "them all; if it should be one, a merge revision is missing",
		     chain->heads.len, join_heads(run));
}

/* Is the column made wider by a revision? */
static bool is_widened(const struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;

	for (size_t i = 0; subject->effects && i < subject->len; i++) {
		const struct ath_lint_text *text = subject->effects[i].text;

		for (size_t n = 0; text && n < text->len; n++) {
			if (text->notes[n].kind == ATH_LINT_NOTE_ALTER &&
			    ath_str_is(text->notes[n].table, "alembic_version"))
				return true;
		}
	}
	return ath_lint_env_widens(run);
}

void ath_lint_long_id(struct ath_lint_run *run)
{
	const struct ath_lint_subject *subject = run->subject;
	bool is_server = subject->database == ATH_LINT_SERVER && !is_widened(run);

	for (size_t i = 0; i < subject->len; i++) {
		const char *id = subject->entries[i].id;

		if (id && strlen(id) > ID_MAX)
			ath_lint_add_at(run, is_server ? ATH_LINT_ERROR : ATH_LINT_RISK, i,
					subject->entries[i].line,
					"the id '%s' has %zu characters, and the version table "
					"takes %d: SQLite does not notice, other databases refuse",
					id, strlen(id), ID_MAX);
	}
}

/* ---- names of files ---- */

/* One file in the order of names. */
struct file {
	const char *name;
	size_t revision;
};

static int compare_files(const void *one, const void *other)
{
	const struct file *a = one, *b = other;

	return strcmp(a->name, b->name);
}

static struct file *sort_files(struct ath_lint_run *run)
{
	const struct ath_chain *chain = run->subject->chain;
	struct file *files = ath_arena_new(run->arena, chain->len + 1, sizeof(*files));

	for (size_t i = 0; i < chain->len; i++)
		files[i] = (struct file){ ath_lint_base_name(chain->entries[i].file), i };
	if (chain->len)
		qsort(files, chain->len, sizeof(*files), compare_files);
	return files;
}

/* The first file that comes before one of its parents; chain->len: none does. */
static size_t find_early(const struct ath_chain *chain, const struct file *files,
			 struct ath_arena *arena)
{
	bool *is_done = ath_arena_new(arena, chain->len + 1, sizeof(*is_done));

	for (size_t i = 0; i < chain->len; i++) {
		const struct ath_chain_node *node = &chain->nodes[files[i].revision];

		for (size_t n = 0; n < node->downs.len; n++) {
			if (!is_done[node->downs.items[n]])
				return files[i].revision;
		}
		is_done[files[i].revision] = true;
	}
	return chain->len;
}

void ath_lint_file_order(struct ath_lint_run *run)
{
	const struct ath_chain *chain = run->subject->chain;
	struct file *files = sort_files(run);
	size_t early = find_early(chain, files, run->arena), last;

	if (early == chain->len)
		return;
	last = files[chain->len - 1].revision;
	if (chain->nodes[last].nexts.len)
		ath_lint_add(run, last, chain->entries[last].line,
			     "sorted by name the files are not in the order of the chain: the last "
			     "is %s, and the head is %s; what sorts them stamps a wrong head",
			     chain->entries[last].id, join_heads(run));
	else
		ath_lint_add(run, early, chain->entries[early].line,
			     "sorted by name the files are not in the order of the chain: %s comes "
			     "before its parent %s",
			     chain->entries[early].id,
			     chain->entries[chain->nodes[early].downs.items[0]].id);
}

static bool is_word(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

/* Does the name hold the id, as a word of its own? Templates put a date before it, too. */
static bool tells(const char *name, const char *id)
{
	for (const char *at = strstr(name, id); at; at = strstr(at + 1, id)) {
		if ((at == name || !is_word(at[-1])) && !is_word(at[strlen(id)]))
			return true;
	}
	return false;
}

void ath_lint_file_name(struct ath_lint_run *run)
{
	const struct ath_chain *chain = run->subject->chain;
	size_t count = 0, first = 0;

	for (size_t i = 0; i < chain->len; i++) {
		size_t revision = chain->order.items[i];
		const struct ath_chain_entry *entry = &chain->entries[revision];

		if (!tells(ath_lint_base_name(entry->file), entry->id) && !count++)
			first = revision;
	}
	if (count)
		ath_lint_add(run, first, chain->entries[first].line,
			     "%zu of %zu files do not have their id in their name, the first is "
			     "that of '%s': who goes by names takes another revision for it",
			     count, chain->len, chain->entries[first].id);
}
