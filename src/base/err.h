/* SPDX-License-Identifier: MIT */
/*
 * base/err: the error value and its codes.
 *
 * An error lives on the caller's stack and allocates nothing. A fallible function returns true
 * (outputs set, error untouched) or false (outputs untouched, error filled). The setter asserts
 * that the error was clean, so a failure is never overwritten by a later one.
 */
#ifndef ATH_BASE_ERR_H
#define ATH_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define ATH_NODISCARD      __attribute__((warn_unused_result))
#define ATH_PRINTF(fmt, n) __attribute__((format(printf, fmt, n)))

/* Code, name in docs/errors.md, exit status of the program that ends with it (PRODUCT.md). */
#define ATH_ERR_CODES(X)                     \
	X(OK, "ok", 0)                       \
	X(USAGE, "usage", 64)                \
	X(RECIPE, "recipe", 78)              \
	X(CHAIN, "chain", 78)                \
	X(UNAVAILABLE, "unavailable", 69)    \
	X(LOCKED, "locked", 75)              \
	X(REFUSED, "refused", 3)             \
	X(DECISION, "decision", 3)           \
	X(NEEDS_YOU, "needs-you", 4)         \
	X(IO, "io", 1)                       \
	X(NOT_FOUND, "not-found", 1)         \
	X(EXISTS, "exists", 1)               \
	X(LIMIT, "limit", 1)                 \
	X(DATABASE, "database", 1)           \
	X(JOURNAL, "journal", 1)             \
	X(JOURNAL_NEWER, "journal-newer", 1) \
	X(CHILD, "child", 1)                 \
	X(TIMEOUT, "timeout", 1)             \
	X(CANCELLED, "cancelled", 1)         \
	X(BRIDGE, "bridge", 1)               \
	X(VERIFY, "verify", 1)               \
	X(PREFLIGHT, "preflight", 1)         \
	X(STEP, "step", 1)

enum ath_err_code {
#define X(id, name, exit_status) ATH_ERR_##id,
	ATH_ERR_CODES(X)
#undef X
	ATH_ERR_COUNT_
};

/* A place in the operator's own text; all zero when there is none. */
struct ath_pos {
	const char *file; /* borrowed; NULL: the text has no name */
	unsigned line;    /* counted from 1; 0: no position */
	unsigned column;  /* counted from 1, in bytes */
};

/* The one error value of the program. Zeroed: nothing has failed. */
struct ath_err {
	enum ath_err_code code; /* ATH_ERR_OK while nothing has failed */
	int errnum;             /* errno of the cause, or 0 */
	struct ath_pos pos;     /* place in the operator's own text, or zeroed */
	char msg[600];          /* lower case, no final dot, cause after a colon */
};

/* Fill a clean error; returns false so that a failing branch is one line. */
bool ath_err_set(struct ath_err *err, enum ath_err_code code, const char *format, ...)
	ATH_PRINTF(3, 4);

/* As ath_err_set, with errno's text appended after a colon. `errnum` is an errno value. */
bool ath_err_sys(struct ath_err *err, enum ath_err_code code, int errnum, const char *format, ...)
	ATH_PRINTF(4, 5);

/* As ath_err_set, with a place in the operator's text. */
bool ath_err_at(struct ath_err *err, enum ath_err_code code, struct ath_pos pos, const char *format,
		...) ATH_PRINTF(4, 5);

/* Put "text: " before the message of a filled error; returns false. */
bool ath_err_prefix(struct ath_err *err, const char *format, ...) ATH_PRINTF(2, 3);

/* Forget the failure: the error is clean again. */
void ath_err_clear(struct ath_err *err);

/* Name of a code as docs/errors.md lists it; static text. */
const char *ath_err_name(enum ath_err_code code);

/* Exit status of the program for a code (PRODUCT.md, "Exit status"). */
int ath_err_exit_status(enum ath_err_code code);

#endif
