/* SPDX-License-Identifier: MIT */
/* facts/effects_replay: what a replay of the chain saw, kept between calls. */
#include "facts/effects_replay.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/effects_text.h"
#include "bridge/request.h"
#include "os/file.h"

struct ath_cache_key ath_facts_replay_key(const struct ath_facts_replay *asked,
					  struct ath_arena *arena)
{
	struct ath_cache_key key = { .kind = "replay" };
	char *ini = ath_file_join(asked->place->root, asked->place->alembic);
	struct ath_digest *digest = ath_digest_new();
	char stamp[ATH_HASH_TEXT];
	const char *env_py;

	ath_facts_chain_stamp(asked->place, arena, &env_py, stamp);
	ath_cache_add_programs(digest);
	ath_digest_add(digest, asked->place->section, strlen(asked->place->section) + 1);
	if (env_py && ath_cache_add_file(digest, ini) && ath_cache_add_file(digest, env_py) &&
	    ath_cache_add_chain(digest, asked->chain))
		key.state_dir = asked->state_dir;
	ath_digest_finish(digest, key.digest);
	ath_digest_free(digest);
	free(ini);
	return key;
}

/* A version, and the text behind it; NULL: it is not the wanted one. */
static const char *skip_version(const char *at, const char *end, const char *wanted)
{
	const char *stop = memchr(at, '\0', (size_t)(end - at));

	return stop && (!wanted || strcmp(at, wanted) == 0) ? stop + 1 : NULL;
}

/* The steps in the order in which they ran, as they were put. */
static bool read_steps(struct ath_effects_text *text, const struct ath_chain *chain,
		       struct ath_arena *arena, struct ath_replayed *out)
{
	struct ath_replayed_step *steps = ath_arena_new(arena, chain->len + 1, sizeof(*steps));
	const char *revision;
	size_t len = 0;

	while (len <= chain->len &&
	       ath_effects_text_next(text, arena, &revision, &steps[len].effects)) {
		steps[len].revision = *revision ? ath_chain_find(chain, revision) : chain->len;
		if (*revision && steps[len].revision == chain->len)
			return false;
		len++;
	}
	if (text->at != text->end)
		return false;
	*out = (struct ath_replayed){ steps, len };
	return true;
}

bool ath_facts_replay_recall(const struct ath_facts_replay *asked, struct ath_arena *arena,
			     struct ath_replayed *out)
{
	struct ath_cache_key key = ath_facts_replay_key(asked, arena);
	struct ath_effects_text text;
	const char *bytes;
	size_t len;

	if (!ath_cache_read(&key, arena, &bytes, &len))
		return false;
	text = (struct ath_effects_text){ bytes, bytes + len };
	text.at = skip_version(text.at, text.end, asked->alembic);
	if (text.at)
		text.at = skip_version(text.at, text.end, asked->sqlalchemy);
	return text.at && read_steps(&text, asked->chain, arena, out);
}

void ath_facts_replay_keep(const struct ath_facts_replay *asked, const struct ath_cache_key *key,
			   const struct ath_replayed *replayed, struct ath_arena *arena)
{
	struct ath_cache_key now = ath_facts_replay_key(asked, arena);
	const char *const versions[] = { asked->alembic, asked->sqlalchemy };
	struct ath_str text = { 0 };

	if (!now.state_dir || !key->state_dir || strcmp(now.digest, key->digest) != 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		ath_str_puts(&text, versions[i] ? versions[i] : "");
		ath_str_putc(&text, '\0');
	}
	for (size_t i = 0; i < replayed->len; i++) {
		size_t revision = replayed->items[i].revision;
		const char *id =
			revision < asked->chain->len ? asked->chain->entries[revision].id : "";

		ath_effects_text_put(&text, id, &replayed->items[i].effects);
	}
	ath_cache_write(key, ath_str_get(&text), text.len);
	ath_str_fini(&text);
}

bool ath_facts_replay_is_useful(const struct ath_chain *chain, const struct ath_effects *effects)
{
	for (size_t i = 0; i < chain->len; i++) {
		if (effects[i].source == ATH_EFFECTS_UNKNOWN)
			return true;
	}
	return false;
}
