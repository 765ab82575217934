# SPDX-License-Identifier: MIT
"""The journal, the lock, and folders that cannot be written."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import lab


def journal(project):
    return project.path(".athanor/journal.db")


def untouched(project, before):
    """The journal has no other bytes than before."""
    assert lab.sha256(journal(project)) == before


@pytest.mark.parametrize("command", ["install", "plan", "status"])
def test_a_journal_of_a_newer_version_is_refused_by_name(small, command):
    small.install().is_status(0)
    lab.execute(journal(small), "PRAGMA user_version = 1000", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = lab.sha256(journal(small))
    small.database.unlink()
    ended = lab.athanor(command, small.root).is_status(1)
    assert "journal.db" in ended.err and "newer" in ended.err
    untouched(small, before)
    assert not small.database.exists()


@pytest.mark.parametrize("command", ["install", "plan", "status"])
@pytest.mark.parametrize("fault", ["text", "pages"])
def test_a_damaged_journal_is_refused_by_name(small, command, fault):
    small.install().is_status(0)
    lab.execute(journal(small), "PRAGMA wal_checkpoint(TRUNCATE)")
    if fault == "text":
        journal(small).write_text("this is no journal " * 500)
    else:
        with open(journal(small), "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (journal(small).stat().st_size - 4096))
    before = lab.sha256(journal(small))
    ended = lab.athanor(command, small.root).is_status(1)
    assert "journal.db" in ended.err
    untouched(small, before)


def test_after_a_damaged_journal_was_moved_aside_everything_is_looked_at_again(small):
    small.install().is_status(0)
    for file in small.path(".athanor").glob("journal.db*"):
        file.unlink()
    before = lab.database_files(small.database)
    small.install().is_status(0)
    assert lab.database_files(small.database) == before
    assert "nothing to do" in small.install().is_status(0).out


def test_a_state_folder_elsewhere_keeps_everything_but_the_lock(small, tmp_path):
    state = tmp_path / "state"
    small.install("--state-dir", state).is_status(0)
    assert (state / "journal.db").exists()
    assert {path.name for path in small.path(".athanor").iterdir()} <= {"lock", "state-dir", ".gitignore"}
    ended = small.install("--state-dir", state).is_status(0)
    assert "nothing to do" in ended.out
    assert small.install().is_status(0).out == ended.out, "it is remembered where the state is"


# ---- two at once ----

def waiting(project):
    project.write("wait.py", lab.GATE)
    project.recipe("steps:\n  wait: {run: [python, wait.py], needs: [venv], creates: [here]}\n")
    return project.start().until_file("here")


def test_a_second_run_waits_and_then_finds_nothing_to_do(small):
    first = waiting(small)
    second = subprocess.Popen([lab.ATHANOR, "install", str(small.root)], env=lab.environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = second.stderr.readline()
        assert "another run is at work" in line and "at step '" in line, line
    finally:
        small.path("open").touch()
    first.ended().is_status(0)
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 0 and "nothing to do" in out
    assert len(small.marks) == 2 or small.journal("SELECT sum(repeats) FROM run") != [(0,)]


def test_without_patience_it_names_who_holds_the_lock(small):
    first = waiting(small)
    ended = small.install("--lock-timeout", "0").is_status(75)
    named = int(re.search(r"process (\d+)", ended.err)[1])
    assert named in (first.pid, first.orchestrator)
    said = lab.athanor("status", small.root).is_status(0).out
    assert "at work" in said
    small.path("open").touch()
    first.ended().is_status(0)


def test_plan_and_log_answer_while_a_run_is_at_work(small):
    first = waiting(small)
    assert lab.athanor("plan", small.root).status == 0
    assert "running" in lab.athanor("log", "-C", small.root).is_status(0).out
    small.path("open").touch()
    first.ended().is_status(0)


# ---- rights ----

@pytest.fixture
def others():
    """A folder that another user can enter, with the program in it."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="athanor-others-"))
    place.chmod(0o755)
    shutil.copy(lab.ATHANOR, place / "athanor")
    (place / "app").mkdir(mode=0o755)
    yield place
    shutil.rmtree(place)


def as_other(place, *arguments):
    program = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    ran = subprocess.run([*program, str(place / "athanor"), *arguments], env=lab.environment(HOME=str(place)), cwd="/",
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         timeout=60)
    return lab.Ended(ran.returncode, ran.stdout, ran.stderr)


def test_a_folder_that_may_not_be_written_is_refused_by_name(others):
    project = lab.Project(others / "app").alembic()
    before = lab.tree(project.root)
    project.root.chmod(0o555)
    ended = as_other(others, "install", str(project.root))
    project.root.chmod(0o755)
    ended.is_status(1)
    assert ".athanor" in ended.err and "ermission" in ended.err
    assert lab.tree(project.root) == before


def test_a_plan_needs_no_right_to_write(others):
    project = lab.Project(others / "app").alembic()
    project.root.chmod(0o555)
    ended = as_other(others, "plan", str(project.root))
    project.root.chmod(0o755)
    assert "preflight" in ended.is_status(0).out


def test_a_state_folder_of_somebody_else_is_refused_by_name(others):
    project = lab.Project(others / "app").alembic()
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    project.path(".athanor").mkdir(mode=0o700)
    as_other(others, "install", str(project.root)).is_status(1)
    assert list(project.path(".athanor").iterdir()) == []
