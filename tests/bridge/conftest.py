# SPDX-License-Identifier: MIT
"""Runs bridge.py as athanor does, with the oldest and the newest Alembic, on small projects."""
import ast
import fcntl
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "src" / "bridge" / "bridge.py"
FIXTURES = ROOT / "tests" / "fixtures"
CACHE = pathlib.Path(os.environ.get("ATHANOR_TEST_CACHE") or ROOT / "build" / "test-cache")
VENVS = {
    "oldest": ["alembic==1.8.1", "sqlalchemy==1.4.46", "aiosqlite", "greenlet"],
    "newest": ["alembic", "sqlalchemy", "aiosqlite", "greenlet"],
}


def venv_python(name):
    """The interpreter of a cached virtual environment, which is made when it is first asked for."""
    requirements, base = VENVS[name], os.environ.get("ATHANOR_TEST_PYTHON") or sys.executable
    key = hashlib.sha256(json.dumps([os.path.realpath(base), requirements]).encode()).hexdigest()[:12]
    place = CACHE / ("bridge-%s-%s" % (name, key))
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(str(place) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "ready").exists():
            subprocess.run([base, "-m", "venv", "--clear", str(place)], check=True)
            subprocess.run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet",
                            "--disable-pip-version-check"] + requirements, check=True)
            (place / "ready").touch()
    return str(place / "bin" / "python")


def kahani_files():
    """Id and path of each revision of the kahani fixture, in the order of the chain."""
    found = {}
    for path in (FIXTURES / "kahani" / "backend" / "alembic" / "versions").glob("*.py"):
        names = {}
        for line in path.read_text().splitlines():
            if line.startswith(("revision = ", "down_revision = ")):
                names[line.split()[0]] = ast.literal_eval(line.split("=")[1].strip())
        found[names["down_revision"]] = {"id": names["revision"], "path": str(path)}
    files, at = [], None
    while at in found:
        files.append(found[at])
        at = found[at]["id"]
    return files


class Outcome:
    """What one run of the bridge said and how it ended."""

    def __init__(self, status, replies, output):
        self.status = status
        self.events = [json.loads(line) for line in replies.splitlines()]
        self.output = output

    def of(self, name):
        return [event for event in self.events if event["event"] == name]

    def one(self, name):
        found = self.of(name)
        assert len(found) == 1, (name, self.events, self.output)
        return found[0]

    @property
    def error(self):
        assert not self.of("end"), self.events
        return self.one("error")

    @property
    def ended(self):
        return bool(self.events) and self.events[-1]["event"] == "end"

    def succeeded(self):
        assert self.ended and self.status == 0 and not self.of("error"), (self.events, self.output)
        return self


