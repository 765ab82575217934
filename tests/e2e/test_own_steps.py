# SPDX-License-Identifier: MIT
"""Own steps that fail in every way, and what is said and kept about it."""
import os
import re
import shlex
import subprocess
import time

import pytest

import lab

FAIL = "[sh, -c, 'echo the oven is cold; exit 3']"


def steps(project, text):
    project.recipe("steps:\n" + text)
    return project


def test_a_step_that_fails_says_its_cause_its_log_and_the_next_command(small):
    steps(small, "  bake: {run: %s, needs: [venv]}\n" % FAIL)
    ended = small.install().is_status(1)
    assert "bake" in ended.last_lines and "the oven is cold" in ended.last_lines
    log = re.search(r"^\s*log:\s+(\S+)$", ended.last_lines, re.M)[1]
    assert "the oven is cold" in open(log).read()
    command = shlex.split(re.search(r"^\s*next:\s+(.*?)\s{2,}", ended.last_lines, re.M)[1])
    assert command[0] == "athanor"
    done = lab.finished(small)
    steps(small, "  bake: {run: [sh, -c, 'echo warm'], needs: [venv]}\n")
    subprocess.run([lab.ATHANOR, *command[1:]], check=True, env=lab.environment(), stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    assert not done & set(small.ran()), small.ran()
    assert small.rows() == ["c3"]


def test_the_json_result_of_a_failure_says_the_same(small):
    steps(small, "  bake: {run: %s, needs: [venv]}\n" % FAIL)
    ended = small.install("--json").is_status(1)
    said = ended.json
    assert (said["outcome"], said["exit_status"], said["step"], said["code"]) == ("failed", 1, "bake", "child")
    assert os.path.exists(said["log"]) and said["next"].startswith("athanor install ")
    assert {one["name"]: one["state"] for one in said["steps"]}["bake"] == "failed"


def test_the_other_branches_go_on_and_only_what_needs_it_is_blocked(small):
    steps(small, "  bake: {run: %s, needs: [venv]}\n  eat: {run: ['true'], needs: [bake]}\n"
                 "  dance: {run: ['true'], needs: [venv]}\n" % FAIL)
    small.install().is_status(1)
    states = small.states()
    assert (states["bake"], states["eat"], states["dance"]) == ("failed", "blocked", "succeeded")


def test_an_optional_step_that_fails_stops_nothing(small):
    steps(small, "  bake: {run: %s, needs: [venv], optional: true}\n  eat: {run: ['true'], needs: [bake]}\n" % FAIL)
    small.install().is_status(0)
    assert small.states()["bake"] == "failed" and small.states()["eat"] == "succeeded"
    assert small.rows() == ["c3"]


def test_a_step_that_always_runs_does_so_after_a_failure(small):
    steps(small, "  bake: {run: %s, needs: [venv]}\n"
                 "  clean: {run: [touch, cleaned], needs: [bake], always: true}\n" % FAIL)
    small.install().is_status(1)
    assert small.path("cleaned").exists()


def test_a_step_that_takes_too_long_is_ended_with_all_that_it_started(small):
    steps(small, "  sleep: {run: [sh, -c, 'sleep 600 & sleep 600'], needs: [venv], timeout: 1s}\n")
    ended = small.install().is_status(1)
    assert "time limit of 1.0 s" in ended.last_lines and ended.seconds < 30
    assert "(when the cause is mended)" in ended.last_lines
    assert not lab.survivors(small)


def test_retries_are_counted_and_wait_in_between(small):
    small.write("try.sh", "echo x >>tries\ntest \"$(wc -l <tries)\" -ge 2\n")
    steps(small, "  try: {run: [sh, try.sh], needs: [venv], retries: 3}\n")
    since = time.monotonic()
    small.install().is_status(0)
    assert small.read("tries") == "x\nx\n" and time.monotonic() - since >= 2
    assert small.journal("SELECT attempt, state FROM transition WHERE step = 'try' AND state != 'ready' "
                         "ORDER BY id") == [
        (1, "running"), (1, "waiting_retry"), (2, "running"), (2, "succeeded")]


def test_retries_end(small):
    steps(small, "  try: {run: [sh, -c, 'echo x >>tries; exit 1'], needs: [venv], retries: 1}\n")
    small.install().is_status(1)
    assert small.read("tries") == "x\nx\n"


def test_a_step_that_was_content_and_did_nothing_has_failed(small):
    steps(small, "  bake: {run: ['true'], needs: [venv], creates: [cake]}\n")
    ended = small.install().is_status(1)
    assert "cake" in ended.last_lines
    assert small.states()["bake"] == "failed"


def test_what_it_creates_is_enough_and_it_is_made_again_when_it_is_gone(small):
    steps(small, "  bake: {run: [sh, -c, 'echo x >>runs; touch cake'], needs: [venv], creates: [cake]}\n")
    small.install().is_status(0)
    assert "nothing to do" in small.install().is_status(0).out
    small.path("cake").unlink()
    small.install().is_status(0)
    assert small.read("runs") == "x\nx\n"


def test_a_check_that_holds_spares_the_command(small):
    small.path("cake").touch()
    steps(small, "  bake: {run: [touch, ran], needs: [venv], check: [test, -e, cake]}\n")
    small.install().is_status(0)
    assert not small.path("ran").exists()


def test_a_check_that_does_not_hold_afterwards_is_a_failure(small):
    steps(small, "  bake: {run: [touch, ran], needs: [venv], check: [test, -e, cake]}\n")
    ended = small.install().is_status(1)
    assert small.path("ran").exists() and "check" in ended.last_lines


def test_a_step_runs_again_when_its_inputs_change_and_only_then(small):
    small.write("flour", "white\n")
    steps(small, "  bake: {run: [sh, -c, 'echo x >>runs'], needs: [venv], inputs: [flour]}\n")
    small.install().is_status(0)
    assert "nothing to do" in small.install().is_status(0).out
    small.write("flour", "brown\n")
    small.install().is_status(0)
    assert small.read("runs") == "x\nx\n" and small.ran() == ["bake"]


def test_a_step_without_a_proof_runs_every_time_and_the_plan_says_so(small):
    steps(small, "  bake: {run: [sh, -c, 'echo x >>runs'], needs: [venv]}\n")
    small.install().is_status(0)
    assert "every time" in lab.athanor("plan", small.root).out
    small.install().is_status(0)
    assert small.read("runs") == "x\nx\n"


def test_steps_run_in_the_order_of_their_needs(small):
    steps(small, "  c: {run: [sh, -c, 'echo c >>order'], needs: [b, commit]}\n"
                 "  b: {run: [sh, -c, 'echo b >>order'], needs: [a]}\n"
                 "  a: {run: [sh, -c, 'echo a >>order'], needs: [venv]}\n")
    small.install().is_status(0)
    assert small.read("order") == "a\nb\nc\n"
    order = [row[0] for row in small.journal("SELECT step FROM transition WHERE state IN ('running', 'succeeded') "
                                             "AND (step = 'c' AND state = 'running' OR "
                                             "step = 'commit' AND state = 'succeeded') ORDER BY id")]
    assert order == ["commit", "c"]


def test_a_condition_over_what_was_found_decides(small):
    text = "  first: {run: [touch, first], needs: [detect], when: database=fresh}\n" \
           "  later: {run: [touch, later], needs: [detect], when: database!=fresh}\n"
    steps(small, text)
    small.install().is_status(0)
    assert small.path("first").exists() and not small.path("later").exists()
    assert small.states()["later"] == "skipped"


def test_independent_steps_run_at_the_same_time(small):
    text = "".join("  s%d: {run: [sh, -c, 'touch at%d; for i in $(seq 600); do test -e at%d && exit 0; sleep 0.05; "
                   "done; exit 1'], needs: [venv]}\n" % (n, n, 1 - n) for n in range(2))
    steps(small, text)
    small.install("--jobs", "2").is_status(0)


def test_python_and_pip_mean_the_applications_environment(small):
    small.write("who.py", "import sys\nopen('who', 'w').write(sys.prefix)\n")
    steps(small, "  who: {run: [python, who.py], needs: [venv]}\n"
                 "  pip: {run: [sh, -c, 'pip --version >pip'], needs: [venv]}\n")
    small.install().is_status(0)
    assert small.read("who") == str(small.path(".venv")) and str(small.path(".venv")) in small.read("pip")


def test_a_hundred_megabytes_of_output_are_capped_in_the_log_and_in_memory(small):
    small.write("flood.py", "import sys\nline = b'x' * 99 + b'\\n'\nprint('the first line', flush=True)\n"
                "for _ in range(1000): sys.stdout.buffer.write(line * 1000)\n"
                "print('the last line', flush=True)\n" + lab.GATE)
    steps(small, "  flood: {run: [python, flood.py], needs: [venv]}\n")
    run = small.start().until_file("here")
    peak = lab.peak_memory(run.orchestrator)
    small.path("open").touch()
    run.ended().is_status(0)
    log = small.path(".athanor/runs/%s/flood.log" % small.marks[-1])
    text = log.read_text()
    assert log.stat().st_size < 20 << 20 and "left out" in text
    assert text.startswith("the first line") or "the first line" in text[:200]
    assert "the last line" in text[-200:]
    if not lab.SANITIZED:
        assert peak <= 16 << 10, peak


def test_a_line_without_end_and_bytes_of_no_encoding_are_ordinary(small):
    steps(small, "  flood: {run: [python, -c, \"import os, sys; sys.stdout.buffer.write(b'\\\\xff\\\\x00' * 3000000); "
                 "sys.exit(1)\"], needs: [venv]}\n")
    ended = small.install().is_status(1)
    assert len(ended.err) < 20000 and "\0" not in ended.err


def test_what_a_child_prints_cannot_steer_the_terminal(small):
    small.write("paint.sh", "printf '\\033[2J\\033]0;title\\007\\033[31mred\\033[0m \\302\\233 31m\\r\\n' >&2\nexit 1\n")
    steps(small, "  paint: {run: [sh, paint.sh], needs: [venv]}\n")
    ended = small.install().is_status(1)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", ended.err + ended.out), repr(ended.err)
    assert "red" in ended.err
    log = small.path(".athanor/runs/%s/paint.log" % small.marks[-1])
    assert b"\x1b[31m" in log.read_bytes(), "the log has what was printed"


def test_a_child_that_makes_itself_a_daemon_does_not_outlive_the_run(small):
    steps(small, "  daemon: {run: [sh, -c, 'setsid sh -c \"sleep 600 <&- >&- 2>&-\" & exit 0'], needs: [venv]}\n")
    small.install().is_status(0)
    assert not lab.survivors(small)


def test_a_program_that_is_not_there_is_named(small):
    steps(small, "  bake: {run: [no-such-oven], needs: [venv]}\n")
    assert "no-such-oven" in small.install().is_status(1).last_lines


def test_a_child_killed_by_a_signal_is_told_as_such(small):
    steps(small, "  bake: {run: [sh, -c, 'kill -SEGV $$'], needs: [venv]}\n")
    assert re.search(r"signal|SEGV|Segmentation", small.install().is_status(1).last_lines)


def test_only_runs_that_step_alone(small):
    steps(small, "  bake: {run: [touch, cake], needs: [venv], creates: [cake]}\n")
    small.install("--only", "bake").is_status(0)
    assert small.path("cake").exists() and not small.database.exists()


def test_skip_leaves_that_step_out(small):
    steps(small, "  bake: {run: %s, needs: [venv]}\n" % FAIL)
    small.install("--skip", "bake").is_status(0)
    assert small.states()["bake"] == "skipped"


def test_secrets_of_the_env_file_reach_own_steps_and_no_log(small):
    small.write(".env.example", "TOKEN=change-me\nPLAIN=here\n")
    small.recipe("env_file: {from: .env.example, to: .env, secrets: [TOKEN]}\n"
                 "steps:\n  use: {run: [sh, -c, 'test -n \"$TOKEN\" && echo \"$PLAIN\"'], needs: [env_file]}\n")
    small.install("-v").is_status(0)
    token = re.search(r"^TOKEN=(.*)$", small.read(".env"), re.M)[1]
    for log in small.path(".athanor").rglob("*"):
        assert not log.is_file() or token.encode() not in log.read_bytes(), log


def test_a_log_that_cannot_be_written_is_told_once_and_in_the_last_lines(small):
    steps(small, "  block: {run: [sh, -c, 'mkdir .athanor/runs/$ATHANOR_RUN/bake.log'], needs: [venv]}\n"
                 "  bake: {run: [sh, -c, 'echo one; sleep 0.2; echo two'], needs: [block]}\n")
    ended = small.install().is_status(0)
    assert ended.err.count("its log is incomplete: Is a directory") == 1
    assert re.search(r"WARNING: +a log is incomplete \(Is a directory\): .*/bake\.log", ended.out)
    assert small.install("--json").is_status(0).json["incomplete_log"].endswith("/bake.log")


def test_what_preflight_misses_is_said_without_the_log_of_its_questions(small):
    recipe = small.read("athanor.yaml")
    small.write("athanor.yaml", recipe.replace("{venv: .venv}", "{venv: .venv, version: '>=3.99'}", 1))
    ended = small.install().is_status(1)
    assert "3.99" in ended.last_lines and "(when the cause is mended)" in ended.last_lines
    assert "    | " not in ended.err and "preflight.log" in ended.last_lines
