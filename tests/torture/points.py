# SPDX-License-Identifier: MIT
"""Installations that are killed, or made to fail, at a numbered point of a test build (src/base/failpoint.h)."""
import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import lab

ATHANOR = os.environ.get("ATHANOR_SANITIZED") or str(lab.ROOT / "build" / "check" / "athanor")
HAS_POINTS = os.path.exists(ATHANOR) and b"ATHANOR_FAILPOINT_LOG" in pathlib.Path(ATHANOR).read_bytes()
WITHOUT = (".venv", ".athanor")     # folders that are not the user's own files
ROWS = 200                          # acknowledged ones, of several kinds
ALWAYS = re.compile(r"live\.commit|db\.backup_end\S* \S*app\.db$|vfs\.\w+ app\.db|file\.rename\S* app\.db$|journal\.run/after end")

Point = collections.namedtuple("Point", "role number name detail")


def read_log(path):
    """The points that were passed, in their order."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        role, _, number, name, detail = line.split(" ", 4)
        found.append(Point(role, int(number), name, detail))
    return found


def last_pid(path, role):
    """The last process of a role that has passed a point."""
    pids = [int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(role + " ")]
    return pids[-1] if pids else None


def kind(point):
    """What a point is, without what is another in each run: 'vfs.write app.db-journal'."""
    detail = os.path.basename(point.detail) if "/" in point.detail else point.detail
    return "%s %s" % (point.name, re.sub(r"[0-9a-f]{16,}|\b\d+ events|\b\d+-\d+$", "*", detail))


def address(point, passed):
    """How the environment names this point of a run, in any run: 'orchestrator/vfs.write@app.db-journal:3'."""
    pieces = re.split(r"[0-9a-f]{16,}|[:,]|\b\d+ events", os.path.basename(point.detail))
    text = max(pieces, key=len) if point.detail != "-" else ""
    same = [one for one in passed if one[:3:2] == point[:3:2] and text in one.detail]
    return "%s/%s%s:%d" % (point.role, point.name, "@" + text if text else "", same.index(point) + 1)


# ---- scenarios ----

def stored(project, row, wal, tables=None):
    """A database with acknowledged rows; with WAL, a crash of the application has left frames in it."""
    made = project.beside("made.db")
    for old in project.root.parent.glob(made.name + "*"):
        old.unlink()
    project.stored(row, wal=wal, path=made, tables=tables)
    connection = sqlite3.connect(str(made), isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("BEGIN")
    for number in range(ROWS):
        connection.execute("INSERT INTO story (title) VALUES (?)", (["row %d" % number, number, b"\0\xff" * number,
                                                                     "\N{SNOWMAN}\n'%d" % number][number % 4],))
    connection.execute("COMMIT")
    for path in project.root.parent.glob(made.name + "*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, project.root / path.name.replace(made.name, "app.db"))
    connection.close()


def fresh(project, wal):
    if wal:
        project.database.touch()    # an empty file is filled by the same commit as an upgrade
    return [project.root]


def upgrade(project, wal):
    stored(project, "a1", wal)
    return [project.root]


def repair(project, wal):
    stored(project, "c3", wal, tables=lab.STORIES)
    return [project.root]


def restore(project, wal):
    """Back to the state before an upgrade, which is really made."""
    stored(project, "a1", wal)
    subprocess.run([ATHANOR, "install", str(project.root)], env=lab.environment(), stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return [project.marks[-1][:8], "-C", project.root]


# `prepare` makes the state before and says what is typed behind the command.
Scenario = collections.namedtuple("Scenario", "name command prepare wal")
SCENARIOS = [
    Scenario("fresh", "install", fresh, False),
    Scenario("fresh-empty-file", "install", fresh, True),
    Scenario("upgrade-delete", "install", upgrade, False),
    Scenario("upgrade-wal", "install", upgrade, True),
    Scenario("repair-delete", "repair", repair, False),
    Scenario("repair-wal", "repair", repair, True),
    Scenario("restore-delete", "restore", restore, False),
    Scenario("restore-wal", "restore", restore, True),
]


# ---- what a database holds ----

def contents(path):
    """Schema and rows, by SQLite's own recovery on a copy; None: there is none, or nothing in it."""
    path = pathlib.Path(path)
    if not path.exists() or not path.stat().st_size:
        return None
    with tempfile.TemporaryDirectory(dir=path.parent.parent) as folder:
        for tail in ("", "-wal", "-journal"):
            beside = path.with_name(path.name + tail)
            if beside.exists():
                shutil.copy(beside, pathlib.Path(folder, path.name + tail))
        with contextlib.closing(sqlite3.connect(os.path.join(folder, path.name), isolation_level=None)) as connection:
            return read_contents(connection)


