/* SPDX-License-Identifier: MIT */
/*
 * cli/screen: the one door to stdout and stderr, where secrets are masked.
 *
 * What is masked is set once, as soon as it is known, and not handed from call to call: so no
 * message can be printed past it. It is the only variable of its kind.
 */
#ifndef ATH_CLI_SCREEN_H
#define ATH_CLI_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/redact.h"

/* From here on nothing in `set` is shown (borrowed until the next call); NULL: nothing is masked. */
void ath_screen_hide(struct ath_redact *set);

/* Write a text in one go; what would act on a terminal becomes '?', line ends stay. */
void ath_screen_write(const char *text, size_t len, bool to_stderr);

/* Mask the message of an error that may have been cut, before it becomes part of a text. */
void ath_screen_mask(struct ath_err *err);

/* Copy the rest of a file to stdout. */
void ath_screen_copy(FILE *file);

#endif
