/* SPDX-License-Identifier: MIT */
/* Tests of os/child with real processes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/child.h"
#include "os/process.h"
#include "procs.h"

static const char nasty[] = ATH_TEST_NASTY;

struct fixture {
	struct ath_loop *loop;
	struct ath_environ environment;
	unsigned descriptors;
	char tag[64];
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));
	struct ath_err err = { 0 };

	snprintf(fix->tag, sizeof(fix->tag), "%s", procs_new_tag());
	fix->descriptors = procs_count_descriptors();
	ath_environ_init(&fix->environment);
	fix->loop = ath_loop_new(&err);
	assert_non_null(fix->loop);
	assert_true(ath_child_prepare(fix->loop, &err));
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	assert_true(ath_loop_free(fix->loop));
	ath_environ_fini(&fix->environment);
	assert_int_equal(procs_count_descriptors(), fix->descriptors);
	assert_int_equal(procs_count(fix->tag), 0);
	procs_assert_no_child();
	free(fix);
	return 0;
}

static void start(struct fixture *fix, const struct ath_child_form *form, struct procs_child *child)
{
	struct ath_err err = { 0 };

	if (!ath_child_start(fix->loop, form, &child->child, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(child->ends, 0);
}

/* Run one command to its end. */
static void run(struct fixture *fix, const char *const *argv, struct procs_child *child)
{
	struct ath_child_form form = procs_form(argv, &fix->environment, child);

	start(fix, &form, child);
	ath_loop_run(fix->loop);
	assert_int_equal(child->ends, 1);
}

#define SHELL(text)                         \
	(const char *const[])               \
	{                                   \
		"/bin/sh", "-c", text, NULL \
	}
#define NASTY(mode, tag)               \
	(const char *const[])          \
	{                              \
		nasty, mode, tag, NULL \
	}

static void child_reports_its_exit_status(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("exit 7"), &child);
	assert_int_equal(child.result.exit_status, 7);
	assert_int_equal(child.result.term_signal, 0);
	assert_int_equal(child.result.leftovers, 0);
	assert_false(child.result.was_cancelled || child.result.timed_out);
}

static void child_reports_the_signal_that_ended_it(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("kill -9 $$"), &child);
	assert_int_equal(child.result.exit_status, -1);
	assert_int_equal(child.result.term_signal, SIGKILL);
}

static void child_output_is_told_apart_by_stream(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("echo one; echo two >&2"), &child);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "one\n");
	assert_string_equal(child.output[ATH_CHILD_STDERR], "two\n");
}

static void child_can_open_its_own_error_output(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("echo two > /dev/stderr"), &child);
	assert_string_equal(child.output[ATH_CHILD_STDERR], "two\n");
}

static void child_answers_on_the_reply_pipe(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };
	struct ath_child_form form = procs_form(SHELL("echo yes >&3"), &fix->environment, &child);

	form.wants_reply = true;
	start(fix, &form, &child);
	ath_loop_run(fix->loop);
	assert_string_equal(child.output[ATH_CHILD_REPLY], "yes\n");
}

static void child_gets_no_other_descriptor(void **state)
{
	struct procs_child child = { 0 };
	int leaky = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, like a careless library */

	run(*state, SHELL("ls /proc/$$/fd; true"), &child);
	close(leaky);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "0\n1\n2\n");
}

static void child_reads_nothing_from_its_input(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("cat; echo end"), &child);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "end\n");
}

static void child_leads_a_session_of_its_own(void **state)
{
	struct procs_child child = { 0 };

	run(*state,
	    SHELL("read -r pid name st ppid group session rest < /proc/$$/stat; "
		  "[ $session = $$ ] && [ $group = $$ ]"),
	    &child);
	assert_int_equal(child.result.exit_status, 0);
}

/* The C library keeps signals 32 and above to itself. */
static unsigned long low_signals(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	return strtoul(at + strlen(name), NULL, 16) & 0x7fffffffUL;
}

