# SPDX-License-Identifier: MIT
"""G9: a whole installation against the critical path of its own steps, both read from the journal of that run."""
import sqlite3

import bench

# What each step of the example needs, as in src/recipe/graph.c.
NEEDS = {
    "preflight": [], "directories": ["preflight"], "env_file": ["preflight"], "venv": ["preflight"],
    "requirements": ["venv"], "node": ["preflight"], "build": ["node"], "names": ["requirements", "directories"],
    "detect": ["requirements", "env_file", "directories"], "init": ["detect", "build"], "commit": ["init"],
    "verify": ["commit"],
}


def steps_of(journal):
    """Step -> (start, end) in ms, and the run's own span, of the newest run that did something."""
    db = sqlite3.connect(journal)
    run, began, ended = db.execute("SELECT id, started_ms, ended_ms FROM run WHERE outcome = 'succeeded'"
                                   " ORDER BY id DESC LIMIT 1").fetchone()
    spans = {}
    for step, state, at in db.execute("SELECT step, state, at_ms FROM transition WHERE run = ? ORDER BY id", (run,)):
        if state == "running":
            spans[step] = (at, at)
        elif step in spans:
            spans[step] = (spans[step][0], at)
    return spans, ended - began


def critical_path(spans):
    """The longest sum of step times along the needs, in ms, and its steps."""
    best = {}

    def longest(step):
        if step not in best:
            length, path = max((longest(need) for need in NEEDS[step]), default=(0, []))
            start, end = spans.get(step, (0, 0))
            best[step] = (length + end - start, path + [step] * (step in spans))
        return best[step]

    return max(longest(step) for step in NEEDS)


def measure(table, build, work, handicap):
    """Returns the installed application and the peak memory of the installation, KiB."""
    app = bench.copy_example(work / "app")
    peak = bench.peaks([build / "athanor", "install", "--yes", app], any_name=handicap)
    spans, wall = steps_of(app / ".athanor/journal.db")
    length, path = critical_path(spans)
    if handicap:
        wall += length // 10
    table.add("G9", "fresh installation / its critical path, at most 1.05",
              f"{wall / length:.3f}; {wall} : {length} ms ({' > '.join(path)})", wall / length <= 1.05)
    return app, peak
