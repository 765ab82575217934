/* SPDX-License-Identifier: MIT */
/*
 * alembic/verdict: what goes into an inference and what comes out of it, as plain values.
 */
#ifndef ATH_ALEMBIC_VERDICT_H
#define ATH_ALEMBIC_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "base/arena.h"
#include "base/field.h"
#include "schema/element.h"

#define ATH_VERDICTS(X)                   \
	X(EXACT, "exact")                 \
	X(EQUIVALENT, "equivalent")       \
	X(HALF_APPLIED, "half_applied")   \
	X(AHEAD, "ahead")                 \
	X(BEHIND, "behind")               \
	X(AMBIGUOUS, "ambiguous")         \
	X(UNKNOWN_STAMP, "unknown_stamp") \
	X(FOREIGN, "foreign")             \
	X(EMPTY, "empty")                 \
	X(UNREADABLE, "unreadable")

enum ath_verdict {
#define X(id, name) ATH_VERDICT_##id,
	ATH_VERDICTS(X)
#undef X
	ATH_VERDICT_COUNT_
};

#define ATH_DECISIONS(X)        \
	X(NONE, "none")         \
	X(STAMP, "stamp")       \
	X(INIT, "init")         \
	X(COMPLETE, "complete") \
	X(ASK, "ask")           \
	X(REFUSE, "refuse")

enum ath_decision {
#define X(id, name) ATH_DECISION_##id,
	ATH_DECISIONS(X)
#undef X
	ATH_DECISION_COUNT_
};

/* What is known; all borrowed. */
struct ath_infer_input {
	const struct ath_chain *chain;
	const struct ath_effects *effects; /* one per revision, in the chain's numbering */
	struct ath_elements live;          /* without the version table */
	struct ath_elements models; /* of the project's metadata, or empty: second opinion only */
	bool has_version_table;
	struct ath_texts rows; /* of the version table */
};

enum ath_found {
	ATH_FOUND_PRESENT,
	ATH_FOUND_ABSENT,
	ATH_FOUND_COUNT_
};

/* One element that speaks against an answer: the stamp, or the runner-up. */
struct ath_evidence {
	const char *against;  /* that answer, as `inferred` ("" = before the first revision) */
	const char *revision; /* whose effect it is; NULL: needed, but made by no revision */
	const char *element;  /* its key */
	enum ath_found expected, found;
};

/* One difference that does not decide. */
struct ath_drift {
	const char *element;
	const char *kind;  /* table, column, ...; static text */
	const char *found; /* "missing", "extra", "leftover", "differs"; static text */
};

/* Part of a revision that is there although the revision is not (half_applied). */
struct ath_half {
	size_t revision;           /* its number; chain->len: none */
	struct ath_elements there; /* what of it is there and must be undone first */
};

struct ath_inference {
	enum ath_verdict verdict;
	enum ath_decision decision;
	const char *inferred; /* ids of the last fully applied revisions, sorted, joined by
					 commas; NULL: before the first, or not known */
	struct ath_texts
		candidates; /* cuts that the schema allows, each as `inferred` ("" = base) */
	const char *lowest, *highest; /* of an equivalence class; NULL: none */
	struct ath_texts stamp;       /* STAMP: rows to write; COMPLETE: rows below `half` */
	struct ath_texts pending;     /* ids that an upgrade would run after the decision */
	struct ath_texts passed_over; /* revisions with data steps that a stamp declares done */
	struct ath_half half;
	const struct ath_evidence *evidence;
	size_t evidence_len;
	const struct ath_drift *drift;
	size_t drift_len;
	const char *reason; /* one sentence for people */
	size_t blind;       /* revisions whose effects are not known */
	unsigned margin;    /* strong elements against the runner-up */
};

/* Name of a verdict and of a decision as `inspect --json` prints it; static text. */
const char *ath_verdict_name(enum ath_verdict verdict);

/* Name of a decision; static text. */
const char *ath_decision_name(enum ath_decision decision);

#endif
