# SPDX-License-Identifier: MIT
"""
A replay as an installation runs it (steps/replayed): which blind revisions it opens, and that nothing else changes.

The program is tests/support/replay_cli.c: one step, a real loop, a real env.py.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

from conftest import HARD_CODED, ROOT

PROGRAM = os.environ.get("ATHANOR_REPLAY_CLI") or str(ROOT / "build/check/tests/bridge/replay_cli")
ATHANOR = os.environ.get("ATHANOR") or str(ROOT / "build/release/athanor")
pytestmark = pytest.mark.skipif(not os.path.exists(PROGRAM), reason="replay_cli is not built")

NEWEST = pytest.mark.parametrize("python", ["newest"], indirect=True)
TABLE = "op.create_table('%s', sa.Column('id', sa.Integer, primary_key=True))"
GUARD = "if 't' %s sa.inspect(op.get_bind()).get_table_names():\n    "


class Answer:
    def __init__(self, ran, log):
        self.out, self.err, self.log = ran.stdout, ran.stderr, log
        assert ran.returncode == 0 and "Sanitizer" not in ran.stderr, (ran.stdout, ran.stderr, log)
        *lines, last = ran.stdout.splitlines()
        self.opened, self.disagreements, self.has_waited, self.failure = re.fullmatch(
            r"opened (\d+) disagreements (\d+) waited ([01]) failure (\w+)", last).groups()
        # id -> (source, traits, effects)
        self.revisions = {}
        for line in lines:
            ident, source, traits, *effects = line.split(" ")
            self.revisions[ident] = source, {word for word in traits.split(",") if word}, set(effects)

    def sources(self):
        return [source for source, _, _ in self.revisions.values()]


def replay(project, **variables):
    if not (project.app / ".venv").exists():
        (project.app / ".venv").symlink_to(pathlib.Path(project.python).parents[1])
    run = project.app / ".athanor/runs/mark"
    (run / "replay.log").unlink(missing_ok=True)
    before = project.fingerprint()
    environment = dict(os.environ, **variables)
    environment.pop("PYTHONPATH", None)
    ran = subprocess.run([PROGRAM, str(project.app), ".venv", str(project.live)], env=environment, cwd=str(project.root),
                         timeout=120, universal_newlines=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = (run / "replay.log").read_text() if (run / "replay.log").exists() else ""
    assert project.fingerprint() == before and not list(run.glob("replay.db*")), log
    (project.app / ".athanor/test.db").unlink(missing_ok=True)
    return Answer(ran, log)


@pytest.fixture
def helped(project):
    """Revisions that only a run can follow: a helper of the application, a guard, raw SQL, a switch of dialects."""
    project.database("CREATE TABLE story (id INTEGER PRIMARY KEY)")
    project.write("helpers.py", "def names():\n    return ['red', 'blue']\n\ndef text():\n"
                  "    return 'CREATE TABLE raw (id INTEGER PRIMARY KEY, x TEXT)'\n")
    project.revision("a1", None, "for name in names():\n    op.create_table(name, sa.Column('id', sa.Integer, primary_key=True))",
                     head="from helpers import names")
    project.revision("b2", "a1", GUARD % "not in" + TABLE % "t")
    project.revision("c3", "b2", GUARD % "not in" + "op.drop_table('red')")
    project.revision("d4", "c3", "op.execute(text())", head="from helpers import text")
    project.revision("e5", "d4", "if op.get_bind().dialect.name == 'postgresql':\n    op.execute('CREATE TYPE mood AS ENUM ()')\n"
                     "else:\n    op.add_column('t', sa.Column('mood', sa.Text))")
    project.revision("f6", "e5", TABLE % "last")
    return project


def test_what_only_a_run_can_follow_is_seen(helped):
    answer = replay(helped)
    found = answer.revisions
    assert found["a1"] == ("replay", {"data", "lower"}, {"+table_red", "+column_red.id", "+table_blue", "+column_blue.id"})
    assert found["b2"][0] == "replay" and found["b2"][2] == {"+table_t", "+column_t.id"}
    assert found["c3"][0] == "unknown", "its guard kept it from what it may do: red is still there"
    assert found["d4"] == ("replay", {"data", "lower"}, {"+table_raw", "+column_raw.id", "+column_raw.x"})
    assert found["e5"][0] == "static" and found["e5"][2] == {"+column_t.mood"}, "the text tells: it is no guard"
    assert found["f6"] == ("static", {"literal"}, {"+table_last", "+column_last.id"})
    assert int(answer.opened) == answer.sources().count("replay") == 3
    assert (answer.disagreements, answer.has_waited, answer.failure) == ("0", "1", "ok"), answer.log


@NEWEST
def test_it_is_kept_for_the_same_files_and_versions(helped):
    versions = {"REPLAY_ALEMBIC": "1.2.3", "REPLAY_SQLALCHEMY": "2.0.0"}
    first = replay(helped, **versions)
    again = replay(helped, **versions)
    assert first.has_waited == "1" and again.has_waited == "0" and again.revisions == first.revisions
    assert replay(helped).has_waited == "0", "who does not know the versions takes any"
    assert replay(helped, **dict(versions, REPLAY_ALEMBIC="1.2.4")).has_waited == "1"
    assert replay(helped, **dict(versions, REPLAY_ALEMBIC="1.2.4", REPLAY_SQLALCHEMY="2.0.1")).has_waited == "1"
    for name in ("migrations/env.py", "alembic.ini", "migrations/versions/f6.py"):
        path = helped.app / name
        path.write_text(path.read_text() + "\n# edited\n")
        assert replay(helped).has_waited == "1", name
        assert replay(helped).has_waited == "0"
    kept, = [path for path in (helped.app / ".athanor/cache").glob("replay-*")
             if path.stat().st_mtime_ns == max(one.stat().st_mtime_ns for one in path.parent.glob("replay-*"))]
    kept.write_bytes(kept.read_bytes()[:-9])
    assert replay(helped).has_waited == "1"


@NEWEST
def test_without_a_blind_revision_nothing_is_run(project):
    project.database()
    project.revision("a1", None, TABLE % "t")
    project.env("raise SystemExit('was asked')")
    answer = replay(project)
    assert (answer.has_waited, answer.opened, answer.failure) == ("0", "0", "ok") and not answer.log


@NEWEST
@pytest.mark.parametrize("upgrade", ["raise ValueError('no')", "op.drop_column('nothing', 'a')", "import nothing_like_it"])
def test_behind_a_revision_that_fails_all_stays_blind(helped, upgrade):
    helped.revision("b2", "a1", upgrade)
    answer = replay(helped)
    assert answer.revisions["a1"][0] == "replay" and answer.revisions["c3"][0] == "unknown"
    assert answer.revisions["d4"][0] != "replay" and answer.revisions["f6"][0] == "static"
    assert "the replay stopped at revision b2" in answer.log and "b2.py:" in answer.log and answer.failure == "ok"
    assert replay(helped).has_waited == "0", "it would stop there again"


@NEWEST
def test_an_env_that_fails_leaves_the_texts_alone(helped):
    helped.env("import nothing_like_it")
    answer = replay(helped)
    assert answer.revisions["a1"][0] == "unknown" and answer.opened == "0" and "nothing_like_it" in answer.log


@NEWEST
@pytest.mark.parametrize("how", ["a connection of its own", "the process is ended", "no interpreter", "an env of its own path"])
def test_a_replay_that_fails_is_a_note_and_live_is_as_it_was(helped, how):
    if how == "a connection of its own":
        helped.revision("b2", "a1", "import sqlite3\nsqlite3.connect('@LIVE@').execute('CREATE TABLE gone (id)')")
    elif how == "the process is ended":
        helped.revision("b2", "a1", "import os\nos._exit(0)")
    elif how == "an env of its own path":
        helped.env(HARD_CODED)      # it is led to the scratch database
        assert replay(helped).failure == "ok"
        return
    else:
        helped.write("sitecustomize.py", "")
        (helped.app / ".athanor/runs/mark").mkdir(parents=True)
        (helped.app / ".athanor/cache").write_text("")      # the bridge cannot be written
    answer = replay(helped)
    assert answer.failure != "ok" and answer.opened == "0" and "unknown" in answer.sources(), answer.out
    assert "the replay is not used" in answer.log or "there is no replay" in answer.log
    assert not list(helped.app.glob(".athanor/cache/replay-*"))


def test_a_branched_chain_is_seen_in_the_order_of_alembic(helped):
    helped.revision("g1", "f6", "for name in names():\n    op.add_column(name, sa.Column('g', sa.Text))",
                    head="from helpers import names")
    helped.revision("h1", "f6", "for name in names():\n    op.add_column(name, sa.Column('h', sa.Text))",
                    head="from helpers import names")
    helped.revision("i1", ("g1", "h1"))
    found = replay(helped).revisions
    assert found["g1"][2] == {"+column_red.g", "+column_blue.g"} and found["h1"][2] == {"+column_red.h", "+column_blue.h"}
    assert found["i1"][0] == "static"


@NEWEST
def test_inspect_uses_what_an_installation_saw_and_runs_nothing(helped):
    helped.write("athanor.yaml", "athanor: 1\nname: helped\npython: {venv: .venv}\n"
                 "database: {alembic: alembic.ini, url: 'sqlite:///live.db'}\n")

    def blind():
        ran = subprocess.run([ATHANOR, "inspect", "--json", str(helped.app)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert ran.stdout, ran.stderr
        return json.loads(ran.stdout)["blind"]

    before = blind()
    opened = int(replay(helped).opened)
    env = helped.app / "migrations/env.py"
    assert opened >= 2 and blind() == before - opened
    env.write_text(env.read_text() + "open('/ran', 'w')\n")
    assert blind() == before
