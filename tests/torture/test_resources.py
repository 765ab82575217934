# SPDX-License-Identifier: MIT
"""What a run needs is short: room on the disk, descriptors, memory, processes, the right to write, the time of day.

Whatever is missing, and whenever: the run says so and ends with a documented status, live is the old or the new state
and every row is there; with the lack mended, the same command ends at the head, and then finds nothing to do.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import queue
import shutil
import sqlite3
import subprocess
import time

import pytest

import lab
from conftest import SOAK, furnish, score

ROOM = 420 << 20        # of a disk that is not short; an installation is not begun with less than 300 MiB
DOCUMENTED = {0, 1, 3, 69, 75, 78}      # exit statuses of a run that was not killed, but for 4 (docs/errors.md)
GROWS = ("op.add_column('story', sa.Column('mood', sa.Text))\n"
         "op.execute('CREATE TABLE big AS SELECT randomblob(700000) AS data UNION ALL SELECT randomblob(700000)')\n")
SHRINK = """
import os, subprocess
now = os.statvfs(@MOUNT@)
size = (now.f_blocks - now.f_bfree) * now.f_frsize + %d
subprocess.run(["mount", "-o", "remount,size=%%d" %% size, @MOUNT@], check=True)
"""
KIB = [0, 256, 1500]
KIB_ALL = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 1500, 2000, 2500, 3000, 4000, 6000, 9000]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")


class Place:
    """A project whose database is at the first of three revisions."""

    def __init__(self, root):
        lab.empty(root, keep=".venv")
        self.project = lab.Project(root).alembic()
        self.project.stored("a1")
        self.old = lab.database_files(self.project.database)
        self.project.revision("b2", "a1", GROWS)

    def survivors(self):
        try:
            return lab.survivors(self.project)
        except sqlite3.Error:       # there is no journal, so nothing was started
            return {}

    def judge(self, ended, statuses=DOCUMENTED):
        """What must hold after a run that lacked something."""
        project = self.project
        told = "athanor:" in ended.err or ended.status == 0
        is_old = lab.database_files(project.database) == self.old
        if ended.status not in statuses or not told or "Sanitizer" in ended.err:
            raise AssertionError("not a clear end: %r" % ended)
        if not is_old and project.rows() != ["c3"]:
            raise AssertionError("neither old nor new: %r" % ended)
        if lab.query(project.database, "PRAGMA integrity_check") != [("ok",)] or self.survivors():
            raise AssertionError("damaged, or something is alive: %r" % ended)
        if ended.status and "database: upgraded" in ended.err and is_old:
            raise AssertionError("says that it upgraded: %r" % ended)
        return ended

    def again(self, env=None):
        """With nothing lacking: the same command, and once more."""
        project = self.project
        ended = project.install(env=env)
        if ended.status:
            raise AssertionError("did not go on: %r" % ended)
        assert project.rows() == ["c3"] and project.stories() == ["one", "two", "three"]
        assert lab.query(project.database, "SELECT sum(length(data)) FROM big") == [(1400000,)]
        lab.assert_clean(project)
        said = project.install(env=env)
        if "nothing to do" not in said.out:
            raise AssertionError("there is something to do: %r" % said)


def drive(places, rows, what):
    """Runs each row in one of the places; returns the results, or raises with all that went wrong."""
    def one(row):
        place = places.get()
        try:
            return what(place, row), None
        except Exception as error:  # noqa: BLE001: all of them are told at the end
            return None, "%s: %s: %s" % (row, type(error).__name__, error)
        finally:
            places.put(place)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, rows))
    wrong = [said for _, said in results if said]
    assert not wrong, "\n\n".join(wrong)
    return [result for result, _ in results]


def tell(what, ends):
    """The score of a row of runs: how many of them met the lack, and all went on afterwards."""
    score("%s: %d runs, %d of them failed and said so, all ended at the head afterwards", what, len(ends),
          sum(ended.status != 0 for ended in ends))


# ---- room on the disk ----

@contextlib.contextmanager
def disk(folder):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0755" % ROOM, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(folder, size):
    subprocess.run(["mount", "-o", "remount,size=%d" % size, str(folder)], check=True)


@pytest.fixture
def disks(tmp_path, shared_packages):
    with contextlib.ExitStack() as stack:
        places = queue.SimpleQueue()
        for number in range(2):
            places.put(furnish(stack.enter_context(disk(tmp_path / ("disk%d" % number))) / "app", shared_packages))
        yield places


def on_full_disk(root, row):
    """The disk is full to so many KiB from a certain revision on."""
    when, kib = row
    place = Place(root)
    fill = (SHRINK % (kib << 10)).replace("@MOUNT@", repr(str(root.parent)))
    if when == "before":
        place.project.revision("b2", "a1", fill + GROWS)
    elif when == "after":
        place.project.revision("c3", "b2", "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))\n" + fill)
    else:
        place.project.env_py(before=fill)
    try:
        ended = place.judge(place.project.install())
    finally:
        resize(root.parent, ROOM)
    place.project.revision("b2", "a1", GROWS)
    place.project.revision("c3", "b2", "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
    place.project.env_py()
    place.again()
    return ended


@as_root
def test_a_disk_that_is_full_sooner_or_later(disks):
    rows = [(when, kib) for when in ("before", "after", "looking") for kib in (KIB_ALL if SOAK else KIB)]
    if not SOAK:
        rows = [row for number, row in enumerate(rows) if row[0] != "looking" or number % 3 == 0]
    ends = drive(disks, rows, on_full_disk)
    tell("full disk", ends)
    assert 0 < sum(ended.status != 0 for ended in ends) < len(ends)     # the sizes reach from one side to the other


@as_root
def test_a_disk_that_fills_up_while_the_environment_is_made(tmp_path):
    with disk(tmp_path / "disk") as folder:
        project = lab.Project(folder / "app").alembic()
        run = project.start("--only", "preflight", "--only", "venv").until("venv")
        time.sleep(0.3)
        resize(folder, 6 << 20)
        ended = run.ended().is_status(1)
        assert "venv" in ended.err and not lab.survivors(project), ended
        resize(folder, ROOM)
        project.install("--only", "preflight", "--only", "venv").is_status(0)
        lab.assert_clean(project)
    score("full disk while the environment is made: told, and made by the next run")


# ---- limits ----

def under(limit):
    def limited(root, value):
        place = Place(root)
        ended = place.judge(place.project.install(program=("prlimit", "--%s=%d:%d" % (limit, value, value))),
                            DOCUMENTED | ({127, 134, 137} if limit == "as" else set()))
        place.again()
        return ended
    return limited


LIMITS = {
    "nofile": ([4, 7, 16], list(range(4, 40))),
    "fsize": ([0, 8192, 700000], [0, 1, 512, 4096, 8192, 20000, 40000, 100000, 300000, 700000, 1500000, 3000000]),
    "as": ([30 << 20, 90 << 20], [mib << 20 for mib in (10, 20, 30, 50, 70, 90, 120, 160, 200, 300)]),
}


@pytest.mark.parametrize("limit", list(LIMITS))
@pytest.mark.skipif(lab.SANITIZED, reason="the sanitizers need more than is allowed here")
@pytest.mark.skipif(not shutil.which("prlimit"), reason="there is no prlimit")
def test_a_limit_of_the_shell(lanes, limit):
    ends = drive(lanes, LIMITS[limit][SOAK], under(limit))
    tell("limit " + limit, ends)
    assert any(ended.status for ended in ends)


@as_root
@pytest.mark.skipif(lab.SANITIZED, reason="the sanitizers make threads of their own")
def test_a_limit_on_processes(tmp_path_factory):
    """As another user, as root has no such limit; with a step that starts a program, and nothing else of the user's."""
    folder = pathlib.Path("/tmp/athanor-torture-%d" % os.getpid())
    folder.mkdir()
    counts = []
    try:
        program = shutil.copy(lab.ATHANOR, folder / "athanor")
        for number, limit in enumerate(range(1, 12) if SOAK else (1, 2, 3, 6)):
            project = lab.Project(folder / ("app%d" % number)).alembic()
            project.recipe("steps:\n  own: {run: [touch, made], creates: [made]}\n")
            for path in [project.root, *project.root.rglob("*")]:
                os.chown(path, 60606, 60606)
            become = ["setpriv", "--reuid=60606", "--regid=60606", "--clear-groups"]
            arguments = [program, "install", "--only", "own", str(project.root)]
            ran = subprocess.run([*become, "prlimit", "--nproc=%d:%d" % (limit, limit), *arguments],
                                 env=lab.environment(HOME=str(folder)), capture_output=True, text=True, timeout=60)
            assert ran.returncode in (0, 1) and (ran.returncode == 0 or "athanor:" in ran.stderr), (limit, ran)
            counts.append(ran.returncode)
            ran = subprocess.run([*become, *arguments], env=lab.environment(HOME=str(folder)), capture_output=True, text=True,
                                 timeout=60)
            assert ran.returncode == 0 and project.path("made").exists(), (limit, ran)
    finally:
        shutil.rmtree(folder)
    score("limit nproc: %d runs, %d of them failed and said so, all went on afterwards", len(counts), sum(counts))
    assert any(counts)


