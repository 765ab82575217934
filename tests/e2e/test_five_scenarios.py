# SPDX-License-Identifier: MIT
"""The five situations that an installation of the example has to come out of: fresh, correct, a missing version
table, a wrong version, a repair by hand."""
import pytest

import lab

HEAD = "c7923c6e866e"
TITLES = ["The Well", "The Mill"]
STORY = "INSERT INTO stories (owner_id, title, status) VALUES (1, '%s', 'draft')"
DROP = "DROP TABLE alembic_version"
STAMP = "UPDATE alembic_version SET version_num = '%s'"
TO_008 = [*("ALTER TABLE user_settings DROP COLUMN " + name for name in (
    "enable_character_suggestions", "character_importance_threshold", "character_mention_threshold",
    "engine_settings", "current_engine")),
    "ALTER TABLE user_settings ADD COLUMN scene_container_style VARCHAR(20)",
    "UPDATE user_settings SET scene_container_style = 'lines'"]


@pytest.fixture
def app(installed):
    """The installed example with two stories; its database is put back afterwards."""
    kept = installed.database.read_bytes()
    lab.execute(installed.database, *(STORY % title for title in TITLES))
    yield installed
    installed.database.write_bytes(kept)
    installed.install().is_status(0)


def says(app, verdict, decision, inferred, pending=0):
    said = lab.athanor("inspect", "--json", app.root).is_status(0).json
    assert (said["revision"]["verdict"], said["decision"], said["revision"]["inferred"]) == \
        (verdict, decision, inferred)
    assert len(said["pending"]) == pending
    return said


def is_at_head(app):
    """The row, Alembic's own word, the schema, and what people have written."""
    assert app.rows() == [HEAD] and app.current("backend") == HEAD + " (head)"
    says(app, "exact", "none", HEAD)
    assert [row[0] for row in lab.query(app.database, "SELECT title FROM stories ORDER BY id")] == TITLES
    assert lab.query(app.database, "SELECT count(*) FROM users") == [(1,)]
    assert lab.query(app.database, "PRAGMA integrity_check") == [("ok",)]


def test_1_fresh_a_new_database_is_made_and_stamped_with_the_head_of_the_graph(installed):
    assert HEAD in installed.first_run.is_status(0).out
    assert installed.rows() == [HEAD] and installed.current("backend") == HEAD + " (head)"
    says(installed, "exact", "none", HEAD)
    assert "migrate" not in installed.ran(0)
    before = lab.database_files(installed.database)
    assert "nothing to do" in installed.install().is_status(0).out
    assert lab.database_files(installed.database) == before


@pytest.mark.parametrize("command", ["repair", "install"])
def test_2_correct_nothing_is_done_and_no_byte_changes(app, command):
    before = lab.database_files(app.database)
    lab.athanor(command, app.root).is_status(0)
    assert lab.athanor(command, app.root).is_status(0).out.startswith("athanor: nothing to ")
    assert lab.database_files(app.database) == before
    is_at_head(app)


def test_3_missing_table_is_made_again_with_the_row_that_the_schema_has(app):
    lab.execute(app.database, DROP)
    stamp = says(app, "exact", "stamp", HEAD)["stamp"]
    assert stamp == {"table": "alembic_version", "rows": None, "to_write": [HEAD]}
    assert HEAD in app.install().is_status(0).out
    is_at_head(app)


def test_4_wrong_version_over_the_newest_schema_is_corrected(app):
    lab.execute(app.database, STAMP % "001")
    assert says(app, "ahead", "stamp", HEAD)["passed_over"] == ["003", "007", "008"]
    app.install().is_status(0)
    is_at_head(app)


def test_4_wrong_version_over_an_older_schema_is_corrected_and_the_rest_is_run(app):
    lab.execute(app.database, *TO_008, STAMP % "001")
    says(app, "ahead", "stamp", "008", pending=3)
    app.install().is_status(0)
    is_at_head(app)
    assert lab.query(app.database, "SELECT enable_character_suggestions, character_importance_threshold, "
                                   "character_mention_threshold FROM user_settings") == [(1, 70, 5)]
    assert "scene_container_style" not in app.columns("user_settings")


def test_5_repair_by_hand_names_the_revision_and_upgrades_nothing(app):
    lab.execute(app.database, *TO_008, DROP)
    ended = lab.athanor("repair", app.root).is_status(0)
    assert "'008'" in ended.out and app.rows() == ["008"]
    assert "engine_settings" not in app.columns("user_settings")
    before = lab.database_files(app.database)
    lab.athanor("repair", app.root).is_status(0)
    assert lab.database_files(app.database) == before
    app.install().is_status(0)
    is_at_head(app)


def test_5_repair_by_hand_at_the_head_gives_the_answer_of_the_third(app):
    lab.execute(app.database, DROP)
    assert "'%s'" % HEAD in lab.athanor("repair", app.root).is_status(0).out
    is_at_head(app)


def test_5_repair_by_hand_of_what_cannot_be_decided_changes_nothing(app):
    lab.execute(app.database, STAMP % "deadbeef")
    before = lab.database_files(app.database)
    assert "deadbeef" in lab.athanor("repair", app.root).is_status(3).err
    assert lab.database_files(app.database) == before
