# SPDX-License-Identifier: MIT
"""What the benchmarks share: pairs of commands run in turn, peak memory, the machine, the table.

A command is measured from posix_spawn to wait4. Pairs are interleaved A B B A A B ..., after one warm-up of each; the
result is the median of the per-pair ratios with its range.
"""
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests/fixtures/kahani"


def start(command, env=None, output=os.devnull):
    """Start a command with its output in a file; its pid."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
               (os.POSIX_SPAWN_DUP2, 1, 2)]
    program = shutil.which(command[0])
    return os.posix_spawn(program, [str(word) for word in command], {**os.environ, **(env or {})}, file_actions=actions)


def run(command, env=None, prepare=None, wanted=0):
    """Seconds that a command takes; one that does not end as wanted ends the benchmark."""
    if prepare:
        prepare()
    since = time.perf_counter()
    _, status, _ = os.wait4(start(command, env), 0)
    seconds = time.perf_counter() - since
    if os.waitstatus_to_exitcode(status) != wanted:
        sys.exit(f"{' '.join(map(str, command))}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds


class Rounds:
    """Runs all of several in each round, every second round in reverse; one warm-up round. Times by name."""

    def __init__(self, runs, count):
        self.times = {name: [] for name in runs}
        for i in range(count + 1):
            for name in list(runs)[::1 if i % 2 else -1]:
                self.times[name].append(runs[name]())
        for times in self.times.values():
            del times[0]

    def pairs(self, a, b):
        return Pairs(self.times[a], self.times[b])


class Pairs:
    """The times of A and B, and A / B per pair."""

    def __init__(self, a, b):
        self.a, self.b = a, b
        self.ratios = [one / other for one, other in zip(a, b)]
        self.ratio = statistics.median(self.ratios)

    def __str__(self):
        return f"{self.ratio:.3g} ({min(self.ratios):.3g} to {max(self.ratios):.3g}, {len(self.ratios)} pairs)"


def seconds(values):
    middle = statistics.median(values)
    return f"{middle * 1000:.1f} ms" if middle < 1 else f"{middle:.2f} s"


def sync_p50(build, folder):
    """Median of 200 fdatasync calls in that folder, us."""
    said = subprocess.run([build / "tests/bench/dispatch", "sync", folder], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)["p50_us"]


def family(pid):
    """A process and its descendants."""
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, pathlib.Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:
            pass
    return found


def peaks(command, any_name=False):
    """Run a command, looking every 2 ms; the greatest VmHWM in KiB seen of processes named athanor, or of any."""
    pid, peak = start(command), 0
    while True:
        for one in family(pid):
            try:
                facts = pathlib.Path(f"/proc/{one}/status").read_text()
            except OSError:
                continue
            lines = dict(line.split(":\t", 1) for line in facts.splitlines() if ":\t" in line)
            if (any_name or lines.get("Name") == "athanor") and "VmHWM" in lines:
                peak = max(peak, int(lines["VmHWM"].split()[0]))
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            if status:
                sys.exit(f"{' '.join(map(str, command))}: exit status {os.waitstatus_to_exitcode(status)}")
            return peak
        time.sleep(0.002)


def copy_example(folder):
    """A fresh copy of the example application."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FIXTURE, folder, ignore=shutil.ignore_patterns(".venv", ".athanor", "node_modules", "__pycache__"))
    return folder


def work_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="athanor-bench-"))


def say(*words):
    if not shutil.which(words[0]):
        return "none"
    said = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    return (said.stdout or said.stderr).strip().split("\n")[0] if said.returncode == 0 else "none"


def machine(folder):
    """Lines about where the figures come from."""
    mount = say("findmnt", "-n", "-o", "FSTYPE", "--target", folder)
    versions = [f"{name} {say(*words)}" for name, words in {
        "python": ["python3", "-c", "import platform; print(platform.python_version())"], "node": ["node", "--version"],
        "ninja": ["ninja", "--version"], "samurai": ["samu", "--version"],
        "sqlite": ["python3", "-c", "import sqlite3; print(sqlite3.sqlite_version)"]}.items()]
    commit = say("git", "-C", ROOT, "describe", "--always", "--dirty")
    return [f"{datetime.date.today()}, commit {commit}, Linux {platform.release()}, {mount}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f}", ", ".join(versions)]


class Table:
    """Rows of a result: goal, what, value, whether it is met (None: only told)."""

    def __init__(self):
        self.rows = []

    def add(self, goal, what, value, is_met=None):
        self.rows.append((goal, what, str(value), is_met))
        print(f"{goal}  {what}: {value}{'' if is_met is None else '  met' if is_met else '  MISSED'}", flush=True)

    def put(self):
        print("\n| goal | what | measured | |\n|---|---|---|---|")
        for goal, what, value, is_met in self.rows:
            print(f"| {goal} | {what} | {value} | {'' if is_met is None else 'met' if is_met else '**missed**'} |")

    def status(self):
        return 1 if any(row[3] is False for row in self.rows) else 0
