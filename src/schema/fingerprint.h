/* SPDX-License-Identifier: MIT */
/*
 * schema/fingerprint: the same text for equal schemas (the exact fingerprint of ALEMBIC.md 11).
 *
 * Taken over kind, name, table and SQL of every object, in the model's order. It answers "unchanged
 * since?", not "which revision?".
 */
#ifndef ATH_SCHEMA_FINGERPRINT_H
#define ATH_SCHEMA_FINGERPRINT_H

#include "base/hash.h"
#include "schema/model.h"

/* The fingerprint as 32 hexadecimal digits. */
void ath_schema_fingerprint(const struct ath_schema *schema, char out_text[ATH_HASH_TEXT]);

#endif
