/* SPDX-License-Identifier: MIT */
/*
 * os/spawn: starts one process in a session of its own, with pipes for what it says.
 *
 * By posix_spawn and not by uv_spawn: libuv 1.44 copies our page tables and waits to be woken
 * (half again the cost of the bare call, paid by each step), and it makes socket pairs, under which
 * a program cannot open /dev/stdout or /dev/stderr.
 */
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"

void ath_spawn_fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Both ends of the pipes; -1 where there is none. */
struct pipes {
	int ours[ATH_SPAWN_PIPES], theirs[ATH_SPAWN_PIPES];
};

static void close_all(const int fds[ATH_SPAWN_PIPES])
{
	for (size_t i = 0; i < ATH_SPAWN_PIPES; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static bool make_pipes(unsigned count, struct pipes *pipes)
{
	memset(pipes, -1, sizeof(*pipes));
	for (size_t i = 0; i < count; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC)) {
			int errnum = errno;

			close_all(pipes->ours);
			close_all(pipes->theirs);
			errno = errnum;
			return false;
		}
		pipes->ours[i] = fds[0];
		pipes->theirs[i] = fds[1];
	}
	return true;
}

/* The form's environment and the mark; the array is owned, its texts are borrowed. */
static char **make_environment(const struct ath_spawn_form *form)
{
	size_t len = form->environment->len, used = 0;
	char **items = ath_mem_new(len + 2, sizeof(*items));

	for (size_t i = 0; i < len; i++)
		if (!form->mark_entry ||
		    !ath_str_has_prefix(form->environment->items[i], "ATHANOR_STEP="))
			items[used++] = form->environment->items[i];
	if (form->mark_entry)
		items[used] = (char *)(uintptr_t)form->mark_entry; /* not written to */
	return items;
}

/*
 * The order keeps descriptors from each other's places: 0 to 2 are open in us, so no pipe lies
 * there; a pipe may lie on 3, and 3 is written last.
 */
static void set_actions(posix_spawn_file_actions_t *actions, const struct ath_spawn_form *form,
			const struct pipes *pipes)
{
	posix_spawn_file_actions_init(actions);
	if (form->cwd)
		posix_spawn_file_actions_addchdir_np(actions, form->cwd);
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	for (size_t i = 0; i < form->pipe_count; i++)
		posix_spawn_file_actions_adddup2(actions, pipes->theirs[i], (int)i + 1);
	posix_spawn_file_actions_addclosefrom_np(actions, (int)form->pipe_count + 1);
}

static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
}

/* The error is one for the program, its interpreter and the folder: find out which. */
static bool explain(const struct ath_spawn_form *form, int errnum, struct ath_err *err)
{
	const char *program = form->argv[0];
	struct stat facts;

	if (form->cwd && (stat(form->cwd, &facts) || !S_ISDIR(facts.st_mode)))
		return ath_err_set(err, ATH_ERR_NOT_FOUND, "cannot start '%s': no folder '%s'",
				   program, form->cwd);
	if (errnum != ENOENT && errnum != ENOTDIR)
		return ath_err_sys(err, ATH_ERR_CHILD, errnum, "cannot start '%s'", program);
	if (*program == '/' && stat(program, &facts) == 0)
		return ath_err_set(err, ATH_ERR_NOT_FOUND,
				   "cannot start '%s': the interpreter that it names is missing",
				   program);
	return ath_err_set(err, ATH_ERR_NOT_FOUND, "no program '%s'", program);
}

static int spawn(const struct ath_spawn_form *form, const char *path, const struct pipes *pipes,
		 pid_t *out_pid)
{
	char **environment = make_environment(form);
	char **argv = (char **)(uintptr_t)form->argv; /* not written to */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int errnum;

	set_actions(&actions, form, pipes);
	set_attributes(&attributes);
	errnum = ATH_FAIL(PROCESS_SPAWN, path)
			 ? errno
			 : posix_spawn(out_pid, path, &actions, &attributes, argv, environment);
	(void)ATH_FAIL_AFTER(PROCESS_SPAWN, path);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return errnum;
}

bool ath_spawn_start(const struct ath_spawn_form *form, struct ath_spawn *out_spawn,
		     struct ath_err *err)
{
	const char *program = form->argv[0];
	struct pipes pipes;
	pid_t pid = 0;
	char *found;
	int errnum;

	if (!make_pipes(form->pipe_count, &pipes))
		return ath_err_sys(err, ATH_ERR_CHILD, errno, "cannot make a pipe for '%s'",
				   program);
	found = strchr(program, '/') ? NULL : ath_environ_find_program(form->environment, program);
	if (found || strchr(program, '/'))
		errnum = spawn(form, found ? found : program, &pipes, &pid);
	else
		errnum = ENOENT;
	free(found);
	close_all(pipes.theirs);
	if (errnum) {
		close_all(pipes.ours);
		return explain(form, errnum, err);
	}
	out_spawn->pid = pid;
	memcpy(out_spawn->pipes, pipes.ours, sizeof(pipes.ours));
	return true;
}
