# SPDX-License-Identifier: MIT
"""Several at once on one target: installers, other commands, and the application itself that goes on working."""
import concurrent.futures
import contextlib
import random
import subprocess
import sys

import pytest

import lab
from conftest import SEED, SOAK, score

# Inserts numbered rows and writes down each one whose commit has returned; reads in between.
APPLICATION = """
import pathlib, sqlite3, sys
path, ledger, stop, keeps = sys.argv[1], open(sys.argv[2], "a", buffering=1), pathlib.Path(sys.argv[3]), sys.argv[4] == "keeps"
number, busy, connection = 0, 0, None
print("ready", flush=True)
while not stop.exists():
    try:
        connection = connection or sqlite3.connect(path, timeout=0.05)
        with connection:
            connection.execute("INSERT INTO story (title) VALUES (?)", ("row %d" % number,))
        ledger.write("row %d\\n" % number)
        number += 1
        assert connection.execute("SELECT count(*) FROM story").fetchone()[0] >= number
    except sqlite3.OperationalError as error:
        assert "locked" in str(error), error
        busy += 1
    if not keeps and connection:
        connection.close()
        connection = None
"""


def test_eight_installers_at_once_do_the_work_once(small):
    small.stored("a1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: small.install("--lock-timeout", "120"), range(8)))
    assert [one.status for one in ended] == [0] * 8, ended
    worked = [mark for mark, outcome in small.journal("SELECT mark, outcome FROM run") if outcome == "succeeded"]
    started = small.journal("SELECT step, count(*) FROM transition WHERE state = 'running' GROUP BY step")
    assert len(worked) == 1 and {count for _, count in started} == {1}, (worked, started)
    assert small.rows() == ["c3"] and sum("nothing to do" in one.out for one in ended) == 7
    assert any("another run is at work (process" in one.err for one in ended), ended


def renewed(small):
    lab.empty(small.root, keep=".venv")
    small.alembic()
    small.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///app.db'}")
    small.stored("a1")


def test_every_command_at_once(small):
    """Those that only look see one state or the other; those that work do it once."""
    commands = ["install", "repair", "plan", "status", "inspect", "log", "revisions", "install"]
    rounds = 60 if SOAK else 1
    for number in range(rounds):
        renewed(small)
        order = random.Random(SEED + number).sample(commands, len(commands))

        def one(command):
            more = ("--lock-timeout", "120") if command in ("install", "repair") else ()
            where = {"cwd": small.root} if command == "log" else {}
            return command, lab.athanor(command, *more, *([] if where else [small.root]), **where)

        with concurrent.futures.ThreadPoolExecutor(len(order)) as pool:
            ended = list(pool.map(one, order))
        for command, one in ended:
            may_fail = command in ("log", "status")     # of a run that is just beginning there may be nothing to tell
            assert one.status == 0 or may_fail and one.status == 1 and "athanor" in one.err, (SEED, order, ended)
        assert small.rows() == ["c3"] and small.stories() == ["one", "two", "three"], (SEED, order, ended)
        assert small.journal("SELECT count(*) FROM run WHERE outcome = 'died' OR outcome IS NULL") == [(0,)]
        lab.assert_clean(small)
    score("every command at once: %d rounds of %d, all of them told a true state", rounds, len(commands))


@contextlib.contextmanager
def application(small, keeps):
    """The application at work; gives the list of the rows that it was told are stored, complete at the end."""
    ledger, stop, acknowledged = small.beside("ledger"), small.beside("stop"), []
    ledger.unlink(missing_ok=True)
    stop.unlink(missing_ok=True)
    child = subprocess.Popen([sys.executable, "-c", APPLICATION, str(small.database), str(ledger), str(stop), keeps],
                             stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        yield acknowledged
    finally:
        stop.touch()
        assert child.wait(30) == 0
        acknowledged += ledger.read_text().splitlines()


@pytest.mark.parametrize("wal", [False, True], ids=["delete", "wal"])
@pytest.mark.parametrize("keeps", ["keeps", "opens"])
def test_no_row_of_an_application_that_goes_on_is_lost(small, wal, keeps):
    """It was not stopped, as it should be: it is locked out for the upgrade, or the upgrade does not begin."""
    rounds, upgraded, rows = (125 if SOAK else 1), 0, 0
    for _ in range(rounds):
        renewed(small)
        if wal:
            lab.execute(small.database, "PRAGMA journal_mode=WAL")
        with application(small, keeps) as acknowledged:
            ended = small.install("--lock-timeout", "1")
        stories = set(small.stories())
        lost = [row for row in acknowledged if row not in stories]
        assert not lost and acknowledged and {"one", "two", "three"} <= stories, (len(lost), ended)
        assert ended.status in (0, 75), ended
        assert small.rows() == (["c3"] if ended.status == 0 else ["a1"]), ended
        if ended.status:
            assert "database: unchanged" in ended.err and "mood" not in small.columns(), ended
        upgraded += ended.status == 0
        rows += len(acknowledged)
        small.install().is_status(0)
        assert small.rows() == ["c3"] and set(small.stories()) == stories
    assert not (wal and keeps == "keeps" and upgraded)      # an open connection in WAL mode always stops it
    score("an application that goes on (%s, %s): %d upgrades tried, %d done, %d acknowledged rows, 0 lost",
          "wal" if wal else "delete", "connection kept" if keeps == "keeps" else "opened for each row", rounds, upgraded, rows)
