/* SPDX-License-Identifier: MIT */
/*
 * trust/secret: random secrets from the kernel (getrandom(2)).
 */
#ifndef ATH_TRUST_SECRET_H
#define ATH_TRUST_SECRET_H

#include <stddef.h>

enum {
	ATH_SECRET_TEXT = 65, /* 32 random bytes as hexadecimal digits, with the NUL */
};

/* A new secret of 256 bits. Aborts if the kernel gives no random bytes. */
void ath_secret_make(char out_text[ATH_SECRET_TEXT]);

/* Overwrite a secret in memory. */
void ath_secret_wipe(void *bytes, size_t len);

#endif
