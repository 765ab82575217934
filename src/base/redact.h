/* SPDX-License-Identifier: MIT */
/*
 * base/redact: masks secrets in bytes that flow by, wherever they are cut.
 *
 * A set holds secrets in all their spellings (base/spelling) as one automaton of Aho and Corasick: a
 * byte costs the same however many secrets there are. Beside them the user information of any
 * `scheme://user:PASSWORD@host` is masked, known or not. What is found becomes ATH_REDACT_MASK;
 * secrets that overlap become one mask. The result does not depend on where the bytes were cut.
 *
 * A secret of fewer than ATH_REDACT_LEAST bytes is not taken: such a text stands in any output by
 * chance, so masking it would spoil the log, and who sees the masks can guess it.
 */
#ifndef ATH_BASE_REDACT_H
#define ATH_BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#define ATH_REDACT_MASK "***"

enum {
	ATH_REDACT_LEAST = 6,    /* bytes of the shortest secret that is taken */
	ATH_REDACT_PIECE = 1024, /* longer secrets are known by their pieces of so many bytes */
	ATH_REDACT_LINE = 16,    /* bytes of the shortest line of a secret that is one by itself */
	ATH_REDACT_URL = 4096,   /* bytes in which the '@' of a URL is waited for */
};

/* The secrets. It only grows. */
struct ath_redact;

/* A new, empty set. */
struct ath_redact *ath_redact_new(void);

/* Release and overwrite it. NULL is fine. */
void ath_redact_free(struct ath_redact *set);

/* Add a secret, and those of its lines that are long enough; one that is known changes nothing. */
void ath_redact_add(struct ath_redact *set, const char *secret);

/* A part of what is held back. */
struct ath_redact_span {
	size_t from, to;
	bool is_told; /* its mask was written */
};

/* One flow of bytes. Zeroed but for the set. */
struct ath_redact_flow {
	struct ath_redact *set;                /* borrowed; NULL: nothing is masked */
	struct ath_str held;                   /* owned; not written yet */
	ATH_VEC(struct ath_redact_span) spans; /* owned; of `held`, to be masked, in order */
	size_t read;                           /* bytes of `held` that were looked at */
	uint32_t state;                        /* of the automaton */
	struct {
		enum {
			ATH_REDACT_NO_URL,
			ATH_REDACT_USER,
			ATH_REDACT_PASSWORD,
			ATH_REDACT_HOST
		} part;
		size_t user, from, at; /* in `held`: the user, the password, the last '@' */
		bool is_port;          /* only digits so far: it may be a port */
	} url;
};

/*
 * Append to `out` what is certain of the bytes so far. Held back are only bytes that may be the
 * beginning of a secret: fewer than its longest spelling has, or ATH_REDACT_URL.
 */
void ath_redact_feed(struct ath_redact_flow *flow, const char *bytes, size_t len,
		     struct ath_str *out);

/*
 * The flow has ended: append the rest, and release. `is_cut`: the text goes on elsewhere, so a
 * beginning of a secret at its end counts as one.
 */
void ath_redact_finish(struct ath_redact_flow *flow, bool is_cut, struct ath_str *out);

/*
 * Append a whole text, masked. One that ends in "..." was cut there, so a beginning of a secret
 * before the dots counts as one.
 */
void ath_redact_put(struct ath_redact *set, const char *bytes, size_t len, struct ath_str *out);

/* Mask the message of an error, which may have been cut by its size, too. */
void ath_redact_err(struct ath_redact *set, struct ath_err *err);

#endif
