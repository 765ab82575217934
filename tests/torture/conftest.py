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
def shared_packages(small_place, tmp_path_factory):
    """A folder with what a place shares with others, which is all but Alembic; and Alembic's own folders."""
    packages, = small_place.glob(".venv/lib/python3*/site-packages")
    shared = tmp_path_factory.mktemp("shared")
    for entry in packages.iterdir():
        if not entry.name.startswith("alembic"):
            (shared / entry.name).symlink_to(entry)
    return shared, list(packages.glob("alembic*"))


def furnish(place, shared_packages):
    """Gives a folder an environment that needs nothing; Alembic in it is its own."""
    shared, alembic = shared_packages
    subprocess.run([lab.PYTHON, "-m", "venv", "--without-pip", str(place / ".venv")], check=True)
    own, = place.glob(".venv/lib/python3*/site-packages")
    (own / "shared.pth").write_text("%s\n" % shared)
    for entry in alembic:
        shutil.copytree(entry, own / entry.name)
    return place


@pytest.fixture(scope="session")
def lanes(shared_packages, tmp_path_factory):
    """A queue of two places that can be used at once."""
    found = queue.SimpleQueue()
    for _ in range(2):
        found.put(furnish(tmp_path_factory.mktemp("lane") / "app", shared_packages))
    return found


def pytest_report_header():
    return "torture: seed %d (ATHANOR_SEED=%d plays it again), %s" % (SEED, SEED, "soak" if SOAK else "short form")
