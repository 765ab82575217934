/* SPDX-License-Identifier: MIT */
/* base/err: fills, prefixes and names error values. */
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_status;
} codes[] = {
#define X(id, name, exit_status) { name, exit_status },
	ATH_ERR_CODES(X)
#undef X
};
static_assert(sizeof(codes) / sizeof(codes[0]) == ATH_ERR_COUNT_, "one row per error code");

static void fill(struct ath_err *err, enum ath_err_code code, const char *format, va_list args)
{
	assert(err->code == ATH_ERR_OK);
	assert(code != ATH_ERR_OK);
	err->code = code;
	err->errnum = 0;
	err->pos = (struct ath_pos){ 0 };
	vsnprintf(err->msg, sizeof(err->msg), format, args);
}

bool ath_err_set(struct ath_err *err, enum ath_err_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return false;
}

bool ath_err_sys(struct ath_err *err, enum ath_err_code code, int errnum, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	err->errnum = errnum;
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", strerror(errnum));
	return false;
}

bool ath_err_at(struct ath_err *err, enum ath_err_code code, struct ath_pos pos, const char *format,
		...)
{
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	err->pos = pos;
	return false;
}

bool ath_err_prefix(struct ath_err *err, const char *format, ...)
{
	char head[sizeof(err->msg)], whole[2 * sizeof(err->msg) + 4];
	va_list args;

	assert(err->code != ATH_ERR_OK);
	va_start(args, format);
	vsnprintf(head, sizeof(head), format, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "%s: %s", head, err->msg);
	whole[sizeof(err->msg) - 1] = '\0';
	memcpy(err->msg, whole, sizeof(err->msg));
	return false;
}

void ath_err_clear(struct ath_err *err)
{
	*err = (struct ath_err){ 0 };
}

const char *ath_err_name(enum ath_err_code code)
{
	return codes[code].name;
}

int ath_err_exit_status(enum ath_err_code code)
{
	return codes[code].exit_status;
}
