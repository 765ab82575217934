# SPDX-License-Identifier: MIT
"""athanor inspect: what it says of every kind of database, and that it leaves the database as it was."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import pytest

import lab

HEAD, BBF4, EC1F = "c7923c6e866e", "bbf4e254a824", "ec1f4e1c996a"
CHAIN = ["001", "002", "003", "004", "005", "006", "007", "008", EC1F, BBF4, HEAD]
KEYS = {
    "": {"athanor", "app", "root", "changed", "database", "stamp", "chain", "head", "revision", "pending", "decision",
         "evidence", "drift", "half", "passed_over", "blind", "walk", "install", "by_hand"},
    "database": {"kind", "path", "state", "journal_mode"},
    "stamp": {"table", "rows", "to_write"},
    "chain": {"revisions", "heads"},
    "revision": {"inferred", "candidates", "range", "reason", "verdict", "margin"},
}
REPLAY = """
import os, shutil, sys
from alembic import command
from alembic.config import Config
config = Config("alembic.ini")
for revision in sys.argv[3:]:
    command.upgrade(config, revision)
    shutil.copy(sys.argv[1], os.path.join(sys.argv[2], revision + ".db"))
"""


@pytest.fixture(scope="session")
def replayed(tmp_path_factory, python):
    """One database for each revision of the example's chain, made by running it."""
    place = tmp_path_factory.mktemp("replay")
    app = place / "app"
    shutil.copytree(lab.FIXTURES / "kahani", app)
    database = place / "made.db"
    (app / "backend/alembic/env.py").write_text(
        lab.ENV_PY.replace("@URL@", 'os.environ["DATABASE_URL"]').replace("@METADATA@", "None"))
    subprocess.run([str(python), "-c", REPLAY, str(database), str(place), *CHAIN], check=True, cwd=app / "backend",
                   env=lab.environment(DATABASE_URL="sqlite:///%s" % database), capture_output=True)
    return place


def shape(value):
    """What stays the same in a document: its keys, and one item of each list."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def is_as_stored(name, said, root):
    """tests/fixtures/inspect holds one document per verdict (written anew if ATHANOR_WRITE_FIXTURES is set)."""
    path, text = lab.FIXTURES / "inspect" / (name + ".json"), json.dumps(said, indent=2) + "\n"
    if os.environ.get("ATHANOR_WRITE_FIXTURES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(str(root), "/srv/kahani"))
    stored = json.loads(path.read_text())
    assert shape(stored) == shape(said)
    assert stored["decision"] == said["decision"] and stored["revision"]["verdict"] == said["revision"]["verdict"] == name


class Case:
    """The example's folder with one database in it."""

    def __init__(self, root, replayed):
        self.root, self.replayed = root, replayed
        self.path = root / "backend/data/kahani.db"
        self.path.parent.mkdir()

    def at(self, revision, *statements):
        shutil.copy(self.replayed / (revision + ".db"), self.path)
        lab.execute(self.path, *statements)
        return self

    def inspect(self, status, *arguments, env=None):
        before, names = lab.database_files(self.path), sorted(os.listdir(self.root))
        ended = lab.athanor("inspect", "--json", *arguments, self.root, env=env).is_status(status)
        assert lab.database_files(self.path) == before
        assert sorted(os.listdir(self.root)) == names
        for key, keys in KEYS.items():
            assert set(ended.json[key] if key else ended.json) == keys
        assert ended.json["changed"] is False
        return ended.json

    def says(self, verdict, decision, inferred, status=0):
        said = self.inspect(status)
        assert (said["revision"]["verdict"], said["decision"], said["revision"]["inferred"]) == \
            (verdict, decision, inferred), said
        text = lab.athanor("inspect", self.root).is_status(status).out.splitlines()
        assert text[0].startswith("kahani: ") and text[0].endswith("(%s)" % verdict)
        assert max(map(len, text)) < 1000 and len(text) < 40
        return said


