# SPDX-License-Identifier: MIT
"""Ways to a new database, and that none of them is believed by its exit status."""
import shutil
import sqlite3

import pytest

import lab

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("story", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text),
         sa.Column("mood", sa.Text))
sa.Table("note", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""

CREATE_ALL = """
import os, sqlalchemy as sa
from models import metadata
engine = sa.create_engine(os.environ.get("DATABASE_URL") or "sqlite:///app.db")
metadata.create_all(engine)
"""

STAMP = """
with engine.begin() as connection:
    connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    connection.execute(sa.text("INSERT INTO alembic_version VALUES ('%s')"))
"""


def with_command(project, program, models=True):
    if models:
        project.write("models.py", MODELS)
    project.env_py(lab.FROM_ENVIRONMENT, metadata="metadata" if models else "None",
                   before="from models import metadata\n" if models else "")
    project.write("init.py", program)
    project.recipe(database="database: {alembic: alembic.ini, init: {run: [python, init.py]}, "
                            "url: '${DATABASE_URL:-sqlite:///app.db}'}")
    return project


def no_database(project):
    assert not project.database.exists()
    lab.assert_clean(project)


def test_the_chain_is_run_from_empty(small):
    small.install().is_status(0)
    assert small.rows() == ["c3"] and small.columns() == ["id", "title", "mood"]


def test_the_recipes_command_makes_it(small):
    with_command(small, CREATE_ALL + STAMP % "c3").install().is_status(0)
    assert small.rows() == ["c3"] and small.columns("note") == ["id"]


@pytest.mark.parametrize("models", [True, False], ids=["models", "no-models"])
def test_a_command_may_call_alembic_itself(small, models):
    with_command(small, "import subprocess, sys\nsys.exit(subprocess.call("
                        "[sys.executable, '-m', 'alembic', 'upgrade', 'head']))\n", models)
    small.install().is_status(0)
    assert small.rows() == ["c3"]


def test_a_chain_that_does_not_run_from_empty_gives_way_to_the_models(small):
    small.write("models.py", MODELS)
    small.env_py(metadata="metadata", before="from models import metadata\n")
    small.revision("a1", None, "op.add_column('story', sa.Column('title', sa.Text))")
    small.install().is_status(0)
    assert small.rows() == ["c3"] and small.columns() == ["id", "title", "mood"]


def test_a_chain_that_does_not_run_from_empty_fails_without_models(small):
    small.revision("a1", None, "op.add_column('story', sa.Column('title', sa.Text))")
    ended = small.install().is_status(1)
    assert "story" in ended.last_lines
    no_database(small)


def test_a_command_that_stamps_an_older_revision_is_never_accepted_as_it_is(small):
    """The tables are the head's, the stamp is not: the upgrade from there fails, and nothing is put into place."""
    with_command(small, CREATE_ALL + STAMP % "a1")
    small.install().is_status(1)
    no_database(small)


def test_a_command_that_stops_at_an_older_revision_is_upgraded(small):
    with_command(small, "import subprocess, sys\nsys.exit(subprocess.call("
                        "[sys.executable, '-m', 'alembic', 'upgrade', 'a1']))\n")
    small.install().is_status(0)
    assert small.rows() == ["c3"] and small.columns() == ["id", "title", "mood"]


def test_a_command_that_stamps_an_unknown_revision_is_not_accepted(small):
    with_command(small, CREATE_ALL + STAMP % "ffff")
    assert "ffff" in small.install().is_status(78).last_lines
    no_database(small)


def test_a_command_that_leaves_no_version_row_is_stamped_if_the_models_are_all_there(small):
    with_command(small, CREATE_ALL).install().is_status(0)
    assert small.rows() == ["c3"]


def test_a_command_that_leaves_no_version_row_and_half_the_models_has_failed(small):
    with_command(small, CREATE_ALL.replace("create_all(engine)", "create_all(engine, [metadata.tables['note']])"))
    ended = small.install().is_status(1)
    assert "story" in ended.last_lines
    no_database(small)


def test_a_command_that_leaves_no_version_row_has_failed_if_no_models_can_tell(small):
    with_command(small, "import os, sqlalchemy as sa\nfrom sqlalchemy import create_engine\n"
                        "with create_engine(os.environ['DATABASE_URL']).begin() as c:\n"
                        "    c.execute(sa.text('CREATE TABLE story (id)'))\n", models=False)
    small.install().is_status(1)
    no_database(small)


@pytest.mark.parametrize("models", [True, False], ids=["models", "no-models"])
def test_a_command_that_writes_nothing_has_failed(small, models):
    with_command(small, "print('all is well')\n", models).install().is_status(1)
    no_database(small)


def test_a_command_that_fails_says_why_and_leaves_nothing(small):
    with_command(small, CREATE_ALL + "raise RuntimeError('no ink')\n")
    ended = small.install().is_status(1)
    assert "no ink" in ended.last_lines and "init.log" in ended.last_lines
    no_database(small)
    small.write("init.py", CREATE_ALL)
    small.install().is_status(0)
    assert small.rows() == ["c3"]


def test_a_command_that_writes_to_the_final_place_itself_is_not_built_upon(small):
    with_command(small, CREATE_ALL.replace('os.environ.get("DATABASE_URL") or "sqlite:///app.db"',
                                           repr("sqlite:///%s" % small.database)) + STAMP % "c3")
    ended = small.install()
    assert ended.status in (0, 1, 3)
    if ended.status == 0:
        assert small.rows() == ["c3"] and small.columns("note") == ["id"]


def test_the_folder_of_the_database_is_made(small):
    small.ini("sqlite:///%s/deep/er/app.db" % small.root)
    small.install().is_status(0)
    small.database = small.path("deep/er/app.db")
    assert small.rows() == ["c3"]
    small.database = small.path("app.db")


@pytest.mark.parametrize("tail", ["-wal", "-journal"])
def test_what_a_database_that_has_gone_left_is_not_played_into_a_new_one(small, tail):
    """SQLite would take both for the new database's own."""
    small.beside("stale.db").unlink(missing_ok=True)
    stale = sqlite3.connect(str(small.beside("stale.db")), isolation_level=None)
    for statement in (["PRAGMA journal_mode=WAL"] if tail == "-wal" else []) + [
            "CREATE TABLE foreign_to_it (x)", "INSERT INTO foreign_to_it VALUES (zeroblob(100000))",
            "PRAGMA cache_size=2", "BEGIN IMMEDIATE", "UPDATE foreign_to_it SET x = zeroblob(100001)",
            "COMMIT" if tail == "-wal" else "PRAGMA cache_spill=1"]:
        stale.execute(statement)
    left = shutil.copy(str(small.beside("stale.db")) + tail, str(small.database) + tail)
    data = open(left, "rb").read()
    assert data
    stale.close()
    small.install().is_status(0)
    assert small.rows() == ["c3"] and lab.query(small.database, "PRAGMA integrity_check") == [("ok",)]
    assert not lab.query(small.database, "SELECT * FROM sqlite_schema WHERE name = 'foreign_to_it'")
    kept, = small.path(".athanor/backups").glob("damaged-*" + tail)
    assert kept.read_bytes() == data
