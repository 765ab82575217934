# SPDX-License-Identifier: MIT
"""upgrade, stamp, current, create_all, missing and run: what Alembic would do, done on the clone."""
import pytest

from conftest import ASYNC, HARD_CODED, HEAD, MODELS, ONLINE, PLAIN, WITH_MODELS

UPGRADE = {"do": "upgrade", "to": "heads"}


@pytest.mark.parametrize("env", [PLAIN, HARD_CODED, ASYNC], ids=["plain", "hard_coded", "async"])
def test_upgrade_announces_each_revision_and_leaves_live_alone(chain, env):
    chain.env(env)
    before = chain.fingerprint()
    outcome = chain.run(UPGRADE).succeeded()
    walked = [(event["id"], event["state"]) for event in outcome.of("revision")]
    assert walked == [(name, state) for name in ("a1", "b2", "c3") for state in ("start", "done")]
    assert all(event["ms"] >= 0 for event in outcome.of("revision") if event["state"] == "done")
    assert outcome.one("upgraded") == {"event": "upgraded", "from": [], "to": ["c3"]}
    assert chain.columns("note") == ["id", "text"] and "mood" in chain.columns("story")
    assert chain.query("SELECT * FROM alembic_version") == [("c3",)]
    assert chain.fingerprint() == before and "alembic_version" not in chain.tables(chain.live)


def test_one_revision_at_a_time_can_be_asked_for(chain):
    first, second = {"do": "upgrade", "to": "a1"}, {"do": "upgrade", "to": "b2"}
    outcome = chain.run(first, {"do": "current"}, second).succeeded()
    assert [event["id"] for event in outcome.of("revision")] == ["a1", "a1", "b2", "b2"]
    assert outcome.one("current")["rows"] == ["a1"]
    assert outcome.of("upgraded")[1] == {"event": "upgraded", "from": ["a1"], "to": ["b2"]}


def test_heads_target_and_upgrade_share_one_process(chain):
    chain.write("db.py", "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///@LIVE@')\n")
    chain.env(HEAD + "from db import engine\n" + ONLINE)
    outcome = chain.run({"do": "heads"}, {"do": "target"}, UPGRADE).succeeded()
    assert outcome.one("target")["path"] == str(chain.live) and outcome.one("upgraded")["to"] == ["c3"]


def test_nothing_to_upgrade_is_a_success(chain):
    outcome = chain.run(UPGRADE, UPGRADE).succeeded()
    assert outcome.of("upgraded")[1] == {"event": "upgraded", "from": ["c3"], "to": ["c3"]}


def test_several_heads_are_all_reached(chain):
    chain.revision("d4", "b2")
    outcome = chain.run(UPGRADE).succeeded()
    assert outcome.one("upgraded")["to"] == ["c3", "d4"]
    again = chain.run({"do": "upgrade", "to": "head"})
    assert again.error["kind"] == "revision" and "Multiple head" in again.error["message"]


def test_a_dependency_runs_before_its_dependent(project):
    project.database()
    project.revision("z1", None)
    project.revision("a1", None, head="depends_on = 'z1'")
    outcome = project.run(UPGRADE).succeeded()
    assert [event["id"] for event in outcome.of("revision")][::2] == ["z1", "a1"]
    assert outcome.one("upgraded")["to"] == ["a1"]


def test_a_custom_version_table_is_used_throughout(chain):
    chain.env(HARD_CODED.replace("connection=connection,",
                                 "connection=connection, version_table='my \"versions',"))
    outcome = chain.run({"do": "current"}, UPGRADE, {"do": "current"}).succeeded()
    assert [event["rows"] for event in outcome.of("current")] == [None, ["c3"]]
    assert chain.query('SELECT * FROM "my ""versions"') == [("c3",)]


def test_naming_conventions_of_the_metadata_reach_the_migrations(project):
    project.database()
    project.write("models.py", MODELS)
    project.env(WITH_MODELS)
    project.revision("a1", None, "op.create_index(None, 'story', ['title'])")
    project.run(UPGRADE).succeeded()
    assert ("ix_story_title",) in project.query("SELECT name FROM sqlite_master WHERE type = 'index'")


