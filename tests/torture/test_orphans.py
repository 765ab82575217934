# SPDX-License-Identifier: MIT
"""Who a step leaves behind when its run is killed: nobody, and the lock is not free before that (protocol L).

The step is the zoo of tests/support/nasty.c: it ignores SIGTERM and SIGINT, has a child, a child in a session of its
own, a daemon that has closed everything and forks every 5 ms, and one that has erased its environment. All of them
have the round's tag as an argument, by which they are found.
"""
import collections
import concurrent.futures
import contextlib
import fcntl
import os
import random
import signal
import statistics
import subprocess
import time

import pytest

import lab
from conftest import SEED, SOAK, score

AT_ONCE = 4
ROUNDS = {"orchestrator": 200, "warden": 200, "both": 60} if SOAK else {"orchestrator": 20, "warden": 20, "both": 20}
ROUNDS_OFF = ROUNDS if SOAK else {"orchestrator": 6, "warden": 6, "both": 6}
BUILT = [lab.ROOT / "build" / name / "tests/unit/nasty" for name in ("check", "dev")]
NASTY = os.environ.get("ATHANOR_NASTY") or next((str(path) for path in BUILT if path.exists()), None)
FAMILY = 5      # processes that stay
UP = 7          # so many are there only when the daemon forks

# A look before the first step of the next run: how many of the tag are alive?
LOOK = """
import pathlib, sys
def arguments(folder):
    try:
        return (folder / "cmdline").read_bytes().split(b"\\0")
    except OSError:
        return []
tag = sys.argv[1].encode()[::-1]
alive = [one.name for one in pathlib.Path("/proc").glob("[0-9]*") if tag in arguments(one)]
pathlib.Path("alive").write_text(" ".join(alive))
"""
WITHOUT_GROUPS = ("unshare", "--mount", "sh", "-c", 'umount -t cgroup2 -a && exec "$@"', "sh")

pytestmark = pytest.mark.skipif(not NASTY, reason="tests/support/nasty.c is not built (ATHANOR_NASTY)")
Round = collections.namedtuple("Round", "ms early left after")


def tagged(tag):
    """The living processes that have exactly this argument, as {pid: their arguments}."""
    found = {}
    for folder in os.scandir("/proc"):
        if not folder.name.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % folder.name, "rb") as file:
                words = file.read().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if tag in words:
            found[int(folder.name)] = words
    return found


def end_all(tag):
    while found := tagged(tag):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def is_free(lock):
    with open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def group_of(mark):
    """The control group of a run; others come and go while it is looked for."""
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        if "athanor-" + mark in names:
            return os.path.join(folder, "athanor-" + mark)
    return None


def kill_at_once(pids):
    """None of them has time to end anything."""
    for signum in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, signum)


class Cage:
    """One project with the zoo as its only step, for one round."""

    def __init__(self, folder, number, program=()):
        self.tag = "zoo-%d-%d" % (os.getpid(), number)
        self.program = program
        folder.mkdir(parents=True)
        self.project = lab.Project(folder / "app").alembic()
        self.project.write("look.py", LOOK)
        self.step("zoo", [NASTY, "outlaws", self.tag])

    def step(self, name, run, more=""):
        self.project.recipe("steps:\n  %s: {run: [%s], needs: [preflight]%s}\n" % (name, ", ".join(run), more))
        self.only = ("--only", "preflight", "--only", name)

    @property
    def lock(self):
        return self.project.path(".athanor/lock")

    def kill(self, victim, chance):
        run = self.project.start(*self.only, program=self.program)
        lab.wait_for(lambda: len(tagged(self.tag)) >= UP or run.process.poll() is not None, "the zoo")
        assert run.process.poll() is None, run.ended()
        self.mark = self.project.marks[-1]
        self.group = group_of(self.mark)
        orchestrator = run.orchestrator
        pids = {"orchestrator": [orchestrator], "warden": [run.pid], "both": [run.pid, orchestrator]}[victim]
        time.sleep(chance.random() * 0.03)
        kill_at_once(pids)
        return run, time.monotonic()

    def again(self):
        """The next run, whose first step looks who is alive."""
        self.step("look", [lab.PYTHON, "look.py", self.tag[::-1]])
        ended = self.project.install(*self.only, program=self.program).is_status(0)
        return self.project.read("alive").split(), ended


def one_round(place):
    folder, number, victim, program = place
    cage = Cage(folder / str(number), number, program)
    chance = random.Random(SEED * 1000 + number)
    try:
        run, since = cage.kill(victim, chance)
        while not is_free(cage.lock):
            assert time.monotonic() - since < 30, "the lock is stuck"
            time.sleep(0.0005)
        ms = (time.monotonic() - since) * 1000
        early = tagged(cage.tag)
        run.process.wait(30)
        after, ended = cage.again()
        assert victim != "both" or "of an earlier run that died" in ended.err, ended
        return Round(ms, len(early), after, group_of(cage.mark))
    finally:
        end_all(cage.tag)


def all_rounds(folder, victim, program=()):
    number = (ROUNDS_OFF if program else ROUNDS)[victim]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one_round, [(folder, each, victim, program) for each in range(number)]))


def has_groups(folder):
    cage = Cage(folder / "try", 0)
    try:
        run, _ = cage.kill("orchestrator", random.Random(0))
        run.process.wait(30)
        return cage.group is not None
    finally:
        end_all(cage.tag)


def tell(victim, rounds, groups):
    times = sorted(one.ms for one in rounds)
    score("orphans, %s killed %d times, cgroup %s: %d alive when the lock was free, %d at the next run's first step; "
          "kill to free lock: median %.0f ms, most %.0f ms", victim, len(rounds), groups,
          sum(one.early for one in rounds), sum(len(one.left) for one in rounds), statistics.median(times), times[-1])


