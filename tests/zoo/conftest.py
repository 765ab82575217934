# SPDX-License-Identifier: MIT
"""The zoo of chains (chains.py) and the example's, run by real Alembic (replay.py), and what the inference says."""
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLI = os.environ.get("ATHANOR_INFER_CLI")
SEEDS = int(os.environ.get("ATHANOR_ZOO_SEEDS", "4000"))       # of drift, over all chains; 100000 for a soak
FIRST = int(os.environ.get("ATHANOR_ZOO_FIRST_SEED", "1"))

sys.path.insert(0, str(HERE))
import chains  # noqa: E402


def alembic_python():
    """The environment with the newest Alembic that the tests of the bridge keep."""
    spec = importlib.util.spec_from_file_location("bridge_conftest", ROOT / "tests" / "bridge" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.venv_python("newest")


def kahani():
    """The example's chain: its own files, with an env.py that imports nothing of the application."""
    folder = ROOT / "tests" / "fixtures" / "kahani" / "backend"
    files = [("alembic/versions/" + path.name, path.read_text())
             for path in sorted((folder / "alembic" / "versions").glob("*.py"))]
    return chains.Chain("kahani", (), env=chains.env("target_metadata=None, render_as_batch=True"),
                        ini=chains.INI.replace("migrations", "alembic"), scripts="alembic", versions="alembic/versions",
                        files=tuple(files), data=("003", "007", "008"))


def execute(path, *statements):
    db = sqlite3.connect(path, isolation_level=None)
    for one in statements:
        db.execute(one)
    db.close()


# Real files drift as well, by what a person or another program would have typed.
DRIFTS = (
    ("CREATE TABLE zz_extra (id INTEGER PRIMARY KEY, x TEXT)", "CREATE INDEX zz_ix ON zz_extra (x)"),
    ("CREATE VIEW zz_view AS SELECT 1 AS one", "CREATE TABLE [zz odd \"name\"] (\"a.b\" TEXT, [c,d] INT)"),
    ("ALTER TABLE @TABLE@ ADD COLUMN zz_note TEXT",),
    ("CREATE TRIGGER zz_trigger AFTER DELETE ON @TABLE@ BEGIN SELECT 1; END", "CREATE INDEX zz_id ON @TABLE@ (id)"),
    ("DROP INDEX @INDEX@",),
    ("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'CLOB') WHERE name = @NAME@"),
)


def drift(path, copy, statements, version_table):
    """A copy of a database with one drift; False if there is nothing to change."""
    shutil.copy(path, copy)
    db = sqlite3.connect(copy, isolation_level=None)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> ? AND name "
                                           "NOT LIKE 'sqlite_%' ORDER BY name", (version_table,))]
    indexes = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''")]
    for one in statements:
        if "@INDEX@" in one and not indexes or "@TABLE@" in one and not tables:
            db.close()
            return False
        table = tables[0] if tables else ""
        key = db.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchone()[0] if tables else ""
        db.execute(one.replace("@TABLE@", '"%s"' % table).replace("@NAME@", "'%s'" % table).replace("(id)", '("%s")' % key)
                   .replace("@INDEX@", '"%s"' % (indexes or [""])[0].replace('"', '""')))
    db.close()
    return True


class Member:
    """One chain: its project, the truth about it, and the answers to every question about it."""

    def __init__(self, chain, place):
        self.chain, self.place = chain, place
        self.root, self.made = place / "app", place / "made"
        self.root.mkdir(parents=True)
        chain.write(self.root)
        self.answers = {}

    @property
    def name(self):
        return self.chain.name

    def job(self):
        return {"root": str(self.root), "config": self.chain.config, "section": self.chain.section,
                "database": str(self.root / self.chain.database), "table": self.chain.table, "out": str(self.made)}

    def load(self):
        self.truth = json.loads((self.made / "truth.json").read_text())
        self.cuts = self.truth["cuts"]
        self.data = {one.id for one in self.chain.revisions if one.data} | set(self.chain.data)
        self.by_ids = {frozenset(cut["ids"]): cut for cut in self.cuts}
        self.needs = {one["id"]: set(one["downs"]) | set(one["depends"]) for one in self.truth["revisions"]}

    def closed(self, ids):
        found, left = set(), list(ids)
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left.extend(self.needs[one])
        return frozenset(found)

    def requests(self, python, seeds):
        """Every question, with the key of its answer."""
        yield "chain", ("chain", str(self.root), self.chain.config, self.chain.section, python)
        if not self.chain.is_static:
            return
        yield "data", ("data", *sorted(self.data))
        for number, cut in enumerate(self.cuts):
            yield ("cut", number), ("cut", cut["file"], self.chain.table, *cut["ids"])
        for number, cut in enumerate(self.cuts):
            for rows in ("=", "-", "0"):
                yield ("ask", number, rows), ("ask", str(number), rows)
            for other in self.cuts:
                if other is not cut:
                    rows = ",".join(other["rows"])
                    yield ("ask", number, rows), ("ask", str(number), rows)
        for number, cut, which, path in self.drifted():
            for rows in ("=", "-"):
                yield ("file", number, which, rows), ("file", str(path), self.chain.table, str(number), rows)
        for number, cut in enumerate(self.cuts):
            for which, half in enumerate(cut["halves"]):
                for rows in ("=", "-"):
                    yield ("half", number, which, rows), ("file", half["file"], self.chain.table, str(number), rows)
        yield "drift", ("drift", str(FIRST), str(seeds), "inference")
        yield "by_hand", ("drift", str(FIRST), str(min(seeds, 200)), "by_hand")
        yield "naive", ("drift", str(FIRST), str(min(seeds, 200)), "naive")

    def drifted(self):
        """Two databases of the chain, each with one drift, on disk."""
        for number in {len(self.cuts) // 2, len(self.cuts) - 1}:
            for which in {(number + len(self.name)) % len(DRIFTS), (number + 3) % len(DRIFTS)}:
                copy = self.made / ("drift-%d-%d.db" % (number, which))
                if drift(self.cuts[number]["file"], copy, DRIFTS[which], self.chain.table):
                    yield number, self.cuts[number], which, copy

    def ask(self, python, seeds):
        asked = list(self.requests(python, seeds))
        ended = subprocess.run([CLI], input="".join("\t".join(words) + "\n" for _, words in asked), text=True,
                               stdout=subprocess.PIPE, check=True, timeout=1200)
        lines = ended.stdout.splitlines()
        assert len(lines) == len(asked)
        self.answers = {key: json.loads(line) for (key, _), line in zip(asked, lines)}
        self.graph = self.answers["chain"]
        self.blind = {one["id"] for one in self.graph.get("revisions", ()) if one["blind"]}


class Zoo:
    def __init__(self, place):
        self.python = alembic_python()
        self.members = [Member(chain, place / chain.name) for chain in (*chains.CHAINS, kahani())]
        jobs = place / "jobs.json"
        jobs.write_text(json.dumps([one.job() for one in self.members]))
        subprocess.run([self.python, "-B", "-W", "ignore", str(HERE / "replay.py"), str(jobs)], check=True)
        for one in self.members:
            one.load()
        seeds = -(-SEEDS // sum(one.chain.is_static for one in self.members))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: one.ask(self.python, seeds), self.members))

    def readable(self):
        return [one for one in self.members if one.chain.is_static]


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    return Zoo(tmp_path_factory.mktemp("zoo"))


@pytest.fixture(params=[one.name for one in chains.CHAINS] + ["kahani"])
def member(request, zoo):
    return next(one for one in zoo.members if one.name == request.param)