static void child_neither_blocks_nor_ignores_signals(void **state)
{
	struct procs_child child = { 0 };

	run(*state, SHELL("cat /proc/self/status"), &child);
	assert_int_equal(low_signals(child.output[ATH_CHILD_STDOUT], "SigBlk:"), 0);
	assert_int_equal(low_signals(child.output[ATH_CHILD_STDOUT], "SigIgn:"), 0);
}

static void child_sees_its_own_mark_instead_of_an_inherited_one(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };

	ath_environ_set(&fix->environment, "ATHANOR_STEP", "outer");
	run(fix, SHELL("env | grep ^ATHANOR_STEP"), &child);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "ATHANOR_STEP=step\n");
}

static void child_runs_in_its_folder_with_a_program_from_its_path(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };
	const char *const argv[] = { "pwd", NULL };
	struct ath_child_form form = procs_form(argv, &fix->environment, &child);

	form.cwd = "/usr";
	start(fix, &form, &child);
	ath_loop_run(fix->loop);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "/usr\n");
}

static void expect_no_start(struct fixture *fix, const char *program, const char *cwd,
			    enum ath_err_code code, const char *part)
{
	const char *const argv[] = { program, NULL };
	struct procs_child child = { 0 };
	struct ath_child_form form = procs_form(argv, &fix->environment, &child);
	struct ath_err err = { 0 };

	form.cwd = cwd;
	assert_false(ath_child_start(fix->loop, &form, &child.child, &err));
	ath_loop_run(fix->loop);
	assert_int_equal(child.ends, 0);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, part))
		fail_msg("'%s' does not say '%s'", err.msg, part);
}

static void child_start_says_what_is_missing(void **state)
{
	char script[] = "/tmp/athanor-script-XXXXXX";
	int fd = mkstemp(script);

	assert_true(write(fd, "#!/no/such/shell\n", 17) == 17);
	fchmod(fd, 0700);
	close(fd);
	expect_no_start(*state, "no-such-program", NULL, ATH_ERR_NOT_FOUND, "no program 'no-such-");
	expect_no_start(*state, "/no/such/program", NULL, ATH_ERR_NOT_FOUND, "no program '/no/");
	expect_no_start(*state, "/bin/true", "/no/folder", ATH_ERR_NOT_FOUND,
			"no folder '/no/fold");
	expect_no_start(*state, script, NULL, ATH_ERR_NOT_FOUND, "interpreter");
	expect_no_start(*state, "/etc/passwd", NULL, ATH_ERR_CHILD, "ermission denied");
	unlink(script);
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void child_writes_100_megabytes_and_we_do_not_grow(void **state)
{
	struct procs_child child = { 0 };
	long before;

	run(*state, NASTY("bytes", "100000"), &child);
	memset(&child, 0, sizeof(child));
	before = peak_kib();
	run(*state, NASTY("bytes", "100000000"), &child);
	assert_true(child.amount[ATH_CHILD_STDOUT] == 100000000);
	assert_true(peak_kib() - before < 2048);
}

static void child_output_that_nobody_wants_is_drained(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };
	struct ath_child_form form =
		procs_form(NASTY("bytes", "1000000"), &fix->environment, &child);

	form.on_output = NULL;
	start(fix, &form, &child);
	ath_loop_run(fix->loop);
	assert_int_equal(child.result.exit_status, 0);
}

static void child_is_complete_although_a_stranger_holds_its_output(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };
	struct ath_child_form form =
		procs_form(SHELL("sleep 0.1; echo last"), &fix->environment, &child);
	char path[64];
	int held;

	start(fix, &form, &child);
	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)ath_child_pid(child.child));
	held = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(held >= 0);
	ath_loop_run(fix->loop);
	close(held);
	assert_int_equal(child.ends, 1);
	assert_string_equal(child.output[ATH_CHILD_STDOUT], "last\n");
	assert_in_range(child.result.wall_ms, 300, 2000);
}

