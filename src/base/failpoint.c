/* SPDX-License-Identifier: MIT */
/*
 * base/failpoint: what the environment wants at a point. Only in test builds.
 *
 * Passed in any thread, and in the warden, which may not use the heap: no memory is allocated, and
 * nothing is kept but the counters.
 */
#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WISHES_MAX = 8,       /* in the environment */
	PART_MAX = 128,       /* bytes of one wish in the environment */
	LINE_MAX = 512,       /* bytes of a line of the log */
	TORTURE_ONE_IN = 200, /* points, at which something happens */
};

static const char *const names[] = {
#define X(id, name) [ATH_FAILPOINT_##id] = name,
	ATH_FAILPOINTS_TABLE(X)
#undef X
};

static const struct {
	const char *name;
	int errnum;
} errors[] = {
	{ "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EACCES", EACCES },
	{ "EROFS", EROFS },   { "EINVAL", EINVAL }, { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM },
	{ "EAGAIN", EAGAIN }, { "EINTR", EINTR },
};

/* The count of a process: the one kind of mutable file-scope variable that we could not avoid. */
static atomic_uint passed;
static atomic_uint met[WISHES_MAX]; /* points that a wish by name has met, by its place */
static atomic_int first_pid;        /* the process that was started */

/* One passing of one point. */
struct passing {
	enum ath_failpoint point;
	enum ath_failpoint_side side;
	const char *role;
	const char *detail; /* may be NULL */
	unsigned number;    /* from 1 */
};

static struct passing count(enum ath_failpoint point, enum ath_failpoint_side side,
			    const char *detail)
{
	int none = 0, pid = (int)getpid();

	atomic_compare_exchange_strong(&first_pid, &none, pid);
	return (struct passing){
		.point = point,
		.side = side,
		.role = atomic_load(&first_pid) == pid ? "warden" : "orchestrator",
		.number = atomic_fetch_add(&passed, 1) + 1,
		.detail = detail,
	};
}

static void put_name(const struct passing *at, char *out, size_t size)
{
	snprintf(out, size, "%s%s", names[at->point],
		 at->side == ATH_FAILPOINT_AFTER ? "/after" : "");
}

