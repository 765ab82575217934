# SPDX-License-Identifier: MIT
"""
tables: a schema as far as a chain of migrations tells it, and the SQL text that changes it.

Known is what the revisions read so far leave behind. Each change goes through `change`, which compares the
elements before and after and gives the difference as effects, so that everything that a change carries with it
(the columns of a dropped table, the indexes over a renamed column) is there without being said twice. A thing
that no revision made is put in as *implied* when it is first spoken of.

`statements` and `Reader` understand the few statements of SQLite that change a schema; what is not one of them,
to the last token, is an Obstacle.
"""
import re


class Obstacle(Exception):
    """Something that cannot be read for certain; the message is for people."""


LETTERS = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(name):
    """As SQLite compares names: the 26 letters only."""
    return name.lower() if name.isascii() else name.translate(LETTERS)


def clean(value):
    """The text, or each of a list, without what has no place in JSON for C: NUL and halves of characters."""
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    return value.replace("\0", "?").encode("utf-8", "replace").decode() if isinstance(value, str) else value


def folded(names):
    return tuple(fold(name) for name in names)


class Column:
    defaulted = False               # the database fills it in: a default, a computed value

    def __init__(self, name, type=None, nullable=None, default=None, key=False):
        self.name, self.type, self.nullable, self.default, self.key = name, type, nullable, default, key


class Index:
    """An index or a UNIQUE constraint; `columns` is None over expressions."""

    def __init__(self, name, columns, unique, constraint=False):
        self.name, self.columns, self.unique, self.constraint = name, columns, unique, constraint


class Foreign:
    def __init__(self, name, columns, other, other_columns):
        self.name, self.columns, self.other, self.other_columns = name, columns, other, other_columns


class Named:
    """A view; a trigger and its table."""

    def __init__(self, kind, name, table=None):
        self.kind, self.name, self.table = kind, name, table


class Table:
    def __init__(self, name, whole=False):
        self.name = name
        self.whole = whole          # made by the chain, so nothing of it is unknown
        self.columns, self.indexes, self.foreigns = [], [], []
        self.checks = set()         # names of CHECK constraints and of the primary key

    def column(self, name):
        return next((one for one in self.columns if fold(one.name) == fold(name)), None)

    def implied(self, name):
        """The column of that name, put in without an effect where it is not known."""
        if self.column(name) is None:
            self.columns.append(Column(name))
        return self.column(name)

    def constraint(self, name):
        """The unique constraint or foreign key of that name."""
        return next((one for one in self.indexes + self.foreigns if one.name is not None
                     and fold(one.name) == fold(name) and getattr(one, "constraint", True)), None)

    def forget(self, column):
        """Drops a column and whatever stands on it."""
        self.columns.remove(column)
        gone = fold(column.name)
        self.indexes = [one for one in self.indexes if gone not in folded(one.columns or ())]
        self.foreigns = [one for one in self.foreigns if gone not in folded(one.columns)]

    def rename(self, column, name):
        old = fold(column.name)
        for one in self.indexes + self.foreigns:
            if one.columns is not None:
                one.columns = [name if fold(part) == old else part for part in one.columns]
        column.name = name

    def elements(self):
        """(object, key, members of the effect) of everything in the table."""
        own = fold(self.name)
        yield self, ("table", own), dict(kind="table", table=self.name)
        for one in self.columns:
            yield one, ("column", own, fold(one.name)), dict(
                kind="column", table=self.name, column=one.name, type=one.type, nullable=one.nullable,
                server_default=one.default, key=one.key)
        for one in self.indexes:
            kind = "unique" if one.unique and one.columns is not None else "index"
            tail = fold(one.name or "") if one.columns is None else folded(one.columns)
            yield one, (kind, own, tail), dict(kind=kind, table=self.name, columns=one.columns, name=one.name)
        for one in self.foreigns:
            key = ("foreign", own, folded(one.columns), fold(one.other), folded(one.other_columns))
            yield one, key, dict(kind="foreign", table=self.name, columns=one.columns, name=one.name,
                                 other=one.other, other_columns=one.other_columns)


