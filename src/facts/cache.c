/* SPDX-License-Identifier: MIT */
/* facts/cache: answers that cost a process, kept in the state directory. */
#include "facts/cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/effects_text.h"
#include "alembic/scan.h"
#include "base/str.h"
#include "bridge/request.h"
#include "os/file.h"

enum {
	HEAD = ATH_DIGEST_TEXT, /* the digits and the line end */
};

void ath_cache_add_programs(struct ath_digest *digest)
{
	static const char ours[] = ATH_VERSION " " ATH_EFFECTS_TEXT_FORMAT;
	char program[ATH_HASH_TEXT];

	ath_bridge_hash_program(program);
	ath_digest_add(digest, program, sizeof(program));
	ath_digest_add(digest, ours, sizeof(ours));
}

bool ath_cache_add_file(struct ath_digest *digest, const char *path)
{
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };
	bool is_read = ath_file_read(path, ATH_SCAN_BYTES_MAX, &text, &ignored);

	if (is_read) {
		ath_digest_add(digest, &text.len, sizeof(text.len));
		ath_digest_add(digest, ath_str_get(&text), text.len);
	}
	ath_str_fini(&text);
	return is_read;
}

bool ath_cache_add_chain(struct ath_digest *digest, const struct ath_chain *chain)
{
	for (size_t i = 0; i < chain->order.len; i++) {
		const struct ath_chain_entry *entry = &chain->entries[chain->order.items[i]];
		const char *slash = strrchr(entry->file, '/');
		const char *name = slash ? slash + 1 : entry->file;

		ath_digest_add(digest, entry->id, strlen(entry->id) + 1);
		ath_digest_add(digest, name, strlen(name) + 1);
		if (!ath_cache_add_file(digest, entry->file))
			return false;
	}
	return true;
}

static char *folder_of(const struct ath_cache_key *key)
{
	return ath_file_join(key->state_dir, "cache");
}

static char *path_of(const struct ath_cache_key *key)
{
	struct ath_str path = { 0 };

	ath_str_printf(&path, "%s/cache/%s-%s", key->state_dir, key->kind, key->digest);
	return ath_str_steal(&path);
}

static void digest_of(const char *bytes, size_t len, char out[ATH_DIGEST_TEXT])
{
	struct ath_digest *digest = ath_digest_new();

	ath_digest_add(digest, bytes, len);
	ath_digest_finish(digest, out);
	ath_digest_free(digest);
}

static bool is_whole(const struct ath_str *text)
{
	char digits[ATH_DIGEST_TEXT];

	if (text->len < HEAD || text->data[HEAD - 1] != '\n')
		return false;
	digest_of(text->data + HEAD, text->len - HEAD, digits);
	return memcmp(text->data, digits, HEAD - 1) == 0;
}

bool ath_cache_read(const struct ath_cache_key *key, struct ath_arena *arena,
		    const char **out_bytes, size_t *out_len)
{
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };
	char *path;
	bool is_read;

	if (!key->state_dir)
		return false;
	path = path_of(key);
	is_read = ath_file_kind(path) == ATH_FILE_REGULAR &&
		  ath_file_read(path, ATH_CACHE_BYTES_MAX + HEAD, &text, &ignored) &&
		  is_whole(&text);
	if (is_read) {
		*out_len = text.len - HEAD;
		*out_bytes = ath_arena_strndup(arena, text.data + HEAD, *out_len);
	}
	ath_str_fini(&text);
	free(path);
	return is_read;
}

/* The answers in the folder, and the one that was written first. */
struct census {
	const char *folder;
	size_t len;
	char *oldest; /* owned */
	int64_t oldest_ns;
};

/* An answer is named KIND-KEY; whatever else is in the folder is not ours to remove. */
static bool is_answer(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash && strlen(dash + 1) == ATH_DIGEST_TEXT - 1 &&
	       strspn(dash + 1, "0123456789abcdef") == ATH_DIGEST_TEXT - 1;
}

static bool count_answer(void *user, const char *name, bool is_folder)
{
	struct census *census = user;
	struct ath_file_stamp stamp;
	char *path;

	if (is_folder || !is_answer(name))
		return true;
	path = ath_file_join(census->folder, name);
	census->len++;
	if (ath_file_stamp(path, &stamp) &&
	    (!census->oldest || stamp.mtime_ns < census->oldest_ns)) {
		free(census->oldest);
		census->oldest = path;
		census->oldest_ns = stamp.mtime_ns;
		path = NULL;
	}
	free(path);
	return true;
}

/* Remove the oldest answers, one at a time, until there are few enough. */
static void make_room(const char *folder)
{
	struct ath_err ignored = { 0 };
	bool is_done = false;

	for (size_t turns = 0; !is_done && turns < 2 * ATH_CACHE_FILES_MAX; turns++) {
		struct census census = { .folder = folder };

		is_done = !ath_file_list(folder, count_answer, &census, &ignored) ||
			  census.len <= ATH_CACHE_FILES_MAX || !census.oldest ||
			  !ath_file_remove_tree(census.oldest, &ignored);
		free(census.oldest);
	}
}

void ath_cache_write(const struct ath_cache_key *key, const char *bytes, size_t len)
{
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };
	char digits[ATH_DIGEST_TEXT], *folder, *path;

	if (!key->state_dir || len > ATH_CACHE_BYTES_MAX || !ath_file_is_own(key->state_dir))
		return;
	folder = folder_of(key);
	path = path_of(key);
	digest_of(bytes, len, digits);
	ath_str_printf(&text, "%s\n", digits);
	ath_str_add(&text, bytes, len);
	if (ath_file_make_folders(folder, 0700, &ignored) && ath_file_is_own(folder) &&
	    ath_file_replace(path, text.data, text.len, 0600, &ignored))
		make_room(folder);
	ath_str_fini(&text);
	free(path);
	free(folder);
}