static void child_leaves_a_family_and_it_is_killed_before_the_end_is_told(void **state)
{
	struct fixture *fix = *state;

	for (int i = 0; i < 20; i++) {
		struct procs_child child = { .tag = fix->tag };

		run(fix, NASTY("leave", fix->tag), &child);
		assert_int_equal(child.result.exit_status, 0);
		assert_true(child.result.leftovers >= 3);
		assert_int_equal(child.tagged_at_end, 0);
		assert_true(child.result.wall_ms < 2000);
	}
}

static void cancel_now(struct procs_child *self)
{
	assert_true(procs_count(self->tag) >= PROCS_FAMILY);
	ath_child_cancel(self->child, true);
}

static void cancelled_at_once_a_family_leaves_nobody(void **state)
{
	struct fixture *fix = *state;

	for (int i = 0; i < 20; i++) {
		struct procs_child child = { .tag = fix->tag, .on_ready = cancel_now };

		run(fix, NASTY("zoo", fix->tag), &child);
		assert_int_equal(child.result.term_signal, SIGKILL);
		assert_true(child.result.was_cancelled && !child.result.timed_out);
		assert_int_equal(child.tagged_at_end, 0);
	}
}

static void cancel_softly(struct procs_child *self)
{
	ath_child_cancel(self->child, false);
}

static void a_family_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
	struct fixture *fix = *state;
	struct procs_child cancelled = { .tag = fix->tag, .on_ready = cancel_softly };
	struct procs_child late = { 0 };
	char other_tag[80];
	struct ath_child_form form;

	snprintf(other_tag, sizeof(other_tag), "%s-late", fix->tag);
	late.tag = other_tag;
	form = procs_form(NASTY("zoo", fix->tag), &fix->environment, &cancelled);
	form.mark = "cancelled";
	start(fix, &form, &cancelled);
	form = procs_form(NASTY("zoo", other_tag), &fix->environment, &late);
	form.mark = "late";
	form.timeout_ms = 200;
	start(fix, &form, &late);
	ath_loop_run(fix->loop);
	assert_true(cancelled.result.was_cancelled && !cancelled.result.timed_out);
	assert_true(late.result.timed_out && !late.result.was_cancelled);
	assert_in_range(cancelled.result.wall_ms, 10000, 12000);
	assert_in_range(late.result.wall_ms, 10200, 12200);
	assert_int_equal(cancelled.tagged_at_end, 0);
	assert_int_equal(late.tagged_at_end, 0);
	assert_int_equal(late.ends, 1);
}

static void an_obedient_child_ends_by_sigterm_without_delay(void **state)
{
	struct procs_child child = { .on_ready = cancel_softly };

	run(*state, SHELL("echo ready; exec sleep 60"), &child);
	assert_int_equal(child.result.term_signal, SIGTERM);
	assert_true(child.result.was_cancelled);
	assert_true(child.result.wall_ms < 2000);
}

static void cancel_twice(struct procs_child *self)
{
	ath_child_cancel(self->child, false);
	ath_child_cancel(self->child, false);
	ath_child_cancel(self->child, true);
}

static void a_second_cancel_at_once_does_not_wait(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { .tag = fix->tag, .on_ready = cancel_twice };

	run(fix, NASTY("zoo", fix->tag), &child);
	assert_true(child.result.wall_ms < 2000);
	assert_int_equal(child.tagged_at_end, 0);
}

/* Ends the other child once the first has gone; the other's daemon must have been spared. */
static void end_the_other(struct procs_child *self)
{
	struct procs_child *other = self->user;

	assert_int_equal(procs_count(other->tag), 2);
	ath_child_cancel(other->child, false);
}

static void start_the_leaver(struct procs_child *stayer)
{
	struct procs_child *leaver = stayer->user;
	struct fixture *fix = leaver->user;
	struct ath_child_form form =
		procs_form(NASTY("daemon", leaver->tag), &fix->environment, leaver);

	leaver->user = stayer;
	form.mark = "leaver";
	start(fix, &form, leaver);
}

