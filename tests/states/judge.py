# SPDX-License-Identifier: MIT
"""Puts a row of the state table before the program and says all that is not as the row wants it."""
import contextlib
import pathlib
import shutil
import sqlite3
import subprocess

import lab
from table import SAME

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = {"clean": "kahani", "flawed": "kahani_flawed"}
PACKAGES = ("alembic", "sqlalchemy", "python-dotenv")

# The part of the example's recipe that is about its database; the environment is there.
RECIPE = """\
athanor: 1
name: kahani
python: {venv: .venv}
database:
  alembic: backend/alembic.ini
  url: sqlite:///backend/data/kahani.db
  init: {run: [python, init_database.py], in: backend}
"""

# What the data steps of the chain may change in rows that were there.
CHANGED = {"users": {"is_admin", "is_approved", "approved_at", "allow_nsfw"},
           "user_settings": {"color_theme", "scene_container_style"}}


class Workshop:
    """One environment for all copies of the application, and the databases of the states."""

    def __init__(self, place):
        self.place = place
        (place / "first").mkdir()
        wanted = [line for line in (lab.FIXTURES / "kahani/backend/requirements.txt").read_text().split()
                  if line.startswith(PACKAGES)]
        lab.make_venv(place / "first/.venv", *wanted)
        for chain in FOLDERS:
            self.copy_backend(chain, place / ("made-" + chain))

    def copy_backend(self, chain, folder):
        shutil.copytree(lab.FIXTURES / FOLDERS[chain] / "backend", folder / "backend",
                        ignore=shutil.ignore_patterns("requirements.txt", "data", "__pycache__"))

    def make(self, chain, shape):
        """Makes the snapshots; returns their folder."""
        states = self.place / ("states-%s-%s" % (chain, shape))
        states.mkdir()
        python = str(self.place / "first/.venv/bin/python")
        ran = subprocess.run([python, "-B", str(HERE / "make_states.py"), shape, chain, str(states)],
                             cwd=self.place / ("made-" + chain) / "backend", env=lab.environment(), text=True,
                             capture_output=True)
        assert ran.returncode == 0, ran.stderr
        return states

    def lane(self, chain, name):
        """A copy of the application in which rows are judged one after the other."""
        root = self.place / ("lane-%s-%s" % (chain, name))
        self.copy_backend(chain, root)
        subprocess.run([lab.PYTHON, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
        packages, = self.place.glob("first/.venv/lib/python3*/site-packages")
        own, = root.glob(".venv/lib/python3*/site-packages")
        (own / "shared.pth").write_text("%s\n" % packages)
        (root / "backend/data").mkdir()
        (root / "athanor.yaml").write_text(RECIPE)
        return Lane(chain, root)


class Contents:
    """What people have in a database: all rows of all tables, by column."""

    def __init__(self, path):
        self.tables, self.rows, self.is_readable = {}, None, False
        with contextlib.suppress(sqlite3.DatabaseError):
            self.read(path)
            self.is_readable = True

    def read(self, path):
        names = [row[0] for row in lab.query(path, "SELECT name FROM sqlite_schema WHERE type = 'table' "
                                             "AND name NOT LIKE 'sqlite%'")]
        for name in names:
            columns = [row[1] for row in lab.query(path, "PRAGMA table_info(%s)" % name)]
            self.tables[name] = (columns, lab.query(path, "SELECT * FROM %s ORDER BY 1" % name))
        columns, rows = self.tables.pop("alembic_version", (None, []))
        self.rows = sorted(row[0] for row in rows)

    def lost(self, after):
        """What of it is not in the other one."""
        for name, (columns, rows) in self.tables.items():
            if name.startswith("_alembic_tmp_"):
                continue
            if name not in after.tables:
                if rows:
                    yield "table %s is gone" % name
                continue
            there, others = after.tables[name]
            if len(others) != len(rows):
                yield "%s has %d rows instead of %d" % (name, len(others), len(rows))
                continue
            for column in set(columns) & set(there) - CHANGED.get(name, set()):
                if [row[columns.index(column)] for row in rows] != [row[there.index(column)] for row in others]:
                    yield "%s.%s holds other values" % (name, column)


class Lane:
    """One copy of the application; one row at a time."""

    def __init__(self, chain, root):
        self.chain, self.root, self.project = chain, root, lab.Project(root)
        self.path = self.project.database = root / "backend/data/kahani.db"
        self.wrong = []

    def no(self, text, *values):
        self.wrong.append(text % values if values else text)

    def run(self, *arguments):
        ended = lab.athanor(*arguments, self.root)
        if "Sanitizer" in ended.err or "runtime error" in ended.err:
            self.no("%s: %s", arguments[0], ended)
        return ended

    def make(self, row, states):
        shutil.rmtree(self.root / ".athanor", ignore_errors=True)
        row.make(states, self.path)

    def looks(self, row):
        """inspect says what the row says; inspect, plan and status change nothing."""
        before = lab.database_files(self.path)
        said = self.run("inspect", "--json")
        if not said.out.startswith("{"):
            return self.no("inspect: %s", said)
        found = (said.json["revision"]["verdict"], said.json["decision"], said.json["revision"]["inferred"])
        if found != (row.verdict, row.decision, row.inferred):
            self.no("inspect says %s: %s", found, said.json["revision"]["reason"])
        for command in ("plan", "status"):
            self.run(command)
        if lab.database_files(self.path) != before:
            self.no("a look changed the database")

    def acts(self, row, command, *arguments):
        """The command ends as the row says, and loses nothing."""
        status, rows = row.expected(command, self.chain)
        files, before = lab.database_files(self.path), Contents(self.path)
        with row.around(self.path) if row.around else contextlib.nullcontext():
            ended = self.run(command, *arguments)
        if ended.status != status:
            self.no("%s: exit status %s instead of %s: %s", command, ended.status, status, ended.last_lines)
        if rows == SAME:
            if lab.database_files(self.path) != files:
                self.no("%s changed the file: %s", command, ended.last_lines)
            return
        after = Contents(self.path)
        if after.rows != rows:
            self.no("%s left the rows %s instead of %s: %s", command, after.rows, rows, ended.last_lines)
        for text in before.lost(after):
            self.no("%s: %s", command, text)
        if lab.query(self.path, "PRAGMA integrity_check") != [("ok",)]:
            self.no("%s left a damaged file", command)

    def shows(self, row, command):
        if row.expected(command, self.chain)[1] == SAME:
            return
        for query, wanted in row.shows:
            found = lab.query(self.path, query)
            if found != wanted:
                self.no("after %s: %s gives %s instead of %s", command, query, found, wanted)

    def repairs(self, row, twice=True):
        self.acts(row, "repair", "--lock-timeout", "1")
        self.shows(row, "repair")
        if row.expected("repair", self.chain)[1] == SAME or self.wrong or not twice:
            return
        files = lab.database_files(self.path)
        ended = self.run("repair")
        if ended.status or lab.database_files(self.path) != files:
            self.no("a second repair: %s", ended)

    def installs(self, row):
        self.acts(row, "install", "--lock-timeout", "1")
        if row.expected("install", self.chain)[0] == 0:
            current = self.project.current("backend")
            if "(head)" not in current:
                self.no("alembic says that it is at %r", current)

    def judge(self, row, states, with_install, twice):
        """All that is wrong; an empty list: the program does what the row says."""
        self.wrong = []
        self.make(row, states)
        with row.around(self.path) if row.around else contextlib.nullcontext():
            self.looks(row)
        self.repairs(row, twice)
        if with_install:
            self.make(row, states)
            self.installs(row)
        return self.wrong
