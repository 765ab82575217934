# SPDX-License-Identifier: MIT
"""The tracer itself, on programs of the system."""
import subprocess
import sys

import pytest

import faults
import tracer

pytestmark = pytest.mark.skipif(bool(tracer.is_possible()), reason=str(tracer.is_possible()))
WRITER = "import os, sys; fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); print(os.write(fd, b'x' * 1000))"


def traced(tmp_path, *options, code=WRITER):
    ran = subprocess.run([sys.executable, str(faults.TRACER), *options, "--log", str(tmp_path / "log"), sys.executable,
                          "-S", "-E", "-c", code, str(tmp_path / "file")], stdout=subprocess.PIPE, timeout=30)
    calls = [call for call in tracer.read(tmp_path / "log") if str(tmp_path / "file") in call["paths"]]
    return ran, calls


def test_calls_are_written_down_with_their_data(tmp_path):
    ran, calls = traced(tmp_path)
    assert (ran.returncode, ran.stdout) == (0, b"1000\n")
    assert [(call["call"], call["result"] >= 0) for call in calls] == [("openat", True), ("write", True)]
    assert calls[1]["data"] == b"x" * 1000 and calls[1]["at"] == 0 and calls[0]["ino"] == calls[1]["ino"]


def test_a_killed_call_is_not_obeyed(tmp_path):
    ran, calls = traced(tmp_path, "--kill", "self", "--at", "1", "--name", "openat", "--path", "file")
    assert ran.returncode == 128 + 9 and not (tmp_path / "file").exists() and calls[-1]["hit"]


def test_a_failed_call_is_not_obeyed(tmp_path):
    ran, calls = traced(tmp_path, "--fail", "ENOSPC", "--at", "1", "--name", "write", "--path", "file")
    assert ran.returncode == 1 and (tmp_path / "file").read_bytes() == b"" and calls[-1]["result"] == -28


def test_a_short_write_writes_half(tmp_path):
    ran, _ = traced(tmp_path, "--short", "--at", "1", "--name", "write", "--path", "file")
    assert ran.stdout == b"500\n" and (tmp_path / "file").stat().st_size == 500


def test_an_error_that_stays_hits_every_later_call(tmp_path):
    code = ("import os, sys\nfor name in 'abc':\n try: os.mkdir(sys.argv[1] + name)\n"
            " except OSError as error: print(name, error.errno)\n")
    log = tmp_path / "log"
    ran = subprocess.run([sys.executable, str(faults.TRACER), "--fail", "EROFS", "--on", "--at", "2", "--name", "mkdir",
                          "--log", str(log), sys.executable, "-S", "-E", "-c", code, str(tmp_path / "file")],
                         stdout=subprocess.PIPE, timeout=30)
    assert ran.stdout == b"b 30\nc 30\n" and [path.name for path in tmp_path.glob("file*")] == ["filea"]


def test_another_program_is_let_go(tmp_path):
    code = "import subprocess, sys; subprocess.run(['/bin/mkdir', sys.argv[1]], check=True)"
    ran, calls = traced(tmp_path, code=code)
    assert ran.returncode == 0 and (tmp_path / "file").is_dir() and not calls
    assert "execve" in {call["call"] for call in tracer.read(tmp_path / "log")}
