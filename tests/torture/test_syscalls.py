# SPDX-License-Identifier: MIT
"""
A kill before each system call that changes something, and an error in place of each: never torn, never a false success.

Each point is one disturbed run, the same command again, and a third one that must find nothing to do.
"""
import json
import os
import random
import sqlite3
import subprocess

import pytest

import faults
import lab
import tracer
from conftest import SEED, SOAK, score

MODES = pytest.mark.parametrize("wal", [False, True], ids=["delete", "wal"])
WHY_NOT = "the leak sanitizer does not run under ptrace" if lab.SANITIZED else tracer.is_possible()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=str(WHY_NOT))
POINTS = int(os.environ.get("ATHANOR_POINTS") or 0)  # so many of each test, instead of all or a few
QUICK = ("--lock-timeout", "2")


class Scenario:
    """A state before, the command, and what an undisturbed run of it makes."""

    def __init__(self, project, name, wal, reading=False):
        self.project, self.name, self.wal = project, name, wal
        self.command = "repair" if name == "repair" else "install"
        self.prepare()
        ended, self.calls = faults.traced(project, *(["--reading"] if reading else []), command=self.command)
        ended.is_status(0)
        self.new = faults.contents(project.database)
        assert isinstance(self.new, dict), self.new
        assert not reading or self.new

    def prepare(self):
        self.keep_environment()
        lab.empty(self.project.root, keep=".venv")
        self.project.alembic()
        if self.name == "upgrade":
            self.project.stored("a1", wal=self.wal)
        elif self.name == "repair":
            self.project.stored(wal=self.wal, tables=lab.STORIES + lab.MOOD)
        self.old = faults.contents(self.project.database)
        self.bytes = lab.database_files(self.project.database)

    def keep_environment(self):
        """No fault costs the environment, whose packages are the operator's."""
        mark, saved = self.project.path(".venv/operators"), self.project.beside("saved.tar")
        if not saved.exists():
            mark.touch()
            lab.save(self.project.path(".venv"), saved)
        elif not mark.exists():
            lab.restore(saved, self.project.path(".venv"))

    def run(self, *arguments, **more):
        return lab.athanor(self.command, *arguments, self.project.root, **more)


def kind_of(call):
    path = call["paths"][-1] if call["paths"] else ""
    return call["role"], call["call"], path.rpartition(".")[2]


