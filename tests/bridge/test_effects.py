# SPDX-License-Identifier: MIT
"""effects: what the text of a revision does, one row per form of an operation; what is not understood is never trusted."""
import json
import sys

import pytest

from conftest import FIXTURES, kahani_files
from reading import load, read, short

# A table that the chain made: a, its columns id, x, y, an index, a unique constraint and a foreign key.
A = """
op.create_table("b", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("a", sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Integer),
                sa.Column("y", sa.String(20), nullable=False, server_default="old"),
                sa.UniqueConstraint("y", name="uq_y"),
                sa.ForeignKeyConstraint(["x"], ["b.id"], name="fk_x"), sa.CheckConstraint("x > 0", name="ck_x"))
op.create_index("ix_x", "a", ["x"])
"""
T = "+table t"

# name, body, what comes out; `A` has run before where the row says so.
OPERATIONS = [
    ("create_table", 'op.create_table("T", sa.Column("Id", sa.Integer()), sa.Column("n", sa.Text()))',
     [T, "+column t.id", "+column t.n"]),
    ("keyword", 'op.create_table(table_name="t")', [T]),
    ("column_unique", 'op.create_table("t", sa.Column("n", sa.Text(), unique=True))',
     [T, "+column t.n", "+unique t(n)"]),
    ("column_index", 'op.create_table("t", sa.Column("n", sa.Text(), index=True))', [T, "+column t.n", "+index t(n)"]),
    ("column_both", 'op.create_table("t", sa.Column("n", sa.Text(), index=True, unique=True))',
     [T, "+column t.n", "+unique t(n)"]),
    ("column_foreign", 'op.create_table("t", sa.Column("n", sa.Integer, sa.ForeignKey("b.id", ondelete="CASCADE")))',
     [T, "+column t.n", "+foreign t(n) b(id)"]),
    ("foreign_without_type", 'op.create_table("t", sa.Column("n", sa.ForeignKey("b.id")))',
     [T, "+column t.n", "+foreign t(n) b(id)"]),
    ("constraints", """
        op.create_table("t", sa.Column("a", sa.Integer), sa.Column("b", sa.Integer), sa.UniqueConstraint("a", "b"),
            sa.ForeignKeyConstraint(["a", "b"], ["o.x", "o.y"]), sa.PrimaryKeyConstraint("a"), sa.CheckConstraint("a > 0"),
            sa.Index("ix_b", "b"), sa.Index("ix_low", sa.text("lower(b)")))""",
     [T, "+column t.a", "+column t.b", "+unique t(a,b)", "+index t(b)", "+index t ix_low", "+foreign t(a,b) o(x,y)"]),
    ("op_f", 'op.create_index(op.f("ix"), "t", ["a", "b"], unique=False)', ["+index t(a,b)"]),
    ("unique_index", 'op.create_index("ix", "t", ["a"], unique=True)', ["+unique t(a)"]),
    ("index_of_text", 'op.create_index("ix", "t", [sa.text("a DESC"), sa.column("b")])', ["+index t(a,b)"]),
    ("index_expression", 'op.create_index("ix", "t", [sa.func.lower("a")])', ["+index t ix"]),
    ("schema_main", 'op.drop_table("t", schema="main")', ["-table t"]),
    ("schema_none", 'op.add_column("t", sa.Column("a", sa.Integer), schema=None)', ["+column t.a"]),
    ("drop_implied", 'op.drop_column("t", "a")', ["-column t.a"]),
    ("rename_implied", 'op.rename_table("t", "u")', ["-table t /1", "+table u /1"]),
    ("rename_column", 'op.alter_column("t", "a", new_column_name="b")', ["-column t.a /1", "+column t.b /1"]),
    ("alter", 'op.alter_column("t", "a", nullable=True, existing_type=sa.Integer())', ["~column t.a"]),
    ("alter_default", 'op.alter_column("t", "a", server_default=None)', ["~column t.a"]),
    ("add_foreign", 'op.create_foreign_key("fk", "t", "o", ["a"], ["id"], ondelete="SET NULL")',
     ["+foreign t(a) o(id)"]),
    ("add_unique", 'op.create_unique_constraint("uq", "t", ["a"])', ["+unique t(a)"]),
    ("add_check", 'op.create_check_constraint("ck", "t", "a > 0")', ["~table t"]),
    ("batch", """
        with op.batch_alter_table("t", schema=None) as batch_op:
            batch_op.add_column(sa.Column("a", sa.Integer()))
            batch_op.create_index(batch_op.f("ix"), ["a"], unique=False)
            batch_op.create_unique_constraint("uq", ["a"])
            batch_op.create_foreign_key("fk", "o", ["a"], ["id"])
            batch_op.alter_column("z", new_column_name="y")
            batch_op.drop_column("w")
     """, ["+column t.a", "+index t(a)", "+unique t(a)", "+foreign t(a) o(id)", "-column t.z /1", "+column t.y /1",
           "-column t.w"]),
    ("two_batches", """
        with op.batch_alter_table("t") as one, op.batch_alter_table("u") as two:
            one.drop_column("a")
            two.drop_column("b")
     """, ["-column t.a", "-column u.b"]),
    ("module_constant", "op.drop_table(TABLE + '_old')", ["-table t_old"]),
    ("f_string", 'for n in (1, 2):\n    op.drop_table(f"t{n}")', ["-table t1", "-table t2"]),
    ("loop_list", 'for name in ["a", "b"]:\n    op.drop_column("t", name)', ["-column t.a", "-column t.b"]),
    ("loop_dict", 'for t, c in {"t": "a", "u": "b"}.items():\n    op.drop_column(t, c)', ["-column t.a", "-column u.b"]),
    ("loop_pairs", 'for t, cs in PAIRS:\n    for c in cs:\n        op.drop_column(t, c)', ["-column t.a", "-column t.b"]),
    ("loop_appended", 'names = []\nnames.append("t")\nfor n in names:\n    op.drop_table(n)', ["-table t"]),
    ("comprehension", 'op.create_table("t", *[sa.Column(n, sa.Text()) for n in "ab"])',
     [T, "+column t.a", "+column t.b"]),
    ("comprehension_run", '[op.drop_table(n) for n in ("a", "b")]', ["-table a", "-table b"]),
    ("list_grown", 'a = b = []\na += ["t"]\nfor n in b:\n    op.drop_table(n)', ["-table t"]),
    ("break", 'for n in ("a", "b"):\n    if n == "b":\n        break\n    op.drop_table(n)', ["-table a"]),
    ("local_function", "_drop('a')\n_drop(name='b')", ["-table a", "-table b"]),
    ("local_returns", 'op.create_table("t", *_stamps())', [T, "+column t.made", "+column t.seen"]),
    ("dialect_equal", 'if op.get_bind().dialect.name == "postgresql":\n    op.drop_table("p")\nelse:\n    op.drop_table("s")',
     ["-table s"]),
    ("dialect_of_context", 'bind = op.get_context()\nif bind.dialect.name != "sqlite":\n    op.drop_table("p")', []),
    ("dialect_in", 'if context.get_context().dialect.name in ("mysql", "postgresql"):\n    op.drop_table("p")', []),
    ("dialect_return", 'if op.get_bind().dialect.name == "sqlite":\n    return\nop.drop_table("p")', []),
    ("autocommit", 'with op.get_context().autocommit_block():\n    op.drop_table("t")', ["-table t"]),
    ("enum_of_postgresql", 'postgresql.ENUM("a", name="e").create(op.get_bind())\nop.drop_table("t")', ["-table t"]),
    ("harmless", """
        import logging, time
        log = logging.getLogger(__name__)
        print("x", log.info("y"))
        time.sleep(0)
        op.drop_table("t")
     """, ["-table t"]),
    ("foreign_type", 'op.add_column("t", sa.Column("a", GUID(16), nullable=False))', ["+column t.a"]),
    ("downgrade_is_not_read", "pass", []),
    ("sql_table", 'op.execute("CREATE TABLE [t] (a INT PRIMARY KEY, b TEXT UNIQUE REFERENCES o (id), CHECK (a > 0))")',
     [T, "+column t.a", "+column t.b", "+unique t(b)", "+foreign t(b) o(id)"]),
    ("sql_several", 'op.execute("ALTER TABLE t ADD a INT; DROP INDEX i2; -- x\\n/* y */ ALTER TABLE t RENAME COLUMN z TO y")',
     ["+column t.a", "-index None i2".lower(), "-column t.z /1", "+column t.y /1"]),
    ("sql_index", 'op.execute(sa.text("CREATE UNIQUE INDEX i ON t (a, b DESC) WHERE a > 0"))', ["+unique t(a,b)"]),
    ("sql_index_expression", 'op.get_bind().execute(sa.text("create index i on t (lower(a))"))', ["+index t i"]),
    ("sql_drop", 'op.execute("DROP TABLE t")', ["-table t"]),
    ("sql_rename", 'op.execute("ALTER TABLE t RENAME TO u")', ["-table t /1", "+table u /1"]),
    ("sql_drop_column", 'op.execute(\'ALTER TABLE "t" DROP COLUMN "a"\')', ["-column t.a"]),
    ("sql_view", 'op.execute("CREATE VIEW v AS SELECT 1")\nop.execute("DROP VIEW v")', ["+view v", "-view v"]),
    ("sql_trigger", 'op.execute("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END;")',
     ["+trigger g"]),
    ("sql_neutral", 'op.execute("PRAGMA foreign_keys=OFF")\nop.get_bind().execute(sa.text("SELECT 1")).fetchall()', []),
    ("sql_temporary", 'op.execute("CREATE TEMP TABLE t (a)")', []),
]

