/* SPDX-License-Identifier: MIT */
/* base/mem: allocation that ends the program when memory is gone. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must_have(void *memory)
{
	if (!memory) {
		fputs("athanor: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *ath_mem_new(size_t count, size_t size)
{
	return must_have(calloc(count ? count : 1, size ? size : 1));
}

void *ath_mem_grow(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		must_have(NULL);
	return must_have(realloc(old, bytes > 0 ? bytes : 1));
}

char *ath_mem_strdup(const char *text)
{
	return ath_mem_strndup(text, strlen(text));
}

char *ath_mem_strndup(const char *text, size_t len)
{
	char *copy = ath_mem_new(len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}
