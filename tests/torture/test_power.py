# SPDX-License-Identifier: MIT
"""
The power fails at any moment of a run: what may then lie on the disk is OLD or NEW, and the run can be taken up.

The calls of a real run are played back onto a model of a disk (power.py), cut anywhere, and what may have survived is
opened. The controls leave out syncs of the recording: then the same looks must find what is torn.
"""
import collections
import copy
import os
import pathlib
import random
import shutil
import sqlite3

import pytest

import faults
import lab
import power
import tracer
from conftest import SEED, SOAK, score

MODES = pytest.mark.parametrize("wal", [False, True], ids=["delete", "wal"])
WHY_NOT = "the leak sanitizer does not run under ptrace" if lab.SANITIZED else tracer.is_possible()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=str(WHY_NOT))
STATES = int(os.environ.get("ATHANOR_POINTS") or 0) or (3000 if SOAK else 100)
AGAIN = 60 if SOAK else 2          # states from which the program itself is started
JOURNAL = ".athanor/journal.db"
ROWS = ("transition", "note", "fact")


class Recording:
    """A run of the small project: the state before it, its calls, and what it came to."""

    def __init__(self, project, old, *arguments, command="install"):
        self.project, self.old = project, old
        self.start = power.Disk(project.root)
        self.ended, self.calls = faults.traced(project, arguments=arguments, command=command)
        self.ended.is_status(0)
        self.new = faults.contents(project.database)
        self.rows = journal_rows(project.path(JOURNAL)) if project.path(JOURNAL).exists() else None
        self.live = [n for n, call in enumerate(self.calls) if faults.is_live(project, call)]
        self.during = range(max(0, self.live[0] - 3), min(len(self.calls), self.live[-1] + 4)) if self.live else []

    def placed(self):
        """What got its name by a rename."""
        disk = copy.deepcopy(self.start)
        for call in self.calls:
            disk.apply(call)
        return disk.placed

    def states(self, count, chance, ignores=power.never, near=0.5):
        """So many (moment, disk, what survived); a share of them around the writes to the live database."""
        disk = copy.deepcopy(self.start)
        disk.ignores = ignores
        wanted = collections.Counter()
        for _ in range(count):
            is_near = self.during and chance.random() < near
            wanted[chance.choice(self.during) if is_near else chance.randint(0, len(self.calls))] += 1
        for n in range(len(self.calls) + 1):
            for _ in range(wanted[n]):
                how = chance.choice(power.HOWS)
                yield n, disk, disk.survive(how, chance, names=chance.choice((how, "lost", "kept", "first", "any")))
            if n < len(self.calls):
                disk.apply(self.calls[n])


def journal_rows(path):
    """The rows of a journal; what a crash left in its -wal is taken in."""
    connection = sqlite3.connect(str(path))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            assert not connection.execute("SELECT name FROM sqlite_schema").fetchall()
            return {}
        rows = {name: connection.execute("SELECT * FROM %s ORDER BY id" % name).fetchall() for name in ROWS}
        rows["outcome"] = [row[0] for row in connection.execute("SELECT outcome FROM run")]
        return rows
    finally:
        connection.close()


def read_live(found, name, scratch):
    """The contents of the database in a state, None without one."""
    if name not in found:
        return None
    for tail in ("", "-journal", "-wal"):
        if name + tail in found:
            pathlib.Path(scratch, "live.db" + tail).write_bytes(found[name + tail])
    return faults.read_contents(scratch + "/live.db")


def read_journal(found, scratch):
    for tail in ("", "-journal", "-wal"):
        if JOURNAL + tail in found:
            pathlib.Path(scratch, "journal.db" + tail).write_bytes(found[JOURNAL + tail])
    return journal_rows(scratch + "/journal.db") if JOURNAL in found else {}


def faults_of_state(recording, disk, found, scratch):
    """What is wrong with a state; and which one it is."""
    name = recording.project.database.name
    live = read_live(found, name, scratch)
    if live not in (recording.old, recording.new):
        return "the database is torn: %s" % (live if isinstance(live, str) else "neither old nor new"), "torn"
    which = "new" if live == recording.new else "old"
    try:
        rows = read_journal(found, scratch)
    except (sqlite3.Error, AssertionError) as error:
        return "the journal does not open: %s" % error, which
    torn = disk.torn(found)
    if torn:
        return "half a file has its name: %s" % torn, which
    return judge_journal(recording, rows, which), which


def judge_journal(recording, rows, which):
    """The journal is a beginning of what the run wrote into it, never ahead of the disk, nor behind an act."""
    for table in ROWS:
        if rows and rows[table] != recording.rows[table][:len(rows[table])]:
            return "the journal's table %s is no beginning of what was written" % table
    notes = {row[3] for row in rows["note"]} if rows else set()
    if recording.old == recording.new:
        return None
    if which == "new" and "db.placing" not in notes:
        return "the database was written to before the journal said so"
    if which == "old" and ("db.committed" in notes or "succeeded" in rows.get("outcome", ())):
        return "the journal says that it was committed, and it was not"
    return None


