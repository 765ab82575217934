# SPDX-License-Identifier: MIT
"""Backups are listed and put back: on the path of every change, whatever stands in the database's place."""
import contextlib
import os
import random
import shlex
import shutil
import sqlite3
import subprocess

import pytest

import lab


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """What an upgrade from a1 to c3 has left, without the environment, by journal mode."""
    return tmp_path_factory.mktemp("made")


def upgrade(project, made, mode):
    """The small application after that upgrade: really made once, then handed out as it was."""
    project.mode, saved = mode, made / mode
    if saved.exists():
        lab.empty(project.root, keep=".venv")
        shutil.copytree(saved, project.root, dirs_exist_ok=True)
        return project
    project.stored("a1", wal=mode == "wal")
    project.install().is_status(0)
    shutil.copytree(project.root, saved, ignore=shutil.ignore_patterns(".venv"))
    return project


@pytest.fixture(params=["delete", "wal"])
def upgraded(request, small, made):
    """The small application after an upgrade from a1 to c3, its database in either journal mode."""
    return upgrade(small, made, request.param)


@pytest.fixture
def plain(small, made):
    """The same, in journal mode DELETE alone: for what does not depend on it."""
    return upgrade(small, made, "delete")


@pytest.fixture
def walled(small, made):
    """The same, in WAL mode alone."""
    return upgrade(small, made, "wal")


def restore(project, *arguments, **more):
    return lab.athanor("restore", *arguments, "-C", project.root, **more)


def undo(project):
    """Takes the last restore back: what it has kept is named by its run."""
    return restore(project, project.marks[-1][:8])


def listed(project):
    said = lab.athanor("backups", "--json", project.root).is_status(0).json
    assert said["changed"] is False
    return said["backups"]


def kept(project):
    return sorted(project.path(".athanor/backups").glob("pre-*.db"))


def files(project):
    """What lies in the folder, without the environment and without what readers of a WAL may leave."""
    return {str(path.relative_to(project.root)): lab.sha256(path) for path in project.root.rglob("*")
            if ".venv" not in path.parts and path.is_file() and not path.name.endswith("-shm") and
            (path.stat().st_size or not path.name.endswith("-wal"))}


def mode_of(path):
    return lab.query(path, "PRAGMA journal_mode")[0][0]


def write_story(project, title="new"):
    lab.execute(project.database, "INSERT INTO story (title) VALUES ('%s')" % title)


@contextlib.contextmanager
def writer_with_frames(path, title):
    """An application in WAL mode that was killed: its frames are not in the main file yet."""
    source = sqlite3.connect(str(path), isolation_level=None)
    source.execute("PRAGMA wal_autocheckpoint=0")
    source.execute("INSERT INTO story (title) VALUES (?)", (title,))
    kept_files = {suffix: open(str(path) + suffix, "rb").read() for suffix in ("", "-wal")}
    source.close()
    for suffix, data in kept_files.items():
        open(str(path) + suffix, "wb").write(data)
    assert os.path.getsize(str(path) + "-wal") > 0
    yield


# ---- backups ----

def test_the_list_says_what_each_is_newest_first(upgraded):
    restore(upgraded, "last").is_status(0)
    newest, oldest = listed(upgraded)
    assert (newest["by"], oldest["by"]) == ("restore", "install")
    assert (newest["revision"], oldest["revision"]) == ("c3", "a1")
    assert newest["at"] > oldest["at"]
    for one in (newest, oldest):
        assert one["state"] == "whole" and one["fault"] is None and one["bytes"] > 0
        assert one["database"] == str(upgraded.database) and os.path.exists(one["file"])
        assert one["id"] in upgraded.marks
    assert "backup:   %s of" % oldest["id"][:8] in restore(upgraded, "last", "-n").is_status(0).out
    begun = lab.athanor("log", "-C", upgraded.root, oldest["id"][:8]).is_status(0).out
    assert begun.startswith("run %s (install" % oldest["id"])
    assert lab.athanor("log", "-C", upgraded.root, oldest["id"][:3]).status == 1
    text = lab.athanor("backups", upgraded.root).is_status(0).out
    assert text.index(newest["id"][:8]) < text.index(oldest["id"][:8]) and "whole" in text


def test_looking_at_the_list_writes_nothing(plain):
    before = files(plain)
    listed(plain)
    lab.athanor("backups", plain.root).is_status(0)
    assert files(plain) == before


