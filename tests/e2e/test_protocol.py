# SPDX-License-Identifier: MIT
"""Protocol P step by step: what is kept before a rollback, what a long work says, when it can be called off, and how
a run that died is gone on with."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import lab

SOAK = bool(os.environ.get("ATHANOR_SOAK"))
MODES = pytest.mark.parametrize("wal", [False, True], ids=["delete", "wal"])
UNTRACED = pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
BIG = lab.STORIES + ("CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT)",)


@pytest.fixture
def holder():
    """Keeps a connection of another process open until it is killed."""
    running = []

    def start(path, *statements):
        code = ("import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                "for s in sys.argv[2:]: c.execute(s).fetchall()\nprint('ready', flush=True)\nsys.stdin.read()\n")
        child = subprocess.Popen([sys.executable, "-c", code, str(path), *statements],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        running.append(child)
        return child

    yield start
    for child in running:
        child.kill()
        child.wait()


def traced(project, *arguments):
    return ("strace", "-f", "-qq", "-o", str(project.beside("trace")), *arguments)


def notes(project, name):
    """The notes of that name, oldest first, as {field: value}."""
    return [dict(line.split("=", 1) for line in text.splitlines()) for text, in
            project.journal("SELECT pairs FROM note WHERE name = ? ORDER BY id", name)]


# ---- a write that was cut off ----

CUT_OFF = """
import os, sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('PRAGMA cache_size=5')
c.execute('BEGIN')
c.execute("UPDATE story SET title = 'half'")
for i in range(1500):
    c.execute('INSERT INTO big (t) VALUES (hex(randomblob(200)))')
