# SPDX-License-Identifier: MIT
"""The promises under faults. The places are those of whole installations (tests/e2e); with ATHANOR_SOAK all is tried."""
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import lab  # noqa: E402
from places import small, small_place  # noqa: E402, F401

SOAK = bool(os.environ.get("ATHANOR_SOAK"))
SEED = int(os.environ.get("ATHANOR_SEED") or random.SystemRandom().randrange(1 << 32))
SCORES = []     # one line a test: what was tried how often, and what came of it


def score(line, *values):
    SCORES.append(line % values)


def pytest_terminal_summary(terminalreporter):
    for line in SCORES:
        terminalreporter.write_line("torture: " + line)


def pytest_report_header():
    return "torture: seed %d (ATHANOR_SEED=%d plays it again), %s" % (SEED, SEED, "soak" if SOAK else "short form")
