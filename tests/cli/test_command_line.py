# SPDX-License-Identifier: MIT
"""The command line as scripts depend on it: usage, exit statuses, help, JSON."""
import json
import re
import signal
import subprocess

import pytest

import lab

COMMANDS = ["install", "plan", "inspect", "revisions", "status", "log", "backups", "restore", "init"]
EVERY = {"athanor", "app", "root", "changed"}


def test_says_its_version():
    assert re.match(r"athanor \d+\.\d+\.\d+", lab.athanor("--version").is_status(0).out)


def test_help_names_every_command_and_every_command_has_help():
    text = lab.athanor("--help").is_status(0).out
    for command in COMMANDS:
        assert command in text
        assert "--help" in lab.athanor(command, "--help").is_status(0).out


def test_help_of_a_command_lists_what_means_something_to_it():
    def listed(command):
        return set(re.findall(r" --([a-z-]+)", lab.athanor(command, "--help").is_status(0).out))
    assert {"only", "jobs", "dry-run", "output", "allow-row-loss", "dir", "json"} <= listed("install")
    assert listed("log") == {"dir", "state-dir", "json", "no-color", "help"}
    assert "lint" in listed("revisions") and "lint" not in listed("install")
    assert "assume-revision" in listed("plan") and "assume-revision" not in listed("status")


@pytest.mark.parametrize("arguments", [
    [], ["instal"], ["install", "--no-such"], ["install", "-Z"], ["install", "--jobs", "many"],
    ["install", "--jobs"], ["install", "--output", "loud"], ["install", "--lock-timeout", "-1"],
    ["install", ".", "too-many"], ["install", "-C", ".", "."]], ids=lambda arguments: " ".join(arguments) or "none")
def test_a_command_line_that_is_wrong_is_64(arguments, tmp_path):
    ended = lab.athanor(*arguments, cwd=tmp_path).is_status(64)
    assert ended.err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--only", "--skip"])
@pytest.mark.parametrize("command", ["install", "plan"])
def test_a_step_that_does_not_exist_is_64_and_named(bare, option, command):
    ended = lab.athanor(command, option, "no-such-step", bare.root).is_status(64)
    assert "no-such-step" in ended.err
    assert not bare.path(".venv").exists()


@pytest.mark.parametrize("command", ["install", "plan", "inspect", "revisions", "status", "init"])
def test_a_folder_that_is_not_there_is_named(tmp_path, command):
    ended = lab.athanor(command, tmp_path / "nowhere").is_status(64)
    assert "nowhere" in ended.err


@pytest.mark.parametrize("command", ["install", "plan", "status"])
def test_a_file_in_place_of_the_folder_is_named(tmp_path, command):
    (tmp_path / "file").write_text("x")
    assert "file" in lab.athanor(command, tmp_path / "file").is_status(64).err


@pytest.mark.parametrize("command", ["install", "plan", "inspect", "revisions", "status", "init"])
def test_a_folder_without_an_alembic_project_is_left_alone(tmp_path, command):
    (tmp_path / "readme.txt").write_text("x")
    ended = lab.athanor(command, tmp_path)
    assert ended.status in (1, 78) and "alembic" in ended.err.lower(), ended
    assert [path.name for path in tmp_path.iterdir()] == ["readme.txt"]


def test_a_dry_run_makes_nothing_but_its_state_folder(bare):
    ended = lab.athanor("install", "--dry-run", bare.root).is_status(0)
    assert "preflight" in ended.out
    assert not bare.path(".venv").exists() and not bare.database.exists()
    lab.athanor("install", "--dry-run", "--detailed-exitcode", bare.root).is_status(2)


@pytest.mark.parametrize("command", [["plan"], ["install", "--dry-run"], ["repair", "--dry-run"]], ids=" ".join)
def test_a_question_is_3_wherever_it_is_foreseen(bare, command):
    bare.stored(tables=("CREATE TABLE story (id INTEGER PRIMARY KEY)", "CREATE TABLE note (id INTEGER PRIMARY KEY)"))
    bare.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///app.db'}")
    ended = lab.athanor(*command, bare.root).is_status(3)
    assert "--assume-revision" in ended.out
    lab.athanor(*command, "--assume-revision", "a1", bare.root).is_status(0)


@pytest.mark.parametrize("command", [["plan"], ["install", "--dry-run"]], ids=" ".join)
def test_a_signal_ends_what_only_foresees(bare, odd, tmp_path, command):
    bare.recipe(database="database: {alembic: alembic.ini, url: 'sqlite:///app.db'}")
    env = lab.environment(**odd("touch %s/here; sleep 97" % tmp_path), MARK=str(tmp_path))
    run = subprocess.Popen([lab.ATHANOR, *command, bare.root], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lab.wait_for(lambda: (tmp_path / "here").exists() or run.poll() is not None, "the script")
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=30)
    assert run.returncode == 128 + signal.SIGTERM
    assert not lab.processes_with("MARK=%s" % tmp_path)


def test_a_folder_in_the_place_of_a_run_is_told_apart(bare):
    ended = lab.athanor("log", bare.root).is_status(64)
    assert "-C" in ended.err and str(bare.root) in ended.err


def test_the_folder_can_be_given_in_three_ways(bare):
    said = [lab.athanor("plan", bare.root).out, lab.athanor("plan", "-C", bare.root).out,
            lab.athanor("plan", cwd=bare.root).out]
    assert said[0] == said[1] == said[2] != ""