CONTEXT = """
from app.types import GUID
TABLE = "t"
PAIRS = [("t", ["a", "b"])]
def _drop(name):
    op.drop_table(name)
def _stamps():
    columns = [sa.Column("made", sa.DateTime())]
    return columns + [sa.Column("seen", sa.DateTime())]
def downgrade():
    mystery()
"""


@pytest.mark.parametrize("body, expected", [row[1:] for row in OPERATIONS], ids=[row[0] for row in OPERATIONS])
def test_an_operation_in_this_form_is_read(body, expected):
    found = read(body, CONTEXT)
    assert (found["source"], found["obstacle"] if not found["lower_bound"] else None) == ("static", None)
    assert short(found) == expected and not found["data"]
    assert found["literal"] is not found["lower_bound"]


AFTER = [
    ("drop_table", 'op.drop_table("a")', ["-table a", "-column a.id", "-column a.x", "-column a.y", "-unique a(y)",
                                          "-index a(x)", "-foreign a(x) b(id)"]),
    ("drop_index", 'op.drop_index("ix_x")', ["-index a(x)"]),
    ("drop_index_if_there", 'op.drop_index("ix_x", if_exists=True)', ["-index a(x)"]),
    ("sql_drop_index", 'op.execute("DROP INDEX IF EXISTS ix_x")', ["-index a(x)"]),
    ("create_index_if_not_there", 'op.create_index("ix_y", "a", ["y"], if_not_exists=True)', ["+index a(y)"]),
    ("create_index_again", 'op.create_index("ix_x", "a", ["x"], if_not_exists=True)', []),
    ("create_table_again", 'op.create_table("a", sa.Column("id", sa.Integer), if_not_exists=True)', []),
    ("drop_unique", 'op.drop_constraint("uq_y", "a", type_="unique")', ["-unique a(y)"]),
    ("drop_foreign", 'op.drop_constraint("fk_x", "a")', ["-foreign a(x) b(id)"]),
    ("drop_foreign_in_batch", 'with op.batch_alter_table("a") as b:\n    b.drop_constraint("fk_x", type_="foreignkey")',
     ["-foreign a(x) b(id)"]),
    ("drop_check", 'op.drop_constraint("ck_x", "a")', ["~table a"]),
    ("rename_column", 'op.alter_column("a", "x", new_column_name="z")',
     ["-column a.x /1", "+column a.z /1", "-index a(x) /2", "+index a(z) /2", "-foreign a(x) b(id) /3",
      "+foreign a(z) b(id) /3"]),
    ("rename_referred", 'op.rename_table("b", "c")',
     ["-foreign a(x) b(id) /1", "+foreign a(x) c(id) /1", "-table b /2", "+table c /2", "-column b.id /3",
      "+column c.id /3"]),
    ("column_twice", 'op.add_column("a", sa.Column("x", sa.Integer))', ["+column a.x"]),
    ("second_index", 'op.create_index("ix_x2", "a", ["x"])\nop.drop_index("ix_x")', []),
    ("two_indexes_renamed", 'op.create_index("ix_x2", "a", ["x"])\nop.alter_column("a", "x", new_column_name="z")',
     ["-column a.x /1", "+column a.z /1", "-index a(x) /2", "+index a(z) /2", "-foreign a(x) b(id) /3",
      "+foreign a(z) b(id) /3"]),
    ("two_indexes_dropped", 'op.create_index("ix_x2", "a", ["x"])\nop.drop_index("ix_x2")\nop.drop_index("ix_x")',
     ["-index a(x)"]),
    ("same_nullable", 'op.alter_column("a", "y", nullable=False)', ["~column a.y"]),
    ("batch_loses_triggers", """
        op.execute("CREATE TRIGGER g AFTER INSERT ON a BEGIN SELECT 1; END")
        with op.batch_alter_table("a") as b:
            b.drop_column("y")
     """, ["+trigger g", "-column a.y", "-unique a(y)", "-trigger g"]),
]


