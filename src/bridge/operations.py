# SPDX-License-Identifier: MIT
"""
operations: what an operation of Alembic, written down with literal arguments, does to the tables that are known.

First the values that the walk through a body (effects.py) hands over: Python's own constants, and stand-ins for all
that only a run has. Then SQLAlchemy's columns, types and defaults; then the operations themselves. An argument that
is not literal where it matters raises an Obstacle.
"""
import re

import athanor_notes as notes       # loaded by effects.py, as tables
import athanor_tables as tables

Obstacle, fold = tables.Obstacle, tables.fold

CONSTANTS = (str, int, float, bool, bytes, type(None))


class Opaque:
    """A value that only a run knows, and that cannot reach the schema by itself."""


class Handle:
    """One of Alembic's or SQLAlchemy's things that can: op, bind, batch, session, context, inspector."""

    def __init__(self, what, batch=None):
        self.what, self.batch = what, batch


class Path:
    """A dotted name out of a module that is known by name only."""

    def __init__(self, name):
        self.name = name


class Foreign(Path):
    """The same out of the application or a library: may do anything when called."""


class Method:
    def __init__(self, owner, name):
        self.owner, self.name = owner, name

    @property
    def first(self):
        """The attribute of the thing itself, where this is one of an attribute of it."""
        return self.owner.first if isinstance(self.owner, Method) else self


class Function:
    def __init__(self, node, env):
        self.node, self.env = node, env


class LocalClass:
    def __init__(self, name, is_type=False):
        self.name, self.is_type = name, is_type


class Construct:
    """A call of SQLAlchemy that builds something: Column(...), text(...), select(...).where(...)."""

    def __init__(self, name, args, kwargs, base=None):
        self.name, self.args, self.kwargs, self.base = name, args, kwargs, base

    def chain(self):
        found, at = set(), self
        while isinstance(at, Construct):
            found.update(at.name.split("."))
            at = at.base
        return found

    @property
    def root(self):
        return self.root_of(self)

    @staticmethod
    def root_of(at):
        while isinstance(at.base, Construct):
            at = at.base
        return at

    @property
    def last(self):
        return self.name.rsplit(".", 1)[-1]


OPAQUE = Opaque()
OP, BIND, CONTEXT, DIALECT, INSPECTOR, SESSION = (
    Handle(what) for what in ("op", "bind", "context", "dialect", "inspector", "session"))


class Batch:
    def __init__(self, table, recreate):
        self.table, self.recreate = table, recreate
        self.copies = False         # Alembic will copy the table


EXECUTING = ("execute", "exec_driver_sql", "executescript", "executemany", "scalar")
# Methods that make or unmake tables, whatever they are called on.
MAKING = ("create", "create_all", "drop", "drop_all", "run_sync", "run_callable", "run_migrations")


def constant(value):
    """Is it a value of Python itself, through and through?"""
    if isinstance(value, CONSTANTS):
        return True
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return all(constant(item) for item in value)
    return isinstance(value, dict) and all(constant(key) and constant(item) for key, item in value.items())


def reaches(value, depth=0):
    """Can code that is given this value change the schema through it?"""
    if isinstance(value, Method):
        return not isinstance(value.first.owner, (Opaque, Construct)) or value.name in MAKING + EXECUTING
    if isinstance(value, (Function, Foreign)):
        return True
    if isinstance(value, Handle):
        return value.what != "dialect"
    if isinstance(value, (list, tuple, set)) and depth < 4:
        return any(reaches(item, depth + 1) for item in value)
    return isinstance(value, dict) and depth < 4 and any(reaches(item, depth + 1) for item in value.values())


def named(items):
    """Texts of a list of names; raises Obstacle for anything else."""
    if isinstance(items, str):
        return [items]
    if isinstance(items, (list, tuple)) and all(isinstance(item, str) for item in items):
        return list(items)
    raise Obstacle("names that are not literal")


def text(value, what):
    if isinstance(value, str):
        return str(value)
    raise Obstacle("the name of a %s is not literal" % what)


def one_of(values, name):
    """Stands for a value that only a run knows; as capable as the most capable of them."""
    whats = {value.what if isinstance(value, Handle) else None for value in values}
    if len(whats) == 1 and None not in whats:
        return values[0]
    return Foreign("one of several values of %s" % name) if any(map(reaches, values)) else OPAQUE


# ---- SQLAlchemy's words -----------------------------------------------------------------------------------

