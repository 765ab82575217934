# SPDX-License-Identifier: MIT
"""Honest outcomes: exit status, last lines, journal and the database itself say the same, and the next command runs."""
import collections
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess

import lab
import pytest

SOAK = bool(os.environ.get("ATHANOR_SOAK"))
GOOD = "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))"
BY_STATUS = {0: "succeeded", 1: "failed", 3: "refused", 4: "failed", 75: "failed", 143: "cancelled"}
Case = collections.namedtuple("Case", "status state prepare mend answer", defaults=[None, None, None])


def migration(text):
    return lambda small: small.revision("c3", "b2", text)


def recipe(more):
    return lambda small: small.recipe(more)


@contextlib.contextmanager
def locked(small):
    """By another process: whoever opens and closes the file in the one that holds the lock drops it."""
    code = ("import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('BEGIN EXCLUSIVE')\nprint('ready', flush=True)\nsys.stdin.read()\n")
    with subprocess.Popen([lab.PYTHON, "-c", code, small.database], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "ready\n"
        yield
        holder.stdin.close()


@contextlib.contextmanager
def unknown(small):
    lab.execute(small.database, "UPDATE alembic_version SET version_num = 'unheard'")
    yield
    lab.execute(small.database, "UPDATE alembic_version SET version_num = 'a1'")


@contextlib.contextmanager
def read_only(small):
    small.database.chmod(0o600)
    subprocess.run(["chattr", "+i", small.database], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", small.database], check=True)


OVEN = "steps:\n  bake: {run: [sh, -c, 'echo cold; exit 3'], needs: [verify]}\n"
CASES = {
    "upgrade": Case(0, "upgraded"),
    "raises": Case(1, "unchanged", migration("raise RuntimeError('the tale breaks off')")),
    "rows_lost": Case(3, "unchanged", migration("op.execute('DELETE FROM story')"), answer="--allow-row-loss"),
    "leaves": Case(1, "unchanged", migration("import os\nos._exit(0)")),
    "left_over": Case(1, "unchanged", migration("op.create_table('_alembic_tmp_x', sa.Column('id', sa.Integer))")),
    "locked": Case(75, "unchanged", locked),
    "unknown": Case(3, "unchanged", unknown),
    "read_only": Case(1, "unchanged", read_only),
    "after_the_commit": Case(1, "upgraded", recipe(OVEN), recipe("")),
    "called_off": Case(143, "unchanged", migration("import time\nopen('started', 'w').close()\ntime.sleep(60)")),
}

SHORT = ("upgrade", "rows_lost", "locked", "after_the_commit", "called_off")   # the others stand in the zoo, too


def words(ended):
    """What the last lines say: the outcome, the database's state, the next command."""
    first = re.findall(r"^athanor: (failed|refused|cancelled|\S+ is installed)", ended.out + ended.err, re.M)[-1]
    state = re.findall(r"^  database: (\w[\w-]*)", ended.err, re.M)
    following = re.findall(r"^  next:     (.+?)   \(", ended.err, re.M)
    return "succeeded" if "installed" in first else first, state[-1] if state else None, \
        following[-1] if following else None


def run(small, name):
    if name == "called_off":
        begun = small.start(output="plain")
        lab.wait_for(small.path("started").exists, "the migration")
        begun.process.send_signal(signal.SIGTERM)
        return begun.ended()
    return small.install("--lock-timeout", "0", "--no-input")


@pytest.mark.parametrize("wal", [False, True] if SOAK else [False], ids=["delete", "wal"][:1 + SOAK])
@pytest.mark.parametrize("name", CASES if SOAK else SHORT)
def test_all_that_is_said_is_true(small, name, wal):
    case = CASES[name]
    if name == "read_only" and not (shutil.which("chattr") and is_immutable_possible(small)):
        pytest.skip("no file can be made immutable here")
    small.stored("a1", wal=wal)
    with contextlib.ExitStack() as stack:
        made = case.prepare(small) if case.prepare else None
        if hasattr(made, "__enter__"):
            stack.enter_context(made)
        before = lab.database_files(small.database)
        ended = run(small, name)
        changed = lab.database_files(small.database) != before
    outcome, state, following = words(ended)
    assert ended.status == case.status and outcome == BY_STATUS[ended.status], ended
    recorded = small.journal("SELECT outcome, exit_status, database FROM run ORDER BY id DESC LIMIT 1")[0]
    assert recorded[:2] == (outcome, ended.status) and (recorded[2] or "unchanged") == case.state, (recorded, ended)
    assert state == (case.state if ended.status else None), ended
    assert changed == (case.state == "upgraded"), ended
    said = lab.athanor("status", "--json", small.root).json
    assert said["outcome"] == outcome, said
    if following:
        go_on(small, case, following)


def go_on(small, case, following):
    """The cause is mended, or the answer given; then the command that was printed is typed as it stands."""
    typed = shlex.split(following)
    assert (case.answer in typed) if case.answer else not any(word.startswith("--a") for word in typed), typed
    if not case.answer and "c3" in small.read("migrations/versions/c3.py"):
        small.revision("c3", "b2", GOOD)
    if case.mend:
        case.mend(small)
    lab.athanor(*typed[1:]).is_status(0)
    assert small.rows() == ["c3"] and "nothing to do" in small.install().is_status(0).out


def is_immutable_possible(small):
    small.write("probe", "")
    probe = small.path("probe")
    possible = subprocess.run(["chattr", "+i", probe], stderr=subprocess.DEVNULL, check=False).returncode == 0
    subprocess.run(["chattr", "-i", probe], stderr=subprocess.DEVNULL, check=False)
    probe.unlink()
    return possible
