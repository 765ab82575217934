/* SPDX-License-Identifier: MIT */
/*
 * The reader of the bridge's lines survives any bytes, and what it gives keeps its form.
 *
 * Invariants: lists end with NULL and hold no NULL before, entries have an id and a file, a refusal
 * fills the error, and the entries of a graph can be handed to the chain.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/chain.h"
#include "bridge/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_texts(const struct ath_texts *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		require(texts->items[i] != NULL);
	require(texts->items[texts->len] == NULL);
}

static void check_reply(const struct ath_bridge_reply *reply, struct ath_arena *arena)
{
	struct ath_chain chain;
	struct ath_err err = { 0 };

	require(reply->event < ATH_BRIDGE_SAYS_COUNT_);
	check_texts(&reply->heads);
	check_texts(&reply->paths);
	check_texts(&reply->tables);
	check_texts(&reply->columns);
	check_texts(&reply->rows);
	require(reply->has_rows || !reply->rows.len);
	require(reply->event == ATH_BRIDGE_SAYS_HEADS || !reply->entries_len);
	for (size_t i = 0; i < reply->entries_len; i++) {
		require(reply->entries[i].id && reply->entries[i].file);
		check_texts(&reply->entries[i].downs);
		check_texts(&reply->entries[i].depends_on);
		check_texts(&reply->entries[i].labels);
	}
	if (!ath_chain_build(reply->entries, reply->entries_len, arena, &chain, &err))
		require(err.code != ATH_ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ath_arena arena = { 0 };
	struct ath_bridge_reply reply;
	struct ath_err err = { 0 };

	if (ath_bridge_read((const char *)data, size, &arena, &reply, &err))
		check_reply(&reply, &arena);
	else
		require(err.code == ATH_ERR_BRIDGE && err.msg[0]);
	ath_arena_fini(&arena);
	return 0;
}
