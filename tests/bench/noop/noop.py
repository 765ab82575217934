# SPDX-License-Identifier: MIT
"""G1: a run that finds nothing to do, against the same application's guarded install.sh."""
import pathlib
import re
import statistics
import subprocess

import bench

HERE = pathlib.Path(__file__).parent


def count(athanor, app):
    """Processes started, and instructions executed, by one run."""
    traced = subprocess.run(["strace", "-f", "-e", "trace=process", athanor, "install", app], capture_output=True, text=True)
    started = len(re.findall(r"\b(?:fork|vfork|clone|clone3)\(", traced.stderr))
    counted = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", athanor, "install", app],
                             capture_output=True, text=True)
    instructions = re.search(r"Collected : (\d+)", counted.stderr)
    return started, int(instructions.group(1)) if instructions else 0


def measure(table, build, work, handicap, app):
    """`app` is installed. The handicap: athanor is started through an interpreter."""
    athanor = build / "athanor"
    command = [athanor, "install", app]
    if handicap:
        command = ["python3", "-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))", *command]
    script = [HERE / "install.sh", app]
    pairs = bench.Rounds({"script": lambda: bench.run(script), "athanor": lambda: bench.run(command)}, 15).pairs("script", "athanor")
    table.add("G1", "athanor, nothing to do", f"{bench.seconds(pairs.b)} (least {min(pairs.b) * 1000:.1f} ms)",
              statistics.median(pairs.b) <= 0.010)
    table.add("G1", "guarded install.sh, nothing to do", bench.seconds(pairs.a))
    table.add("G1", "install.sh / athanor, at least 100", pairs, pairs.ratio >= 100)
    started, instructions = count(athanor, app)
    table.add("G1", "processes started", started, started == 0)
    table.add("G1", "instructions (callgrind)", f"{instructions / 1e6:.1f} million")
