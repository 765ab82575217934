/* SPDX-License-Identifier: MIT */
/*
 * facts/effects: what each revision of a chain does, kept from an earlier reading or read anew.
 *
 * What a revision does is told in the light of those before it (an index is dropped by its name, a
 * table with all it has), so the answers for a whole chain are kept as one: under a digest of the
 * program that reads, of the interpreter that runs it, and of every file in the order of the chain.
 */
#include "facts/effects.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/effects_text.h"
#include "bridge/reply.h"
#include "bridge/request.h"
#include "facts/cache.h"
#include "facts/effects_ask.h"
#include "os/file.h"

/* An interpreter of another version may understand another syntax: it is known by its file. */
static bool add_interpreter(struct ath_digest *digest, const char *python)
{
	struct ath_err ignored = { 0 };
	struct ath_file_stamp stamp;
	char *path = ath_file_resolve(python, &ignored);
	bool is_there = path && ath_file_stamp(path, &stamp);

	if (is_there) {
		ath_digest_add(digest, path, strlen(path) + 1);
		ath_digest_add(digest, &stamp.size, sizeof(stamp.size));
		ath_digest_add(digest, &stamp.mtime_ns, sizeof(stamp.mtime_ns));
	}
	free(path);
	return is_there;
}

struct ath_cache_key ath_facts_effects_key(const struct ath_facts_reader *reader,
					   const struct ath_chain *chain)
{
	struct ath_cache_key key = { .kind = "effects" };
	struct ath_digest *digest;

	if (!reader->state_dir || !reader->python)
		return key;
	digest = ath_digest_new();
	ath_cache_add_programs(digest);
	if (add_interpreter(digest, reader->python) && ath_cache_add_chain(digest, chain))
		key.state_dir = reader->state_dir;
	ath_digest_finish(digest, key.digest);
	ath_digest_free(digest);
	return key;
}

static struct ath_effects *new_items(const struct ath_chain *chain, struct ath_arena *arena)
{
	struct ath_effects *items = ath_arena_new(arena, chain->len + 1, sizeof(*items));

	for (size_t i = 0; i < chain->len; i++)
		items[i].obstacle = "its file was not answered for";
	return items;
}

/* Items that are being filled, and how many are. */
struct filling {
	const struct ath_chain *chain;
	struct ath_arena *arena;
	struct ath_effects *items;
	bool *has_answer;
	size_t count;
};

static struct filling start_filling(const struct ath_chain *chain, struct ath_arena *arena)
{
	return (struct filling){
		.chain = chain,
		.arena = arena,
		.items = new_items(chain, arena),
		.has_answer = ath_arena_new(arena, chain->len + 1, sizeof(bool)),
	};
}

/* False: no revision of the chain, or a second answer for it. */
static bool fill(struct filling *filling, const char *revision, const struct ath_effects *effects)
{
	size_t idx = revision ? ath_chain_find(filling->chain, revision) : filling->chain->len;

	if (idx == filling->chain->len || filling->has_answer[idx])
		return false;
	filling->items[idx] = *effects;
	filling->has_answer[idx] = true;
	filling->count++;
	return true;
}

/* The kept bytes live in the arena, as the texts in them are not copied. */
static bool recall(const struct ath_cache_key *key, const struct ath_chain *chain,
		   struct ath_arena *arena, struct ath_effects **out)
{
	struct filling filling;
	struct ath_effects_text text;
	struct ath_effects effects;
	const char *revision;
	size_t len;

	if (!ath_cache_read(key, arena, &text.at, &len))
		return false;
	text.end = text.at + len;
	filling = start_filling(chain, arena);
	while (ath_effects_text_next(&text, arena, &revision, &effects)) {
		if (!fill(&filling, revision, &effects))
			return false;
	}
	if (text.at != text.end || filling.count < chain->len)
		return false;
	*out = filling.items;
	return true;
}

bool ath_facts_effects_recall(const struct ath_facts_reader *reader, const struct ath_chain *chain,
			      struct ath_arena *arena, struct ath_effects **out)
{
	struct ath_cache_key key = ath_facts_effects_key(reader, chain);

	return recall(&key, chain, arena, out);
}

/* Read what Python said; what it did not say, or said in another way, stays unknown. */
static bool read_answers(const struct ath_str *said, struct filling *filling)
{
	const char *at = ath_str_get(said), *end = at + said->len, *line_end;
	struct ath_bridge_reply reply;
	struct ath_err ignored = { 0 };
	bool is_good = true;

	for (; at < end && (line_end = memchr(at, '\n', (size_t)(end - at))); at = line_end + 1) {
		if (!ath_bridge_read(at, (size_t)(line_end - at), filling->arena, &reply,
				     &ignored) ||
		    !fill(filling, reply.revision, &reply.effects))
			is_good = false;
	}
	return is_good && filling->count == filling->chain->len;
}

/* Keep the answers, if the files are still what they were before Python read them. */
static void keep(const struct ath_cache_key *key, const struct ath_facts_reader *reader,
		 const struct filling *filling)
{
	struct ath_cache_key now = ath_facts_effects_key(reader, filling->chain);
	struct ath_str text = { 0 };

	if (!now.state_dir || !key->state_dir || strcmp(key->digest, now.digest) != 0)
		return;
	for (size_t i = 0; i < filling->chain->len; i++)
		ath_effects_text_put(&text, filling->chain->entries[i].id, &filling->items[i]);
	ath_cache_write(key, ath_str_get(&text), text.len);
	ath_str_fini(&text);
}

const struct ath_effects *ath_facts_effects_take(const struct ath_facts_reader *reader,
						 const struct ath_chain *chain,
						 const struct ath_cache_key *key,
						 const struct ath_str *said,
						 struct ath_arena *arena)
{
	struct filling filling = start_filling(chain, arena);

	if (read_answers(said, &filling))
		keep(key, reader, &filling);
	return filling.items;
}

bool ath_facts_effects_read(const struct ath_facts_reader *reader, const struct ath_chain *chain,
			    struct ath_facts_effects *out, int *out_signal, struct ath_err *err)
{
	struct ath_cache_key key = ath_facts_effects_key(reader, chain);
	struct ath_facts_effects effects = { 0 };
	struct ath_effects_said said = { 0 };
	struct ath_effects *items = NULL;
	bool is_read = recall(&key, chain, &effects.arena, &items);

	effects.items = items;
	if (!is_read && ath_effects_ask(reader, chain, &said, err)) {
		is_read = true;
		effects.items =
			ath_facts_effects_take(reader, chain, &key, &said.text, &effects.arena);
	}
	*out_signal = said.signum;
	ath_str_fini(&said.text);
	if (is_read)
		*out = effects;
	else
		ath_facts_effects_fini(&effects);
	return is_read;
}

void ath_facts_effects_fini(struct ath_facts_effects *effects)
{
	ath_arena_fini(&effects->arena);
	*effects = (struct ath_facts_effects){ 0 };
}