static void orphans_of_two_children_are_told_apart_by_their_marks(void **state)
{
	struct fixture *fix = *state;
	char stay_tag[80];
	struct procs_child leaver = { .tag = fix->tag, .on_end = end_the_other, .user = fix };
	struct procs_child stayer = { .on_ready = start_the_leaver, .user = &leaver };
	struct ath_child_form form;

	snprintf(stay_tag, sizeof(stay_tag), "%s-stay", fix->tag);
	stayer.tag = stay_tag;
	form = procs_form(NASTY("stay", stay_tag), &fix->environment, &stayer);
	form.mark = "stayer";
	start(fix, &form, &stayer);
	ath_loop_run(fix->loop);
	assert_int_equal(leaver.ends + stayer.ends, 2);
	assert_int_equal(leaver.tagged_at_end, 0);
	assert_int_equal(leaver.result.leftovers, 1);
	assert_int_equal(stayer.tagged_at_end, 0);
}

static void an_orphan_without_environment_ends_with_the_last_child(void **state)
{
	struct fixture *fix = *state;
	struct procs_child stranger = { .tag = fix->tag }, other = { .tag = fix->tag };
	struct ath_child_form form;

	form = procs_form(SHELL("sleep 0.5"), &fix->environment, &other);
	form.mark = "other";
	start(fix, &form, &other);
	form = procs_form(NASTY("stranger", fix->tag), &fix->environment, &stranger);
	start(fix, &form, &stranger);
	ath_loop_run(fix->loop);
	assert_int_equal(stranger.ends + other.ends, 2);
	assert_true(stranger.tagged_at_end > 0); /* whose it is cannot be told while another runs */
	assert_int_equal(other.tagged_at_end, 0);
}

static void orphans_that_end_by_themselves_are_reaped_while_a_child_runs(void **state)
{
	struct procs_child child = { 0 };
	char *rest;
	long only, self;

	/* an inner shell's background job is ours as soon as that shell has gone */
	run(*state,
	    SHELL("for i in 1 2 3 4 5; do sh -c 'sleep 0.1 &'; done; sleep 0.4; "
		  "cat /proc/$PPID/task/$PPID/children; echo $$"),
	    &child);
	only = strtol(child.output[ATH_CHILD_STDOUT], &rest, 10);
	self = strtol(rest, NULL, 10);
	assert_int_equal(only, self);
	assert_int_equal(child.result.leftovers, 0);
}

struct many {
	struct fixture *fix;
	unsigned started, ended;
};

static void start_one_of_many(struct many *many);

static void one_of_many_ended(void *user, const struct ath_child_result *result)
{
	struct many *many = user;

	assert_int_equal(result->exit_status, 0);
	many->ended++;
	start_one_of_many(many);
}

static void start_one_of_many(struct many *many)
{
	const char *const argv[] = { "/bin/true", NULL };
	struct ath_child_form form = { .argv = argv,
				       .environment = &many->fix->environment,
				       .on_done = one_of_many_ended,
				       .user = many };
	struct ath_child *child;
	struct ath_err err = { 0 };

	if (many->started == 1000)
		return;
	many->started++;
	assert_true(ath_child_start(many->fix->loop, &form, &child, &err));
}

static void a_thousand_children_all_end_once(void **state)
{
	struct many many = { .fix = *state };

	for (int i = 0; i < 8; i++)
		start_one_of_many(&many);
	ath_loop_run(many.fix->loop);
	assert_int_equal(many.ended, 1000);
}

/* ---- what does not die ---- */

#define FREEZER "/sys/fs/cgroup/freezer/"

struct frozen {
	char group[128];
	unsigned told;
	pid_t pid;
	char state;
};

static bool put_into(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;
	bool is_put;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	is_put = file && fputs(text, file) >= 0;
	return file && fclose(file) == 0 && is_put;
}

static void thaw(void *user, pid_t pid, const struct ath_process_facts *facts)
{
	struct procs_child *self = user;
	struct frozen *frozen = self->user;

	frozen->told++;
	frozen->pid = pid;
	frozen->state = facts->state;
	assert_true(put_into(frozen->group, "freezer.state", "THAWED"));
}

