# SPDX-License-Identifier: MIT
"""Runs of the program that are disturbed at one system call, and what must be true after each of them."""
import fcntl
import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile

import lab
import tracer

TRACER = pathlib.Path(tracer.__file__)

# What the kernel may answer to a call, with the errors after which the same call may well succeed behind a `~`.
WRITE = ("EIO", "ENOSPC", "EDQUOT", "~EINTR", "~short")
NAME = ("EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS")
OPEN = ("EIO", "EMFILE", "ENFILE", "EACCES", "~EINTR")
ERRORS = {
    "write": WRITE, "pwrite64": WRITE, "ftruncate": ("EIO", "ENOSPC", "~EINTR"), "fsync": ("EIO", "ENOSPC", "EDQUOT"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT"), "openat": OPEN, "open": OPEN, "rename": NAME, "renameat2": NAME,
    "link": NAME, "unlink": ("EIO", "EACCES", "EROFS"), "unlinkat": ("EIO", "EACCES", "EROFS"), "mkdir": NAME,
    "chmod": ("EIO", "EPERM", "EROFS"), "fchmod": ("EIO", "EPERM", "EROFS"), "fchown": ("EIO", "EPERM", "EROFS"),
    "lchown": ("EIO", "EPERM", "EROFS"), "flock": ("EIO", "ENOLCK", "~EINTR"), "fcntl": ("EIO", "ENOLCK", "~EINTR"),
    "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"), "execve": ("EACCES", "ENOMEM"),
    "pipe2": ("EMFILE", "ENFILE"), "epoll_create1": ("EMFILE",), "eventfd2": ("EMFILE",), "read": ("EIO", "~EINTR"),
    "pread64": ("EIO", "~EINTR"), "getdents64": ("EIO",), "statfs": ("EIO",), "mmap": ("ENOMEM",),
}


class Fault:
    """What is done to a run, and at which of its calls."""

    def __init__(self, call, kill=None, error=None, on=False):
        self.at, self.name = call["n"], call["call"]
        self.kill, self.error, self.on = kill, error, on

    def __str__(self):
        how = "kill %s" % self.kill if self.kill else "%s%s" % (self.error, " from there on" if self.on else "")
        return "%s at call %d, %s" % (how, self.at, self.name)

    def options(self):
        where = ["--at", str(self.at), "--name", self.name]
        if self.kill:
            return ["--kill", self.kill, *where]
        how = ["--short"] if self.error == "short" else ["--fail", self.error]
        return ["--reading", *how, *(["--on"] if self.on else []), *where]


def traced(project, *options, arguments=(), command="install", **more):
    """A run under the tracer: how it ended, and the calls of athanor's own processes."""
    log = project.beside("calls")
    log.unlink(missing_ok=True)
    ended = lab.athanor(command, *arguments, project.root, timeout=lab.LONG,
                        program=(sys.executable, str(TRACER), *options, "--log", str(log)), **more)
    return ended, tracer.read(log)


# ---- what is in a database ----

def contents(path):
    """Everything in a database, logically; what a crash left is rolled back on a copy."""
    path = pathlib.Path(path)
    if not path.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        for tail in ("", "-journal", "-wal"):
            if os.path.exists(str(path) + tail):
                shutil.copyfile(str(path) + tail, "%s/copy.db%s" % (scratch, tail))
        return read_contents(scratch + "/copy.db")


def read_contents(path):
    """The same of a database that may be changed by recovery. A damaged one is told in words."""
    connection = sqlite3.connect(str(path))
    try:
        sound = connection.execute("PRAGMA integrity_check").fetchall()
        if sound != [("ok",)]:
            return "damaged: %s" % sound[:3]
        schema = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
        rows = {name: sorted(map(repr, connection.execute('SELECT * FROM "%s"' % name)))
                for kind, name, _ in schema if kind == "table"}
        return {"schema": schema, "rows": rows, "mode": connection.execute("PRAGMA journal_mode").fetchone()[0]}
    except sqlite3.DatabaseError as error:
        return "damaged: %s" % error
    finally:
        connection.close()


# ---- what must be true ----

def is_live(project, record):
    """Does a call write to the live database or to what SQLite keeps beside it?"""
    return record["call"] in ("pwrite64", "write", "ftruncate", "unlink", "rename", "renameat2", "link") and \
        any(path.startswith(str(project.database)) and "athanor-" not in path for path in record["paths"][-1:])


def lock_is_free(project):
    try:
        fd = os.open(project.path(".athanor/lock"), os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def marks(project):
    """The marks of all runs that the journal knows, if there is one."""
    try:
        return project.marks
    except sqlite3.Error:
        return []