@pytest.fixture
def case(tmp_path, replayed):
    shutil.copytree(lab.FIXTURES / "kahani", tmp_path / "app")
    return Case(tmp_path / "app", replayed)


def stamped(*rows):
    return ["DELETE FROM alembic_version", *("INSERT INTO alembic_version VALUES ('%s')" % row for row in rows)]


DROPPED = "DROP TABLE alembic_version"


@pytest.mark.parametrize("revision", CHAIN)
def test_a_correct_stamp_is_believed_and_what_is_pending_is_listed(case, revision):
    verdict = "equivalent" if revision in ("004", "005") else "exact"
    said = case.at(revision).says(verdict, "none", revision)
    assert said["pending"] == CHAIN[CHAIN.index(revision) + 1:]
    assert said["stamp"] == {"table": "alembic_version", "rows": [revision], "to_write": []}
    assert said["head"] == HEAD and said["chain"] == {"revisions": 11, "heads": [HEAD]}
    assert said["revision"]["range"] == (["004", "005"] if verdict == "equivalent" else [revision, revision])
    assert said["database"] == {"kind": "sqlite", "path": str(case.path), "state": "ok", "journal_mode": "delete"}
    assert said["blind"] == 0
    if revision == HEAD:
        is_as_stored("exact", said, case.root)


# Rows of the state table: name, revision of the schema, what is done to it, then what has to be said.
ROWS = [
    ("no_alembic_version", HEAD, [DROPPED], "exact", "stamp", HEAD),
    ("no_alembic_version_007", "007", [DROPPED], "exact", "stamp", "007"),
    ("004_unstamped", "004", [DROPPED], "equivalent", "stamp", "005"),
    ("empty_alembic_version", HEAD, stamped(), "exact", "stamp", HEAD),
    ("wrong_001", HEAD, stamped("001"), "ahead", "stamp", HEAD),
    ("wrong_ec1f", HEAD, stamped(EC1F), "ahead", "stamp", HEAD),
    ("wrong_unknown_deadbeef", HEAD, stamped("deadbeef"), "unknown_stamp", "refuse", None),
    ("two_rows_001_head", HEAD, stamped("001", HEAD), "exact", "stamp", HEAD),
    ("two_rows_head_deadbeef", HEAD, stamped("deadbeef", HEAD), "unknown_stamp", "refuse", None),
    ("stamped_head_schema_008", "008", stamped(HEAD), "behind", "stamp", "008"),
    ("semantic_tables_missing_one", HEAD, [DROPPED, "DROP TABLE plot_events"], "ambiguous", "ask", None),
    ("only_alembic_version", None, [lab.VERSION_TABLE, *stamped(HEAD)], "empty", "ask", None),
    ("foreign_app", None, ["CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT)", "CREATE TABLE invoices (id)",
                           "CREATE TABLE orders (id)", "CREATE TABLE items (id)"], "foreign", "refuse", None),
    ("half_ec1f_one_column", "008", ["ALTER TABLE user_settings ADD COLUMN engine_settings TEXT"],
     "half_applied", "complete", "008"),
    ("half_bbf4_dropped_not_stamped", BBF4, stamped(EC1F), "ahead", "stamp", BBF4),
    ("wrong_shape", HEAD, [DROPPED, "CREATE TABLE alembic_version (version TEXT)"], "unreadable", "refuse", None),
]
DOCUMENTS = {"004_unstamped", "half_ec1f_one_column", "half_bbf4_dropped_not_stamped", "stamped_head_schema_008",
             "semantic_tables_missing_one", "wrong_unknown_deadbeef", "foreign_app"}