# ---- the right to write ----

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


def read_only(root, what):
    """A part of the place is read-only for the run: a bind mount that this run alone sees."""
    place = Place(root)
    project = place.project
    if what == "data":
        project.path("data").mkdir()
        project.database = project.database.rename(project.path("data/app.db"))
        place.old = lab.database_files(project.database)
        project.ini()
    if what == ".athanor":
        project.install("--only", "preflight").is_status(0)
    target = project.path(what)
    ended = place.judge(project.install(program=("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(target))))
    assert ended.status in (1, 75) and lab.database_files(project.database) == place.old, ended
    if "ead-only" not in ended.err:
        raise AssertionError("does not say why: %r" % ended)
    place.again()
    return ended


@as_root
@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer writes into the folder")
def test_a_part_that_is_read_only(lanes):
    if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no mount namespace can be made here")
    tell("read-only", drive(lanes, [".", ".athanor", "data"], read_only))


# ---- the time of day, and the state ----

PAST = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#define BACK (20LL * 365 * 86400)
int clock_gettime(clockid_t clock, struct timespec *at)
{
	int status = (int)syscall(SYS_clock_gettime, clock, at);
	if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		at->tv_sec -= BACK;
	return status;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}
time_t time(time_t *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
"""


@pytest.mark.skipif(lab.SANITIZED, reason="the sanitizer wants to be the first library")
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no compiler")
@pytest.mark.parametrize("first", ["now", "past"])
def test_a_clock_that_is_set_back_twenty_years(lanes, tmp_path, first):
    """Between a run that failed and the one that goes on, in both directions."""
    (tmp_path / "past.c").write_text(PAST)
    library = tmp_path / "past.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "past.c")], check=True)
    then, later = ({}, {"LD_PRELOAD": str(library)})[:: 1 if first == "now" else -1]
    root = lanes.get()
    try:
        place = Place(root)
        place.project.revision("b2", "a1", GROWS + "raise RuntimeError('not yet')")
        place.judge(place.project.install(env=then).is_status(1))
        place.project.revision("b2", "a1", GROWS)
        place.again(env=later)
        (first_started,), (last_started,) = place.project.journal(
            "SELECT min(started_ms) FROM run UNION ALL SELECT max(started_ms) FROM run")
        assert last_started - first_started > 19 * 365 * 86400 * 1000    # the clock was set back indeed
        assert "nothing to do" in place.project.install(env=then).is_status(0).out
        assert lab.athanor("log", cwd=root, env=later).is_status(0).out and lab.athanor("status", root).is_status(0).out
    finally:
        lanes.put(root)
    score("clock set back 20 years, first run %s: went on, then nothing to do", first)


def test_the_state_is_removed_between_two_runs(lanes):
    root = lanes.get()
    try:
        place = Place(root)
        place.project.revision("b2", "a1", GROWS + "raise RuntimeError('not yet')")
        place.judge(place.project.install().is_status(1))
        shutil.rmtree(place.project.path(".athanor"))
        place.project.revision("b2", "a1", GROWS)
        place.again()
        shutil.rmtree(place.project.path(".athanor"))
        place.project.install().is_status(0)
        assert place.project.rows() == ["c3"] and place.project.stories() == ["one", "two", "three"]
    finally:
        lanes.put(root)


def test_the_state_is_removed_under_a_run(lanes):
    root = lanes.get()
    try:
        place = Place(root)
        gate = lab.GATE.replace("@ROOT@", repr(str(root)))
        place.project.revision("b2", "a1", GROWS + gate)
        run = place.project.start().until_file("here")
        shutil.rmtree(place.project.path(".athanor"))
        place.project.open_gate()
        place.judge(run.ended(), DOCUMENTED | {4})
        place.again()
    finally:
        lanes.put(root)
    score("state removed between runs and under one: live old or new, then at the head")
