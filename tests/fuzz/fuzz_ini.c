/* SPDX-License-Identifier: MIT */
/*
 * The readers of alembic.ini and pyproject.toml survive any bytes, and fail only with an error.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_read, struct ath_err *err)
{
	if (is_read != (err->code == ATH_ERR_OK))
		abort();
	ath_err_clear(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* no byte behind the text may be read */
	struct ath_ini_source source = { "input", text, size, "/srv/app" };
	struct ath_arena arena = { 0 };
	struct ath_ini ini;
	struct ath_texts names;
	struct ath_err err = { 0 };

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	check(ath_ini_read(&source, "alembic", &arena, &ini, &err), &err);
	check(ath_ini_find_environments(&source, &arena, &names, &err), &err);
	check(ath_ini_read_toml(&source, &arena, &ini, &err), &err);
	free(text);
	ath_arena_fini(&arena);
	return 0;
}