@pytest.mark.parametrize("name,revision,statements,verdict,decision,inferred", ROWS, ids=[row[0] for row in ROWS])
def test_the_state_table(case, name, revision, statements, verdict, decision, inferred):
    status = 3 if decision in ("ask", "refuse") else 0
    if revision:
        case.at(revision, *statements)
    else:
        lab.execute(case.path, *statements)
    said = case.says(verdict, decision, inferred, status)
    if name in DOCUMENTS:
        is_as_stored(verdict, said, case.root)
    if decision == "stamp":
        assert said["stamp"]["to_write"] == [inferred]
    if decision in ("stamp", "complete"):
        case.inspect(2, "--detailed-exitcode")
    if inferred:
        assert said["pending"] == CHAIN[CHAIN.index(inferred) + 1:]
    if name == "wrong_001":
        assert {"003", "007", "008"} <= set(said["passed_over"])
        assert {"revision": "002", "element": "plot_events", "kind": "table", "expected": "absent",
                "found": "present", "against": "001"} in said["evidence"]
    if name == "half_ec1f_one_column":
        assert said["half"] == {"revision": EC1F, "there": [{"element": "user_settings.engine_settings",
                                                             "kind": "column"}]}


def test_an_index_that_is_missing_is_drift(case):
    index = lab.query(case.replayed / (HEAD + ".db"), "SELECT name FROM sqlite_schema WHERE tbl_name = 'plot_events' "
                      "AND sql LIKE 'CREATE UNIQUE%'")[0][0]
    said = case.at(HEAD, "DROP INDEX %s" % index).says("exact", "none", HEAD)
    assert {"element": "plot_events(embedding_id)", "kind": "unique", "found": "missing"} in said["drift"]


def test_what_is_there_besides_is_drift(case):
    said = case.at(HEAD, DROPPED, "CREATE TABLE notes (id INTEGER)").says("exact", "stamp", HEAD)
    assert {"element": "notes", "kind": "table", "found": "extra"} in said["drift"]


def test_what_is_no_database_is_refused_without_python(case):
    case.path.write_text("a letter\n" * 1000)
    said = case.says("unreadable", "refuse", None, status=3)
    assert said["database"]["state"] == "unreadable" and said["stamp"]["rows"] is None
    is_as_stored("unreadable", said, case.root)
    case.inspect(3, env={"PATH": "/nowhere"})


def test_nothing_yet_is_to_be_made(case):
    case.path.touch()
    said = case.says("empty", "init", None)
    assert said["database"]["state"] == "empty" and said["pending"] == CHAIN
    is_as_stored("empty", said, case.root)
    case.inspect(2, "--detailed-exitcode")
    case.path.unlink()
    assert case.says("empty", "init", None)["database"]["state"] == "missing"
    assert not case.path.exists()


def test_a_wal_is_read_through_and_left_alone(case):
    case.at(BBF4, "PRAGMA journal_mode=WAL")
    writer = sqlite3.connect(case.path, isolation_level=None)
    with contextlib.closing(writer):
        for statement in stamped(EC1F):
            writer.execute(statement)
        assert pathlib.Path(str(case.path) + "-wal").stat().st_size
        said = case.says("ahead", "stamp", BBF4)
        assert said["stamp"]["rows"] == [EC1F] and said["database"]["journal_mode"] == "wal"


def test_a_hot_journal_is_left_for_a_run_that_may_write(case):
    other = shutil.copy(case.replayed / (HEAD + ".db"), str(case.path) + ".other")
    writer = sqlite3.connect(other, isolation_level=None)
    with contextlib.closing(writer):
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.execute("CREATE TABLE much AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                       "i < 3000) SELECT i, hex(randomblob(50)) FROM n")
        for end in ("", "-journal"):
            shutil.copy(other + end, str(case.path) + end)
        writer.execute("ROLLBACK")
    said = case.says("unreadable", "refuse", None, status=3)
    assert said["database"]["state"] == "unreadable" and "rolls the interrupted write back" in said["install"]


