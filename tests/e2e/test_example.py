# SPDX-License-Identifier: MIT
"""The example application from nothing to installed, and again."""
import os
import re
import shutil
import stat
import subprocess

import pytest

import lab

HEAD = "c7923c6e866e"
FORKS = re.compile(r"\b(clone3?|fork|vfork)\(")


def test_installs_the_example_copied_elsewhere(kahani_made):
    run = kahani_made.first_run.is_status(0)
    assert HEAD in run.out
    assert lab.query(kahani_made.database, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_alembic_itself_says_that_the_example_is_at_head(installed):
    assert installed.current("backend") == HEAD + " (head)"


def test_plan_says_2_before_and_0_after(installed):
    installed.first_plan.is_status(2)
    lab.athanor("plan", "--detailed-exitcode", installed.root).is_status(0)


def test_plan_without_the_option_says_0_before(tmp_path):
    (tmp_path / "app").mkdir()
    project = lab.Project(tmp_path / "app").alembic()
    assert "preflight" in lab.athanor("plan", project.root).is_status(0).out
    assert not project.path(".athanor").exists()


def test_makes_an_env_file_with_new_secrets_for_the_owner_alone(installed):
    env = installed.path(".env")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    values = dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line and line[0] != "#")
    assert len(values["SECRET_KEY"]) >= 32 and values["SECRET_KEY"] != values["JWT_SECRET_KEY"]
    assert "change-me" not in env.read_text()
    assert values["DATABASE_URL"] == "sqlite:///backend/data/kahani.db"


def test_a_second_run_says_nothing_to_do_and_changes_no_file(installed):
    before = lab.tree(installed.root, without=[".athanor"])
    again = installed.install().is_status(0)
    assert "nothing to do" in again.out
    assert lab.tree(installed.root, without=[".athanor"]) == before


def test_the_users_files_are_as_they_were_before_the_installation(installed):
    after = lab.tree(installed.root)
    assert {name: after.get(name) for name in installed.first_tree} == installed.first_tree


def test_a_second_run_does_not_write_over_the_env_file(kahani):
    kahani.write(".env", kahani.read(".env") + "MINE=1\n", 0o600)
    before = kahani.read(".env")
    kahani.install().is_status(0)
    assert kahani.read(".env") == before


def trace(tmp_path, *command):
    log = tmp_path / "trace"
    ran = subprocess.run(["strace", "-f", "-e", "trace=process,clone,clone3,fork,vfork", "-o", str(log), *command],
                         env=lab.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, timeout=lab.LONG)
    if "ptrace" in ran.stderr:
        pytest.skip("strace may not trace here")
    return ran, log.read_text()


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
def test_a_run_that_finds_nothing_to_do_starts_no_process(installed, tmp_path):
    ran, log = trace(tmp_path, lab.ATHANOR, "install", str(installed.root))
    assert ran.returncode == 0 and "nothing to do" in ran.stdout, ran
    assert not FORKS.search(log) and log.count("execve(") == 1, log


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
def test_the_tracing_sees_a_process_that_is_started(tmp_path):
    _, log = trace(tmp_path, "sh", "-c", "true & wait")
    assert FORKS.search(log), log


def test_the_frontend_is_built_and_the_own_step_has_run(installed):
    assert "Kahani" in installed.read("frontend/dist/index.html")
    assert installed.path("backend/data/names.json").exists()


def test_nothing_is_alive_and_nothing_is_left_over_afterwards(installed):
    lab.assert_clean(installed)
    assert oct(installed.path(".athanor").stat().st_mode & 0o777) == "0o700"
    assert installed.read(".athanor/.gitignore") == "*\n"


def test_status_says_that_it_is_installed(installed):
    said = lab.athanor("status", installed.root).is_status(0).out
    assert "installed, nothing to do" in said and "succeeded" in said


def test_log_shows_every_transition_and_the_output_of_a_step(installed):
    said = lab.athanor("log", "-C", installed.root).is_status(0).out
    mark = re.match(r"run ([0-9a-f]{16}) ", said)[1]
    worked = installed.journal("SELECT mark FROM run WHERE outcome = 'succeeded' ORDER BY id DESC LIMIT 1")
    assert worked == [(mark,)] and "running" in said and "succeeded" in said
    first = installed.marks[0]
    pip = lab.athanor("log", "-C", installed.root, first, "requirements").is_status(0).out
    assert "Successfully installed" in pip
    assert lab.athanor("log", "-C", installed.root, "last").is_status(0).out == said


def test_requirements_that_change_are_all_that_is_installed_again(kahani):
    kahani.write("backend/requirements.txt", kahani.read("backend/requirements.txt") + "# one more line\n")
    kahani.install().is_status(0)
    ran = set(kahani.ran())
    assert "requirements" in ran
    assert not ran & {"preflight", "venv", "node", "build", "env_file", "directories", "init", "migrate", "commit"}, ran


def test_a_changed_lock_of_the_frontend_runs_npm_and_the_build_alone(kahani):
    kahani.write("frontend/package.json", kahani.read("frontend/package.json") + "\n")
    kahani.install().is_status(0)
    assert set(kahani.ran()) <= {"node", "build", "verify"} and "node" in kahani.ran()


def copied(name, tmp_path):
    shutil.copytree(lab.FIXTURES / name, tmp_path / "app")
    return lab.Project(tmp_path / "app")


def test_installs_an_application_without_a_recipe_and_with_another_layout(tmp_path):
    project = copied("bookshelf", tmp_path)
    project.install().is_status(0)
    assert project.current().endswith("(head)")
    assert "nothing to do" in project.install().is_status(0).out


def test_installs_an_application_of_pyproject_and_an_asynchronous_driver(tmp_path):
    project = copied("tasklist", tmp_path)
    project.install().is_status(0)
    assert project.current().endswith("(head)")
    assert "nothing to do" in project.install().is_status(0).out
    assert os.path.exists(project.path(".venv/bin/tasklist"))
