# SPDX-License-Identifier: MIT
"""
Runs real Alembic over chains and writes down what is true. One process per chain, forked from one that has imported
Alembic; a database for every cut of the graph, each made by `alembic upgrade REVISION` on a copy of a smaller one.

    python replay.py REQUEST.json      a list of {root, config, section, database, table, out}

In `out`: a file cut-N.db for each cut, half-N-K.db where the last revision of it died before its K-th statement, and
truth.json.
"""
import json
import os
import re
import shutil
import sqlite3
import sys
import traceback

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import Engine

CUTS_MAX = 64
AT_ONCE = 2
STATEMENTS_MAX = 5      # of one revision before which it dies


class Dies(Exception):
    """As if the process had ended."""


class Counter:
    """Counts the statements that change something, and dies before one of them."""

    def __init__(self, version_table):
        self.count, self.last, self.version_table = 0, 0, version_table
        event.listen(Engine, "before_cursor_execute", self.see)

    def start(self, last):
        self.count, self.last = 0, last

    def see(self, connection, cursor, statement, parameters, context, executemany):
        words = statement.split(None, 2)
        if words[0].upper() in ("SELECT", "PRAGMA") or \
                words[0].upper() == "CREATE" and self.version_table in words[2]:
            return
        self.count += 1
        if self.count == self.last:
            raise Dies()


def texts(value):
    return [] if value is None else [value] if isinstance(value, str) else sorted(value)


def structure(db, version_table):
    """What a schema is made of, without the attributes that never decide. Types stand apart."""
    found, types = set(), set()
    for kind, name in db.execute("SELECT type, lower(name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND "
                                      "name <> ?", (version_table,)).fetchall():
        if kind in ("view", "trigger"):
            found.add("%s %s" % (kind, name))
        if kind != "table":
            continue
        found.add("table " + name)
        for column in db.execute('SELECT name, type FROM pragma_table_xinfo(?)', (name,)):
            found.add("column %s %s" % (name, column[0].lower()))
            types.add("type %s %s %s" % (name, column[0].lower(), column[1]))
        for index, unique in db.execute('SELECT name, "unique" FROM pragma_index_list(?)', (name,)).fetchall():
            columns = [row[0] for row in db.execute("SELECT name FROM pragma_index_info(?)", (index,))]
            found.add("index %s %s %s%s" % (name, columns, unique, index if None in columns else ""))
        for row in db.execute('SELECT id, seq, "table", "from", "to" FROM pragma_foreign_key_list(?)', (name,)):
            found.add("foreign %s %s" % (name, row[1:]))
    return sorted(found), sorted(types)


def schema_text(db, version_table):
    """The text of the schema, but for blanks and quotes: a batch writes them in another way."""
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> ? AND tbl_name <> ? "
                      "ORDER BY type, tbl_name, name", (version_table, version_table)).fetchall()
    return [[kind, name, table, re.sub(r'[\s"]+', "", sql or "")] for kind, name, table, sql in rows]


class Replay:
    def __init__(self, job):
        self.job = job
        os.chdir(job["root"])
        sys.path.insert(0, job["root"])
        if job["config"].endswith(".toml"):
            self.config = Config(toml_file=job["config"])
        else:
            self.config = Config(job["config"], ini_section=job["section"])
        for name, value in job.get("environ", {}).items():
            os.environ[name] = value
        self.script = ScriptDirectory.from_config(self.config)
        self.counter = Counter(job["table"])
        self.revisions = list(self.script.walk_revisions())[::-1]
        self.downs = {one.revision: texts(one.down_revision) for one in self.revisions}
        self.depends = {one.revision: texts(one._resolved_dependencies) for one in self.revisions}

    def needs(self, ident):
        return set(self.downs[ident]) | set(self.depends[ident])

    def closed(self, idents):
        found, left = set(), list(idents)
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left.extend(self.needs(one))
        return frozenset(found)

    def tips(self, cut):
        needed = set().union(*(self.needs(one) for one in cut)) if cut else set()
        return sorted(cut - needed)

    def cuts(self):
        """Every set that holds the parents of its members, small ones first."""
        found, front = [frozenset()], [frozenset()]
        while front:
            grown = {cut | {one} for cut in front for one in self.downs if one not in cut and self.needs(one) <= cut}
            front = sorted(grown, key=sorted)
            found += front
        return found[1:]

    def read(self, path):
        db, table = sqlite3.connect(path), self.job["table"]
        has_table = db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        rows = [row[0] for row in db.execute('SELECT version_num FROM "%s"' % table)] if has_table else []
        found, types = structure(db, table)
        text = schema_text(db, table)
        db.close()
        return {"file": path, "rows": sorted(rows), "sql": text, "structure": found, "types": types}

    def read_cut(self, path, cut):
        found = self.read(path)
        assert self.closed(found["rows"]) == cut, (found["rows"], sorted(cut))
        pending = self.script._upgrade_revs("heads", tuple(found["rows"]))
        return dict(found, ids=sorted(cut), tips=self.tips(cut),
                    pending=sorted({step.revision.revision for step in pending}))

    def make(self, path, tip, parent, last=0):
        live = self.job["database"]
        os.makedirs(os.path.dirname(live), exist_ok=True)
        if os.path.exists(live):
            os.unlink(live)
        if parent:
            shutil.copy(parent, live)
        self.counter.start(last)
        try:
            command.upgrade(self.config, tip)
        except Dies:
            pass
        shutil.copy(live, path)

    def halves(self, number, tip, parent):
        """The states that a death of the last revision leaves, from after its first statement to before its row."""
        count = self.counter.count
        for last in range(2, min(count, STATEMENTS_MAX) + 1):
            path = os.path.join(self.job["out"], "half-%d-%d.db" % (number, last))
            self.make(path, tip, parent, last)
            yield dict(self.read(path), tip=tip)

    def truth(self):
        cuts, made = self.cuts(), {}
        assert len(cuts) <= CUTS_MAX, "%d cuts" % len(cuts)
        for number, cut in enumerate(cuts):
            tip = next(one for one in self.tips(cut))
            parent = made.get(cut - {tip}, {}).get("file")
            path = os.path.join(self.job["out"], "cut-%d.db" % number)
            self.make(path, tip, parent)
            made[cut] = self.read_cut(path, cut)
            made[cut]["halves"] = list(self.halves(number, tip, parent))
        whole = os.path.join(self.job["out"], "whole.db")
        self.make(whole, "heads", None)         # at once, from nothing: the same
        assert self.read_cut(whole, cuts[-1])["structure"] == made[cuts[-1]]["structure"]
        os.unlink(whole)
        os.unlink(self.job["database"])
        return {
            "revisions": [{"id": one.revision, "downs": texts(one.down_revision),
                           "depends": texts(one._resolved_dependencies), "labels": texts(one.branch_labels),
                           "path": one.path}
                          for one in self.revisions],
            "heads": sorted(self.script.get_heads()), "bases": sorted(self.script.get_bases()),
            "cuts": list(made.values()),
        }


def replay(job):
    """In a process of its own: chains have modules of the same names."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.makedirs(job["out"], exist_ok=True)
        truth = Replay(job).truth()
        with open(os.path.join(job["out"], "truth.json"), "w") as file:
            json.dump(truth, file)
        status = 0
    except BaseException:
        print(job["root"], file=sys.stderr)
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


def main():
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    running = failed = 0
    while jobs or running:
        if jobs and running < AT_ONCE:
            replay(jobs.pop(0))
            running += 1
        else:
            failed += os.wait()[1] != 0
            running -= 1
    sys.exit(1 if failed else 0)


main()
