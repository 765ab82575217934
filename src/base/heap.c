/* SPDX-License-Identifier: MIT */
/* base/heap: a binary min-heap of numbers. */
#include "base/heap.h"

void ath_heap_push(size_t *heap, size_t *len, size_t item)
{
	size_t at = (*len)++;

	for (; at && heap[(at - 1) / 2] > item; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = item;
}

size_t ath_heap_pop(size_t *heap, size_t *len)
{
	size_t least = heap[0], item = heap[--*len], at = 0;

	while (2 * at + 1 < *len) {
		size_t child = 2 * at + 1;

		if (child + 1 < *len && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= item)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = item;
	return least;
}
