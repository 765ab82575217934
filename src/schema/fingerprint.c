/* SPDX-License-Identifier: MIT */
/* schema/fingerprint: hashes the objects of a schema in the model's order. */
#include "schema/fingerprint.h"

void ath_schema_fingerprint(const struct ath_schema *schema, char out_text[ATH_HASH_TEXT])
{
	struct ath_hash hash = ath_hash_start();

	for (size_t i = 0; i < schema->len; i++) {
		const struct ath_schema_object *one = &schema->objects[i];

		ath_hash_add_text(&hash, ath_schema_kind_name(one->kind));
		ath_hash_add_text(&hash, one->name);
		ath_hash_add_text(&hash, one->table);
		ath_hash_add_text(&hash, one->sql);
	}
	ath_hash_text(hash, out_text);
}
