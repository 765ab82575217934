# SPDX-License-Identifier: MIT
"""Kill it anywhere, type it again: the second run ends where an undisturbed one would have ended."""
import os
import random
import shutil
import subprocess
import time

import pytest

import lab

WHO = ["group", "orchestrator", "warden", "both"]


def gated(project):
    return lab.GATE.replace("@ROOT@", repr(str(project.root)))


def again(project, run, **more):
    """Types the command again after the gate was opened; what was finished must not be repeated."""
    done = lab.finished(project)
    project.open_gate()
    ended = lab.resume(project, **more).is_status(0)
    assert not done & set(project.ran()), (done, project.ran())
    assert project.current().endswith("(head)")
    lab.assert_clean(project)
    assert project.journal("SELECT count(*) FROM run WHERE outcome IS NULL") == [(0,)]
    return ended


@pytest.mark.parametrize("who", WHO)
def test_killed_in_the_middle_of_a_migration(small, who):
    small.stored("a1")
    small.revision("b2", "a1", "op.add_column('story', sa.Column('mood', sa.Text))\n" + gated(small))
    before = lab.database_files(small.database)
    run = small.start().until_file("here").kill(who)
    if who != "warden":
        assert lab.database_files(small.database) == before
    again(small, run)
    assert small.stories() == ["one", "two", "three"] and "mood" in small.columns()
    assert run.process.returncode != 0


@pytest.mark.parametrize("who", WHO)
def test_killed_in_the_middle_of_the_init_command(small, who):
    small.write("init.py", gated(small) + "import subprocess, sys\n"
                "sys.exit(subprocess.call([sys.executable, '-m', 'alembic', 'upgrade', 'head']))\n")
    small.env_py(lab.FROM_ENVIRONMENT)
    small.recipe(database="database: {alembic: alembic.ini, init: {run: [python, init.py]}, "
                          "url: '${DATABASE_URL:-sqlite:///app.db}'}")
    run = small.start().until_file("here").kill(who)
    assert not small.database.exists()
    again(small, run)
    assert small.columns("note") == ["id"]


@pytest.mark.parametrize("who", WHO)
def test_killed_in_the_middle_of_npm(small, who):
    wait = ("const fs = require('fs'); fs.writeFileSync('../here', '');"
            "const timer = setInterval(() => fs.existsSync('../open') && clearInterval(timer), 10);")
    small.write("frontend/wait.js", wait)
    small.write("frontend/package.json", '{"name": "front", "version": "1.0.0", "private": true,'
                ' "scripts": {"postinstall": "node wait.js", "build": "node -e 0"}}')
    small.write("frontend/package-lock.json", '{"name": "front", "version": "1.0.0", "lockfileVersion": 3,'
                ' "requires": true, "packages": {"": {"name": "front", "version": "1.0.0",'
                ' "hasInstallScript": true}}}')
    small.recipe("node: {dir: frontend}\n")
    run = small.start().until_file("here").kill(who)
    again(small, run)


@pytest.mark.parametrize("who, after", [("group", 0.1), ("orchestrator", 0.8), ("warden", 1.6), ("both", 2.4)])
def test_killed_in_the_middle_of_pip(young, who, after):
    run = young.start().until("requirements")
    time.sleep(after)
    if run.process.poll() is None:
        run.kill(who)
    again(young, run)


@pytest.mark.parametrize("after", [0.05, 0.6, 1.5])
def test_killed_while_the_environment_is_made(bare, after):
    bare.write("requirements.txt", "alembic\n") if after == 1.5 else None
    bare.recipe()
    run = bare.start("--only", "preflight", "--only", "venv").until("venv")
    time.sleep(after)
    run.kill("group")
    lab.resume(bare, "--only", "preflight", "--only", "venv").is_status(0)
    subprocess.run([str(bare.path(".venv/bin/python")), "-m", "pip", "--version"], check=True,
                   stdout=subprocess.DEVNULL)
    assert not bare.path(".venv/.athanor-building").exists()
    lab.assert_clean(bare)


@pytest.mark.parametrize("who", ["orchestrator", "both"])
def test_killed_in_an_own_step_that_has_left_its_session(small, who):
    """A child that made itself a daemon is ended as well."""
    small.write("daemon.py", "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
                "    for fd in range(3):\n        os.close(fd)\n    " +
                gated(small).strip().replace("\n", "\n    ") + "\n    os._exit(0)\n" + gated(small))
    small.recipe("steps:\n  daemon: {run: [python, daemon.py], needs: [venv]}\n")
    run = small.start().until_file("here").kill(who)
    again(small, run)


