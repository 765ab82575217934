/* SPDX-License-Identifier: MIT */
/* facts/chain_told: the graph as Alembic told it to an installation. */
#include "facts/chain_told.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/scan.h"
#include "bridge/reply.h"
#include "bridge/request.h"
#include "facts/cache.h"
#include "facts/chain_folders.h"
#include "facts/chain_place.h"
#include "facts/effects_ask.h"

enum {
	HEAD = ATH_DIGEST_TEXT, /* what is kept: the digest of the files, a line end, Alembic's line */
};

static const char *join(struct ath_arena *arena, const char *folder, const char *path)
{
	char *joined = ath_file_join(folder, path);
	const char *copy = ath_arena_strdup(arena, joined);

	free(joined);
	return copy;
}

static const char *ini_of(const struct ath_facts_chain_place *place, struct ath_arena *arena)
{
	return join(arena, place->root, place->alembic);
}

static struct ath_cache_key key_of(const struct ath_facts_chain_place *place,
				   struct ath_arena *arena)
{
	static const char ours[] = ATH_VERSION " graph 1";
	struct ath_cache_key key = { .kind = "graph" };
	const char *ini = ini_of(place, arena);
	char program[ATH_HASH_TEXT];
	struct ath_digest *digest;

	if (!place->reader || !place->reader->state_dir)
		return key;
	digest = ath_digest_new();
	ath_bridge_hash_program(program);
	ath_digest_add(digest, program, sizeof(program));
	ath_digest_add(digest, ours, sizeof(ours));
	ath_digest_add(digest, place->section, strlen(place->section) + 1);
	ath_digest_add(digest, ini, strlen(ini) + 1);
	if (ath_cache_add_file(digest, ini))
		key.state_dir = place->reader->state_dir;
	ath_digest_finish(digest, key.digest);
	ath_digest_free(digest);
	return key;
}

/* Alembic's line, and all that it was told of. */
struct told {
	struct ath_facts_told graph;
	struct ath_facts_files files; /* owned */
	struct ath_texts sources;
	const char *env_py;
	char digest[ATH_DIGEST_TEXT];
};

static void fini(struct told *told)
{
	ath_facts_files_fini(&told->files);
}

static bool are_absolute(const struct ath_texts *paths)
{
	for (size_t i = 0; i < paths->len; i++) {
		if (paths->items[i][0] != '/')
			return false;
	}
	return paths->len <= ATH_SCAN_FILES_MAX;
}

static bool read_line(const char *line, size_t len, struct ath_arena *arena, struct told *out)
{
	struct ath_bridge_reply reply;
	struct ath_err ignored = { 0 };

	if (!ath_bridge_read(line, len, arena, &reply, &ignored) ||
	    reply.event != ATH_BRIDGE_SAYS_HEADS || !reply.locations.len ||
	    !are_absolute(&reply.locations) || !are_absolute(&reply.sources) || !reply.script ||
	    reply.script[0] != '/')
		return false;
	out->sources = reply.sources;
	out->graph = (struct ath_facts_told){
		.entries = reply.entries,
		.len = reply.entries_len,
		.locations = reply.locations,
		.script = reply.script,
		.is_recursive = reply.is_recursive,
	};
	return true;
}

static bool digest_files(struct told *told)
{
	struct ath_digest *digest = ath_digest_new();
	bool is_whole = ath_cache_add_file(digest, told->env_py);

	ath_vec_each (&told->files.files, one) {
		ath_digest_add(digest, *one, strlen(*one) + 1);
		is_whole = is_whole && ath_cache_add_file(digest, *one);
	}
	for (size_t i = 0; is_whole && i < told->sources.len; i++)
		is_whole = ath_cache_add_file(digest, told->sources.items[i]);
	ath_digest_finish(digest, told->digest);
	ath_digest_free(digest);
	return is_whole;
}

