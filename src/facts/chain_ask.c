/* SPDX-License-Identifier: MIT */
/* facts/chain_ask: what the scanner left open, read by Python's own parser. */
#include "facts/chain_ask.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/reply.h"
#include "facts/cache.h"

/* The answers belong to these bytes in this order, read by this program. */
static struct ath_cache_key key_of(const struct ath_facts_reader *reader,
				   const struct ath_texts *files)
{
	static const char ours[] = ATH_VERSION " identifiers 1";
	struct ath_cache_key key = { .kind = "identifiers", .state_dir = reader->state_dir };
	char program[ATH_HASH_TEXT];
	struct ath_digest *digest;

	if (!reader->state_dir)
		return key;
	digest = ath_digest_new();
	ath_bridge_hash_program(program);
	ath_digest_add(digest, program, sizeof(program));
	ath_digest_add(digest, ours, sizeof(ours));
	for (size_t i = 0; i < files->len && key.state_dir; i++) {
		if (!ath_cache_add_file(digest, files->items[i]))
			key.state_dir = NULL;
	}
	ath_digest_finish(digest, key.digest);
	ath_digest_free(digest);
	return key;
}

/* Answers while they are read. */
struct answers {
	struct ath_scan_file *files;
	bool *is_there;
	size_t len, count;
	bool are_parsed; /* all of them: they may be kept */
};

static bool take(struct answers *answers, const struct ath_bridge_reply *reply)
{
	char *end = NULL;
	size_t at = reply->revision ? strtoul(reply->revision, &end, 10) : answers->len;

	if (reply->event != ATH_BRIDGE_SAYS_IDENTIFIERS || !end || *end || at >= answers->len ||
	    answers->is_there[at])
		return false;
	answers->files[at] = reply->identifiers;
	answers->is_there[at] = true;
	answers->are_parsed = answers->are_parsed && reply->is_parsed;
	answers->count++;
	return true;
}

/* One line per file; anything else is no answer at all. */
static bool read_answers(const char *at, size_t len, struct answers *answers,
			 struct ath_arena *arena)
{
	const char *end = at + len, *line_end;
	struct ath_bridge_reply reply;
	struct ath_err ignored = { 0 };

	answers->count = 0;
	answers->are_parsed = true;
	answers->files = ath_arena_new(arena, answers->len + 1, sizeof(*answers->files));
	answers->is_there = ath_arena_new(arena, answers->len + 1, sizeof(*answers->is_there));
	for (; at < end && (line_end = memchr(at, '\n', (size_t)(end - at))); at = line_end + 1) {
		if (!ath_bridge_read(at, (size_t)(line_end - at), arena, &reply, &ignored) ||
		    !take(answers, &reply))
			return false;
	}
	return at == end && answers->count == answers->len;
}

static bool recall(const struct ath_cache_key *key, struct answers *answers,
		   struct ath_arena *arena)
{
	const char *bytes;
	size_t len;

	return ath_cache_read(key, arena, &bytes, &len) &&
	       read_answers(bytes, len, answers, arena) && answers->are_parsed;
}

/* Keep what was said, if the files are still what they were before Python read them. */
static void keep(const struct ath_facts_reader *reader, const struct ath_texts *files,
		 const struct ath_cache_key *key, const struct ath_str *said)
{
	struct ath_cache_key now = key_of(reader, files);

	if (now.state_dir && key->state_dir && strcmp(key->digest, now.digest) == 0)
		ath_cache_write(key, ath_str_get(said), said->len);
}

static bool ask(const struct ath_facts_reader *reader, const struct ath_texts *files,
		struct ath_arena *arena, struct ath_effects_said *said, struct ath_err *err)
{
	const char **ids = ath_arena_new(arena, files->len + 1, sizeof(*ids));
	struct ath_bridge_command command = {
		.verb = ATH_BRIDGE_IDENTIFIERS,
		.ids = { ids, files->len },
		.files = *files,
	};

	for (size_t i = 0; i < files->len; i++)
		ids[i] = ath_arena_printf(arena, "%zu", i);
	return ath_effects_ask_command(reader, &command, said, err);
}

bool ath_facts_chain_identify(const struct ath_facts_reader *reader, const struct ath_texts *files,
			      struct ath_arena *arena, const struct ath_scan_file **out,
			      int *out_signal, struct ath_err *err)
{
	struct ath_cache_key key = key_of(reader, files);
	struct answers answers = { .len = files->len };
	struct ath_effects_said said = { 0 };
	bool is_known = recall(&key, &answers, arena);

	if (!is_known && ask(reader, files, arena, &said, err)) {
		is_known = read_answers(ath_str_get(&said.text), said.text.len, &answers, arena) ||
			   ath_err_set(err, ATH_ERR_BRIDGE, "Python did not answer for each file");
		if (is_known && answers.are_parsed)
			keep(reader, files, &key, &said.text);
	}
	*out_signal = said.signum;
	ath_str_fini(&said.text);
	if (is_known)
		*out = answers.files;
	return is_known;
}
