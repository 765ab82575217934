/* SPDX-License-Identifier: MIT */
/* steps/known: what a run knows of the chain. */
#include "steps/known.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/reply.h"
#include "os/file.h"

enum {
	KEPT_BYTES_MAX = 64 << 20,
};

static const char file_name[] = "chain.replies";

static bool keep_reply(const struct ath_bridge_reply *reply, struct ath_arena *arena,
		       struct ath_known *known, struct ath_effects **effects, struct ath_err *err)
{
	size_t revision;

	if (reply->event == ATH_BRIDGE_SAYS_HEADS)
		return ath_chain_build(reply->entries, reply->entries_len, arena, &known->chain,
				       err);
	if (reply->event != ATH_BRIDGE_SAYS_EFFECTS || !reply->revision)
		return true;
	if (!*effects) {
		*effects = ath_arena_new(arena, known->chain.len + 1, sizeof(**effects));
		for (size_t i = 0; i < known->chain.len; i++)
			(*effects)[i].obstacle = "its file was not answered for";
	}
	revision = ath_chain_find(&known->chain, reply->revision);
	if (revision < known->chain.len)
		(*effects)[revision] = reply->effects;
	return true;
}

bool ath_known_read(const char *lines, size_t len, struct ath_arena *arena, struct ath_known *out,
		    struct ath_err *err)
{
	struct ath_effects *effects = NULL;
	struct ath_known known = { 0 };

	while (len) {
		const char *end = memchr(lines, '\n', len);
		size_t part = end ? (size_t)(end - lines) : len;
		struct ath_bridge_reply reply;

		if (part && (!ath_bridge_read(lines, part, arena, &reply, err) ||
			     !keep_reply(&reply, arena, &known, &effects, err)))
			return false;
		part += end != NULL;
		lines += part;
		len -= part;
	}
	known.effects = effects;
	*out = known;
	return true;
}

static char *path_of(const struct ath_step_world *world)
{
	return ath_file_join(world->run_dir, file_name);
}

bool ath_known_save(const struct ath_step_world *world, const struct ath_str *lines,
		    struct ath_err *err)
{
	char *path = path_of(world);
	bool is_saved = ath_file_replace(path, ath_str_get(lines), lines->len, 0600, err);

	free(path);
	return is_saved;
}

bool ath_known_load(const struct ath_step_world *world, struct ath_arena *arena,
		    struct ath_known *out, struct ath_err *err)
{
	char *path = path_of(world);
	struct ath_str lines = { 0 };
	bool is_loaded = ath_file_read(path, KEPT_BYTES_MAX, &lines, err) &&
			 ath_known_read(ath_str_get(&lines), lines.len, arena, out, err);

	ath_str_fini(&lines);
	free(path);
	return is_loaded;
}
