/* SPDX-License-Identifier: MIT */
/*
 * base/heap: a binary min-heap of numbers in an array of the caller's (Williams, Communications of
 * the ACM 7, 1964). A topological sort takes its ready items out of one, so that ties have an order.
 */
#ifndef ATH_BASE_HEAP_H
#define ATH_BASE_HEAP_H

#include <stddef.h>

/* Put an item in; the array has room for it. */
void ath_heap_push(size_t *heap, size_t *len, size_t item);

/* Take the least item out; there is one. */
size_t ath_heap_pop(size_t *heap, size_t *len);

#endif