MEMBERS = ("verb", "kind", "table", "columns", "column", "name", "other", "other_columns", "tie", "type",
           "nullable", "server_default", "key", "line", "was")
NOTES = 500                         # of one revision


class Known:
    def __init__(self):
        self.tables = {}
        self.named = []             # views and triggers
        self.certain = True         # no revision so far was unknown
        self.undecided = None       # why the last operation may have done nothing
        self.start()

    def start(self):
        """A new revision begins."""
        self.effects, self.line, self.ties = [], 0, 0
        self.notes, self.doubt = [], False      # for notes.py; may what is read now not be run?

    def note(self, kind, line=None, **members):
        """Keeps a fact that is not an effect, once."""
        note = dict({key: clean(value) for key, value in members.items()}, note=kind, line=self.line if line is None else line, doubt=self.doubt)
        if len(self.notes) < NOTES and note not in self.notes:
            self.notes.append(note)

    def has(self, name):
        return fold(name) in self.tables

    def table(self, name):
        return self.tables.setdefault(fold(name), Table(name))

    def find(self, kind, name):
        return next((one for one in self.named if one.kind == kind and fold(one.name) == fold(name)), None)

    def owner(self, index):
        """The table and the index of that name, or (None, None)."""
        for table in self.tables.values():
            for one in table.indexes:
                if not one.constraint and one.name is not None and fold(one.name) == fold(index):
                    return table, one
        return None, None

    def elements(self):
        for table in list(self.tables.values()):
            yield from table.elements()
        for one in self.named:
            yield one, (one.kind, fold(one.name)), dict(kind=one.kind, name=one.name, table=one.table)

    def look(self, tables):
        found = self.elements() if tables is None else (
            row for table in tables for row in table.elements())
        return {id(thing): (thing, key, dict(members)) for thing, key, members in found}

    def emit(self, verb, members, tie=0):
        effect = dict.fromkeys(MEMBERS)
        effect.update(members, verb=verb, tie=tie, line=self.line)
        effect["key"] = bool(effect["key"])
        for name in MEMBERS:
            effect[name] = clean(effect[name])
        self.effects.append(effect)

    def change(self, work, tables=None):
        """Does `work()`; the difference that it makes to `tables` (None: to everything) becomes effects."""
        before = self.look(tables)
        work()
        after = self.look(tables)
        self.compare(before, after)

    def compare(self, before, after):
        # Two indexes over the same columns are one element: it comes with the first and goes with the last.
        keys_before = {key for _, key, _ in before.values()}
        keys_after = {key for _, key, _ in after.values()}
        done = set()
        for ident, (_, key, members) in before.items():
            if ident not in after and key not in keys_after and key not in done:
                done.add(key)
                self.emit("drop", members)
        for ident, (_, key, members) in after.items():
            if ident not in before:
                # A column that is added twice has to be seen, though.
                if key not in done and (key not in keys_before or key[0] in ("table", "column")):
                    done.add(key)
                    self.emit("add", members)
                continue
            _, old_key, old = before[ident]
            if old_key != key and key not in done:
                done.add(key)
                self.ties += 1
                self.emit("drop", old, self.ties)
                self.emit("add", members, self.ties)
            elif old_key == key and key[0] == "column" and old != members:
                self.emit("alter", members)

    # -- changes; the callers have put in what they imply ---------------------------------------------------

    def create_table(self, table):
        doomed = self.tables.pop(fold(table.name), None)
        table.whole = True
        self.tables[fold(table.name)] = table
        if doomed is not None:      # made twice: it is there already, and the second can only fail
            table.whole = False
        self.compare({}, self.look([table]))

    def drop_table(self, name):
        table = self.table(name)
        before = self.look(None)
        del self.tables[fold(name)]
        self.named = [one for one in self.named if one.kind != "trigger" or fold(one.table or "") != fold(name)]
        self.compare(before, self.look(None))
        return table

    def rename_table(self, name, new):
        table = self.table(name)

        def work():
            for one in (foreign for other in self.tables.values() for foreign in other.foreigns):
                if fold(one.other) == fold(name):
                    one.other = new
            for one in self.named:
                if one.kind == "trigger" and one.table is not None and fold(one.table) == fold(name):
                    one.table = new
            del self.tables[fold(name)]
            table.name = new
            self.tables[fold(new)] = table

        self.change(work)

    def add_column(self, name, column, indexes=(), foreigns=()):
        table = self.table(name)
        self.note("add_column", table=table.name, columns=[column.name],
                  required=column.nullable is False and not column.key, defaulted=column.defaulted)

        def work():
            double = table.column(column.name)
            if double is not None:
                table.columns.remove(double)
            table.columns.append(column)
            table.indexes += indexes
            table.foreigns += foreigns

        before = self.look([table])
        kept = table.column(column.name)
        work()
        if kept is not None:
            before.pop(id(kept), None)
        self.compare(before, self.look([table]))

    def drop_column(self, name, column):
        table = self.table(name)
        doomed = table.implied(column)
        self.change(lambda: table.forget(doomed), [table])

    def rename_column(self, name, column, new, everywhere):
        """`everywhere`: foreign keys of other tables follow, as SQLite's own RENAME COLUMN makes them."""
        table = self.table(name)
        found = table.implied(column)

        def work():
            for one in (foreign for other in self.tables.values() for foreign in other.foreigns):
                if everywhere and fold(one.other) == fold(name):
                    one.other_columns = [new if fold(part) == fold(column) else part
                                         for part in one.other_columns]
            table.rename(found, new)

        self.change(work, None if everywhere else [table])

    def add_index(self, name, index):
        table = self.table(name)
        self.change(lambda: table.indexes.append(index), [table])

    def add_foreign(self, name, foreign):
        table = self.table(name)
        self.change(lambda: table.foreigns.append(foreign), [table])

    def drop_part(self, table, part):
        """Drops an index, a unique constraint or a foreign key that is known."""
        parts = table.foreigns if isinstance(part, Foreign) else table.indexes
        self.change(lambda: parts.remove(part), [table])

    def alter_table(self, name):
        """A change that no element shows: of a CHECK constraint, of the primary key."""
        self.emit("alter", dict(kind="table", table=self.table(name).name))

    def rebuilt(self, name):
        """A batch copied the table: its triggers and its indexes over expressions went with the old one."""
        table = self.table(name)

        def work():
            table.indexes = [one for one in table.indexes if one.columns is not None]
            self.named = [one for one in self.named
                          if one.kind != "trigger" or fold(one.table or "") != fold(name)]

        self.change(work)

    def add_named(self, thing):
        self.change(lambda: self.named.append(thing))

    def drop_named(self, kind, name):
        found = self.find(kind, name)
        if found is None:
            self.emit("drop", dict(kind=kind, name=name))
        else:
            self.change(lambda: self.named.remove(found))