def test_current_does_not_make_the_version_table(chain):
    before = chain.clone.read_bytes()
    assert chain.run({"do": "current"}).succeeded().one("current")["rows"] is None
    assert chain.clone.read_bytes() == before


def test_a_migration_that_fails_half_way_is_explained(chain):
    chain.revision("b2", "a1", "op.create_table('half', sa.Column('id', sa.Integer))\n"
                   "op.add_column('story', sa.Column('mood', sa.Text()))")
    before = chain.fingerprint()
    outcome = chain.run(UPGRADE)
    error = outcome.error
    assert outcome.status == 1 and "Traceback" in outcome.output
    assert (error["command"], error["revision"], error["kind"]) == ("upgrade", "b2", "migration")
    assert error["message"] == "sqlite3.OperationalError: duplicate column name: mood"
    assert error["where"] == "%s:8" % (chain.app / "migrations" / "versions" / "b2.py")
    assert "half" in chain.tables() and chain.query("SELECT * FROM alembic_version") == [("a1",)]
    assert chain.fingerprint() == before


def test_a_failure_tells_whether_revision_and_schema_do_not_fit(chain):
    for upgrade, of_schema in (
            ("op.execute('UPDATE nowhere SET x = 1')", True),
            ("op.create_check_constraint('c', 'story', 'id > 0')", True),   # SQLite has no such ALTER
            ("op.execute(\"INSERT INTO story (id) VALUES (1), (1)\")", False),
            ("raise KeyError('ADMIN_NAME')", False),
            ("open('/nowhere')", False)):
        chain.revision("b2", "a1", upgrade)
        error = chain.run(UPGRADE).error
        assert (error["revision"], error["schema"]) == ("b2", of_schema), (upgrade, error)


def test_the_command_after_a_failed_one_is_not_carried_out(chain):
    chain.revision("a1", None, "raise ValueError('no')")
    assert not chain.run(UPGRADE, {"do": "current"}).of("current")


def test_a_failure_that_env_swallows_is_a_failure(chain):
    chain.revision("b2", "a1", "raise ValueError('no')")
    chain.env(HARD_CODED.replace("        context.run_migrations()",
                                 "        try: context.run_migrations()\n"
                                 "        except Exception: print('HUSH')"))
    outcome = chain.run(UPGRADE)
    assert "HUSH" in outcome.output
    assert (outcome.error["kind"], outcome.error["revision"]) == ("migration", "b2")


def test_an_env_that_never_commits_is_a_failure(chain):
    chain.revision("a1", None, "op.execute(\"INSERT INTO story (title) VALUES ('x')\")")
    chain.env(HEAD + """
from sqlalchemy import event
engine = create_engine("sqlite:///@LIVE@", isolation_level=None, poolclass=pool.NullPool)
@event.listens_for(engine, "connect")
def connect(connection, record): connection.isolation_level = None
@event.listens_for(engine, "begin")
def begin(connection): connection.exec_driver_sql("BEGIN")
with engine.connect() as connection:
    transaction = connection.begin()
    context.configure(connection=connection)
    context.run_migrations()
    transaction.rollback()
""")
    error = chain.run(UPGRADE).error
    assert error["kind"] == "database" and "did not commit" in error["message"]
    assert "alembic_version" not in chain.tables()


def test_an_env_that_runs_no_migrations_is_an_error(chain):
    chain.env("from alembic import context\n")
    assert chain.run(UPGRADE).error["kind"] == "config"


def test_an_unknown_stamp_is_a_revision_error(chain):
    chain.run({"do": "upgrade", "to": "a1"}).succeeded()
    (chain.app / "migrations" / "versions" / "a1.py").unlink()
    chain.revision("b2", None)
    error = chain.run(UPGRADE).error
    assert error["kind"] == "revision" and error["revision"] is None and "a1" in error["message"]


