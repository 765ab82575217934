/* SPDX-License-Identifier: MIT */
/*
 * bridge/reply_schema: what the bridge says about schemas, as elements.
 *
 * "effects" is what a revision's text does, "schema" what a replay found. Both come from outside: a
 * member that is missing or of another type is an empty value, an effect that cannot be named is
 * left out and the revision marked as a lower bound.
 */
#ifndef ATH_BRIDGE_REPLY_SCHEMA_H
#define ATH_BRIDGE_REPLY_SCHEMA_H

#include <jansson.h>

#include "alembic/effects.h"
#include "base/field.h"

/* The members of an "effects" reply, with what alembic/lint judges. */
struct ath_effects ath_bridge_read_effects(const json_t *root, struct ath_arena *arena);

/* The elements that a "schema" reply tells; `out_tables`: names (folded) of the tables it tells whole. */
struct ath_elements ath_bridge_read_schema(const json_t *root, struct ath_arena *arena,
					   struct ath_texts *out_tables);

#endif
