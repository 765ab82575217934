/* SPDX-License-Identifier: MIT */
/*
 * base/vec: a growing array of any item type.
 *
 *	ATH_VEC(struct point) points = { 0 };
 *	*ath_vec_push(&points) = (struct point){ 1, 2 };
 *	ath_vec_each(&points, one) use(one);
 *	ath_vec_fini(&points);
 *
 * Pointers to items are valid until the next push.
 */
#ifndef ATH_BASE_VEC_H
#define ATH_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#define ATH_VEC(type)                    \
	struct {                         \
		type *items; /* owned */ \
		size_t len, cap;         \
	}

/* Make room for one more item; the part behind the macro ath_vec_push. */
void *ath_vec_reserve_one(void *items, size_t len, size_t *cap, size_t size);

/* A pointer to a new item at the end; its bytes are not initialised. */
#define ath_vec_push(vec)                                                          \
	((vec)->items = ath_vec_reserve_one((vec)->items, (vec)->len, &(vec)->cap, \
					    sizeof(*(vec)->items)),                \
	 &(vec)->items[(vec)->len++])

#define ath_vec_each(vec, one)                                                                 \
	for (__typeof__((vec)->items + 0) one = (vec)->items; one < (vec)->items + (vec)->len; \
	     one++)

#define ath_vec_fini(vec) (free((vec)->items), (vec)->items = NULL, (vec)->len = (vec)->cap = 0)

#endif