def test_a_locked_database_is_75_and_nothing_is_guessed(case):
    case.at(HEAD)
    holder = sqlite3.connect(case.path, isolation_level=None)
    with contextlib.closing(holder):
        holder.execute("BEGIN EXCLUSIVE")
        ended = lab.athanor("inspect", "--json", case.root).is_status(75)
        assert ended.json["database"]["state"] == "locked" and ended.json["decision"] == "refuse"


def test_a_database_may_be_named(case, tmp_path):
    case.at("008")
    other = tmp_path / "copy.db"
    shutil.copy(case.replayed / (EC1F + ".db"), other)
    ended = lab.athanor("inspect", "--json", "-C", case.root, other).is_status(0)
    assert ended.json["database"]["path"] == str(other) and ended.json["revision"]["inferred"] == EC1F
    ended = lab.athanor("inspect", "--json", other, cwd=case.root).is_status(0)
    assert ended.json["revision"]["inferred"] == EC1F
    (tmp_path / "empty").mkdir()
    assert "-C" in lab.athanor("inspect", other, cwd=tmp_path / "empty").is_status(1).err
    assert "both" in lab.athanor("inspect", "-C", case.root, case.root).is_status(64).err


def test_a_database_that_only_env_py_knows_is_asked_for(bare):
    ended = lab.athanor("inspect", bare.root).is_status(1)
    assert "athanor inspect -C %s FILE" % bare.root in ended.err
    bare.stored("a1")
    ended = lab.athanor("inspect", "--json", "-C", bare.root, bare.database).is_status(0)
    assert ended.json["revision"]["inferred"] == "a1" and ended.json["pending"] == ["b2", "c3"]
    assert not bare.path(".athanor").exists()


def test_what_cannot_be_read_is_said_to_be_blind(bare):
    bare.revision("c3", "b2", "for name in open('/names'):\n    op.create_table(name)")
    bare.stored("b2", tables=["CREATE TABLE story (id INTEGER PRIMARY KEY, title TEXT NOT NULL, mood TEXT)"])
    ended = lab.athanor("inspect", "-C", bare.root, bare.database)
    assert "1 of 3 revisions cannot be read" in ended.out, ended


def test_the_application_is_not_run(bare):
    for name in ("migrations/env.py", "migrations/versions/a1.py", "sitecustomize.py"):
        path = bare.path(name)
        bare.write(name, (path.read_text() if path.exists() else "") + "\nopen(@ROOT@ + '/ran', 'w')\n")
    bare.stored("a1")
    lab.athanor("inspect", "-C", bare.root, bare.database, env={"PYTHONPATH": str(bare.root)}).is_status(0)
    assert not bare.path("ran").exists()


def test_the_private_folder_is_gone_and_is_in_the_state_directory_if_there_is_one(bare, tmp_path):
    bare.stored("a1")
    (tmp_path / "tmp").mkdir()
    env = {"TMPDIR": str(tmp_path / "tmp")}
    lab.athanor("inspect", "-C", bare.root, bare.database, env=env).is_status(0)
    assert not list((tmp_path / "tmp").iterdir())
    (tmp_path / "tmp").chmod(0o500)
    bare.path(".athanor").mkdir()
    lab.athanor("inspect", "-C", bare.root, bare.database, env=dict(env, TMPDIR="/nowhere")).is_status(0)
    assert [path.name for path in bare.path(".athanor").iterdir()] == ["cache"]


def test_a_broken_chain_is_78_and_one_that_is_not_static_is_69(bare):
    bare.stored("a1")
    bare.revision("d4", "gone")
    assert "gone" in lab.athanor("inspect", "-C", bare.root, bare.database).is_status(78).err
    bare.path("migrations/versions/d4.py").write_text("revision = input()\ndown_revision = 'c3'\n")
    assert "install" in lab.athanor("inspect", "-C", bare.root, bare.database).is_status(69).err


