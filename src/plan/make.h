/* SPDX-License-Identifier: MIT */
/*
 * plan/make: input and past in, ordered plan out: each step marked run or not, with the reason.
 *
 * Pure: what the world looks like arrives as one ath_plan_look per step, made by engine/survey.
 *
 * The rules, in this order: a step that is known never to run, or that the operator left out, is
 * skipped; a condition over known facts skips it, over unknown facts leaves it open (MAYBE); a step
 * whose effect is there (or that cannot be looked at, but finished in this attempt) and whose
 * inputs are those of its last success is SATISFIED; everything else RUNs. The success of a step in a
 * section is not recorded by itself, since a section is undone as a whole: there the effect alone
 * decides. If one step of a section runs, all of the section do. A satisfied step behind one that
 * runs is asked again when its turn comes.
 */
#ifndef ATH_PLAN_MAKE_H
#define ATH_PLAN_MAKE_H

#include <stdbool.h>

#include "base/pairs.h"
#include "plan/graph.h"
#include "plan/spec.h"

/* Is a step's effect there? */
enum ath_probe {
	ATH_PROBE_ABSENT,
	ATH_PROBE_PARTIAL,
	ATH_PROBE_WHOLE,
	ATH_PROBE_UNKNOWN, /* there is no way to look: the record of its success decides */
	ATH_PROBE_EVERY,   /* nothing tells: it runs in every run, but once per attempt */
	ATH_PROBE_COUNT_
};

/* How a step ended in the attempt that is being continued. */
enum ath_past {
	ATH_PAST_NONE, /* never begun, or the attempt before was completed */
	ATH_PAST_DONE,
	ATH_PAST_FAILED,
	ATH_PAST_INTERRUPTED, /* begun and not ended: its run died */
	ATH_PAST_COUNT_
};

/* What engine/survey saw of one step. */
struct ath_plan_look {
	enum ath_probe probe;
	const char *detail;           /* what the probe missed, for people; or NULL */
	const char *fingerprint;      /* of its inputs now */
	const char *past_fingerprint; /* of its last success, or NULL */
	enum ath_past past;
};

enum ath_plan_verdict {
	ATH_PLAN_RUN,
	ATH_PLAN_MAYBE, /* decided when a fact is known */
	ATH_PLAN_SATISFIED,
	ATH_PLAN_SKIP,
	ATH_PLAN_VERDICT_COUNT_
};

#define ATH_PLAN_REASONS(X)                              \
	X(FIRST, "has not run yet")                      \
	X(INPUTS, "its inputs have changed")             \
	X(ABSENT, "its effect is not there")             \
	X(PARTIAL, "its effect is there in part")        \
	X(EVERY, "runs every time")                      \
	X(INTERRUPTED, "was interrupted")                \
	X(FAILED, "failed last time")                    \
	X(SECTION, "another step of its section runs")   \
	X(FACT, "depends on what is found")              \
	X(HOLDS, "inputs unchanged, effect there")       \
	X(DONE, "finished in the run that is continued") \
	X(CONDITION, "its condition does not hold")      \
	X(STATIC, "not needed")                          \
	X(LEFT_OUT, "left out by --skip")                \
	X(NOT_CHOSEN, "not chosen by --only")

enum ath_plan_reason {
#define X(id, text) ATH_PLAN_REASON_##id,
	ATH_PLAN_REASONS(X)
#undef X
	ATH_PLAN_REASON_COUNT_
};

/* The decision over one step. */
struct ath_plan_row {
	size_t step; /* index into the spec */
	enum ath_plan_verdict verdict;
	enum ath_plan_reason reason;
	const char *subject; /* what the reason is about, or NULL; borrowed from spec or look */
	bool is_asked_again; /* satisfied or skipped by what may change before its turn */
};

struct ath_plan {
	const struct ath_plan_row *rows; /* in the graph's order */
	size_t len;
	size_t runs;  /* how many RUN or MAYBE */
	size_t every; /* how many of those run in every run anyway */
};

/* What the operator chose. */
struct ath_plan_choice {
	struct ath_texts only; /* names; empty: all */
	struct ath_texts skip;
};

/* Does a condition hold? `facts` has the fact or not: then false and *out_known is false. */
bool ath_plan_when_holds(const struct ath_spec_when *when, const struct ath_pairs *facts,
			 bool *out_known);

/* The decision over one step alone, sections and neighbours left aside. */
struct ath_plan_row ath_plan_decide(const struct ath_spec_step *step,
				    const struct ath_plan_look *look,
				    const struct ath_pairs *facts);

/*
 * Make the plan in `arena`; `looks` has one row per step of the spec.
 * Fails with: ATH_ERR_USAGE (--only or --skip names no step, or a part of a section).
 */
ATH_NODISCARD bool ath_plan_make(const struct ath_spec *spec, const struct ath_graph *graph,
				 const struct ath_plan_look *looks, const struct ath_pairs *facts,
				 const struct ath_plan_choice *choice, struct ath_arena *arena,
				 struct ath_plan *out_plan, struct ath_err *err);

/* The reason as a phrase for people; static text. */
const char *ath_plan_reason_text(enum ath_plan_reason reason);

/* Append the reason of a row with what it is about, for people. */
void ath_plan_put_reason(const struct ath_spec_step *step, const struct ath_plan_row *row,
			 struct ath_str *out);

/* Name of a verdict: run, maybe, satisfied, skip; static text. */
const char *ath_plan_verdict_name(enum ath_plan_verdict verdict);

#endif
