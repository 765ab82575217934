# SPDX-License-Identifier: MIT
"""
bridge: drives Alembic through an application's own env.py, with every connection forced onto a clone.

Life.  Embedded in athanor, run as `python -B bridge.py REQUEST.json` by the application's interpreter (Python
3.8 and newer; Alembic 1.8, SQLAlchemy 1.4 and newer).  The request names the ini file, the working directory,
the clone, the live database and a list of commands, carried out in order in this one process.  The first one
that fails ends it.  Nothing is installed, patched on disk or left behind.

Protocol.  Replies are JSON objects, one a line, on descriptor 3; stdout and stderr belong to the application
and go to a log.  The last line of a success is {"event": "end"}, after the application's exit handlers.
Without it the run has failed, whatever the exit status: 1 after an error, 70 after a net was torn, anything
when the application ended the process itself.  An error is {"event": "error", "command", "revision", "kind",
"schema", "message", "where"}; a "note" is for people and changes nothing.

Beside this file lie its modules: effects.py, notes.py, operations.py and tables.py, and identifiers.py, which read revision
files and import nothing of the application.  They are loaded when `effects` or `identifiers` is asked for, under names of
their own.

Looking (heads, target, effects) lets no connection out at all: SQLite is answered by an empty database in memory, any
other system by a stop, so no file is made, not even the empty one that merely opening SQLite makes.

Nets.  Everything else works on the clone.  Five nets keep it there; each holds alone, which the tests show.
  1  the caller's: environment variables that name the database name the clone
  2  connect    SQLAlchemy's do_connect event gives each engine a connection to the clone instead
  3  proof      the pool's connect event compares device and inode of each new connection with the clone's
  4  migration  the function that Alembic asks for its steps proves the connection once more, before the first
                write (Alembic's own preparation of the version table is held back until then)
  5  the caller's: live is locked exclusively meanwhile
and one more for code that goes past SQLAlchemy: `audit` refuses sqlite3.connect() of the live path.  A torn
net ends the process at once: an exception could be swallowed by the code that is being watched.
"""
import argparse
import asyncio
import atexit
import gc
import importlib.util
import inspect
import json
import os
import re
import runpy
import sqlite3
import stat
import sys
import sysconfig
import threading
import time
import traceback
import urllib.parse
import warnings
from io import StringIO

CHANNEL = 3
EXIT_FAILED = 1
EXIT_TORN = 70
MEMORY = ":memory:"
OPENED = "athanor.opened"       # key in a pooled connection's info: the database that was asked for


class Trouble(Exception):
    """An expected failure, with the kind that the protocol names."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Stop(BaseException):
    """Ends a look at env.py; no Exception, so that a `wait until the database answers` loop does not spin."""


# ---- replies ----------------------------------------------------------------------------------------------

class Channel:
    """Descriptor 3. Writes only while it is still the one that we were given, and only in our own process."""

    def __init__(self):
        self.owner = os.getpid()
        os.set_inheritable(CHANNEL, False)
        self.identity = self._look()

    @staticmethod
    def _look():
        found = os.fstat(CHANNEL)
        return found.st_dev, found.st_ino, stat.S_IFMT(found.st_mode)

    def emit(self, event, **fields):
        # A child that the application forked comes here too if its exceptions unwind far enough.
        if os.getpid() != self.owner or self._look() != self.identity:
            os._exit(EXIT_TORN)
        line = json.dumps(dict(event=event, **fields), default=str).encode("ascii") + b"\n"
        while line:
            line = line[os.write(CHANNEL, line):]


def redacted(text):
    text = re.sub(r"(://[^:/@\s]*):[^\s/]*@", r"\1:***@", text)
    # as pydantic shows the settings that it was given, and as they would be typed
    text = re.sub(r"(?i)(['\"]\w*(?:password|passwd|passphrase|pwd|secret|token|key)\w*['\"]:\s*['\"])[^'\"]+",
                  r"\1***", text)
    return re.sub(r"(?i)\b((?:password|passwd|passphrase|pwd|secret|token)['\"]?\s*=\s*['\"]?)[^\s&'\",;]+",
                  r"\1***", text)


def one_line(text, limit=500):
    line = " ".join(redacted(str(text)).split())
    return line if len(line) <= limit else line[:limit - 3] + "..."


# ---- explaining a failure ---------------------------------------------------------------------------------

def cause_of(error):
    """The exception that a person has to know: the driver's own rather than SQLAlchemy's wrapping of it."""
    return getattr(error, "orig", None) or error


def message_of(error):
    if isinstance(error, (Trouble, Stop)):
        return one_line(error)
    if isinstance(error, SystemExit):
        return "the application ended the process with exit status %r" % (error.code,)
    cause = cause_of(error)
    name = type(cause).__qualname__
    if type(cause).__module__ not in ("builtins", "alembic.util.exc"):
        name = "%s.%s" % (type(cause).__module__, name)
    return one_line("%s: %s" % (name, cause))


def kind_of(error, session):
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError
    if isinstance(error, Trouble):
        return error.kind
    if session.revision is not None:
        return "migration"
    if isinstance(error, RevisionError) or isinstance(error.__cause__, RevisionError):
        return "revision"
    if isinstance(error, (ImportError, SyntaxError)):
        return "import"
    if isinstance(error, (DBAPIError, sqlite3.Error)):
        return "database"
    if isinstance(error, (SystemExit, KeyboardInterrupt)) or session.command == "run":
        return "script"
    if isinstance(error, CommandError) or where_of(error) is not None:
        return "config"
    return "internal"


def is_of_schema(error, session):
    """
    Has a revision met a database in which something is missing, or asked for what SQLite has not?

    Then its chain may begin on tables that create_all makes. Whatever else stopped it, a variable that is not set
    or a file that is not there, a database made by create_all would lack what the revisions put into it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if session.revision is None or not frames:
        return False
    if not re.search(r"[\\/](alembic|sqlalchemy)[\\/]", frames[-1].filename):
        return False
    cause = cause_of(error)
    return not isinstance(cause, sqlite3.Error) or (
        isinstance(cause, sqlite3.OperationalError) and
        not re.search(r"locked|disk|readonly|unable to open", str(cause)))


