# SPDX-License-Identifier: MIT
"""The state table of the example application: one entry per row, how it is made and what has to come of it.

`inspect` is (verdict, decision, inferred revision). What `repair` and `install` leave is an exit status and the
version rows, or SAME: every byte as it was. Where a row says nothing of them, they follow from the decision:

    none              repair 0, SAME                  install: the head, from what is pending
    stamp, complete   repair 0, the inferred rows     install: the head
    ask, refuse       repair 3, SAME                  install 3, SAME

On the flawed chain an install that would have to run its last revision fails on the copy (1, SAME), since
user_settings has a row; so only what is at the head already comes to an end there. The names are those of
tests/unit/test_infer_kahani.c.
"""
import os
import shutil
import sqlite3
import subprocess
import sys

import lab

HEAD, BBF4, EC1F = "c7923c6e866e", "bbf4e254a824", "ec1f4e1c996a"
CHAIN = ["001", "002", "003", "004", "005", "006", "007", "008", EC1F, BBF4, HEAD]
BOTH, CLEAN, FLAWED = ("clean", "flawed"), ("clean",), ("flawed",)
SAME = "every byte as it was"
REFUSED = (3, SAME)
FAILED = (1, SAME)  # on the copy


class Row:
    """A state, how it is made from a snapshot, and what has to come of it."""

    def __init__(self, name, snapshot, statements, inspect, chains=BOTH, shapes=("models", "replay"), build=None,
                 repair=None, install=None, flawed=None, shows=(), soak=False, around=None):
        self.name, self.snapshot, self.statements, self.chains = name, snapshot, list(statements), chains
        self.verdict, self.decision, self.inferred = inspect
        self.shapes, self.build, self.shows, self.soak, self.around = shapes, build, shows, soak, around
        self.results = {"repair": repair or self.of_repair()}
        self.of_chain = {"clean": install or self.of_install("clean"),
                         "flawed": flawed or install or self.of_install("flawed")}

    def of_repair(self):
        if self.decision in ("ask", "refuse"):
            return REFUSED
        return (0, SAME) if self.decision == "none" else (0, [self.inferred])

    def of_install(self, chain):
        if self.decision in ("ask", "refuse"):
            return REFUSED
        if chain == "flawed" and self.inferred != HEAD:
            return FAILED
        return (0, SAME) if self.decision == "none" and self.inferred == HEAD else (0, [HEAD])

    def expected(self, command, chain):
        return self.of_chain[chain] if command == "install" else self.results["repair"]

    @property
    def is_go(self):
        return self.of_chain["clean"][0] == 0

    def make(self, states, path):
        """Makes the database at the path; `states` is the folder of the snapshots."""
        for one in path.parent.glob(path.name + "*"):
            one.unlink()
        if self.snapshot:
            shutil.copy(states / (self.snapshot + ".db"), path)
        if self.statements:
            lab.execute(path, *self.statements)
        if self.build:
            self.build(states, path)


# ---- databases that no statement makes ----

def nothing(_states, path):
    path.touch()


def text_file(_states, path):
    path.write_text("Once upon a time there was no database here.\n" * 400)