/* Read the line and the files of which it speaks; the caller releases `out` in any case. */
static bool read_told(const struct ath_facts_chain_place *place, const char *line, size_t len,
		      struct ath_arena *arena, struct told *out)
{
	struct ath_facts_folders named = { 0 }, folders = { 0 };
	struct ath_err ignored = { 0 };
	bool is_read = ath_facts_folders_find(place, arena, &named, &ignored) &&
		       !named.may_be_compiled && read_line(line, len, arena, out);

	for (size_t i = 0; is_read && i < out->graph.locations.len; i++)
		*ath_vec_push(&folders.versions) = out->graph.locations.items[i];
	is_read = is_read && ath_facts_folders_list_every(&folders, arena, &out->files, &ignored);
	if (is_read) {
		out->env_py = join(arena, out->graph.script, "env.py");
		is_read = digest_files(out);
	}
	ath_facts_folders_fini(&named);
	ath_facts_folders_fini(&folders);
	return is_read;
}

bool ath_facts_told_recall(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			   struct ath_facts_told *out)
{
	struct ath_cache_key key = key_of(place, arena);
	struct told told = { 0 };
	const char *bytes;
	size_t len;
	bool is_known = ath_cache_read(&key, arena, &bytes, &len) && len > HEAD &&
			bytes[HEAD - 1] == '\n' &&
			read_told(place, bytes + HEAD, len - HEAD, arena, &told) &&
			memcmp(bytes, told.digest, HEAD - 1) == 0;

	fini(&told);
	if (is_known)
		*out = told.graph;
	return is_known;
}

static bool is_older(const struct ath_file_stamp *stamp, int64_t since_ns)
{
	return stamp->mtime_ns < since_ns && stamp->ctime_ns < since_ns;
}

static bool is_file_older(const char *path, int64_t since_ns)
{
	struct ath_file_stamp stamp;

	return ath_file_stamp(path, &stamp) && is_older(&stamp, since_ns);
}

/* Is all of it as it was before the question? One clock stamps them all, and a change stamps anew. */
static bool is_unchanged(const struct told *told, const char *ini, const char *asked)
{
	struct ath_file_stamp since;
	bool is_same = ath_file_stamp(asked, &since) && is_file_older(ini, since.mtime_ns) &&
		       is_file_older(told->env_py, since.mtime_ns);

	ath_vec_each (&told->files.files, one)
		is_same = is_same && is_file_older(*one, since.mtime_ns);
	ath_vec_each (&told->files.folders, one)
		is_same = is_same && is_older(one, since.mtime_ns);
	for (size_t i = 0; i < told->sources.len; i++)
		is_same = is_same && is_file_older(told->sources.items[i], since.mtime_ns);
	return is_same;
}

void ath_facts_told_keep(const struct ath_facts_chain_place *place, const struct ath_str *line,
			 const char *asked)
{
	struct ath_arena arena = { 0 };
	struct told told = { 0 };
	struct ath_cache_key key = key_of(place, &arena);
	size_t len = strcspn(ath_str_get(line), "\n");
	struct ath_str text = { 0 };

	if (key.state_dir && read_told(place, ath_str_get(line), len, &arena, &told) &&
	    is_unchanged(&told, ini_of(place, &arena), asked)) {
		ath_str_printf(&text, "%s\n", told.digest);
		ath_str_add(&text, ath_str_get(line), len);
		ath_cache_write(&key, text.data, text.len);
	}
	ath_str_fini(&text);
	fini(&told);
	ath_arena_fini(&arena);
}

/* Which file an entry is of, whatever name it goes by. */
struct known_file {
	uint64_t dev, ino;
	size_t entry;
};

static int compare_files(const void *one, const void *other)
{
	const struct known_file *a = one, *b = other;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return (a->ino > b->ino) - (a->ino < b->ino);
}

static bool find_file(const char *path, struct known_file *out)
{
	struct ath_file_stamp stamp;

	if (!ath_file_stamp(path, &stamp))
		return false;
	out->dev = stamp.dev;
	out->ino = stamp.ino;
	return true;
}

