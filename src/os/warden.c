/* SPDX-License-Identifier: MIT */
/*
 * os/warden: the lock that lets one run at a time work on a target, and the process that lets go of
 * it only when no process of the run is left.
 *
 * Warden and orchestrator share one open file description of the lock, so killing one of them does
 * not free it. Nobody ever calls LOCK_UN: on a shared description that would free it for both.
 * After the fork the warden uses neither heap nor library; it blocks the signals and takes them one
 * by one, so none of them ends it.
 */
#include "os/warden.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "os/process.h"
#include "os/spawn.h"

enum {
	POLL_MS = 50,    /* between two tries to take the lock */
	LEAST_TRIES = 3, /* a look by ath_lock_is_held may make one of them fail */
	HINT_MAX = 512,  /* bytes of the lock file that are read */
};

void ath_warden_boot_id(char out_id[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, out_id, 36) : -1;

	if (fd >= 0)
		close(fd);
	out_id[got == 36 ? 36 : 1] = '\0';
	if (got != 36)
		out_id[0] = '-';
}

/* Copy the value of `key` ("pid=") out of the hint's line; all that follows if it is the last. */
static void copy_value(const char *line, const char *key, bool is_last, char *out, size_t cap)
{
	const char *at = strstr(line, key);
	size_t len;

	*out = '\0';
	if (!at || (at != line && at[-1] != ' '))
		return;
	at += strlen(key);
	len = strcspn(at, is_last ? "" : " ");
	snprintf(out, cap, "%.*s", (int)len, at);
}

/* A hint of an earlier boot is that of an earlier holder. */
static void read_hint(int fd, struct ath_lock_hint *out_hint)
{
	char line[HINT_MAX], pid[16], boot[40], our_boot[40];
	ssize_t got = pread(fd, line, sizeof(line) - 1, 0);
	struct ath_str clean = { 0 };

	*out_hint = (struct ath_lock_hint){ 0 };
	if (got <= 0)
		return;
	line[got] = '\0';
	ath_str_put_clean(&clean, line, strcspn(line, "\n"));
	ath_warden_boot_id(our_boot);
	copy_value(ath_str_get(&clean), "pid=", false, pid, sizeof(pid));
	copy_value(ath_str_get(&clean), "boot=", false, boot, sizeof(boot));
	if (strcmp(boot, our_boot) == 0 && atoi(pid) > 0) {
		struct ath_lock_hint *hint = out_hint;

		hint->pid = atoi(pid);
		copy_value(ath_str_get(&clean), "run=", false, hint->run_id, sizeof(hint->run_id));
		copy_value(ath_str_get(&clean), "started=", false, hint->started,
			   sizeof(hint->started));
		copy_value(ath_str_get(&clean), "step=", true, hint->step, sizeof(hint->step));
	}
	ath_str_fini(&clean);
}

void ath_lock_read_hint(const char *path, struct ath_lock_hint *out_hint)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*out_hint = (struct ath_lock_hint){ 0 };
	if (fd < 0)
		return;
	read_hint(fd, out_hint);
	close(fd);
}

bool ath_lock_is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool is_held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return is_held;
}

enum attempt {
	TAKEN,
	BUSY,
	FAILED
};

/* One try. The file may have been exchanged between open and lock: then the lock means nothing. */
static enum attempt try_once(const char *path, int *out_fd, struct ath_err *err)
{
	struct stat ours, named;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum attempt result = TAKEN;

