/* SPDX-License-Identifier: MIT */
/* sqlite/recovery: asks SQLite whether a journal is hot, and copies under an open file description's
 * lock, which the close of another descriptor in this process does not drop. */
#include "sqlite/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "sqlite/holders.h"

enum {
	BUFFER_BYTES = 256 * 1024,
	WAIT_US = 20000,           /* between two tries for the lock */
	SHARED_FIRST = 0x40000002, /* SQLite's lock bytes for readers, 510 of them */
	SHARED_SIZE = 510,
	NAME_BYTES_MAX = 4096, /* of a super-journal's name */
	TAIL_BYTES = 16,       /* length and checksum of that name, magic, at a journal's end */
};

static const unsigned char magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };

static bool look_at(const char *path, const char *tail, struct ath_recovery_file *out)
{
	struct ath_str name = { 0 };
	struct stat st;
	bool is_there;

	ath_str_printf(&name, "%s%s", path, tail);
	is_there = !lstat(ath_str_get(&name), &st) && S_ISREG(st.st_mode) && st.st_size > 0;
	ath_str_fini(&name);
	if (is_there)
		*out = (struct ath_recovery_file){
			.dev = st.st_dev,
			.ino = st.st_ino,
			.bytes = (uint64_t)st.st_size,
			.written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		};
	return is_there;
}

/* SQLite's own answer: a read-only handle must refuse. */
bool ath_recovery_is_due(const char *path)
{
	struct ath_err ignored = { 0 };
	struct ath_recovery_file journal;
	struct ath_db *db;
	bool is_hot;

	if (!look_at(path, "-journal", &journal))
		return false;
	db = ath_db_open(path, ATH_DB_READ, 0, &ignored);
	is_hot = db && !ath_db_exec(db, "SELECT 1 FROM sqlite_schema LIMIT 1", &ignored) &&
		 ath_db_last_result(db) == SQLITE_READONLY_ROLLBACK;
	ath_db_close(db);
	return is_hot;
}

static bool is_same_file(const struct ath_recovery_file *one, const struct ath_recovery_file *other)
{
	return one->dev == other->dev && one->ino == other->ino && one->bytes == other->bytes &&
	       one->written_ns == other->written_ns;
}

bool ath_recovery_is_same(const char *path, const struct ath_recovery_seen *seen)
{
	struct ath_recovery_file main, journal;

	return look_at(path, "", &main) && look_at(path, "-journal", &journal) &&
	       is_same_file(&main, &seen->main) && is_same_file(&journal, &seen->journal);
}

/* ---- copying ---- */

struct copying {
	ath_transfer_progress_fn *on_progress; /* or NULL */
	void *user;
	uint64_t done, total; /* bytes of all files */
};

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t written = ATH_ACT(FILE_WRITE, NULL, write(fd, bytes, len));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		len -= (size_t)written;
	}
	return true;
}

/* Bytes from one to the other. On false errno tells why; ECANCELED: it is not wanted any more. */
static bool pump(int from, int to, struct copying *copying)
{
	char *buffer = ath_mem_new(1, BUFFER_BYTES);
	ssize_t len;

	do {
		len = read(from, buffer, BUFFER_BYTES);
		if (len > 0 && !write_all(to, buffer, (size_t)len))
			len = -1;
		copying->done += len > 0 ? (uint64_t)len : 0;
		if (len > 0 && copying->on_progress &&
		    !copying->on_progress(copying->user, copying->done, copying->total)) {
			errno = ECANCELED;
			len = -1;
		}
	} while (len > 0 || (len < 0 && errno == EINTR));
	free(buffer);
	return !len;
}

