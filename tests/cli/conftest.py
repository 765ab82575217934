# SPDX-License-Identifier: MIT
"""Small folders for tests of the command line; none of them has an environment."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import lab  # noqa: E402


@pytest.fixture
def bare(tmp_path):
    (tmp_path / "app").mkdir()
    return lab.Project(tmp_path / "app").alembic()


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """An interpreter with Alembic: the one that the bridge's tests keep, else a new one."""
    cache = pathlib.Path(os.environ.get("ATHANOR_TEST_CACHE") or lab.ROOT / "build" / "test-cache")
    for ready in cache.glob("bridge-newest-*/ready"):
        return ready.parent / "bin/python"
    place = tmp_path_factory.mktemp("alembic") / "venv"
    lab.make_venv(place, "alembic", "sqlalchemy")
    return place / "bin/python"


@pytest.fixture
def odd(bare, tmp_path):
    """The small project where python3 is a shell script."""
    bare.stored("a1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()

    def is_script(text):
        (tmp_path / "bin/python3").write_text("#!/bin/sh\n" + text)
        (tmp_path / "bin/python3").chmod(0o755)
        return {"PATH": "%s:/usr/bin:/bin" % (tmp_path / "bin"), "TMPDIR": str(tmp_path / "tmp")}

    return is_script