def test_there_is_nothing_to_list_before_the_first_run(bare):
    before = files(bare)
    assert listed(bare) == []
    assert "no backup" in lab.athanor("backups", bare.root).is_status(0).out
    ended = restore(bare, "last")
    assert ended.status == 1 and "no backup" in ended.err
    assert files(bare) == before


def test_a_damaged_and_a_missing_one_are_told(plain):
    restore(plain, "last").is_status(0)
    newest, oldest = listed(plain)
    with open(newest["file"], "r+b") as file:
        file.seek(3000)
        file.write(b"x")
    os.unlink(oldest["file"])
    assert [one["state"] for one in listed(plain)] == ["damaged", "missing"]
    assert listed(plain)[0]["fault"]


def test_a_run_that_changed_nothing_leaves_no_backup(plain):
    plain.revision("d4", "c3", "raise RuntimeError('no')")
    plain.install().is_status(1)
    assert len(listed(plain)) == len(kept(plain)) == 1


# ---- restore ----

def test_it_puts_the_state_before_an_upgrade_back_and_can_be_undone(upgraded):
    ended = restore(upgraded, "last").is_status(0)
    assert upgraded.rows() == ["a1"] and "mood" not in upgraded.columns()
    assert upgraded.stories() == ["one", "two", "three"] and mode_of(upgraded.database) == upgraded.mode
    assert "'a1'" in ended.out and "2 revisions more" in ended.out
    lab.assert_clean(upgraded)
    line = [line for line in ended.out.splitlines() if "undo:" in line][0]
    lab.athanor(*line.split("athanor ")[1].split()).is_status(0)
    assert upgraded.rows() == ["c3"] and "mood" in upgraded.columns()


def test_the_next_command_that_it_names_runs(plain):
    ended = restore(plain, "last").is_status(0)
    line = [line for line in ended.out.splitlines() if "pending:" in line][0]
    command = line.split("upgrade: ")[1].split()
    lab.athanor(*command[1:]).is_status(0)
    assert plain.rows() == ["c3"]
    restore(plain, "last").is_status(0)
    undo(plain).is_status(0)
    assert plain.install().is_status(0).out.startswith("athanor: nothing to do")  # it is as it was verified


def test_rows_that_an_undo_has_brought_back_are_asked_for_again(plain):
    write_story(plain)
    restore(plain, "last", "--discard-newer").is_status(0)
    undo(plain).is_status(0)
    ended = restore(plain, "last").is_status(3)
    assert "--discard-newer" in ended.err and "nothing but what athanor" not in ended.out
    assert "new" in plain.stories()
    restore(plain, "last", "--discard-newer").is_status(0)
    undo(plain).is_status(0)  # what was put back had been kept before, and is no loss
    assert "new" in plain.stories()


def test_the_commands_that_it_names_can_be_pasted_into_a_shell(plain):
    moved = lab.Project(plain.beside("an app's folder"))
    shutil.copytree(plain.root, moved.root, symlinks=True)
    moved.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///app.db'}")
    line = [line for line in restore(moved, "last").is_status(0).out.splitlines() if "undo:" in line][0]
    lab.athanor(*shlex.split(line)[2:]).is_status(0)
    assert moved.rows() == ["c3"] and plain.rows() == ["c3"]
    assert shlex.split(lab.athanor("backups", moved.root).out.splitlines()[-1])[3] == str(moved.root)
    assert shlex.split(lab.athanor("status", moved.root).out.splitlines()[-1])[-1] == str(moved.root)
    assert "athanor restore ID %s puts" % plain.root in lab.athanor("backups", plain.root).out


@pytest.mark.parametrize("word", ["last", "id"])
def test_a_second_time_there_is_nothing_to_do(upgraded, word):
    word = listed(upgraded)[0]["id"][:6] if word == "id" else word
    restore(upgraded, word).is_status(0)
    before = files(upgraded)
    ended = restore(upgraded, word).is_status(0)
    assert "nothing to do" in ended.out and len(kept(upgraded)) == 2
    after = files(upgraded)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert all(".athanor/journal.db" in path or path.endswith(".athanor/lock") for path in changed), changed


@pytest.mark.parametrize("text", ["zzzz", "", "last1", "0", "a"])
def test_an_id_that_no_backup_has_is_named(plain, text):
    before = lab.database_files(plain.database)
    ended = restore(plain, text).is_status(1)
    assert "athanor backups" in ended.err and lab.database_files(plain.database) == before


