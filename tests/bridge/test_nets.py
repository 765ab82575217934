# SPDX-License-Identifier: MIT
"""
Each net alone keeps live as it was, byte for byte; with all of them off the same project does touch it.

The first and the last net (variables, the lock on live) are the caller's and are not in force here.
"""
import importlib.util

import pytest

from conftest import BRIDGE, ASYNC, CREATOR, HARD_CODED, HEAD, ONLINE, SERVER

UPGRADE = {"do": "upgrade", "to": "heads"}
NETS = ("connect", "proof", "migration", "audit")

ENGINE_OF_A_MODULE = HEAD + "from db import engine\n" + ONLINE
FILE_URI = HEAD + "engine = create_engine('sqlite:///file:@LIVE@?mode=rwc&uri=true')\n" + ONLINE
LATER = HEAD + """
from sqlalchemy import event
engine = create_engine(%s, poolclass=pool.NullPool)
@event.listens_for(engine, "do_connect")
def by_keyword(dialect, record, cargs, cparams):
    del cargs[:]
    cparams["database"] = "@LIVE@"
""" + ONLINE
ASYNC_CREATOR = ASYNC.replace('"sqlite+aiosqlite:///@LIVE@")',
                              '"sqlite+aiosqlite://", creator=made, poolclass=NullPool)')
ASYNC_CREATOR = ASYNC_CREATOR.replace("def work", """
from sqlalchemy.pool import NullPool
from sqlalchemy.dialects.sqlite.aiosqlite import dialect
def made():
    module = getattr(dialect, "import_dbapi", None) or dialect.dbapi
    return module().connect("@LIVE@")

def work""", 1)

ENVS = {"hard_coded": HARD_CODED, "async": ASYNC, "engine_of_a_module": ENGINE_OF_A_MODULE,
        "file_uri": FILE_URI, "creator": CREATOR, "async_creator": ASYNC_CREATOR}
REDIRECTED = ("hard_coded", "async", "engine_of_a_module", "file_uri")


@pytest.fixture
def towards_live(chain):
    """A project whose env.py goes to live whatever it is told."""
    chain.write("db.py", "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///@LIVE@')\n")
    return chain


def bridge_module():
    spec = importlib.util.spec_from_file_location("bridge", str(BRIDGE))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_but(*names):
    return [name for name in NETS if name not in names]


@pytest.mark.parametrize("env", sorted(ENVS))
def test_control_without_any_net_live_is_touched(towards_live, env):
    towards_live.env(ENVS[env])
    before = towards_live.fingerprint()
    towards_live.run(UPGRADE, without=NETS)
    assert towards_live.fingerprint() != before and "note" in towards_live.tables(towards_live.live)


@pytest.mark.parametrize("env", REDIRECTED)
def test_the_connect_net_alone_moves_the_work_to_the_clone(towards_live, env):
    towards_live.env(ENVS[env])
    before = towards_live.fingerprint()
    towards_live.run(UPGRADE, without=all_but("connect")).succeeded()
    assert towards_live.fingerprint() == before and "note" in towards_live.tables()


@pytest.mark.parametrize("net", ["proof", "migration", "audit"])
@pytest.mark.parametrize("env", sorted(ENVS))
def test_each_other_net_alone_ends_the_process_before_live_is_touched(towards_live, env, net):
    towards_live.env(ENVS[env])
    before = towards_live.fingerprint(), towards_live.clone.read_bytes()
    outcome = towards_live.run(UPGRADE, without=all_but(net))
    assert (towards_live.fingerprint(), towards_live.clone.read_bytes()) == before
    assert outcome.status == 70 and (outcome.error["kind"], outcome.error["net"]) == ("net", net)
    assert str(towards_live.live) in outcome.error["message"] and outcome.error["where"]


@pytest.mark.parametrize("env", ["creator", "async_creator"])
def test_a_creator_goes_past_the_connect_net_and_is_stopped_by_the_others(towards_live, env):
    towards_live.env(ENVS[env])
    before = towards_live.fingerprint()
    assert towards_live.run(UPGRADE).status == 70
    assert towards_live.fingerprint() == before


@pytest.mark.parametrize("command", [{"do": "stamp", "to": ["a1"], "purge": True}, {"do": "current"},
                                     {"do": "missing"}, {"do": "create_all"}],
                         ids=lambda command: command["do"])
def test_the_migration_net_comes_before_the_first_write_of_every_command(towards_live, command):
    towards_live.env(HARD_CODED)
    before = towards_live.fingerprint()
    outcome = towards_live.run(command, without=all_but("migration"))
    assert outcome.status == 70 and towards_live.fingerprint() == before


def test_the_migration_net_cannot_be_swallowed(towards_live):
    towards_live.env(HEAD + "engine = create_engine('sqlite:///@LIVE@')\n" + ONLINE.replace(
        "        context.run_migrations()",
        "        try: context.run_migrations()\n        except BaseException: print('HUSH')"))
    outcome = towards_live.run(UPGRADE, without=all_but("migration"))
    assert outcome.status == 70 and "HUSH" not in outcome.output


DIRECT = "import sqlite3\nc = sqlite3.connect(%s)\nc.execute('CREATE TABLE direct (a)')\nc.commit()"


@pytest.mark.parametrize("argument", ["'@LIVE@'", "'live.db'", "'file:@LIVE@?mode=rw', uri=True",
                                      "b'live.db'", "'link.db'", "'hard.db'"])
