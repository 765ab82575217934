/* SPDX-License-Identifier: MIT */
/* base/log: levelled messages to one sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static ath_log_fn *log_sink;

void ath_log_set_sink(ath_log_fn *sink)
{
	log_sink = sink;
}

void ath_log(enum ath_log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!log_sink)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_sink(level, text);
}
