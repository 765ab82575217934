/* SPDX-License-Identifier: MIT */
/*
 * base/hash: a plain hash for maps and fingerprints, not for security.
 *
 * FNV-1a, 128 bits (Fowler, Noll, Vo; draft-eastlake-fnv, section 4): no state beyond one number,
 * the same on every machine.
 */
#ifndef ATH_BASE_HASH_H
#define ATH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ath_hash {
	unsigned __int128 value;
};

enum {
	ATH_HASH_TEXT = 33, /* bytes of a hash as hexadecimal digits, with the NUL */
};

/* The hash of nothing. */
struct ath_hash ath_hash_start(void);

/* The hash goes on over `len` bytes. */
void ath_hash_add(struct ath_hash *hash, const void *bytes, size_t len);

/* The hash goes on over a C string and its NUL, so that neighbours cannot run together. */
void ath_hash_add_text(struct ath_hash *hash, const char *text);

/* The hash as 32 hexadecimal digits. */
void ath_hash_text(struct ath_hash hash, char out_text[ATH_HASH_TEXT]);

#endif