@pytest.mark.parametrize("body, expected", [row[1:] for row in AFTER], ids=[row[0] for row in AFTER])
def test_what_the_chain_made_is_known(body, expected):
    found = read(body, before=A)
    assert (found["source"], found["lower_bound"], short(found)) == ("static", False, expected)


DATA = [
    'op.execute("UPDATE a SET x = 1")', 'op.execute(sa.text("DELETE FROM a"))',
    'op.bulk_insert(sa.table("a", sa.column("x")), [{"x": 1}])',
    'op.get_bind().execute(sa.table("a", sa.column("x")).update().values(x=1))',
    'conn = op.get_bind()\nfor row in conn.execute(sa.text("SELECT 1")):\n    conn.execute(sa.text("UPDATE a SET x = :x"), {"x": row[0]})',
    'from sqlalchemy.orm import Session\nwith Session(bind=op.get_bind()) as s:\n    s.add(User())\n    s.commit()',
    'if op.get_bind().execute(sa.text("SELECT 1")).scalar():\n    op.execute("INSERT INTO a VALUES (1)")',
    'op.execute("WITH q AS (SELECT 1) INSERT INTO a SELECT * FROM q")',
    'for t in op.get_bind().execute(sa.text("SELECT 1")):\n    op.execute(f"UPDATE {t} SET x = 1")',
]
MODELS = """
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "a"
    id = sa.Column(sa.Integer, primary_key=True)
"""