	if (fd < 0) {
		(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot open the lock file '%s'", path);
		return FAILED;
	}
	if (ATH_ACT(LOCK_TAKE, path, flock(fd, LOCK_EX | LOCK_NB))) {
		result = errno == EWOULDBLOCK || errno == EINTR ? BUSY : FAILED;
		if (result == FAILED)
			(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot lock '%s'", path);
	} else if (fstat(fd, &ours) || lstat(path, &named) || ours.st_ino != named.st_ino ||
		   ours.st_dev != named.st_dev) {
		result = BUSY;
	} else if (fchmod(fd, 0600)) { /* the umask has decided on the mode */
		(void)ath_err_sys(err, ATH_ERR_IO, errno, "cannot set the mode of '%s'", path);
		result = FAILED;
	}
	if (result == TAKEN)
		*out_fd = fd;
	else
		close(fd);
	return result;
}

static bool refuse(const struct ath_lock_hint *holder, struct ath_err *err)
{
	if (!holder->pid)
		return ath_err_set(err, ATH_ERR_LOCKED, "another run is at work here");
	return ath_err_set(err, ATH_ERR_LOCKED,
			   "another run is at work here: run %s, process %d, since %s, step '%s'",
			   holder->run_id, (int)holder->pid, holder->started, holder->step);
}

static void sleep_ms(uint64_t ms)
{
	struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

bool ath_lock_take(const char *path, uint64_t timeout_ms, ath_lock_wait_fn *on_wait, void *user,
		   struct ath_lock *out_lock, struct ath_err *err)
{
	struct ath_mono since = ath_time_mono();
	struct ath_lock_hint holder;
	enum attempt attempt;
	int fd = -1, tries = 0;

	ath_spawn_fill_standard();
	while ((attempt = try_once(path, &fd, err)) == BUSY) {
		ath_lock_read_hint(path, &holder);
		if (ath_time_elapsed_ms(since) >= timeout_ms && tries >= LEAST_TRIES)
			return refuse(&holder, err);
		if (on_wait && timeout_ms && tries == LEAST_TRIES)
			on_wait(user, &holder);
		sleep_ms(tries++ < LEAST_TRIES ? 2 : POLL_MS);
	}
	if (attempt == FAILED)
		return false;
	(void)!ftruncate(fd, 0); /* the last holder's hint is not ours; it is only a hint */
	*out_lock = (struct ath_lock){
		.fd = fd, .control_fd = -1, .holder = getpid(), .since = ath_time_wall()
	};
	ath_warden_boot_id(out_lock->boot_id);
	return true;
}

void ath_lock_hint(const struct ath_lock *lock, const char *run_id, const char *step)
{
	struct ath_str line = { 0 };

	ath_str_printf(&line, "pid=%d boot=%s run=%s started=", (int)lock->holder, lock->boot_id,
		       run_id);
	ath_time_put_wall(&line, lock->since);
	ath_str_puts(&line, " step=");
	ath_str_put_clean(&line, step ? step : "", step ? strlen(step) : 0);
	ath_str_putc(&line, '\n');
	/* people read it, nothing depends on it: failing is no failure */
	if (pwrite(lock->fd, line.data, line.len, 0) == (ssize_t)line.len)
		(void)!ftruncate(lock->fd, (off_t)line.len);
	ath_str_fini(&line);
}

void ath_lock_free(struct ath_lock *lock)
{
	if (lock->fd > 0)
		close(lock->fd);
	if (lock->control_fd > 0)
		close(lock->control_fd);
	*lock = (struct ath_lock){ .fd = -1, .control_fd = -1 };
}

void ath_warden_report_stuck(pid_t pid, const struct ath_process_facts *facts)
{
	char text[256];
	int len =
		snprintf(text, sizeof(text),
			 "athanor: waiting for process %d (%s), which was killed but does not end "
			 "(state %c); the lock is kept until it does\n",
			 (int)pid, facts->name, facts->state);

	(void)!write(STDERR_FILENO, text, (size_t)len); /* nobody is left to tell */
}

/* Keep the terminal's descriptors, the lock and the control pipe, and no other. */
static void close_others(int lock_fd, int control_fd)
{
	int low = lock_fd < control_fd ? lock_fd : control_fd;
	int high = lock_fd < control_fd ? control_fd : lock_fd;

	if (low > 3)
		syscall(SYS_close_range, 3, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0U, 0);
}

/* Pass a signal on, unless the terminal has sent it to the whole foreground group by itself. */
static void forward(pid_t orchestrator, const siginfo_t *info)
{
	bool is_key = info->si_signo == SIGINT || info->si_signo == SIGQUIT;

	if (!is_key || info->si_code != SI_KERNEL)
		kill(orchestrator, info->si_signo);
}

/* Reap until the orchestrator has ended; true with its status. */
static bool reap(pid_t orchestrator, struct ath_process_list *earlier, int *out_status)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == orchestrator) {
			*out_status = status;
			return true;
		}
		for (size_t i = 0; i < earlier->len; i++)
			if (earlier->pids[i] == pid)
				earlier->pids[i--] = earlier->pids[--earlier->len];
	}
	return false;
}