os.kill(os.getpid(), 9)
"""


def cut_off(project):
    """A database whose application died in the middle of a write; the bytes of its files."""
    project.stored("a1", tables=BIG)
    subprocess.run([sys.executable, "-c", CUT_OFF, str(project.database)])
    return [pathlib.Path(str(project.database) + tail).read_bytes() for tail in ("", "-journal")]


def raw_copies(project):
    return sorted(path.name for path in project.path(".athanor/backups").glob("raw-*"))


def test_the_files_of_a_cut_off_write_are_kept_before_it_is_rolled_back(small):
    before = cut_off(small)
    small.revision("c3", "b2", "raise RuntimeError('the tale breaks off')")
    ended = small.install("--json").is_status(1)
    name, journal_name = raw_copies(small)
    kept = small.path(".athanor/backups") / name
    assert [kept.read_bytes(), kept.with_name(journal_name).read_bytes()] == before
    assert journal_name == name + "-journal" and kept.stat().st_mode & 0o777 == 0o600
    note, = notes(small, "db.recovered")
    assert note["file"] == str(kept) and note["sha256"] == lab.sha256(kept)
    assert note["bytes"] == str(len(before[0])) and note["journal_bytes"] == str(len(before[1]))
    order = [name for name, in small.journal("SELECT name FROM note ORDER BY id")]
    assert order.index("db.recovered") < order.index("db.locked")
    assert "was rolled back first" in ended.last_lines and str(kept) in ended.last_lines
    assert "unchanged" in ended.last_lines
    assert ended.json["database"]["recovered"] == str(kept) and ended.json["database"]["state"] == "unchanged"
    assert small.rows() == ["a1"] and small.stories() == ["one", "two", "three"]
    assert lab.query(kept, "SELECT 1") == [(1,)]
    small.revision("c3", "b2")
    assert "rolled back" not in small.install().is_status(0).err
    assert small.rows() == ["c3"] and len(raw_copies(small)) == 2


@UNTRACED
def test_nothing_is_rolled_back_before_it_was_recorded(small):
    """Killed at the first change of the live file, with which the rollback begins."""
    before = cut_off(small)
    small.install(program=traced(small, "-P", str(small.database), "--inject=ftruncate:signal=KILL:when=1"))
    assert small.database.read_bytes() == before[0]
    assert notes(small, "db.recovered") and not notes(small, "db.locked")
    lab.resume(small).is_status(0)
    assert small.rows() == ["c3"] and small.stories() == ["one", "two", "three"]
    names = raw_copies(small)
    assert len(names) == 4, names
    for name in names:
        kept = (small.path(".athanor/backups") / name).read_bytes()
        assert kept == before[name.endswith("-journal")], name


def test_a_copy_of_a_cut_off_write_that_was_not_finished_is_swept(small):
    small.stored("a1")
    folder = small.path(".athanor/backups")
    folder.mkdir(parents=True)
    one, two, whole = ("raw-%016x.db" % number for number in range(3))
    for name in (one + ".partial", one + "-journal", one + "-super", two + "-journal.partial", whole, whole + "-journal"):
        (folder / name).write_text("a copy")
    small.install().is_status(0)
    assert raw_copies(small) == [whole, whole + "-journal"]


def test_an_undisturbed_database_is_not_copied_raw(small):
    small.stored("a1")
    small.install().is_status(0)
    assert not raw_copies(small) and not notes(small, "db.recovered")


# ---- what a long work says, and its end ----

def slow(project, ms=1):
    """Every page of the live file takes that long."""
    return traced(project, "-P", str(project.database), "--inject=pread64:delay_enter=%dms" % ms)


def large(project, pages=3000):
    project.stored("a1", tables=BIG)
    lab.execute(project.database, "INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                "WHERE i < %d) SELECT i, hex(randomblob(1900)) FROM n" % pages)


@UNTRACED
def test_a_long_copy_says_how_far_it_is_once_a_second(small):
    large(small)
    run = small.start(program=slow(small))
    run.ended().is_status(0)
    said = [event for event in run.events if event["event"] == "progress" and "activity" in event]
    copied = [event for event in said if event["activity"] == "copying the database"]
    assert copied, run.events
    for event in copied:
        assert 0 <= event["bytes"] <= event["bytes_total"] and event["text"].startswith("copying the database: ")
    assert any(event["bytes_per_second"] > 0 and event["left_ms"] >= 0 and "left" in event["text"] for event in copied)
    seconds = [float(event["at"][17:-1]) for event in said if event["step"] == "backup"]
    assert all((later - sooner) % 60 > 0.8 for sooner, later in zip(seconds, seconds[1:])), seconds


def test_a_small_database_says_nothing_of_it(small):
    small.stored("a1")
    run = small.start()
    run.ended().is_status(0)
    assert not [event for event in run.events if "activity" in event]


@UNTRACED
@pytest.mark.parametrize("step, activity", [("backup", "copying the database"), ("backup", "reading the database")] +
                         [("repair", "copying the database")] * SOAK)
def test_ctrl_c_in_a_long_work_ends_it_soon(small, step, activity):
    large(small)
    before = lab.database_files(small.database)
    run = small.start(program=slow(small, 60 if activity.startswith("reading") else 2))

    def is_told():
        assert run.process.poll() is None, run.ended()
        return any(event.get("activity") == activity and event["step"] == step for event in run.events)
    lab.wait_for(is_told, "a word of it")
    since = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    run.ended(60).is_status(130)
    assert time.monotonic() - since < 6  # the hashes of the live file are compared at the end, slowly
    assert lab.database_files(small.database) == before
    assert small.states()[step] == "cancelled"
    small.install().is_status(0)


@UNTRACED
@MODES
def test_ctrl_c_in_the_commit_does_not_cut_it_off(small, wal):
    """The new contents are many pages: the signal comes while they are written."""
    small.stored("a1", wal=wal)
    small.revision("c3", "b2", "op.execute('CREATE TABLE note (id INTEGER PRIMARY KEY, t TEXT)')\n"
                   "op.execute(\"INSERT INTO note WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                   "WHERE i < 1500) SELECT i, hex(randomblob(1900)) FROM n\")")
    written = str(small.database) + ("-wal" if wal else "")
    run = small.start(program=traced(small, "-P", written, "--inject=pwrite64:delay_enter=1ms"))

    def is_writing():
        assert run.process.poll() is None, run.ended()
        return any(event.get("activity") == "writing the database" for event in run.events)
    lab.wait_for(is_writing, "the commit")
    os.killpg(run.pid, signal.SIGINT)
    ended = run.ended(60)
    assert small.rows() == ["c3"] and lab.query(small.database, "SELECT count(*) FROM note") == [(1500,)]
    assert lab.query(small.database, "PRAGMA integrity_check") == [("ok",)]
    assert ended.status in (0, 130) and "upgraded" in ended.err, ended
    small.install().is_status(0)


@pytest.mark.parametrize("step, statements", [("detect", ["BEGIN EXCLUSIVE"]), ("backup", ["BEGIN IMMEDIATE"])])
@MODES
def test_ctrl_c_is_heard_while_a_lock_is_waited_for(small, holder, step, statements, wal):
    if wal and step == "detect":
        statements = ["PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE"]
    small.stored("a1", wal=wal)
    before = lab.database_files(small.database)
    child = holder(small.database, *statements)
    run = small.start("--lock-timeout", "100").until(step)

    def is_waiting():
        assert run.process.poll() is None, run.ended()
        return any(event.get("activity", "").startswith("waiting for the lock") for event in run.events)
    lab.wait_for(is_waiting, "the lock to be waited for")
    since = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    run.ended(60).is_status(130)
    assert time.monotonic() - since < 3
    child.kill()
    child.wait()
    assert lab.database_files(small.database) == before
    small.install().is_status(0)


@pytest.mark.parametrize("statements, wal", [(["SELECT * FROM story"], True), (["BEGIN", "SELECT * FROM story"], False),
                                             (["BEGIN IMMEDIATE"], True), (["BEGIN EXCLUSIVE"], False)])
def test_who_holds_the_database_is_named(small, holder, statements, wal):
    """In WAL mode a connection that does nothing at all, too."""
    small.stored("a1", wal=wal)
    child = holder(small.database, *statements)
    ended = small.install("--lock-timeout", "1").is_status(75)
    assert "(process %d)" % child.pid in ended.err, ended


# ---- room ----

def with_little_room(project, folder, size):
    """The folder is a file system of that many KiB, seen by the run alone."""
    mount = 'mount -t tmpfs -o size=%dk tmpfs "$0" && exec "$@"' % size
    return ("unshare", "-m", "bash", "-c", mount, str(folder))


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                                                capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="only root may mount")
@pytest.mark.parametrize("what", ["state", "temporary"])
def test_room_is_asked_for_where_it_is_needed(small, tmp_path, what):
    large(small, 3000)
    size = small.database.stat().st_size >> 10
    before = lab.database_files(small.database)
    place = tmp_path / "place"
    place.mkdir()
    more = {"state": ("--state-dir", place / "state"), "temporary": ()}[what]
    env = {"SQLITE_TMPDIR": str(place)} if what == "temporary" else {}
    need = {"state": 3 * size + 65536, "temporary": size}[what]
    ended = small.install(*more, env=env, program=with_little_room(small, place, need - 512)).is_status(1)
    assert "MiB are needed" in ended.err and str(place) in ended.err, ended
    assert lab.database_files(small.database) == before
    small.install(*more, env=env, program=with_little_room(small, place, need + 4096)).is_status(0)
    assert small.rows() == ["c3"]


def test_whose_the_database_is_and_its_mode_are_recorded_and_kept(small):
    small.stored("a1")
    small.database.chmod(0o640)
    before = small.database.stat()
    small.install().is_status(0)
    after = small.database.stat()
    note = notes(small, "db.locked")[-1]
    assert note["mode"] == "0640" and note["owner"] == "%d:%d" % (before.st_uid, before.st_gid)
    assert (after.st_mode, after.st_uid, after.st_gid, after.st_ino) == \
        (before.st_mode, before.st_uid, before.st_gid, before.st_ino)


# ---- going on after a run that died ----

def forget_the_end(project):
    """The journal as it is when the run dies after its commit and before the record of it."""
    connection = sqlite3.connect(str(project.path(".athanor/journal.db")), isolation_level=None)
    run, = connection.execute("SELECT max(id) FROM run").fetchone()
    connection.execute("DELETE FROM note WHERE run = ? AND name IN ('db.committed', 'section', 'verified')", (run,))
    connection.execute("DELETE FROM satisfied WHERE run = ? AND step IN ('detect', 'verify')", (run,))
    connection.execute("DELETE FROM transition WHERE run = ? AND id > (SELECT max(id) FROM transition WHERE run = ? "
                       "AND step = 'commit' AND state = 'running')", (run, run))
    connection.execute("UPDATE run SET ended_ms = NULL, outcome = NULL, exit_status = NULL, database = NULL "
                       "WHERE id = ?", (run,))
    connection.close()


SHOUT = "op.execute(\"UPDATE story SET title = title || '!'\")"


@MODES
def test_a_commit_that_came_through_is_not_made_again(small, wal):
    """Also of a migration that changes data only, which neither rows nor schema would show if it were done twice."""
    small.stored("b2", wal=wal)
    small.revision("c3", "b2", SHOUT)
    small.install().is_status(0)
    forget_the_end(small)
    before = lab.database_files(small.database)
    ended = small.install().is_status(0)
    assert "came through" in ended.err and lab.database_files(small.database) == before
    assert not {"backup", "repair", "migrate", "commit"} & set(small.ran())
    assert small.stories() == ["one!", "two!", "three!"]
    assert notes(small, "db.resumed")[-1]["found"] == "new" and notes(small, "db.committed")
    assert "nothing to do" in small.install().is_status(0).out


def test_what_was_written_after_a_run_died_is_told_and_kept(small):
    small.stored("a1")
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n" +
                   lab.GATE.replace("@ROOT@", repr(str(small.root))))
    small.start().until_file("here").kill("both")
    lab.execute(small.database, "INSERT INTO story (title) VALUES ('since')")
    small.open_gate()
    ended = lab.resume(small, output="plain").is_status(0)
    assert "WARNING" in ended.err and "changed by somebody else" in ended.err
    assert small.stories() == ["one", "two", "three", "since"] and small.rows() == ["c3"]
    assert notes(small, "db.resumed")[-1]["found"] == "other"


def test_a_run_that_died_before_its_commit_is_told_from_one_that_did_not(small):
    small.stored("a1")
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n" +
                   lab.GATE.replace("@ROOT@", repr(str(small.root))))
    small.start().until_file("here").kill("both")
    small.open_gate()
    ended = lab.resume(small, output="plain").is_status(0)
    assert "before its commit" in ended.err and "WARNING" not in ended.err
    assert notes(small, "db.resumed")[-1]["found"] == "old"


def test_a_run_that_ended_in_order_is_no_question(small):
    small.stored("a1")
    small.revision("c3", "b2", "raise RuntimeError('no')")
    small.install().is_status(1)
    lab.execute(small.database, "INSERT INTO story (title) VALUES ('since')")
    small.revision("c3", "b2")
    ended = small.install().is_status(0)
    assert "somebody else" not in ended.err and not notes(small, "db.resumed")


@UNTRACED
@MODES
@pytest.mark.parametrize("file", ["", "-journal"] if SOAK else [""])   # the rest: tests/torture/test_kills.py
def test_killed_anywhere_in_the_commit_it_is_told_rightly_what_came_of_it(small, wal, file):
    """At every sync of the database and of what SQLite keeps beside it, from the pre-image to the end."""
    file = "-wal" if wal and file else file
    found = set()
    for nth in range(1, 7):
        lab.empty(small.root, keep=".venv")
        small.alembic().stored("b2", wal=wal)
        small.revision("c3", "b2", SHOUT)
        small.install(program=traced(small, "-P", str(small.database) + file,
                                     "--inject=fdatasync,fsync:signal=KILL:when=%d" % nth))
        if small.journal("SELECT count(*) FROM run WHERE outcome IS NOT NULL") == [(1,)]:
            break
        ended = lab.resume(small, output="plain").is_status(0)
        told = notes(small, "db.resumed")
        found.add(told[-1]["found"] if told else "")
        assert "WARNING" not in ended.err, ended
        assert small.stories() == ["one!", "two!", "three!"], (nth, ended)
        migrated = "migrate" in small.ran()
        assert migrated == (not told or told[-1]["found"] == "old"), (told, ended)
        lab.assert_clean(small)
    assert found & {"old", "new"}, found


# ---- beside the application (Variant O) ----

WRITER = """
import os, sqlite3, sys, time
path, ledger, tries, most = sys.argv[1], open(sys.argv[2], "a"), sys.argv[3], int(sys.argv[4])
c = sqlite3.connect(path, isolation_level=None, timeout=20)
print("ready", flush=True)
n = 0
while not os.path.exists(ledger.name + ".end"):
    time.sleep(0.03)
    if os.path.exists(tries) and len(open(tries).read()) >= most:
        continue
    n += 1
    c.execute("INSERT INTO story (title) VALUES (?)", ("row %d" % n,))
    ledger.write("row %d\\n" % n)
    ledger.flush()
