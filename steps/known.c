/* SPDX-License-Identifier: MIT */
/* steps/known: what a run knows of the chain. */
#include "steps/known.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/effects_text.h"
#include "bridge/reply.h"
#include "os/file.h"

enum {
	KEPT_BYTES_MAX = 64 << 20,
};

bool ath_known_read_chain(const struct ath_str *line, struct ath_arena *arena,
			  struct ath_chain *out, struct ath_err *err)
{
	const char *text = ath_str_get(line);
	struct ath_bridge_reply reply;

	if (!ath_bridge_read(text, strcspn(text, "\n"), arena, &reply, err))
		return false;
	if (reply.event != ATH_BRIDGE_SAYS_HEADS)
		return ath_err_set(err, ATH_ERR_BRIDGE, "the graph was not told");
	return ath_chain_build(reply.entries, reply.entries_len, arena, out, err);
}

static char *path_of(const struct ath_step_world *world)
{
	return ath_file_join(world->run_dir, "chain.known");
}

bool ath_known_save(const struct ath_step_world *world, const struct ath_str *line,
		    const struct ath_known *known, struct ath_err *err)
{
	char *path = path_of(world);
	struct ath_str text = { 0 };
	bool is_saved;

	ath_str_add(&text, ath_str_get(line), line->len);
	for (size_t i = 0; known->effects && i < known->chain.len; i++)
		ath_effects_text_put(&text, known->chain.entries[i].id, &known->effects[i]);
	is_saved = ath_file_replace(path, ath_str_get(&text), text.len, 0600, err);
	ath_str_fini(&text);
	free(path);
	return is_saved;
}

/* The bytes stay in the arena: the texts of the effects are not copied out of them. */
static bool read_effects(const struct ath_str *file, struct ath_arena *arena,
			 struct ath_known *known, struct ath_err *err)
{
	size_t line = strcspn(ath_str_get(file), "\n");
	size_t from = line < file->len ? line + 1 : line, len = file->len - from;
	struct ath_effects *items = ath_arena_new(arena, known->chain.len + 1, sizeof(*items));
	char *bytes = ath_arena_new(arena, len + 1, 1);
	struct ath_effects_text text = { bytes, bytes + len };
	struct ath_effects effects;
	const char *revision;
	size_t count = 0;

	memcpy(bytes, file->data + from, len);
	while (ath_effects_text_next(&text, arena, &revision, &effects)) {
		size_t idx = ath_chain_find(&known->chain, revision);

		if (idx < known->chain.len)
			items[idx] = effects;
		count++;
	}
	if (text.at != text.end || (count && count != known->chain.len))
		return ath_err_set(err, ATH_ERR_BRIDGE, "what was kept of the chain is damaged");
	known->effects = count ? items : NULL;
	return true;
}

bool ath_known_load(const struct ath_step_world *world, struct ath_arena *arena,
		    struct ath_known *out, struct ath_err *err)
{
	char *path = path_of(world);
	struct ath_str file = { 0 };
	struct ath_known known = { 0 };
	bool is_loaded = ath_file_read(path, KEPT_BYTES_MAX, &file, err) &&
			 ath_known_read_chain(&file, arena, &known.chain, err) &&
			 read_effects(&file, arena, &known, err);

	if (is_loaded)
		*out = known;
	ath_str_fini(&file);
	free(path);
	return is_loaded;
}