def test_the_audit_net_refuses_a_direct_connection_under_any_name(chain, argument):
    chain.env(HARD_CODED)
    (chain.app / "link.db").symlink_to("live.db")
    (chain.app / "hard.db").hardlink_to(chain.live)
    chain.revision("a1", None, DIRECT % argument)
    before = chain.fingerprint()
    outcome = chain.run(UPGRADE)
    assert outcome.status == 70 and chain.fingerprint() == before
    assert (outcome.error["net"], outcome.error["revision"]) == ("audit", "a1")
    assert outcome.error["where"].startswith(str(chain.app / "migrations" / "versions" / "a1.py"))


def test_control_without_the_audit_net_a_direct_connection_touches_live(chain):
    chain.env(HARD_CODED)
    chain.revision("a1", None, DIRECT % "'@LIVE@'")
    before = chain.fingerprint()
    chain.run(UPGRADE, without=["audit"]).succeeded()
    assert chain.fingerprint() != before and "direct" in chain.tables(chain.live)


def test_the_audit_net_guards_a_live_database_that_does_not_exist_yet(chain):
    chain.live.unlink()
    chain.env(HARD_CODED)
    chain.revision("a1", None, DIRECT % "'@LIVE@'")
    assert chain.run(UPGRADE).status == 70 and not chain.live.exists()


def test_the_nets_are_in_force_for_scripts(chain):
    chain.write("job.py", "import sqlite3\ntry: sqlite3.connect('live.db')\nexcept BaseException: pass\n")
    assert chain.run({"do": "run", "argv": ["python", "job.py"]}).status == 70


def test_the_nets_are_in_force_while_exit_handlers_run(chain):
    chain.write("job.py", "import sqlite3, atexit\natexit.register(sqlite3.connect, '@LIVE@')\n")
    outcome = chain.run({"do": "run", "argv": ["python", "job.py"]})
    assert outcome.status == 70 and outcome.error["command"] == "exit"


def test_an_application_that_changes_the_arguments_later_still_gets_the_clone(chain):
    chain.env(LATER % "'sqlite:///@LIVE@'")
    before = chain.fingerprint()
    chain.run(UPGRADE).succeeded()
    assert chain.fingerprint() == before and "note" in chain.tables()


def test_arguments_that_turn_a_memory_database_into_live_are_caught(chain):
    chain.env(LATER % "'sqlite://'")
    before = chain.fingerprint()
    assert chain.run(UPGRADE).status == 70 and chain.fingerprint() == before


@pytest.mark.parametrize("positional, keywords", [(["live"], {}), ([], {"database": "live"}), ([], {})])
def test_the_path_is_replaced_where_it_is_given(positional, keywords):
    class Dialect:
        @staticmethod
        def connect(*args, **more):
            return list(args), more
    given = list(positional), dict(keywords, timeout=3)
    made = bridge_module().connect_to(Dialect, *given, "clone")
    assert made == ((["clone"], {"timeout": 3}) if positional else ([], {"database": "clone", "timeout": 3}))
    assert given == (positional, dict(keywords, timeout=3))


def test_migrations_in_memory_are_refused(chain):
    chain.ini(url="sqlite://")
    outcome = chain.run(UPGRADE)
    assert outcome.status == 70 and "in memory" in outcome.error["message"]


def test_an_auxiliary_database_in_memory_is_let_through(chain):
    chain.env("import sqlalchemy as sa\nwith sa.create_engine('sqlite://').begin() as aux:\n"
              "    aux.execute(sa.text('CREATE TABLE scratch (a)'))\n" + HARD_CODED)
    chain.run(UPGRADE).succeeded()
    assert "scratch" not in chain.tables()


def test_a_connection_to_another_system_is_refused(chain):
    chain.psycopg2()
    chain.env(SERVER)
    outcome = chain.run(UPGRADE)
    assert outcome.status == 70 and "postgresql" in outcome.error["message"]
    assert "CONNECTED" not in outcome.output and "hunter2" not in str(outcome.events)


def test_a_redirected_stranger_is_noted(chain):
    chain.env("import sqlalchemy as sa\nwith sa.create_engine('sqlite:///jobs.db').connect() as aux: pass\n"
              + HARD_CODED)
    outcome = chain.run(UPGRADE).succeeded()
    assert "jobs.db" in outcome.one("note")["message"] and not (chain.app / "jobs.db").exists()


def test_two_databases_are_not_migrated_into_one_clone(chain):
    chain.env(HEAD + "for name in '@LIVE@', 'two.db':\n    engine = create_engine('sqlite:///%s' % name)\n"
              + "".join("    %s\n" % line for line in ONLINE.splitlines()))
    error = chain.run(UPGRADE).error
    assert error["kind"] == "config" and "several databases" in error["message"]


def test_a_clone_that_is_live_is_refused(chain):
    chain.clone.unlink()
    chain.clone.hardlink_to(chain.live)
    before = chain.fingerprint()
    assert chain.run(UPGRADE).error["kind"] == "net" and chain.fingerprint() == before


def test_a_command_on_the_clone_needs_a_clone(chain):
    chain.clone.unlink()
    assert chain.run(UPGRADE).error["kind"] == "net"


@pytest.mark.parametrize("command", ["heads", "target"])
def test_looking_while_the_application_goes_to_live_at_import_touches_nothing(chain, command):
    chain.write("db.py", "from sqlalchemy import create_engine, text\n"
                "engine = create_engine('sqlite:///@LIVE@')\n"
                "with engine.begin() as c: c.execute(text('CREATE TABLE IF NOT EXISTS boot (a)'))\n")
    chain.revision("a1", None, head="import db")
    before = chain.fingerprint()
    chain.run({"do": command}).succeeded()
    assert chain.fingerprint() == before