def look_at_states(recording, tmp_path, count, **more):
    """How many states are which, and what is wrong with some of them."""
    chance = random.Random(SEED)
    counted, wrong = collections.Counter(), []
    for n, disk, found in recording.states(count, chance, **more):
        scratch = tmp_path / "state"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        fault, which = faults_of_state(recording, disk, found, str(scratch))
        counted[which] += 1
        if fault:
            wrong.append("power fails before call %d (%s): %s"
                         % (n + 1, recording.calls[n]["call"] if n < len(recording.calls) else "end", fault))
    return counted, wrong


def take_up(recording, count):
    """Starts the program on some of the states: it ends as if nothing had been."""
    project, chance = recording.project, random.Random(SEED + 1)
    picked = []
    for n, _, found in recording.states(count, chance):
        picked.append((n, found))
    for n, found in picked:
        lab.empty(project.root, keep=".venv")
        power.materialise(found, project.root)
        ended = project.install()
        assert ended.status == 0 and faults.contents(project.database) == recording.new, (n, ended)
        assert "nothing to do" in project.install().is_status(0).out, n
        lab.assert_clean(project)


def report(name, counted, again):
    score("power loss, %s: %d states, %s; 0 torn; taken up %d", name, sum(counted.values()), dict(counted), again)


@MODES
def test_power_loss_in_an_upgrade_tears_nothing(small, tmp_path, wal):
    small.stored("a1", wal=wal)
    recording = Recording(small, faults.contents(small.database))
    counted, wrong = look_at_states(recording, tmp_path, STATES)
    assert not wrong, "%d of %d: %s" % (len(wrong), STATES, "\n".join(wrong[:20]))
    assert counted["old"] and counted["new"], counted
    take_up(recording, AGAIN)
    report("upgrade, " + ("WAL" if wal else "DELETE"), counted, AGAIN)


def test_power_loss_while_a_new_database_is_made_leaves_none_or_all_of_it(small, tmp_path):
    recording = Recording(small, None)
    counted, wrong = look_at_states(recording, tmp_path, STATES)
    assert not wrong, "%d of %d: %s" % (len(wrong), STATES, "\n".join(wrong[:20]))
    assert counted["old"] and counted["new"], counted
    take_up(recording, AGAIN)
    report("new database", counted, AGAIN)


def test_power_loss_leaves_no_half_of_a_settings_file(small, tmp_path):
    small.write(".env.example", "KEY=change-me\nNAME=small\n" + "# a comment to fill some sectors\n" * 60)
    small.recipe("env_file: {from: .env.example, to: .env, secrets: [KEY]}\n", database="")
    recording = Recording(small, None)
    counted, wrong = look_at_states(recording, tmp_path, STATES)
    assert not wrong, "\n".join(wrong[:20])
    assert ".env" in recording.placed()
    report("settings file", counted, 0)


def test_power_loss_leaves_no_half_of_a_recipe(small, tmp_path):
    small.path("athanor.yaml").unlink()
    recording = Recording(small, None, command="init")
    assert "athanor.yaml" in recording.placed()
    counted, wrong = look_at_states(recording, tmp_path, STATES)
    assert not wrong, "\n".join(wrong[:20])
    report("recipe", counted, 0)


# ---- controls: with a sync left out, the same looks find what is torn ----

def is_sync(call, what):
    return call["call"] in ("fsync", "fdatasync") and what(call)


def of_the_database(call):
    return "app.db" in call["paths"][0]


def of_folders(call):
    return bool(call.get("is_folder"))


def of_the_journal(call):
    return "journal.db-wal" in call["paths"][0]


def of_new_files(call):
    return ".athanor-" in call["paths"][0]


CONTROLS = (  # the syncs that are left out, what is to be found then, the share of the moments around the commit
    (of_the_database, "the database is torn", 1), (of_folders, "", 1),
    (of_the_journal, "before the journal said so", 1), (of_new_files, "half a file", 0.5),
)


@pytest.mark.parametrize("wal", [False, True] if SOAK else [False], ids=["delete", "wal"][:1 + SOAK])
def test_a_sync_that_is_left_out_is_found(small, tmp_path, wal):
    small.stored("a1", wal=wal)
    recording = Recording(small, faults.contents(small.database))
    for what, word, near in CONTROLS:
        _, wrong = look_at_states(recording, tmp_path, 2 * STATES, near=near, ignores=lambda call: is_sync(call, what))
        found = [one for one in wrong if word in one]
        assert found, (what.__name__, wrong[:10])
        score("power loss, control without syncs %s, %s: %d of %d states are found wrong, as they must",
              what.__name__.replace("_", " "), "WAL" if wal else "DELETE", len(found), 2 * STATES)