static _Noreturn void be_warden(pid_t orchestrator, const sigset_t *signals,
				struct ath_process_list *earlier, struct ath_cgroup *group)
{
	siginfo_t info;
	int status = 0;

	while (!reap(orchestrator, earlier, &status)) {
		if (sigwaitinfo(signals, &info) > 0 && info.si_signo != SIGCHLD)
			forward(orchestrator, &info);
	}
	(void)ATH_FAIL(WARDEN_END, NULL);
	/* the group falls at one stroke; the walk waits for it, and is all where there is none */
	ath_cgroup_kill(group);
	ath_process_end_all(earlier, ath_warden_report_stuck);
	ath_cgroup_remove(group);
	(void)ATH_FAIL_AFTER(WARDEN_END, NULL);
	if (WIFSIGNALED(status)) {
		static const char text[] =
			"athanor: the run was killed; type the same command again to go on\n";

		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	}
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* The orchestrator becomes a subreaper of its own: that is not inherited over fork. */
static void be_orchestrator(struct ath_lock *lock, const int control[2], const sigset_t *signals)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	close(control[1]);
	lock->control_fd = control[0];
	sigprocmask(SIG_UNBLOCK, signals, NULL);
}

static void fill_signals(sigset_t *out_signals)
{
	static const int signums[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;

	sigemptyset(out_signals);
	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++) {
		bool is_ignored = signums[i] == SIGHUP && sigaction(SIGHUP, NULL, &action) == 0 &&
				  action.sa_handler == SIG_IGN; /* nohup: stays ignored */

		if (!is_ignored)
			sigaddset(out_signals, signums[i]);
	}
}

void ath_warden_wait_until_ready(const struct ath_lock *lock)
{
	char byte;

	while (read(lock->control_fd, &byte, 1) < 0 && errno == EINTR)
		;
}

bool ath_warden_is_dead(const struct ath_lock *lock)
{
	struct pollfd control = { .fd = lock->control_fd };

	return poll(&control, 1, 0) == 1 && (control.revents & POLLHUP);
}

bool ath_warden_split(struct ath_lock *lock, struct ath_cgroup *group, struct ath_err *err)
{
	struct ath_process_list earlier;
	sigset_t signals, old_signals;
	int control[2], errnum;
	pid_t pid;

	assert(lock->fd > STDERR_FILENO && lock->control_fd < 0);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot become a subreaper");
	if (pipe2(control, O_CLOEXEC))
		return ath_err_sys(err, ATH_ERR_IO, errno, "cannot make the control pipe");
	signal(SIGCHLD, SIG_DFL); /* ignored by the caller, it would make children vanish unseen */
	fill_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, &old_signals);
	ath_process_list_children(getpid(), &earlier);
	pid = ATH_FAIL(WARDEN_FORK, NULL) ? -1 : fork();
	errnum = errno;
	(void)ATH_FAIL_AFTER(WARDEN_FORK, NULL);
	if (pid > 0) {
		signal(SIGPIPE,
		       SIG_IGN); /* the orchestrator, or whoever reads stderr, may be gone */
		close_others(lock->fd, control[1]);
		ath_cgroup_take_in(group, pid);
		(void)!write(control[1], "", 1); /* nobody reads it if the orchestrator is dead */
		be_warden(pid, &signals, &earlier, group);
	}
	if (pid < 0) {
		sigprocmask(SIG_SETMASK, &old_signals, NULL);
		close(control[0]);
		close(control[1]);
		return ath_err_sys(err, ATH_ERR_IO, errnum, "cannot make the run's own process");
	}
	be_orchestrator(lock, control, &signals);
	return true;
}
