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

static void add_program(struct ath_digest *digest)
{
	char program[ATH_HASH_TEXT];

	ath_bridge_hash_program(program);
	ath_digest_add(digest, program, sizeof(program));
}

/* The key of the answers for these files as they are now; without a state directory if it has none. */
static struct ath_cache_key find_key(const struct ath_facts_reader *reader,
				     const struct ath_chain *chain)
{
	struct ath_cache_key key = { .kind = "effects" };
	struct ath_digest *digest;

	if (!reader->state_dir || !reader->python)
		return key;
	digest = ath_digest_new();
	add_program(digest);
	if (add_interpreter(digest, reader->python) && ath_cache_add_chain(digest, chain))
		key.state_dir = reader->state_dir;
	ath_digest_finish(digest, key.digest);
	ath_digest_free(digest);
	return key;
}

/* Fills the items. Does each revision have one answer, and are they all that there is? */
static bool read_answers(const struct ath_str *text, const struct ath_chain *chain,
			 struct ath_arena *arena, struct ath_effects *items)
{
	bool *has_answer = ath_arena_new(arena, chain->len + 1, sizeof(*has_answer));
	const char *at = ath_str_get(text), *end = at + text->len, *line_end;
	struct ath_bridge_reply reply;
	struct ath_err err = { 0 };
	size_t count = 0, revision;

	for (; at < end; at = line_end + 1) {
		line_end = memchr(at, '\n', (size_t)(end - at));
		if (!line_end || !ath_bridge_read(at, (size_t)(line_end - at), arena, &reply, &err))
			return false;
		revision = reply.revision ? ath_chain_find(chain, reply.revision) : chain->len;
		if (reply.event != ATH_BRIDGE_SAYS_EFFECTS || revision == chain->len)
			return false;
		items[revision] = reply.effects;
		count += !has_answer[revision];
		has_answer[revision] = true;
	}
	return count == chain->len;
}

static struct ath_effects *new_items(const struct ath_chain *chain, struct ath_arena *arena)
{
	struct ath_effects *items = ath_arena_new(arena, chain->len + 1, sizeof(*items));

	for (size_t i = 0; i < chain->len; i++)
		items[i].obstacle = "its file was not answered for";
	return items;
}

static bool recall(const struct ath_cache_key *key, const struct ath_chain *chain,
		   struct ath_arena *arena, struct ath_effects **out)
{
	struct ath_effects *items = new_items(chain, arena);
	struct ath_str text = { 0 };
	bool is_kept = ath_cache_read(key, &text) && read_answers(&text, chain, arena, items);

	ath_str_fini(&text);
	if (is_kept)
		*out = items;
	return is_kept;
}

bool ath_facts_effects_recall(const struct ath_facts_reader *reader, const struct ath_chain *chain,
			      struct ath_arena *arena, struct ath_effects **out)
{
	struct ath_cache_key key = find_key(reader, chain);

	return recall(&key, chain, arena, out);
}

/* Keep the answers, if the files are still what they were before Python read them. */
static void keep(const struct ath_cache_key *key, const struct ath_facts_reader *reader,
		 const struct ath_chain *chain, const struct ath_str *text)
{
	struct ath_cache_key now = find_key(reader, chain);

	if (now.state_dir && key->state_dir && strcmp(key->digest, now.digest) == 0)
		ath_cache_write(key, ath_str_get(text), text->len);
}

bool ath_facts_effects_read(const struct ath_facts_reader *reader, const struct ath_chain *chain,
			    struct ath_facts_effects *out, int *out_signal, struct ath_err *err)
{
	struct ath_cache_key key = find_key(reader, chain);
	struct ath_facts_effects effects = { 0 };
	struct ath_effects_said said = { 0 };
	struct ath_effects *items = NULL;
	bool is_read = recall(&key, chain, &effects.arena, &items);

	if (!is_read && ath_effects_ask(reader, chain, &said, err)) {
		is_read = true;
		items = new_items(chain, &effects.arena);
		if (read_answers(&said.text, chain, &effects.arena, items))
			keep(&key, reader, chain, &said.text);
	}
	*out_signal = said.signum;
	ath_str_fini(&said.text);
	effects.items = items;
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
