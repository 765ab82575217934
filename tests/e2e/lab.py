# SPDX-License-Identifier: MIT
"""What the tests of whole installations share: the program, small projects, processes, databases."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
ATHANOR = os.environ.get("ATHANOR") or str(ROOT / "build" / "release" / "athanor")
SANITIZED = b"__asan_init" in pathlib.Path(ATHANOR).read_bytes() if os.path.exists(ATHANOR) else False
PYTHON = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
LONG = 240 if SANITIZED else 120  # seconds after which a run hangs
DROPPED = ("ATHANOR", "DATABASE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "BOOKSHELF", "TASKLIST", "UV_")


def environment(**changes):
    """The environment of a run: the operator's, without what would steer the application or us."""
    made = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    made.update(PATH=os.path.dirname(PYTHON) + os.pathsep + os.environ["PATH"], LC_ALL="C.UTF-8",
                PYTHONDONTWRITEBYTECODE="")
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


class Ended:
    """How a run ended and what it said."""

    def __init__(self, status, out, err, seconds=0.0):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __repr__(self):
        return "exit status %s\n--- stdout\n%s\n--- stderr\n%s" % (self.status, self.out, self.err)

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def last_lines(self):
        return "\n".join(self.err.splitlines()[-14:])

    def is_status(self, status):
        assert self.status == status, "wanted exit status %s: %r" % (status, self)
        assert "Sanitizer" not in self.err and "runtime error" not in self.err, self
        return self


def athanor(*arguments, env=None, cwd=None, timeout=LONG, program=(), stdin=subprocess.DEVNULL):
    """Runs the program to its end."""
    since = time.monotonic()
    ran = subprocess.run([*program, ATHANOR, *map(str, arguments)], env=environment(**(env or {})),
                         cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=timeout)
    return Ended(ran.returncode, ran.stdout.decode("utf-8", "replace"),
                 ran.stderr.decode("utf-8", "replace"), time.monotonic() - since)


# ---- processes ----

def wait_for(condition, what, seconds=60):
    """Waits until the condition says something true, which it returns."""
    until = time.monotonic() + (2 * seconds if SANITIZED else seconds)
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("waited in vain for " + what)


