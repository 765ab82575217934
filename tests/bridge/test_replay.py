# SPDX-License-Identifier: MIT
"""
replay: the chain run on an empty database, and the schema after each revision.

For chains of literal operations the effects that are read from the text (test_effects.py) must equal the difference
that the replay makes, element by element. Compared are the elements' keys and, of each column that is added or
altered, type, nullability, default and key where the text tells them. Left out: CHECK constraints, collations and
comments, ON DELETE and the like, WHERE of partial indexes, the order of columns.
"""
import random

import pytest

from conftest import HARD_CODED, HEAD, MODELS, ONLINE, WITH_MODELS, kahani_files
from reading import key_of, load

REPLAY = {"do": "replay"}


def elements_of(told):
    """Key -> attributes (of a column, otherwise None) of a table as the replay tells it."""
    name = told["name"].lower()
    found = {"table %s" % name: None}
    for one in told["columns"]:
        found["column %s.%s" % (name, one["name"].lower())] = (one["type"].upper(), not one["notnull"], one["default"],
                                                               bool(one["pk"]))
    for one in told["indexes"]:
        if one["origin"] == "pk":
            continue
        if None in one["columns"]:
            found["index %s %s" % (name, one["name"].lower())] = None
        else:
            kind = "unique" if one["unique"] else "index"
            found["%s %s(%s)" % (kind, name, ",".join(one["columns"]).lower())] = None
    for one in told["foreign"]:
        parts = name, ",".join(one["columns"]), one["table"], ",".join(one["to"])
        found[("foreign %s(%s) %s(%s)" % parts).lower()] = None
    return found


class Replayed:
    """All elements after each revision, kept up from what each reply says is new."""

    def __init__(self):
        self.tables, self.named = {}, {}

    def take(self, event):
        for name in event["removed"]:
            del self.tables[name]
        for told in event["tables"]:
            self.tables[told["name"]] = elements_of(told)
        self.named = {"%s %s" % (kind, one["name"].lower()): None for kind in ("view", "trigger")
                      for one in event[kind + "s"]}
        return self.all()

    def all(self):
        found = dict(self.named)
        for table in self.tables.values():
            found.update(table)
        return found


def applied(before, effects):
    """The elements that the effects make out of those before; each must do something."""
    now, told = dict(before), {}
    for effect in effects:
        key = key_of(effect)
        if effect["verb"] == "add":
            assert key not in now, "added twice: %s" % key
            now[key] = None
        elif effect["verb"] == "drop":
            assert key in now, "dropped, but not there: %s" % key
            del now[key]
        if effect["kind"] == "column" and effect["verb"] != "drop":
            told[key] = effect["type"], effect["nullable"], effect["server_default"], effect["key"]
    return now, told


def differences(static, events):
    """(revisions compared, what differs) between what the texts say and what the replay saw."""
    replayed, before, wrong = Replayed(), {}, []
    assert [one["revision"] for one in static][:len(events)] == [event["revision"] for event in events]
    for found, event in zip(static, events):
        after = replayed.take(event)
        now, told = applied(before, found["effects"])
        wrong += [(found["revision"], "missing in the text", key) for key in sorted(set(after) - set(now))]
        wrong += [(found["revision"], "not in the database", key) for key in sorted(set(now) - set(after))]
        for key, attributes in told.items():
            if key in after:
                wrong += [(found["revision"], key, said, seen) for said, seen in zip(attributes, after[key])
                          if said is not None and said != seen]
        before = after
    return len(events), wrong


@pytest.fixture
def blank(project):
    project.database("SELECT 1")
    return project


def test_each_revision_is_told(blank):
    blank.revision("a1", None, "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True), sa.Column('u', "
                   "sa.String(9), sa.ForeignKey('o.id'), unique=True, server_default='x'))\n"
                   "op.create_table('keep', sa.Column('id', sa.Integer))")
    blank.revision("b2", "a1", "op.create_index('ix', 't', ['u', 'id'])\nop.execute('CREATE VIEW v AS SELECT 1')\n"
                   "op.execute('INSERT INTO keep VALUES (1)')")
    blank.revision("c3", "b2", "op.drop_table('t')")
    before = blank.fingerprint()
    events = blank.run(REPLAY).succeeded().of("schema")
    assert [event["revision"] for event in events] == ["a1", "b2", "c3"]
    assert [[told["name"] for told in event["tables"]] for event in events] == [["keep", "t"], ["t"], []]
    assert [event["removed"] for event in events] == [[], [], ["t"]] and events[0]["ms"] >= 0
    table = events[1]["tables"][0]
    assert table["columns"][1] == {"name": "u", "type": "VARCHAR(9)", "notnull": False, "default": "'x'", "pk": 0,
                                   "hidden": 0}
    assert {"name": "ix", "unique": False, "origin": "c", "partial": False, "columns": ["u", "id"]} in table["indexes"]
    assert table["foreign"] == [{"columns": ["u"], "table": "o", "to": ["id"]}]
    assert table["sql"].startswith("CREATE TABLE t")
    assert [[view["name"] for view in event["views"]] for event in events] == [[], ["v"], ["v"]]
    assert blank.fingerprint() == before and blank.query("SELECT * FROM alembic_version") == [("c3",)]