def test_without_any_python_it_is_69(bare):
    bare.stored("a1")
    ended = lab.athanor("inspect", "-C", bare.root, bare.database, env={"PATH": "/nowhere"}).is_status(69)
    assert "Python" in ended.err


@pytest.mark.parametrize("text,said", [
    ("exit 0", "3.8"), ("exit 7", "exit status 7"), ("kill -9 $$", "signal 9"), ("echo nonsense >&3", "python3"),
    ('echo "{\\"event\\": \\"error\\", \\"kind\\": \\"config\\", \\"message\\": \\"too old\\"}" >&3', "too old")])
def test_a_python_that_does_not_answer_is_named_and_nothing_is_guessed(bare, odd, tmp_path, text, said):
    ended = lab.athanor("inspect", "-C", bare.root, bare.database, env=odd(text)).is_status(1)
    assert said in ended.err and not ended.out
    assert not list((tmp_path / "tmp").iterdir())


def test_a_signal_ends_it_with_all_that_it_started(bare, odd, tmp_path):
    env = lab.environment(**odd("touch %s/here; sleep 97" % tmp_path), MARK=str(tmp_path))
    run = subprocess.Popen([lab.ATHANOR, "inspect", "-C", bare.root, bare.database], env=env,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lab.wait_for(lambda: (tmp_path / "here").exists(), "the script")
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=30)
    assert run.returncode == 128 + signal.SIGTERM and not out, err
    assert not lab.processes_with("MARK=%s" % tmp_path) and not list((tmp_path / "tmp").iterdir())


def test_the_environment_of_the_application_is_used_if_it_is_whole(bare):
    bare.stored("a1")
    subprocess.run([lab.PYTHON, "-m", "venv", "--without-pip", str(bare.path(".venv"))], check=True)
    lab.athanor("inspect", "-C", bare.root, bare.database, env={"PATH": "/nowhere"}).is_status(0)


def test_what_an_installation_has_learned_is_used_and_a_database_that_has_gone_is_a_question(bare, python):
    subprocess.run([lab.PYTHON, "-m", "venv", "--without-pip", str(bare.path(".venv"))], check=True)
    packages, = pathlib.Path(python).parents[1].glob("lib/python3*/site-packages")
    own, = bare.path(".venv").glob("lib/python3*/site-packages")
    (own / "borrowed.pth").write_text("%s\n" % packages)
    bare.install().is_status(0)
    said = lab.athanor("inspect", "--json", bare.root).is_status(0).json
    assert said["database"]["path"] == str(bare.database) and said["revision"]["inferred"] == "c3"
    lab.execute(bare.database, "PRAGMA user_version = 3", *stamped("b2"))
    said = lab.athanor("inspect", "--json", bare.root).is_status(0).json
    assert said["revision"]["inferred"] == "c3" and said["decision"] == "stamp"
    bare.database.unlink()
    said = lab.athanor("inspect", "--json", bare.root).is_status(3).json
    assert said["decision"] == "ask" and "--allow-new-database" in said["revision"]["reason"]
    assert not bare.database.exists()


def test_what_a_person_could_type_keeps_a_copy_and_writes_the_right_row(case, tmp_path):
    said = case.at(BBF4, *stamped("deadbeef", HEAD)).says("unknown_stamp", "refuse", None, status=3)
    subprocess.run(said["by_hand"], shell=True, check=True, cwd=tmp_path)
    rows = "SELECT version_num FROM alembic_version"
    assert lab.query(case.path, rows) == [(BBF4,)]
    assert sorted(lab.query(tmp_path / "before-stamp.db", rows)) == [(HEAD,), ("deadbeef",)]
    assert case.says("exact", "none", BBF4)["by_hand"] is None


def test_nobody_is_told_to_type_what_the_schema_does_not_bear_out(case):
    case.at(HEAD, *stamped("deadbeef"), "DROP TABLE plot_events")
    assert case.says("unknown_stamp", "refuse", None, status=3)["by_hand"] is None
