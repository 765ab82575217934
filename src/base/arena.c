/* SPDX-License-Identifier: MIT */
/* base/arena: many small objects that die together. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	BLOCK_SIZE = 8192, /* bytes; a larger object gets a block of its own */
};

struct ath_arena_block {
	struct ath_arena_block *before;
	size_t used, size; /* bytes of `data` */
	alignas(max_align_t) unsigned char data[];
};

void ath_arena_fini(struct ath_arena *arena)
{
	while (arena->last) {
		struct ath_arena_block *block = arena->last;

		arena->last = block->before;
		free(block);
	}
}

void *ath_arena_new(struct ath_arena *arena, size_t count, size_t size)
{
	size_t align = alignof(max_align_t);
	size_t bytes = size && count > SIZE_MAX / 2 / size ? SIZE_MAX / 2 : count * size;
	size_t need = (bytes + align - 1) / align * align;
	struct ath_arena_block *block = arena->last;
	void *object;

	if (!block || block->size - block->used < need) {
		size_t room = need > BLOCK_SIZE ? need : BLOCK_SIZE;

		block = ath_mem_new(1, sizeof(*block) + room);
		block->size = room;
		block->before = arena->last;
		arena->last = block;
	}
	object = block->data + block->used;
	block->used += need;
	return object;
}

char *ath_arena_strdup(struct ath_arena *arena, const char *text)
{
	return text ? ath_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *ath_arena_strndup(struct ath_arena *arena, const char *text, size_t len)
{
	char *copy = ath_arena_new(arena, len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

char *ath_arena_printf(struct ath_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = ath_arena_new(arena, (size_t)(len > 0 ? len : 0) + 1, 1);
	if (len > 0)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