@pytest.mark.parametrize("upgrade, message", [
    ("op.drop_column('nothing', 'a')", "nothing"), ("raise ValueError('no')", "no"), ("import nothing_like_it", "nothing"),
    ("raise SystemExit(3)", "exit status 3"),
])
def test_a_revision_that_fails_ends_the_replay_and_not_the_command(blank, upgrade, message):
    blank.revision("a1", None, "op.create_table('t', sa.Column('id', sa.Integer))")
    blank.revision("b2", "a1", upgrade)
    blank.revision("c3", "b2", "op.drop_table('t')")
    outcome = blank.run(REPLAY, {"do": "current"}).succeeded()
    assert [event["revision"] for event in outcome.of("schema")] == ["a1"]
    stopped = outcome.one("stopped")
    assert stopped["revision"] == "b2" and message in stopped["message"] and "b2.py:" in stopped["where"]
    assert outcome.one("current")["rows"] is not None


@pytest.mark.parametrize("env, message", [("import nothing_like_it", "nothing_like_it"), ("pass", "ran no migrations")])
def test_an_env_that_fails_ends_the_replay_before_the_first_revision(blank, env, message):
    blank.revision("a1", None)
    blank.env(env)
    stopped = blank.run(REPLAY).succeeded().one("stopped")
    assert stopped["revision"] is None and message in stopped["message"]


@pytest.mark.parametrize("env", [
    HARD_CODED, HARD_CODED.replace("connection=connection,", "connection=connection, version_table='v',"),
    HEAD + "engine = create_engine('sqlite:///@LIVE@')\n" + ONLINE.replace("engine.connect()", "engine.begin()"),
], ids=["hard_coded", "version_table", "one_transaction"])
def test_the_version_table_is_left_out_and_live_is_never_touched(blank, env):
    blank.env(env)
    blank.revision("a1", None, "op.create_table('t', sa.Column('id', sa.Integer))\nop.execute('INSERT INTO t VALUES (1)')")
    blank.revision("b2", "a1", "op.add_column('t', sa.Column('a', sa.Integer))")
    before = blank.fingerprint()
    events = blank.run(REPLAY).succeeded().of("schema")
    assert [[told["name"] for told in event["tables"]] for event in events] == [["t"], ["t"]]
    assert blank.fingerprint() == before


def test_what_env_py_makes_before_it_migrates_is_told_first(blank):
    blank.env(HEAD + "engine = create_engine('sqlite:///@LIVE@')\nwith engine.begin() as early:\n"
              "    early.exec_driver_sql('CREATE TABLE early (id INTEGER)')\n" + ONLINE)
    blank.revision("a1", None, "op.create_table('t', sa.Column('id', sa.Integer))")
    blank.revision("b2", "a1", "op.create_table('early', sa.Column('id', sa.Integer))")
    outcome = blank.run(REPLAY).succeeded()
    assert [(event["revision"], [told["name"] for told in event["tables"]]) for event in outcome.of("schema")] == \
        [(None, ["early"]), ("a1", ["t"])]
    assert outcome.one("stopped")["revision"] == "b2"


def test_a_connection_of_its_own_tears_a_net_in_a_replay_too(blank):
    blank.revision("a1", None, "import sqlite3\nsqlite3.connect('@LIVE@')")
    assert blank.run(REPLAY).error["net"] == "audit"


def test_branches_are_replayed_in_the_order_of_alembic(blank):
    blank.revision("a1", None, "op.create_table('a', sa.Column('id', sa.Integer))")
    blank.revision("b2", "a1", "op.create_table('b', sa.Column('id', sa.Integer))")
    blank.revision("c3", "a1", "op.create_table('c', sa.Column('id', sa.Integer))")
    blank.revision("d4", ("b2", "c3"))
    events = blank.run(REPLAY).succeeded().of("schema")
    assert {event["revision"] for event in events} == {"a1", "b2", "c3", "d4"}
    assert sum(len(event["tables"]) for event in events) == 3