def test_an_exit_inside_a_migration_is_never_a_success(chain):
    chain.revision("b2", "a1", "import os\nos._exit(0)")
    outcome = chain.run(UPGRADE)
    assert outcome.status == 0 and not outcome.ended and not outcome.of("upgraded")


@pytest.mark.parametrize("place", ["env", "migration"])
def test_a_polite_exit_is_an_error(chain, place):
    if place == "env":
        chain.env("import sys\nsys.exit(0)\n")
    else:
        chain.revision("a1", None, "import sys\nsys.exit(0)")
    outcome = chain.run(UPGRADE)
    assert outcome.status == 1 and outcome.error["kind"] == ("script" if place == "env" else "migration")
    assert "exit status 0" in outcome.error["message"]


def test_a_forked_child_says_nothing(chain):
    chain.revision("a1", None, "import os, sys\nif os.fork() == 0:\n    sys.exit(0)\nos.wait()")
    outcome = chain.run(UPGRADE).succeeded()
    assert [event["state"] for event in outcome.of("revision") if event["id"] == "a1"] == ["start", "done"]


def test_an_application_that_replaces_the_descriptor_gets_no_replies_written_into_its_file(chain):
    chain.revision("a1", None, "import os\nos.close(3)\nos.open('@LIVE@.txt', os.O_RDWR | os.O_CREAT)")
    outcome = chain.run(UPGRADE)
    assert not outcome.ended and (chain.app / "live.db.txt").read_bytes() == b""


@pytest.mark.parametrize("close", ["os.close(1)\nos.close(2)", "sys.stderr.close()", "sys.stderr = None"])
def test_an_application_that_closes_its_output_still_fails_with_its_own_words(chain, close):
    chain.revision("a1", None, "import os, sys\n%s\nraise RuntimeError('told all the same')" % close)
    error = chain.run(UPGRADE).error
    assert error["kind"] == "migration" and "told all the same" in error["message"], error


def test_stamp_writes_the_row_and_runs_nothing(chain):
    outcome = chain.run({"do": "stamp", "to": ["b2"]}).succeeded()
    assert outcome.one("stamped") == {"event": "stamped", "from": [], "to": ["b2"]}
    assert chain.query("SELECT * FROM alembic_version") == [("b2",)] and "note" not in chain.tables()
    down = chain.run({"do": "stamp", "to": ["a1"]}).succeeded()
    assert down.one("stamped") == {"event": "stamped", "from": ["b2"], "to": ["a1"]}


def test_stamp_with_purge_gives_up_rows_that_nobody_knows(chain):
    chain.run({"do": "stamp", "to": ["a1"]}).succeeded()
    (chain.app / "migrations" / "versions" / "a1.py").unlink()
    chain.revision("b2", None)
    assert chain.run({"do": "stamp", "to": ["b2"]}).error["kind"] == "revision"
    purged = chain.run({"do": "stamp", "to": ["b2"], "purge": True}).succeeded()
    assert purged.one("stamped")["from"] == ["a1"]
    assert chain.query("SELECT * FROM alembic_version") == [("b2",)]


def test_stamp_takes_several_heads(chain):
    chain.revision("d4", "b2")
    for _ in range(2):
        outcome = chain.run({"do": "stamp", "to": ["c3", "d4"], "purge": True}).succeeded()
        assert outcome.one("stamped")["to"] == ["c3", "d4"]


@pytest.fixture
def modelled(project):
    project.database()
    project.write("models.py", MODELS)
    project.env(WITH_MODELS)
    return project


def test_missing_names_tables_and_columns_of_the_models(modelled):
    answer = modelled.run({"do": "missing"}).succeeded().one("missing")
    assert answer == {"event": "missing", "tables": ["tag"], "columns": ["story.scenario"]}


def test_create_all_makes_the_tables_of_the_models(modelled):
    before = modelled.fingerprint()
    outcome = modelled.run({"do": "create_all"}, {"do": "stamp", "to": "base"}, {"do": "missing"}).succeeded()
    assert outcome.one("created")["tables"] == ["tag"]
    assert outcome.one("missing")["tables"] == [] and modelled.fingerprint() == before


