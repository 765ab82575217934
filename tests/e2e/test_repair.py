# SPDX-License-Identifier: MIT
"""athanor repair: the version row is made true, what was interrupted is finished, nothing is upgraded."""
import os
import signal

import pytest

import lab

MOOD = "ALTER TABLE story ADD COLUMN mood TEXT"
PACE = ("op.add_column('story', sa.Column('mood', sa.Text))\n"
        "op.add_column('story', sa.Column('pace', sa.Text))")


def repair(project, *arguments, **more):
    return lab.athanor("repair", *arguments, project.root, **more)


@pytest.fixture
def ready(small):
    """The small project with its environment, and a database at its first revision."""
    small.stored("a1")
    small.install("--only", "venv", "--only", "requirements").is_status(0)
    repair(small).is_status(0)
    return small


def unchanged(project, *arguments, status, says=()):
    before = lab.database_files(project.database)
    ended = repair(project, *arguments).is_status(status)
    assert lab.database_files(project.database) == before
    for word in says:
        assert word in ended.err + ended.out, ended
    return ended


def test_a_true_row_is_left_alone_and_what_is_pending_is_told(ready):
    unchanged(ready, status=0, says=["nothing to repair", "'a1' is true", "2 revisions", "athanor install"])


def test_a_wrong_row_is_made_true_and_nothing_is_upgraded(ready):
    lab.execute(ready.database, "UPDATE alembic_version SET version_num = 'c3'")
    ended = repair(ready).is_status(0)
    assert "now 'a1' (it was 'c3')" in ended.err + ended.out and "rehearsed" in ended.err + ended.out
    assert ready.rows() == ["a1"] and "mood" not in ready.columns()
    unchanged(ready, status=0, says=["nothing to repair"])
    ready.install().is_status(0)
    assert ready.rows() == ["c3"] and ready.stories() == ["one", "two", "three"]


def test_what_was_interrupted_is_taken_back_and_run_whole(ready):
    ready.revision("b2", "a1", PACE)
    lab.execute(ready.database, MOOD)
    ended = repair(ready).is_status(0)
    assert "took 'column story.mood' away" in ended.err
    assert ready.rows() == ["b2"] and {"mood", "pace"} <= set(ready.columns()) and not ready.columns("note")
    unchanged(ready, status=0, says=["nothing to repair"])


def test_what_would_be_lost_is_not_taken_back(ready):
    ready.revision("b2", "a1", PACE)
    lab.execute(ready.database, MOOD, "UPDATE story SET mood = 'wild'")
    unchanged(ready, status=3, says=["column story.mood", "3 rows", "unchanged"])


def test_an_upgrade_that_would_fail_is_a_warning(ready):
    lab.execute(ready.database, "UPDATE alembic_version SET version_num = 'c3'")
    ready.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text, nullable=False))")
    ended = repair(ready).is_status(0)
    assert "WARNING" in ended.err + ended.out and "NOT NULL" in ended.err + ended.out
    assert ready.rows() == ["a1"]


def test_a_left_over_of_a_rebuild_goes_if_it_holds_nothing(ready):
    lab.execute(ready.database, "CREATE TABLE _alembic_tmp_story (id INTEGER)")
    repair(ready).is_status(0)
    assert not ready.columns("_alembic_tmp_story") and ready.rows() == ["b2"]     # it was b2's
    lab.execute(ready.database, "CREATE TABLE _alembic_tmp_story (id INTEGER)", "INSERT INTO _alembic_tmp_story VALUES (1)")
    unchanged(ready, status=0, says=["holds rows"])


def test_a_dry_run_says_all_of_it_and_does_nothing(ready):
    ready.revision("b2", "a1", PACE)
    lab.execute(ready.database, MOOD)
    unchanged(ready, "--dry-run", status=0, says=["half_applied", "redo b2", "run c3", "complete"])


def test_there_is_nothing_to_repair_where_there_is_no_database(ready):
    ready.database.unlink()
    ended = repair(ready).is_status(3)
    assert "nothing to repair" in ended.err and not ready.database.exists()


def test_without_the_environment_it_says_what_makes_it(bare):
    bare.stored("a1")
    unchanged(bare, status=1, says=["athanor install"])


def test_it_chooses_its_steps_itself(ready):
    unchanged(ready, "--only", "detect", status=64, says=["--only"])


def test_a_revision_that_was_edited_is_told(small):
    small.install().is_status(0)
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.String))")
    ended = small.install().is_status(0)
    assert "edited since they were applied here: b2" in ended.err
    assert "edited since" not in small.install().is_status(0).err


@pytest.mark.parametrize("command", ["repair", "install"])
def test_a_repair_that_was_killed_is_done_by_the_next_command(ready, command):
    lab.execute(ready.database, "DELETE FROM alembic_version")
    before = lab.database_files(ready.database)
    run = ready.start(command="repair")
    lab.wait_for(lambda: b"writing the version row" in run.err.read_bytes(), "the copy")
    os.killpg(run.pid, signal.SIGKILL)
    run.process.wait()
    assert lab.database_files(ready.database) == before
    lab.athanor(command, ready.root).is_status(0)
    assert ready.rows() == (["a1"] if command == "repair" else ["c3"]) and ready.stories() == ["one", "two", "three"]
    assert not list((ready.root / ".athanor" / "runs").rglob("*.db"))


# ---- a question, where somebody sits ----

def asked(small, answer):
    small.stored("c3", tables=lab.STORIES + ("CREATE TABLE note (id INTEGER PRIMARY KEY)",))
    small.install().is_status(3)        # from now on it is known which database it is
    before = lab.database_files(small.database)
    pid, master = lab.on_terminal(small)
    said = lab.read_until(master, b"stop) ")
    assert "column story.mood" in said and lab.database_files(small.database) == before
    os.write(master, answer)
    return pid, master


def test_a_question_that_is_not_answered_ends_the_run(small):
    before = None
    pid, master = asked(small, b"\n")
    lab.read_until(master, b"nothing was done")
    assert lab.status_of(pid) == 3 and small.rows() == ["c3"]


def test_an_answer_is_acted_upon(small):
    pid, master = asked(small, b"b2\n")
    said = lab.read_until(master, b"[y/N] ")
    assert "[y/N]" in said
    os.write(master, b"n\n")
    lab.read_until(master, b"nothing was done")
    assert lab.status_of(pid) == 3 and small.rows() == ["c3"]
    pid, master = lab.on_terminal(small)
    lab.read_until(master, b"stop) ")
    os.write(master, b"c3\n")
    lab.read_until(master, b"[y/N] ")
    os.write(master, b"y\n")
    said = lab.read_until(master, b"is installed")
    assert "as you said" in said and lab.status_of(pid) == 0 and small.rows() == ["c3"]