@pytest.mark.parametrize("arguments", [[], ["last", "--only", "commit"], ["last", "--no-backup"], ["last", "a", "b"]],
                         ids=" ".join)
def test_a_command_line_that_is_wrong_is_64(plain, arguments):
    restore(plain, *arguments).is_status(64)


def test_without_the_applications_python_it_works_as_well(upgraded):
    shutil.move(str(upgraded.path(".venv")), str(upgraded.beside("venv")))
    try:
        restore(upgraded, "last").is_status(0)
        assert upgraded.rows() == ["a1"]
    finally:
        shutil.move(str(upgraded.beside("venv")), str(upgraded.path(".venv")))


@pytest.mark.parametrize("broken", ["recipe", "code"])
def test_with_a_broken_recipe_or_no_code_it_works_as_well(plain, broken):
    if broken == "recipe":
        plain.write("athanor.yaml", "athanor: 1\nnmae: x\n")
    else:
        for path in ("athanor.yaml", "alembic.ini"):
            plain.path(path).unlink()
        shutil.rmtree(plain.path("migrations"))
    assert listed(plain)[0]["state"] == "whole"
    restore(plain, "last").is_status(0)
    assert plain.rows() == ["a1"]


def test_no_python_is_started(plain):
    trace = plain.beside("trace")
    ended = restore(plain, "last", program=("strace", "-f", "-qq", "-e", "trace=execve", "-o", str(trace)))
    if "ptrace" in ended.err:
        pytest.skip("strace may not trace here")
    ended.is_status(0)
    assert trace.read_text().count("execve(") == 1, trace.read_text()


def test_another_database_in_the_recipe_stops_it(plain):
    other = plain.root / "other.db"
    plain.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///other.db'}")
    before = lab.database_files(plain.database)
    ended = restore(plain, "last").is_status(3)
    assert str(other) in ended.err and str(plain.database) in ended.err
    assert lab.database_files(plain.database) == before and not other.exists()


def test_a_folder_that_was_moved_takes_its_backups_along(plain):
    moved = lab.Project(plain.root.parent / "moved")
    shutil.move(str(plain.root), str(moved.root))
    try:
        moved.ini()
        moved.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///app.db'}")
        restore(moved, "last").is_status(0)
        assert moved.rows() == ["a1"] and listed(moved)[0]["database"] == str(moved.database)
    finally:
        shutil.move(str(moved.root), str(plain.root))


