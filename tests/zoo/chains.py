# SPDX-License-Identifier: MIT
"""
The zoo: small chains, each with one habit that real projects have, as tables of short bodies.

`Chain.write` makes a whole Alembic project of an entry: ini (or pyproject.toml), env.py, revision files, a recipe.
A revision that declares `data` moves or changes rows: it is told apart from the others even where the schema does
not show it. Bodies are our own; `table`, `add`, `drop`, `index` and `batch` write the usual operations out.
"""
import pathlib
import textwrap
from typing import NamedTuple


# ---- words for bodies


def column(text):
    """"name Type rest" as sa.Column('name', sa.Type(), rest)."""
    name, kind, *rest = text.split(None, 2)
    kind = kind if kind.endswith(")") else kind + "()"
    return "sa.Column(%r, sa.%s%s)" % (name, kind, "".join(", " + one for one in rest))


def table(name, *columns, more=""):
    parts = [column("id Integer primary_key=True"), *map(column, columns)]
    return "op.create_table(%r, %s%s)" % (name, ", ".join(parts), ", " + more if more else "")


def add(name, *columns):
    return "\n".join("op.add_column(%r, %s)" % (name, column(one)) for one in columns)


def batch(name, *calls, more=""):
    return "with op.batch_alter_table(%r%s) as batch:\n%s" % (
        name, ", " + more if more else "", "\n".join("    batch." + call for call in calls))


def drop(name, *columns):
    return batch(name, *("drop_column(%r)" % one for one in columns))


def index(name, on, *columns, unique=False):
    return "op.create_index(%r, %r, %r%s)" % (name, on, list(columns), ", unique=True" if unique else "")


def sql(*statements):
    return "\n".join("op.execute(%r)" % one for one in statements)


INSPECT = "seen = sa.inspect(op.get_bind())\n"


class Revision(NamedTuple):
    id: str
    down: object = None
    body: str = "pass"
    data: bool = False          # it has data steps
    labels: object = None
    depends: object = None
    file: str = ""              # its file's name, where that is not its id
    folder: str = ""            # its folder, where that is not the chain's
    head: str = ""              # text of the module before upgrade()

    def text(self):
        names = [("revision", self.id), ("down_revision", self.down), ("branch_labels", self.labels),
                 ("depends_on", self.depends)]
        return "import sqlalchemy as sa\nfrom alembic import op\n\n%s\n%s\n\ndef upgrade():\n%s\n\n\n" \
               "def downgrade():\n    pass\n" % (
                   "".join("%s = %r\n" % one for one in names), textwrap.dedent(self.head),
                   textwrap.indent(textwrap.dedent(self.body).strip("\n"), "    "))


R = Revision

# ---- env.py


ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
@HEAD@
url = context.config.get_main_option("sqlalchemy.url")
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    @BEFORE@
    context.configure(connection=connection, @OPTIONS@)
    with context.begin_transaction():
        context.run_migrations()
"""

ASYNC = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

def work(connection):
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()

async def online():
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

asyncio.run(online())
"""

NAMES = """
from sqlalchemy import MetaData
metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s"})
"""


def env(options="target_metadata=None", head="", before="pass"):
    return ENV.replace("@OPTIONS@", options).replace("@HEAD@", head).replace("@BEFORE@", before)


INI = """
[alembic]
script_location = migrations
prepend_sys_path = .
sqlalchemy.url = sqlite:///%(here)s/app.db
"""


class Chain(NamedTuple):
    name: str
    revisions: tuple
    env: str = env()
    ini: str = INI
    config: str = "alembic.ini"
    section: str = "alembic"
    database: str = "app.db"
    table: str = "alembic_version"
    scripts: str = "migrations"
    versions: str = "migrations/versions"
    files: tuple = ()           # (name, text) of other files
    data: tuple = ()            # ids of those among `files` that have data steps
    fault: str = ""             # a known fault that makes answers about it wrong
    is_static: bool = True      # the scanner can read it without asking Alembic

    def write(self, root):
        """The whole project in a folder."""
        texts = {self.config: self.ini, self.scripts + "/env.py": self.env,
                 "athanor.yaml": "athanor: 1\nname: zoo\ndatabase: {alembic: %s, section: %s}\n"
                                 % (self.config, self.section)}
        for one in self.revisions:
            texts["%s/%s.py" % (one.folder or self.versions, one.file or one.id)] = one.text()
        texts.update(self.files)
        for name, text in texts.items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"))
        (pathlib.Path(root) / self.versions).mkdir(parents=True, exist_ok=True)