# SQLAlchemy's types as its compiler for SQLite spells them (sqlalchemy 2.0; a class and its upper-case namesake differ)
TYPES = {name: name.upper() for name in """Integer Text Boolean DateTime Date Time Float Real Double JSON Varchar Char
    Numeric Decimal Nvarchar Nchar BIGINT BLOB BOOLEAN CHAR CLOB DATE DATETIME DECIMAL DOUBLE FLOAT INTEGER NCHAR NUMERIC
    NVARCHAR REAL SMALLINT TEXT TIME TIMESTAMP UUID VARCHAR""".split()}
TYPES.update(INT="INTEGER", BigInteger="BIGINT", SmallInteger="SMALLINT", String="VARCHAR", Unicode="VARCHAR",
             UnicodeText="TEXT", LargeBinary="BLOB", Uuid="CHAR(32)", Interval="DATETIME", PickleType="BLOB",
             DOUBLE_PRECISION="DOUBLE PRECISION", Enum="VARCHAR")
# What a class that is a type itself may derive from.
TYPE_NAMES = frozenset(map(str.lower, TYPES)) | {"typedecorator", "userdefinedtype", "jsonb", "array"}
SIZED = ("VARCHAR", "CHAR", "NVARCHAR", "NCHAR")


def type_text(value):
    """How SQLite's compiler spells a type; None where that is not known."""
    while isinstance(value, Construct) and value.last == "with_variant" and value.base is not None:
        dialects = value.args[1:]
        if not dialects or not all(isinstance(name, str) for name in dialects):
            return None
        value = value.args[0] if "sqlite" in dialects else value.base
    if isinstance(value, Path) and not isinstance(value, Foreign):
        value = Construct(value.name, [], {})
    if not isinstance(value, Construct) or not value.name.startswith("sqlalchemy.") or value.base is not None:
        return None
    if ".dialects." in value.name and ".sqlite" not in value.name:
        return None
    word, args, more = TYPES.get(value.last), value.args, value.kwargs
    if word is None or more.get("collation") is not None:
        return None
    if value.last.lower() == "enum":
        if not args or not all(isinstance(item, str) for item in args):
            return None
        return "VARCHAR(%d)" % max(len(item) for item in args)
    if word in SIZED:
        size = args[0] if args else more.get("length")
        return word if size is None else "%s(%d)" % (word, size) if isinstance(size, int) else None
    if word in ("NUMERIC", "DECIMAL"):
        sizes = [args[i] if len(args) > i else more.get(key) for i, key in enumerate(("precision", "scale"))]
        if any(size is not None and not isinstance(size, int) for size in sizes):
            return None
        sizes = [str(size) for size in sizes if size is not None]
        return "%s(%s)" % (word, ", ".join(sizes)) if sizes else word
    return word


def default_text(value):
    """A server default as SQLite's table_info tells it; None where that is not known."""
    if isinstance(value, str):
        return "'%s'" % value.replace("'", "''")
    if not isinstance(value, Construct):
        return None
    if value.last == "DefaultClause" and value.args:
        return default_text(value.args[0])
    if value.last in ("text", "literal_column") and value.args and isinstance(value.args[0], str):
        inner = value.args[0].strip()
        words = tables.tokens(inner)
        reader = tables.Reader(inner, words, None)
        try:
            if words and words[0].up == "(":
                part = reader.brackets()
                return tables.spelled(inner, part) if reader.done else inner
        except Obstacle:
            return None
        return inner
    return {"now": "CURRENT_TIMESTAMP", "current_timestamp": "CURRENT_TIMESTAMP", "current_date": "CURRENT_DATE",
            "true": "1", "false": "0", "null": "NULL"}.get(value.last if not value.args else "")


def indexed(value):
    """The column of one part of an index, or None for an expression."""
    while isinstance(value, Construct) and value.last in ("desc", "asc") and (value.base or value.args):
        value = value.base if isinstance(value.base, Construct) else value.args[0] if value.args else None
    if isinstance(value, str):
        return value
    if isinstance(value, Construct) and value.args and isinstance(value.args[0], str):
        if value.last in ("column", "literal_column", "text"):
            parts = tables.split(tables.tokens(value.args[0]))
            return tables.indexed(parts[0]) if len(parts) == 1 and parts[0] else None
    if isinstance(value, Construct):
        return None
    raise Obstacle("an index over columns that are not literal")


