/* SPDX-License-Identifier: MIT */
/* engine/steplog: the file STEP.log of one step in one run. */
#include "engine/steplog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"

void ath_steplog_init(struct ath_steplog *log, const char *folder, const char *step)
{
	struct ath_str path = { 0 };

	ath_str_printf(&path, "%s/%s.log", folder, step);
	*log = (struct ath_steplog){ .path = ath_str_steal(&path), .fd = -1 };
}

/* The umask decides nothing. */
static bool open_file(struct ath_steplog *log)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

	do
		log->fd = open(log->path, flags, 0600);
	while (log->fd < 0 && errno == EINTR);
	if (log->fd < 0 || fchmod(log->fd, 0600))
		log->errnum = errno;
	return log->fd >= 0;
}

static void write_file(struct ath_steplog *log, const char *bytes, size_t len)
{
	if (log->errnum || (log->fd < 0 && !open_file(log)))
		return;
	while (len) {
		ssize_t done = ATH_ACT(LOG_WRITE, log->path, write(log->fd, bytes, len));

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			log->errnum = errno;
			return;
		}
		bytes += done;
		len -= (size_t)done;
		log->written += (uint64_t)done;
	}
}

static void keep_tail(struct ath_steplog *log, const char *bytes, size_t len)
{
	if (!log->tail) /* not zeroed: only what was written is ever read */
		log->tail = ath_mem_grow(NULL, ATH_STEPLOG_TAIL, 1);
	for (uint64_t at = log->total; len;) {
		size_t place = at % ATH_STEPLOG_TAIL, part = ATH_STEPLOG_TAIL - place;

		if (part > len)
			part = len;
		memcpy(log->tail + place, bytes, part);
		bytes += part;
		len -= part;
		at += part;
	}
}

void ath_steplog_hold(struct ath_steplog *log, const char *bytes, size_t len)
{
	if (log->total)
		ath_steplog_add(log, bytes, len);
	else
		ath_str_add(&log->held, bytes, len);
}

static void add(struct ath_steplog *log, const char *bytes, size_t len)
{
	size_t room = log->written < ATH_STEPLOG_HEAD ? ATH_STEPLOG_HEAD - (size_t)log->written : 0;

	keep_tail(log, bytes, len);
	log->total += len;
	if (room)
		write_file(log, bytes, len < room ? len : room);
}

void ath_steplog_add(struct ath_steplog *log, const char *bytes, size_t len)
{
	if (log->held.len)
		add(log, log->held.data, log->held.len);
	ath_str_fini(&log->held);
	add(log, bytes, len);
}

/* The kept tail in one piece, at most `most` bytes; the caller frees. */
static char *copy_tail(const struct ath_steplog *log, uint64_t most, size_t *out_len)
{
	uint64_t len = log->total < ATH_STEPLOG_TAIL ? log->total : ATH_STEPLOG_TAIL;
	char *copy;

	if (len > most)
		len = most;
	copy = ath_mem_new((size_t)len, 1);
	for (uint64_t i = 0; i < len; i++)
		copy[i] = log->tail[(log->total - len + i) % ATH_STEPLOG_TAIL];
	*out_len = (size_t)len;
	return copy;
}

static void write_cut_tail(struct ath_steplog *log)
{
	uint64_t lost = log->total - log->written;
	size_t len;
	char *tail = copy_tail(log, lost, &len), note[96];

	snprintf(note, sizeof(note), "\n[athanor: %" PRIu64 " bytes left out here]\n", lost - len);
	write_file(log, note, strlen(note));
	write_file(log, tail, len);
	free(tail);
}

void ath_steplog_fini(struct ath_steplog *log)
{
	if (log->total > log->written && log->fd >= 0 && !log->errnum)
		write_cut_tail(log);
	if (log->path && log->fd >= 0)
		close(log->fd);
	ath_str_fini(&log->held);
	free(log->path);
	free(log->tail);
	*log = (struct ath_steplog){ .fd = -1, .errnum = log->errnum };
}