def read_contents(connection):
    try:
        return read_sound(connection)
    except sqlite3.DatabaseError:
        return "damaged"


def read_sound(connection):
    if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
        return "damaged"
    made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
    if not made:
        return None
    tables = [name for what, name, _, _ in made if what == "table"]
    rows = {name: connection.execute('SELECT * FROM "%s" ORDER BY 1' % name).fetchall() for name in tables}
    return made, rows, connection.execute("PRAGMA journal_mode").fetchone()


def database_bytes(path):
    """The database and its -wal, byte by byte; what a -journal means is told by the contents."""
    return {name: digest for name, digest in lab.database_files(path).items()
            if ".athanor-" not in name and not name.endswith("-journal")}


def stories(found):
    return found[1].get("story", []) if isinstance(found, tuple) else []


# ---- one copy of the application ----

class Ended(lab.Ended):
    """How a run ended, the points that it passed and the file that tells them."""

    def __init__(self, status, out, err, log):
        super().__init__(status, out, err)
        self.log, self.points = log, read_log(log)


class Lane:
    """A copy of the small application in which one case after the other is tried."""

    def __init__(self, root):
        self.root = root
        self.project = lab.Project(root)

    def make(self, scenario):
        lab.empty(self.root, keep=".venv")
        self.project.alembic()
        self.project.ini("sqlite:///%(here)s/app.db")      # the same text in every lane
        self.arguments = [str(one) for one in scenario.prepare(self.project, scenario.wal)]

    def spawn(self, command, tag, *arguments, **env):
        """Starts a run whose words and points go into files."""
        paths = [self.root.parent / ("%s.%s" % (tag, name)) for name in ("out", "err", "log")]
        for path in paths:
            path.unlink(missing_ok=True)
        with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
            process = subprocess.Popen([ATHANOR, command, *arguments, *self.arguments], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, start_new_session=True,
                                       env=lab.environment(ATHANOR_FAILPOINT_LOG=str(paths[2]), **env))
        return process, paths

    def ended(self, process, paths):
        try:
            process.wait(lab.LONG)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError("a run hangs: %s" % paths[1].read_text(errors="replace")) from None
        return Ended(process.returncode, paths[0].read_text(errors="replace"),
                     paths[1].read_text(errors="replace"), paths[2])

    def run(self, command, *arguments, tag="run", **env):
        return self.ended(*self.spawn(command, tag, *arguments, **env))

    def resume(self, command, **env):
        """Types the command again; what of earlier runs is alive when its first step begins?"""
        marks = self.marks()
        process, paths = self.spawn(command, "resume", "--output", "json", **env)
        lab.wait_for(lambda: b"{" in paths[1].read_bytes() or process.poll() is not None, "the first event")
        alive = lab.survivors(self.project, marks)
        return self.ended(process, paths), alive

    def marks(self):
        try:
            return self.project.marks
        except sqlite3.Error:
            return []       # it was killed before there was a journal

    def wait_for_orchestrator(self, ended):
        """The warden is dead: the other one ends its children, then itself."""
        pid = last_pid(ended.log, "orchestrator")
        if pid:
            lab.wait_for(lambda: is_gone(pid), "the orchestrator to end")
        ended.points = read_log(ended.log)

    def files(self):
        """The user's files, without what SQLite keeps beside the database: after a kill that is for its next writer."""
        beside = {"app.db-shm", "app.db-wal", "app.db-journal"}
        return {name: digest for name, digest in lab.tree(self.root, without=WITHOUT).items() if name not in beside}

    def written(self):
        """When the user's files were written last, and which they are."""
        found = {}
        for name in self.files():
            stat = (self.root / name).lstat()
            found[name] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        return found


def is_gone(pid):
    try:
        return re.search(r"^State:\s+Z", pathlib.Path("/proc/%d/status" % pid).read_text(), re.M)
    except OSError:
        return True
