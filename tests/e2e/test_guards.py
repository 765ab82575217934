# SPDX-License-Identifier: MIT
"""Guards around a database that is there already: it is not replaced, overruled or robbed without a word."""
import os
import pathlib

import pytest

import lab

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user: needs root")


def backups(project):
    return sorted(project.path(".athanor/backups").glob("pre-*"))


# ---- a database that was there ----

def test_a_database_that_has_gone_is_not_replaced_by_a_new_one(small):
    small.stored("c3", tables=lab.HEAD)
    small.install().is_status(0)
    away = small.database.rename(small.beside("away"))
    ended = small.install().is_status(3)
    assert "--allow-new-database" in ended.err and not small.database.exists()
    assert "athanor restore" in ended.err and "athanor backups" in ended.err
    away.rename(small.database)
    small.install().is_status(0)
    assert small.stories() == ["one", "two", "three"]


def test_a_database_that_was_emptied_is_not_filled_again(small):
    small.stored("c3", tables=lab.HEAD)
    small.install().is_status(0)
    small.database.write_bytes(b"")
    small.install().is_status(3)
    assert small.database.stat().st_size == 0
    small.install("--allow-new-database").is_status(0)
    assert small.current() == "c3 (head)"


def test_a_first_installation_asks_nothing(small):
    small.install().is_status(0)
    assert small.current() == "c3 (head)"


def test_one_that_cannot_be_read_is_refused_and_the_way_back_is_named(small):
    small.stored("c3", tables=lab.HEAD)
    small.install().is_status(0)
    small.database.write_bytes(b"no database at all")
    assert "athanor restore" in small.install().is_status(3).err
    assert small.database.read_bytes() == b"no database at all"


# ---- what the operator states ----

def test_a_row_that_the_code_knows_is_not_overruled(small):
    small.stored("b2")
    before = lab.sha256(small.database)
    ended = small.install("--assume-revision", "a1").is_status(3)
    assert "b2" in ended.err and lab.sha256(small.database) == before


def test_a_statement_that_the_row_confirms_is_no_question(small):
    small.stored("b2")
    small.install("--assume-revision", "b2").is_status(0)
    assert small.current() == "c3 (head)"


def test_the_same_statement_typed_again_finds_its_own_work(small):
    small.stored()
    small.install("--assume-revision", "a1").is_status(0)
    assert "nothing to do" in small.install("--assume-revision", "a1").is_status(0).out
    small.revision("d4", "c3", "op.execute(\"UPDATE story SET title = title || '!'\")")
    small.install("--assume-revision", "a1").is_status(3)
    small.install().is_status(0)
    assert small.stories() == ["one!", "two!", "three!"]


def test_rows_go_only_if_the_operator_means_it(small):
    small.stored("b2")
    small.revision("c3", "b2", "op.execute('DELETE FROM story WHERE id > 1')")
    ended = small.install().is_status(3)
    assert "--allow-row-loss" in ended.err and len(small.stories()) == 3
    small.install("--allow-row-loss").is_status(0)
    assert small.stories() == ["one"] and len(lab.query(backups(small)[-1], "SELECT * FROM story")) == 3


# ---- the live file while it is worked upon ----

@pytest.mark.parametrize("act", ["os.remove(live)", "os.rename(live, live + '.gone')",
                                 "os.rename(live, live + '.gone'); open(live, 'w').write('another')"])
def test_a_live_file_that_is_taken_away_is_told_and_its_copy_kept(small, act):
    small.stored("b2")
    small.revision("c3", "b2", "import os\nlive = %r\n%s" % (str(small.database), act))
    ended = small.install("--json").is_status(4)
    kept, = backups(small)
    assert str(kept) in ended.err and len(lab.query(kept, "SELECT * FROM story")) == 3
    assert ended.json["database"]["state"] == "needs-you" and ended.json["step"] == "migrate"


