/* SPDX-License-Identifier: MIT */
/* alembic/verdict: the names. */
#include "alembic/verdict.h"

#include <assert.h>

static const char *const verdict_names[] = {
#define X(id, name) [ATH_VERDICT_##id] = name,
	ATH_VERDICTS(X)
#undef X
};
static_assert(sizeof(verdict_names) / sizeof(*verdict_names) == ATH_VERDICT_COUNT_,
	      "one name per verdict");

static const char *const decision_names[] = {
#define X(id, name) [ATH_DECISION_##id] = name,
	ATH_DECISIONS(X)
#undef X
};
static_assert(sizeof(decision_names) / sizeof(*decision_names) == ATH_DECISION_COUNT_,
	      "one name per decision");

const char *ath_verdict_name(enum ath_verdict verdict)
{
	assert((unsigned)verdict < ATH_VERDICT_COUNT_);
	return verdict_names[verdict];
}

const char *ath_decision_name(enum ath_decision decision)
{
	assert((unsigned)decision < ATH_DECISION_COUNT_);
	return decision_names[decision];
}
