/* SPDX-License-Identifier: MIT */
/* trust/digest: SHA-256 through libcrypto's EVP interface. */
#include "trust/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

struct ath_digest {
	EVP_MD_CTX *state; /* owned */
};

static void must(int is_done)
{
	if (is_done)
		return;
	fputs("athanor: libcrypto cannot compute SHA-256\n", stderr);
	abort();
}

struct ath_digest *ath_digest_new(void)
{
	struct ath_digest *digest = ath_mem_new(1, sizeof(*digest));

	/* openssl.cnf has nothing to say here, and reading it costs as much as all digests of a run */
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
	digest->state = EVP_MD_CTX_new();
	must(digest->state && EVP_DigestInit_ex(digest->state, EVP_sha256(), NULL));
	return digest;
}

void ath_digest_free(struct ath_digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->state);
	free(digest);
}

void ath_digest_add(struct ath_digest *digest, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(digest->state, bytes, len));
}

void ath_digest_finish(struct ath_digest *digest, char out_text[ATH_DIGEST_TEXT])
{
	unsigned char bytes[ATH_DIGEST_SIZE];

	must(EVP_DigestFinal_ex(digest->state, bytes, NULL));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out_text + 2 * i, 3, "%02x", bytes[i]);
}

static bool add_all(int fd, uint64_t limit, struct ath_digest *digest, const char *path,
		    struct ath_err *err)
{
	unsigned char buffer[65536];
	uint64_t total = 0;

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ath_err_sys(err, ATH_ERR_IO, errno, "cannot read '%s'", path);
		if (got == 0)
			return true;
		total += (uint64_t)got;
		if (limit && total > limit)
			return ath_err_set(err, ATH_ERR_LIMIT, "'%s' is larger than %llu bytes",
					   path, (unsigned long long)limit);
		ath_digest_add(digest, buffer, (size_t)got);
	}
}

bool ath_digest_file(const char *path, uint64_t limit, char out_text[ATH_DIGEST_TEXT],
		     struct ath_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct ath_digest *digest;
	bool is_read;

	if (fd < 0)
		return ath_err_sys(err, errno == ENOENT ? ATH_ERR_NOT_FOUND : ATH_ERR_IO, errno,
				   "cannot open '%s'", path);
	digest = ath_digest_new();
	is_read = add_all(fd, limit, digest, path, err);
	if (is_read)
		ath_digest_finish(digest, out_text);
	ath_digest_free(digest);
	close(fd);
	return is_read;
}
