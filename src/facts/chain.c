/* SPDX-License-Identifier: MIT */
/*
 * facts/chain: the revision files of a project, put together from up to three readings.
 *
 * The scanner reads every file. Where it leaves a field open, Python's parser is asked (chain_ask), and
 * where that leaves one open, what Alembic told an installation is looked up (chain_told); this is also
 * where folders come from that the ini does not tell. A later reading only fills what is open.
 */
#include "facts/chain.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/scan.h"
#include "base/str.h"
#include "facts/chain_ask.h"
#include "facts/chain_folders.h"
#include "facts/chain_told.h"
#include "os/file.h"

/* One reading of a chain. */
struct reading {
	const struct ath_facts_chain_place *place;
	struct ath_facts_chain *chain;    /* being made */
	struct ath_facts_folders folders; /* owned */
	struct ath_facts_files list;      /* owned */
	struct ath_texts files;
	struct ath_scan_file *scans; /* one per file */
	struct ath_facts_told told;
	bool is_told;           /* `told` is there */
	bool was_looked_for;    /* whether there is one is known */
	struct ath_err unasked; /* why Python did not answer, or clean */
};

const char *ath_facts_chain_cwd(const struct ath_facts_chain_place *place, struct ath_arena *arena)
{
	return ath_facts_folders_find_cwd(place, arena);
}

static bool recall_told(struct reading *reading)
{
	if (!reading->was_looked_for)
		reading->is_told = ath_facts_told_recall(reading->place, &reading->chain->arena,
							 &reading->told);
	reading->was_looked_for = true;
	return reading->is_told;
}

/* What Alembic told takes the place of what the ini does not. */
static void use_told_folders(struct reading *reading)
{
	struct ath_facts_folders *folders = &reading->folders;

	if (!folders->obstacle || !recall_told(reading))
		return;
	ath_facts_folders_fini(folders);
	for (size_t i = 0; i < reading->told.locations.len; i++)
		*ath_vec_push(&folders->versions) = reading->told.locations.items[i];
	folders->script = reading->told.script;
	folders->is_recursive = reading->told.is_recursive;
}

static bool check_script(const struct ath_facts_chain_place *place,
			 const struct ath_facts_folders *folders, struct ath_err *err)
{
	return !folders->is_below_script || ath_file_kind(folders->script) == ATH_FILE_FOLDER ||
	       ath_err_set(err, ATH_ERR_CHAIN,
			   "script_location of '%s' leads to '%s', and there is no such folder",
			   place->alembic, folders->script);
}

static void keep_folders(struct ath_facts_chain *chain, const struct ath_facts_folders *folders)
{
	const char **items =
		ath_arena_new(&chain->arena, folders->versions.len + 1, sizeof(*items));

	for (size_t i = 0; i < folders->versions.len; i++)
		items[i] = ath_arena_strdup(&chain->arena, folders->versions.items[i]);
	chain->locations = (struct ath_texts){ items, folders->versions.len };
	chain->script = folders->script;
	chain->obstacle = folders->obstacle;
}

static bool scan_files(struct reading *reading, struct ath_err *err)
{
	struct ath_arena *arena = &reading->chain->arena;
	size_t len = reading->list.files.len;

	reading->files = (struct ath_texts){ reading->list.files.items, len };
	reading->scans = ath_arena_new(arena, len + 1, sizeof(*reading->scans));
	for (size_t i = 0; i < len; i++) {
		const char *path = reading->files.items[i];
		struct ath_str text = { 0 };
		bool is_read = ath_file_read(path, ATH_SCAN_BYTES_MAX, &text, err) &&
			       ath_scan_read(path, ath_str_get(&text), text.len, arena,
					     &reading->scans[i], err);

		ath_str_fini(&text);
		if (!is_read)
			return false;
	}
	return true;
}

static bool is_open(const struct ath_scan_file *scan)
{
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		if (scan->fields[key].state == ATH_SCAN_ESCALATE)
			return true;
	}
	return false;
}

/* Numbers of the files with an open field. */
static size_t find_open(const struct reading *reading, size_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < reading->files.len; i++) {
		if (is_open(&reading->scans[i]))
			out[len++] = i;
	}
	return len;
}

/* What Python's parser says is open says better why. */
static void fill_by_python(struct ath_scan_file *scan, const struct ath_scan_file *said)
{
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		if (scan->fields[key].state == ATH_SCAN_ESCALATE)
			scan->fields[key] = said->fields[key];
	}
}

/* Ask Python about the files that are open. False: a signal asks to end. */
static bool ask_python(struct reading *reading, const size_t *open, size_t len, struct ath_err *err)
{
	const struct ath_facts_reader *reader = reading->place->reader;
	struct ath_arena *arena = &reading->chain->arena;
	const char **paths = ath_arena_new(arena, len + 1, sizeof(*paths));
	struct ath_texts files = { paths, len };
	const struct ath_scan_file *said;

	for (size_t i = 0; i < len; i++)
		paths[i] = reading->files.items[open[i]];
	if (!reader || !len)
		return true;
	if (ath_facts_chain_identify(reader, &files, arena, &said, &reading->chain->signum,
				     &reading->unasked)) {
		for (size_t i = 0; i < len; i++)
			fill_by_python(&reading->scans[open[i]], &said[i]);
	} else if (reading->chain->signum) {
		*err = reading->unasked;
		return false;
	}
	return true;
}

