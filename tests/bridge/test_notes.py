# SPDX-License-Identifier: MIT
"""notes: the raw facts for the lint, one row per form in which a revision may say them."""
import ast
import json
import textwrap

import pytest

from reading import load, read


def notes_of(body, kind, head=""):
    """The notes of a kind."""
    return [note for note in read(body, head)["lint"]["notes"] if note["note"] == kind]


def short(note, *keys):
    return tuple(note.get(key) for key in keys)


ADDED = [
    ("literal", 'op.add_column("t", sa.Column("c", sa.Integer, nullable=False))', [("t", ["c"], True, False)]),
    ("default", 'op.add_column("t", sa.Column("c", sa.Integer, nullable=False, server_default="1"))',
     [("t", ["c"], True, True)]),
    ("client_default", 'op.add_column("t", sa.Column("c", sa.Integer, nullable=False, default=1))',
     [("t", ["c"], True, False)]),
    ("unknown_default", 'op.add_column("t", sa.Column("c", sa.Integer, nullable=False, server_default=app.made()))',
     [("t", ["c"], True, True)]),
    ("computed", 'op.add_column("t", sa.Column("c", sa.Integer, sa.Computed("a + 1"), nullable=False))',
     [("t", ["c"], True, True)]),
    ("nullable", 'op.add_column("t", sa.Column("c", sa.Integer))', [("t", ["c"], False, False)]),
    ("batch", 'with op.batch_alter_table("t") as b:\n    b.add_column(sa.Column("c", sa.Integer, nullable=False))',
     [("t", ["c"], True, False)]),
    ("sql", 'op.execute("ALTER TABLE t ADD COLUMN c INTEGER NOT NULL")', [("t", ["c"], True, False)]),
    ("sql_default", 'op.execute("ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 1")', [("t", ["c"], True, True)]),
    ("new_table", 'op.create_table("t", sa.Column("c", sa.Integer, nullable=False))', []),
]


@pytest.mark.parametrize("body,wanted", [row[1:] for row in ADDED], ids=[row[0] for row in ADDED])
def test_columns_tell_whether_the_database_fills_them_in(body, wanted):
    assert [short(note, "table", "columns", "required", "defaulted")
            for note in notes_of(body, "add_column", "import app")] == wanted


ALTERED = [
    ("nullable", 'op.alter_column("t", "c", nullable=False, existing_type=sa.Integer())',
     [("alter_column", "t", False, False)]),
    ("rename", 'op.alter_column("t", "c", new_column_name="d", existing_nullable=True)',
     [("alter_column", "t", False, True)]),
    ("rename_and_type", 'op.alter_column("t", "c", new_column_name="d", type_=sa.Text())',
     [("alter_column", "t", False, False)]),
    ("foreign", 'op.create_foreign_key("fk", "t", "o", ["a"], ["id"])', [("create_foreign_key", "t", False, False)]),
    ("drop", 'op.drop_constraint("x", "t", type_="unique")', [("drop_constraint", "t", False, False)]),
    ("batch", 'with op.batch_alter_table("t") as b:\n    b.alter_column("c", nullable=True)',
     [("alter_column", "t", True, False)]),
    ("other_dialect", 'if op.get_bind().dialect.name == "postgresql":\n    op.alter_column("t", "c", nullable=True)', []),
    ("index", 'op.create_index("ix", "t", ["c"])', []),
]