def on_terminal(project, *arguments, command="install"):
    """A run as the leader of a terminal's session: its process and our end of the terminal."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execve(ATHANOR, [ATHANOR, command, *arguments, str(project.root)], environment())
        finally:
            os._exit(127)
    return pid, master


def read_until(master, text):
    said = b""
    until = time.monotonic() + 60
    while text not in said and time.monotonic() < until:
        try:
            said += os.read(master, 4096)
        except OSError:
            break
    return said.decode("utf-8", "replace")


def status_of(pid):
    def is_over():
        ended, status = os.waitpid(pid, os.WNOHANG)
        return [os.waitstatus_to_exitcode(status)] if ended else None
    return wait_for(is_over, "the end of the run", 60)[0]


def children_of(pid):
    try:
        return [int(word) for word in pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()]
    except OSError:
        return []


def processes_with(entry):
    """The processes that carry an entry in their environment, as {pid: command line}."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if entry.encode() in (folder / "environ").read_bytes().split(b"\0") and \
                    not re.search(r"^State:\s+Z", (folder / "status").read_text(), re.M):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def peak_memory(pid):
    """The largest resident size of a process so far, in KiB."""
    return int(re.search(r"^VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text(), re.M)[1])


class Started:
    """A run that is at work; in a session of its own, as a shell starts it."""

    def __init__(self, project, *arguments, env=None, output="json", command="install", program=(), **more):
        self.project = project
        self.out, self.err = project.beside("out"), project.beside("err")
        more.setdefault("stdin", subprocess.DEVNULL)
        for path in (self.out, self.err):  # a killed run may still be writing into its own
            path.unlink(missing_ok=True)
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            more.setdefault("stdout", out)
            more.setdefault("stderr", err)
            self.process = subprocess.Popen(
                [*program, ATHANOR, command, "--output", output, *map(str, arguments), str(project.root)],
                env=environment(**(env or {})), start_new_session=True, **more)
        self.pid = self.process.pid

    @property
    def events(self):
        lines = self.err.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def saw(self, step, state):
        return [event for event in self.events if event.get("step") == step and event.get("state") == state]

    def until(self, step, state="running"):
        def is_there():
            assert self.process.poll() is None or self.saw(step, state), self.ended()
            return self.saw(step, state)
        wait_for(is_there, "step %s to be %s" % (step, state))
        return self

    def until_file(self, name):
        def is_there():
            assert (self.project.root / name).exists() or self.process.poll() is None, self.ended()
            return (self.project.root / name).exists()
        wait_for(is_there, name)
        return self

    @property
    def orchestrator(self):
        return wait_for(lambda: children_of(self.pid), "the orchestrator")[0]

    def kill(self, who):
        """Kills at once: the process group, the orchestrator, the warden, or both of them."""
        orchestrator = self.orchestrator
        if who == "group":
            os.killpg(self.pid, signal.SIGKILL)
        if who in ("warden", "both"):
            os.kill(self.pid, signal.SIGKILL)
        if who in ("orchestrator", "both"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(orchestrator, signal.SIGKILL)
        self.process.wait(30)
        return self

    def ended(self, timeout=LONG):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill("both")
            raise AssertionError("the run hangs: " + self.err.read_text(errors="replace")) from None
        return Ended(status, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"))


# ---- files ----

def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def database_files(path):
    """The database and what SQLite keeps beside it, byte by byte (the -shm is a cache, not contents)."""
    path = pathlib.Path(path)
    return {one.name: sha256(one) for one in sorted(path.parent.glob(path.name + "*"))
            if not one.name.endswith("-shm") and one.stat().st_size}


def tree(root, without=()):
    """Every file below a folder with its contents."""
    found = {}
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if os.path.join(folder, name) not in
                    {os.path.join(root, one) for one in without} and name != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = os.readlink(path) if os.path.islink(path) else sha256(path)
    return found


def query(path, statement, *values):
    connection = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def execute(path, *statements):
    connection = sqlite3.connect(str(path), isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


# ---- projects ----

INI = """
[alembic]
script_location = migrations
prepend_sys_path = .
sqlalchemy.url = %s
"""

ENV_PY = """
import os, pathlib, sys
from alembic import context
from sqlalchemy import create_engine, pool

here = pathlib.Path(__file__).resolve().parents[1]
url = @URL@
target_metadata = @METADATA@

if context.is_offline_mode():
    context.configure(url=url, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
"""

FROM_INI = 'context.config.get_main_option("sqlalchemy.url")'
FROM_ENVIRONMENT = 'os.environ.get("DATABASE_URL") or "sqlite:///%s/app.db" % here'

RECIPE = """
athanor: 1
name: small
python: {venv: .venv}
"""

# Says that it has come here, and goes on when the gate is open (or after two minutes).
GATE = """
import os, pathlib, time
gate = pathlib.Path(@ROOT@)
(gate / "here").write_text(os.environ.get("ATHANOR_RUN", ""))
for _ in range(12000):
    if (gate / "open").exists():
        break
    time.sleep(0.01)
"""

STORIES = ("CREATE TABLE story (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
           "INSERT INTO story (title) VALUES ('one'), ('two'), ('three')")
MOOD = ("ALTER TABLE story ADD COLUMN mood TEXT",)
HEAD = STORIES + MOOD + ("CREATE TABLE note (id INTEGER PRIMARY KEY)",)
SCHEMAS = {"b2": STORIES + MOOD, "c3": HEAD}     # of the small project's revisions; any other row: STORIES
VERSION_TABLE = ("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                 "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))")


class Project:
    """An application's folder. What it is made of is written by the tests."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.database = self.root / "app.db"

    def beside(self, name):
        return self.root.parent / (self.root.name + "." + name)

    def path(self, name):
        return self.root / name

    def write(self, name, text, mode=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n").replace("@ROOT@", repr(str(self.root))))
        if mode:
            path.chmod(mode)
        return path

    def read(self, name):
        return (self.root / name).read_text()

    def ini(self, url=None, more=""):
        self.write("alembic.ini", INI % (url or "sqlite:///%s" % self.database) + textwrap.dedent(more))

    def env_py(self, url=FROM_INI, metadata="None", before=""):
        self.write("migrations/env.py",
                   textwrap.dedent(before) + ENV_PY.replace("@URL@", url).replace("@METADATA@", metadata))

    def revision(self, ident, down=None, upgrade="pass", file=None, head=""):
        body = textwrap.indent(textwrap.dedent(upgrade).strip("\n"), "    ")
        self.write("migrations/versions/%s.py" % (file or ident),
                   "import sqlalchemy as sa\nfrom alembic import op\nrevision = %r\ndown_revision = %r\n%s\n"
                   "def upgrade():\n%s\n\n\ndef downgrade():\n    pass\n"
                   % (ident, down, textwrap.dedent(head), body))

    def recipe(self, more="", database="database: {alembic: alembic.ini}", head=RECIPE):
        self.write("athanor.yaml", head + textwrap.dedent(database).strip("\n") + "\n" + textwrap.dedent(more))

    def alembic(self):
        """An application with three revisions and no database yet."""
        self.ini()
        self.env_py()
        self.revision("a1", None, "op.create_table('story', sa.Column('id', sa.Integer, primary_key=True), "
                                  "sa.Column('title', sa.Text, nullable=False))")
        self.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))")
        self.revision("c3", "b2", "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
        self.recipe()
        return self

    def stored(self, *rows, wal=False, path=None, tables=None):
        """A database with stories, at the revisions that the rows of its version table say."""
        path = path or self.database
        tables = SCHEMAS.get(rows[-1] if rows else None, STORIES) if tables is None else tables
        execute(path, *(["PRAGMA journal_mode=WAL"] if wal else []), *tables, VERSION_TABLE,
                *("INSERT INTO alembic_version VALUES ('%s')" % row for row in rows))
        return path

    def install(self, *arguments, **more):
        return athanor("install", *arguments, self.root, **more)

    def start(self, *arguments, **more):
        return Started(self, *arguments, **more)

    def journal(self, statement, *values):
        return query(self.root / ".athanor" / "journal.db", statement, *values)

    @property
    def marks(self):
        return [row[0] for row in self.journal("SELECT mark FROM run ORDER BY id")]

    def ran(self, run=-1):
        """The steps that were started in a run, in their order."""
        mark = self.marks[run]
        return [row[0] for row in self.journal(
            "SELECT step FROM transition JOIN run ON run.id = transition.run "
            "WHERE mark = ? AND state = 'running' AND attempt = 1 ORDER BY transition.id", mark)]

    def states(self, run=-1):
        """The last state of every step in a run."""
        return dict(self.journal("SELECT step, state FROM transition JOIN run ON run.id = transition.run "
                                 "WHERE mark = ? ORDER BY transition.id", self.marks[run]))

    def open_gate(self):
        (self.root / "here").unlink(missing_ok=True)
        (self.root / "open").touch()

    def rows(self):
        return sorted(row[0] for row in query(self.database, "SELECT version_num FROM alembic_version"))

    def stories(self):
        return [row[0] for row in query(self.database, "SELECT title FROM story ORDER BY id")]

    def columns(self, table="story"):
        return [row[1] for row in query(self.database, "PRAGMA table_info(%s)" % table)]

    def current(self, folder=".", env=None):
        """What Alembic itself says of the database."""
        ran = subprocess.run([str(self.root / ".venv/bin/python"), "-m", "alembic", "current"],
                             cwd=self.root / folder, env=environment(**(env or {})), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.split("\n")[0].strip()


def survivors(project, before=None):
    """The processes of all runs up to now that are still alive."""
    found = {}
    for mark in before if before is not None else project.marks:
        found.update(processes_with("ATHANOR_RUN=" + mark))
    return found


def resume(project, *arguments, **more):
    """Types the command again and looks, as its first step begins, whether anything of before is alive."""
    before = project.marks
    run = project.start(*arguments, **more)
    wait_for(lambda: run.events or run.process.poll() is not None, "the first event")
    alive = survivors(project, before)
    ended = run.ended()
    assert not alive, alive
    return ended


def finished(project, run=-1):
    """The steps of a run whose success is for good: not what looks (detect), nor parts of the section."""
    section = {"init", "backup", "repair", "migrate", "commit", "detect"}
    return {step for step, state in project.states(run).items() if state == "succeeded"} - section


def assert_clean(project):
    """Nothing of a run is left over: no process, no copy, no half-made file."""
    assert not survivors(project)
    left = [str(path) for path in project.root.rglob("*") if ".venv" not in path.parts and
            "node_modules" not in path.parts and
            (path.name.startswith("clone.db") or ".athanor-" in path.name or ".broken-" in path.name)]
    left += [str(path) for path in project.root.glob(".venv.broken-*")]
    assert not left, left


# ---- shared places, made once ----

def make_venv(folder, *packages):
    subprocess.run([PYTHON, "-m", "venv", str(folder)], check=True, env=environment())
    if packages:
        subprocess.run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *packages],
                       check=True, env=environment())


def save(folder, archive):
    subprocess.run(["tar", "-C", str(folder), "-cf", str(archive), "."], check=True)


def restore(archive, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(folder), "-xf", str(archive)], check=True)
    return folder


def empty(folder, keep):
    """Removes everything in a folder but one entry."""
    for entry in folder.iterdir():
        if entry.name == keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
