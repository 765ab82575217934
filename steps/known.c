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

static bool refuse(struct ath_err *err)
{
	return ath_err_set(err, ATH_ERR_BRIDGE, "what was kept of the chain is damaged");
}

/* The tables of the metadata, as elements without their columns. */
static struct ath_elements models_of(const struct ath_texts *tables, struct ath_arena *arena)
{
	struct ath_element *items = ath_arena_new(arena, tables->len + 1, sizeof(*items));

	for (size_t i = 0; i < tables->len; i++) {
		const char *name = ath_element_fold(arena, tables->items[i]);

		items[i] = (struct ath_element){
			.kind = ATH_ELEMENT_TABLE,
			.table = name,
			.key = ath_element_table_key(arena, name),
		};
	}
	return (struct ath_elements){ items, ath_element_sort(items, tables->len) };
}

static bool read_line(const char **at, struct ath_arena *arena, struct ath_bridge_reply *out,
		      enum ath_bridge_event event, struct ath_err *err)
{
	size_t len = strcspn(*at, "\n");

	if ((*at)[len] != '\n')
		return refuse(err);
	if (!ath_bridge_read(*at, len, arena, out, err))
		return false;
	*at += len + 1;
	return out->event == event ||
	       ath_err_set(err, ATH_ERR_BRIDGE, "graph and target were not told in this order");
}

bool ath_known_read(const struct ath_str *lines, struct ath_arena *arena, struct ath_known *out,
		    size_t *out_len, struct ath_err *err)
{
	const char *at = ath_str_get(lines);
	struct ath_bridge_reply heads, target;
	struct ath_known known = { 0 };

	if (!read_line(&at, arena, &heads, ATH_BRIDGE_SAYS_HEADS, err) ||
	    !read_line(&at, arena, &target, ATH_BRIDGE_SAYS_TARGET, err) ||
	    !ath_chain_build(heads.entries, heads.entries_len, arena, &known.chain, err))
		return false;
	known.models = models_of(&target.tables, arena);
	*out_len = (size_t)(at - ath_str_get(lines));
	*out = known;
	return true;
}

static char *path_of(const struct ath_step_world *world)
{
	return ath_file_join(world->run_dir, "chain.known");
}

bool ath_known_save(const struct ath_step_world *world, const struct ath_str *lines,
		    const struct ath_known *known, struct ath_err *err)
{
	char *path = path_of(world);
	struct ath_str text = { 0 };
	bool is_saved;

	ath_str_add(&text, ath_str_get(lines), lines->len);
	for (size_t i = 0; known->effects && i < known->chain.len; i++)
		ath_effects_text_put(&text, known->chain.entries[i].id, &known->effects[i]);
	is_saved = ath_file_replace(path, ath_str_get(&text), text.len, 0600, err);
	ath_str_fini(&text);
	free(path);
	return is_saved;
}

/* The bytes stay in the arena: the texts of the effects are not copied out of them. */
static bool read_effects(const struct ath_str *file, size_t from, struct ath_arena *arena,
			 struct ath_known *known, struct ath_err *err)
{
	size_t len = file->len - from;
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
		return refuse(err);
	known->effects = count ? items : NULL;
	return true;
}

bool ath_known_load(const struct ath_step_world *world, struct ath_arena *arena,
		    struct ath_known *out, struct ath_err *err)
{
	char *path = path_of(world);
	struct ath_str file = { 0 };
	struct ath_known known = { 0 };
	size_t from;
	bool is_loaded = ath_file_read(path, KEPT_BYTES_MAX, &file, err) &&
			 ath_known_read(&file, arena, &known, &from, err) &&
			 read_effects(&file, from, arena, &known, err);

	if (is_loaded)
		*out = known;
	ath_str_fini(&file);
	free(path);
	return is_loaded;
}