static void freeze_and_cancel(struct procs_child *self)
{
	struct frozen *frozen = self->user;

	assert_true(put_into(frozen->group, "freezer.state", "FROZEN"));
	ath_child_cancel(self->child, true);
}

/* A process in a frozen group of the old kind sleeps uninterruptibly, as one whose disk has gone. */
static void a_killed_process_that_does_not_end_is_named_once(void **state)
{
	struct fixture *fix = *state;
	struct frozen frozen = { .told = 0 };
	struct procs_child child = { .on_ready = freeze_and_cancel, .user = &frozen };
	char script[512];

	snprintf(frozen.group, sizeof(frozen.group), FREEZER "%s", fix->tag);
	if (mkdir(frozen.group, 0700) || access(frozen.group, W_OK))
		skip(); /* no freezer that this user may write to */
	snprintf(script, sizeof(script), "echo $$ > %s/cgroup.procs; echo ready; sleep 60",
		 frozen.group);
	struct ath_child_form form = procs_form(SHELL(script), &fix->environment, &child);
	form.on_stuck = thaw;
	start(fix, &form, &child);
	ath_loop_run(fix->loop);
	assert_int_equal(child.ends, 1);
	assert_int_equal(child.result.term_signal, SIGKILL);
	assert_int_equal(frozen.told, 1);
	assert_int_equal(frozen.state, 'D');
	assert_in_range(child.result.wall_ms, 5000, 9000);
	assert_int_equal(rmdir(frozen.group), 0);
}