# ---- SQL --------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"""
    (?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
  | (?P<string>[xX]?'(?:[^']|'')*')
  | (?P<number>\d[\w.]*|\.\d\w*)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>.)
""", re.X | re.S)

DATA = ("INSERT", "UPDATE", "DELETE", "REPLACE")
NEUTRAL = ("SELECT", "VALUES", "EXPLAIN", "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ANALYZE",
           "VACUUM", "REINDEX")
PRAGMAS = ("foreign_keys", "defer_foreign_keys", "foreign_key_check", "foreign_key_list", "table_info",
           "table_xinfo", "table_list", "index_list", "index_info", "journal_mode", "synchronous", "busy_timeout",
           "integrity_check", "quick_check", "user_version", "cache_size", "temp_store")


class Word:
    """One token: `up` in upper case where it is a bare word or a sign, `name` where it can be a name."""

    def __init__(self, kind, text, start, end):
        self.kind, self.text, self.start, self.end = kind, text, start, end
        self.up = text.upper() if kind in ("word", "other") else ""

    @property
    def name(self):
        if self.kind == "word":
            return self.text
        if self.kind in ("quoted", "string") and self.text[0] not in "xX":
            mark = self.text[-1]
            inner = self.text[1:-1]
            return inner if mark == "]" else inner.replace(mark * 2, mark)
        return None


def tokens(text):
    found = [Word(match.lastgroup, match.group(), match.start(), match.end()) for match in TOKEN.finditer(text)]
    return [one for one in found if one.kind != "blank"]


def statements(text):
    """Lists of tokens, one per statement; the semicolons inside a trigger do not part it."""
    one, depth, found = [], 0, []
    for word in tokens(text):
        is_trigger = one and one[0].up == "CREATE" and any(part.up == "TRIGGER" for part in one[:3])
        if is_trigger and word.up in ("BEGIN", "CASE"):
            depth += 1
        elif is_trigger and word.up == "END":
            depth -= 1
        if word.up == ";" and depth <= 0:
            found.append(one)
            one, depth = [], 0
        else:
            one.append(word)
    return [one for one in found + [one] if one]


CONSTRAINT = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
COLUMN = ("CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED",
          "AS")


class Reader:
    """Reads one statement into changes of `known`."""

    def __init__(self, text, words, known):
        self.text, self.words, self.known, self.at = text, words, known, 0

    # -- tokens ---------------------------------------------------------------------------------------------

    def peek(self, *wanted):
        ups = [word.up for word in self.words[self.at:self.at + len(wanted)]]
        return ups == list(wanted)

    def take(self, *wanted):
        if not self.peek(*wanted):
            return False
        self.at += len(wanted)
        return True

    def need(self, *wanted):
        if not self.take(*wanted):
            self.strange()

    @property
    def done(self):
        return self.at >= len(self.words)

    def next(self):
        if self.done:
            self.strange()
        self.at += 1
        return self.words[self.at - 1]

    def strange(self):
        raise Obstacle("SQL that is not understood: %s" % " ".join(self.text.split())[:80])

    def name(self):
        name = self.next().name
        return name if name is not None else self.strange()

    def whole_name(self):
        """[schema.]name"""
        name = self.name()
        if self.take("."):
            if fold(name) != "main":
                raise Obstacle("SQL about the schema %s" % name)
            name = self.name()
        return name

    def brackets(self):
        """The tokens between brackets, which must stand here."""
        self.need("(")
        start, depth = self.at, 1
        while depth:
            up = self.next().up
            depth += {"(": 1, ")": -1}.get(up, 0)
        return self.words[start:self.at - 1]

    def names(self):
        """(a, b, c)"""
        found = []
        for part in split(self.brackets()):
            if len(part) != 1 or part[0].name is None:
                self.strange()
            found.append(part[0].name)
        return found

    def guard(self, exists):
        """Takes IF [NOT] EXISTS."""
        return self.take(*(("IF", "EXISTS") if exists else ("IF", "NOT", "EXISTS")))

    def end(self):
        if not self.done:
            self.strange()

    # -- statements -----------------------------------------------------------------------------------------

    def read(self):
        """Carries the statement out; True for a data step."""
        first = self.words[0].up
        if first in DATA or first == "WITH":
            ups = {word.up for word in self.words}
            return first in DATA or bool(ups & set(DATA))
        if first in NEUTRAL:
            return False
        if first == "PRAGMA":
            if len(self.words) > 1 and fold(self.words[1].text) in PRAGMAS:
                return False
            raise Obstacle("PRAGMA %s" % (self.words[1].text if len(self.words) > 1 else ""))
        self.at = 1
        if first == "CREATE":
            self.create()
        elif first == "DROP":
            self.drop()
        elif first == "ALTER":
            self.alter()
        else:
            self.strange()
        return False

    def create(self):
        if self.take("TEMP") or self.take("TEMPORARY"):
            if self.peek("TRIGGER"):
                self.strange()
            return                  # gone with the connection
        unique = self.take("UNIQUE")
        if self.take("INDEX"):
            self.create_index(unique)
        elif unique:
            self.strange()
        elif self.take("TABLE"):
            self.create_table()
        elif self.take("VIEW"):
            self.create_named("view")
        elif self.take("TRIGGER"):
            self.create_named("trigger")
        else:
            self.strange()

    def create_named(self, kind):
        guarded = self.guard(False)
        name, table = self.whole_name(), None
        if kind == "trigger":
            while not self.take("ON"):
                self.next()
            table = self.whole_name()
        if guarded and not known_guard(self.known, self.known.find(kind, name) is not None, None):
            return
        self.known.add_named(Named(kind, name, table))

    def create_index(self, unique):
        guarded = self.guard(False)
        name = self.whole_name()
        self.need("ON")
        table = self.name()
        columns = [indexed(part) for part in split(self.brackets())]
        if not self.done:
            self.need("WHERE")
        if guarded and not known_guard(self.known, self.known.owner(name)[1] is not None, table):
            return
        self.known.add_index(table, Index(name, columns if None not in columns else None, unique))

    def create_table(self):
        guarded = self.guard(False)
        table = Table(self.whole_name())
        if self.peek("AS"):
            raise Obstacle("CREATE TABLE AS SELECT")
        for part in split(self.brackets()):
            inner = Reader(self.text, part, self.known)
            if part and part[0].up in CONSTRAINT:
                inner.table_constraint(table)
            else:
                inner.column(table)
        while not self.done:
            if not (self.take("WITHOUT", "ROWID") or self.take("STRICT") or self.take(",")):
                self.strange()
        if guarded and not known_guard(self.known, self.known.has(table.name), None):
            return
        self.known.create_table(table)

    def column(self, table):
        column = Column(self.name(), "", True)
        start = self.at
        while not self.done and self.words[self.at].up not in COLUMN:
            if self.peek("("):
                self.brackets()
            else:
                self.next()
        if self.at > start:
            column.type = spelled(self.text, self.words[start:self.at]).upper()
        table.columns.append(column)
        name = None
        while not self.done:
            if self.take("CONSTRAINT"):
                name = self.name()
                continue
            self.column_constraint(table, column, name)
            name = None
        return column

    def conflict(self):
        if self.take("ON", "CONFLICT"):
            self.next()

    def column_constraint(self, table, column, name):
        if self.take("PRIMARY", "KEY"):
            column.key = True
            self.take("ASC") or self.take("DESC")
            self.conflict()
            self.take("AUTOINCREMENT")
        elif self.take("NOT", "NULL"):
            column.nullable = False
            self.conflict()
        elif self.take("NULL"):
            pass
        elif self.take("UNIQUE"):
            self.conflict()
            table.indexes.append(Index(name, [column.name], True, True))
        elif self.take("CHECK"):
            self.brackets()
        elif self.take("COLLATE"):
            self.name()
        elif self.take("DEFAULT"):
            column.default, column.defaulted = self.default(), True
        elif self.peek("REFERENCES"):
            table.foreigns.append(self.references(name, [column.name]))
        elif self.take("GENERATED", "ALWAYS", "AS") or self.take("AS"):
            column.defaulted = True
            self.brackets()
            self.take("STORED") or self.take("VIRTUAL")
        else:
            self.strange()

    def default(self):
        if self.peek("("):
            return spelled(self.text, self.brackets())
        sign = self.next().text if self.peek("-") or self.peek("+") else ""
        return sign + self.next().text

    def references(self, name, columns):
        self.need("REFERENCES")
        other = self.name()
        foreign = Foreign(name, columns, other, self.names() if self.peek("(") else [])
        while not self.done and not self.peek("CONSTRAINT"):
            if self.take("ON"):
                self.next()
                self.take("SET") or self.take("NO")
                self.next()
            elif self.take("MATCH"):
                self.next()
            elif self.take("NOT", "DEFERRABLE") or self.take("DEFERRABLE"):
                if self.take("INITIALLY"):
                    self.next()
            else:
                break
        return foreign

    def table_constraint(self, table):
        name = self.name() if self.take("CONSTRAINT") else None
        if self.take("PRIMARY", "KEY"):
            for part in split(self.brackets()):
                column = table.column(indexed(part) or "")
                if column is None:
                    self.strange()
                column.key = True
            self.conflict()
        elif self.take("UNIQUE"):
            table.indexes.append(Index(name, [indexed(part) or self.strange() for part in split(self.brackets())],
                                       True, True))
            self.conflict()
        elif self.take("CHECK"):
            self.brackets()
            if name:
                table.checks.add(fold(name))
        elif self.take("FOREIGN", "KEY"):
            table.foreigns.append(self.references(name, self.names()))
        self.end()

    def drop(self):
        kind = self.next().up
        if kind not in ("TABLE", "INDEX", "VIEW", "TRIGGER"):
            self.strange()
        guarded = self.guard(True)
        name = self.whole_name()
        self.end()
        known, kind = self.known, kind.lower()
        if kind == "table":
            if not guarded or known_guard(known, known.has(name), None, drop=True):
                known.drop_table(name)
        elif kind == "index":
            drop_index(known, name, None, guarded)
        elif not guarded or known_guard(known, known.find(kind, name) is not None, None, drop=True):
            known.drop_named(kind, name)

    def alter(self):
        self.need("TABLE")
        name = self.whole_name()
        if self.take("RENAME", "TO"):
            new = self.name()
            self.end()
            self.known.rename_table(name, new)
        elif self.take("RENAME"):
            self.take("COLUMN")
            old = self.name()
            self.need("TO")
            new = self.name()
            self.end()
            self.known.rename_column(name, old, new, everywhere=True)
        elif self.take("ADD"):
            self.take("COLUMN")
            if self.done or self.words[self.at].up in CONSTRAINT or self.guard(False):
                self.strange()
            part = Table(name)
            column = self.column(part)
            self.known.add_column(name, column, part.indexes, part.foreigns)
        elif self.take("DROP"):
            self.take("COLUMN")
            if self.done or self.words[self.at].up in CONSTRAINT or self.guard(True):
                self.strange()
            old = self.name()
            self.end()
            self.known.drop_column(name, old)
        else:
            self.strange()


def split(words):
    """Tokens parted by the commas outside brackets."""
    parts, depth = [[]], 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.up, 0)
        if word.up == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def spelled(text, words):
    """The source text of tokens, with single blanks."""
    return " ".join(text[words[0].start:words[-1].end].split()) if words else ""


def indexed(part):
    """The column of one part of an index, or None for an expression."""
    rest = [word.up for word in part[1:]]
    while rest and rest[-1] in ("ASC", "DESC"):
        rest.pop()
    if rest and rest[0] == "COLLATE":
        rest = rest[2:]
    is_name = part and part[0].kind in ("word", "quoted", "string")
    return part[0].name if is_name and not rest else None


def known_guard(known, there, table, drop=False):
    """
    Whether a statement behind IF [NOT] EXISTS does anything.

    Only what the chain itself made answers that: a table that create_all may have made is no answer. Where there is
    none, `undecided` says so, and what it may do is done: a thing that is known is dropped, one that is not is made.
    """
    whole = table is not None and known.has(table) and known.table(table).whole
    if known.certain and there:
        return drop
    if known.certain and whole:
        return not drop
    known.undecided = "IF %sEXISTS: what it does depends on the database" % ("" if drop else "NOT ")
    return there == drop


def drop_index(known, name, table, guarded=False):
    """Drops an index by its name; False where it is not known which columns it has."""
    owner, index = known.owner(name)
    if guarded and not known_guard(known, index is not None, table, drop=True):
        return True
    if index is not None:
        known.drop_part(owner, index)
        return True
    known.emit("drop", dict(kind="index", table=table, name=name))
    return False
