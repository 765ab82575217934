/* SPDX-License-Identifier: MIT */
/*
 * facts/cache: answers that cost a process, kept in the state directory under a digest of all that
 * they depend on.
 *
 * One file is one answer, KIND-KEY, written beside and renamed; its first line is the digest of the
 * rest. So there is no lock and no half-written answer, and any file may be removed at any time. A
 * file that is missing, damaged or unreadable is an answer that is not there; an answer that cannot
 * be kept is not kept. Nothing here fails, nothing here makes a state directory, and only its owner
 * writes into it.
 */
#ifndef ATH_FACTS_CACHE_H
#define ATH_FACTS_CACHE_H

#include <stdbool.h>

#include "alembic/chain.h"
#include "base/arena.h"
#include "trust/digest.h"

enum {
	ATH_CACHE_BYTES_MAX = 16 * 1024 * 1024, /* of one answer; a larger one is not kept */
	ATH_CACHE_FILES_MAX = 12,               /* answers that are kept, the newest ones */
};

/* Which answer is meant. */
struct ath_cache_key {
	const char *state_dir; /* NULL: nothing is kept */
	const char *kind;      /* what it answers: a word */
	char digest[ATH_DIGEST_TEXT];
};

/*
 * For a key: the digest goes on over all revisions in the chain's order, each with its id, the name of
 * its file and the bytes of it. False: a file cannot be read.
 */
ATH_NODISCARD bool ath_cache_add_chain(struct ath_digest *digest, const struct ath_chain *chain);

/* For a key: both programs, the one that reads the files and this one, which reads its answers. */
void ath_cache_add_programs(struct ath_digest *digest);

/* For a key: the digest goes on over a file's length and bytes. False: it cannot be read. */
ATH_NODISCARD bool ath_cache_add_file(struct ath_digest *digest, const char *path);

/* The kept answer, in `arena` and followed by a NUL; false: there is none that is whole. */
bool ath_cache_read(const struct ath_cache_key *key, struct ath_arena *arena,
		    const char **out_bytes, size_t *out_len);

/* Keep an answer in place of an older one, if it can be kept. */
void ath_cache_write(const struct ath_cache_key *key, const char *bytes, size_t len);

#endif
