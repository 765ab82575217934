/* SPDX-License-Identifier: MIT */
/* base/vec: a growing array of any item type. */
#include "base/vec.h"

#include "base/mem.h"

void *ath_vec_reserve_one(void *items, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 8;
	return ath_mem_grow(items, *cap, size);
}
