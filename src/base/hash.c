/* SPDX-License-Identifier: MIT */
/* base/hash: FNV-1a with 128 bits. */
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct ath_hash ath_hash_start(void)
{
	unsigned __int128 basis = 0x6c62272e07bb0142U;

	return (struct ath_hash){ basis << 64 | 0x62b821756295c58dU };
}

void ath_hash_add(struct ath_hash *hash, const void *bytes, size_t len)
{
	const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13bU;
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash->value = (hash->value ^ at[i]) * prime;
}

void ath_hash_add_text(struct ath_hash *hash, const char *text)
{
	ath_hash_add(hash, text, strlen(text) + 1);
}

void ath_hash_text(struct ath_hash hash, char out_text[ATH_HASH_TEXT])
{
	snprintf(out_text, ATH_HASH_TEXT, "%016" PRIx64 "%016" PRIx64, (uint64_t)(hash.value >> 64),
		 (uint64_t)hash.value);
}
