# SPDX-License-Identifier: MIT
"""Fixtures that several folders of tests share: a small application, with and without its environment."""
import contextlib
import os
import sqlite3

import lab
import pytest


@pytest.fixture(scope="session")
def small_place(tmp_path_factory):
    """A folder whose environment is healthy and has what the small project needs."""
    place = tmp_path_factory.mktemp("small") / "app"
    place.mkdir()
    lab.make_venv(place / ".venv", "alembic", "sqlalchemy")
    return place


@pytest.fixture
def small(small_place):
    """A small application with three revisions; its environment needs nothing."""
    lab.empty(small_place, keep=".venv")
    project = lab.Project(small_place).alembic()
    yield project
    with contextlib.suppress(sqlite3.Error, OSError):  # a test may have damaged the journal
        for pid in lab.survivors(project):
            os.kill(pid, 9)


@pytest.fixture
def bare(tmp_path):
    """A small application that has no environment yet."""
    (tmp_path / "app").mkdir()
    return lab.Project(tmp_path / "app").alembic()