def test_naming_conventions_are_those_of_the_project(blank):
    blank.write("models.py", MODELS)
    blank.env(WITH_MODELS)
    blank.revision("a1", None, "op.create_table('t', sa.Column('a', sa.Integer, index=True))")
    event, = blank.run(REPLAY).succeeded().of("schema")
    assert event["tables"][0]["indexes"][0]["name"] == "ix_t_a"


# ---- the text against the replay --------------------------------------------------------------------------

def test_the_fixture_does_what_its_text_says(blank):
    files = kahani_files()
    for file in files:
        with open(file["path"]) as source:
            blank.write("migrations/versions/%s.py" % file["id"], source.read())
    outcome = blank.run(REPLAY).succeeded()
    assert not outcome.of("stopped")
    compared, wrong = differences(list(load("effects").effects_of_all(files)), outcome.of("schema"))
    assert (compared, wrong) == (11, [])


TYPES = ["sa.Integer()", "sa.String(20)", "sa.Text()", "sa.Boolean()", "sa.DateTime()", "sa.Numeric(10, 2)", "sa.Float()"]
DEFAULTS = ["", "", ", server_default='x'", ", server_default=sa.text('7')", ", server_default=sa.text('(1+2)')"]


class Maker:
    """Makes revisions of random literal operations that SQLite can carry out."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0
        self.tables = {}            # name -> {column: index, unique or foreign names over it}
        self.referred = set()       # tables that a foreign key names: a batch needs them

    def name(self, prefix):
        self.count += 1
        return self.random.choice(["%s%d", "%s_%d", prefix.upper() + "%.0s%d"]) % (prefix, self.count)

    def column(self, name, defaults=True):
        return "sa.Column(%r, %s%s)" % (name, self.random.choice(TYPES), self.random.choice(DEFAULTS if defaults else [""]))

    def any_table(self):
        return self.random.choice(sorted(self.tables))

    def refer(self):
        table = self.any_table()
        self.referred.add(table)
        return table

    def free(self, table):
        """Columns that nothing stands on."""
        return sorted(name for name, parts in self.tables[table].items() if not parts and name != "id")

    def create(self):
        name, parts = self.name("t"), ["sa.Column('id', sa.Integer(), primary_key=True)"]
        columns = {"id": []}
        for _ in range(self.random.randint(1, 4)):
            column = self.name("c")
            more = self.random.choice([None, None, "index=True", "unique=True", "nullable=False", "foreign"])
            columns[column] = [] if more in (None, "nullable=False") else [more]
            if more == "foreign" and self.tables:
                parts.append("sa.Column(%r, sa.Integer(), sa.ForeignKey(%r))" % (column, self.refer() + ".id"))
            else:
                parts.append("%s, %s)" % (self.column(column)[:-1], more if more not in (None, "foreign") else "default=None"))
        if len(columns) > 2 and self.random.random() < .5:
            pair = self.random.sample(sorted(columns), 2)
            parts.append("sa.UniqueConstraint(%r, %r, name=%r)" % (pair[0], pair[1], self.name("uq")))
            for column in pair:
                columns[column].append("unique")
        self.tables[name] = columns
        return "op.create_table(%r, %s)" % (name, ", ".join(parts))

    def drop(self):
        names = sorted(set(self.tables) - self.referred)
        if len(self.tables) < 4 or not names:
            return self.create()
        name = self.random.choice(names)
        del self.tables[name]
        return "op.drop_table(%r)" % name

    def rename(self):
        name, new = self.any_table(), self.name("t")
        self.tables[new] = self.tables.pop(name)
        if name in self.referred:
            self.referred.add(new)
        return "op.rename_table(%r, %r)" % (name, new)

    def add(self):
        table, names = self.any_table(), [self.name("c") for _ in range(self.random.randint(1, 3))]
        for name in names:
            self.tables[table][name] = []
        if self.random.random() < .3:
            return "for n in %r:\n    op.add_column(%r, sa.Column(n, sa.Integer()))" % (names, table)
        if self.random.random() < .3:
            return "\n".join("op.execute('ALTER TABLE \"%s\" ADD COLUMN %s VARCHAR(5) DEFAULT 3')" % (table, name)
                             for name in names)
        lines = ["op.add_column(%r, %s)" % (table, self.column(name).replace("(1+2)", "3")) for name in names]
        return "\n".join(lines)

    def drop_column(self):
        table = self.any_table()
        free = self.free(table)
        if not free:
            return self.add()
        name = self.random.choice(free)
        del self.tables[table][name]
        return self.random.choice(["op.drop_column(%r, %r)" % (table, name),
                                   "with op.batch_alter_table(%r) as b:\n    b.drop_column(%r)" % (table, name),
                                   "op.execute('ALTER TABLE \"%s\" DROP COLUMN \"%s\"')" % (table, name)])

    def index(self):
        table, name = self.any_table(), self.name("ix")
        column = self.random.choice(sorted(self.tables[table]))
        self.tables[table][column].append(name)
        form = self.random.choice(["op.create_index(%r, %r, [%r])", "op.create_index(op.f(%r), %r, [%r], unique=True)",
                                   "op.create_index(%r, %r, [sa.text('lower(\"%s\")')])",
                                   "op.execute('CREATE INDEX %s ON %s (%s)')"])
        made = form % (name, table, column)
        if self.random.random() < .4:
            self.tables[table][column].remove(name)
            made += "\nop.drop_index(%r)" % name
        return made

    def constraint(self):
        # Lower case: SQLAlchemy 1.4 does not find the name of a foreign key again where it has to be quoted.
        table, name = self.any_table(), self.name("k").lower()
        column = self.random.choice(sorted(self.tables[table]))
        made = ["b.create_check_constraint({name!r}, sa.text('1'))"]
        if not self.tables[table][column]:      # SQLAlchemy takes two equal constraints for one
            made.append("b.create_unique_constraint({name!r}, [{column!r}])")
        others = sorted(set(self.tables) - {table})
        if not self.tables[table][column] and others:
            made.append("b.create_foreign_key({name!r}, {other!r}, [{column!r}], ['id'])")
        made = self.random.choice(made)
        other = self.random.choice(others) if "foreign" in made else None
        self.referred.add(other)
        self.tables[table][column].append(name)
        made = made.format(name=name, column=column, other=other)
        made = "with op.batch_alter_table(%r) as b:\n    %s" % (table, made)
        if self.random.random() < .5 and "check" not in made:       # Alembic does not find those again
            self.tables[table][column].remove(name)
            kind = {"u": "unique", "f": "foreignkey"}[made.split("b.create_")[1][0]]
            made += "\nwith op.batch_alter_table(%r) as b:\n    b.drop_constraint(%r, type_=%r)" % (table, name, kind)
        return made

    def alter(self):
        table = self.any_table()
        names = sorted(set(self.tables[table]) - {"id"})
        if not names:
            return self.add()
        name = self.random.choice(names)
        form = self.random.choice(["nullable=False", "nullable=True", "type_=sa.String(7)", "server_default='q'",
                                   "server_default=None", "new_column_name=%r" % self.name("c")])
        if form.startswith("new"):
            new = form.split("'")[1]
            self.tables[table][new] = self.tables[table].pop(name)
            return self.random.choice([
                "op.alter_column(%r, %r, %s)" % (table, name, form),
                "with op.batch_alter_table(%r) as b:\n    b.alter_column(%r, %s)" % (table, name, form)])
        return "with op.batch_alter_table(%r) as b:\n    b.alter_column(%r, %s)" % (table, name, form)

    def trigger(self):
        return "op.execute('CREATE TRIGGER %s AFTER INSERT ON \"%s\" BEGIN SELECT 1; END')" % (
            self.name("g"), self.any_table())

    def body(self):
        lines = []
        for _ in range(self.random.randint(1, 3)):
            makers = [self.create, self.drop, self.rename, self.add, self.add, self.drop_column, self.index,
                      self.index, self.constraint, self.alter, self.alter, self.trigger]
            lines.append(self.random.choice(makers if self.tables else [self.create])())
        return "\n".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_random_chains_do_what_their_text_says(blank, seed):
    maker, files, down = Maker(seed), [], None
    for number in range(60):
        ident = "r%02d" % number
        blank.revision(ident, down, maker.body())
        files.append({"id": ident, "path": str(blank.app / "migrations" / "versions" / (ident + ".py"))})
        down = ident
    outcome = blank.run(REPLAY).succeeded()
    assert not outcome.of("stopped"), (outcome.of("stopped"), outcome.output[-3000:])
    static = list(load("effects").effects_of_all(files))
    assert {one["source"] for one in static} == {"static"}, [one["obstacle"] for one in static]
    compared, wrong = differences(static, outcome.of("schema"))
    assert (compared, wrong) == (60, [])
