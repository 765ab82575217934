# SPDX-License-Identifier: MIT
"""The virtual environment: what is healthy is left alone, what is broken is mended; pip's settings are the operator's."""
import os
import shutil
import subprocess

import pytest

import lab


def runs(project):
    ran = subprocess.run([str(project.path(".venv/bin/python")), "-c", "import alembic, sys; print(sys.prefix)"],
                         stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout.strip() == str(project.path(".venv"))
    subprocess.run([str(project.path(".venv/bin/alembic")), "--version"], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def ready_place(tmp_path_factory):
    """A small application that was installed with its packages, and the archive of it."""
    place = tmp_path_factory.mktemp("ready") / "app"
    place.mkdir()
    project = lab.Project(place).alembic()
    project.write("requirements.txt", "alembic\n")
    project.recipe(head=lab.RECIPE.replace("{venv: .venv}", "{venv: .venv, requirements: [requirements.txt]}"))
    project.install().is_status(0)
    lab.save(place, place.parent / "saved.tar")
    return place


@pytest.fixture
def ready(ready_place):
    lab.restore(ready_place.parent / "saved.tar", ready_place)
    return lab.Project(ready_place)


def test_a_healthy_environment_is_left_alone(small):
    config = small.path(".venv/pyvenv.cfg")
    before = config.stat().st_mtime_ns, config.stat().st_ino
    small.install().is_status(0)
    assert (config.stat().st_mtime_ns, config.stat().st_ino) == before


def test_an_environment_that_was_moved_is_recognised_and_mended(ready, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(ready.root, moved, symlinks=True)
    project = lab.Project(moved)
    project.ini()
    lab.athanor("plan", "--detailed-exitcode", moved).is_status(2)
    project.install().is_status(0)
    assert {"venv", "requirements"} <= set(project.ran())
    runs(project)
    lab.assert_clean(project)


def test_an_environment_whose_interpreter_is_gone_is_mended(ready):
    for name in ("python", "python3", os.path.basename(lab.PYTHON)):
        link = ready.path(".venv/bin/" + name)
        if link.is_symlink():
            link.unlink()
            link.symlink_to("/nowhere/python3")
    ready.install().is_status(0)
    runs(ready)
    lab.assert_clean(ready)


def test_an_environment_of_which_files_are_gone_is_mended(ready):
    ready.path(".venv/pyvenv.cfg").unlink()
    ready.install().is_status(0)
    runs(ready)


def test_a_package_that_was_removed_by_hand_is_put_back(ready):
    shutil.rmtree(next(ready.path(".venv").glob("lib/*/site-packages/alembic")))
    shutil.rmtree(next(ready.path(".venv").glob("lib/*/site-packages/alembic-*.dist-info")))
    ready.install().is_status(0)
    runs(ready)
    assert "venv" not in ready.ran() and "requirements" in ready.ran()


def test_a_folder_that_is_no_environment_is_not_removed(bare):
    bare.write(".venv/diary.txt", "mine\n")
    ended = bare.install().is_status(1)
    assert ".venv" in ended.last_lines
    assert bare.read(".venv/diary.txt") == "mine\n"


def test_a_server_that_cannot_be_reached_is_said_and_the_next_run_goes_on(young):
    away = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_EXTRA_INDEX_URL": None, "PIP_FIND_LINKS": None,
            "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull, "HTTP_PROXY": None, "http_proxy": None}
    ended = young.install(env=away).is_status(69)
    assert "network" in ended.err.lower() or "reach" in ended.err.lower(), ended
    assert young.journal("SELECT max(attempt) FROM transition WHERE step = 'requirements'") == [(3,)]
    done = lab.finished(young)
    young.install().is_status(0)
    assert not done & set(young.ran())
    runs(young)
    assert young.current() == "c3 (head)"


def test_a_requirement_that_does_not_exist_is_the_cause(young):
    young.write("requirements.txt", "./no-such-package\n")
    young.recipe(head=lab.RECIPE.replace("{venv: .venv}", "{venv: .venv, requirements: [requirements.txt]}"))
    ended = young.install(env={"PIP_RETRIES": "0"}).is_status(1)
    assert "no-such-package" in ended.last_lines


def test_settings_that_would_put_packages_elsewhere_are_not_followed(ready, tmp_path):
    ready.write("requirements.txt", "alembic\n# again\n")
    ready.install(env={"PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_USER": "1"}).is_status(0)
    assert not (tmp_path / "elsewhere").exists()
    runs(ready)


def fake(folder, answer):
    """A python3 that answers the question for its version as it is told, and is nothing else."""
    folder.mkdir()
    program = folder / "python3"
    program.write_text("#!/bin/sh\nprintf '%s\\n'\n" % answer)
    program.chmod(0o755)
    return str(folder)


def test_a_python_without_ensurepip_names_the_package_of_debian(bare, tmp_path):
    path = fake(tmp_path / "bin", "3.11.2\\tno\\t/usr/bin/python3.11")
    ended = bare.install(env={"PATH": path}).is_status(1)
    if os.path.exists("/etc/debian_version"):
        assert "apt-get install python3.11-venv" in ended.last_lines, ended
    assert not bare.path(".venv").exists()


def test_a_python_that_is_too_old_is_named_with_all_else_that_is_missing(bare, tmp_path):
    path = fake(tmp_path / "bin", "3.7.3\\tyes\\t/usr/bin/python3.7")
    bare.write("frontend/package.json", '{"name": "front", "scripts": {}}')
    bare.write("frontend/package-lock.json", '{"lockfileVersion": 3, "packages": {}}')
    bare.recipe("node: {dir: frontend}\n")
    ended = bare.install(env={"PATH": path}).is_status(1)
    assert "3.7.3" in ended.last_lines and "node" in ended.last_lines


def test_without_any_python_it_says_so(bare, tmp_path):
    (tmp_path / "bin").mkdir()
    assert "Python" in bare.install(env={"PATH": str(tmp_path / "bin")}).is_status(1).last_lines


def test_a_path_with_spaces_and_letters_of_every_kind_is_no_obstacle(tmp_path):
    place = tmp_path / "my applicätion's “folder” $HOME %d"
    place.mkdir()
    lab.make_venv(place / ".venv")
    project = lab.Project(place).alembic()
    project.ini("sqlite:///app.db")
    project.env_py("'sqlite:///%s/app.db' % here")
    project.write("requirements.txt", "alembic\n")
    project.recipe(head=lab.RECIPE.replace("{venv: .venv}", "{venv: .venv, requirements: [requirements.txt]}"))
    project.install().is_status(0)
    assert project.rows() == ["c3"]
    assert "nothing to do" in project.install().is_status(0).out
