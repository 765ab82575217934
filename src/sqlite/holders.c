/* SPDX-License-Identifier: MIT */
/* sqlite/holders: reads /proc/locks (proc(5)) and the names of the processes in it. */
#include "sqlite/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"

enum {
	HOLDERS_NAMED = 5, /* more are not worth reading */
	NO_OWNER = -1,     /* of a lock that belongs to an open file description */
};

/* Where SQLite's locks of a database are: bytes of the main file, and of a -shm (os_unix.c). */
static const struct place {
	const char *tail;
	unsigned long long start, end; /* both inclusive */
} places[] = { { "", 0x40000000, 0x40000000 + 511 }, { "-shm", 120, 128 } };

enum {
	PLACES = sizeof(places) / sizeof(places[0]),
};

struct search {
	struct stat files[PLACES]; /* st_ino 0: there is none */
	int pids[HOLDERS_NAMED];
	int len;
	bool has_unowned; /* a lock whose owner is not known yet */
};

static bool is_at(const struct search *search, unsigned idx, const unsigned long long at[3],
		  dev_t dev)
{
	const struct stat *file = &search->files[idx];

	return file->st_ino && at[0] == file->st_ino && dev == file->st_dev &&
	       at[2] >= places[idx].start && at[1] <= places[idx].end;
}

/*
 * "1: POSIX  ADVISORY  WRITE 812 fe:00:2883636 1073741825 1073741825"; a waiting lock has "->", one of
 * an open file description is OFDLCK and has -1 for the process.
 */
static bool is_lock_of(const struct search *search, const char *line, int *out_pid)
{
	unsigned long long at[3]; /* inode, first and last byte */
	unsigned dev_major, dev_minor;
	char kind[16], end_text[24];

	if (sscanf(line, "%*u: %15s %*s %*s %d %x:%x:%llu %llu %23s", kind, out_pid, &dev_major,
		   &dev_minor, &at[0], &at[1], end_text) != 7)
		return false;
	if (strcmp(kind, "POSIX") != 0 && strcmp(kind, "OFDLCK") != 0)
		return false;
	if (sscanf(end_text, "%llu", &at[2]) != 1)
		at[2] = ~0ULL; /* EOF */
	for (unsigned i = 0; i < PLACES; i++)
		if (is_at(search, i, at, makedev(dev_major, dev_minor)))
			return *out_pid > 0 || *out_pid == NO_OWNER;
	return false;
}

static void add_holder(struct search *search, int pid)
{
	for (int i = 0; i < search->len; i++)
		if (search->pids[i] == pid)
			return;
	if (pid != getpid() && search->len < HOLDERS_NAMED)
		search->pids[search->len++] = pid;
}

static void read_locks(struct search *search)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	int pid;

	if (!locks)
		return;
	while (fgets(line, sizeof(line), locks)) {
		if (!is_lock_of(search, line, &pid))
			continue;
		if (pid == NO_OWNER)
			search->has_unowned = true;
		else
			add_holder(search, pid);
	}
	fclose(locks);
}

/* ---- owners of locks of open file descriptions ---- */

static bool has_lock(const struct search *search, const char *folder, const char *fd)
{
	static const char key[] = "lock:\t";
	char path[300], line[256];
	bool has = false;
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "%s/%s", folder, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!has && fgets(line, sizeof(line), file))
		has = strncmp(line, key, sizeof(key) - 1) == 0 &&
		      is_lock_of(search, line + sizeof(key) - 1, &pid) && pid == NO_OWNER;
	fclose(file);
	return has;
}

static bool holds_by_descriptor(const struct search *search, const char *pid)
{
	const struct dirent *entry;
	bool holds = false;
	char folder[40];
	DIR *fds;

	snprintf(folder, sizeof(folder), "/proc/%.10s/fdinfo", pid);
	fds = opendir(folder);
	if (!fds)
		return false;
	while (!holds && (entry = readdir(fds)))
		holds = isdigit((unsigned char)entry->d_name[0]) &&
			has_lock(search, folder, entry->d_name);
	closedir(fds);
	return holds;
}

static void read_descriptors(struct search *search)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;

	while (processes && (entry = readdir(processes)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    holds_by_descriptor(search, entry->d_name))
			add_holder(search, atoi(entry->d_name));
	if (processes)
		closedir(processes);
}

/* ---- text ---- */

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
	struct search search = { 0 };

	for (unsigned i = 0; i < PLACES; i++) {
		struct ath_str name = { 0 };

		ath_str_printf(&name, "%s%s", path, places[i].tail);
		if (stat(ath_str_get(&name), &search.files[i]))
			search.files[i].st_ino = 0;
		ath_str_fini(&name);
	}
	read_locks(&search);
	if (search.has_unowned)
		read_descriptors(&search);
	for (int i = 0; i < search.len; i++) {
		if (i)
			ath_str_puts(out, ", ");
		put_holder(out, search.pids[i]);
	}
	return search.len > 0;
}

bool ath_holders_fail(const char *path, struct ath_err *err)
{
	struct ath_str names = { 0 };

	if (ath_holders_put(&names, path))
		ath_err_set(err, ATH_ERR_LOCKED, "database '%s' is in use by %s; stop it first",
			    path, ath_str_get(&names));
	else
		ath_err_set(err, ATH_ERR_LOCKED,
			    "database '%s' is in use by another process; "
			    "stop it first",
			    path);
	ath_str_fini(&names);
	return false;
}
