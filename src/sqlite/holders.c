/* SPDX-License-Identifier: MIT */
/* sqlite/holders: reads /proc/locks (proc(5)) and the names of the processes in it. */
#include "sqlite/holders.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"

enum {
	HOLDERS_NAMED = 5,        /* more are not worth reading */
	LOCKS_START = 0x40000000, /* where SQLite's lock bytes are, 512 of them */
	LOCKS_END = 0x40000000 + 511,
};

/* "1: POSIX  ADVISORY  WRITE 812 fe:00:2883636 1073741825 1073741825"; a waiting lock has "->" */
static bool is_lock_of(const char *line, const struct stat *st, int *out_pid)
{
	unsigned dev_major, dev_minor;
	unsigned long long ino, start, end;
	char end_text[24];

	if (sscanf(line, "%*u: POSIX %*s %*s %d %x:%x:%llu %llu %23s", out_pid, &dev_major,
		   &dev_minor, &ino, &start, end_text) != 6)
		return false;
	if (sscanf(end_text, "%llu", &end) != 1)
		end = LOCKS_END; /* EOF */
	return *out_pid > 0 && ino == st->st_ino && makedev(dev_major, dev_minor) == st->st_dev &&
	       end >= LOCKS_START && start <= LOCKS_END;
}

static void put_holder(struct ath_str *out, int pid)
{
	char path[40], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof(name), file))
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	if (name[0])
		ath_str_put_clean(out, name, strlen(name));
	ath_str_printf(out, name[0] ? " (process %d)" : "process %d", pid);
}

bool ath_holders_put(struct ath_str *out, const char *path)
{
	int pids[HOLDERS_NAMED], pid, len = 0;
	char line[256];
	struct stat st;
	FILE *locks;

	if (stat(path, &st))
		return false;
	locks = fopen("/proc/locks", "re");
	if (!locks)
		return false;
	while (len < HOLDERS_NAMED && fgets(line, sizeof(line), locks)) {
		bool is_new = is_lock_of(line, &st, &pid) && pid != getpid();

		for (int i = 0; i < len; i++)
			is_new = is_new && pids[i] != pid;
		if (is_new)
			pids[len++] = pid;
	}
	fclose(locks);
	for (int i = 0; i < len; i++) {
		if (i)
			ath_str_puts(out, ", ");
		put_holder(out, pids[i]);
	}
	return len > 0;
}
