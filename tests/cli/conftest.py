# SPDX-License-Identifier: MIT
"""Small folders for tests of the command line; none of them has an environment."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import lab  # noqa: E402


@pytest.fixture
def bare(tmp_path):
    (tmp_path / "app").mkdir()
    return lab.Project(tmp_path / "app").alembic()