static const char *place_of(const struct reading *reading, size_t file, enum ath_scan_key key)
{
	const struct ath_scan_field *field = &reading->scans[file].fields[key];
	bool is_unasked = reading->unasked.code != ATH_ERR_OK && reading->place->reader->folder;

	return ath_arena_printf(&reading->chain->arena, "%s:%u: %s: %s%s%s%s",
				reading->files.items[file], field->line, ath_scan_key_name(key),
				field->reason, is_unasked ? " (" : "",
				is_unasked ? reading->unasked.msg : "", is_unasked ? ")" : "");
}

static bool has_id(const struct reading *reading, const char *id)
{
	for (size_t i = 0; i < reading->files.len; i++) {
		const struct ath_scan_field *own = &reading->scans[i].fields[ATH_SCAN_REVISION];

		if (own->state == ATH_SCAN_TEXT && strcmp(own->texts.items[0], id) == 0)
			return true;
	}
	return false;
}

/* Is a dependency named that is not an id? Then it is a label, or might be one. */
static bool needs_labels(const struct reading *reading)
{
	for (size_t i = 0; i < reading->files.len; i++) {
		const struct ath_texts *wanted =
			&reading->scans[i].fields[ATH_SCAN_DEPENDS_ON].texts;

		for (size_t j = 0; j < wanted->len; j++) {
			if (wanted->items[j][0] && !has_id(reading, wanted->items[j]))
				return true;
		}
	}
	return false;
}

/* What is still open stands in the way; but a graph has the same edges without the labels. */
static void weigh_open(struct reading *reading, const size_t *open, size_t len)
{
	struct ath_facts_chain *chain = reading->chain;

	for (size_t i = 0; i < len; i++) {
		const struct ath_scan_field *fields = reading->scans[open[i]].fields;

		for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
			bool is_label = key == ATH_SCAN_BRANCH_LABELS;

			if (fields[key].state != ATH_SCAN_ESCALATE)
				continue;
			if (!is_label && !chain->obstacle)
				chain->obstacle = place_of(reading, open[i], key);
			if (is_label && !chain->unlabelled)
				chain->unlabelled = place_of(reading, open[i], key);
		}
	}
	if (!chain->obstacle && chain->unlabelled && needs_labels(reading))
		chain->obstacle = chain->unlabelled;
}

/* From reading to reading until nothing is open, or nothing more can be known without Alembic. */
static bool settle_open(struct reading *reading, struct ath_err *err)
{
	struct ath_facts_chain *chain = reading->chain;
	size_t *open = ath_arena_new(&chain->arena, reading->files.len + 1, sizeof(*open));
	size_t len = find_open(reading, open);

	if (reading->folders.obstacle)
		return true;
	if (!ask_python(reading, open, len, err))
		return false;
	len = find_open(reading, open);
	if ((len || reading->is_told) && recall_told(reading)) {
		if (ath_facts_told_fill(&reading->told, &reading->files, reading->scans,
					&chain->arena))
			len = 0;
		else if (!len)
			chain->obstacle = "what Alembic told of the folders does not agree with "
					  "the files in them";
	}
	weigh_open(reading, open, len);
	return true;
}

static void fill_entries(struct reading *reading)
{
	struct ath_facts_chain *chain = reading->chain;
	size_t len = reading->files.len;
	struct ath_chain_entry *entries = ath_arena_new(&chain->arena, len + 1, sizeof(*entries));

	if (chain->obstacle)
		return;
	for (size_t i = 0; i < len; i++) {
		const struct ath_scan_field *fields = reading->scans[i].fields;
		const struct ath_scan_field *id = &fields[ATH_SCAN_REVISION];
		const char *path = reading->files.items[i];

		entries[i] = (struct ath_chain_entry){
			.id = id->state == ATH_SCAN_TEXT
				      ? id->texts.items[0]
				      : ath_scan_find_name_id(strrchr(path, '/') + 1,
							      &chain->arena),
			.downs = fields[ATH_SCAN_DOWN_REVISION].texts,
			.depends_on = fields[ATH_SCAN_DEPENDS_ON].texts,
			.labels = fields[ATH_SCAN_BRANCH_LABELS].texts,
			.file = path,
			.line = id->line,
		};
	}
	chain->entries = entries;
	chain->entries_len = len;
}

static bool build(struct ath_facts_chain *chain, struct ath_err *err)
{
	for (size_t i = 0; i < chain->entries_len && !chain->obstacle; i++) {
		if (!chain->entries[i].id)
			chain->obstacle =
				ath_arena_printf(&chain->arena, "%s: no revision is assigned",
						 chain->entries[i].file);
	}
	if (chain->obstacle)
		return true;
	if (!ath_chain_build(chain->entries, chain->entries_len, &chain->arena, &chain->chain, err))
		return false;
	chain->is_static = true;
	return true;
}