static void write_log(const struct passing *at)
{
	const char *path = getenv("ATHANOR_FAILPOINT_LOG");
	char line[LINE_MAX], name[PART_MAX];
	int fd, len;

	if (!path)
		return;
	put_name(at, name, sizeof(name));
	len = snprintf(line, sizeof(line) - 1, "%s %d %u %s %s", at->role, (int)getpid(),
		       at->number, name, at->detail ? at->detail : "-");
	len = len < (int)sizeof(line) - 1 ? len : (int)sizeof(line) - 2;
	line[len++] = '\n';
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

/* Is "NAME[@TEXT]:" at the beginning of a wish this point? Then what comes behind it. */
static const char *match_name(const struct passing *at, const char *wish)
{
	char name[PART_MAX], text[PART_MAX];
	size_t len;

	put_name(at, name, sizeof(name));
	len = strlen(name);
	if (strncmp(wish, name, len) != 0 || (wish[len] != ':' && wish[len] != '@'))
		return NULL;
	if (wish[len] == ':')
		return wish + len + 1;
	wish += len + 1;
	len = strcspn(wish, ":");
	snprintf(text, sizeof(text), "%.*s", (int)len, wish);
	return at->detail && strstr(at->detail, text) && wish[len] ? wish + len + 1 : NULL;
}

/* What is wished if this passing is meant, else NULL. `place` is that of the wish in the list. */
static const char *match(const struct passing *at, const char *wish, size_t place)
{
	unsigned mine = at->number;
	size_t len = strlen(at->role);
	unsigned long number;
	const char *named;
	char *end;

	if (strncmp(wish, at->role, len) == 0 && wish[len] == '/')
		wish += len + 1;
	named = match_name(at, wish);
	if (named) {
		wish = named;
		mine = atomic_fetch_add(&met[place % WISHES_MAX], 1) + 1;
	}
	number = strtoul(wish, &end, 10);
	if (end == wish || (*end == '+' ? mine < number : mine != number))
		return NULL;
	end += *end == '+';
	return *end == ':' ? end + 1 : NULL;
}

static void wait_ms(unsigned long ms)
{
	struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

static void kill_who(const char *who)
{
	int first = atomic_load(&first_pid);

	if (strcmp(who, "") != 0 && first != (int)getpid())
		kill(first, SIGKILL);
	if (strcmp(who, "-warden") != 0 || first == (int)getpid())
		kill(getpid(), SIGKILL);
}

/* The errno of a wish to fail, else 0. */
static int act(const char *action)
{
	if (strncmp(action, "kill", 4) == 0)
		kill_who(action + 4);
	else if (strncmp(action, "delay:", 6) == 0)
		wait_ms(strtoul(action + 6, NULL, 10));
	else if (strncmp(action, "fail:", 5) == 0)
		for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
			if (strcmp(action + 5, errors[i].name) == 0)
				return errors[i].errnum;
	return 0;
}

static int obey(const struct passing *at)
{
	const char *wish = getenv("ATHANOR_FAILPOINT");
	size_t place = 0;
	int errnum = 0;

	while (wish && *wish && !errnum) {
		size_t len = strcspn(wish, ",");
		char part[PART_MAX];
		const char *action;

		snprintf(part, sizeof(part), "%.*s", (int)len, wish);
		action = match(at, part, place++);
		if (action)
			errnum = act(action);
		wish += len + (wish[len] == ',');
	}
	return errnum;
}

/* Well mixed bits of seed, role and number: the same schedule for the same seed. */
static uint64_t mix(uint64_t seed, const struct passing *at)
{
	uint64_t bits = seed * 0x9e3779b97f4a7c15u + at->number;

	bits ^= (uint64_t)(unsigned char)at->role[0] << 56;
	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
	return bits ^ (bits >> 31);
}

static int torture(const struct passing *at)
{
	static const char *const actions[] = { "kill",     "kill-both",   "kill-warden", "fail:EIO",
					       "fail:EIO", "fail:ENOSPC", "delay:40" };
	const char *seed = getenv("ATHANOR_TORTURE"), *action;
	char line[LINE_MAX], name[PART_MAX];
	uint64_t chance;
	int len;

	chance = seed ? mix(strtoull(seed, NULL, 10), at) : 1;
	if (chance % TORTURE_ONE_IN != 0)
		return 0;
	action = actions[chance / TORTURE_ONE_IN % (sizeof(actions) / sizeof(actions[0]))];
	put_name(at, name, sizeof(name));
	len = snprintf(line, sizeof(line),
		       "athanor: torture %s: %s at %s (ATHANOR_FAILPOINT=%s/%u:%s)\n", seed, action,
		       name, at->role, at->number, action);
	(void)!write(STDERR_FILENO, line, (size_t)len);
	return act(action);
}

bool ath_failpoint_pass(enum ath_failpoint point, enum ath_failpoint_side side, const char *detail)
{
	int errnum = errno, wanted;
	struct passing at = count(point, side, detail);

	write_log(&at);
	wanted = obey(&at);
	if (!wanted)
		wanted = torture(&at);
	errno = wanted ? wanted : errnum;
	return wanted != 0;
}

bool ath_failpoint_may(enum ath_failpoint point, enum ath_failpoint_side side, struct ath_err *err,
		       const char *format, ...)
{
	char detail[LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	if (!ath_failpoint_pass(point, side, detail))
		return true;
	return ath_err_sys(err, ATH_ERR_IO, errno, "failpoint '%s'", names[point]);
}

long ath_failpoint_result(enum ath_failpoint point, const char *detail, long result)
{
	if (result == -1)
		return result;
	return ath_failpoint_pass(point, ATH_FAILPOINT_AFTER, detail) ? -1 : result;
}

bool ath_failpoint_is_sabotaged(const char *name)
{
	const char *wanted = getenv("ATHANOR_SABOTAGE");

	return wanted && strcmp(wanted, name) == 0;
}
