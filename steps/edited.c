/* SPDX-License-Identifier: MIT */
/* steps/edited: revision files that are not what they were when they were applied. */
#include "steps/edited.h"

#include <string.h>

#include "base/hash.h"
#include "os/file.h"

enum {
	FILE_BYTES_MAX = 1 << 20, /* as the scanner of revisions has it */
};

static const char field[] = "contents";

/* A line of its own; an id with a line end in it would only be told wrongly. */
static bool put_content(const struct ath_chain_entry *entry, struct ath_str *out)
{
	struct ath_str text = { 0 };
	struct ath_err ignored = { 0 };
	struct ath_hash hash = ath_hash_start();
	char digits[ATH_HASH_TEXT];
	bool is_read = entry->file && ath_file_read(entry->file, FILE_BYTES_MAX, &text, &ignored);

	if (is_read) {
		ath_hash_add(&hash, ath_str_get(&text), text.len);
		ath_hash_text(hash, digits);
		ath_str_printf(out, "\n%s %s\n", entry->id, digits);
	}
	ath_str_fini(&text);
	return is_read;
}

void ath_edited_fill(const struct ath_chain *chain, struct ath_pairs *out)
{
	struct ath_str contents = { 0 };

	for (size_t i = 0; i < chain->len; i++)
		put_content(&chain->entries[i], &contents);
	ath_pairs_set(out, field, ath_str_get(&contents));
	ath_str_fini(&contents);
}

/* Is the revision in the record, with another content? */
static bool is_edited(const char *contents, const struct ath_chain_entry *entry,
		      struct ath_arena *arena)
{
	const char *start = ath_arena_printf(arena, "\n%s ", entry->id);
	struct ath_str now = { 0 };
	bool is_other = strstr(contents, start) && put_content(entry, &now) &&
			!strstr(contents, ath_str_get(&now));

	ath_str_fini(&now);
	return is_other;
}

struct ath_texts ath_edited_find(const struct ath_step_world *world, const struct ath_chain *chain,
				 const struct ath_texts *rows, struct ath_arena *arena)
{
	size_t *items = ath_arena_new(arena, rows->len + 1, sizeof(*items)), len = 0;
	const char **ids = ath_arena_new(arena, chain->len + 1, sizeof(*ids));
	struct ath_texts found = { .items = ids };
	struct ath_pairs record = { 0 };
	const bool *applied;

	for (size_t i = 0; i < rows->len; i++) {
		size_t revision = ath_chain_find(chain, rows->items[i]);

		if (revision < chain->len)
			items[len++] = revision;
	}
	applied = ath_chain_new_ancestors(chain, (struct ath_chain_list){ items, len }, arena);
	if (world->find_note(world->notes, "verified", &record)) {
		for (size_t i = 0; i < chain->len; i++) {
			size_t revision = chain->order.items[i];
			const struct ath_chain_entry *entry = &chain->entries[revision];

			if (applied[revision] &&
			    is_edited(ath_pairs_get(&record, field), entry, arena))
				ids[found.len++] = entry->id;
		}
	}
	ath_pairs_fini(&record);
	return found;
}
