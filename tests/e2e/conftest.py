# SPDX-License-Identifier: MIT
"""Places for whole installations: each is made once in a session and handed to every test as new."""
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402
from places import bare, small, small_place  # noqa: E402, F401


def pytest_addoption(parser):
    parser.addoption("--soak", type=int, default=int(os.environ.get("SOAK") or 0),
                     help="how often the tests that kill at a random moment do so")


@pytest.fixture(scope="session")
def kahani_made(tmp_path_factory):
    """The example application, copied elsewhere and installed once; and what the run said."""
    place = tmp_path_factory.mktemp("kahani") / "app"
    shutil.copytree(lab.FIXTURES / "kahani", place)
    project = lab.Project(place)
    project.database = place / "backend/data/kahani.db"
    project.first_tree = lab.tree(place)
    project.first_plan = lab.athanor("plan", "--detailed-exitcode", place)
    project.first_run = project.install()
    lab.save(place, place.parent / "saved.tar")
    return project


@pytest.fixture
def installed(kahani_made):
    """The example application after its installation, for tests that change nothing of it."""
    assert kahani_made.first_run.status == 0, kahani_made.first_run
    return kahani_made


@pytest.fixture
def kahani(kahani_made):
    """The example application as it is after its installation; nothing is to be done."""
    assert kahani_made.first_run.status == 0, kahani_made.first_run
    lab.restore(kahani_made.root.parent / "saved.tar", kahani_made.root)
    kahani_made.install().is_status(0)  # it looks at the files that were put back
    yield kahani_made
    lab.restore(kahani_made.root.parent / "saved.tar", kahani_made.root)
    kahani_made.install().is_status(0)


@pytest.fixture(scope="session")
def young_place(tmp_path_factory):
    """A folder with an environment that has no packages yet, and the archive of it."""
    place = tmp_path_factory.mktemp("young") / "app"
    place.mkdir()
    lab.make_venv(place / ".venv")
    lab.save(place, place.parent / "saved.tar")
    return place


@pytest.fixture
def young(young_place):
    """A small application whose packages are still to be installed."""
    lab.restore(young_place.parent / "saved.tar", young_place)
    project = lab.Project(young_place).alembic()
    project.write("requirements.txt", "alembic\n")
    project.recipe(head=lab.RECIPE.replace("{venv: .venv}", "{venv: .venv, requirements: [requirements.txt]}"))
    return project