@pytest.mark.parametrize("victim", ["orchestrator", "warden"])
def test_nobody_is_alive_once_the_lock_is_free(tmp_path, victim):
    rounds = all_rounds(tmp_path, victim)
    tell(victim, rounds, "as found")
    assert not any(one.early or one.left or one.after for one in rounds), rounds
    assert statistics.median(one.ms for one in rounds) < 500 and max(one.ms for one in rounds) < 5000, rounds


def test_both_killed_leave_nobody_to_the_next_run(tmp_path):
    if not has_groups(tmp_path):
        pytest.skip("no cgroup v2 that this user may write to")
    rounds = all_rounds(tmp_path, "both")
    tell("both", rounds, "on")
    assert all(one.early >= FAMILY for one in rounds), rounds   # there was somebody to be ended
    assert not any(one.left or one.after for one in rounds), rounds


# A migration that says that it was tried, leaves somebody without an environment, and waits.
STRAY = """
import os, pathlib, subprocess, time
here = pathlib.Path(@ROOT@)
with open(here / "tries", "a") as file:
    file.write("x")
subprocess.Popen([@NASTY@, "outlaws", @TAG@], env={}, start_new_session=True, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
tries = (here / "tries").stat().st_size
while (here / "gate").stat().st_size < tries:
    time.sleep(0.01)
"""


def test_a_run_that_began_again_leaves_nobody_to_the_next_one(small, tmp_path):
    """Beside an application a run begins again with another mark: its processes are found by that one."""
    if not has_groups(tmp_path):
        pytest.skip("no cgroup v2 that this user may write to")
    tag = "again-%d" % os.getpid()
    small.write("gate", "")
    small.revision("c3", "b2", STRAY.replace("@ROOT@", repr(str(small.root))).replace("@NASTY@", repr(NASTY))
                   .replace("@TAG@", repr(tag)))
    small.stored("a1")
    try:
        run = small.start("--online")
        lab.wait_for(lambda: small.path("tries").exists(), "the first try")
        lab.execute(small.database, "INSERT INTO story (title) VALUES ('meanwhile')")
        small.write("gate", "x")
        lab.wait_for(lambda: small.path("tries").stat().st_size == 2, "the second try")
        lab.wait_for(lambda: len(tagged(tag)) >= UP, "the zoo")
        kill_at_once([run.pid, run.orchestrator])
        run.process.wait(30)
        assert tagged(tag)
        small.write("gate", "xxx")
        small.revision("c3", "b2", "pass")
        ended = small.install().is_status(0)
        assert "of an earlier run that died" in ended.err and not tagged(tag), (ended, tagged(tag))
        assert group_of(small.marks[1]) is None
    finally:
        end_all(tag)


def test_without_groups_only_who_erased_the_environment_gets_away(tmp_path):
    """The limit that is documented, and the control: it is the group that ends the last one."""
    if os.geteuid() or subprocess.run([*WITHOUT_GROUPS, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no mount namespace without cgroups can be made")
    for victim in ("orchestrator", "warden"):
        rounds = all_rounds(tmp_path / victim, victim, WITHOUT_GROUPS)
        tell(victim, rounds, "off")
        assert not any(one.early or one.left for one in rounds), rounds
    rounds = all_rounds(tmp_path / "both", "both", WITHOUT_GROUPS)
    tell("both", rounds, "off")
    assert all(len(one.left) == 1 for one in rounds), rounds


def climb(place):
    """The ladder: SIGTERM, which the zoo ignores, and ten seconds later SIGKILL; a second wish does not wait."""
    folder, number, how = place
    cage = Cage(folder / how.replace(" ", "-"), number)
    if how == "time limit":
        cage.step("zoo", [NASTY, "outlaws", cage.tag], ", timeout: 2s")
    try:
        run = cage.project.start(*cage.only)
        lab.wait_for(lambda: len(tagged(cage.tag)) >= UP or run.process.poll() is not None, "the zoo")
        since = time.monotonic()
        for _ in range({"time limit": 0, "called off": 1, "called off twice": 2}[how]):
            os.kill(run.pid, signal.SIGTERM)
            time.sleep(0.3)     # two signals in one moment are one wish
        ended = run.ended()
        seconds = time.monotonic() - since
        assert not tagged(cage.tag) and is_free(cage.lock), ended
        assert ended.status == (1 if how == "time limit" else 128 + signal.SIGTERM), ended
        assert seconds < 5 if how == "called off twice" else 9 < seconds < 20, (how, seconds)
    finally:
        end_all(cage.tag)


def test_a_step_that_is_called_off_leaves_nobody(tmp_path):
    ways = ["time limit", "called off", "called off twice"]
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        list(pool.map(climb, [(tmp_path, number, way) for number, way in enumerate(ways)]))
    score("orphans, ladder of timeout and cancellation: %d ways, 0 alive at the end", len(ways))


def test_the_process_group_alone_leaves_survivors(tmp_path):
    """The control of all above: a supervisor that ends a step by kill(-pgid)."""
    escaped = 0
    for number in range(5):
        tag = "naive-%d-%d" % (os.getpid(), number)
        step = subprocess.Popen([NASTY, "outlaws", tag], start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            lab.wait_for(lambda: len(tagged(tag)) >= UP, "the zoo")
            os.killpg(step.pid, signal.SIGKILL)
            step.wait()
            time.sleep(0.05)
            escaped += len(tagged(tag)) >= 3
        finally:
            end_all(tag)
    score("orphans, control with kill(-pgid): survivors in %d of 5 rounds", escaped)
    assert escaped == 5