def test_a_folder_that_was_moved_may_be_named_by_env_py_alone(small):
    small.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    small.env_py(url='"sqlite:///%s/app.db" % here')
    small.stored("a1")
    small.install().is_status(0)
    copy, moved = (lab.Project(small.root.parent / name) for name in ("copy", "moved"))
    shutil.copytree(small.root, copy.root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    try:    # beside its original, which one is meant cannot be told
        assert str(small.database) in restore(copy, "last").is_status(3).err and copy.rows() == small.rows() == ["c3"]
        shutil.move(str(small.root), str(moved.root))
        restore(moved, "last").is_status(0)
        assert moved.rows() == ["a1"] and copy.rows() == ["c3"] and not small.root.exists()
    finally:
        shutil.rmtree(copy.root)
        if moved.root.exists():
            shutil.move(str(moved.root), str(small.root))


# ---- what would be lost ----

def test_what_was_written_since_is_a_question(upgraded):
    write_story(upgraded)
    lab.execute(upgraded.database, "INSERT INTO note DEFAULT VALUES")
    before = lab.database_files(upgraded.database)
    for more in ([], ["--yes"], ["--no-input"]):
        ended = restore(upgraded, "last", *more).is_status(3)
        assert "--discard-newer" in ended.err
    shown = restore(upgraded, "last", "--dry-run", "--json").is_status(3).json["database"]
    assert (shown["state"], shown["revision"], shown["head"]) == ("unchanged", "c3", "a1")
    dry = restore(upgraded, "last", "--dry-run").is_status(3)
    assert "--discard-newer" in dry.err and restore(upgraded, "last", "-n", "--discard-newer").is_status(0)
    said = dry.out
    assert "'story' has 4 rows, and would have 3" in said
    assert "'note' would be gone, with 1 row" in said and "column story.mood would be gone" in said
    assert lab.database_files(upgraded.database) == before and len(kept(upgraded)) == 1
    restore(upgraded, "last", "--discard-newer").is_status(0)
    assert upgraded.stories() == ["one", "two", "three"]
    undo(upgraded).is_status(0)
    assert upgraded.stories()[-1] == "new" and upgraded.rows() == ["c3"]


def test_a_value_that_was_changed_since_is_a_question_though_no_row_is_more(plain):
    lab.execute(plain.database, "UPDATE story SET title = 'other' WHERE id = 1")
    restore(plain, "last").is_status(3)


def test_frames_in_a_wal_are_what_was_written_since(walled):
    with writer_with_frames(walled.database, "framed"):
        before = lab.database_files(walled.database)
        restore(walled, "last").is_status(3)
        restore(walled, "last", "--dry-run").is_status(3)
        after = lab.database_files(walled.database)
        assert {path: after[path] for path in before} == before
    restore(walled, "last", "--discard-newer").is_status(0)
    assert walled.rows() == ["a1"] and "framed" not in walled.stories()
    undo(walled).is_status(0)
    assert walled.stories()[-1] == "framed" and mode_of(walled.database) == "wal"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_it_is_asked(plain, answer):
    write_story(plain)
    pid, master = lab.on_terminal(plain, "last", "--yes", command="restore")
    said = lab.read_until(master, b"[y/N]")
    assert "'story' has 4 rows, and would have 3" in said, said
    os.write(master, answer.encode() + b"\n")
    lab.read_until(master, b"athanor: ")
    assert lab.status_of(pid) == (0 if answer == "y" else 3)
    assert plain.rows() == (["a1"] if answer == "y" else ["c3"])
    os.close(master)


def test_what_is_written_after_the_answer_is_not_lost(plain):
    write_story(plain)
    pid, master = lab.on_terminal(plain, "last", command="restore")
    lab.read_until(master, b"[y/N]")
    write_story(plain, "later")
    os.write(master, b"y\n")
    said = lab.read_until(master, b"next:")
    assert lab.status_of(pid) == 3 and "since you were asked" in said
    assert plain.stories()[-1] == "later"
    os.close(master)


# ---- a backup that is not what it was ----

@pytest.mark.parametrize("harm", ["byte", "cut", "text", "gone", "other"])
def test_a_backup_that_is_not_what_was_kept_is_refused(plain, harm):
    file = kept(plain)[0]
    data = file.read_bytes()
    if harm == "byte":
        file.write_bytes(data[:9000] + bytes([data[9000] ^ 1]) + data[9001:])
    elif harm == "cut":
        file.write_bytes(data[:-4096])
    elif harm == "text":
        file.write_text("not a database")
    elif harm == "gone":
        file.unlink()
    else:
        shutil.copy(plain.database, file)
    before = lab.database_files(plain.database)
    ended = restore(plain, "last").is_status(3)
    assert ("missing" if harm == "gone" else "damaged") in ended.err and str(file) in ended.err
    assert lab.database_files(plain.database) == before
    assert not list(plain.path(".athanor").rglob("clone.db*"))


def test_a_backup_is_only_read(plain):
    """It may have a second name, be on a medium that cannot be written to, or in a folder that cannot be."""
    file, = kept(plain)
    os.link(file, plain.beside("second-name.db"))
    before = (lab.sha256(file), file.stat().st_mtime_ns)
    trace = plain.beside("trace")
    ended = restore(plain, "last", program=("strace", "-f", "-qq", "-e", "trace=openat", "-o", str(trace)))
    plain.beside("second-name.db").unlink()
    if "ptrace" in ended.err:
        pytest.skip("strace may not trace here")
    ended.is_status(0)
    opened = [line for line in trace.read_text().splitlines() if '/%s"' % file.name in line]
    assert opened and not [line for line in opened if "O_RDWR" in line or "O_WRONLY" in line], opened
    assert (lab.sha256(file), file.stat().st_mtime_ns) == before and plain.rows() == ["a1"]


# ---- what stands in the database's place ----

@pytest.mark.parametrize("place", ["missing", "empty", "missing, with a -wal", "missing, with a -journal"])
def test_where_there_is_nothing_it_is_put_into_place(plain, place):
    plain.database.unlink()
    if place == "empty":
        plain.database.write_bytes(b"")
    tail = place.split(" a ")[-1] if " a " in place else None
    if tail:
        stale = plain.beside("stale.db")
        stale.unlink(missing_ok=True)
        connection = sqlite3.connect(str(stale), isolation_level=None)
        if tail == "-wal":
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE foreign_to_it (x)")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO foreign_to_it VALUES (zeroblob(100000))")
        if tail == "-wal":
            connection.execute("COMMIT")
        else:
            connection.execute("PRAGMA cache_spill=1")
        shutil.copy(str(stale) + tail, str(plain.database) + tail)
        connection.close()
    restore(plain, "last").is_status(0)
    assert plain.rows() == ["a1"] and plain.stories() == ["one", "two", "three"]
    assert lab.query(plain.database, "PRAGMA integrity_check") == [("ok",)]
    for left in ("-wal", "-journal"):
        assert not os.path.exists(str(plain.database) + left)
    if tail:
        assert len(list(plain.path(".athanor/backups").glob("damaged-*%s" % tail))) == 1


