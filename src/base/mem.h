/* SPDX-License-Identifier: MIT */
/*
 * base/mem: allocation that ends the program when memory is gone.
 *
 * Nothing here returns NULL. A crash is an ordinary event for this program, so running out of
 * memory is one too. Amounts that come from outside meet a limit before they arrive here.
 */
#ifndef ATH_BASE_MEM_H
#define ATH_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for `count` items of `size` bytes; free() releases it. Aborts on overflow. */
void *ath_mem_new(size_t count, size_t size);

/* As realloc() for `count` items of `size` bytes; new bytes are not initialised. */
void *ath_mem_grow(void *old, size_t count, size_t size);

/* A copy of a string; free() releases it. */
char *ath_mem_strdup(const char *text);

/* A NUL-terminated copy of `len` bytes; free() releases it. */
char *ath_mem_strndup(const char *text, size_t len);

#endif
