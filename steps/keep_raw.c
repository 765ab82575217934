/* SPDX-License-Identifier: MIT */
/* steps/keep_raw: bytes under a name that says they are not whole yet, synced, then under their own. */
#include "steps/keep_raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "os/file.h"

enum {
	BUFFER_BYTES = 256 * 1024,
};

/* A file that bytes are written to; the first failure stands. */
struct sink {
	int fd;
	int errnum;
};

static void add(struct sink *sink, const char *bytes, size_t len)
{
	while (len && !sink->errnum) {
		ssize_t put = ATH_ACT(FILE_WRITE, NULL, write(sink->fd, bytes, len));

		if (put < 0 && errno != EINTR)
			sink->errnum = errno;
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
}

static bool on_bytes(void *user, uint64_t offset, const void *bytes, size_t len)
{
	(void)offset; /* they come in order */
	add(user, bytes, len);
	return true;
}

/* Of a file that carries no locks. */
static bool copy_all(const char *from, struct sink *sink, struct ath_err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), errnum = fd < 0 ? errno : 0;
	char *buffer = ath_mem_new(1, BUFFER_BYTES);
	ssize_t got = 1;

	while (!errnum && !sink->errnum && got > 0) {
		got = read(fd, buffer, BUFFER_BYTES);
		if (got < 0 && errno != EINTR)
			errnum = errno;
		if (got > 0)
			add(sink, buffer, (size_t)got);
		if (got < 0)
			got = 1; /* interrupted, or at its end by errnum */
	}
	free(buffer);
	if (fd >= 0)
		close(fd);
	return !errnum || ath_err_sys(err, ATH_ERR_IO, errnum, "cannot read '%s'", from);
}

/* From the live file under its lock (NULL), or from a file beside it. */
static bool fill(struct ath_database_work *work, const char *from, struct sink *sink,
		 struct ath_err *err)
{
	return from ? copy_all(from, sink, err) : ath_live_read(work->live, on_bytes, sink, err);
}

static bool copy(struct ath_database_work *work, const char *from, const char *to,
		 struct ath_err *err)
{
	struct ath_err ignored = { 0 };
	struct ath_str partial = { 0 };
	struct sink sink;
	bool is_kept;

	ath_str_printf(&partial, "%s.partial", to);
	sink = (struct sink){ .fd = open(ath_str_get(&partial),
					 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
					 0600) };
	if (sink.fd < 0)
		sink.errnum = errno;
	is_kept = sink.errnum || fill(work, from, &sink, err);
	if (sink.fd >= 0)
		close(sink.fd);
	if (sink.errnum && err->code == ATH_ERR_OK)
		is_kept = ath_err_sys(err, ATH_ERR_IO, sink.errnum, "cannot write '%s'", to);
	is_kept = is_kept && ath_file_sync(ath_str_get(&partial), err) &&
		  ath_file_put_into_place(ath_str_get(&partial), to, err);
	/* it takes room, which may be what was missing */
	if (!is_kept && sink.fd >= 0 && !ath_file_remove_tree(ath_str_get(&partial), &ignored))
		ath_err_clear(&ignored);
	ath_str_fini(&partial);
	return is_kept;
}

static bool is_filled(const char *path)
{
	struct ath_file_stamp stamp;

	return ath_file_stamp(path, &stamp) && stamp.size && !ath_file_is_link(path);
}

static bool copy_beside(struct ath_database_work *work, const char *to, const char *tail,
			bool *out_is_kept, struct ath_err *err)
{
	struct ath_str source = { 0 }, target = { 0 };
	bool is_done = true;

	ath_str_printf(&source, "%s%s", work->path, tail);
	ath_str_printf(&target, "%s%s", to, tail);
	if (is_filled(ath_str_get(&source))) {
		is_done = copy(work, ath_str_get(&source), ath_str_get(&target), err);
		*out_is_kept |= is_done;
	}
	ath_str_fini(&source);
	ath_str_fini(&target);
	return is_done;
}

bool ath_keep_raw(struct ath_database_work *work, struct ath_err *err)
{
	char *folder = ath_file_parent(work->pre_image);
	struct ath_str to = { 0 };
	bool is_kept = false, is_done;

	ath_str_printf(&to, "%s/damaged-%s.db", folder, work->run);
	is_done = ath_file_make_folders(folder, 0700, err) &&
		  copy_beside(work, ath_str_get(&to), "-wal", &is_kept, err) &&
		  /* under the lock a -journal is our own */
		  (work->live || copy_beside(work, ath_str_get(&to), "-journal", &is_kept, err));
	if (is_done && work->live) {
		is_done = copy(work, NULL, ath_str_get(&to), err);
		is_kept |= is_done;
	}
	if (is_done && is_kept) {
		free(work->raw);
		work->raw = ath_str_steal(&to);
	}
	ath_str_fini(&to);
	free(folder);
	return is_done;
}