def is_application_file(name):
    library = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    if name.startswith("<") or os.path.realpath(name) == os.path.realpath(__file__):
        return False
    if re.search(r"[\\/](site|dist)-packages[\\/]", name):
        return False
    return not any(os.path.realpath(name).startswith(os.path.realpath(path) + os.sep) for path in library)


def where_of(error):
    """FILE:LINE of the innermost frame that is the application's own, or None."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s:%s" % (error.filename, error.lineno)
    return innermost(traceback.extract_tb(error.__traceback__))


def innermost(frames):
    own = [frame for frame in frames if is_application_file(frame.filename)]
    return "%s:%d" % (own[-1].filename, own[-1].lineno) if own else None


def stacks():
    """The stacks that led here, nearest first: our own, those of waiting greenlets, the main thread's."""
    yield traceback.extract_stack()
    greenlet = sys.modules.get("greenlet")
    waiting = greenlet.getcurrent().parent if greenlet else None
    while waiting is not None:
        yield traceback.extract_stack(waiting.gr_frame) if waiting.gr_frame else []
        waiting = waiting.parent
    yield traceback.extract_stack(sys._current_frames().get(threading.main_thread().ident))


# ---- databases and where they are -------------------------------------------------------------------------

def locate(database):
    """The real path that SQLite would open for a database argument; MEMORY where there is no file."""
    name = os.fsdecode(database) if database else ""
    if name.startswith("file:"):
        parts = urllib.parse.urlsplit(name)
        query = urllib.parse.parse_qs(parts.query)
        name = urllib.parse.unquote(parts.path)
        if "memory" in query.get("mode", ()):
            return MEMORY
    if name in ("", MEMORY):
        return MEMORY
    return os.path.realpath(name)