def index_of(name, columns, unique):
    if not isinstance(unique, (bool, type(None))):
        raise Obstacle("unique= is not literal")
    found = [indexed(column) for column in columns]
    return tables.Index(name_of(name), found if None not in found else None, bool(unique))


def name_of(value):
    if isinstance(value, Opaque) or value is None or isinstance(value, str):
        return value if isinstance(value, str) else None
    raise Obstacle("a name that is not literal")


class Parts:
    """Reads the arguments of create_table and add_column."""

    def __init__(self, table):
        self.table = table

    def column(self, value):
        if not isinstance(value, Construct) or value.last not in ("Column", "column"):
            raise Obstacle("a column that is not literal")
        args, more = list(value.args), dict(value.kwargs)
        if None in more:
            raise Obstacle("a column with ** of what is not literal")
        name = more.pop("name", None)
        if name is None:
            name = args.pop(0) if args else None
        kind = more.pop("type_", None)
        if kind is None and args and not is_schema_item(args[0]):
            kind = args.pop(0)
        key, nullable = more.get("primary_key", False), more.get("nullable")
        flags = [more.get("index"), more.get("unique")]
        if not all(flag is None or isinstance(flag, bool) for flag in [key, nullable] + flags):
            raise Obstacle("a column whose attributes are not literal")
        column = tables.Column(text(name, "column"), type_text(kind), not key if nullable is None else nullable,
                               default_text(more.get("server_default")), bool(key))
        column.unspecified = nullable is None
        column.defaulted = more.get("server_default") is not None or any(
            isinstance(item, Construct) and item.last in ("Computed", "Identity") for item in args)
        for item in args:
            self.item(column, item)
        if more.get("index"):
            index = "ix_%s_%s" % (self.table.name, column.name)
            self.table.indexes.append(tables.Index(index, [column.name], bool(more.get("unique"))))
        elif more.get("unique"):
            self.table.indexes.append(tables.Index(None, [column.name], True, True))
        return column

    def item(self, column, item):
        """What may stand in a Column beside name and type."""
        if not is_schema_item(item):
            raise Obstacle("a column with a part that is not literal")
        if item.last == "ForeignKey":
            other, other_column = target(item.args[0] if item.args else item.kwargs.get("column"), column.name)
            self.table.foreigns.append(tables.Foreign(name_of(item.kwargs.get("name")), [column.name], other,
                                                      [other_column]))

    def part(self, value):
        """One argument of create_table."""
        table = self.table
        if not isinstance(value, Construct):
            raise Obstacle("a part of a table that is not literal")
        if None in value.kwargs:
            raise Obstacle("a part of a table with ** of what is not literal")
        args, more, name = value.args, value.kwargs, name_of(value.kwargs.get("name"))
        if value.last == "Column":
            table.columns.append(self.column(value))
        elif value.last == "UniqueConstraint":
            table.indexes.append(tables.Index(name, named(args), True, True))
        elif value.last == "PrimaryKeyConstraint":
            self.key(named(args))
        elif value.last == "ForeignKeyConstraint":
            args = [more.get(key, item) for key, item in
                    zip(("columns", "refcolumns", "name"), list(args) + [None] * 3)]
            targets = [target(item, None) for item in named(args[1])]
            table.foreigns.append(tables.Foreign(name or name_of(args[2]), named(args[0]), targets[0][0],
                                                 [column for _, column in targets]))
        elif value.last == "Index":
            table.indexes.append(index_of(args[0] if args else more.get("name"), args[1:], more.get("unique")))
        elif value.last == "CheckConstraint":
            if name:
                table.checks.add(fold(name))
        else:
            raise Obstacle("a part of a table that is not known: %s" % value.last)

    def key(self, names):
        for name in names:
            column = self.table.column(name)
            if column is None:
                raise Obstacle("a primary key over columns that are not there")
            column.key = True
            if getattr(column, "unspecified", False):
                column.nullable = False


def is_schema_item(value):
    return isinstance(value, Construct) and value.last in ("ForeignKey", "Computed", "Identity", "CheckConstraint",
                                                           "Sequence", "DefaultClause", "FetchedValue")


def target(value, column):
    """TABLE.COLUMN of a ForeignKey"""
    parts = text(value, "foreign key's target").split(".")
    if len(parts) == 1 and column is not None:
        return parts[0], column
    if len(parts) == 3 and parts[0] == "main":
        parts = parts[1:]
    if len(parts) != 2:
        raise Obstacle("a foreign key into another schema")
    return parts[0], parts[1]