def test_an_own_step_that_names_the_live_database_among_its_inputs_never_opens_it(small, tmp_path):
    small.stored("c3", tables=lab.HEAD)
    small.recipe("steps: {own: {run: ['true'], inputs: [app.db], needs: [verify]}}\n")
    small.install().is_status(0)  # from here on it is known which file it is
    small.revision("d4", "c3")
    trace = tmp_path / "trace"
    small.install(program=("strace", "-f", "-qq", "-e", "trace=execve,openat", "-o", str(trace))).is_status(0)
    opened = [line for line in trace.read_text().splitlines() if '"%s"' % small.database in line]
    by_sqlite = [line for line in opened if "O_NOFOLLOW" in line]
    assert by_sqlite and opened == by_sqlite, opened


def test_a_limit_on_file_sizes_is_an_error_with_a_name(small):
    small.stored("b2")
    before = lab.sha256(small.database)
    ended = small.install(program=("bash", "-c", 'ulimit -f 16; exec "$@"', "limited"))
    assert ended.status == 1 and "athanor:" in ended.err, ended
    assert lab.sha256(small.database) == before
    small.install().is_status(0)
    assert small.current() == "c3 (head)"


@pytest.mark.parametrize("tails", [[""], ["", "-journal"], ["-wal", "-shm"]])
def test_a_copy_that_was_not_finished_is_swept(small, tails):
    small.stored("b2")
    folder = small.path(".athanor/backups")
    folder.mkdir(parents=True)
    for tail in tails:
        (folder / ("pre-0123456789abcdef.db.partial" + tail)).write_text("half a copy")
    small.install().is_status(0)
    assert list(folder.iterdir()) == backups(small) and len(backups(small)) == 1


# ---- whose files they are ----

@ROOT_ONLY
def test_what_root_makes_belongs_to_the_owner_of_the_folder(small):
    os.chown(small.root, 65534, 65534)
    try:
        small.install().is_status(0)
        found = small.database.stat()
    finally:
        os.chown(small.root, 0, 0)
    assert (found.st_uid, found.st_gid) == (65534, 65534)
    assert found.st_mode & 0o777 == 0o644 & ~int(mask(), 8)


def mask():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Umask"))


def test_state_is_not_led_elsewhere_by_a_link(small, tmp_path):
    small.stored("b2")
    (tmp_path / "elsewhere").mkdir()
    small.path(".athanor").mkdir(mode=0o700)
    small.path(".athanor/runs").symlink_to(tmp_path / "elsewhere")
    ended = small.install().is_status(3)
    assert "symbolic link" in ended.err and not list((tmp_path / "elsewhere").iterdir())


def test_a_word_against_the_schema_is_a_warning_that_stays(small):
    small.stored("c3", tables=lab.STORIES + ("CREATE TABLE note (id INTEGER PRIMARY KEY)",))
    ended = small.install("--assume-revision", "c3").is_status(0)
    assert "WARNING" in ended.out + ended.err and "column story.mood" in ended.out + ended.err
    assert "column story.mood" in small.install().is_status(0).out
    assert "column story.mood" in lab.athanor("repair", small.root).is_status(0).out


def test_no_word_makes_anothers_database_ours(small):
    small.stored(tables=("CREATE TABLE invoice (id INTEGER PRIMARY KEY)", "CREATE TABLE customer (id INTEGER PRIMARY KEY)"))
    before = lab.database_files(small.database)
    assert "another application" in small.install("--assume-revision", "c3").is_status(3).err
    assert lab.database_files(small.database) == before


def test_no_word_passes_over_the_only_copy_of_a_table(small):
    small.stored("b2", tables=("CREATE TABLE _alembic_tmp_story (id INTEGER PRIMARY KEY, title TEXT, mood TEXT)",))
    before = lab.database_files(small.database)
    ended = small.install("--assume-revision", "c3").is_status(3)
    assert 'RENAME TO "story"' in ended.err and lab.database_files(small.database) == before