/* The position's file name dies with the arena, so it moves into the message. */
static void keep_position(struct ath_err *err)
{
	if (err->pos.file)
		ath_err_prefix(err, "%s:%u", err->pos.file, err->pos.line);
	err->pos = (struct ath_pos){ 0 };
}

static bool read_chain(struct reading *reading, struct ath_err *err)
{
	struct ath_facts_chain *chain = reading->chain;

	if (!ath_facts_folders_find(reading->place, &chain->arena, &reading->folders, err))
		return false;
	use_told_folders(reading);
	if (!check_script(reading->place, &reading->folders, err))
		return false;
	keep_folders(chain, &reading->folders);
	if (!ath_facts_folders_list(&reading->folders, &chain->arena, &reading->list, err) ||
	    !scan_files(reading, err) || !settle_open(reading, err))
		return false;
	fill_entries(reading);
	return true;
}

static bool load(const struct ath_facts_chain_place *place, bool must_build,
		 struct ath_facts_chain *out, struct ath_err *err)
{
	struct ath_facts_chain chain = { 0 };
	struct reading reading = { .place = place, .chain = &chain };
	bool is_loaded = read_chain(&reading, err) && (!must_build || build(&chain, err));

	ath_facts_folders_fini(&reading.folders);
	ath_facts_files_fini(&reading.list);
	out->signum = chain.signum;
	if (!is_loaded) {
		keep_position(err);
		ath_facts_chain_fini(&chain);
		return false;
	}
	*out = chain;
	return true;
}

bool ath_facts_chain_load(const struct ath_facts_chain_place *place, struct ath_facts_chain *out,
			  struct ath_err *err)
{
	return load(place, true, out, err);
}

bool ath_facts_chain_scan(const struct ath_facts_chain_place *place, struct ath_facts_chain *out,
			  struct ath_err *err)
{
	return load(place, false, out, err);
}

void ath_facts_chain_keep(const struct ath_facts_chain_place *place, const struct ath_str *line,
			  const char *asked)
{
	struct ath_facts_chain chain = { 0 };
	struct ath_err ignored = { 0 };

	if (!ath_facts_chain_load(place, &chain, &ignored) || !chain.is_static || chain.unlabelled)
		ath_facts_told_keep(place, line, asked);
	ath_facts_chain_fini(&chain);
}

void ath_facts_chain_fini(struct ath_facts_chain *chain)
{
	ath_arena_fini(&chain->arena);
	*chain = (struct ath_facts_chain){ 0 };
}

static const char *arena_join(struct ath_arena *arena, const char *folder, const char *path)
{
	char *joined = ath_file_join(folder, path);
	const char *copy = ath_arena_strdup(arena, joined);

	free(joined);
	return copy;
}

static void add_stamp(struct ath_hash *hash, const char *path)
{
	struct ath_file_stamp stamp;

	ath_hash_add_text(hash, path);
	if (ath_file_stamp(path, &stamp)) {
		ath_hash_add(hash, &stamp.size, sizeof(stamp.size));
		ath_hash_add(hash, &stamp.mtime_ns, sizeof(stamp.mtime_ns));
		ath_hash_add(hash, &stamp.ctime_ns, sizeof(stamp.ctime_ns));
		ath_hash_add(hash, &stamp.ino, sizeof(stamp.ino));
	}
}

void ath_facts_chain_stamp(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			   const char **out_env_py, char out_text[ATH_HASH_TEXT])
{
	struct ath_hash hash = ath_hash_start();
	struct ath_facts_folders folders = { 0 };
	struct ath_facts_files list = { 0 };
	struct ath_err err = { 0 };

	*out_env_py = NULL;
	add_stamp(&hash, arena_join(arena, place->root, place->alembic));
	if (ath_facts_folders_find(place, arena, &folders, &err)) {
		if (folders.script) {
			*out_env_py = arena_join(arena, folders.script, "env.py");
			add_stamp(&hash, *out_env_py);
		}
		if (ath_facts_folders_list(&folders, arena, &list, &err)) {
			ath_vec_each (&list.files, one)
				add_stamp(&hash, *one);
		}
	}
	ath_facts_folders_fini(&folders);
	ath_facts_files_fini(&list);
	ath_hash_text(hash, out_text);
}

static int compare_texts(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

const char *ath_facts_chain_heads(struct ath_facts_chain *chain)
{
	size_t len = chain->chain.heads.len;
	const char **ids = ath_arena_new(&chain->arena, len, sizeof(*ids));
	struct ath_str joined = { 0 };
	const char *text;

	for (size_t i = 0; i < len; i++)
		ids[i] = chain->chain.entries[chain->chain.heads.items[i]].id;
	if (len)
		qsort(ids, len, sizeof(*ids), compare_texts);
	for (size_t i = 0; i < len; i++)
		ath_str_printf(&joined, "%s%s", i ? "," : "", ids[i]);
	text = ath_arena_strdup(&chain->arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return text;
}