# ---- operations -------------------------------------------------------------------------------------------

SIGNATURES = {
    "create_table": "table_name *columns", "drop_table": "table_name", "rename_table": "old_table_name new_table_name",
    "add_column": "table_name column", "drop_column": "table_name column_name",
    "alter_column": "table_name column_name", "create_index": "index_name table_name columns",
    "drop_index": "index_name table_name", "create_unique_constraint": "constraint_name table_name columns",
    "create_foreign_key": "constraint_name source_table referent_table local_cols remote_cols",
    "create_check_constraint": "constraint_name table_name condition",
    "create_primary_key": "constraint_name table_name columns",
    "drop_constraint": "constraint_name table_name type_",
    "create_table_comment": "table_name comment", "drop_table_comment": "table_name",
    "batch_alter_table": "table_name", "execute": "sqltext", "bulk_insert": "table rows", "f": "name",
    "inline_literal": "value", "get_bind": "", "get_context": "",
}
# What a batch leaves out, since it knows its table; and how it says `table_name`.
TABLE_WORDS = ("table_name", "source_table")
BATCHED = ("add_column", "drop_column", "alter_column", "create_index", "drop_index", "create_unique_constraint",
           "create_foreign_key", "create_check_constraint", "create_primary_key", "drop_constraint",
           "create_table_comment", "drop_table_comment", "execute", "f", "get_bind", "get_context")
ALTERING = ("alter_column", "drop_constraint", "create_foreign_key", "create_unique_constraint",
            "create_check_constraint", "create_primary_key")
# What alter_column is told beside the change.
NOT_ASKED = ("table_name", "source_table", "column_name", "new_column_name", "name", "schema")