def identity(path):
    """Device and inode, or None when there is no such file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect_database(cargs, cparams):
    return cargs[0] if cargs else cparams.get("database", "")


def connect_to(dialect, cargs, cparams, path):
    """
    The connection that an engine would make, but to `path`: for a do_connect listener to return.

    The arguments are copied, for SQLAlchemy 1.4 keeps what a listener leaves in them for the next connection,
    and a connection that is returned cannot be changed by a listener of the application that comes later.
    """
    positional, keywords = list(cargs), dict(cparams)
    if positional:
        positional[0] = path
    if "database" in keywords or not positional:
        keywords["database"] = path
    if path.startswith("file:"):
        keywords["uri"] = True
    return dialect.connect(*positional, **keywords)


class Clone:
    """The one file that may be opened. Proofs are by device and inode, never by name."""

    def __init__(self, path, live):
        self.path = os.path.realpath(path)
        self.identity = identity(self.path)
        if self.identity is None:
            raise Trouble("net", "the clone %s does not exist" % self.path)
        if live is not None and self.identity == identity(live):
            raise Trouble("net", "the clone is the live database: %s" % self.path)

    def files_of(self, dbapi_connection):
        """Every file that is open in a DBAPI connection; the question itself reads no file."""
        cursor = dbapi_connection.cursor()
        try:
            cursor.execute("PRAGMA database_list")
            rows = cursor.fetchall()
        finally:
            cursor.close()
        files = [row["file"] if isinstance(row, dict) else row[2] for row in rows]
        return [os.fsdecode(name) for name in files if name]

    def doubt(self, dbapi_connection, memory_is_fine):
        """None if the connection reaches the clone and nothing else; otherwise what is wrong with it."""
        try:
            files = self.files_of(dbapi_connection)
        except Exception as error:
            return "cannot be shown to be the clone (%s)" % message_of(error)
        if not files:
            return None if memory_is_fine else "is a database in memory, not the clone"
        strangers = [name for name in files if identity(name) != self.identity]
        return "is open on %s, not on the clone" % ", ".join(strangers) if strangers else None

    def read(self, query, *values):
        """Rows as they are on the disk, seen by a connection that shares nothing with the application's."""
        uri = "file:%s?mode=ro" % urllib.parse.quote(self.path)
        connection = sqlite3.connect(uri, uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def has_table(self, name):
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        return bool(self.read(query, name))

    def version_rows(self, context):
        """The rows of the version table, sorted; None where there is no such table."""
        if context.version_table_schema not in (None, "main"):
            raise Trouble("config", "the version table is in schema %r, which SQLite has not"
                          % context.version_table_schema)
        if not self.has_table(context.version_table):
            return None
        name = context.version_table.replace('"', '""')
        return sorted(row[0] for row in self.read('SELECT version_num FROM "%s"' % name))


# ---- the session ------------------------------------------------------------------------------------------

class Session:
    """What is going on in this process: the request, the command and revision being run, the nets' state."""

    def __init__(self, request, channel):
        self.request = request
        self.emit = channel.emit
        self.command = None         # the name of the command being carried out
        self.revision = None        # the id of the revision being run
        self.looking = True         # heads, target: no connection is let out
        self.memory = MEMORY        # what answers while looking
        self.clone = None
        self.live = None            # real path
        self.asked = []             # looking: what the application wanted to open, in order
        self.redirected = set()     # paths that were not live, yet redirected: said once each
        self.prove_context = lambda context: None
        self.migrated = None        # the database that the first migration connection was asked for
        self.connections = []       # every DBAPI connection that is open in a pool
        self.project = None
        if request.get("live"):
            self.live = os.path.realpath(request["live"])
        if request.get("clone"):
            self.clone = Clone(request["clone"], self.live)

    def torn(self, net, message):
        """A net was torn. No exception: the code that caused it would be free to swallow that."""
        traceback.print_stack()
        where = next((place for place in map(innermost, stacks()) if place), None)
        self.emit("error", command=self.command, revision=self.revision, kind="net", net=net,
                  message=one_line(message), where=where)
        os._exit(EXIT_TORN)

    def is_live(self, path):
        if self.live is None or path == MEMORY:
            return False
        return path == self.live or (identity(path) is not None and identity(path) == identity(self.live))


# ---- nets -------------------------------------------------------------------------------------------------

def install_connect(session):
    """Net 2: whatever database an engine asks for, it is given a connection to the clone."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def redirect(dialect, record, cargs, cparams):
        if session.looking:
            return None
        if dialect.name != "sqlite":
            session.torn("connect", "a connection to %s was asked for, not to the clone" % dialect.name)
        asked = locate(connect_database(cargs, cparams))
        if asked == MEMORY:
            return None             # an application's auxiliary database; net 4 keeps migrations out of it
        if record is not None:
            record.info[OPENED] = asked
        known = session.live is None or session.is_live(asked) or asked == session.clone.path
        if not known and asked not in session.redirected:
            session.redirected.add(asked)
            session.emit("note", message="a connection to %s was redirected to the clone, too" % asked)
        return connect_to(dialect, cargs, cparams, session.clone.path)

    event.listen(Engine, "do_connect", redirect)


def install_proof(session):
    """Net 3: no new pooled connection is used before its file is proven, however it was made."""
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    def prove(dbapi_connection, record):
        if session.looking:
            return
        doubt = session.clone.doubt(dbapi_connection, memory_is_fine=True)
        if doubt:
            session.torn("proof", "a new connection " + doubt)

    # `connect` alone would come after the dialect's own first queries.
    event.listen(Pool, "first_connect", prove, insert=True)
    event.listen(Pool, "connect", prove, insert=True)


def install_migration(session):
    """Net 4: the connection that env.py gave to Alembic is proven before anything is written through it."""

    def prove(context):
        if context.connection is None:
            session.torn("migration", "env.py gave Alembic no connection")
        fairy = context.connection.connection
        dbapi_connection = getattr(fairy, "dbapi_connection", None) or fairy.connection
        doubt = session.clone.doubt(dbapi_connection, memory_is_fine=False)
        if doubt:
            session.torn("migration", "the connection of the migrations " + doubt)

    session.prove_context = prove


def install_audit(session):
    """The extra net: sqlite3.connect() of the live path, in any library's or migration's own code."""

    def hook(event, args):
        if event == "sqlite3.connect" and not session.looking and session.is_live(locate(args[0])):
            session.torn("audit", "sqlite3.connect() of the live database %s" % session.live)

    sys.addaudithook(hook)


NETS = {
    "connect": install_connect,
    "proof": install_proof,
    "migration": install_migration,
    "audit": install_audit,
}


def install_look(session):
    """While looking, no connection gets out; what was asked for is written down."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def answer(dialect, record, cargs, cparams):
        if not session.looking:
            return None
        asked = {"dialect": dialect.name, "driver": dialect.driver, "path": None, "raw": False}
        session.asked.append(asked)
        if dialect.name != "sqlite":
            keys = ("host", "port", "database", "dbname", "db", "user")
            asked["server"] = {key: cparams[key] for key in keys if key in cparams}     # never the password
            raise Stop("a connection to %s was asked for" % dialect.name)
        asked["path"] = locate(connect_database(cargs, cparams))
        if record is not None:
            record.info[OPENED] = asked["path"]
        return connect_to(dialect, cargs, cparams, session.memory)

    event.listen(Engine, "do_connect", answer)
    install_raw_look(session)


def install_raw_look(session):
    """The same for sqlite3.connect(), called by a creator= for instance; the hook sees what goes past it."""
    connect = sqlite3.connect

    def held_back(database):
        path = locate(database)
        harmless = session.live is not None and not session.is_live(path) and identity(path) is not None
        if not session.looking or path == MEMORY or harmless:
            return False
        session.asked.append({"dialect": "sqlite", "driver": "sqlite3", "path": path, "raw": True})
        return True

    def answer(database, *args, **more):
        return connect(MEMORY if held_back(database) else database, *args, **more)

    def hook(event, args):
        if event == "sqlite3.connect" and session.looking and held_back(args[0]):
            raise Stop("sqlite3.Connection(%s)" % locate(args[0]))

    sqlite3.connect = sqlite3.dbapi2.connect = answer
    sys.addaudithook(hook)


# ---- leaving nothing open ---------------------------------------------------------------------------------

def remember_connections(session):
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    def remember(dbapi_connection, record):
        session.connections.append(dbapi_connection)

    def forget(dbapi_connection, record):
        session.connections = [known for known in session.connections if known is not dbapi_connection]

    event.listen(Pool, "connect", remember)
    event.listen(Pool, "close", forget)
    event.listen(Pool, "close_detached", lambda dbapi_connection: forget(dbapi_connection, None))


def dispose(engine):
    if not getattr(engine.dialect, "is_async", False):
        engine.dispose()
        return
    from sqlalchemy.ext.asyncio import AsyncEngine
    # Not asyncio.run(): on older Pythons it takes the current loop away from the application's next env.py.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(AsyncEngine(engine).dispose(), 5))
    finally:
        loop.close()


def settle(session):
    """Closes what the application left open, so that the next command, or the caller, meets no lock."""
    from sqlalchemy.engine import Engine
    gc.collect()
    for engine in [found for found in gc.get_objects() if issubclass(type(found), Engine)]:
        try:
            dispose(engine)
        except Exception:
            traceback.print_exc()
    for left in session.connections:        # checked out and forgotten, by a session made at import
        try:
            left.rollback()
            left.close()
        except Exception:
            traceback.print_exc()
    session.connections = []


# ---- Flask-Migrate ----------------------------------------------------------------------------------------

def is_file(folder, name):
    return os.path.isfile(os.path.join(folder, name))


def asks_for_flask(script):
    """Does env.py take its database from the current Flask application, as Flask-Migrate's does?"""
    try:
        with open(os.path.join(script.dir, "env.py"), encoding="utf-8", errors="replace") as file:
            return bool(re.search(r"^[^#]*\bcurrent_app\b", file.read(), re.MULTILINE))
    except OSError:
        return False


def enter_flask(session):
    """
    Makes the application that `flask db upgrade` would find here the current one, until the process ends.

    What an application does to its database while it is made (create_all, its own upgrade) would spoil the
    migrations, or be done twice: it meets an empty database in memory. That is one for all its connections, for
    an application may read what it has just made.
    """
    from flask.cli import NoAppException, ScriptInfo, load_dotenv
    looking, asked = session.looking, session.asked
    session.looking, session.asked, session.memory = True, [], "file:athanor?mode=memory&cache=shared"
    keeper = sqlite3.connect(session.memory, uri=True)      # it lives as long as a connection to it
    sys.argv = ["flask", "db", "upgrade"]       # applications look here whether they are served or migrated
    if os.environ.get("FLASK_SKIP_DOTENV", "").lower() not in ("1", "true", "yes"):
        load_dotenv()
    try:
        app = ScriptInfo(os.environ.get("FLASK_APP")).load_app()
    except NoAppException as error:
        raise Trouble("config", "env.py asks for the current Flask application, which the `flask` command does not "
                      "find in %s; set FLASK_APP to MODULE or MODULE:FACTORY, in the environment or the env file (%s)"
                      % (os.getcwd(), one_line(error, 200))) from error
    app.app_context().push()
    settle(session)
    keeper.close()
    session.looking, session.asked, session.memory = looking, asked, MEMORY


# ---- the application's Alembic ----------------------------------------------------------------------------

class Project:
    """The application's Alembic environment, loaded as the `alembic` command line would load it."""

    def __init__(self, session):
        self.session = session
        self.trouble = None         # ours, raised in the middle of env.py
        self._script = None

    def config(self, *command):
        """Alembic's Config with the options that its command line would have made of `command`."""
        from alembic.config import CommandLine, Config
        request = self.session.request
        ini, toml = request.get("ini"), request.get("pyproject")
        if toml and "toml_file" not in inspect.signature(Config.__init__).parameters:
            if not ini:
                import alembic
                raise Trouble("config", "[tool.alembic] in %s needs Alembic 1.16 or newer, this is %s"
                              % (toml, alembic.__version__))
            toml = None
        files = [part for name in (ini, toml) if name for part in ("-c", name)]
        extra = [part for value in request.get("x") or () for part in ("-x", value)]
        section = request.get("section") or "alembic"
        sys.argv = ["alembic"] + files + ["-n", section] + extra + list(command)
        options = CommandLine(prog="alembic").parser.parse_args(sys.argv[1:])
        more = {"toml_file": toml} if toml else {}
        config = Config(ini, ini_section=section, cmd_opts=options, **more)
        beside = os.path.dirname(os.path.realpath(ini or toml))
        # Flask-Migrate keeps the ini beside env.py and states the folder by its own command line.
        if not config.get_main_option("script_location") and is_file(beside, "env.py"):
            config.set_main_option("script_location", beside.replace("%", "%%"))
        return config

    @property
    def script(self):
        if self._script is None:
            from alembic.script import ScriptDirectory
            config = self.config("heads")
            location = config.get_main_option("script_location") or ""
            if re.search(r"\{\w*\}", location):
                raise Trouble("config", "script_location is %r, which the application replaces before it calls "
                              "Alembic; write an alembic.ini with the folder itself and name it in athanor.yaml, "
                              "key database.alembic" % location)
            script = ScriptDirectory.from_config(config)
            if asks_for_flask(script):
                enter_flask(self.session)
            self._script = script
        return self._script

    def load(self):
        """Reads every revision file. What Alembic only warns of, letting one file win, is an error."""
        with warnings.catch_warnings():
            for message in (r"Revision .* is present more than once", r"Revision .* is not present"):
                warnings.filterwarnings("error", message=message)
            try:
                self.script.get_heads()
                return list(self.script.walk_revisions())
            except UserWarning as warning:
                raise Trouble("revision", str(warning)) from None

    def run_env(self, command, work, **options):
        """Runs env.py; `work(heads, context)` gives the steps, called once its connection is proven."""
        from alembic.runtime.environment import EnvironmentContext
        contexts, config = [], self.config(*command)
        self.load()

        def guarded(heads, context):
            try:
                self.session.prove_context(context)
                self._same_database(context)
                contexts.append(context)
                return work(heads, context)
            except Trouble as trouble:
                self.trouble = trouble
                raise

        # dont_mutate: or Alembic would make the version table before it asks us for the first time.
        with EnvironmentContext(config, self.script, fn=guarded, dont_mutate=True, **options):
            self.script.run_env()
        if self.trouble:
            raise self.trouble          # swallowed by env.py
        if not contexts:
            raise Trouble("config", "env.py ran no migrations: it never came to context.run_migrations()")
        return contexts

    def _same_database(self, context):
        """Two databases must not be migrated into one clone."""
        asked = context.connection.info.get(OPENED)
        if asked is not None and (asked == self.session.clone.path or self.session.is_live(asked)):
            asked = self.session.live or self.session.clone.path
        if self.session.migrated not in (None, asked):
            raise Trouble("config", "env.py migrates several databases (%s, %s), one is supported"
                          % (self.session.migrated, asked))
        self.session.migrated = asked

    # The private calls, all of them, that Alembic's own `heads`, `upgrade` and `stamp` make.
    def locations(self):
        """The folders of the revision files."""
        return [os.path.abspath(path) for path in self.script._version_locations]

    def upgrade_steps(self, to, heads):
        return self.script._upgrade_revs(to, heads)

    def stamp_steps(self, to, heads):
        return self.script._stamp_revs(tuple(to), heads)

    @staticmethod
    def prepare_version_table(context, purge=False):
        context._ensure_version_table(purge=purge)

    @staticmethod
    def own_transaction(context):
        return context.begin_transaction(_per_migration=True)


def metadata_of(context):
    """env.py's target_metadata as a list; empty when it has none."""
    found = context.opts.get("target_metadata")
    if found is None:
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def tables_of(metadatas):
    return {key: table for metadata in metadatas for key, table in metadata.tables.items()}


# ---- commands ---------------------------------------------------------------------------------------------

def loaded_sources():
    """The application's own modules that the revisions have brought in: what they say may depend on them."""
    names = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return sorted(os.path.abspath(name) for name in names if isinstance(name, str) and is_application_file(name))


def do_heads(session, command):
    import alembic
    import sqlalchemy
    from alembic.util import to_tuple
    script = session.project.script
    revisions = [{
        "id": script.revision,
        "down": list(to_tuple(script.down_revision, ())),
        "depends_on": list(to_tuple(script.dependencies, ())),
        "labels": sorted(to_tuple(getattr(script.module, "branch_labels", None), ())),
        "path": script.path,
    } for script in reversed(session.project.load())]
    session.emit("heads", alembic=alembic.__version__, sqlalchemy=sqlalchemy.__version__,
                 python="%d.%d.%d" % sys.version_info[:3], heads=sorted(script.get_heads()), bases=sorted(script.get_bases()),
                 script=os.path.abspath(script.dir), locations=session.project.locations(),
                 recursive=bool(getattr(script, "recursive_version_locations", False)), sources=loaded_sources(),
                 revisions=revisions)


def target_of(context, connection, url):
    """What one context.configure() was about."""
    from sqlalchemy.engine import make_url
    path = None
    if connection is not None:
        url = connection.engine.url
        path = connection.info.get(OPENED)      # absent where creator= made the connection
    elif url is not None and make_url(url).get_backend_name() == "sqlite":
        path = locate(make_url(url).database)
    url = make_url(url) if url is not None else None
    return {
        "url": redacted(url.render_as_string(hide_password=True)) if url is not None else None,
        "dialect": context.dialect.name,
        "driver": context.dialect.driver,
        "path": path,
        "version_table": context.version_table,
        "version_table_schema": context.version_table_schema,
        "metadata_tables": sorted(tables_of(metadata_of(context))),
    }


def run_env_looking(session, configured, **options):
    """One look at env.py: `configured` takes a target for each context.configure(). Gives its failure."""
    from alembic.runtime.environment import EnvironmentContext
    config = session.project.config("upgrade", "heads", *(["--sql"] if options.get("as_sql") else []))
    env = EnvironmentContext(config, session.project.script, fn=lambda heads, context: [], dont_mutate=True,
                             destination_rev="heads", tag=None, starting_rev=None, **options)
    configure = env.configure

    def recording(connection=None, url=None, **more):
        configure(connection=connection, url=url, **more)
        configured.append(target_of(env.get_context(), connection, url))

    env.configure = recording
    try:
        with env:
            session.project.script.run_env()
    except (Exception, Stop, SystemExit) as error:
        return error
    return None


def as_asked(target, asked):
    """`target` corrected by a connection that was really asked for: a URL that is not used misleads."""
    if asked["dialect"] == target["dialect"] and asked["path"] == target["path"]:
        return target
    return dict(target, url=None, dialect=asked["dialect"], driver=asked["driver"], path=asked["path"],
                server=asked.get("server"))


NOTHING_CONFIGURED = {"url": None, "dialect": None, "driver": None, "path": None, "version_table": None,
                      "version_table_schema": None, "metadata_tables": []}


def do_target(session, command):
    configured = []
    session.asked = []
    session.project.load()
    failure = run_env_looking(session, configured, as_sql=False)
    asked = list(session.asked)
    answered = bool(configured)
    if not answered:
        # Stopped at its connection, or made for offline use only: what env.py says without one.
        late = run_env_looking(session, configured, as_sql=True, output_buffer=StringIO())
        failure = failure if late or not configured else None
    if not configured and not asked:
        if isinstance(failure, (Exception, SystemExit)):
            raise failure
        raise Trouble("config", "env.py opened no database and configured no migration")
    targets = configured or [dict(NOTHING_CONFIGURED)]
    if asked and (not answered or targets[0]["path"] is None):
        engines = [entry for entry in asked if not entry["raw"]] or asked
        targets[0] = as_asked(targets[0], engines[-1])
    paths = {entry["path"] for entry in targets + asked} - {None, MEMORY}
    session.emit("target", connections=len(asked), paths=sorted(paths), several=len(paths) > 1,
                 targets=targets if len(targets) > 1 else [],
                 incomplete=message_of(failure) if failure else None, **targets[0])


def do_current(session, command):
    contexts = session.project.run_env(["current"], lambda heads, context: [])
    settle(session)
    session.emit("current", rows=session.clone.version_rows(contexts[0]),
                 version_table=contexts[0].version_table)


def announced(session, steps, context, outcome):
    """Alembic's steps, with an event before and after each: between two yields one revision has run."""
    for step in steps:
        session.revision = step.info.up_revision_id
        session.emit("revision", id=session.revision, state="start")
        started = time.monotonic()
        yield step
        session.emit("revision", id=session.revision, state="done",
                     ms=int((time.monotonic() - started) * 1000))
        session.revision = None
    outcome["to"] = sorted(context.get_current_heads())


def confirm(session, contexts, outcomes):
    """What Alembic believes it wrote must be on the disk, once every connection is closed."""
    if any("to" not in outcome for outcome in outcomes):
        raise Trouble("migration", "env.py swallowed the failure of revision %s" % session.revision)
    settle(session)
    for context, outcome in zip(contexts, outcomes):
        rows = session.clone.version_rows(context) or []
        if rows != outcome["to"]:
            raise Trouble("database", "env.py did not commit: the version table holds %r instead of %r"
                          % (rows, outcome["to"]))


def do_upgrade(session, command):
    to = command.get("to", "heads")
    outcomes = []

    def work(heads, context):
        outcome = {"from": sorted(heads)}
        outcomes.append(outcome)
        if not heads:
            session.project.prepare_version_table(context)
        return announced(session, session.project.upgrade_steps(to, heads), context, outcome)

    contexts = session.project.run_env(["upgrade", to], work, as_sql=False, starting_rev=None,
                                       destination_rev=to, tag=None)
    confirm(session, contexts, outcomes)
    session.emit("upgraded", **{"from": outcomes[0]["from"], "to": outcomes[-1]["to"]})


def do_stamp(session, command):
    to = command.get("to") or ["base"]
    to = [to] if isinstance(to, str) else list(to)
    project, outcomes, before = session.project, [], []

    def purge(heads, context):
        before.append(sorted(heads))
        with project.own_transaction(context):
            project.prepare_version_table(context, purge=True)
        return []

    def work(heads, context):
        before.append(sorted(heads))
        outcome = {}
        outcomes.append(outcome)
        if not heads:
            project.prepare_version_table(context)
        return steps(project.stamp_steps(to, heads), context, outcome)

    def steps(found, context, outcome):
        yield from found
        outcome["to"] = sorted(context.get_current_heads())

    options = dict(as_sql=False, starting_rev=None, destination_rev=tuple(to), tag=None)
    if command.get("purge"):
        project.run_env(["stamp", "--purge"] + to, purge, **options)
        settle(session)
    contexts = project.run_env(["stamp"] + to, work, **options)
    confirm(session, contexts, outcomes)
    session.emit("stamped", **{"from": before[0], "to": outcomes[-1]["to"]})


def clone_tables(session):
    return {row[0] for row in session.clone.read(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")}


def required_metadata(context):
    found = metadata_of(context)
    if not found:
        raise Trouble("config", "env.py has no target_metadata, so there are no models to compare or create")
    return found


def do_create_all(session, command):
    wanted = set()
    before = clone_tables(session)

    def work(heads, context):
        with session.project.own_transaction(context):
            for metadata in required_metadata(context):
                metadata.create_all(context.connection)
                wanted.update(table.name for table in metadata.tables.values())
        return []

    session.project.run_env(["current"], work)
    settle(session)
    after = clone_tables(session)
    lost = {name.lower() for name in wanted} - {name.lower() for name in after}
    if lost:
        raise Trouble("database", "create_all was not committed, missing: %s" % ", ".join(sorted(lost)))
    session.emit("created", tables=sorted(after - before))


def do_missing(session, command):
    tables = {}

    def work(heads, context):
        tables.update(tables_of(required_metadata(context)))
        return []

    session.project.run_env(["current"], work)
    settle(session)
    there = {}
    for table, column in session.clone.read(
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c"
            " WHERE m.type IN ('table', 'view')"):
        there.setdefault(table.lower(), set()).add(column.lower())
    absent = sorted(key for key, table in tables.items() if table.name.lower() not in there)
    columns = sorted("%s.%s" % (key, column.name) for key, table in tables.items() if key not in absent
                     for column in table.columns if column.name.lower() not in there[table.name.lower()])
    session.emit("missing", tables=absent, columns=columns)


def python_arguments(argv):
    """Takes `python [flags] FILE|-m MODULE [argument ...]` apart: (is a module, its name, arguments)."""
    if len(argv) < 2 or not re.match(r"python[0-9.]*$", os.path.basename(argv[0])):
        raise Trouble("config", "only `python FILE ...` and `python -m MODULE ...` can be run: %r" % (argv,))
    rest = argv[1:]
    while rest and re.match(r"-[BEIOPqsuv]+$", rest[0]):
        rest = rest[1:]
    module = bool(rest) and rest[0] == "-m"
    rest = rest[1:] if module else rest
    if not rest or rest[0].startswith("-"):
        raise Trouble("config", "only `python FILE ...` and `python -m MODULE ...` can be run: %r" % (argv,))
    return module, rest[0], rest[1:]


def exit_code_of(module, name):
    try:
        if module:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(name, run_name="__main__")
    except SystemExit as left:
        return left.code
    return None


def do_run(session, command):
    module, name, arguments = python_arguments(command["argv"])
    os.chdir(command.get("cwd") or session.request["cwd"])
    kept = list(sys.path)
    sys.path.insert(0, os.getcwd() if module else os.path.dirname(os.path.realpath(name)))
    sys.argv = [name] + arguments
    try:
        code = exit_code_of(module, name)
        wait_for_threads()
    finally:
        sys.path[:] = kept
        os.chdir(session.request["cwd"])
    if code not in (None, 0):
        status = "exit status %d" % code if isinstance(code, int) else "exit status 1: %s" % (code,)
        raise Trouble("script", "%s failed with %s" % (name, status))
    settle(session)
    session.emit("ran", argv=command["argv"])


def wait_for_threads():
    """As the interpreter does at its end; aiosqlite's are left out, they end with their connections."""
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None) or thread
        owner = getattr(target, "__module__", None) or ""
        if thread is threading.current_thread() or thread.daemon or owner.startswith("aiosqlite"):
            continue
        thread.join()


# ---- effects and replay -----------------------------------------------------------------------------------

def sibling(name):
    """A module out of this folder, under a name that the application cannot have."""
    full = "athanor_" + name
    if full not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.realpath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(full, path)
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def do_effects(session, command):
    """Reads the revision files; with `files` given, nothing of the application is imported."""
    files = command.get("files")
    if files is None:
        files = [{"id": script.revision, "path": script.path} for script in reversed(session.project.load())]
    for found in sibling("effects").effects_of_all(files):
        session.emit("effects", **found)


def do_identifiers(session, command):
    """Reads what the files call themselves and their parents; nothing of the application is imported."""
    for found in sibling("identifiers").identifiers_of_all(command["files"]):
        session.emit("identifiers", **found)


class Schema:
    """
    The schema of the clone between two revisions.

    Read through the driver's own cursor of the connection that migrates: a transaction that env.py holds open
    until the end is seen, and SQLAlchemy does not begin one.
    """

    def __init__(self, context):
        self.context = context
        self.known = {}             # table -> what sqlite_master says of it and its indexes

    def rows(self, query, *values):
        fairy = self.context.connection.connection
        cursor = (getattr(fairy, "dbapi_connection", None) or fairy.connection).cursor()
        try:
            cursor.execute(query, values)
            return [tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def changes(self):
        """What is different from the last look: whole tables and the names that went; all views and triggers."""
        found, views, triggers = {}, [], []
        for kind, name, table, sql in self.rows("SELECT type, name, tbl_name, sql FROM sqlite_master"):
            if table.lower() == self.context.version_table.lower() or table.lower().startswith("sqlite_"):
                continue
            if kind == "view":
                views.append({"name": name, "sql": sql})
            elif kind == "trigger":
                triggers.append({"name": name, "table": table, "sql": sql})
            else:
                found.setdefault(table, []).append((kind, name, sql or ""))
        before, self.known = self.known, {name: sorted(parts) for name, parts in found.items()}
        return {
            "tables": [self.table(name) for name in sorted(found) if before.get(name) != self.known[name]],
            "removed": sorted(set(before) - set(found)),
            "views": sorted(views, key=lambda view: view["name"]),
            "triggers": sorted(triggers, key=lambda trigger: trigger["name"]),
        }

    def table(self, name):
        def pragma(function, argument, columns):
            return self.rows("SELECT %s FROM pragma_%s(?)" % (columns, function), argument)

        sql = [text for kind, part, text in self.known[name] if kind == "table"]
        foreign = {}
        for number, sequence, other, column, to in pragma(
                "foreign_key_list", name, 'id, seq, "table", "from", "to"'):
            foreign.setdefault(number, []).append((sequence, other, column, to))
        foreign = [sorted(parts) for _, parts in sorted(foreign.items())]
        return {
            "name": name,
            "sql": sql[0] if sql else None,
            "columns": [
                {"name": column, "type": kind, "notnull": bool(notnull), "default": default, "pk": pk,
                 "hidden": hidden}
                for column, kind, notnull, default, pk, hidden in pragma(
                    "table_xinfo", name, 'name, type, "notnull", dflt_value, pk, hidden')],
            "indexes": [
                {"name": index, "unique": bool(unique), "origin": origin, "partial": bool(partial),
                 "columns": [column for _, column in sorted(
                     pragma("index_info", index, "seqno, name"), key=lambda row: row[0])]}
                for index, unique, origin, partial in pragma("index_list", name, 'name, "unique", origin, partial')],
            "foreign": [
                {"columns": [part[2] for part in parts], "table": parts[0][1],
                 "to": [part[3] for part in parts if part[3] is not None]} for parts in foreign],
        }


def told(session, steps, context, outcome):
    """Alembic's steps; between two of them the schema that the last one left is told, and before all what is there."""
    schema = Schema(context)
    early = schema.changes()        # of an env.py that makes tables before it migrates
    if early["tables"] or early["views"] or early["triggers"]:
        session.emit("schema", revision=None, ms=0, **early)
    for step in steps:
        session.revision = step.info.up_revision_id
        started = time.monotonic()
        yield step
        session.emit("schema", revision=session.revision, ms=int((time.monotonic() - started) * 1000),
                     **schema.changes())
        session.revision = None
    outcome["to"] = sorted(context.get_current_heads())


def do_replay(session, command):
    """
    Runs the chain on the clone, an empty database, and tells the schema after each revision.

    What stops it, a revision or env.py itself, ends the replay and not the command: many real chains cannot
    start from an empty database.
    """
    outcomes = []

    def work(heads, context):
        outcome = {}
        outcomes.append(outcome)
        if not heads:
            session.project.prepare_version_table(context)
        return told(session, session.project.upgrade_steps("heads", heads), context, outcome)

    try:
        contexts = session.project.run_env(["upgrade", "heads"], work, as_sql=False, starting_rev=None,
                                           destination_rev="heads", tag=None)
        confirm(session, contexts, outcomes)
    except (Exception, SystemExit) as error:
        if isinstance(error, Trouble) and error.kind == "net":
            raise
        traceback.print_exc()
        session.emit("stopped", revision=session.revision, message=message_of(error), where=where_of(error))
        session.revision = session.project.trouble = None
        settle(session)


READING = {"effects": do_effects, "identifiers": do_identifiers}
LOOKING = dict(READING, heads=do_heads, target=do_target)
WORKING = {"current": do_current, "upgrade": do_upgrade, "stamp": do_stamp, "create_all": do_create_all,
           "missing": do_missing, "run": do_run, "replay": do_replay}


# ---- main -------------------------------------------------------------------------------------------------

def enter(request):
    """The surroundings of the `alembic` console script started in the ini's directory."""
    here = os.path.dirname(os.path.realpath(__file__))
    if sys.path and os.path.realpath(sys.path[0] or ".") == here:
        del sys.path[0]
    os.chdir(request["cwd"])


def carry_out(session, command):
    name = command.get("do")
    session.command, session.revision = name, None
    session.looking = name in LOOKING
    if name in LOOKING:
        LOOKING[name](session, command)
        settle(session)
        return
    if name not in WORKING:
        raise Trouble("internal", "unknown command %r" % (name,))
    if session.clone is None:
        raise Trouble("net", "%s needs a clone" % name)
    WORKING[name](session, command)


def only_reads(commands):
    """Is nothing asked for but what the files say that the caller names?"""
    return bool(commands) and all(command.get("do") in READING and command.get("files") is not None
                                  for command in commands)


def serve(session):
    if only_reads(session.request["commands"]):
        for command in session.request["commands"]:     # needs neither Alembic nor SQLAlchemy
            session.command = command["do"]
            READING[command["do"]](session, command)
        return
    for install in NETS.values():
        install(session)
    install_look(session)
    remember_connections(session)
    session.project = Project(session)
    for command in session.request["commands"]:
        carry_out(session, command)
    # Exit handlers belong to the work: one that fails the process or opens live must come before `end`.
    session.command, session.looking = "exit", session.clone is None
    atexit._run_exitfuncs()
    settle(session)


def report(session, channel, error):
    try:
        sys.stderr.write(redacted("".join(traceback.format_exception(type(error), error, error.__traceback__))))
        sys.stderr.flush()
    except Exception:               # the application has closed its output; the reply still says it
        pass
    kind, command, revision, of_schema = "config", None, None, False
    if session is not None:
        command, revision = session.command, session.revision
        of_schema = is_of_schema(error, session)
        try:
            kind = kind_of(error, session)
        except ImportError:         # no Alembic, or no SQLAlchemy, in this interpreter
            kind = "import"
    elif isinstance(error, Trouble):
        kind = error.kind
    channel.emit("error", command=command, revision=revision, kind=kind, schema=of_schema,
                 message=message_of(error), where=where_of(error))


def main(argv=None):
    parser = argparse.ArgumentParser(description="Drives Alembic through an application's env.py.")
    parser.add_argument("request", help="a JSON file; replies come on descriptor 3")
    with open(parser.parse_args(argv).request, encoding="utf-8") as file:
        request = json.load(file)
    channel, session, status = Channel(), None, 0
    try:
        enter(request)
        session = Session(request, channel)
        serve(session)
    except BaseException as error:
        if os.getpid() != channel.owner:
            os._exit(EXIT_FAILED)
        report(session, channel, error)
        status = EXIT_FAILED
    else:
        if os.getpid() != channel.owner:
            os._exit(0)
        channel.emit("end")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(status)                # a thread that the application left behind must not hold the process


if __name__ == "__main__":
    main()
