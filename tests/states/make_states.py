# SPDX-License-Identifier: MIT
"""Makes the databases of the example's states in one shape, with the application's own Alembic.

    python make_states.py models|replay clean|flawed OUT      (in the folder backend/)

OUT gets base.db (not for the clean chain), one file for each revision, fresh.db (made by init_database.py), and
one for each interrupted revision. Those are real upgrades whose process is killed before a statement; what is left
is what SQLite has kept.
"""
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

SHAPE, CHAIN, OUT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
WORK = OUT / "work.db"
os.environ["DATABASE_URL"] = "sqlite:///%s" % WORK
sys.path.insert(0, os.getcwd())

import sqlalchemy  # noqa: E402
from alembic import command  # noqa: E402
from alembic.config import Config  # noqa: E402

HEAD, BBF4, EC1F = "c7923c6e866e", "bbf4e254a824", "ec1f4e1c996a"
REVISIONS = ["001", "002", "003", "004", "005", "006", "007", "008", EC1F, BBF4, HEAD]
LATER_TABLES = ("character_memories", "plot_events", "scene_embeddings")
SUGGESTIONS = {"enable_character_suggestions": 1, "character_importance_threshold": 70,
               "character_mention_threshold": 5}

# name of the state: the snapshot below, the revision, the statement before which it is killed
KILLED = {
    "half_001_before_index": ("base", "001", "CREATE INDEX ix_user_settings_id"),
    "half_002_two_tables": ("001", "002", "CREATE INDEX ix_plot_events_scene_id"),
    "half_003_tmp_users": ("002", "003", "INSERT INTO _alembic_tmp_users"),
    "half_003_no_system_settings": ("002", "003", "CREATE TABLE system_settings"),
    "half_007_column_added": ("006", "007", "UPDATE user_settings SET color_theme = 'pure-dark' WHERE theme"),
    "half_008_no_update": ("007", "008", "UPDATE user_settings SET scene_container_style"),
    "half_ec1f_one_column": ("008", EC1F, "ALTER TABLE user_settings ADD COLUMN current_engine"),
    "half_bbf4_dropped_not_stamped": (EC1F, BBF4, "UPDATE alembic_version"),
    "half_c792_one_of_three": (BBF4, HEAD, "ALTER TABLE user_settings ADD COLUMN character_importance_threshold"),
}


def execute(*statements, path=WORK):
    connection = sqlite3.connect(path, isolation_level=None)
    rows = [connection.execute(statement).fetchall() for statement in statements]
    connection.close()
    return rows


def columns(table):
    return [row[1] for row in execute("PRAGMA table_info(%s)" % table)[0]]


# ---- contents ----

def value(name, kind, number):
    kind = kind.upper()
    if name == "id":
        return number
    if name.endswith("_id") and name != "embedding_id" and "CHAR" not in kind:
        return 1
    if name == "title":
        return ("One", "Two")[number - 1]
    known = {"theme": "dark", "ui_theme": "dark", "color_theme": "paper", "scene_container_style": "lines",
             "personality_traits": "[]", "involved_characters": "[]", "engine_settings": "{}",
             "approved_by_id": None}
    if name in known:
        return known[name]
    if "DATE" in kind:
        return "2024-01-0%d 00:00:00.000000" % number
    if "CHAR" in kind or "TEXT" in kind:
        return "%s %d" % (name, number)
    return 0 if "BOOL" in kind else number


def fill():
    """Two users, two stories, one row in each other table that has none."""
    connection = sqlite3.connect(WORK)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' "
              "AND name NOT LIKE 'sqlite%' AND name <> 'alembic_version'")]
    for table in tables:
        if connection.execute("SELECT count(*) FROM %s" % table).fetchone()[0]:
            continue
        info = connection.execute("PRAGMA table_info(%s)" % table).fetchall()
        for number in range(1, 3 if table in ("users", "stories") else 2):
            connection.execute("INSERT INTO %s VALUES (%s)" % (table, ", ".join("?" * len(info))),
                               [value(row[1], row[2], number) for row in info])
    connection.commit()
    connection.close()


def keep(name):
    shutil.copy(WORK, OUT / (name + ".db"))


def take(name):
    WORK.unlink(missing_ok=True)
    if (OUT / (name + ".db")).exists():
        shutil.copy(OUT / (name + ".db"), WORK)


# ---- Alembic ----

def upgrade(revision):
    command.upgrade(Config("alembic.ini"), revision)


def upgrade_killed(revision, statement):
    """Runs one revision in a process that ends by SIGKILL before the statement."""
    pid = os.fork()
    if pid == 0:
        @sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute")
        def kill(_connection, _cursor, text, *_more):
            if " ".join(text.split()).startswith(statement):
                os.kill(os.getpid(), signal.SIGKILL)
        try:
            upgrade(revision)
        finally:
            os._exit(99)
    _pid, status = os.waitpid(pid, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
        sys.exit("revision %s came to its end before %r" % (revision, statement))


def stamp(*rows):
    execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))", "DELETE FROM alembic_version",
            *("INSERT INTO alembic_version VALUES ('%s')" % row for row in rows))