/* A whole, durable copy of what `from` has; the descriptor stays the caller's. */
static bool copy_open(int from, const char *to, struct copying *copying, struct ath_err *err)
{
	int fd = ATH_ACT(FILE_CREATE, to,
			 open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
	bool is_copied = fd >= 0 && !fchmod(fd, 0600) && pump(from, fd, copying) &&
			 !ATH_ACT(FILE_SYNC, to, fsync(fd));
	int errnum = errno;

	if (fd >= 0)
		close(fd);
	if (is_copied)
		return true;
	if (fd >= 0)
		(void)ATH_ACT(FILE_UNLINK, to, unlink(to));
	if (errnum == ECANCELED)
		return ath_err_set(err, ATH_ERR_CANCELLED, "writing '%s' was called off", to);
	return ath_err_sys(err, errnum == EEXIST ? ATH_ERR_EXISTS : ATH_ERR_IO, errnum,
			   "cannot write '%s'", to);
}

static bool copy_file(const char *from, const char *to, struct copying *copying,
		      struct ath_err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_copied;

	if (fd < 0)
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot read '%s'", from);
	is_copied = copy_open(fd, to, copying, err);
	close(fd);
	return is_copied;
}

/* ---- the name of the super-journal (https://www.sqlite.org/fileformat2.html, atomiccommit 5) ---- */

static unsigned read_number(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 |
	       bytes[3];
}

/* Owned, or NULL: the journal at `path` belongs to one file alone. */
static char *read_super_name(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned char tail[TAIL_BYTES];
	char *name = NULL;
	unsigned len;

	if (file && !fseek(file, -TAIL_BYTES, SEEK_END) &&
	    fread(tail, 1, sizeof(tail), file) == sizeof(tail) &&
	    !memcmp(tail + 8, magic, sizeof(magic))) {
		len = read_number(tail);
		if (len && len <= NAME_BYTES_MAX) {
			name = ath_mem_new(1, len + 1);
			if (fseek(file, -TAIL_BYTES - (long)len, SEEK_END) ||
			    fread(name, 1, len, file) != len) {
				free(name);
				name = NULL;
			}
		}
	}
	if (file)
		fclose(file);
	return name;
}

/* ---- all of it, under the lock ---- */

static char *joined(const char *path, const char *tail)
{
	struct ath_str text = { 0 };

	ath_str_printf(&text, "%s%s", path, tail);
	return ath_str_steal(&text);
}

static bool lock_shared(int fd, const struct ath_db_form *form, struct ath_err *err)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = SHARED_FIRST,
			      .l_len = SHARED_SIZE };
	struct ath_mono since = ath_time_mono();

	while (fcntl(fd, F_OFD_SETLK, &lock)) {
		if (errno != EAGAIN && errno != EACCES)
			return ath_err_sys(err, ATH_ERR_IO, errno, "cannot lock '%s'", form->path);
		if (form->is_wanted && !form->is_wanted(form->wanted_by))
			return ath_err_set(err, ATH_ERR_CANCELLED,
					   "waiting for '%s' was called off", form->path);
		if (ath_time_elapsed_ms(since) >= form->busy_ms)
			return ath_holders_fail(form->path, err);
		usleep(WAIT_US);
	}
	return true;
}

/* What was not finished; copies that have their names already are whole. */
static void drop_partials(const char *to)
{
	static const char *const tails[] = { "-super.partial", "-journal.partial", ".partial" };

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *name = joined(to, tails[i]);

		(void)ATH_ACT(FILE_UNLINK, name, unlink(name));
		free(name);
	}
}

/* Rename the finished copies, the main file's last: where it is, the rest is. */
static bool name_copies(const char *to, bool has_super, struct ath_err *err)
{
	static const char *const tails[] = { "-super", "-journal", "" };

	for (size_t i = has_super ? 0 : 1; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *name = joined(to, tails[i]), *partial = joined(name, ".partial");
		bool is_named = !ATH_ACT(FILE_RENAME, name, rename(partial, name));
		int errnum = errno;

		free(partial);
		if (is_named)
			is_named = ath_transfer_sync(name, err);
		else
			ath_err_sys(err, ATH_ERR_IO, errnum, "cannot rename to '%s'", name);
		free(name);
		if (!is_named)
			return false;
	}
	return true;
}

static bool copy_super(const char *journal, const char *to, struct copying *copying, bool *out_has,
		       struct ath_err *err)
{
	char *name = read_super_name(journal), *partial = joined(to, "-super.partial");
	bool is_fine = true;

	*out_has = name && !access(name, F_OK);
	if (*out_has)
		is_fine = copy_file(name, partial, copying, err);
	free(partial);
	free(name);
	return is_fine;
}

static bool copy_all(int fd, const char *path, const char *to, struct ath_recovery_seen *seen,
		     struct copying *copying, struct ath_err *err)
{
	char *journal = joined(path, "-journal"), *partial = joined(to, ".partial");
	char *journal_partial = joined(to, "-journal.partial");
	bool is_done = copy_file(journal, journal_partial, copying, err) &&
		       copy_super(journal_partial, to, copying, &seen->has_super, err) &&
		       copy_open(fd, partial, copying, err) &&
		       name_copies(to, seen->has_super, err);

	if (!is_done)
		drop_partials(to);
	free(journal_partial);
	free(partial);
	free(journal);
	return is_done;
}

bool ath_recovery_copy(const struct ath_db_form *form, const char *to,
		       struct ath_recovery_seen *out_seen, ath_transfer_progress_fn *on_progress,
		       void *user, struct ath_err *err)
{
	struct copying copying = { .on_progress = on_progress, .user = user };
	struct ath_recovery_seen seen = { 0 };
	int fd = open(form->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_done;

	if (fd < 0)
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot read '%s'", form->path);
	is_done = lock_shared(fd, form, err);
	*out_seen = (struct ath_recovery_seen){ 0 };
	/* Asked again under the lock: whoever held it may have rolled it back. */
	if (is_done && look_at(form->path, "", &seen.main) &&
	    look_at(form->path, "-journal", &seen.journal) && ath_recovery_is_due(form->path)) {
		copying.total = seen.main.bytes + seen.journal.bytes;
		is_done = copy_all(fd, form->path, to, &seen, &copying, err);
		if (is_done)
			*out_seen = seen;
	}
	close(fd);
	return is_done;
}