/* The number of the entry of each file; NULL: they are not of the same files. */
static const size_t *match_files(const struct ath_facts_told *told, const struct ath_texts *files,
				 struct ath_arena *arena)
{
	struct known_file *known = ath_arena_new(arena, told->len + 1, sizeof(*known));
	size_t *found = ath_arena_new(arena, files->len + 1, sizeof(*found));
	bool *is_taken = ath_arena_new(arena, told->len + 1, sizeof(*is_taken));

	if (told->len != files->len)
		return NULL;
	for (size_t i = 0; i < told->len; i++) {
		known[i].entry = i;
		if (!find_file(told->entries[i].file, &known[i]))
			return NULL;
	}
	qsort(known, told->len, sizeof(*known), compare_files);
	for (size_t i = 0; i < files->len; i++) {
		struct known_file wanted, *hit = NULL;

		if (find_file(files->items[i], &wanted))
			hit = bsearch(&wanted, known, told->len, sizeof(*known), compare_files);
		if (!hit || is_taken[hit->entry])
			return NULL;
		is_taken[hit->entry] = true;
		found[i] = hit->entry;
	}
	return found;
}

static struct ath_texts told_texts(const struct ath_chain_entry *entry, enum ath_scan_key key)
{
	switch (key) {
	case ATH_SCAN_REVISION:
		return (struct ath_texts){ &entry->id, 1 };
	case ATH_SCAN_DOWN_REVISION:
		return entry->downs;
	case ATH_SCAN_DEPENDS_ON:
		return entry->depends_on;
	default:
		return entry->labels;
	}
}

/* A lone empty text means none. */
static size_t count_texts(const struct ath_texts *texts)
{
	return texts->len == 1 && !texts->items[0][0] ? 0 : texts->len;
}

static bool has_text(const struct ath_texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->len; i++) {
		if (strcmp(texts->items[i], text) == 0)
			return true;
	}
	return false;
}

static bool is_same(const struct ath_texts *one, const struct ath_texts *other)
{
	size_t len = count_texts(one);

	if (len != count_texts(other))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!has_text(other, one->items[i]))
			return false;
	}
	return true;
}

/* No sign in it that would steer a terminal. */
static bool is_harmless(const struct ath_texts *texts)
{
	for (size_t i = 0; i < texts->len; i++) {
		for (const char *at = texts->items[i]; *at; at++) {
			if ((unsigned char)*at < ' ' || *at == 0x7f)
				return false;
		}
	}
	return true;
}

/* Does what was told of a file agree with what the file says for certain? */
static bool agrees(const struct ath_chain_entry *entry, const struct ath_scan_file *scan)
{
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		const struct ath_scan_field *field = &scan->fields[key];
		struct ath_texts told = told_texts(entry, key);
		/* an absent id is made of the name; whoever has none would not have been told of */
		bool is_open = field->state == ATH_SCAN_ESCALATE ||
			       (key == ATH_SCAN_REVISION && field->state == ATH_SCAN_ABSENT);

		if (!is_harmless(&told) || (!is_open && !is_same(&told, &field->texts)))
			return false;
	}
	return entry->id[0] != '\0';
}

bool ath_facts_told_fill(const struct ath_facts_told *told, const struct ath_texts *files,
			 struct ath_scan_file *scans, struct ath_arena *arena)
{
	const size_t *matches = match_files(told, files, arena);

	for (size_t i = 0; matches && i < files->len; i++) {
		if (!agrees(&told->entries[matches[i]], &scans[i]))
			return false;
	}
	for (size_t i = 0; matches && i < files->len; i++) {
		for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
			struct ath_scan_field *field = &scans[i].fields[key];

			if (field->state != ATH_SCAN_ESCALATE)
				continue;
			field->texts = told_texts(&told->entries[matches[i]], key);
			field->state = key == ATH_SCAN_REVISION ? ATH_SCAN_TEXT : ATH_SCAN_LIST;
			field->reason = NULL;
		}
	}
	return matches != NULL;
}
