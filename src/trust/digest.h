/* SPDX-License-Identifier: MIT */
/*
 * trust/digest: SHA-256 computed while data flows by (FIPS 180-4, through libcrypto's EVP).
 */
#ifndef ATH_TRUST_DIGEST_H
#define ATH_TRUST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	ATH_DIGEST_SIZE = 32, /* bytes */
	ATH_DIGEST_TEXT = 65, /* hexadecimal digits, with the NUL */
};

struct ath_digest;

/* A digest of nothing so far; aborts if libcrypto has no SHA-256. */
struct ath_digest *ath_digest_new(void);

/* Release; NULL is fine. */
void ath_digest_free(struct ath_digest *digest);

/* The digest goes on over `len` bytes. */
void ath_digest_add(struct ath_digest *digest, const void *bytes, size_t len);

/* Finish: the digest as hexadecimal digits. The object can only be freed afterwards. */
void ath_digest_finish(struct ath_digest *digest, char out_text[ATH_DIGEST_TEXT]);

/*
 * SHA-256 of a whole file, never more than `limit` bytes (0: any size).
 * Fails with: ATH_ERR_NOT_FOUND, ATH_ERR_LIMIT, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_digest_file(const char *path, uint64_t limit, char out_text[ATH_DIGEST_TEXT],
				   struct ath_err *err);

#endif