def killed_at(project, *at):
    """Installs; the process that comes to a system call is killed before the kernel obeys it."""
    ended = project.install(program=("strace", "-f", "-qq", "-o", str(project.beside("trace")), *at))
    if "ptrace" in ended.err:
        pytest.skip("strace may not trace here")
    assert ended.status, ended
    return [path for path in project.root.rglob("*.athanor-*") if ".venv" not in path.parts]


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
@pytest.mark.parametrize("nth", [1, 3])
def test_killed_while_the_bridge_is_unfolded(small, nth):
    left = killed_at(small, "--inject=rename:signal=KILL:when=%d" % nth)
    assert len(left) == 1 and len(list(left[0].parent.glob("../bridge-*/*"))) == nth, left
    lab.resume(small).is_status(0)
    lab.assert_clean(small)


@pytest.mark.skipif(lab.SANITIZED, reason="the leak sanitizer does not run under strace")
def test_killed_before_a_new_database_gets_its_name(small):
    left = killed_at(small, "-P", str(small.database), "--inject=renameat2:signal=KILL")
    assert len(left) == 1 and left[0].name.startswith("app.db.") and not small.database.exists(), left
    for tail in ("-journal", "-wal", "-shm"):  # what SQLite would keep beside it some moments earlier
        left[0].with_name(left[0].name + tail).touch()
    lab.resume(small).is_status(0)
    assert small.current() == "c3 (head)"
    lab.assert_clean(small)


def test_the_look_for_survivors_finds_one(small):
    child = subprocess.Popen(["sleep", "60"], env=dict(os.environ, ATHANOR_RUN="0123456789abcdef"))
    try:
        assert child.pid in lab.processes_with("ATHANOR_RUN=0123456789abcdef")
        assert not lab.processes_with("ATHANOR_RUN=0123456789abcdee")
    finally:
        child.kill()
        child.wait()


def test_a_run_whose_warden_and_orchestrator_died_leaves_processes_to_be_swept(small):
    """The control of the tests above: after such a kill there is something alive to be ended."""
    small.write("wait.py", gated(small))
    small.recipe("steps:\n  wait: {run: [python, wait.py], needs: [venv]}\n")
    for _ in range(5):      # the one that dies a moment later may have ended it
        small.start().until_file("here").kill("both")
        if lab.survivors(small):
            break
        small.path("here").unlink(missing_ok=True)
    assert lab.survivors(small)
    again(small, None)


# ---- at any moment ----

def many_steps(project):
    """Own steps and five revisions, so that there is much to be killed in."""
    project.stored("r0")
    project.revision("r0", None)
    for number in range(1, 6):
        project.revision("r%d" % number, "r%d" % (number - 1),
                         "import time\nop.create_table('t%d', sa.Column('id', sa.Integer, primary_key=True))\n"
                         "op.execute(\"INSERT INTO story (title) VALUES ('r%d')\")\ntime.sleep(0.02)"
                         % (number, number))
    project.write("make.py", "import pathlib, sys, time\ntime.sleep(0.05)\n"
                  "pathlib.Path(sys.argv[1]).write_text(sys.argv[1])\n")
    project.recipe("steps:\n" + "".join(
        "  own%d: {run: [python, make.py, made%d], needs: [%s], creates: [made%d]}\n"
        % (number, number, "venv" if number < 3 else "commit", number) for number in range(6)))


def test_killed_at_random_moments(small, request):
    """Every run is killed once or more, somewhere; `--soak N` makes N installations of it."""
    seed = int(os.environ.get("SEED") or time.time_ns() % 10**9)
    print("seed: SEED=%d" % seed)
    chance = random.Random(seed)
    for _ in range(max(3, request.config.getoption("--soak"))):
        lab.empty(small.root, keep=".venv")
        small.alembic()
        shutil.rmtree(small.path("migrations/versions"))
        many_steps(small)
        for _ in range(chance.randint(1, 3)):
            run = small.start()
            time.sleep(chance.random() * 1.6)
            if run.process.poll() is None and lab.children_of(run.pid):
                run.kill(chance.choice(WHO))
            elif run.process.poll() is None:
                os.killpg(run.pid, 9)
                run.process.wait()
            else:
                break
        lab.resume(small).is_status(0)
        assert small.rows() == ["r5"], seed
        assert small.stories() == ["one", "two", "three", "r1", "r2", "r3", "r4", "r5"], seed
        assert lab.query(small.database, "PRAGMA integrity_check") == [("ok",)]
        assert all(small.read("made%d" % number) == "made%d" % number for number in range(6))
        lab.assert_clean(small)
        assert "nothing to do" in small.install().is_status(0).out
