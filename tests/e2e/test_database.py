# SPDX-License-Identifier: MIT
"""Databases in every state: what is done with them, and that nothing else is done with them."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading

import pytest

import lab

MODES = pytest.mark.parametrize("wal", [False, True], ids=["delete", "wal"])
ADD_MOOD = "op.add_column('story', sa.Column('mood', sa.Text))"


@pytest.fixture
def holder():
    """Keeps a connection of another process open; used to leave frames in a -wal, or to lock."""
    running = []

    def start(path, *statements):
        code = ("import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                "c.execute('PRAGMA wal_autocheckpoint=0')\n"
                "for s in sys.argv[2:]: c.execute(s)\nprint('ready', flush=True)\nsys.stdin.read()\n")
        child = subprocess.Popen([sys.executable, "-c", code, str(path), *statements],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        running.append(child)
        return child

    yield start
    for child in running:
        child.kill()
        child.wait()


def refused(project, status, *words, **more):
    """The run is refused, names the cause, and every byte is as it was."""
    before = lab.database_files(project.database)
    ended = project.install(**more).is_status(status)
    assert lab.database_files(project.database) == before
    for word in words:
        assert word in ended.err, (word, ended)
    return ended


def backups(project):
    return sorted(project.path(".athanor/backups").glob("pre-*.db"))


# ---- which state it is in ----

def test_a_missing_database_is_made(small):
    small.install().is_status(0)
    assert small.current() == "c3 (head)" and small.columns("note") == ["id"]
    assert "nothing to do" in small.install().is_status(0).out


def test_a_file_of_no_bytes_is_filled_and_stays_the_same_file(small):
    small.database.touch(0o640)
    before = small.database.stat()
    small.install().is_status(0)
    after = small.database.stat()
    assert small.rows() == ["c3"]
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_database_with_an_empty_version_table_alone_is_filled(small):
    small.stored(tables=())
    small.install().is_status(0)
    assert small.rows() == ["c3"]


@MODES
def test_a_database_at_head_is_adopted_without_a_write(small, wal):
    small.stored("c3", wal=wal, tables=lab.HEAD)
    before = lab.database_files(small.database)
    small.install().is_status(0)
    assert lab.database_files(small.database) == before
    assert not set(small.ran()) & {"backup", "migrate", "commit"}
    assert not backups(small)
    assert "nothing to do" in small.install().is_status(0).out


@MODES
def test_a_database_that_is_behind_is_upgraded_and_keeps_its_rows(small, wal):
    small.stored("a1", wal=wal)
    said = small.install().is_status(0)
    assert small.current() == "c3 (head)" and small.stories() == ["one", "two", "three"]
    assert "mood" in small.columns() and "c3" in said.out
    assert lab.query(small.database, "PRAGMA journal_mode") == [("wal" if wal else "delete",)]
    kept, = backups(small)
    assert lab.query(kept, "SELECT version_num FROM alembic_version") == [("a1",)]
    assert len(lab.query(kept, "SELECT * FROM story")) == 3
    assert kept.stat().st_mode & 0o077 == 0


def test_rows_in_frames_that_were_not_checkpointed_are_kept(small, holder):
    small.stored("a1", wal=True)
    child = holder(small.database, "INSERT INTO story (title) VALUES ('in the wal')")
    child.kill()
    child.wait()
    assert pathlib.Path(str(small.database) + "-wal").stat().st_size
    small.install().is_status(0)
    assert small.stories() == ["one", "two", "three", "in the wal"] and small.rows() == ["c3"]


NAMED = "database: {alembic: alembic.ini, url: 'sqlite:///app.db'}"


def test_an_unknown_stamp_is_refused_before_anything_runs(bare):
    bare.recipe(database=NAMED)
    bare.stored("ffff")
    refused(bare, 3, "ffff")
    assert not bare.path(".venv").exists()


def test_an_unknown_stamp_is_refused_where_only_env_py_knows_the_database(small):
    small.stored("ffff")
    refused(small, 3, "ffff")


def test_plan_and_status_say_that_it_would_be_refused(bare):
    bare.recipe(database=NAMED)
    bare.stored("ffff")
    assert "ffff" in lab.athanor("plan", bare.root).is_status(3).err
    assert "ffff" in lab.athanor("status", bare.root).out
    assert not bare.path(".athanor").exists()


def test_the_stated_revision_is_where_the_upgrade_begins(small):
    small.stored()
    small.install("--assume-revision", "a1").is_status(0)
    assert small.rows() == ["c3"] and "mood" in small.columns() and len(small.stories()) == 3


def test_a_stated_revision_that_is_wrong_is_found_out_on_the_copy(small):
    small.stored(tables=lab.STORIES + lab.MOOD)
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n"
                               "op.execute(\"UPDATE story SET mood = 'calm'\")")
    lab.execute(small.database, "UPDATE story SET mood = 'wild'")
    before = lab.database_files(small.database)
    ended = small.install("--assume-revision", "a1").is_status(3)
    assert "column story.mood" in ended.err and lab.database_files(small.database) == before


def test_a_stated_revision_below_the_truth_is_walked_up_from(small):
    small.stored(tables=lab.STORIES + lab.MOOD)
    lab.execute(small.database, "UPDATE story SET mood = 'wild'")
    ended = small.install("--assume-revision", "a1").is_status(0)
    assert "revision b2: all that it does is there already" in ended.err and small.rows() == ["c3"]
    assert lab.query(small.database, "SELECT DISTINCT mood FROM story") == [("wild",)]


def test_a_stated_revision_that_does_not_exist_is_a_fault_of_usage(small):
    small.stored()
    small.install("--assume-revision", "zz").is_status(64)


def test_a_row_that_is_an_ancestor_of_another_is_removed(small):
    small.stored("a1", "b2")
    small.install().is_status(0)
    assert small.rows() == ["c3"] and small.stories() == ["one", "two", "three"]


def test_a_version_table_of_another_shape_is_refused(small):
    lab.execute(small.database, *lab.STORIES, "CREATE TABLE alembic_version (revision TEXT)",
                "INSERT INTO alembic_version VALUES ('a1')")
    refused(small, 3, "version_num")


def test_a_text_file_is_refused(small):
    small.database.write_text("Once upon a time there was no database here.\n" * 40)
    refused(small, 3, "app.db")


def test_a_corrupted_page_is_refused(small):
    small.stored("a1", tables=lab.STORIES + ("CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT)",))
    lab.execute(small.database, "INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                "WHERE i < 400) SELECT i, hex(randomblob(100)) FROM n")
    with open(small.database, "r+b") as file:
        file.seek(4096 * 12)
        file.write(b"\xff" * 4096)
    refused(small, 3, "damaged")


def test_a_header_that_is_cut_off_is_refused(small):
    small.stored("a1")
    os.truncate(small.database, 2000)
    refused(small, 3, "app.db")


def test_a_database_locked_by_another_process_is_waited_for_and_then_left(small, holder):
    small.stored("a1")
    holder(small.database, "BEGIN EXCLUSIVE")
    before = lab.sha256(small.database)
    ended = small.install("--lock-timeout", "1").is_status(75)
    assert ended.seconds >= 1 and "lock" in ended.err
    assert lab.sha256(small.database) == before


def test_a_reader_that_stays_keeps_the_upgrade_from_beginning(small, holder):
    small.stored("a1", wal=True)
    holder(small.database, "BEGIN", "SELECT * FROM story")
    small.install("--lock-timeout", "1").is_status(75)
    assert lab.query(small.database, "SELECT version_num FROM alembic_version") == [("a1",)]


def test_a_lock_that_is_given_up_in_time_is_no_failure(small, holder):
    small.stored("a1")
    child = holder(small.database, "BEGIN EXCLUSIVE")
    threading.Timer(2.5, child.kill).start()
    small.install("--lock-timeout", "20").is_status(0)
    assert small.rows() == ["c3"]


def test_a_write_that_a_crash_cut_off_is_rolled_back_first(small):
    small.stored("a1", tables=lab.STORIES + ("CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT)",))
    code = ("import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('PRAGMA cache_size=5')\nc.execute('PRAGMA cache_spill=ON')\nc.execute('BEGIN')\n"
            "c.execute(\"UPDATE story SET title = 'half'\")\n"
            "for i in range(3000): c.execute('INSERT INTO big (t) VALUES (hex(randomblob(200)))')\n"
            "os.kill(os.getpid(), 9)\n")
    subprocess.run([sys.executable, "-c", code, str(small.database)])
    assert pathlib.Path(str(small.database) + "-journal").stat().st_size
    small.install().is_status(0)
    assert small.stories() == ["one", "two", "three"] and small.rows() == ["c3"]
    assert lab.query(small.database, "SELECT count(*) FROM big") == [(0,)]


def test_a_server_in_the_recipe_is_refused_by_name_and_nothing_runs(bare):
    bare.recipe(database="database: {alembic: alembic.ini, url: 'postgresql://me:hunter2@db.example/stories'}")
    ended = bare.install().is_status(3)
    assert "postgresql" in ended.err and "hunter2" not in ended.err
    assert not bare.path(".venv").exists()


def test_a_server_that_only_env_py_knows_is_refused_by_name(small):
    small.env_py("'mysql+pymysql://me:hunter2@db.example/stories'")
    ended = small.install().is_status(3)
    assert "mysql" in ended.err and "hunter2" not in ended.err
    assert small.states()["detect"] == "failed"


def test_two_names_of_one_database_file_are_refused(small):
    small.stored("a1")
    os.link(small.database, small.path("other.db"))
    refused(small, 3)


def test_a_symbolic_link_to_the_database_stays_one(small):
    small.stored("a1", path=small.path("real.db"))
    small.database.symlink_to("real.db")
    small.install().is_status(0)
    assert small.database.is_symlink() and small.rows() == ["c3"]


# ---- where it is ----

def test_recipe_and_env_py_that_disagree_stop_the_run(small):
    small.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///other.db'}")
    small.stored("a1")
    ended = refused(small, 3, "app.db", "other.db")
    assert not small.path("other.db").exists() and "database" in ended.err


def test_the_url_of_the_environment_decides(small):
    small.env_py(lab.FROM_ENVIRONMENT)
    small.recipe(database="database: {alembic: alembic.ini, url: '${DATABASE_URL:-sqlite:///app.db}'}")
    elsewhere = {"DATABASE_URL": "sqlite:///%s/elsewhere.db" % small.root}
    small.install(env=elsewhere).is_status(0)
    assert small.path("elsewhere.db").exists() and not small.database.exists()
    assert "nothing to do" in small.install(env=elsewhere).is_status(0).out


def test_another_url_in_the_environment_is_another_database(small):
    small.env_py(lab.FROM_ENVIRONMENT)
    small.install().is_status(0)
    small.install(env={"DATABASE_URL": "sqlite:///%s/second.db" % small.root}).is_status(0)
    assert small.path("second.db").exists() and small.database.exists()


def test_the_url_of_the_env_file_decides(small):
    small.env_py(lab.FROM_ENVIRONMENT)
    small.write(".env.example", "DATABASE_URL=sqlite:///%s/dotted.db\n" % small.root)
    small.recipe("env_file: {from: .env.example, to: .env}\n",
                 database="database: {alembic: alembic.ini, url: '${DATABASE_URL:-sqlite:///app.db}'}")
    small.install().is_status(0)
    assert small.path("dotted.db").exists() and not small.database.exists()


def test_the_url_that_only_env_py_knows_is_found(small):
    small.ini("driver://user:pass@localhost/dbname")
    small.env_py("'sqlite:///%s/hidden.db' % here")
    small.install().is_status(0)
    assert small.path("hidden.db").exists() and not small.database.exists()
    small.install().is_status(0)


def test_a_dummy_in_the_ini_is_never_looked_at(small):
    small.ini("sqlite:///%s/dummy.db" % small.root)
    small.env_py("'sqlite:///%s/app.db' % here")
    small.stored("a1")
    small.install().is_status(0)
    assert small.rows() == ["c3"] and not small.path("dummy.db").exists()


# ---- migrations that go wrong ----

def failed_at(small, upgrade, status=1, wal=False, **more):
    """Runs a chain whose last revision does that; live must be byte for byte as it was."""
    small.stored("a1", wal=wal)
    small.revision("b2", "a1", ADD_MOOD)
    small.revision("c3", "b2", upgrade)
    before = lab.database_files(small.database)
    ended = small.install(**more).is_status(status)
    assert lab.database_files(small.database) == before
    return ended


def mended(small):
    small.revision("c3", "b2", "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
    small.install().is_status(0)
    assert small.rows() == ["c3"] and small.stories() == ["one", "two", "three"]
    lab.assert_clean(small)


RAISES = "op.create_table('half', sa.Column('id', sa.Integer))\nop.execute('UPDATE story SET title = 0')\n" \
         "op.get_bind().commit()\nraise RuntimeError('the tale breaks off')"


@MODES
def test_a_migration_that_raises_half_way_leaves_the_database_as_it_was(small, wal):
    ended = failed_at(small, RAISES, wal=wal)
    assert "the tale breaks off" in ended.last_lines and "unchanged" in ended.last_lines
    assert "migrate.log" in ended.last_lines
    mended(small)


def test_a_migration_that_raises_leaves_frames_in_the_wal_as_they_were(small, holder):
    small.stored("a1", wal=True)
    child = holder(small.database, "INSERT INTO story (title) VALUES ('in the wal')")
    child.kill()
    child.wait()
    small.revision("c3", "b2", RAISES)
    before = lab.database_files(small.database)
    assert small.database.name + "-wal" in before
    small.install().is_status(1)
    assert lab.database_files(small.database) == before
    small.revision("c3", "b2")
    small.install().is_status(0)
    assert small.stories()[-1] == "in the wal"


def test_a_migration_that_loses_rows_is_refused(small):
    ended = failed_at(small, "op.execute('DELETE FROM story WHERE id > 1')", status=3)
    assert "story" in ended.last_lines and "unchanged" in ended.last_lines
    mended(small)


def test_a_migration_that_leaves_a_table_of_a_batch_behind_is_refused(small):
    ended = failed_at(small, "op.create_table('_alembic_tmp_story', sa.Column('id', sa.Integer))")
    assert "_alembic_tmp_story" in ended.last_lines
    mended(small)


def test_a_migration_that_writes_to_the_live_file_by_itself_does_no_harm(small):
    ended = failed_at(small, "import sqlite3\nc = sqlite3.connect(%r, timeout=1)\n"
                      "c.execute('DELETE FROM story')\nc.commit()" % str(small.database))
    assert "unchanged" in ended.last_lines
    mended(small)


def test_a_migration_that_overwrites_the_live_files_bytes_is_told_with_the_copy(small):
    small.stored("a1")
    small.revision("c3", "b2", "import os\nfd = os.open(%r, os.O_WRONLY)\nos.pwrite(fd, b'x' * 64, 4096)"
                   % str(small.database))
    ended = small.install()
    if ended.status == 4:
        kept, = backups(small)
        assert str(kept) in ended.err and len(lab.query(kept, "SELECT * FROM story")) == 3
    else:  # the nets did not let it come so far
        ended.is_status(1)
        assert len(small.stories()) == 3


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit(0)", "os.kill(os.getpid(), 15)"])
def test_a_migration_that_ends_the_process_is_no_success(small, leave):
    ended = failed_at(small, "import os, sys\n" + leave)
    assert "unchanged" in ended.last_lines
    mended(small)


def test_a_daemon_that_a_migration_starts_does_not_outlive_the_run(small):
    small.stored("a1")
    small.revision("c3", "b2", "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n"
                   "        os._exit(0)\n    for fd in range(3):\n        os.close(fd)\n    time.sleep(60)\n"
                   "    os._exit(0)\n")
    ended = small.install()
    assert ended.status in (0, 1) and ended.seconds < 40, ended
    lab.assert_clean(small)


def test_a_migration_that_empties_the_version_table_is_no_success(small):
    failed_at(small, "op.execute('DELETE FROM alembic_version')")
    mended(small)


def test_a_migration_may_say_what_it_likes(small):
    small.stored("a1")
    small.revision("c3", "b2", "print('\\x1b[2J{\"event\": \"end\"}')\nimport sys\nsys.stdout.flush()\n"
                   "print('x' * 3000000)")
    small.install().is_status(0)
    assert small.rows() == ["c3"]


# ---- the chain ----

def test_two_heads_are_legal_and_both_are_stamped(small):
    small.revision("d4", "b2", "op.create_table('tag', sa.Column('id', sa.Integer, primary_key=True))")
    small.install().is_status(0)
    assert small.rows() == ["c3", "d4"] and small.columns("tag") == ["id"]
    assert "nothing to do" in small.install().is_status(0).out


def test_a_new_revision_is_all_that_is_run_by_the_next_install(small):
    small.install().is_status(0)
    small.revision("d4", "c3", ADD_MOOD.replace("mood", "place"))
    lab.athanor("plan", "--detailed-exitcode", small.root).is_status(2)
    small.install().is_status(0)
    assert small.current() == "d4 (head)" and "place" in small.columns()
    assert "venv" not in small.ran() and "preflight" not in small.ran()


@pytest.mark.parametrize("fault", ["duplicate", "parent", "circle"])
def test_a_chain_that_alembic_could_not_follow_is_refused(small, fault):
    small.stored("a1")
    if fault == "duplicate":
        small.revision("c3", "b2", file="again_c3")
    elif fault == "parent":
        small.revision("d4", "nowhere")
    else:
        small.revision("b2", "c3")
    before = lab.database_files(small.database)
    ended = small.install()
    assert lab.database_files(small.database) == before
    ended.is_status(78)
    assert {"duplicate": "c3", "parent": "nowhere", "circle": "b2"}[fault] in ended.err


def test_the_file_names_order_does_not_matter(small):
    for ident, name in (("a1", "zz_last"), ("b2", "aa_first"), ("c3", "mm")):
        small.path("migrations/versions/%s.py" % ident).rename(small.path("migrations/versions/%s.py" % name))
    small.install().is_status(0)
    assert small.rows() == ["c3"]


def test_somebody_who_upgrades_by_hand_is_believed_by_the_next_run(small):
    small.stored("a1")
    subprocess.run([str(small.path(".venv/bin/python")), "-m", "alembic", "upgrade", "head"], cwd=small.root,
                   check=True, env=lab.environment(), stderr=subprocess.DEVNULL)
    before = lab.database_files(small.database)
    small.install().is_status(0)
    assert lab.database_files(small.database) == before
