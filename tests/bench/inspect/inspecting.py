# SPDX-License-Identifier: MIT
"""G5: athanor inspect of a database with 500 tables of 10 columns, whatever the amount of data in it."""
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys

import bench
import graph

TABLES, REVISIONS = 500, 100
REVISION = "import sqlalchemy as sa\nfrom alembic import op\nrevision = {ident!r}\ndown_revision = {down!r}\n\n\ndef upgrade():\n{up}\n"
CREATE = "    op.create_table('{name}', sa.Column('id', sa.Integer(), nullable=False), {columns}, sa.PrimaryKeyConstraint('id'))\n" \
         "    op.create_index('ix_{name}', '{name}', ['c0'])"


def write_application(folder, size_mb):
    """A finished installation as far as inspect goes: chain, database at its head, state directory."""
    versions, down = folder / "migrations/versions", None
    versions.mkdir(parents=True)
    (folder / ".athanor").mkdir(mode=0o700)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (folder / "athanor.yaml").write_text("athanor: 1\nname: many\npython: {venv: .venv}\n"
                                         "database: {alembic: alembic.ini, url: 'sqlite:///many.db'}\n")
    db = sqlite3.connect(folder / "many.db")
    db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))")
    for r in range(REVISIONS):
        ident, up = f"{r * 7919 + 1:012x}", []
        for name in (f"table_{t}" for t in range(r * TABLES // REVISIONS, (r + 1) * TABLES // REVISIONS)):
            columns = "".join(f", c{c} VARCHAR(50)" for c in range(9))
            db.execute(f"CREATE TABLE {name} (id INTEGER NOT NULL{columns}, PRIMARY KEY (id))")
            db.execute(f"CREATE INDEX ix_{name} ON {name} (c0)")
            up.append(CREATE.format(name=name, columns=", ".join(f"sa.Column('c{c}', sa.String(50))" for c in range(9))))
        (versions / f"{ident}.py").write_text(REVISION.format(ident=ident, down=down, up="\n".join(up)))
        down = ident
    db.execute("INSERT INTO alembic_version VALUES (?)", (down,))
    db.commit()
    fill(db, size_mb)
    db.close()
    return folder


def fill(db, size_mb):
    """Rows in all tables until the file has that size."""
    rows = max(1, size_mb * 1024 * 1024 // TABLES // 320 - 12)
    if size_mb <= 4:        # the empty tables have that size
        return
    db.execute("PRAGMA synchronous = OFF")
    for t in range(TABLES):
        db.execute(f"INSERT INTO table_{t} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
                   " SELECT i, hex(randomblob(8))" + ", hex(randomblob(16))" * 8 + " FROM n")
    db.commit()


def processes(command):
    traced = subprocess.run(["strace", "-f", "-e", "trace=process", *command], capture_output=True, text=True)
    return len(re.findall(r"\b(?:fork|vfork|clone|clone3)\(", traced.stderr))


def measure(table, build, work, handicap, size_mb):
    """
    The handicap: what was kept is removed before each call, so that Python reads the revisions again, and the large one
    takes half a second more, as if it read its data.
    """
    small, large = (write_application(work / f"inspect-{size}", size) for size in (1, size_mb))
    commands = {app: [build / "athanor", "inspect", "--json", app] for app in (small, large)}
    if handicap:
        commands[large] = ["sh", "-c", 'sleep 0.5; exec "$@"', "sh", *commands[large]]
    for app, command in commands.items():
        said = subprocess.run(command, capture_output=True, text=True).stdout
        if '"verdict":"exact"' not in said:
            sys.exit(f"{app}: {said}")

    def forget(app):
        for path in app.glob(".athanor/cache/effects-*") if handicap else ():
            path.unlink()

    rounds = bench.Rounds({app: lambda app=app: bench.run(commands[app], prepare=lambda: forget(app)) for app in commands}, 15)
    pairs = rounds.pairs(large, small)
    for app, times in ((small, pairs.b), (large, pairs.a)):
        size = pathlib.Path(app / "many.db").stat().st_size / 1024 / 1024
        table.add("G5", f"inspect of {TABLES} tables, {size:.0f} MB, at most 30 ms",
                  f"{bench.seconds(times)} ({min(times) * 1000:.1f} to {max(times) * 1000:.1f} ms)", statistics.median(times) <= 0.030)
    table.add("G5", "the large one / the small one, at most 1.2", pairs, pairs.ratio <= 1.2)
    forget(small)
    started = processes(commands[small])
    table.add("G5", "processes started", started, started == 0)
    if not handicap:
        table.add("G5", "instructions (callgrind)", graph.instructions(commands[small]))