# ---- the chains


ITEM = R("a1", None, table("item", "name Text"))

GRAPHS = (
    Chain("linear", (
        R("0001", None, table("author", "name String(80) nullable=False")),
        R("0002", "0001", table("story", "title Text", "author_id Integer sa.ForeignKey('author.id')")),
        R("0003", "0002", add("story", "mood String(20)", "score Float server_default='0'")),
        R("0004", "0003", index("ix_story_author", "story", "author_id")),
        R("0005", "0004", drop("story", "mood")),
        R("0006", "0005", table("tag", "word String(30) unique=True")),
        R("0007", "0006", "op.drop_table('tag')"),
        R("0008", "0007", add("author", "born Date")),
    )),
    Chain("branches", (
        ITEM,
        R("b1", "a1", table("left", "x Integer")), R("b2", "b1", add("left", "y Integer")),
        R("c1", "a1", table("right", "x Integer")), R("c2", "c1", index("ix_right_x", "right", "x")),
    )),
    Chain("merge", (
        ITEM,
        R("b1", "a1", add("item", "from_left Text")), R("c1", "a1", add("item", "from_right Text")),
        R("d1", ("b1", "c1")),
        R("e1", "d1", table("after", "x Integer")),
    )),
    Chain("merge_of_three", (
        R("r1", None, table("one", "x Integer")),
        R("s1", "r1", table("two", "x Integer")), R("s2", "r1", add("one", "y Integer")),
        R("s3", "r1", index("ix_one_x", "one", "x")),
        R("t1", ("s1", "s2", "s3"), add("two", "y Integer")),
    )),
    Chain("two_bases", (
        R("app1", None, table("post", "text Text"), labels=("app",)), R("app2", "app1", add("post", "at DateTime")),
        R("plug1", None, table("plugin", "name Text"), labels=("plugins",)),
        R("plug2", "plug1", index("ix_plugin_name", "plugin", "name", unique=True)),
    )),
    Chain("depends_on", (
        R("m1", None, table("main", "x Integer")), R("m2", "m1", add("main", "y Integer")),
        R("n1", None, table("side", "main_id Integer sa.ForeignKey('main.id')"), depends="m1"),
        R("n2", "n1", add("side", "z Integer"), depends=("m2",)),
        R("m3", "m2", index("ix_main_x", "main", "x")),
    )),
    Chain("depends_on_label", (
        R("base1", None, table("core", "x Integer"), labels="core"), R("base2", "base1", add("core", "y Integer")),
        R("ext1", None, table("extension", "x Integer"), depends="core", labels=["extension"]),
        R("ext2", "ext1", add("extension", "y Integer")),
    )),
    Chain("labels", (
        R("l1", None, table("root", "x Integer")),
        R("l2", "l1", table("red", "x Integer"), labels=("red", "rouge")), R("l3", "l2", add("red", "y Integer")),
        R("l4", "l1", table("blue", "x Integer"), labels="blue"), R("l5", "l4", add("blue", "y Integer")),
        R("l6", ("l3", "l5")),
    )),
    Chain("cross_stitch", (
        R("x1", None, table("x", "a Integer")),
        R("y1", "x1", add("x", "b Integer")), R("y2", "x1", table("y", "a Integer")),
        R("z1", ("y1", "y2"), add("x", "c Integer")), R("z2", ("y1", "y2"), add("y", "b Integer")),
        R("w1", ("z1", "z2"), drop("y", "b")),
    )),
    Chain("empty_links", (
        R("e1", None, table("item", "x Integer")), R("e2", "e1"), R("e3", "e2"),
        R("e4", "e3", add("item", "y Integer")), R("e5", "e4"),
    )),
    Chain("long", tuple(
        R("%04d" % n, "%04d" % (n - 1) if n else None,
          table("t%d" % n, "a Integer", "b Text") if n % 4 == 0 else
          add("t%d" % (n // 4 * 4), "c%d Integer" % n) if n % 4 == 1 else
          index("ix_%d" % n, "t%d" % (n // 4 * 4), "a") if n % 4 == 2 else
          drop("t%d" % (n // 4 * 4), "b"))
        for n in range(24))),
)

PLACES = (
    Chain("async_engine", (ITEM, R("b1", "a1", add("item", "size Integer")),
                           R("c1", "b1", index("ix_item_size", "item", "size"))),
          env=ASYNC, ini=INI.replace("sqlite:", "sqlite+aiosqlite:")),
    Chain("version_table", (ITEM, R("b1", "a1", add("item", "size Integer")), R("c1", "b1", drop("item", "size"))),
          env=env("target_metadata=None, version_table='schema_history'"), table="schema_history"),
    Chain("package", (ITEM, R("b1", "a1", add("item", "size Integer"))),
          ini=INI.replace("migrations", "zoo_app:database/moves"), scripts="zoo_app/database/moves",
          versions="zoo_app/database/moves/versions", files=(("zoo_app/__init__.py", ""),), is_static=False),
    Chain("percent", (ITEM, R("b1", "a1", add("item", "size Integer"))),
          ini=INI.replace("app.db", "p100%%.db") + "server.url = postgresql://app:p%%40ss%%25word@db/app\n",
          database="p100%.db"),
    Chain("pyproject", (ITEM, R("b1", "a1", add("item", "size Integer"))), config="pyproject.toml",
          ini='[project]\nname = "zoo"\nversion = "1"\n\n[tool.alembic]\nscript_location = "%(here)s/migrations"\n'
              'prepend_sys_path = ["."]\n',
          env=env().replace('context.config.get_main_option("sqlalchemy.url")', '"sqlite:///app.db"')),
    Chain("environments_main", (R("a1", None, table("item", "name Text")), R("a2", "a1", add("item", "size Integer"))),
          ini=INI + INI.replace("[alembic]", "[billing]").replace("migrations", "billing").replace("app.db", "bills.db"),
          files=(("billing/env.py", env()), ("billing/versions/a1.py", R("a1", None, table("bill", "sum Float")).text()))),
    Chain("environments_billing", (R("a1", None, table("bill", "sum Float")), R("a2", "a1", add("bill", "paid Date"))),
          ini=INI + INI.replace("[alembic]", "[billing]").replace("migrations", "billing").replace("app.db", "bills.db"),
          section="billing", database="bills.db", scripts="billing", versions="billing/versions",
          files=(("migrations/env.py", env()), ("migrations/versions/a1.py", ITEM.text()))),
    Chain("version_locations", (
        ITEM, R("b1", "a1", add("item", "size Integer")),
        R("p1", None, table("plug", "x Integer"), folder="plug/versions", labels="plug", depends="a1"),
        R("p2", "p1", index("ix_plug_x", "plug", "x"), folder="plug/versions")),
          ini=INI + "version_locations = %(here)s/migrations/versions:%(here)s/plug/versions\npath_separator = :\n"),
    Chain("recursive", (
        R("a1", None, table("item", "name Text"), folder="migrations/versions/2023"),
        R("b1", "a1", add("item", "size Integer"), folder="migrations/versions/2024/spring"),
        R("c1", "b1", table("part", "x Integer"))),
          ini=INI + "recursive_version_locations = true\n"),
    Chain("file_names", (
        R("2023_01_02_1", None, table("item", "name Text"), file="2023_01_02_1_first"),
        R("ae10f", "2023_01_02_1", add("item", "size Integer"), file="0002_and.dots"),
        R("v2.0.0", "ae10f", table("part", "x Integer"), file="zz_" + "long_" * 20, head="# -*- coding: utf-8 -*-\n"))),
)

NOTE = "if 'note' not in [one['name'] for one in seen.get_columns('item')]:\n    " + add("item", "note Text")
RED = "conn = op.get_bind()\nif conn.dialect.name == 'postgresql':\n    op.execute('CREATE EXTENSION x')\nelse:\n    "

BODIES = (
    Chain("naming", (
        R("n1", None, table("author", "email String(80) index=True", "nick String(20) unique=True")),
        R("n2", "n1", "op.create_index(op.f('ix_author_nick'), 'author', ['nick'])"),
        R("n3", "n2", batch("author", "create_unique_constraint(op.f('uq_author_email'), ['email'])")),
        R("n4", "n3", table("book", "author_id Integer sa.ForeignKey('author.id')",
                            more="sa.CheckConstraint('id > 0', name='positive')")),
        R("n5", "n4", "op.drop_index(op.f('ix_author_nick'), table_name='author')")),
          env=env("target_metadata=metadata, render_as_batch=True", head=NAMES)),
    Chain("batch", (
        R("b1", None, table("item", "name String(40)", "size Integer", "junk Text")),
        R("b2", "b1", batch("item", "alter_column('name', new_column_name='title')")),
        R("b3", "b2", batch("item", column("weight Float").join(("add_column(", ")")), "drop_column('junk')")),
        R("b4", "b3", batch("item", "alter_column('size', type_=sa.Text())", "create_index('ix_w', ['weight'])")),
        R("b5", "b4", batch("item", "drop_index('ix_w')", more="recreate='always'"))),
          env=env("target_metadata=None, render_as_batch=True")),
    Chain("loops", (
        R("l1", None, "for name in ('red', 'green'):\n    op.create_table(name, sa.Column('id', sa.Integer(), "
                      "primary_key=True), sa.Column('v', sa.Text()))"),
        R("l2", "l1", "for name, kind in {'red': sa.Integer(), 'green': sa.Float()}.items():\n"
                      "    op.add_column(name, sa.Column('w', kind))"),
        R("l3", "l2", INSPECT + "for name in seen.get_table_names():\n    if name in ('red', 'green'):\n"
                      "        op.add_column(name, sa.Column('u', sa.Text()))"),
        R("l4", "l3", "op.drop_table('green')"))),
    Chain("guards", (
        ITEM, R("b1", "a1", INSPECT + NOTE),
        R("c1", "b1", INSPECT + "if not seen.has_table('part'):\n    " + table("part", "x Integer")),
        R("d1", "c1", table("last", "x Integer")))),
    Chain("raw_sql", (
        R("s1", None, sql("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INT DEFAULT 0)")),
        R("s2", "s1", sql("ALTER TABLE item ADD COLUMN note VARCHAR(20)", "CREATE INDEX ix_note ON item (note)")),
        R("s3", "s2", "op.execute(sa.text('CREATE TABLE IF NOT EXISTS part (id INTEGER, item_id INTEGER REFERENCES "
                      "item (id), PRIMARY KEY (id))'))"),
        R("s4", "s3", sql("ALTER TABLE item RENAME COLUMN note TO remark")),
        R("s5", "s4", sql("DROP INDEX ix_note", "ALTER TABLE item DROP COLUMN remark")),
        R("s6", "s5", sql("ALTER TABLE part RENAME TO component"))),
          ),
    Chain("raw_odd", (
        R("o1", None, sql('-- the first\nCREATE TABLE "Odd Name" ("a b" TEXT, [c d] INT, `e``f` REAL, UNIQUE("a b"))')),
        R("o2", "o1", "conn = op.get_bind()\nconn.execute(sa.text('CREATE TABLE plain (x INTEGER)'))\n"
                      "conn.exec_driver_sql('CREATE UNIQUE INDEX ux ON plain (x) WHERE x > 3')"),
        R("o3", "o2", sql("CREATE TRIGGER plain_ai AFTER INSERT ON plain BEGIN UPDATE plain SET x = 1; END")),
        R("o4", "o3", sql("DROP TABLE IF EXISTS plain")))),
    Chain("data_only", (
        R("d1", None, table("item", "name Text", "rank Integer")),
        R("d2", "d1", sql("UPDATE item SET rank = 1 WHERE rank IS NULL"), data=True),
        R("d3", "d2", "op.bulk_insert(sa.table('item', sa.column('name')), [{'name': 'first'}])", data=True),
        R("d4", "d3", table("part", "x Integer")),
        R("d5", "d4", "op.get_bind().execute(sa.text('DELETE FROM item WHERE rank > 5'))", data=True))),
    Chain("data_mixed", (
        R("d1", None, table("item", "name Text")),
        R("d2", "d1", add("item", "slug Text") + "\n" + sql("UPDATE item SET slug = lower(name)"), data=True),
        R("d3", "d2", table("copy", "name Text") + "\n" + sql("INSERT INTO copy (name) SELECT name FROM item"), data=True),
        R("d4", "d3", index("ix_slug", "item", "slug")))),
    Chain("orm", (
        R("o1", None, table("item", "name Text")),
        R("o2", "o1", "from sqlalchemy.orm import Session, declarative_base\nclass Item(declarative_base()):\n"
                      "    __tablename__ = 'item'\n    id = sa.Column(sa.Integer, primary_key=True)\n"
                      "    name = sa.Column(sa.Text)\nsession = Session(bind=op.get_bind())\n"
                      "for one in session.query(Item):\n    one.name = (one.name or '').strip()\nsession.commit()", data=True),
        R("o3", "o2", add("item", "size Integer")))),
    Chain("add_then_drop", (
        R("t1", None, table("item", "name Text")),
        R("t2", "t1", add("item", "extra Text")), R("t3", "t2", drop("item", "extra")),
        R("t4", "t3", table("scratch", "x Integer")), R("t5", "t4", "op.drop_table('scratch')"),
        R("t6", "t5", add("item", "extra Text")), R("t7", "t6", table("scratch", "x Integer", "y Integer")))),
    Chain("renames", (
        R("r1", None, table("person", "nick Text", "years Integer")),
        R("r2", "r1", "op.rename_table('person', 'member')"),
        R("r3", "r2", batch("member", "alter_column('nick', new_column_name='name')")),
        R("r4", "r3", index("ix_member_name", "member", "name")),
        R("r5", "r4", "op.alter_column('member', 'years', new_column_name='age')"))),
    Chain("rename_circle", (
        R("c1", None, table("first", "x Integer")),
        R("c2", "c1", "op.rename_table('first', 'second')"),
        R("c3", "c2", table("first", "y Integer")),
        R("c4", "c3", "op.rename_table('second', 'third')\nop.rename_table('first', 'second')"),
        R("c5", "c4", add("second", "z Integer")))),
    Chain("duplicates", (
        ITEM, R("b1", "a1", add("item", "note Text")),
        R("b2", "b1", INSPECT + NOTE),
        R("b3", "b2", "op.create_table('item', sa.Column('id', sa.Integer()), if_not_exists=True)"),
        R("b4", "b3", "op.create_index('ix_item_note', 'item', ['note'], if_not_exists=True)"),
        R("b5", "b4", "op.create_index('ix_item_note', 'item', ['note'], if_not_exists=True)"))),
    Chain("tolerant", (
        ITEM, R("b1", "a1", "try:\n    " + add("item", "note Text") + "\nexcept sa.exc.OperationalError:\n    pass"),
        R("b2", "b1", "try:\n    " + add("item", "note Text") + "\nexcept sa.exc.OperationalError:\n    pass"),
        R("b3", "b2", table("part", "x Integer")))),
    Chain("autocommit", (
        ITEM, R("b1", "a1", "with op.get_context().autocommit_block():\n    " + index("ix_item_name", "item", "name")),
        R("b2", "b1", "with op.get_context().autocommit_block():\n    " + add("item", "size Integer")),
        R("b3", "b2", "with op.get_context().autocommit_block():\n    op.create_index('ix_size', 'item', ['size'], "
                      "postgresql_concurrently=True)")),
          env=env("target_metadata=None, transaction_per_migration=True")),
    Chain("dialects", (
        ITEM, R("b1", "a1", RED + add("item", "size Integer")),
        R("b2", "b1", "if op.get_context().dialect.name == 'sqlite':\n    return\n" + add("item", "never Integer")),
        R("b3", "b2", "if op.get_bind().dialect.name == 'mysql':\n    " + add("item", "never Text")
          + "\n" + table("part", "x Integer")))),
    Chain("views", (
        R("v1", None, table("item", "name Text", "size Integer")),
        R("v2", "v1", sql("CREATE VIEW large AS SELECT name FROM item WHERE size > 10")),
        R("v3", "v2", sql("DROP VIEW large", "CREATE VIEW large AS SELECT name, size FROM item WHERE size > 20")),
        R("v4", "v3", sql("CREATE TRIGGER item_au AFTER UPDATE ON item BEGIN SELECT 1; END")),
        R("v5", "v4", sql("DROP TRIGGER item_au", "DROP VIEW large")))),
    Chain("constraints", (
        R("k1", None, table("author", "name Text") + "\n" + table("story", "title Text", "author_id Integer")),
        R("k2", "k1", batch("story", "create_foreign_key('fk_author', 'author', ['author_id'], ['id'])")),
        R("k3", "k2", batch("author", "create_unique_constraint('uq_name', ['name'])")),
        R("k4", "k3", batch("story", "create_check_constraint('ck_title', sa.text('length(title) > 0'))")),
        R("k5", "k4", batch("author", "drop_constraint('uq_name', type_='unique')")))),
    Chain("enums", (
        R("u1", None, table("job", "state Enum('new','done',name='state')")),
        R("u2", "u1", batch("job", "alter_column('state', type_=sa.Enum('new', 'done', 'failed', name='state'))")),
        R("u3", "u2", add("job", "kind Enum('a','bb',name='kind',create_constraint=True)")),
        R("u4", "u3", batch("job", "alter_column('kind', type_=sa.Enum('a', 'bb', 'cc', name='kind'))")))),
    Chain("indexes_only", (
        R("i1", None, table("item", "a Integer", "b Integer", "c Text")),
        R("i2", "i1", index("ix_a", "item", "a")), R("i3", "i2", index("ix_ab", "item", "a", "b", unique=True)),
        R("i4", "i3", "op.create_index('ix_lower', 'item', [sa.text('lower(c)')])"),
        R("i5", "i4", "op.drop_index('ix_a', table_name='item')"),
        R("i6", "i5", "op.create_index('ix_b', 'item', ['b'], sqlite_where=sa.text('b > 0'))"))),
    Chain("attributes_only", (
        R("w1", None, table("item", "name Text", "size Integer")),
        R("w2", "w1", batch("item", "alter_column('name', nullable=False)")),
        R("w3", "w2", batch("item", "alter_column('size', server_default='1')")),
        R("w4", "w3", "op.alter_column('item', 'size', comment='in pixels') if False else None"),
        R("w5", "w4", table("part", "x Integer")))),
    Chain("types_only", (
        R("y1", None, table("item", "size Integer", "name String(20)")),
        R("y2", "y1", batch("item", "alter_column('size', type_=sa.Float())")),
        R("y3", "y2", batch("item", "alter_column('name', type_=sa.String(40))")),
        R("y4", "y3", batch("item", "alter_column('name', type_=sa.Text())")))),
    Chain("big_integers", (
        R("y1", None, table("item", "size Integer", "tiny Integer")),
        R("y2", "y1", batch("item", "alter_column('size', type_=sa.BigInteger())")),
        R("y3", "y2", batch("item", "alter_column('tiny', type_=sa.SmallInteger())")))),
    Chain("keys", (
        R("q1", None, "op.create_table('pair', sa.Column('a', sa.Integer(), nullable=False), sa.Column('b', sa.Integer(), "
                      "nullable=False), sa.PrimaryKeyConstraint('a', 'b'), sa.UniqueConstraint('b', name='uq_b'))"),
        R("q2", "q1", table("tree", "parent_id Integer sa.ForeignKey('tree.id', ondelete='CASCADE')")),
        R("q3", "q2", "op.create_table('link', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
                      "sa.ForeignKeyConstraint(['a', 'b'], ['pair.a', 'pair.b']))"),
        R("q4", "q3", "op.create_table('fast', sa.Column('k', sa.Text(), primary_key=True), sqlite_with_rowid=False)"),
        R("q5", "q4", add("tree", "depth Integer sa.Computed('id+1',persisted=False)")))),
    Chain("helpers", (
        R("h1", None, "make('item')", head="""
            def make(name):
                op.create_table(name, sa.Column('id', sa.Integer(), primary_key=True), *common())


            def common():
                return [sa.Column('made', sa.DateTime(), server_default=sa.func.now()), sa.Column('by', sa.Text())]
            """),
        R("h2", "h1", "for name in TABLES:\n    op.add_column(name, sa.Column(f'{name}_no', sa.Integer()))",
          head="TABLES = ['item']"),
        R("h3", "h2", "_shape(True)", head="def _shape(is_large):\n    if is_large:\n        "
          + table("large", "x Integer") + "\n    else:\n        " + table("small", "x Integer")))),
    Chain("odd_names", (
        R("n1", None, table("order", "group Text", "käse Text") + "\n" + table("UPPER", "MiXed Text")),
        R("n2", "n1", "op.add_column('order', sa.Column('a b', sa.Text()))\nop.add_column('order', sa.Column('c.d', sa.Text()))"),
        R("n3", "n2", "op.create_index('ix \"q\"', 'order', ['a b', 'select'])".replace("'select'", "'group'")),
        R("n4", "n3", batch("UPPER", "alter_column('MiXed', new_column_name='mixed2')")))),
    Chain("table_swap", (
        R("p1", None, table("item", "name Text", "old Text")),
        R("p2", "p1", table("item_new", "name Text", "size Integer") + "\n"
          + sql("INSERT INTO item_new (id, name) SELECT id, name FROM item", "DROP TABLE item",
                "ALTER TABLE item_new RENAME TO item"), data=True),
        R("p3", "p2", table("part", "x Integer")))),
    Chain("sql_files", (
        R("f1", None, "op.execute(open(os.path.join(os.path.dirname(__file__), '..', 'first.sql')).read())",
          head="import os"),
        R("f2", "f1", table("part", "x Integer")), R("f3", "f2", add("part", "y Integer"))),
          files=(("migrations/first.sql", "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)"),)),
    Chain("models", (
        R("m1", None, "from models import metadata\nmetadata.create_all(op.get_bind())"),
        R("m2", "m1", table("later", "x Integer")), R("m3", "m2", add("item", "size Integer"))),
          files=(("models.py", "import sqlalchemy as sa\nmetadata = sa.MetaData()\nitem = sa.Table('item', metadata, "
                  "sa.Column('id', sa.Integer, primary_key=True))\n"),)),
    Chain("implied", (
        R("g1", None, add("base", "note Text")), R("g2", "g1", index("ix_base_note", "base", "note")),
        R("g3", "g2", drop("base", "old")), R("g4", "g3", table("more", "x Integer"))),
          env=env(before="connection.exec_driver_sql('CREATE TABLE IF NOT EXISTS base (id INTEGER PRIMARY KEY, "
                         "name TEXT, old TEXT)'); connection.commit()")),
    Chain("reborn", (
        R("n1", None, table("item", "old Text")), R("n2", "n1", table("part", "x Integer")),
        R("n3", "n2", "op.drop_table('item')\n" + table("item", "new Text")),
        R("n4", "n3", "op.drop_table('part')\n" + table("part", "x Integer")))),
    Chain("great_drop", (
        R("z1", None, "\n".join(table("t%d" % n, "x Integer") for n in range(6))),
        R("z2", "z1", "\n".join("op.drop_table('t%d')" % n for n in range(5))),
        R("z3", "z2", table("t1", "y Integer")), R("z4", "z3", add("t5", "y Integer")))),
    Chain("wide", (
        R("w1", None, "\n".join(table("w%02d" % n, *("c%d Text" % c for c in range(12))) for n in range(30))),
        R("w2", "w1", "\n".join(add("w%02d" % n, "extra Integer") for n in range(0, 30, 3))),
        R("w3", "w2", "\n".join(index("ix_w%02d" % n, "w%02d" % n, "c1", "c2") for n in range(0, 30, 5))))),
    Chain("blind_branch", (
        R("a1", None, table("item", "x Integer")),
        R("b1", "a1", INSPECT + "for name in seen.get_table_names():\n    if name == 'item':\n"
                      "        op.add_column(name, sa.Column('seen', sa.Integer()))"),
        R("c1", "a1", table("other", "x Integer")), R("c2", "c1", add("other", "y Integer")),
        R("d1", ("b1", "c2"), add("item", "last Integer")))),
)

CHAINS = GRAPHS + PLACES + BODIES