class Project:
    """An application with an Alembic environment, a live database and a clone of it, in one directory."""

    def __init__(self, root, python):
        self.root, self.python = root, python
        self.app = root / "app"
        self.live = self.app / "live.db"
        self.clone = root / "clone.db"
        self.variables = {}
        self.extra = {}
        (self.app / "migrations" / "versions").mkdir(parents=True)
        self.ini()

    def write(self, name, text, **values):
        path = self.app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text).replace("@LIVE@", str(self.live))
        path.write_text(text)
        return path

    def ini(self, more="", url=None):
        url = url or "sqlite:///%s" % self.live
        self.write("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n"
                   "sqlalchemy.url = %s\n%s\n" % (url, textwrap.dedent(more)))

    def env(self, text):
        self.write("migrations/env.py", text)

    def revision(self, ident, down=None, upgrade="pass", head=""):
        body = textwrap.indent(textwrap.dedent(upgrade), "    ").replace("@LIVE@", str(self.live))
        self.write("migrations/versions/%s.py" % ident,
                   "import sqlalchemy as sa\nfrom alembic import op\nrevision = %r\ndown_revision = %r\n%s\n"
                   "def upgrade():\n%s\n" % (ident, down, textwrap.dedent(head), body))

    def psycopg2(self):
        """A driver that says when it is used."""
        self.write("psycopg2/__init__.py", "paramstyle, Error, __version__ = 'pyformat', OSError, '2.9.9'\n"
                   "def connect(*args, **more): print('CONNECTED')\n")
        self.write("psycopg2/extensions.py", "")
        self.write("psycopg2/extras.py", "")

    def database(self, *statements):
        """Makes the live database and its clone."""
        connection = sqlite3.connect(str(self.live))
        for statement in statements or ("CREATE TABLE story (id INTEGER PRIMARY KEY, title TEXT)",):
            connection.execute(statement)
        connection.commit()
        connection.close()
        self.clone.write_bytes(self.live.read_bytes())

    def request(self, commands):
        return dict({"ini": str(self.app / "alembic.ini"), "pyproject": None, "section": "alembic",
                     "cwd": str(self.app), "live": str(self.live),
                     "clone": str(self.clone) if self.clone.exists() else None,
                     "commands": commands}, **self.extra)

    def run(self, *commands, without=()):
        """Carries commands out; `without` names nets that are switched off for the test."""
        request, replies = self.root / "request.json", self.root / "replies"
        request.write_text(json.dumps(self.request(list(commands))))
        program = [str(BRIDGE)]
        if without:
            switch = self.root / "switch.py"
            switch.write_text("import importlib.util, sys\n"
                              "spec = importlib.util.spec_from_file_location('bridge', %r)\n"
                              "bridge = importlib.util.module_from_spec(spec)\n"
                              "spec.loader.exec_module(bridge)\n"
                              "for name in %r: del bridge.NETS[name]\n"
                              "bridge.main()\n" % (str(BRIDGE), list(without)))
            program = [str(switch)]
        environment = dict(os.environ, REPLIES=str(replies), **self.variables)
        environment.pop("PYTHONPATH", None)
        shell = ["sh", "-c", 'exec "$@" 3>"$REPLIES" </dev/null', "sh"]
        ran = subprocess.run(shell + [self.python, "-B"] + program + [str(request)],
                             env=environment, cwd=str(self.root), timeout=60, universal_newlines=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return Outcome(ran.returncode, replies.read_text(), ran.stdout)

    def tables(self, path=None):
        found = self.query("SELECT name FROM sqlite_master WHERE type = 'table'", path)
        return sorted(row[0] for row in found)

    def query(self, statement, path=None):
        connection = sqlite3.connect(str(path or self.clone))
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def columns(self, table, path=None):
        return [row[1] for row in self.query("PRAGMA table_info(%s)" % table, path)]

    def fingerprint(self):
        """Everything in the application's directory that could be a database, byte by byte."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.app.rglob("live.db*"))}


@pytest.fixture(scope="session", params=sorted(VENVS))
def python(request):
    return venv_python(request.param)


@pytest.fixture
def project(tmp_path, python):
    made = Project(tmp_path, python)
    made.env(PLAIN)
    return made


@pytest.fixture
def chain(project):
    """A live database with a story table and three revisions to go."""
    project.database()
    project.revision("a1", None, "op.add_column('story', sa.Column('mood', sa.Text()))")
    project.revision("b2", "a1", "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
    project.revision("c3", "b2", "op.add_column('note', sa.Column('text', sa.Text()))")
    return project


HEAD = """
from alembic import context
from sqlalchemy import create_engine, engine_from_config, pool
"""

ONLINE = """
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=globals().get("target_metadata"))
    with context.begin_transaction():
        context.run_migrations()
"""

PLAIN = HEAD + """
section = context.config.get_section(context.config.config_ini_section)
if context.is_offline_mode():
    context.configure(url=section["sqlalchemy.url"], target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
""" + textwrap.indent(ONLINE, "    ")

HARD_CODED = HEAD + "engine = create_engine('sqlite:///@LIVE@')\n" + ONLINE

CREATOR = HEAD + """
import sqlite3
engine = create_engine("sqlite://", creator=lambda: sqlite3.connect("@LIVE@"), poolclass=pool.NullPool)
""" + ONLINE

SERVER = HEAD + """
url = "postgresql+psycopg2://me:hunter2@db.example/stories"
if context.is_offline_mode():
    context.configure(url=url, version_table="v", dialect_opts={"paramstyle": "named"})
    context.run_migrations()
else:
    engine = create_engine(url)
    try:
        engine.connect()
    except Exception:
        print("RETRIED")
"""

ASYNC = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

def work(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def online():
    engine = create_async_engine("sqlite+aiosqlite:///@LIVE@")
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

asyncio.run(online())
"""

MODELS = """
import sqlalchemy as sa
names = {"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
metadata = sa.MetaData(naming_convention=names)
story = sa.Table("story", metadata, sa.Column("id", sa.Integer, primary_key=True),
                 sa.Column("title", sa.Text), sa.Column("scenario", sa.Text))
tag = sa.Table("tag", metadata, sa.Column("id", sa.Integer, primary_key=True),
               sa.Column("name", sa.String(20), unique=True))
"""

WITH_MODELS = HEAD + """
from models import metadata as target_metadata
engine = create_engine("sqlite:///@LIVE@")
""" + ONLINE