def test_plan_prints_one_object_with_the_documented_keys(bare):
    said = lab.athanor("plan", "--json", bare.root).is_status(0).json
    assert EVERY | {"pending", "refusal", "steps"} <= set(said)
    assert said["changed"] is False and said["pending"] > 3 and said["refusal"] is None
    for one in said["steps"]:
        assert {"name", "verdict", "reason", "asked_again"} <= set(one)
        assert one["verdict"] in ("run", "maybe", "satisfied", "skip")
    lab.athanor("plan", "--json", "--detailed-exitcode", bare.root).is_status(2)


def test_status_before_any_run_prints_the_documented_keys(bare):
    said = lab.athanor("status", "--json", bare.root).is_status(0).json
    assert EVERY | {"run", "outcome", "step", "cause", "log", "pending", "refusal", "next"} <= set(said)
    assert said["outcome"] == "none" and said["run"] is None
    assert said["next"].startswith("athanor install ")
    assert "none" in lab.athanor("status", bare.root).is_status(0).out


def test_log_before_any_run_says_that_there_is_none(bare):
    assert "no run" in lab.athanor("log", "-C", bare.root).is_status(1).err


def test_commands_that_only_look_write_nothing(bare):
    before = lab.tree(bare.root)
    for command in ("plan", "status"):
        lab.athanor(command, bare.root).is_status(0)
        lab.athanor(command, "--json", bare.root).is_status(0)
    lab.athanor("log", "-C", bare.root)
    assert lab.tree(bare.root) == before and not bare.path(".athanor").exists()


# ---- after a run; the environment is empty, so that it fails at once and without a network ----

@pytest.fixture
def failed(bare):
    bare.recipe("steps:\n  bake: {run: [sh, -c, 'echo cold; exit 3'], needs: []}\n")
    bare.ended = lab.athanor("install", "--only", "bake", "--json", "--output", "json", bare.root)
    return bare


def test_install_prints_one_object_with_the_documented_keys(failed):
    said = failed.ended.is_status(1).json
    assert EVERY | {"run", "outcome", "exit_status", "step", "code", "cause", "log", "database", "next",
                    "steps"} <= set(said)
    assert {"path", "state", "head"} <= set(said["database"]) and said["database"]["state"] == "unchanged"
    assert said["outcome"] == "failed" and said["changed"] is False
    for one in said["steps"]:
        assert {"name", "state", "reason", "ms"} <= set(one)


def test_progress_is_one_object_on_each_line_with_the_documented_keys(failed):
    lines = [json.loads(line) for line in failed.ended.err.splitlines() if line.startswith("{")]
    assert lines[0]["event"] == "run_began" and lines[-1]["event"] == "run_ended"
    keys = {"run_began": set(), "progress": {"step", "text"},
            "state": {"step", "state", "reason", "attempt", "ms", "done", "total"},
            "run_ended": {"outcome", "exit_status", "step", "code", "cause", "database", "log", "ms"}}
    for line in lines:
        assert {"event", "at", "run"} | keys[line["event"]] <= set(line), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["at"])


def test_status_after_a_failure_says_where_and_what_to_type(failed):
    said = lab.athanor("status", "--json", failed.root).is_status(0).json
    assert (said["outcome"], said["step"]) == ("failed", "bake")
    assert "cold" in open(said["log"]).read() and said["next"] == "athanor install %s" % failed.root
    text = lab.athanor("status", failed.root).is_status(0).out
    assert "bake" in text and said["log"] in text


def test_log_prints_one_object_with_the_documented_keys(failed):
    said = lab.athanor("log", "--json", "-C", failed.root).is_status(0).json
    assert EVERY | {"run", "outcome", "transitions"} <= set(said)
    for one in said["transitions"]:
        assert {"at", "step", "state", "attempt", "reason"} <= set(one)
    assert lab.athanor("log", "-C", failed.root, said["run"], "bake").is_status(0).out == "cold\n" or \
        "cold" in lab.athanor("log", "-C", failed.root, said["run"], "bake").out


def test_log_of_a_run_or_step_that_is_not_there_is_named(failed):
    assert "feed" in lab.athanor("log", "-C", failed.root, "feed").is_status(1).err
    assert "../bake" in lab.athanor("log", "-C", failed.root, "last", "../bake").is_status(1).err


def test_log_takes_a_mark_or_a_number_and_never_the_one_for_the_other(failed):
    """A mark may begin with the digits of another run's number."""
    lab.athanor("install", "--only", "bake", failed.root).is_status(1)
    lab.execute(failed.path(".athanor/journal.db"), "UPDATE run SET mark = '2abcdef012345678' WHERE id = 1")
    ids = dict(failed.journal("SELECT id, mark FROM run"))
    for number, mark in ids.items():
        for word in (str(number), mark):
            assert lab.athanor("log", "-C", failed.root, word).is_status(0).out.startswith("run %s " % mark)
    assert "'1x'" in lab.athanor("log", "-C", failed.root, "1x").is_status(1).err


def test_quiet_says_the_failure_alone(bare):
    bare.recipe("steps:\n  bake: {run: [sh, -c, 'echo cold; exit 3'], needs: []}\n")
    quiet = lab.athanor("install", "--quiet", "--only", "bake", bare.root).is_status(1)
    assert "bake" in quiet.err and "..." not in quiet.err


def test_the_output_can_be_chosen_by_the_environment(bare):
    bare.recipe("steps:\n  bake: {run: ['true'], needs: []}\n")
    ended = lab.athanor("install", "--only", "bake", bare.root, env={"ATHANOR_OUTPUT": "json"}).is_status(0)
    assert ended.err.startswith("{")
