/* SPDX-License-Identifier: MIT */
/*
 * base/log: levelled messages to one sink.
 *
 * Above debug only cli, ui and engine/run speak. The sink is one of the program's two mutable
 * file-scope variables; main sets it once.
 */
#ifndef ATH_BASE_LOG_H
#define ATH_BASE_LOG_H

#include "base/err.h"

enum ath_log_level {
	ATH_LOG_DEBUG,
	ATH_LOG_INFO,
	ATH_LOG_WARN,
	ATH_LOG_COUNT_
};

/* Receives one finished message without a line end. */
typedef void ath_log_fn(enum ath_log_level level, const char *text);

/* Send all further messages to `sink`; NULL discards them (the state at start). */
void ath_log_set_sink(ath_log_fn *sink);

/* Report something that is neither a bug nor a failure. */
void ath_log(enum ath_log_level level, const char *format, ...) ATH_PRINTF(2, 3);

#endif
