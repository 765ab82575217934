/* SPDX-License-Identifier: MIT */
/*
 * nasty: a child process that does not want to end, for the tests of os/.
 *
 *	nasty zoo TAG       stays, with the family below; says "ready" when all of them are up
 *	nasty outlaws TAG   the same, and a daemon that has erased its environment
 *	nasty leave TAG     makes the family, says "ready" and exits with 0
 *	nasty daemon TAG    leaves one double-forked daemon that keeps the output open, exits with 0
 *	nasty stranger TAG  the same, its environment erased
 *	nasty stay TAG      leaves such a daemon and stays itself until it reads SIGTERM
 *	nasty bytes N       writes N bytes
 *
 * The family ignores SIGTERM and SIGINT: a child in the same session; a child in a session of its
 * own; a double-forked daemon that closes every descriptor and forks every 5 ms. TAG stands in the
 * arguments of all of them, so a test can find them.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static _Noreturn void stay(void)
{
	for (;;)
		pause();
}

static _Noreturn void fork_for_ever(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == 0) {
			sleep_ms(50);
			_exit(0);
		}
		sleep_ms(5);
	}
}

/* Say that one more of the family is up. */
static void report(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static void make_daemon(int ready, int closes_all)
{
	if (fork() != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	report(ready);
	if (closes_all) {
		syscall(SYS_close_range, 0, ~0U, 0);
		fork_for_ever();
	}
	close(ready);
	stay();
}

/* Returns when its environment is gone: the pipe closes as it becomes another program. */
static void make_stranger(char *program, char *tag)
{
	char mode[] = "stranger-itself", *argv[] = { program, mode, tag, NULL };
	char *none[] = { NULL }, byte;
	int gone[2];

	if (pipe2(gone, O_CLOEXEC))
		_exit(1);
	if (fork() != 0) {
		close(gone[1]);
		while (read(gone[0], &byte, 1) > 0)
			;
		close(gone[0]);
		return;
	}
	setsid();
	if (fork() != 0)
		_exit(0);
	execve("/proc/self/exe", argv, none);
	_exit(1);
}

static void make_family(int ready)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	make_daemon(ready, 1);
	if (fork() == 0) {
		report(ready);
		stay();
	}
	if (fork() == 0) {
		setsid();
		report(ready);
		stay();
	}
}

static void wait_for(int fd, int count)
{
	char byte;

	while (count-- > 0)
		if (read(fd, &byte, 1) != 1)
			_exit(1);
}

static void write_bytes(long count)
{
	static char bytes[65536];

	memset(bytes, 'x', sizeof(bytes));
	while (count > 0) {
		size_t len = count < (long)sizeof(bytes) ? (size_t)count : sizeof(bytes);
		ssize_t put = write(STDOUT_FILENO, bytes, len);

		if (put < 0)
			_exit(1);
		count -= put;
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	int ready[2];

	if (strcmp(mode, "bytes") == 0) {
		write_bytes(atol(argv[2]));
		return 0;
	}
	if (strcmp(mode, "stranger-itself") == 0)
		stay();
	if (!*mode || pipe(ready))
		return 64;
	if (strcmp(mode, "stranger") == 0) {
		make_stranger(argv[0], argv[2]);
	} else if (strcmp(mode, "daemon") == 0 || strcmp(mode, "stay") == 0) {
		make_daemon(ready[1], 0);
		wait_for(ready[0], 1);
	} else {
		if (strcmp(mode, "outlaws") == 0)
			make_stranger(argv[0], argv[2]);
		make_family(ready[1]);
		wait_for(ready[0], 3);
	}
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	if (strcmp(mode, "zoo") == 0 || strcmp(mode, "outlaws") == 0 || strcmp(mode, "stay") == 0)
		stay();
	return 0;
}
