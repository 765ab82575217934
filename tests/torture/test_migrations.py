# SPDX-License-Identifier: MIT
"""The migration zoo: revisions that do whatever a revision may do, on databases with rows in them.

Each is the second of three revisions. Whatever it does, live is afterwards byte for byte what it was, the message says
so, no process is left, and with the revision mended the same command ends at the head with every row.
"""
import collections
import concurrent.futures
import os
import random
import shutil
import sqlite3
import subprocess
import textwrap

import pytest

import lab
from conftest import SEED, SOAK, score

MODES = ["delete", "wal", "frames"]     # frames: a -wal that was not checkpointed
MOOD = "op.add_column('story', sa.Column('mood', sa.Text))\n"
RAISE = "raise RuntimeError('the tale breaks off')\n"
BATCH = ("with op.batch_alter_table('story', recreate='always') as batch:\n"
         "    batch.add_column(sa.Column('mood', sa.Text%s))\n")
DAEMON = """
import os, subprocess, sys
code = '''
import os, sqlite3, sys, time
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(0.3)
while True:
    try:
        sqlite3.connect(sys.argv[1], timeout=0).execute("DELETE FROM story").connection.commit()
    except sqlite3.Error:
        time.sleep(0.01)
'''
subprocess.run([sys.executable, "-c", code, @DATABASE@, "daemon-of-the-zoo"], stdin=subprocess.DEVNULL)
"""
ON_BATCH = """
import os, signal
from sqlalchemy import event
@event.listens_for(op.get_bind(), "before_cursor_execute")
def look(connection, cursor, statement, *rest):
    if statement.strip().upper().startswith("DROP TABLE STORY"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
CLONE = "op.get_bind().exec_driver_sql('PRAGMA database_list').fetchall()[0][2]"

Case = collections.namedtuple("Case", "upgrade status words more", defaults=(1, (), {}))
FAILS = {
    "raises at once": Case(RAISE, 1, ["the tale breaks off"]),
    "raises after five operations": Case(
        MOOD + "op.create_table('half', sa.Column('id', sa.Integer))\nop.execute('UPDATE story SET title = 0')\n"
        "op.execute(\"INSERT INTO story (title) VALUES ('x')\")\nop.drop_table('half')\n" + RAISE, 1, ["breaks off"]),
    "commits half way, then raises": Case(
        MOOD + "op.execute('DELETE FROM story')\nop.get_bind().commit()\n" + RAISE, 1, ["breaks off"]),
    "raises what no one catches": Case(MOOD + "raise KeyboardInterrupt()"),
    "hangs": Case(MOOD + "import time\ntime.sleep(600)", 1, ["time limit"], {"timeout": "1s"}),
    "hangs and catches the signal": Case(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + MOOD + "time.sleep(600)",
        1, ["time limit"], {"timeout": "1s"}),
    "hangs and ignores the signals": Case(
        "import signal, time\n[signal.signal(one, signal.SIG_IGN) for one in (1, 2, 3, 15)]\n" + MOOD + "time.sleep(600)",
        1, ["time limit"], {"timeout": "1s", "soak": True}),
    "starts a daemon that writes to live, then raises": Case(DAEMON + MOOD + RAISE, 1, ["breaks off"]),
    "floods its output, then raises": Case(
        "import os\nfor _ in range(1600):\n    os.write(1, b'x' * 65535 + b'\\n')\n" + RAISE, 1, ["breaks off"]),
    "exits with 0": Case(MOOD + "import sys\nsys.exit(0)"),
    "leaves by os._exit": Case(MOOD + "import os\nos._exit(0)"),
    "becomes another program": Case(MOOD + "import os\nos.execv('/bin/true', ['true'])"),
    "says that all is well, and leaves": Case(
        MOOD + "import os\nos.write(3, b'{\"event\": \"end\"}\\n')\nos._exit(0)"),
    "closes every descriptor, then raises": Case(MOOD + "import os\nos.closerange(0, 256)\n" + RAISE),
    "closes its output, then raises": Case("import os\nos.close(1)\nos.close(2)\n" + MOOD + RAISE, 1, ["breaks off"]),
    "writes to live by its path": Case(
        MOOD + "import sqlite3\nc = sqlite3.connect(@DATABASE@, timeout=0)\nc.execute('DELETE FROM story')\nc.commit()"),
    "writes to live by another program": Case(
        MOOD + "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sqlite3, sys; "
        "sqlite3.connect(sys.argv[1], timeout=0).execute(\"DELETE FROM story\").connection.commit()', @DATABASE@], "
        "check=True)", 1, ["non-zero exit status"]),
    "writes to another database, then raises": Case(
        MOOD + "import sqlite3\nc = sqlite3.connect(@ROOT@ + '/other.db')\nc.execute('CREATE TABLE other (x)')\n"
        "c.commit()\n" + RAISE, 1, ["breaks off"]),
    "loses rows": Case(MOOD + "op.execute('DELETE FROM story WHERE id = 2')", 3, ["story", "--allow-row-loss"]),
    "loses rows by a batch": Case(
        "op.execute('PRAGMA foreign_keys=ON')\n" + BATCH % "" + "op.execute('DELETE FROM story WHERE id > 2')", 3),
    "leaves a table of a batch": Case(
        MOOD + "op.create_table('_alembic_tmp_story', sa.Column('id', sa.Integer))", 1, ["_alembic_tmp_story"]),
    "fails in a batch": Case(BATCH % ", nullable=False", 1, ["NOT NULL"]),
    "is killed in a batch": Case(ON_BATCH + BATCH % ""),
    "segfaults": Case(MOOD + "import ctypes\nctypes.string_at(0)"),
    "aborts": Case(MOOD + "import os\nos.abort()"),
    "kills its parent": Case(MOOD + "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(600)", 137),
    "kills the warden": Case(
        MOOD + "import os, time\nlines = open('/proc/%d/status' % os.getppid()).read().split('\\n')\n"
        "os.kill(int([one for one in lines if one.startswith('PPid')][0].split()[1]), 9)\ntime.sleep(600)", -9, None),
    "changes its folder, then raises": Case("import os\nos.chdir('/')\n" + MOOD + RAISE, 1, ["breaks off"]),
    "deletes the environment's alembic": Case(
        MOOD + "import alembic, os, shutil\nshutil.rmtree(os.path.dirname(alembic.__file__))\n" + RAISE),
    "switches the journal mode, then raises": Case(
        "op.get_bind().connection.commit()\nop.get_bind().connection.execute('PRAGMA journal_mode=WAL')\n" + MOOD + RAISE,
        1, ["breaks off"]),
    "removes its database": Case(MOOD + "import os\nos.unlink(%s)" % CLONE),
    "overwrites its database": Case(
        MOOD + "import os\nfd = os.open(%s, os.O_RDWR)\nos.pwrite(fd, b'x' * 8192, 0)" % CLONE),
    "empties the version table": Case(MOOD + "op.execute('DELETE FROM alembic_version')"),
    "writes the head's row, then raises": Case(
        MOOD + "op.execute(\"UPDATE alembic_version SET version_num = 'c3'\")\nop.get_bind().commit()\n" + RAISE,
        1, ["breaks off"]),
    "names a parent that is not there": Case(MOOD, 78, ["zz"], {"down": "zz"}),
    "is one of two heads, and raises": Case(RAISE, 1, ["breaks off"], {"beside": True}),
}
WORKS = {
    "leaves a thread behind": MOOD + "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    "finds the table of a dead batch": BATCH % "",
    "changes its folder": "import os\nos.chdir('/')\n" + MOOD,
    "closes its output": "import os\nos.close(1)\nos.close(2)\n" + MOOD,
    "sets signal handlers": "import signal\n[signal.signal(one, signal.SIG_IGN) for one in (1, 2, 3, 15)]\n" + MOOD,
    "floods its output": "import os\nfor _ in range(1600):\n    os.write(2, b'x' * 65535 + b'\\n')\n" + MOOD,
    "starts a daemon that writes to live": DAEMON + MOOD,
    "switches the journal mode":
        "op.get_bind().connection.commit()\nop.get_bind().connection.execute('PRAGMA journal_mode=WAL')\n" + MOOD,
    "writes to another database": MOOD + "import sqlite3\nsqlite3.connect(@ROOT@ + '/other.db').execute('CREATE TABLE o (x)')",
}


def daemons():
    """Processes of the zoo's daemon, told by their argument."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                found += [pid] * (b"daemon-of-the-zoo" in file.read().split(b"\0"))
        except OSError:
            continue
    return found