def test_create_all_works_on_an_empty_file(modelled):
    modelled.clone.write_bytes(b"")
    assert modelled.run({"do": "create_all"}).succeeded().one("created")["tables"] == ["story", "tag"]


def test_create_all_refuses_without_models(chain):
    error = chain.run({"do": "create_all"}).error
    assert error["kind"] == "config" and "target_metadata" in error["message"]


INIT = """
import os, sys, atexit
sys.path.append("@APP@")
import helper
from sqlalchemy import create_engine, text
engine = create_engine("sqlite:///@LIVE@")
kept = engine.connect()
kept.execute(text("CREATE TABLE made (a)"))
with engine.begin() as connection:
    connection.execute(text("INSERT INTO story (title) VALUES ('%s')" % " ".join([__name__] + sys.argv[1:])))
atexit.register(lambda: print("LATE", os.getcwd()))
"""


def test_run_carries_a_script_out_on_the_clone(project):
    project.database()
    project.write("helper.py", "")
    project.write("init_database.py", INIT.replace("@APP@", str(project.app)))
    before = project.fingerprint()
    outcome = project.run({"do": "run", "argv": ["python", "init_database.py", "--yes"]}).succeeded()
    assert outcome.one("ran")["argv"] == ["python", "init_database.py", "--yes"]
    assert "LATE %s" % project.app in outcome.output
    assert project.query("SELECT title FROM story") == [("__main__ --yes",)]
    assert project.fingerprint() == before and not list(project.root.glob("clone.db-*"))


def test_run_carries_a_module_out(project):
    project.database()
    project.write("pkg/__init__.py", "")
    project.write("pkg/make.py", "import sys\nprint('MODULE', __name__, __package__, sys.argv[1:])\n")
    outcome = project.run({"do": "run", "argv": ["python3", "-u", "-m", "pkg.make", "x"]}).succeeded()
    assert "MODULE __main__ pkg ['x']" in outcome.output


@pytest.mark.parametrize("text, good", [("raise SystemExit", True), ("import sys; sys.exit(0)", True),
                                        ("import sys; sys.exit(3)", False), ("raise SystemExit('no')", False),
                                        ("1 / 0", False), ("import os; os._exit(0)", False)])
def test_run_honours_the_exit_status(project, text, good):
    project.database()
    project.write("job.py", text + "\n")
    outcome = project.run({"do": "run", "argv": ["python", "job.py"]})
    assert outcome.ended is good
    if not good and outcome.events:
        assert outcome.error["kind"] == "script"


def test_run_waits_for_the_threads_of_the_script(project):
    project.database()
    project.write("job.py", "import threading, time\n"
                  "threading.Thread(target=lambda: (time.sleep(0.3), print('WORKED'))).start()\n")
    assert "WORKED" in project.run({"do": "run", "argv": ["python", "job.py"]}).succeeded().output


def test_run_takes_only_python(project):
    project.database()
    for argv in (["sh", "-c", "true"], ["python"], ["python", "-c", "pass"]):
        assert project.run({"do": "run", "argv": argv}).error["kind"] == "config"


def test_no_connection_to_the_clone_is_left_when_a_command_has_ended(chain):
    chain.write("db.py", "from sqlalchemy import create_engine, text\n"
                "engine = create_engine('sqlite:///@LIVE@')\nkept = engine.connect()\n"
                "kept.execute(text('SELECT * FROM story'))\n")
    chain.env("import db\n" + HARD_CODED)
    chain.write("show.py", "import os\nprint('OPEN', [os.readlink('/proc/self/fd/' + n) for n in\n"
                "    os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)])\n")
    outcome = chain.run(UPGRADE, {"do": "run", "argv": ["python", "show.py"]}).succeeded()
    assert "OPEN [" in outcome.output and str(chain.clone) not in outcome.output.split("OPEN")[1]
