# SPDX-License-Identifier: MIT
"""Databases whose version row is missing, or claims more than the schema has: what the schema decides, and what it asks."""
import pytest

import lab

DROP = "DROP TABLE alembic_version"
EMPTY = "DELETE FROM alembic_version"
MOOD = "ALTER TABLE story ADD COLUMN mood TEXT"
NOTE = "CREATE TABLE note (id INTEGER PRIMARY KEY)"


def asked(project, *words, status=3):
    """The run stops, says why, and every byte of the database is as it was."""
    before = lab.database_files(project.database)
    ended = project.install().is_status(status)
    assert lab.database_files(project.database) == before
    for word in words:
        assert word in ended.err, (word, ended)
    return ended


@pytest.mark.parametrize("forget", [DROP, EMPTY])
def test_a_database_at_head_that_lost_its_row_gets_it_back(kahani, forget):
    users = lab.query(kahani.database, "SELECT * FROM users")
    lab.execute(kahani.database, forget)
    ended = kahani.install().is_status(0)
    assert "c7923c6e866e" in ended.err + ended.out
    assert kahani.current("backend") == "c7923c6e866e (head)"
    assert lab.query(kahani.database, "SELECT * FROM users") == users
    assert "nothing to do" in kahani.install().is_status(0).out


@pytest.mark.parametrize("tables, at", [((), "a1"), ((MOOD,), "b2"), ((MOOD, NOTE), "c3")])
def test_the_revision_is_read_from_the_schema_and_the_rest_is_run(small, tables, at):
    small.stored(tables=lab.STORIES + tables)
    ended = small.install().is_status(0)
    assert "the schema is that of revision %s" % at in ended.err
    assert small.rows() == ["c3"] and "mood" in small.columns()
    assert small.stories() == ["one", "two", "three"]


@pytest.mark.parametrize("is_inspected", [True, False], ids=["inspected", "control"])
def test_what_inspect_has_read_is_not_read_again(small, is_inspected):
    small.stored(tables=lab.STORIES + (MOOD,))
    small.path(".athanor").mkdir()
    if is_inspected:
        lab.athanor("inspect", "-C", small.root, small.database).is_status(0)
    ended = small.install().is_status(0)
    request = small.read(".athanor/runs/%s/detect.request" % small.marks[0])
    assert ('"do":"effects"' in request) is not is_inspected
    assert small.rows() == ["c3"] and "b2" in ended.err + ended.out


LOOPED = "for name in names():\n    op.create_table(name, sa.Column('id', sa.Integer, primary_key=True))"


@pytest.mark.parametrize("helper", ["return ['red', 'blue']", "raise ValueError('not here')"], ids=["seen", "control"])
def test_what_the_texts_do_not_tell_is_seen_in_a_replay(small, helper):
    """Without what d4 did it could be at c3, too: the texts alone, where the replay stops, are asked about."""
    small.write("helpers.py", "def names():\n    %s\n" % helper)
    small.revision("d4", "c3", LOOPED, head="from helpers import names")
    small.revision("e5", "d4", "op.add_column('story', sa.Column('tempo', sa.Text))")
    small.stored(tables=lab.HEAD + ("CREATE TABLE red (id INTEGER PRIMARY KEY)", "CREATE TABLE blue (id INTEGER PRIMARY KEY)"))
    if helper.startswith("return"):
        assert "d4" in small.install().is_status(0).err
        assert small.rows() == ["e5"] and "tempo" in small.columns() and small.stories() == ["one", "two", "three"]
    else:
        asked(small, "--assume-revision", "d4")
        assert "the replay stopped at revision d4" in small.read(".athanor/runs/%s/detect.log" % small.marks[0])
    assert not list(small.root.glob(".athanor/runs/*/replay.db*"))


def test_tables_of_the_operators_own_do_not_disturb(small):
    small.stored(tables=lab.STORIES + (MOOD, "CREATE TABLE mine (id)", "CREATE INDEX mine_too ON story (mood)"))
    assert "the schema is that of revision b2" in small.install().is_status(0).err
    assert small.rows() == ["c3"] and lab.query(small.database, "SELECT * FROM mine") == []


def test_a_revision_that_only_changes_data_is_a_question(small):
    small.revision("b2", "a1", "op.execute('UPDATE story SET title = upper(title)')")
    small.stored()
    asked(small, "--assume-revision", "inspect")
    small.install("--assume-revision", "a1").is_status(0)
    assert small.stories() == ["ONE", "TWO", "THREE"]


def test_a_revision_that_was_cut_off_half_way_without_a_row_is_a_question(small):
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n"
                               "op.add_column('story', sa.Column('pace', sa.Text))")
    small.stored(tables=lab.STORIES + (MOOD,))
    asked(small, "--assume-revision")


def test_a_database_of_another_application_is_refused(small):
    small.stored(tables=("CREATE TABLE invoice (id INTEGER PRIMARY KEY, total INTEGER)",
                         "CREATE TABLE customer (id INTEGER PRIMARY KEY)"))
    ended = small.install()
    assert ended.status == 3 and small.columns("invoice") == ["id", "total"], ended
    assert not lab.query(small.database, "SELECT * FROM alembic_version")


GUARDED = ("if %s sa.inspect(op.get_bind()).has_table('story'):\n"
           "    op.add_column('story', sa.Column('mood', sa.Text))")


def test_a_revision_that_cannot_be_read_is_seen_when_it_runs_on_an_empty_database(small):
    small.revision("a1", None, "op.create_table('story', sa.Column('id', sa.Integer, primary_key=True),"
                               " sa.Column('title', sa.Text, nullable=False))")
    small.revision("b2", "a1", GUARDED % "")
    small.stored()
    ended = small.install().is_status(0)
    assert "the schema is that of revision a1" in ended.err
    assert small.rows() == ["c3"] and "mood" in small.columns()
    assert not list((small.root / ".athanor").rglob("replay.db*"))


def test_a_revision_that_does_nothing_when_it_is_replayed_stays_a_question(small):
    small.revision("b2", "a1", GUARDED % "os.environ.get('MOODY') and".replace("os.", "__import__('os')."))
    small.stored()
    asked(small, "--assume-revision")


# ---- a row that claims more than the schema has ----

def test_a_row_above_its_schema_is_moved_down_and_the_rest_is_run(small):
    small.stored("c3", tables=lab.STORIES)
    ended = small.install().is_status(0)
    assert "behind its stamp, at revision a1" in ended.err
    assert small.rows() == ["c3"] and "mood" in small.columns() and small.columns("note") == ["id"]
    assert small.stories() == ["one", "two", "three"]


def test_one_missing_column_is_a_question(small):
    small.stored("c3", tables=lab.STORIES + (NOTE,))
    asked(small, "is stamped c3", "column story.mood is missing", "--assume-revision")
    small.install("--assume-revision", "c3").is_status(0)
    assert small.rows() == ["c3"] and "mood" not in small.columns()


def test_what_is_more_than_the_chain_knows_stops_nothing(small):
    small.stored("c3", tables=lab.HEAD + ("CREATE TABLE mine (id)", "ALTER TABLE note ADD COLUMN own TEXT"))
    before = lab.sha256(small.database)
    small.install().is_status(0)
    assert lab.sha256(small.database) == before
