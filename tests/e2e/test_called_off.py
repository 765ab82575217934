# SPDX-License-Identifier: MIT
"""Signals and terminals: an orderly end, nothing alive afterwards, and the same command goes on."""
import os
import signal
import subprocess
import time

import pytest

import lab


def waiting(project, more=""):
    """A run that stands in an own step, which waits for its gate."""
    project.write("wait.py", more + lab.GATE)
    project.recipe("steps:\n  wait: {run: [python, wait.py], needs: [venv], creates: [here]}\n")
    return project


def goes_on(project):
    done = lab.finished(project)
    project.open_gate()
    lab.resume(project).is_status(0)
    assert not done & set(project.ran())
    assert project.rows() == ["c3"]
    lab.assert_clean(project)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("whom", ["process", "group"])
def test_a_signal_ends_the_run_in_order(small, signum, whom):
    run = waiting(small).start().until_file("here")
    os.kill(run.pid, signum) if whom == "process" else os.killpg(run.pid, signum)
    ended = run.ended(60).is_status(128 + signum)
    assert not lab.survivors(small)
    assert small.journal("SELECT outcome, exit_status FROM run") == [("cancelled", 128 + signum)]
    assert "athanor install" in ended.err
    assert small.states()["wait"] == "cancelled"
    goes_on(small)


def test_ctrl_c_in_a_migration_leaves_the_database_as_it_was(small):
    small.stored("a1")
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n" +
                   lab.GATE.replace("@ROOT@", repr(str(small.root))))
    before = lab.database_files(small.database)
    run = small.start().until_file("here")
    os.killpg(run.pid, signal.SIGINT)
    ended = run.ended(60).is_status(130)
    assert lab.database_files(small.database) == before
    assert "unchanged" in ended.err
    goes_on(small)


STUBBORN = "import signal\nfor one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n" \
           "    signal.signal(one, signal.SIG_IGN)\n"


def test_a_second_ctrl_c_ends_at_once_what_does_not_want_to_end(small):
    run = waiting(small, STUBBORN).start().until_file("here")
    os.killpg(run.pid, signal.SIGINT)
    time.sleep(0.3)
    assert run.process.poll() is None, "the first one leaves time to end"
    since = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    run.ended(60).is_status(130)
    assert time.monotonic() - since < 4
    goes_on(small)


def test_what_does_not_want_to_end_is_killed_after_a_while(small):
    run = waiting(small, STUBBORN).start().until_file("here")
    os.kill(run.pid, signal.SIGTERM)
    run.ended(60).is_status(143)
    assert not lab.survivors(small)


def shell(project, redirections, *arguments):
    return subprocess.run(["sh", "-c", 'exec "$@" ' + redirections, "sh", lab.ATHANOR, "install", *arguments,
                           str(project.root)], env=lab.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=lab.LONG)


@pytest.mark.parametrize("output, redirections", [
    ("plain", ">&-"), ("plain", "2>&-"), ("plain", "<&-"), ("plain", "<&- >&- 2>&-"), ("plain", ">/dev/full"),
    ("plain", "2>/dev/full"), ("json", "<&- >&- 2>&-")])
def test_a_closed_or_full_standard_stream_does_no_harm(small, redirections, output):
    small.stored("a1")
    shell(small, redirections, "--output", output)
    assert small.rows() == ["c3"] and small.stories() == ["one", "two", "three"]
    assert small.journal("PRAGMA integrity_check") == [("ok",)]
    assert small.journal("SELECT outcome FROM run") == [("succeeded",)]
    assert lab.query(small.database, "PRAGMA integrity_check") == [("ok",)]


def test_a_reader_that_has_gone_does_no_harm(small):
    small.stored("a1")
    subprocess.run(["sh", "-c", '"$0" install -v "$1" 2>&1 | head -0', lab.ATHANOR, str(small.root)],
                   env=lab.environment(), stdin=subprocess.DEVNULL, timeout=lab.LONG)
    lab.wait_for(lambda: not lab.survivors(small), "the end of the run")
    lab.wait_for(lambda: small.journal("SELECT outcome FROM run") == [("succeeded",)], "the end of the run")
    assert small.rows() == ["c3"]


def test_a_terminal_that_goes_away_ends_the_run_in_order(small):
    pid, master = lab.on_terminal(waiting(small), "--yes")
    try:
        lab.wait_for(lambda: small.path("here").exists(), "the step")
    finally:
        os.close(master)
    assert lab.status_of(pid) == 129
    assert not lab.survivors(small)
    goes_on(small)


def test_on_a_terminal_it_asks_once_and_no_means_that_nothing_is_done(small):
    pid, master = lab.on_terminal(small)
    said = lab.read_until(master, b"[y/N]")
    assert "preflight" in said and "[y/N]" in said
    os.write(master, b"n\n")
    lab.read_until(master, b"nothing was done")
    assert lab.status_of(pid) == 3
    os.close(master)
    assert not small.database.exists() and small.journal("SELECT count(*) FROM run") == [(0,)]


def test_on_a_terminal_yes_goes_ahead(small):
    pid, master = lab.on_terminal(small)
    lab.read_until(master, b"[y/N]")
    os.write(master, b"y\n")
    lab.read_until(master, b"is installed")
    assert lab.status_of(pid) == 0
    os.close(master)
    assert small.rows() == ["c3"]


def test_ctrl_c_on_a_terminal_is_the_kernels_own_signal(small):
    pid, master = lab.on_terminal(waiting(small), "--yes")
    lab.wait_for(lambda: small.path("here").exists(), "the step")
    os.write(master, b"\x03")
    lab.read_until(master, b"next:")
    assert lab.status_of(pid) == 130
    os.close(master)
    goes_on(small)


def test_an_ignored_hangup_stays_ignored(small):
    """As under nohup: the run goes on when the terminal is gone."""
    waiting(small)
    run = small.start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)).until_file("here")
    os.killpg(run.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert run.process.poll() is None
    small.path("open").touch()
    run.ended(60).is_status(0)