class Operations:
    """Each operation of Alembic as a change of what is known; `say` takes lower bounds and data steps."""

    def __init__(self, known, say):
        self.known, self.say = known, say

    def arguments(self, name, args, kwargs, batch):
        words = SIGNATURES[name].split()
        if batch is not None:
            words = [word for word in words if word not in TABLE_WORDS]
        given = dict(kwargs)
        if None in given:
            raise Obstacle("op.%s(** of what is not literal)" % name)
        for at, word in enumerate(words):
            if word.startswith("*"):
                given[word[1:]] = args[at:]
                break
            if at < len(args):
                given[word] = args[at]
        else:
            if len(args) > len(words):
                raise Obstacle("op.%s has more arguments than are known" % name)
        if batch is not None:
            given["table_name"] = given["source_table"] = batch.table
        if given.get("schema") not in (None, "main"):
            raise Obstacle("op.%s in a schema of its own" % name)
        return given

    def run(self, name, args, kwargs, batch=None):
        given = self.arguments(name, args, kwargs, batch)
        if name in ALTERING:
            self.note_alter(name, given, batch)
        return getattr(self, name)(given, batch)

    def note_alter(self, name, given, batch):
        """An operation that SQLite has no statement for, except where it renames only."""
        asked = [key for key in given if key not in NOT_ASKED and not key.startswith("existing_")]
        table, column = given.get("table_name", given.get("source_table")), given.get("column_name")
        self.known.note("alter", name=name, table=table if isinstance(table, str) else None,
                        columns=[column] if isinstance(column, str) else None, batch=batch is not None,
                        rename=name == "alter_column" and not asked)

    @staticmethod
    def table_of(given, key="table_name"):
        return text(given.get(key), "table")

    def guarded(self, given, there, table, drop=False):
        """Whether it is done: without a guard always."""
        flag = given.get("if_exists" if drop else "if_not_exists")
        if flag in (None, False):
            return True
        if flag is not True:
            raise Obstacle("a guard that is not literal")
        return tables.known_guard(self.known, there, table, drop)

    def create_table(self, given, batch):
        table = tables.Table(self.table_of(given))
        if given.get("prefixes"):
            raise Obstacle("create_table with prefixes")
        parts = Parts(table)
        # Keys last: they speak of columns that may stand behind them.
        for value in sorted(given["columns"], key=lambda item: "PrimaryKey" in getattr(item, "name", "")):
            parts.part(value)
        if self.guarded(given, self.known.has(table.name), None):
            self.known.create_table(table)
        return Construct("sqlalchemy.table", [table.name], {})

    def drop_table(self, given, batch):
        name = self.table_of(given)
        if self.guarded(given, self.known.has(name), None, drop=True):
            self.known.drop_table(name)

    def rename_table(self, given, batch):
        self.known.rename_table(self.table_of(given, "old_table_name"), self.table_of(given, "new_table_name"))

    def add_column(self, given, batch):
        name = self.table_of(given)
        part = tables.Table(name)
        column = Parts(part).column(given.get("column"))
        table = self.known.tables.get(fold(name))
        there = table is not None and table.column(column.name) is not None
        if self.guarded(given, there, name):
            self.known.add_column(name, column, part.indexes, part.foreigns)
        if batch is not None and isinstance(given["column"].kwargs.get("server_default"), Construct):
            batch.copies = True

    def drop_column(self, given, batch):
        name, column = self.table_of(given), given.get("column_name", given.get("column"))
        column, table = text(column, "column"), self.known.tables.get(fold(name))
        there = table is not None and table.column(column) is not None
        if self.guarded(given, there, name, drop=True):
            self.known.drop_column(name, column)

    def alter_column(self, given, batch):
        name, column = self.table_of(given), text(given.get("column_name"), "column")
        table = self.known.table(name)
        found, before = table.implied(column), len(self.known.effects)
        # What stays is told beside it, which is as good where the chain did not make the column.
        self.learn(found, given)

        def work():
            if isinstance(given.get("nullable"), bool):
                found.nullable = given["nullable"]
            if given.get("type_") is not None:
                found.type = type_text(given["type_"])
            if given.get("server_default", False) is not False:
                found.default = default_text(given["server_default"])

        was = found.type
        self.known.change(work, [table])
        self.tell_type_before(found, was, self.known.effects[before:])
        new = given.get("new_column_name", given.get("name"))
        if new is not None and text(new, "column") != found.name:
            self.known.rename_column(name, column, new, everywhere=batch is None)
        asked = [key for key in ("nullable", "type_", "server_default") if key in given]
        if asked and len(self.known.effects) == before:
            self.known.emit("alter", next(members for thing, _, members in table.elements() if thing is found))

    @staticmethod
    def tell_type_before(column, was, effects):
        """The chain may not have made the column, so what stood there before is told beside the change."""
        for effect in effects:
            if was is not None and effect["type"] is not None and effect["verb"] == "alter" and was != column.type:
                effect["was"] = was

    @staticmethod
    def learn(column, given):
        if column.nullable is None and isinstance(given.get("existing_nullable"), bool):
            column.nullable = given["existing_nullable"]
        if column.type is None and given.get("existing_type") is not None:
            column.type = type_text(given["existing_type"])

    def create_index(self, given, batch):
        name, columns = self.table_of(given), given.get("columns")
        if not isinstance(columns, (list, tuple)):
            raise Obstacle("an index over columns that are not literal")
        index = index_of(given.get("index_name"), columns, given.get("unique"))
        there = index.name is not None and self.known.owner(index.name)[1] is not None
        if self.guarded(given, there, name):
            self.known.add_index(name, index)

    def drop_index(self, given, batch):
        guard = given.get("if_exists")
        if guard not in (None, True, False):
            raise Obstacle("a guard that is not literal")
        table = given.get("table_name")
        table = text(table, "table") if table is not None else None
        if not tables.drop_index(self.known, text(given.get("index_name"), "index"), table, bool(guard)):
            self.say(lower="an index is dropped that no earlier revision made")

    def create_unique_constraint(self, given, batch):
        name = self.table_of(given)
        self.known.add_index(name, tables.Index(name_of(given.get("constraint_name")), named(given.get("columns")),
                                                True, True))

    def create_foreign_key(self, given, batch):
        if given.get("source_schema") or given.get("referent_schema"):
            raise Obstacle("a foreign key into another schema")
        name, other = self.table_of(given, "source_table"), self.table_of(given, "referent_table")
        self.known.add_foreign(name, tables.Foreign(
            name_of(given.get("constraint_name")), named(given.get("local_cols")), other,
            named(given.get("remote_cols"))))

    def create_check_constraint(self, given, batch):
        name = name_of(given.get("constraint_name"))
        if name is not None:
            self.known.table(self.table_of(given)).checks.add(fold(name))
        self.known.alter_table(self.table_of(given))

    def create_primary_key(self, given, batch):
        table = self.known.table(self.table_of(given))
        columns = [table.implied(name) for name in named(given.get("columns"))]

        def work():
            for column in table.columns:
                column.key = column in columns
                column.nullable = False if column.key else column.nullable

        self.known.change(work, [table])
        self.known.alter_table(table.name)

    def drop_constraint(self, given, batch):
        table, name = self.known.table(self.table_of(given)), text(given.get("constraint_name"), "constraint")
        kind = given.get("type_")
        part = table.constraint(name) or self.by_convention(table, name)
        if kind in ("check", "primary") or part is None and fold(name) in table.checks:
            table.checks.discard(fold(name))
            self.known.alter_table(table.name)
        elif part is not None:
            if batch is not None and self.twin(table, part):
                raise Obstacle("one of two equal constraints is dropped, of which a batch sees only one")
            self.known.drop_part(table, part)
        else:
            word = {"unique": "unique", "foreignkey": "foreign"}.get(kind)
            if word is not None:
                self.known.emit("drop", dict(kind=word, table=table.name, name=name))
            self.say(lower="constraint %s is dropped, which no earlier revision made" % name)

    @staticmethod
    def twin(table, part):
        """Is there another constraint that says the same?"""
        keys = [key for thing, key, _ in table.elements() if getattr(thing, "constraint", True)]
        own = next(key for thing, key, _ in table.elements() if thing is part)
        return keys.count(own) > 1

    @staticmethod
    def by_convention(table, name):
        """The constraint without a name that the usual conventions would call so, if there is just one."""
        found = []
        for one in table.indexes + table.foreigns:
            if one.name is not None or not one.columns:
                continue
            short = "_".join(one.columns)
            names = ["uq_%s_%s" % (table.name, short), "%s_%s_key" % (table.name, short)]
            if isinstance(one, tables.Foreign):
                names = ["fk_%s_%s_%s" % (table.name, short, one.other), "%s_%s_fkey" % (table.name, short)]
            found += [one] if fold(name) in tables.folded(names) else []
        return found[0] if len(found) == 1 else None

    def create_table_comment(self, given, batch):
        pass                        # SQLite has none

    def drop_table_comment(self, given, batch):
        pass

    def bulk_insert(self, given, batch):
        self.say(data=True)
        return OPAQUE

    def f(self, given, batch):
        return given.get("name")

    def inline_literal(self, given, batch):
        return OPAQUE

    def get_bind(self, given, batch):
        return BIND

    def get_context(self, given, batch):
        return CONTEXT

    def note_data(self, verb, table, columns):
        if verb is not None:
            self.known.note("data", name=verb, table=table, columns=columns)

    def execute(self, given, batch):
        return self.sql(given.get("sqltext"))

    def sql(self, statement):
        """One statement in whatever form it is given."""
        if isinstance(statement, Construct):
            root = statement.root
            if root.last in ("text", "DDL"):
                statement = root.args[0] if root.args else OPAQUE
                if root.last == "DDL" and isinstance(statement, str) and "%" in statement:
                    statement = OPAQUE
            elif statement.chain() & {"insert", "update", "delete"}:
                self.say(data=True)
                self.note_data(*notes.data_of_construct(statement))
                return OPAQUE
            elif statement.chain() & {"select", "exists", "union", "union_all", "func", "literal"}:
                return OPAQUE
            elif re.match("Create|Drop|Add|Set", root.last):
                raise Obstacle("%s() is not followed" % root.last)
        if isinstance(statement, Started):
            first = (statement.start.split() or [""])[0].upper()
            if first in ("CREATE", "DROP", "ALTER", "PRAGMA"):
                raise Obstacle("SQL that is not literal: %s" % first)
            if first in tables.DATA:
                self.say(data=True)
                self.note_data(first, None, None)
                return OPAQUE
            if first == "SELECT":
                return OPAQUE
        if not isinstance(statement, str):
            self.say(data=True, lower="SQL that is not literal")
            return OPAQUE
        for words in tables.statements(statement):
            reader = tables.Reader(statement, words, self.known)
            if words[0].up in tables.DATA + ("WITH", "TRUNCATE"):
                self.note_data(*notes.data_of(words))
            if words[0].up == "DROP" and len(words) > 2 and words[1].up == "INDEX":
                size = len(self.known.effects)
                reader.read()
                if any(one["kind"] == "index" and one["table"] is None for one in self.known.effects[size:]):
                    self.say(lower="an index is dropped that no earlier revision made")
                continue
            if reader.read():
                self.say(data=True)
        return OPAQUE


class Started(Opaque):
    """A text of which only the beginning is known."""

    def __init__(self, start):
        self.start = start