static void end_all_leaves_no_descendant(void **state)
{
	struct fixture *fix = *state;
	struct procs_child child = { 0 };
	struct ath_err err = { 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) { /* its own process: what ran there is not told to a loop any more */
		struct ath_loop *loop = ath_loop_new(&err);
		struct ath_child_form form =
			procs_form(NASTY("zoo", fix->tag), &fix->environment, &child);

		if (!loop || !ath_child_prepare(loop, &err) ||
		    !ath_child_start(loop, &form, &child.child, &err))
			_exit(1);
		while (procs_count(fix->tag) < PROCS_FAMILY_UP)
			procs_sleep_ms(5);
		ath_process_end_all(NULL, NULL);
		_exit(procs_count(fix->tag) == 0 && waitpid(-1, NULL, 0) < 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Start a family outside any loop, marked with a run; returns its root. */
static pid_t start_family(const char *tag, const char *run)
{
	pid_t pid = fork();
	int null = -1;

	if (pid == 0) {
		setsid();
		null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		setenv("ATHANOR_RUN", run, 1);
		execl(nasty, nasty, "zoo", tag, NULL);
		_exit(1);
	}
	procs_wait_for(tag, PROCS_FAMILY_UP);
	return pid;
}

static unsigned sweep(const char *entry)
{
	struct ath_err err = { 0 };
	unsigned killed = 0;

	assert_true(ath_process_sweep(entry, NULL, &killed, &err));
	return killed;
}

/* Without a free descriptor nobody can be looked at: "there is none" would be a lie. */
static void sweep_that_cannot_look_fails(void **state)
{
	struct fixture *fix = *state;
	struct rlimit old, none = { 0 };
	struct ath_err err = { 0 };
	unsigned killed;

	start_family(fix->tag, "run-4");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (none.rlim_max = old.rlim_max; none.rlim_cur < 64; none.rlim_cur++) {
		bool is_swept;

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		is_swept = ath_process_sweep("ATHANOR_RUN=run-4", NULL, &killed, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_true(is_swept == (procs_count(fix->tag) == 0));
		assert_true(is_swept || err.code == ATH_ERR_IO);
		if (is_swept)
			break;
		ath_err_clear(&err);
	}
	assert_true(none.rlim_cur > 0 && none.rlim_cur < 64);
	procs_assert_no_child();
}

static void sweep_kills_every_process_of_that_run_and_no_other(void **state)
{
	struct fixture *fix = *state;
	char other_tag[80];

	snprintf(other_tag, sizeof(other_tag), "%s-other", fix->tag);
	start_family(other_tag, "run-22");
	for (int i = 0; i < 5; i++) {
		start_family(fix->tag, "run-2");
		setenv("ATHANOR_RUN", "run-2", 1); /* for us too late to show in /proc: no danger */
		assert_true(sweep("ATHANOR_RUN=run-2") >= PROCS_FAMILY);
		assert_int_equal(procs_count(fix->tag), 0);
	}
	unsetenv("ATHANOR_RUN");
	assert_true(procs_count(other_tag) >= PROCS_FAMILY);
	assert_true(sweep("ATHANOR_RUN=run-22") >= PROCS_FAMILY);
	assert_int_equal(procs_count(other_tag), 0);
	procs_assert_no_child();
}

static void sweep_spares_itself_and_its_ancestors(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		execl("/proc/self/exe", "test_child", "--sweep-self", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The control: where this finds nobody, the tests above are blind. */
static void killing_the_process_group_leaves_survivors(void **state)
{
	struct fixture *fix = *state;

	for (int i = 0; i < 5; i++) {
		pid_t root = start_family(fix->tag, "run-3");

		kill(-root, SIGKILL);
		procs_sleep_ms(50);
		assert_true(procs_count(fix->tag) >= 2);
		procs_kill(fix->tag);
	}
	procs_assert_no_child();
}

/* Two generations with the mark in their environment: the younger sweeps, both must live. */
static int sweep_self(void)
{
	pid_t pid;
	int status;

	if (!getenv("ATHANOR_RUN")) {
		setenv("ATHANOR_RUN", "run-self", 1);
		execl("/proc/self/exe", "test_child", "--sweep-self", NULL);
	}
	pid = fork();
	if (pid == 0)
		_exit(sweep("ATHANOR_RUN=run-self") == 0 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(child_reports_its_exit_status),
		TEST(child_reports_the_signal_that_ended_it),
		TEST(child_output_is_told_apart_by_stream),
		TEST(child_can_open_its_own_error_output),
		TEST(child_answers_on_the_reply_pipe),
		TEST(child_gets_no_other_descriptor),
		TEST(child_reads_nothing_from_its_input),
		TEST(child_leads_a_session_of_its_own),
		TEST(child_neither_blocks_nor_ignores_signals),
		TEST(child_sees_its_own_mark_instead_of_an_inherited_one),
		TEST(child_runs_in_its_folder_with_a_program_from_its_path),
		TEST(child_start_says_what_is_missing),
		TEST(child_writes_100_megabytes_and_we_do_not_grow),
		TEST(child_output_that_nobody_wants_is_drained),
		TEST(child_is_complete_although_a_stranger_holds_its_output),
		TEST(child_leaves_a_family_and_it_is_killed_before_the_end_is_told),
		TEST(cancelled_at_once_a_family_leaves_nobody),
		TEST(a_family_that_ignores_sigterm_is_killed_after_the_grace),
		TEST(an_obedient_child_ends_by_sigterm_without_delay),
		TEST(a_second_cancel_at_once_does_not_wait),
		TEST(orphans_of_two_children_are_told_apart_by_their_marks),
		TEST(an_orphan_without_environment_ends_with_the_last_child),
		TEST(orphans_that_end_by_themselves_are_reaped_while_a_child_runs),
		TEST(a_thousand_children_all_end_once),
		TEST(a_killed_process_that_does_not_end_is_named_once),
		TEST(end_all_leaves_no_descendant),
		TEST(sweep_kills_every_process_of_that_run_and_no_other),
		TEST(sweep_that_cannot_look_fails),
		TEST(sweep_spares_itself_and_its_ancestors),
		TEST(killing_the_process_group_leaves_survivors),
	};
	struct ath_err err = { 0 };

	if (argc > 1 && strcmp(argv[1], "--sweep-self") == 0)
		return sweep_self();
	procs_adopt();
	assert_true(ath_loop_free(ath_loop_new(&err))); /* libuv keeps two descriptors of its own */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