"""


@pytest.fixture
def application(tmp_path):
    """Writes stories, until so many migrations have been tried, and keeps a ledger of those that were acknowledged."""
    running = []

    def start(project, most=999):
        tries = project.path("tries")
        project.revision("c3", "b2", "with open(%r, 'a') as file:\n    file.write('x')" % str(tries))
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(project.database), str(tmp_path / "ledger"),
                                  str(tries), str(most)], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        running.append(child)
        return child

    yield start
    for child in running:
        child.kill()
        child.wait()


def end(writer, tmp_path):
    """The application ends in order: a killed one might leave a write to be rolled back."""
    assert writer.poll() is None
    (tmp_path / "ledger.end").touch()
    assert writer.wait(30) == 0


def acknowledged(tmp_path):
    return set((tmp_path / "ledger").read_text().split("\n")) - {""}


@MODES
def test_an_application_that_stays_up_loses_no_row(small, application, tmp_path, wal):
    """It writes while two copies are migrated, and not while the third one is, but has the database open all the time."""
    small.stored("a1", wal=wal)
    writer = application(small, most=2)
    ended = small.install("--online").is_status(0)
    assert writer.poll() is None and len(small.marks) == 3
    assert ended.err.count("has written to its database meanwhile, trying again\n") == 2
    end(writer, tmp_path)
    assert small.rows() == ["c3"] and "mood" in small.columns()
    assert acknowledged(tmp_path) <= set(small.stories()) and acknowledged(tmp_path), ended
    assert lab.query(small.database, "PRAGMA integrity_check") == [("ok",)]
    assert lab.query(small.database, "PRAGMA journal_mode") == [("wal" if wal else "delete",)]
    lab.assert_clean(small)
    assert "nothing to do" in small.install("--online").is_status(0).out


def test_an_application_that_never_stops_writing_is_locked_out_at_last(small, application, tmp_path):
    """Outside of WAL mode the lock of the last try can be had between two writes."""
    small.stored("a1")
    small.recipe(database="database: {alembic: alembic.ini, online: true}")
    writer = application(small)
    ended = small.install().is_status(0)
    end(writer, tmp_path)
    assert ended.err.count("has written to its database meanwhile") == 3 and "under a lock" in ended.err
    assert len(small.marks) == 4
    assert small.rows() == ["c3"] and acknowledged(tmp_path) <= set(small.stories())


def test_an_application_that_keeps_a_wal_database_open_and_writes_ends_in_75(small, application, tmp_path):
    small.stored("a1", wal=True)
    writer = application(small)
    ended = small.install("--online", "--lock-timeout", "1").is_status(75)
    end(writer, tmp_path)
    assert "(process %d)" % writer.pid in ended.err and "unchanged" in ended.err
    assert small.rows() == ["a1"] and acknowledged(tmp_path) <= set(small.stories())
    lab.assert_clean(small)


def test_without_online_a_wal_database_that_is_open_is_not_upgraded(small, holder):
    """The control of the tests above: what they do is not possible otherwise."""
    small.stored("a1", wal=True)
    holder(small.database, "SELECT * FROM story")
    small.install("--lock-timeout", "1").is_status(75)
    small.install("--online", "--lock-timeout", "1").is_status(0)
    assert small.rows() == ["c3"]


@MODES
def test_a_file_that_was_put_into_the_place_meanwhile_is_not_overwritten(small, wal):
    """The one that was copied has not changed, but is not the application's database any more."""
    small.revision("c3", "b2", lab.GATE.replace("@ROOT@", repr(str(small.root))) +
                   "\nop.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
    small.stored("a1", wal=wal)
    run = small.start("--online").until_file("here")
    other = small.stored("a1", wal=wal, path=small.path("other.db"))
    lab.execute(other, "INSERT INTO story (title) VALUES ('moved in')")
    other.rename(small.database)
    small.open_gate()
    ended = run.ended().is_status(0)
    assert "has written to its database meanwhile, trying again" in ended.err
    assert small.rows() == ["c3"] and small.stories()[-1] == "moved in" and len(small.marks) == 2


@MODES
def test_a_failed_migration_beside_the_application_changes_nothing(small, application, tmp_path, wal):
    small.stored("a1", wal=wal)
    writer = application(small)
    small.revision("c3", "b2", "raise RuntimeError('the tale breaks off')")
    small.install("--online").is_status(1)
    end(writer, tmp_path)
    assert small.rows() == ["a1"] and acknowledged(tmp_path) <= set(small.stories())
    lab.assert_clean(small)