@pytest.mark.parametrize("body,wanted", [row[1:] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_what_sqlite_cannot_alter_is_told_with_its_batch(body, wanted):
    assert [short(note, "name", "table", "batch", "rename") for note in notes_of(body, "alter")] == wanted


DATA = [
    ("update", 'op.execute("UPDATE t SET a = (SELECT b, c FROM d), e=1 WHERE f = 2")', [("UPDATE", "t", ["a", "e"])]),
    ("quoted", """op.execute('update "T x" set "a b" = 1')""", [("UPDATE", "T x", ["a b"])]),
    ("schema", 'op.execute("UPDATE main.t SET a = 1")', [("UPDATE", "t", ["a"])]),
    ("strange_set", 'op.execute("UPDATE t SET (a, b) = (1, 2)")', [("UPDATE", "t", None)]),
    ("delete", 'op.execute("DELETE FROM t")', [("DELETE", "t", None)]),
    ("with", 'op.execute("WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x")', [("DELETE", "t", None)]),
    ("truncate", 'op.execute("TRUNCATE TABLE t")', [("TRUNCATE", "t", None)]),
    ("two", 'op.execute("DELETE FROM t; UPDATE u SET a = 1")', [("DELETE", "t", None), ("UPDATE", "u", ["a"])]),
    ("construct", 'op.execute(sa.table("t", sa.column("a")).update().values(a=1))', [("UPDATE", "t", ["a"])]),
    ("construct_of", 'op.execute(sa.update(sa.table("t")).where(x).values({"a": 1}))', [("UPDATE", "t", ["a"])]),
    ("construct_opaque", 'op.execute(sa.update(sa.table("t")).values({x: 1}))', [("UPDATE", "t", None)]),
    ("construct_delete", 'op.execute(sa.delete(sa.table("t")))', [("DELETE", "t", None)]),
    ("started", 'op.execute(f"DELETE FROM {x}")', [("DELETE", None, None)]),
    ("insert", 'op.execute("INSERT INTO t VALUES (1)")', [("INSERT", "t", None)]),
    ("session", 'Session(bind=op.get_bind()).delete(x)', [("DELETE", None, None)]),
    ("select", 'op.execute("SELECT * FROM t")', []),
]


@pytest.mark.parametrize("body,wanted", [row[1:] for row in DATA], ids=[row[0] for row in DATA])
def test_statements_that_change_rows_are_told_with_table_and_columns(body, wanted):
    head = "from sqlalchemy.orm import Session\nfrom app import x"
    assert [short(note, "name", "table", "columns") for note in notes_of(body, "data", head)] == wanted


BATCHES = [
    ("copies", 'with op.batch_alter_table("t") as b:\n    b.drop_column("c")', [("t", False)]),
    ("always", 'with op.batch_alter_table("t", recreate="always") as b:\n    pass', [("t", True)]),
    ("never", 'with op.batch_alter_table("t", recreate="never") as b:\n    b.drop_column("c")', []),
    ("adds_only", 'with op.batch_alter_table("t") as b:\n    b.add_column(sa.Column("c", sa.Integer))', []),
]


@pytest.mark.parametrize("body,wanted", [row[1:] for row in BATCHES], ids=[row[0] for row in BATCHES])
def test_a_batch_that_copies_its_table_is_told(body, wanted):
    assert [short(note, "table", "always") for note in notes_of(body, "rebuild")] == wanted


def test_what_is_loaded_with_the_file_is_told():
    head = textwrap.dedent("""
        import os, app.models
        from pgvector.sqlalchemy import Vector
        from . import helper
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import never
        try:
            import perhaps
        except ImportError:
            perhaps = None
        bind = op.get_bind()
        def unused():
            import inside
    """)
    found = read("pass", head)["lint"]["notes"]
    assert [(note["note"], note["name"]) for note in found] == [
        ("module_use", "op.get_bind"), ("import", "app.models"), ("import", "pgvector.sqlalchemy"), ("import", ".")]
    assert found[0]["line"] == found[1]["line"] + 10


def test_what_commits_on_its_own_is_told_though_another_database_is_meant():
    body = """
        if op.get_bind().dialect.name == "postgresql":
            with op.get_context().autocommit_block():
                op.create_index("ix", "t", ["c"], postgresql_concurrently=True)
                op.execute("REINDEX INDEX CONCURRENTLY ix")
    """
    assert [(note["name"], note["line"]) for note in notes_of(body, "apart")] == [
        ("autocommit_block()", 9), ("CONCURRENTLY", 10)]
    assert notes_of('"""never CONCURRENTLY"""\nop.create_index("ix", "t", ["c"])', "apart") == []


def downgrade(upgrade, text):
    source = "from alembic import op\nimport sqlalchemy as sa\ndef upgrade():\n%s\n%s" % (
        textwrap.indent(upgrade, "    "), text)
    known = load("tables").Known()
    found = load("effects").effects_of(known, "r", "r.py", source)
    return found["lint"]["downgrade"], known


def test_downgrade_is_followed_from_what_upgrade_leaves_and_changes_nothing_of_it():
    upgrade = 'op.create_table("t", sa.Column("c", sa.Integer))\nop.create_index("ix", "t", ["c"])'
    found, known = downgrade(upgrade, "def downgrade():\n    op.drop_index('ix')\n    op.drop_table('t')\n")
    assert found["line"] == 6 and found["static"] and not found["empty"]
    assert [(one["verb"], one["kind"], one["line"]) for one in found["effects"]] == [
        ("drop", "index", 7), ("drop", "table", 8), ("drop", "column", 8)]
    assert known.has("t") and known.owner("ix")[1] is not None


@pytest.mark.parametrize("text,wanted", [
    ("", None),
    ("def downgrade():\n    pass\n", (True, True)),
    ('def downgrade():\n    """none"""\n    return\n', (True, True)),
    ("def downgrade():\n    raise NotImplementedError()\n", (False, False)),
    ("def downgrade():\n    if x():\n        op.drop_table('t')\n", (False, False)),
    ("from app import downgrade\n", (False, False)),
    ("downgrade = upgrade\n", (False, False)),
])
def test_forms_of_downgrade(text, wanted):
    found, _ = downgrade("pass", text)
    assert found == wanted or (found["static"], found["empty"]) == wanted


def test_the_message_is_the_first_line_of_the_docstring():
    def message(source):
        return load("effects").effects_of(load("tables").Known(), "r", "r.py", source)["lint"]["message"]
    assert message('"""\n  what it does \n\nRevision ID: r\n"""\ndef upgrade(): pass\n') == "what it does"
    assert message("def upgrade(): pass\n") is None


def test_a_file_that_cannot_be_parsed_says_nothing():
    found = load("effects").effects_of(load("tables").Known(), "r", "r.py", "def upgrade(:\n")["lint"]
    assert found == dict(read=False, message=None, downgrade=None, notes=[], hides=True)


def test_names_that_json_for_c_cannot_hold_are_cleaned():
    found = read('op.add_column("a\\0b", sa.Column("\\ud800", sa.Integer))\nop.execute("UPDATE \\"\\0\\" SET a=1")')
    text = json.dumps(found)
    assert "\\u0000" not in text and "\\ud800" not in text
    assert found["effects"][0]["table"] == "a?b" and ast.literal_eval(repr(found["effects"][0]["column"])) == "?"
