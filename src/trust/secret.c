/* SPDX-License-Identifier: MIT */
/* trust/secret: random secrets from the kernel. */
#include "trust/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/crypto.h>

void ath_secret_make(char out_text[ATH_SECRET_TEXT])
{
	unsigned char bytes[(ATH_SECRET_TEXT - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		fputs("athanor: the kernel gives no random bytes\n", stderr);
		abort();
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out_text + 2 * i, 3, "%02x", bytes[i]);
	ath_secret_wipe(bytes, sizeof(bytes));
}

void ath_secret_wipe(void *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}
