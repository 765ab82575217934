/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint: a chain's faults, each with its place, its level and its rule (docs/lint.md).
 *
 * Judges what the files say: the graph (lint_graph.c), the effects over the whole chain
 * (lint_effects.c), what else stands in each file (lint_notes.c) and in env.py (lint_env.c). A rule
 * that needs to know what it cannot know stays silent. Nothing is read here, no finding stops a run.
 */
#ifndef ATH_ALEMBIC_LINT_H
#define ATH_ALEMBIC_LINT_H

#include "alembic/lint_subject.h"
#include "base/arena.h"

/* Judge; everything that comes out is in `arena`. */
void ath_lint_check(const struct ath_lint_subject *subject, struct ath_arena *arena,
		    struct ath_lint_report *out);

/* Name of the rule with that number, from 0; NULL behind the last; static text. */
const char *ath_lint_rule_name(size_t idx);

/* Name of a level: error, risk, info; static text. */
const char *ath_lint_level_name(enum ath_lint_level level);

#endif