def damage(path, begin, end):
    with open(path, "r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * (end - begin))


def damage_page1(_states, path):
    """All but the header."""
    damage(path, 100, 4096)


def damage_middle(_states, path):
    """Its second third, in which a part of the catalogue is."""
    size = path.stat().st_size
    damage(path, size // 3, 2 * size // 3)


def damage_stories(_states, path):
    """The page at which the stories begin: the catalogue is whole."""
    root, = lab.query(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'stories'")[0]
    damage(path, (root - 1) * 4096, root * 4096)


def truncate(_states, path):
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 - 100)


HEAD_BY_HAND = ["ALTER TABLE user_settings ADD COLUMN enable_character_suggestions BOOLEAN NOT NULL DEFAULT 1",
                "ALTER TABLE user_settings ADD COLUMN character_importance_threshold INTEGER NOT NULL DEFAULT 70",
                "ALTER TABLE user_settings ADD COLUMN character_mention_threshold INTEGER NOT NULL DEFAULT 5"]


def with_wal(_states, path):
    """The file is at bbf4 with two stories, its WAL brings it to the head with three."""
    beside = path.with_name("beside.db")
    shutil.move(path, beside)
    lab.execute(beside, "PRAGMA journal_mode=WAL")
    writer = sqlite3.connect(beside, isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    for statement in HEAD_BY_HAND + stamped(HEAD) + [
            "INSERT INTO stories (owner_id, title, status) VALUES (1, 'Three', 'draft')"]:
        writer.execute(statement)
    for end in ("", "-wal"):
        shutil.copy(str(beside) + end, str(path) + end)
    writer.close()
    for one in path.parent.glob("beside.db*"):
        one.unlink()


def with_hot_journal(_states, path):
    """A writer that was killed within its transaction: other titles and a stamp stand in the file itself."""
    code = ("import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('PRAGMA cache_size=1')\nc.execute('BEGIN')\n"
            "c.execute(\"UPDATE stories SET title = 'half'\")\n"
            "c.execute(\"UPDATE alembic_version SET version_num = '001'\")\n"
            "c.execute(\"CREATE TABLE much AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < 3000) SELECT i, hex(randomblob(50)) FROM n\")\nos.kill(os.getpid(), 9)\n")
    subprocess.run([sys.executable, "-c", code, str(path)])
    assert path.with_name(path.name + "-journal").stat().st_size


def big(_states, path):
    lab.execute(path, "CREATE TABLE audio (id INTEGER PRIMARY KEY, body BLOB)",
                "INSERT INTO audio WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 128) "
                "SELECT i, zeroblob(1000000) FROM n")
    assert path.stat().st_size > 100 << 20


class Locked:
    """Another process holds the file while the row is looked at."""

    def __init__(self, path):
        code = ("import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                "c.execute('BEGIN EXCLUSIVE')\nprint('ready', flush=True)\nsys.stdin.read()\n")
        self.child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.child.stdout.readline() == "ready\n"

    def __exit__(self, *_error):
        self.child.communicate()


# ---- the rows ----

def stamped(*rows):
    return ["DELETE FROM alembic_version", *("INSERT INTO alembic_version VALUES ('%s')" % row for row in rows)]


def half(inferred):
    return "half_applied", "complete", inferred


DROP = ["DROP TABLE alembic_version"]
FOREIGN_APP = ["CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT)",
               "CREATE TABLE invoices (id INTEGER PRIMARY KEY)",
               "CREATE TABLE orders (id INTEGER PRIMARY KEY)", "CREATE TABLE items (id INTEGER PRIMARY KEY)",
               "INSERT INTO users (login) VALUES ('ann'), ('bob')", "INSERT INTO invoices VALUES (1)"]
EXTRAS = ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)", "INSERT INTO notes (text) VALUES ('mine')",
          "ALTER TABLE users ADD COLUMN nick TEXT", "CREATE VIEW recent AS SELECT * FROM stories",
          "CREATE TRIGGER audit AFTER INSERT ON stories BEGIN INSERT INTO notes (text) VALUES (new.title); END"]
OTHER_TYPE = ["ALTER TABLE user_settings DROP COLUMN character_mention_threshold",
              "ALTER TABLE user_settings ADD COLUMN character_mention_threshold TEXT NOT NULL DEFAULT '5'"]
UNREADABLE = ("unreadable", "refuse", None)
THEME = ("SELECT color_theme FROM user_settings", [("pure-dark",)])
LINES = ("SELECT scene_container_style FROM user_settings", [("lines",)])
NO_TMP = ("SELECT count(*) FROM sqlite_schema WHERE name LIKE '_alembic_tmp%'", [(0,)])
SYSTEM = ("SELECT id FROM system_settings", [(1,)])
ADMIN = ("SELECT is_admin, is_approved, allow_nsfw FROM users ORDER BY id", [(1, 1, 1), (0, 0, 0)])

ROWS = [
    Row("base", "base", [], ("exact", "none", None), FLAWED),
    Row("base, empty version table", "base", [lab.VERSION_TABLE], ("exact", "none", None), FLAWED),
    *(Row("stamped_" + one, one, [], ("exact", "none", one)) for one in CHAIN if one not in ("004", "005")),
    *(Row("unstamped_" + one, one, DROP, ("exact", "stamp", one), soak=one not in ("003", EC1F))
      for one in CHAIN if one not in ("004", "005", HEAD)),
    Row("fresh_init", "fresh", [], ("exact", "none", HEAD), shapes=("models",)),
    Row("004 against 005", "004", [], ("equivalent", "none", "004")),
    Row("005 against 004", "005", [], ("equivalent", "none", "005")),
    Row("004 or 005 unstamped", "004", DROP, ("equivalent", "stamp", "005")),
    Row("no_alembic_version", HEAD, DROP, ("exact", "stamp", HEAD)),
    Row("empty_alembic_version", HEAD, stamped(), ("exact", "stamp", HEAD)),
    Row("wrong_001", HEAD, stamped("001"), ("ahead", "stamp", HEAD)),
    Row("wrong_ec1f_alphabetical", HEAD, stamped(EC1F), ("ahead", "stamp", HEAD)),
    Row("wrong_unknown_deadbeef", HEAD, stamped("deadbeef"), ("unknown_stamp", "refuse", None)),
    Row("wrong_999_newer_app", HEAD, stamped("999"), ("unknown_stamp", "refuse", None)),
    Row("two_rows_001_head", HEAD, stamped("001", HEAD), ("exact", "stamp", HEAD)),
    Row("two_rows_head_deadbeef", HEAD, stamped(HEAD, "deadbeef"), ("unknown_stamp", "refuse", None)),
    Row("alembic_version_wrong_shape", HEAD, DROP + ["CREATE TABLE alembic_version (version TEXT)"], UNREADABLE),
    Row("stamped_head_schema_008", "008", stamped(HEAD), ("behind", "stamp", "008")),
    Row("stamped_head_schema_003", "003", stamped(HEAD), ("behind", "stamp", "003")),
    Row("ec1f_without_008", BBF4, DROP, ("exact", "stamp", BBF4)),
    Row("head_plus_reverted_column", HEAD,
        DROP + ["ALTER TABLE user_settings ADD COLUMN scene_container_style VARCHAR(20)",
                "UPDATE user_settings SET scene_container_style = 'lines'"],
        ("exact", "stamp", HEAD), shows=[LINES]),
    Row("semantic_tables_missing_one", HEAD, DROP + ["DROP TABLE plot_events"], ("ambiguous", "ask", None)),
    Row("index_missing", HEAD, ["DROP INDEX ix_plot_events_embedding_id"], ("exact", "none", HEAD)),
    Row("drift_extra", HEAD, DROP + EXTRAS, ("exact", "stamp", HEAD),
        shows=[("SELECT count(*) FROM sqlite_schema WHERE name IN ('recent', 'audit', 'notes')", [(3,)])]),
    Row("drift_type_changed", HEAD, DROP + OTHER_TYPE, ("exact", "stamp", HEAD)),
    Row("foreign_app", None, FOREIGN_APP, ("foreign", "refuse", None)),
    Row("only_alembic_version", None, [lab.VERSION_TABLE, *stamped(HEAD)], ("empty", "ask", None)),
    Row("zero_byte", None, [], ("empty", "init", None), build=nothing, repair=REFUSED, install=(0, [HEAD])),
    Row("half_001_before_index", "half_001_before_index", [], half(None), repair=(0, ["001"])),
    Row("half_001_with_rows", "half_001_before_index", ["INSERT INTO user_settings (id, user_id) VALUES (1, 1)"],
        half(None), repair=REFUSED, install=REFUSED),
    Row("half_002_two_tables", "half_002_two_tables", [], half("001"), repair=(0, ["002"])),
    Row("half_003_tmp_users", "half_003_tmp_users", [], half("002"), repair=(0, ["003"]),
        shows=[NO_TMP, SYSTEM, ADMIN]),
    Row("half_003_no_system_settings", "half_003_no_system_settings", [], half("002"),
        repair=(0, ["003"]), shows=[NO_TMP, SYSTEM, ADMIN]),
    Row("half_003_no_system_settings, committed", "003", ["DROP TABLE system_settings", *stamped("002")],
        half("002"), repair=REFUSED, install=REFUSED),  # users holds values, and has a foreign key
    Row("half_003_only_copy", "002",
        ["CREATE TABLE _alembic_tmp_users AS SELECT * FROM users", "DROP TABLE users"],
        ("half_applied", "ask", None)),
    Row("half_007_column_added", "half_007_column_added", [], half("006"), repair=(0, ["007"]),
        shows=[THEME]),
    Row("half_007, theme never there", "half_007_column_added", ["ALTER TABLE user_settings DROP COLUMN theme"],
        half("006"), FLAWED, repair=FAILED),
    Row("half_008_no_update", "half_008_no_update", [], half("007"), repair=(0, ["008"]),
        shows=[LINES]),
    Row("half_008_other_values", "half_008_no_update",
        ["UPDATE user_settings SET scene_container_style = 'cards'"],
        half("007"), repair=REFUSED, install=REFUSED),
    Row("half_ec1f_one_column", "half_ec1f_one_column", [], half("008"), repair=(0, [EC1F])),
    Row("half_bbf4_dropped_not_stamped", "half_bbf4_dropped_not_stamped", [], ("ahead", "stamp", BBF4)),
    Row("half_c792_one_of_three", "half_c792_one_of_three", [], half(BBF4), CLEAN,
        repair=(0, [HEAD])),
    Row("half_c792_one_of_three", "half_c792_one_of_three", [], half(BBF4), FLAWED,
        repair=REFUSED, install=REFUSED),
    Row("half_c792_one_of_three, no settings", "half_c792_one_of_three", ["DELETE FROM user_settings"], half(BBF4),
        FLAWED, repair=(0, [HEAD]), install=(0, [HEAD])),
    Row("text_file", None, [], UNREADABLE, build=text_file),
    Row("corrupt_page1", HEAD, [], UNREADABLE, build=damage_page1),
    Row("corrupt_middle", HEAD, [], UNREADABLE, build=damage_middle),
    Row("corrupt_data_page", BBF4, [], UNREADABLE, build=damage_stories),
    Row("corrupt_data_page, head", HEAD, [], UNREADABLE, build=damage_stories),
    Row("truncated", HEAD, [], UNREADABLE, build=truncate),
    Row("wal", BBF4, [], ("exact", "none", HEAD), build=with_wal,
        shows=[("SELECT title FROM stories ORDER BY id", [("One",), ("Two",), ("Three",)])]),
    Row("hot_journal", HEAD, [], UNREADABLE, build=with_hot_journal, repair=(0, [HEAD]), install=(0, [HEAD])),
    Row("locked", HEAD, [], UNREADABLE, around=Locked, repair=(75, SAME), install=(75, SAME)),
    Row("big", HEAD, [], ("exact", "none", HEAD), build=big, soak=True),
]


def chosen(chain, shape, everything):
    """The rows of one chain in one shape; without `everything` each row in one shape only, in turn."""
    for number, row in enumerate(ROWS):
        if chain not in row.chains or shape not in row.shapes or (row.soak and not everything):
            continue
        if everything or len(row.shapes) == 1 or number % 2 == (shape == "replay") ^ (chain == "flawed"):
            yield row