# ---- shape models: create_all at the head, rolled back by hand ----

def roll_back_users():
    """A column with a foreign key cannot be dropped: the table is built anew."""
    kept = ("id", "username", "email", "hashed_password", "display_name", "bio", "is_active", "is_admin",
            "created_at", "updated_at")
    names = ", ".join(kept)
    execute("CREATE TABLE old_users (id INTEGER NOT NULL, username VARCHAR(50) NOT NULL, "
            "email VARCHAR(255) NOT NULL, hashed_password VARCHAR(255) NOT NULL, display_name VARCHAR(100), "
            "bio TEXT, is_active BOOLEAN NOT NULL, is_admin BOOLEAN NOT NULL, "
            "created_at DATETIME DEFAULT CURRENT_TIMESTAMP, "
            "updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id))",
            "INSERT INTO old_users (%s) SELECT %s FROM users" % (names, names),
            "DROP TABLE users", "ALTER TABLE old_users RENAME TO users",
            "CREATE INDEX ix_users_id ON users (id)", "CREATE UNIQUE INDEX ix_users_username ON users (username)",
            "CREATE UNIQUE INDEX ix_users_email ON users (email)")


def drop_columns(table, *names):
    execute(*("ALTER TABLE %s DROP COLUMN %s" % (table, name) for name in names))


def add_text_column(table, name, size, content):
    execute("ALTER TABLE %s ADD COLUMN %s VARCHAR(%d)" % (table, name, size),
            "UPDATE %s SET %s = '%s'" % (table, name, content))


ROLL_BACK = {
    HEAD: lambda: drop_columns("user_settings", *SUGGESTIONS),
    BBF4: lambda: add_text_column("user_settings", "scene_container_style", 20, "lines"),
    EC1F: lambda: drop_columns("user_settings", "engine_settings", "current_engine"),
    "008": lambda: drop_columns("user_settings", "scene_container_style"),
    "007": lambda: (drop_columns("user_settings", "color_theme"),
                    add_text_column("user_settings", "theme", 20, "dark")),
    "006": lambda: drop_columns("story_characters", "role"),
    "005": lambda: None,
    "004": lambda: drop_columns("stories", "scenario"),
    "003": lambda: (execute("DROP TABLE system_settings"), roll_back_users()),
    "002": lambda: execute(*("DROP TABLE %s" % table for table in LATER_TABLES)),
    "001": lambda: execute("DROP TABLE user_settings"),
}


def make_tables():
    from app.models import Base
    engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"], poolclass=sqlalchemy.NullPool)
    Base.metadata.create_all(engine)


def make_by_models():
    make_tables()
    fill()
    for revision in reversed(REVISIONS):
        stamp(revision)
        keep(revision)
        ROLL_BACK[revision]()
    execute("DROP TABLE alembic_version")
    if CHAIN == "flawed":
        keep("base")


# ---- shape replay: the chain run for real, with what the flawed one needs by hand ----

def without_settings(run):
    """The flawed head adds columns that may not be NULL and have no default: only while the table has no rows."""
    names = columns("user_settings")
    execute("CREATE TABLE aside AS SELECT * FROM user_settings", "DELETE FROM user_settings")
    run()
    added = [name for name in columns("user_settings") if name not in names]
    values = names + [str(SUGGESTIONS[name]) for name in added]
    execute("INSERT INTO user_settings (%s) SELECT %s FROM aside" % (", ".join(names + added), ", ".join(values)),
            "DROP TABLE aside")


def run_005_of_flawed():
    stamp("005")


def run_007_of_flawed():
    add_text_column("user_settings", "theme", 20, "dark")
    upgrade("007")


def run_head_of_flawed():
    without_settings(lambda: upgrade(HEAD))


BY_HAND = {"005": run_005_of_flawed, "007": run_007_of_flawed, HEAD: run_head_of_flawed}


def make_base():
    make_tables()
    for revision in reversed(REVISIONS):
        ROLL_BACK[revision]()


def make_by_replay():
    if CHAIN == "flawed":
        make_base()
        fill()
        keep("base")
    for revision in REVISIONS:
        if CHAIN == "flawed" and revision in BY_HAND:
            BY_HAND[revision]()
        else:
            upgrade(revision)
        fill()
        keep(revision)


def make_killed():
    for name, (below, revision, statement) in KILLED.items():
        take(below)
        if below == "006" and "theme" not in columns("user_settings"):
            add_text_column("user_settings", "theme", 20, "dark")
        if revision == HEAD and CHAIN == "flawed":
            without_settings(lambda: upgrade_killed(revision, statement))
        else:
            upgrade_killed(revision, statement)
        keep(name)


def make_fresh():
    WORK.unlink(missing_ok=True)
    import init_database
    init_database.PASSWORD_FILE = OUT / "first-user.txt"
    init_database.main()
    keep("fresh")


WORK.unlink(missing_ok=True)
make_by_models() if SHAPE == "models" else make_by_replay()
make_killed()
make_fresh()