def leave_frames(path):
    """A row in a -wal that nobody has checkpointed: copies of both files, put back after the close."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("INSERT INTO story (title) VALUES ('in the wal')")
    connection.commit()
    kept = {name: open(name, "rb").read() for name in (str(path), str(path) + "-wal")}
    connection.close()
    for name, data in kept.items():
        with open(name, "wb") as file:
            file.write(data)


class Stall:
    """One place with one database, for one revision."""

    def __init__(self, place, name, mode):
        lab.empty(place, keep=".venv")
        self.project = project = lab.Project(place).alembic()
        upgrade, more = (FAILS[name].upgrade, FAILS[name].more) if name in FAILS else (WORKS[name], {})
        if "timeout" in more:
            project.recipe(database="database: {alembic: alembic.ini, timeout: %s}" % more["timeout"])
        project.stored("a1", wal=mode != "delete")
        if "table of a dead" in name:
            lab.execute(project.database, "CREATE TABLE _alembic_tmp_story (id INTEGER)")
        if mode == "frames":
            leave_frames(project.database)
        self.rows = ["one", "two", "three"] + ["in the wal"] * (mode == "frames")
        text = upgrade.replace("@DATABASE@", repr(str(project.database))).replace("@ROOT@", repr(str(place)))
        project.revision("b2", more.get("down", "a1"), textwrap.dedent(text))
        if more.get("beside"):
            project.revision("d4", "a1", "pass")
        self.keep_alembic()

    def keep_alembic(self):
        """One of the zoo deletes it: put back what is missing, from a copy made at first."""
        own, = self.project.root.glob(".venv/lib/python3*/site-packages")
        kept = self.project.beside("alembic")
        if not kept.exists():
            shutil.copytree(own / "alembic", kept)
        if not (own / "alembic/__init__.py").exists():
            shutil.rmtree(own / "alembic", ignore_errors=True)
            shutil.copytree(kept, own / "alembic")

    def mend(self):
        self.keep_alembic()
        self.project.revision("b2", "a1", MOOD)
        self.project.path("migrations/versions/d4.py").unlink(missing_ok=True)
        self.project.recipe()

    def ends_well(self, ended):
        ended.is_status(0)
        found = {"rows": self.project.rows(), "stories": self.project.stories(), "mood": "mood" in self.project.columns(),
                 "daemons": daemons(), "audit": lab.query(self.project.database, "PRAGMA integrity_check")}
        assert found == {"rows": ["c3"], "stories": self.rows, "mood": True, "daemons": [], "audit": [("ok",)]}, found
        lab.assert_clean(self.project)


def demand(is_so, what, ended):
    if not is_so:       # an assert would show the first lines alone
        raise AssertionError("%s: %r" % (what, ended))


def fails(place, name, mode, is_mended):
    case = FAILS[name]
    stall = Stall(place, name, mode)
    before = lab.database_files(stall.project.database)
    ended = stall.project.install()
    if case.words is None:      # the shell's process died first; the other one still works at the end
        lab.wait_for(lambda: not lab.survivors(stall.project), "the end of the run")
    demand(lab.database_files(stall.project.database) == before, "live was changed", ended)
    demand(not lab.survivors(stall.project) and not daemons(), "something is alive", ended)
    demand(ended.status == case.status, "not exit status %s" % case.status, ended)
    if case.status in (1, 3):
        demand("database: unchanged" in ended.last_lines, "not said to be unchanged", ended)
    for word in case.words or ():
        demand(word in ended.last_lines, "no word of '%s'" % word, ended)
    if is_mended:
        stall.mend()
        stall.ends_well(stall.project.install())


def works(place, name, mode, _):
    stall = Stall(place, name, mode)
    stall.ends_well(stall.project.install())
    assert lab.query(stall.project.database, "PRAGMA journal_mode") == [("delete" if mode == "delete" else "wal",)]
    assert sum(log.stat().st_size for log in stall.project.root.glob(".athanor/runs/*/*.log")) < 40 << 20


def drive(lanes, what, names):
    """Runs each, two at a time; returns how many, how many of them are mended, and what went wrong.

    The soak runs each in all modes and mends all; the short form runs each in one, and mends every third.
    """
    chance = random.Random(SEED)
    rounds = [(name, mode, SOAK or chance.random() < 0.2)
              for name in names for mode in (MODES if SOAK else [chance.choice(MODES)])]

    def one(row):
        place = lanes.get()
        try:
            what(place, *row)
        except Exception as error:  # noqa: BLE001: all of them are told at the end
            return ["%s (%s): %s: %s" % (*row[:2], type(error).__name__, error)]
        finally:
            lanes.put(place)
        return []

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = sum(pool.map(one, rounds), [])
    return len(rounds), sum(row[2] for row in rounds), wrong


def test_a_revision_that_fails_changes_nothing(lanes):
    names = [name for name, case in FAILS.items() if SOAK or not case.more.get("soak")]
    tried, mended, wrong = drive(lanes, fails, names)
    score("migrations that fail: %d of %d kinds, %d mended and run again; live byte for byte as it was, told truly, and at "
          "the head after mending: %d", tried, len(names), mended, tried - len(wrong))
    assert not wrong, "\n\n".join(wrong)


def test_a_revision_that_behaves_oddly_and_works_is_committed(lanes):
    tried, _, wrong = drive(lanes, works, list(WORKS))
    score("migrations that are odd and work: %d, at the head with every row: %d", tried, tried - len(wrong))
    assert not wrong, "\n\n".join(wrong)


def test_alembic_alone_leaves_the_database_half_changed(lanes):
    """The control: the same revision, run on live as Alembic does by itself."""
    place = lanes.get()
    try:
        stall = Stall(place, "raises after five operations", "delete")
        before = lab.database_files(stall.project.database)
        ran = subprocess.run([str(place / ".venv/bin/python"), "-m", "alembic", "upgrade", "head"], cwd=place,
                             env=lab.environment(), capture_output=True, text=True)
        assert ran.returncode and "the tale breaks off" in ran.stderr
        assert lab.database_files(stall.project.database) != before and stall.project.rows() == ["a1"]
    finally:
        lanes.put(place)
