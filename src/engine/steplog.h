/* SPDX-License-Identifier: MIT */
/*
 * engine/steplog: the file STEP.log of one step in one run.
 *
 * The file is made at its first byte: lines that are held do not count, so a step of which nothing but
 * that it ran can be told has none (a file made costs more than the step: the journal's next commit
 * has to wait for it, too). Up to a stated size it is raw; of what comes after only the
 * last part is kept, with a line that says how much was left out. Buffers are fixed.
 */
#ifndef ATH_ENGINE_STEPLOG_H
#define ATH_ENGINE_STEPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	ATH_STEPLOG_HEAD = 16 << 20, /* bytes of the file that are kept from the start */
	ATH_STEPLOG_TAIL = 64 << 10, /* bytes kept from the end */
};

struct ath_steplog {
	char *path;          /* owned; NULL until opened */
	char *tail;          /* owned ring of the last bytes; NULL until the first byte */
	struct ath_str held; /* owned; lines that wait for the first byte */
	int fd;              /* owned; -1 while there is no file */
	uint64_t written;    /* bytes in the file */
	uint64_t total;      /* bytes received */
	int errnum;          /* why the file is not whole, or 0; the step goes on */
};

/* Prepare; nothing is made yet. `folder` is the run's folder. */
void ath_steplog_init(struct ath_steplog *log, const char *folder, const char *step);

/* Append; never fails: a full disk stops the file, not the step. */
void ath_steplog_add(struct ath_steplog *log, const char *bytes, size_t len);

/* Keep bytes that belong before the first that is appended; nothing if none ever is. */
void ath_steplog_hold(struct ath_steplog *log, const char *bytes, size_t len);

/* Write the kept tail if the middle was cut, close and release; `errnum` is kept. */
void ath_steplog_fini(struct ath_steplog *log);

#endif