@pytest.mark.parametrize("body", DATA)
def test_data_steps_are_seen_and_change_no_schema(body):
    found = read(body, MODELS)
    assert (found["source"], found["data"], found["literal"], found["lower_bound"], found["effects"]) \
        == ("static", True, False, False, [])


# Never trusted: what is seen is only possible, and the place is named.
UNKNOWN = [
    ("guard", 'if "a" not in inspect(op.get_bind()).get_table_names():\n    op.drop_table("t")', "r2.py:8: inside a condition"),
    ("guard_else", 'if inspect(op.get_bind()).has_table("a"):\n    pass\nelse:\n    op.drop_table("t")', "inside a condition"),
    ("guard_return", 'if inspect(op.get_bind()).has_table("a"):\n    return\nop.drop_table("t")', "behind a way out"),
    ("guard_function", 'if not _has("a"):\n    op.drop_table("t")', "inside a condition"),
    ("guard_and", 'inspect(op.get_bind()).has_table("a") and op.drop_table("t")', "inside a condition"),
    ("guard_ternary", 'op.drop_table("t") if _has("t") else None', "inside a condition"),
    ("guard_in_helper", "_maybe('t')", "inside a condition"),
    ("guard_helper_return", "_maybe_early('t')", "behind a way out"),
    ("guard_continue", 'for t in ("t",):\n    if _has(t):\n        continue\n    op.drop_table(t)', "behind a way out"),
    ("loop", 'for t in inspect(op.get_bind()).get_table_names():\n    op.drop_column(t, "a")', "not literal"),
    ("loop_around", 'for t in op.get_bind().execute(sa.text("SELECT 1")):\n    op.drop_table("t")', "in a loop"),
    ("while", 'while _has("t"):\n    op.drop_table("t")', "in a loop"),
    ("loop_comprehension", '[op.drop_table("t") for t in _has("t")]', "in a loop"),
    ("try", 'try:\n    op.drop_table("t")\nexcept Exception:\n    pass', "inside `try`"),
    ("except", 'try:\n    pass\nexcept Exception:\n    op.drop_table("t")', "inside `except`"),
    ("suppress", 'import contextlib\nwith contextlib.suppress(Exception):\n    op.drop_table("t")', "inside a `with`"),
    ("imported", "helper(op)", "app.helpers.helper() is not followed"),
    ("imported_alone", "helper()", "not followed"),
    ("imported_method", "helper.tables.build()", "not followed"),
    ("imported_inside", "from app import x\nx.run()", "not followed"),
    ("relative", "from . import common\ncommon.run()", "not followed"),
    ("imported_name", "op.drop_table(NAME)", "not literal"),
    ("metadata", "Base.metadata.create_all(op.get_bind())", "not followed"),
    ("table_create", "sa.Table('t', sa.MetaData()).create(op.get_bind())", "not followed"),
    ("model_create", "User.__table__.create(bind=op.get_bind())", "not followed"),
    ("plugin", "op.create_view('v')", "op.create_view() is not followed"),
    ("impl", "op.impl.drop_table(1)", "not followed"),
    ("batch_impl", "with op.batch_alter_table('t') as b:\n    b.impl.x()", "not followed"),
    ("getattr", "getattr(op, 'drop_' + 'table')('t')", "not followed"),
    ("alias_loop", "for f in (op.drop_table,):\n    f(_has(1))", "not literal"),
    ("partial", "import functools\nfunctools.partial(op.drop_table, 't')()", "not followed"),
    ("map", "list(map(op.drop_table, ['t']))", "not followed"),
    ("exec", "exec('op.drop_table(1)')", "not followed"),
    ("raw", "op.get_bind().connection.cursor().execute(sql())", "not followed"),
    ("sqlite3", "import sqlite3\nsqlite3.connect('x').execute('DROP TABLE t')", "not followed"),
    ("subprocess", "import subprocess\nsubprocess.run(['x'])", "not followed"),
    ("op_given_away", "print(Thing(op))", "not followed"),
    ("op_set", "op.drop_table = print", "set from outside"),
    ("class_runs", "Runner().go()", "not followed"),
    ("schema", 'op.drop_table("t", schema="other")', "schema of its own"),
    ("if_exists", 'op.drop_table("t", if_exists=True)', "depends on the database"),
    ("if_not_exists", 'op.create_table("t", if_not_exists=True)', "depends on the database"),
    ("sql_if_exists", 'op.execute("DROP TABLE IF EXISTS t")', "depends on the database"),
    ("sql_if_not_exists", 'op.execute("CREATE INDEX IF NOT EXISTS i ON t (a)")', "depends on the database"),
    ("sql_select", 'op.execute("CREATE TABLE t AS SELECT 1")', "AS SELECT"),
    ("sql_strange", 'op.execute("ALTER TABLE t ALTER COLUMN a TYPE int")', "SQL that is not understood"),
    ("sql_type", 'op.execute("CREATE TYPE mood AS ENUM (1)")', "SQL that is not understood"),
    ("sql_virtual", 'op.execute("CREATE VIRTUAL TABLE t USING fts5(a)")', "not understood"),
    ("sql_built", 'op.execute("ALTER TABLE %s ADD a INT" % _has("t"))', "not literal"),
    ("sql_construct", "op.execute(sa.schema.CreateTable(sa.Table('t', sa.MetaData())))", "not followed"),
    ("writable", 'op.execute("PRAGMA writable_schema=1")', "PRAGMA"),
    ("copy_from", 'with op.batch_alter_table("t", copy_from=sa.Table("t", sa.MetaData())) as b:\n    b.drop_column("a")', "copy_from"),
    ("star_arguments", 'op.create_table("t", *columns())', "not followed"),
    ("kwargs", 'op.drop_table("t", **_has("t"))', "not literal"),
    ("other_dialect_test", 'if op.get_bind().dialect.server_version_info > (3,):\n    op.drop_table("t")', "inside a condition"),
    ("raise", 'raise NotImplementedError()', "raises"),
    ("global", 'global done\nop.drop_table("t")', "global"),
    ("match", 'op.drop_table(x := helper())', "not followed"),
    ("endless", 'for a in range(2000):\n    for b in range(2000):\n        op.drop_table("t")', "too many rounds"),
    ("recursive", 'def again():\n    again()\nagain()', "too deep"),
    ("list_changed", 'n = ["a"]\nif _has("a"):\n    n.append("t")\nfor t in n:\n    op.drop_table(t)', "not followed"),
    ("variable_changed", 't = "a"\nif _has("a"):\n    t = "b"\nop.drop_table(t)', "not literal"),
    ("own_engine", "sa.create_engine('sqlite://').connect().execute('DROP TABLE t')", "connection of its own"),
    ("twins", 'with op.batch_alter_table("t") as b:\n    b.create_unique_constraint("u1", ["a"])\n'
     '    b.create_unique_constraint("u2", ["a"])\n    b.drop_constraint("u1", type_="unique")', "two equal constraints"),
    ("any", 'if any(_has(t) for t in ("a", "b")):\n    op.drop_table("t")', "inside a condition"),
    ("dict_get", 'op.drop_table({"a": "t"}.get(_has("a"), "t"))', "not literal"),
    ("block", 'with op.get_bind().begin() as c:\n    c.execute(sa.text("CREATE TYPE x"))', "not understood"),
    ("opaque_execute", '_has("a").cursor().execute("CREATE TYPE x")', "not understood"),
    ("engine", 'sa.engine_from_config({}).connect().execute("SELECT 1")', "connection of its own"),
    ("same_handle", 'c = op.get_bind()\nif _has("a"):\n    c = op.get_bind()\nc.execute(sa.text("CREATE TYPE x"))',
     "not understood"),
    ("other_handle", 'c = op\nif _has("a"):\n    c = op.get_bind()\nc.drop_table("t")', "not followed"),
    ("list_grown", 'n = ["a"]\nif _has("a"):\n    n += ["t"]\nop.drop_table("t")', "not followed"),
    ("event", '@sa.event.listens_for(sa.Table, "after_create")\ndef f(*a): pass', "not followed"),
    ("dynamic", "import importlib\nimportlib.import_module('app.x').run()", "not followed"),
    ("threads", "import threading\nthreading.Thread(target=op.drop_table).start()", "not followed"),
    ("compiles_ddl", "from sqlalchemy.ext.compiler import compiles\nclass Make(sa.schema.DDLElement): pass\n"
     "@compiles(Make)\ndef f(*a): return 'DROP TABLE t'", "not followed"),
    ("compiles_mixed", "from sqlalchemy.ext.compiler import compiles\nclass Make(sa.JSON, sa.schema.DDLElement): pass\n"
     "@compiles(Make)\ndef f(*a): return 'DROP TABLE t'", "not followed"),
    ("bound_create", "sorted(['t'], key=sa.table('t').create)", "a function"),
    ("list_method_given", "n = []\nlist(map(n.append, ['t']))", "not followed"),
    ("lambda_given", "sorted(['t'], key=lambda t: op.drop_table(t))", "a function"),
    ("yield", "yield 1\nop.drop_table('t')", "not followed"),
]