def sample(scenario, calls, size, chance):
    """Some of the calls: around the commit half of them, the others of as many kinds as there is room for."""
    size = POINTS or (len(calls) if SOAK else size)
    live = [n for n, call in enumerate(calls) if faults.is_live(scenario.project, call)]
    near = calls[max(0, live[0] - 3):live[-1] + 4]
    rest = chance.sample(calls, len(calls))
    kinds = list({kind_of(call): call for call in rest}.values())
    first = chance.sample(near, min(len(near), (size + 1) // 2)) + chance.sample(kinds, len(kinds))
    picked = {call["n"]: call for call in first + rest}
    return list(picked.values())[:size]


# ---- what is asked of the state after a disturbed run ----

def judge_state(scenario, calls, ended):
    """OLD or NEW, and byte for byte as before if nothing had been written yet. Which of them?"""
    project = scenario.project
    now = faults.contents(project.database)
    assert now in (scenario.old, scenario.new), (now, ended)
    assert project.path(".venv/operators").exists(), ("the environment was replaced", ended)
    was_begun = [call for call in calls if faults.is_live(project, call) and call.get("result", -1) >= 0]
    if not was_begun:
        there = lab.database_files(project.database)   # with what is made beside a new one's place
        assert {name: there[name] for name in there if ".athanor-" not in name} == scenario.bytes, ended
    return "new" if now == scenario.new else "old"


def judge_end(scenario, ended):
    """The same command again ends where an undisturbed run would have, and then nothing is to be done."""
    project = scenario.project
    again = lab.resume(project, command=scenario.command) if faults.marks(project) else scenario.run()
    again.is_status(0)
    assert faults.contents(project.database) == scenario.new, (ended, again)
    third = scenario.run().is_status(0)
    assert "nothing to %s" % ("repair" if scenario.command == "repair" else "do") in third.out, (ended, again, third)
    lab.assert_clean(project)
    assert project.journal("SELECT count(*) FROM run WHERE outcome IS NULL") == [(0,)]


def each(scenario, try_one, points):
    """All points are tried, also behind one that fails. How they ended, as counts."""
    counted, failed = {}, []
    for call, fault in points:
        try:
            state = try_one(scenario, fault)
        except (AssertionError, subprocess.TimeoutExpired, sqlite3.Error, OSError) as error:
            failed.append("%s, %s (%s %s): %s" % (scenario.name, fault, call["call"], call["paths"], error))
            print(failed[-1], flush=True)
            state = "failed"
        counted[state] = counted.get(state, 0) + 1
    assert not failed, "%d of %d points:\n%s" % (len(failed), len(points), "\n\n".join(failed))
    return counted


# ---- kills ----

def kill_at(scenario, fault):
    project = scenario.project
    scenario.prepare()
    ended, calls = faults.traced(project, *fault.options(), command=scenario.command)
    hit = [call for call in calls if call.get("hit")]
    if not hit:
        return "not reached"
    if fault.kill != "both":
        assert not lab.survivors(project, faults.marks(project)), ended
        assert faults.lock_is_free(project)
    assert ended.status != 0 or fault.kill == "warden", ended
    state = judge_state(scenario, calls, ended)
    judge_end(scenario, ended)
    return state


def kills(scenario, size, victims=("self",)):
    chance = random.Random(SEED)
    return each(scenario, kill_at, [(call, faults.Fault(call, kill=chance.choice(victims)))
                                    for call in sample(scenario, scenario.calls, size, chance)])


MODE = {False: "DELETE", True: "WAL"}
IN_SOAK = pytest.mark.skipif(not (SOAK or POINTS), reason="part of the soak")


def try_kills(project, name, wal, size):
    scenario = Scenario(project, name, wal)
    counted = kills(scenario, size, ("self", "self", "self", "warden", "both"))
    score("kill at a system call, %s, %s: %s, of %d calls; 0 torn", name, MODE[wal], counted, len(scenario.calls))


@MODES
def test_a_kill_before_any_system_call_tears_nothing(small, wal):
    try_kills(small, "upgrade", wal, 4)


@IN_SOAK
@pytest.mark.parametrize("name", ["fresh", "repair"])
def test_a_kill_of_other_kinds_of_runs_tears_nothing(small, name):
    try_kills(small, name, False, 5)


# ---- errors ----

WORDS = {"unchanged": "old", "created": "new", "upgraded": "new", "needs-you": None}


ABORTED = 128 + 6
BY_LIBUV = ("clone3", "pipe2", "eventfd2", "epoll_create1")  # where it gets no thread or descriptor, it calls abort


def judge_words(scenario, ended, state, call):
    """Exit status, result, journal and what is there say one thing."""
    assert ended.status in (0, 1, 3, 4, 75, 78) or ended.status == ABORTED and call in BY_LIBUV, ended
    if ended.status == 0:
        assert state == "new", ended
    else:
        assert "athanor: " in ended.err, ended
    if not ended.out.strip():
        return
    told = json.loads(ended.out)
    assert told["exit_status"] == ended.status, ended
    assert WORDS[told["database"]["state"]] in (state, None), ended
    assert (told["database"]["state"] == "needs-you") == (ended.status == 4), ended
    if told["run"] and told["outcome"] != "nothing":
        rows = scenario.project.journal("SELECT outcome, exit_status, database FROM run WHERE mark = ?", told["run"])
        assert rows in ([(told["outcome"], ended.status, told["database"]["state"])],
                        [(told["outcome"], ended.status, None)], [(None, None, None)], []), (rows, ended)
        assert rows and rows[0][0] or ended.status, (rows, ended)   # open: the journal itself could not be written


def fail_at(scenario, fault):
    project = scenario.project
    scenario.prepare()
    ended, calls = faults.traced(project, *fault.options(), command=scenario.command, arguments=("--json", *QUICK))
    if not any(call.get("hit") for call in calls):
        return "not reached"
    assert not lab.survivors(project, faults.marks(project)), ended
    assert faults.lock_is_free(project)
    state = judge_state(scenario, calls, ended)
    judge_words(scenario, ended, state, fault.name)
    judge_end(scenario, ended)
    return "%s, exit %d" % (state, ended.status)


def faults_of(call, chance):
    error = chance.choice(faults.ERRORS[call["call"]])
    return faults.Fault(call, error=error.lstrip("~"), on=error[0] != "~" and chance.random() < 0.5)


def try_errors(project, name, wal, size):
    scenario = Scenario(project, name, wal, reading=True)
    chance = random.Random(SEED)
    calls = [call for call in scenario.calls if call["call"] in faults.ERRORS]
    counted = each(scenario, fail_at, [(call, faults_of(call, chance)) for call in sample(scenario, calls, size, chance)])
    score("error of a system call, %s, %s: %s, of %d calls; 0 torn, 0 false successes",
          name, MODE[wal], counted, len(calls))


@MODES
def test_an_error_of_any_system_call_is_told_and_tears_nothing(small, wal):
    try_errors(small, "upgrade", wal, 2)


@IN_SOAK
@pytest.mark.parametrize("name", ["fresh", "repair"])
def test_an_error_in_other_kinds_of_runs_is_told_and_tears_nothing(small, name):
    try_errors(small, name, False, 3)


# ---- the looks themselves ----

def test_a_torn_database_and_a_false_success_are_told(small):
    small.stored("a1", tables=lab.STORIES + ("CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT)",))
    lab.execute(small.database, "INSERT INTO big SELECT value, hex(randomblob(900)) FROM json_each(?)"
                .replace("?", "'%s'" % list(range(40))))
    scenario = object.__new__(Scenario)
    scenario.project, scenario.old, scenario.new = small, faults.contents(small.database), None
    with open(small.database, "r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    assert faults.contents(small.database).startswith("damaged")
    with pytest.raises(AssertionError):
        judge_state(scenario, [{"call": "pwrite64", "paths": [str(small.database)], "result": 1}], None)
    with pytest.raises(AssertionError):
        judge_words(scenario, lab.Ended(0, "", ""), "old", "pwrite64")


# ---- what was found in this way, each by itself ----

def with_error(project, error, call, path, *more, on=True):
    ended, calls = faults.traced(project, "--reading", "--fail", error, *(["--on"] if on else []), "--at", "1",
                                 "--name", call, "--path", path, arguments=("--json", *QUICK, *more))
    assert any(one.get("hit") for one in calls), ended
    return ended


@pytest.mark.parametrize("call, path", [("openat", ".venv/pyvenv.cfg"), ("getdents64", ".venv/lib")])
def test_an_environment_that_cannot_be_looked_at_is_left_alone(small, call, path):
    small.stored("a1")
    mark = small.path(".venv/operators")
    mark.touch()
    ended = with_error(small, "EIO", call, path).is_status(1)
    assert mark.exists() and "Input/output error" in ended.json["cause"] and ended.json["step"] == "venv"
    small.install().is_status(0)
    assert mark.exists()


def test_a_copy_that_could_not_be_removed_goes_with_the_next_run(small):
    small.stored("a1")
    ended = with_error(small, "EROFS", "unlinkat", "clone.db").is_status(1)
    assert ended.json["database"]["state"] == "upgraded" and list(small.path(".athanor/runs").glob("*/clone.db"))
    assert "nothing to do" in small.install().is_status(0).out
    lab.assert_clean(small)


def test_a_run_that_fails_behind_its_commit_names_the_revision_that_is_there(small):
    small.stored("a1")
    ended = with_error(small, "EIO", "unlinkat", "clone.db").is_status(1)
    assert ended.json["database"]["revision"] == "c3" and small.rows() == ["c3"]


def test_survivors_are_ended_where_the_boot_cannot_be_told(small):
    small.revision("b2", "a1", lab.GATE.replace("@ROOT@", repr(str(small.root))))
    small.stored("a1")
    for _ in range(5):      # the one that dies a moment later may have ended them
        small.start().until_file("here").kill("both")
        left = lab.survivors(small)
        if left:
            break
        small.path("here").unlink()
    assert left
    with_error(small, "EIO", "read", "boot_id", "--only", "preflight").is_status(0)  # the gate is closed: they wait
    assert not set(lab.survivors(small)) & set(left)
    small.open_gate()
    small.install().is_status(0)


def test_no_run_begins_where_survivors_cannot_be_looked_for(small):
    small.stored("a1")
    small.revision("b2", "a1", lab.GATE.replace("@ROOT@", repr(str(small.root))))
    small.start().until_file("here").kill("both")
    ended = with_error(small, "ENFILE", "openat", "/environ").is_status(1)
    assert "cannot look for processes of an earlier run" in ended.err
    assert small.journal("SELECT count(*) FROM run WHERE outcome IS NULL") == [(1,)]
    small.open_gate()
    lab.resume(small).is_status(0)