def test_what_is_put_into_an_empty_place_is_as_private_as_it_was(small):
    small.stored("a1")
    small.database.chmod(0o600)
    os.chown(small.database, os.geteuid(), os.getegid() if os.geteuid() else 12345)
    before = small.database.stat()
    small.install().is_status(0)
    small.database.unlink()
    restore(small, "last").is_status(0)
    after = small.database.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_frames_beside_a_file_that_lost_every_byte_are_kept(walled):
    with writer_with_frames(walled.database, "framed"):
        wal = open(str(walled.database) + "-wal", "rb").read()
        walled.database.write_bytes(b"")
    restore(walled, "last").is_status(0)
    raw, = walled.path(".athanor/backups").glob("damaged-*.db-wal")
    assert raw.read_bytes() == wal and walled.rows() == ["a1"]


def test_a_folder_that_is_not_there_is_not_made(small):
    (small.root / "data").mkdir()
    small.database = small.root / "data/app.db"
    small.ini()
    small.stored("a1")
    small.install().is_status(0)
    shutil.rmtree(small.root / "data")
    ended = restore(small, "last").is_status(1)
    assert "mounted" in ended.err and not (small.root / "data").exists()


DAMAGES = {
    "noise": lambda data: os.urandom(len(data) + 37),
    "text": lambda data: b"this was a database\n" * 400,
    "header": lambda data: b"\0" * 100 + data[100:],
    "schema": lambda data: data[:100] + b"\xff" * 3000 + data[3100:],
    "inside": lambda data: data[:4096] + b"\xee" * 4096 + data[8192:],
    "cut": lambda data: data[:5000],
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_what_cannot_be_read_is_kept_and_replaced(upgraded, damage):
    upgraded.database.write_bytes(DAMAGES[damage](upgraded.database.read_bytes()))
    harmed = upgraded.database.read_bytes()
    inode = upgraded.database.stat().st_ino
    ended = restore(upgraded, "last").is_status(3)
    assert "--discard-newer" in ended.err and upgraded.database.read_bytes() == harmed
    ended = restore(upgraded, "last", "--discard-newer").is_status(0)
    assert upgraded.rows() == ["a1"] and upgraded.stories() == ["one", "two", "three"]
    assert lab.query(upgraded.database, "PRAGMA integrity_check") == [("ok",)]
    raw, = upgraded.path(".athanor/backups").glob("damaged-*.db")
    assert raw.read_bytes() == harmed and raw.stat().st_mode & 0o777 == 0o600
    assert str(raw) in ended.err and str(raw) in ended.out and upgraded.database.stat().st_ino == inode
    lab.assert_clean(upgraded)


def test_noise_with_a_wal_beside_it_is_kept_and_replaced(walled):
    with writer_with_frames(walled.database, "framed"):
        walled.database.write_bytes(os.urandom(20480))
        wal = open(str(walled.database) + "-wal", "rb").read()
    restore(walled, "last", "--discard-newer").is_status(0)
    assert walled.rows() == ["a1"] and lab.query(walled.database, "PRAGMA integrity_check") == [("ok",)]
    raw, = walled.path(".athanor/backups").glob("damaged-*.db-wal")
    assert raw.read_bytes() == wal


HOLDER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2]).fetchall()
print("here", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(path, statement):
    """Another process has it open: in this one every look at the file would drop its locks."""
    process = subprocess.Popen([lab.PYTHON, "-c", HOLDER, str(path), statement], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"here\n"
    yield
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()


def test_a_database_that_somebody_uses_is_not_touched(upgraded):
    with held(upgraded.database, "BEGIN IMMEDIATE"):
        before = lab.sha256(upgraded.database)
        ended = restore(upgraded, "last", "--lock-timeout", "1").is_status(75)
        assert "in use" in ended.err and lab.sha256(upgraded.database) == before
    restore(upgraded, "last").is_status(0)


@pytest.mark.parametrize("mode, statement", [("wal", "SELECT count(*) FROM story"), ("delete", "BEGIN IMMEDIATE")])
def test_a_damaged_one_that_somebody_has_open_is_not_touched(small, made, mode, statement):
    upgrade(small, made, mode)
    with held(small.database, statement):
        with open(small.database, "r+b") as file:
            file.write(b"x" * 4096)
        harmed = small.database.read_bytes()
        restore(small, "last", "--discard-newer", "--lock-timeout", "1").is_status(75)
        assert small.database.read_bytes() == harmed
    restore(small, "last", "--discard-newer").is_status(0)
    assert small.rows() == ["a1"]


# ---- killed ----

SOAK = bool(os.environ.get("ATHANOR_SOAK"))
CALLS = ["pwrite64", "fdatasync", "fsync", "unlink", "ftruncate", "link,linkat,rename,renameat,renameat2"]


def traced(project, call, nth, *arguments):
    """Types the command; the process that comes to a system call for the nth time is killed before it."""
    ended = restore(project, *arguments, program=(
        "strace", "-f", "-qq", "-o", str(project.beside("trace")),
        "--inject=%s:signal=KILL:when=%d" % (call, nth)))
    if "ptrace" in ended.err:
        pytest.skip("strace may not trace here")
    return ended


def aim(project, name):
    """What stands in the place before the restore, as the test wants it."""
    if name == "missing":
        project.database.unlink()
    elif name == "noise":
        project.database.write_bytes(b"noise" * 5000)
    elif name == "written":
        write_story(project)


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("mode, place", [("delete", "written"), ("wal", "written"), ("delete", "missing"),
                                         ("delete", "noise"), ("wal", "noise")])
def test_killed_anywhere_the_same_command_ends_at_the_restored_state(small, made, mode, place, call):
    """`last` typed again means what it meant before, though a newer backup has been kept meanwhile."""
    upgraded = upgrade(small, made, mode)
    subprocess.run(["tar", "-C", str(upgraded.root), "-cf", str(upgraded.beside("saved.tar")),
                    "--exclude=./.venv", "."], check=True)
    image = lab.query(kept(upgraded)[0], "SELECT * FROM story")
    nth, killed = 1 if SOAK else random.randint(1, 4), 0
    while nth < 60:
        for name in ("app.db", "app.db-wal", "app.db-journal", "app.db-shm", ".athanor"):
            path = upgraded.path(name)
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        subprocess.run(["tar", "-C", str(upgraded.root), "-xf", str(upgraded.beside("saved.tar"))], check=True)
        aim(upgraded, place)
        ended = traced(upgraded, call, nth, "last", "--discard-newer")
        if ended.status == 0:
            break
        killed += 1
        restore(upgraded, "last", "--discard-newer").is_status(0)
        assert upgraded.rows() == ["a1"], (call, nth)
        assert lab.query(upgraded.database, "SELECT * FROM story") == image, (call, nth)
        assert lab.query(upgraded.database, "PRAGMA integrity_check") == [("ok",)], (call, nth)
        lab.assert_clean(upgraded)
        assert not list(upgraded.path(".athanor/backups").glob("*.partial*"))
        nth += 1 if SOAK else random.randint(8, 14)
    assert killed or not SOAK or call in ("ftruncate", "unlink"), "nothing was killed"


@pytest.mark.parametrize("who", ["group", "orchestrator", "warden", "both"])
def test_killed_by_processes_and_typed_again(plain, who):
    write_story(plain)
    started = lab.Started(plain, "last", "--discard-newer", command="restore")
    started.until("keep", "running").kill(who)
    lab.wait_for(lambda: lab.athanor("status", "--json", plain.root).json["outcome"] != "running", "its end")
    if any(name == "restore.chosen" for name, in plain.journal("SELECT name FROM note")):
        said = lab.athanor("status", "--json", plain.root).is_status(0).json
        assert said["next"].startswith("athanor restore ") and said["next"].endswith(" %s" % plain.root), said
        assert said["next"] + "   (" in lab.athanor("status", plain.root).is_status(0).out
    restore(plain, "last", "--discard-newer").is_status(0)
    assert plain.rows() == ["a1"] and plain.stories() == ["one", "two", "three"]
    lab.assert_clean(plain)


# ---- what is kept ----

def change(project, nth):
    """One more state, and one more backup of the state before."""
    write_story(project, "state %d" % nth)
    restore(project, "last", "--discard-newer").is_status(0)


def test_as_many_states_are_kept_as_the_recipe_says(plain):
    plain.recipe(database="database: {alembic: alembic.ini, keep: 2}")
    for nth in range(4):
        change(plain, nth)
        assert [(one["by"], one["state"]) for one in listed(plain)] == [("restore", "whole"), ("install", "whole")]
    assert "state 3" in [row[0] for row in lab.query(listed(plain)[0]["file"], "SELECT title FROM story")]


def test_equal_states_count_as_one(plain):
    plain.recipe(database="database: {alembic: alembic.ini, keep: 2}")
    for _ in range(3):
        restore(plain, "last").is_status(0)
        undo(plain).is_status(0)
    assert sorted(one["revision"] for one in listed(plain)) == ["a1", "a1", "c3"]  # one is what `last` means


def test_nothing_goes_for_a_backup_that_is_damaged(plain):
    plain.recipe(database="database: {alembic: alembic.ini, keep: 3}")
    change(plain, 1)
    change(plain, 2)
    with open(listed(plain)[0]["file"], "r+b") as file:
        file.seek(5000)
        file.write(b"xxxx")
    change(plain, 3)
    assert [one["state"] for one in listed(plain)] == ["whole", "damaged", "whole", "whole"]
    change(plain, 4)
    assert [one["state"] for one in listed(plain)] == ["whole", "whole", "whole"]


def test_foreign_files_and_damaged_ones_stay(plain):
    plain.recipe(database="database: {alembic: alembic.ini, keep: 1}")
    folder = plain.path(".athanor/backups")
    for name in ("pre-0123456789abcdef.db", "damaged-0123456789abcdef.db", "mine.db"):
        (folder / name).write_bytes(b"x")
    change(plain, 1)
    change(plain, 2)
    assert {path.name for path in folder.iterdir()} >= {
        "pre-0123456789abcdef.db", "damaged-0123456789abcdef.db", "mine.db"}
    assert len(listed(plain)) == 2  # the newest, and what `last` means


def test_files_of_somebody_else_that_look_unfinished_stay(plain):
    """Only names that a run of ours gives are swept; what is beside a foreign one is not ours either."""
    folder = plain.path(".athanor/backups")
    foreign = {"mine.partial", "upload.partial-1", "upload-journal", "upload-super", "notes.db.partial",
               "pre-2024.db.partial-keep.tar", "damaged-by-me.db.partials", "link.partial"}
    ours = {"pre-0123456789abcdef.db.partial", "pre-0123456789abcdef.db.partial-journal",
            "raw-0123456789abcdef-2.db-journal.partial", "damaged-0123456789abcdef.db-wal.partial"}
    for name in foreign | ours:
        (folder / name).write_bytes(b"x")
    (folder / "link.partial").unlink()
    (folder / "link.partial").symlink_to(plain.path("athanor.yaml"))
    change(plain, 1)
    left = {path.name for path in folder.iterdir()}
    assert foreign <= left and not ours & left and plain.path("athanor.yaml").exists()


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_number_that_is_none_is_78(plain, value):
    plain.recipe(database="database: {alembic: alembic.ini, keep: %s}" % value)
    assert "keep" in plain.install().is_status(78).err


def test_folders_of_old_runs_go_and_the_last_failure_stays(plain):
    plain.revision("d4", "c3", "raise RuntimeError('no')")
    plain.install().is_status(1)
    failed = plain.marks[-1]
    program, = [path.name.split("-")[1] for path in plain.path(".athanor/cache").glob("bridge-*")]
    plain.path("migrations/versions/d4.py").unlink()
    (plain.path(".athanor/runs") / plain.marks[0] / "left.db-wal").write_bytes(b"x")
    (plain.path(".athanor/runs") / "of-nobody").mkdir()
    (plain.path(".athanor/cache") / ("bridge-" + "0" * len(program))).mkdir()
    (plain.path(".athanor") / "athanor-inspect-AbCdEf").mkdir()
    restore(plain, "last").is_status(0)
    runs = plain.path(".athanor/runs")
    assert not (runs / plain.marks[0] / "left.db-wal").exists() and (runs / plain.marks[0]).exists()
    assert not (plain.path(".athanor") / "athanor-inspect-AbCdEf").exists()
    assert not (plain.path(".athanor/cache") / ("bridge-" + "0" * len(program))).exists()
    word = plain.marks[-1]
    for nth in range(60):
        (runs / ("%016x" % nth)).mkdir()
    lab.execute(plain.path(".athanor/journal.db"), *(
        "INSERT INTO run (mark, boot_id, version, command, started_ms, ended_ms, outcome) "
        "VALUES ('%016x', '-', '-', 'install', 0, 0, 'succeeded')" % nth for nth in range(60)))
    restore(plain, word).is_status(0)
    left = {path.name for path in runs.iterdir()}
    assert left == {"of-nobody", failed, plain.marks[-1]} | {"%016x" % nth for nth in range(12, 60)}


def test_a_look_that_is_at_work_keeps_its_folder(plain):
    folder = plain.path(".athanor") / "athanor-inspect-GhIjKl"
    folder.mkdir()
    holder = subprocess.Popen(["flock", str(folder), "sleep", "60"])
    lab.wait_for(lambda: lab.children_of(holder.pid), "the holder")
    try:
        restore(plain, "last").is_status(0)
        assert folder.exists()
    finally:
        for pid in lab.children_of(holder.pid):
            os.kill(pid, 9)
        holder.wait(10)
    undo(plain).is_status(0)
    assert not folder.exists()


# ---- no backup ----

def test_without_a_backup_the_plan_and_the_end_say_what_is_given_up(small):
    small.stored("a1")
    said = small.install("--no-backup", "--dry-run").is_status(0).out
    assert "cannot be restored" in said and "byte for byte" in said
    ended = small.install("--no-backup").is_status(0)
    assert "none was kept (--no-backup)" in ended.out and small.rows() == ["c3"]
    assert not kept(small) and listed(small) == []
    assert small.stories() == ["one", "two", "three"]


def test_on_a_terminal_the_plan_says_it(small):
    small.stored("a1")
    pid, master = lab.on_terminal(small, "--no-backup")
    assert "cannot be restored" in lab.read_until(master, b"[y/N]")
    os.write(master, b"n\n")
    assert lab.status_of(pid) == 3 and small.rows() == ["a1"]
    os.close(master)


def test_without_a_backup_a_failure_leaves_the_file_as_it_was(small):
    small.stored("a1")
    small.revision("c3", "b2", "op.create_table('note', sa.Column('id', sa.Integer))\nraise RuntimeError('no')")
    before = lab.database_files(small.database)
    small.install("--no-backup").is_status(1)
    assert lab.database_files(small.database) == before


def test_without_a_backup_rows_are_still_compared(small):
    small.stored("a1")
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n"
                   "op.execute('DELETE FROM story WHERE id = 2')")
    before = lab.database_files(small.database)
    ended = small.install("--no-backup").is_status(3)
    assert "--allow-row-loss" in ended.err and lab.database_files(small.database) == before


def test_without_a_backup_a_damaged_database_is_refused(small):
    small.stored("a1")
    data = small.database.read_bytes()
    lab.execute(small.database, "CREATE INDEX by_title ON story (title)")
    data = bytearray(small.database.read_bytes())
    data[-40:] = b"\xee" * 40  # in the index, which nothing but the check reads
    small.database.write_bytes(data)
    ended = small.install("--no-backup").is_status(3)
    assert "damaged" in ended.err and small.database.read_bytes() == bytes(data)


# ---- the result as an object ----

def test_the_result_of_a_dry_run_says_where_the_database_stands(plain):
    said = restore(plain, "last", "--dry-run", "--json").is_status(0).json
    assert said["database"]["revision"] == "c3" and said["database"]["head"] == "a1" and not said["changed"]


def test_the_result_is_one_object_with_the_documented_keys(plain):
    said = restore(plain, "last", "--json").is_status(0).json
    assert said["outcome"] == "succeeded" and said["database"]["state"] == "restored" and said["changed"]
    assert said["database"]["revision"] == "a1" and said["newer"] is False
    assert said["backup"] == plain.marks[0] and said["next"] is None
    assert [step["name"] for step in said["steps"]] == ["keep", "restore", "commit", "audit"]
    said = restore(plain, "last", "--json").is_status(0).json
    assert said["outcome"] == "nothing" and said["changed"] is False