HELPERS = """
from app.helpers import helper, NAME, Thing, columns, sql
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "a"
class Runner:
    def go(self): op.drop_table("t")
def _has(name): return inspect(op.get_bind()).has_table(name)
def _maybe(name):
    if not _has(name): op.drop_table(name)
def _maybe_early(name):
    if _has(name): return
    op.drop_table(name)
"""


@pytest.mark.parametrize("body, reason", [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_what_cannot_be_followed_is_never_trusted(body, reason):
    found = read(body, "" if reason.startswith("r2.py") else HELPERS)
    assert (found["source"], found["literal"]) == ("unknown", False), short(found)
    assert reason.split(": ")[-1] in found["obstacle"] and found["obstacle"].startswith("r2.py")


def test_a_guard_names_its_place_and_its_possible_effects():
    found = read('x = 1\nif inspect(op.get_bind()).has_table("a"):\n    op.drop_table("t")')
    assert found["obstacle"] == "r2.py:9: inside a condition that only a run decides"
    assert short(found) == ["-table t"] and found["effects"][0]["line"] == 9


LOWER = ['op.execute(sql)', 'op.drop_index("ix_never_made", "t")', 'op.drop_constraint("uq_never_made", "t", type_="unique")',
         'op.get_bind().execute(helper_made)', 'op.drop_constraint("never", "t")']


@pytest.mark.parametrize("body", LOWER)
def test_what_is_left_open_makes_a_lower_bound(body):
    found = read(body + '\nop.drop_table("z")', "import os\nsql = helper_made = os.environ['X']")
    assert (found["source"], found["lower_bound"], found["literal"]) == ("static", True, False)
    assert short(found)[-1] == "-table z" and found["obstacle"].startswith("r2.py:")


def test_a_guard_behind_an_unknown_revision_is_not_resolved():
    before = 'if inspect(op.get_bind()).has_table("q"):\n    op.drop_table("z")\n' + A
    assert read('op.drop_index("ix_x", if_exists=True)', before=before)["source"] == "unknown"
    assert read('op.drop_index("ix_x")', before=before)["source"] == "static"


ATTRIBUTES = [
    ('sa.Column("c", sa.String(50))', "VARCHAR(50)", True, None, False),
    ('sa.Column("c", sa.String(length=5), nullable=False, server_default="it\'s")', "VARCHAR(5)", False, "'it''s'", False),
    ('sa.Column("c", sa.Integer, primary_key=True)', "INTEGER", False, None, True),
    ('sa.Column("c", sa.Numeric(10, 2), server_default=sa.text("(1 + 1)"))', "NUMERIC(10, 2)", True, "1 + 1", False),
    ('sa.Column("c", sa.DateTime(timezone=True), server_default=sa.func.now())', "DATETIME", True, "CURRENT_TIMESTAMP", False),
    ('sa.Column("c", sa.Boolean(), server_default=sa.true(), default=False)', "BOOLEAN", True, "1", False),
    ('sa.Column("c", sa.Boolean(), server_default=sa.sql.expression.false())', "BOOLEAN", True, "0", False),
    ('sa.Column("c", sa.Enum("aa", "bbb", name="e"))', "VARCHAR(3)", True, None, False),
    ('sa.Column("c", app.Kind(5), server_default=app.DEFAULT)', None, True, None, False),
    ('sa.Column("c", postgresql.UUID(as_uuid=True), default=lambda: app.make())', None, True, None, False),
    ('sa.Column(name="c", type_=sa.LargeBinary())', "BLOB", True, None, False),
    ('sa.Column("c", sa.Text().with_variant(sa.String(9), "mysql", "mariadb"))', "TEXT", True, None, False),
    ('sa.Column("c", sa.Text().with_variant(sa.String(9), "mysql").with_variant(sa.Integer, "sqlite"))', "INTEGER", True,
     None, False),
    ('sa.Column("c", sa.Text().with_variant(app.Kind(), "sqlite"))', None, True, None, False),
]


@pytest.mark.parametrize("column, kind, nullable, default, key", ATTRIBUTES)
def test_attributes_of_a_column(column, kind, nullable, default, key):
    found = read('op.add_column("t", %s)' % column, "import app")
    effect = found["effects"][0]
    assert found["source"] == "static"
    assert (effect["type"], effect["nullable"], effect["server_default"], effect["key"]) == (kind, nullable, default, key)


def test_alter_tells_the_whole_column_where_it_is_known():
    found = read('op.alter_column("a", "y", type_=sa.Text(), nullable=True, server_default=None)', before=A)
    effect = found["effects"][0]
    assert (effect["type"], effect["nullable"], effect["server_default"]) == ("TEXT", True, None)


@pytest.mark.parametrize("given, before, was", [
    ("type_=sa.Text(), existing_type=sa.String(9)", "", "VARCHAR(9)"), ("type_=sa.Text()", A, "VARCHAR(20)"),
    ("type_=sa.Text(), existing_type=sa.String(9)", A, "VARCHAR(20)"), ("type_=sa.Text()", "", None),
    ("type_=app.Kind(), existing_type=sa.String(9)", "", None), ("nullable=True, existing_type=sa.String(9)", "", None),
    ("type_=sa.Text(), existing_type=sa.Text()", "", None), ("type_=sa.Text(), existing_type=app.Kind()", "", None),
])
def test_alter_tells_the_type_before_it(given, before, was):
    found = read('op.alter_column("a", "y", %s)' % given, "import app", before=before)
    assert [effect["was"] for effect in found["effects"]] == [was]


# A guard that nothing decides leaves the revision unknown, and what it may do is among the possible effects.
UNDECIDED = [
    ('op.drop_table("t", if_exists=True)', "", []), ('op.drop_index("ix_x", if_exists=True)', A, ["-index a(x)"]),
    ('op.execute("DROP TABLE IF EXISTS b")', A, ["-table b", "-column b.id"]),
    ('op.execute("CREATE INDEX IF NOT EXISTS ix_n ON a (y)")', A, ["+index a(y)"]),
    ('op.execute("CREATE INDEX IF NOT EXISTS ix_x ON a (x)")', A, []),
    ('op.create_table("t", sa.Column("n", sa.Text()), if_not_exists=True)', "", [T, "+column t.n"]),
    ('op.add_column("a", sa.Column("x", sa.Text()), if_not_exists=True)', A, []),
]


@pytest.mark.parametrize("body, before, effects", UNDECIDED)
def test_what_an_undecided_guard_may_do_is_told(body, before, effects):
    found = read(body, before='if inspect(op.get_bind()).has_table("q"):\n    op.drop_table("z")\n' + before)
    assert found["source"] == "unknown" and "depends on the database" in found["obstacle"]
    assert short(found) == effects


# Types, their spelling, and values out of rows reach no table.
HARMLESS = [
    ('op.bulk_insert(sa.table("a", sa.column("x", app.Kind(zone=True))), [{"x": 1}])', "import app"),
    ('for row in op.get_bind().execute(sa.text("SELECT 1")):\n    json.loads(row.x)', "import json"),
    ('op.get_bind().execute(sa.select(t.c.x).order_by(t.c.x))', 't = sa.table("a", sa.column("x"))'),
    ('op.execute(sa.text(f"UPDATE a SET x = {sa.false().compile(op.get_bind())}"))', ""),
    ('sa.engine.reflection.Inspector.from_engine(op.get_bind()).get_table_names()', ""),
    ('pass', "from sqlalchemy.ext.compiler import compiles\nclass Kind(sa.JSON): pass\n"
             "@compiles(Kind, 'sqlite')\ndef _(*args, **more): return 'KIND'"),
]


@pytest.mark.parametrize("body, head", HARMLESS)
def test_what_reaches_no_table_is_followed(body, head):
    found = read(body, head)
    assert (found["source"], found["lower_bound"], short(found)) == ("static", False, []), found["obstacle"]


@pytest.mark.parametrize("source, reason", [
    ("def upgrade(:\n  pass", "r.py:1: "), ("x = 1", "no upgrade()"), ("from app import upgrade", "no upgrade()"),
    ("async def upgrade(): pass", "no upgrade()"), ("@wrap\ndef upgrade(): pass", "no upgrade()"),
    ("from alembic import op\nop.drop_table('t')\ndef upgrade(): pass", "outside upgrade()"),
    ("def upgrade():\n  return " + "(" * 300 + ")" * 300, "r.py"), ("\0", "r.py"), (b"\xff\xfe", "r.py"),
    ("raise ImportError\ndef upgrade(): pass", "raises"),
    ("def upgrade():\n  " + "-" * 30000 + "1", "r.py"),
])
def test_a_file_that_cannot_be_read_is_an_answer(source, reason):
    effects, known = load("effects"), load("tables").Known()
    found = effects.effects_of(known, "r", "/x/r.py", source)
    assert found["source"] == "unknown" and reason in found["obstacle"]


def test_a_file_that_is_not_there_is_an_answer(tmp_path):
    found, = load("effects").effects_of_all([{"id": "r", "path": str(tmp_path / "gone.py")}])
    assert found["source"] == "unknown" and "No such file" in found["obstacle"]


def test_the_module_may_call_what_it_likes_beside_upgrade():
    found = read("op.drop_table('t')", "import app\nlog = app.logger()\ntry:\n    import x\nexcept ImportError:\n    x = None")
    assert (found["source"], short(found)) == ("static", ["-table t"])


def test_every_revision_of_the_fixture_is_read():
    found = list(load("effects").effects_of_all(kahani_files()))
    assert [one["source"] for one in found] == ["static"] * 11
    assert [one["revision"] for one in found if one["data"]] == ["003", "007", "008"]
    assert not any(one["lower_bound"] for one in found)
    assert [one["literal"] for one in found] == [not one["data"] for one in found]
    assert short(found[7]) == ["+column user_settings.scene_container_style"]
    assert short(found[9]) == ["-column user_settings.scene_container_style"]
    assert json.dumps(found)


def test_the_bridge_reads_files_without_importing_the_application(project):
    project.env("raise SystemExit('imported')")
    project.revision("a1", None, "op.create_table('t', sa.Column('id', sa.Integer))", head="import no_such_module")
    path = project.app / "migrations" / "versions" / "a1.py"
    outcome = project.run({"do": "effects", "files": [{"id": "a1", "path": str(path)}]}).succeeded()
    found = outcome.one("effects")
    assert (found["revision"], found["source"], short(found)) == ("a1", "static", [T, "+column t.id"])
    project.python = sys.executable             # which need not have Alembic
    assert project.run({"do": "effects", "files": [{"id": "a1", "path": str(path)}]}).succeeded().of("effects") == [found]


def test_the_bridge_finds_the_files_in_the_order_of_the_chain(project):
    project.revision("a1", "b2", "op.drop_table('t')")
    project.revision("b2", None, "op.create_table('t', sa.Column('id', sa.Integer))")
    project.write("effects.py", "raise SystemExit('the application has a module of that name, too')")
    outcome = project.run({"do": "effects"}).succeeded()
    assert [found["revision"] for found in outcome.of("effects")] == ["b2", "a1"]
    assert short(outcome.of("effects")[1]) == ["-table t", "-column t.id"]
    assert FIXTURES.exists() and not project.live.exists()
