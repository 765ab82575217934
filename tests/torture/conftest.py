# SPDX-License-Identifier: MIT
"""The promises under faults. The places are those of whole installations (tests/e2e); with ATHANOR_SOAK all is tried."""
import os
import pathlib
import queue
import random
import shutil
import subprocess
import sys

import pytest

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


@pytest.fixture(scope="session")
def lanes(small_place, tmp_path_factory):
    """A queue of two places that can be used at once; each has its own Alembic, all else is shared."""
    packages, = small_place.glob(".venv/lib/python3*/site-packages")
    shared = tmp_path_factory.mktemp("shared")
    for entry in packages.iterdir():
        if not entry.name.startswith("alembic"):
            (shared / entry.name).symlink_to(entry)
    found = queue.SimpleQueue()
    for _ in range(2):
        place = tmp_path_factory.mktemp("lane") / "app"
        subprocess.run([lab.PYTHON, "-m", "venv", "--without-pip", str(place / ".venv")], check=True)
        own, = place.glob(".venv/lib/python3*/site-packages")
        (own / "shared.pth").write_text("%s\n" % shared)
        for entry in packages.glob("alembic*"):
            shutil.copytree(entry, own / entry.name)
        found.put(place)
    return found


def pytest_report_header():
    return "torture: seed %d (ATHANOR_SEED=%d plays it again), %s" % (SEED, SEED, "soak" if SOAK else "short form")
