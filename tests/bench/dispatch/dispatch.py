# SPDX-License-Identifier: MIT
"""G2 and G3: the time between steps, against a bare loop, uv_spawn, ninja, samurai and make."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess

import bench

LAYERS = 10


def need_of(shape, length, i):
    """As in dispatch.c."""
    width = max(length // LAYERS, 1)
    return i - 1 if shape == "chain" and i else i - width if shape == "layers" and i >= width else None


def write_graphs(folder, shape, length):
    """build.ninja and Makefile with the same graph."""
    folder.mkdir(parents=True, exist_ok=True)
    needs = [need_of(shape, length, i) for i in range(length)]
    ninja = ["rule true", "  command = /bin/true"]
    ninja += [f"build s{i}: true{'' if need is None else f' s{need}'}" for i, need in enumerate(needs)]
    (folder / "build.ninja").write_text("\n".join(ninja) + "\n")
    make = [f".PHONY: all {' '.join(f's{i}' for i in range(length))}", f"all: {' '.join(f's{i}' for i in range(length))}"]
    make += [f"s{i}:{'' if need is None else f' s{need}'}\n\t/bin/true" for i, need in enumerate(needs)]
    (folder / "Makefile").write_text("\n".join(make) + "\n")
    return folder


class Runner:
    """Runs one competitor on a graph; remembers the last peak."""

    def __init__(self, build, work, shape, length, handicap):
        self.driver, self.shape, self.length = build / "tests/bench/dispatch", shape, length
        self.graphs = write_graphs(work / f"graphs-{shape}-{length}", shape, length)
        self.env = {"DISPATCH_HANDICAP_US": "1000"} if handicap else {}
        self.peaks = []

    def engine(self, folder):
        def again():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            said = subprocess.run([self.driver, "athanor", self.shape, str(self.length), "2", folder], check=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **self.env})
            result = json.loads(said.stdout)
            self.peaks.append(result["peak_kib"])
            return result["us"] / 1e6
        return again

    def other(self, mode):
        def again():
            said = subprocess.run([self.driver, mode, self.shape, str(self.length), "2"], check=True, stdout=subprocess.PIPE)
            return json.loads(said.stdout)["us"] / 1e6
        return again

    def tool(self, name):
        jobs = "1" if self.shape == "chain" else "2"
        return lambda: bench.run([name, "-C", self.graphs, "-j", jobs], prepare=self.forget)

    def forget(self):
        for name in (".ninja_log", ".ninja_deps"):
            (self.graphs / name).unlink(missing_ok=True)


def put_pairs(table, goal, what, pairs, is_met=None):
    table.add(goal, what, f"{pairs}; {bench.seconds(pairs.a)} : {bench.seconds(pairs.b)}", is_met)


def measure(table, build, work, handicap, count):
    """1,000 steps, independent and chain, and the growth to 10,000."""
    memory = pathlib.Path("/dev/shm") / work.name
    for shape in ("independent", "chain"):
        one = Runner(build, work, shape, 1000, handicap)
        runs = {"disk": one.engine(work / "disk"), "tmpfs": one.engine(memory), "loop": one.other("spawn")}
        if shape == "independent":
            runs["uv"] = one.other("uv")
        runs.update({tool: one.tool(tool) for tool in ("ninja", "samu", "make") if shutil.which(tool)})
        before = bench.sync_p50(build, work)
        rounds = bench.Rounds(runs, count)
        sync = (before + bench.sync_p50(build, work)) / 2
        report(table, shape, rounds, sync)
    growth(table, build, work, memory, handicap)
    shutil.rmtree(memory, ignore_errors=True)


def report(table, shape, rounds, sync_us):
    """One commit per step of a chain is part of the goal, so its wait for the disk is added to the limit."""
    pairs = rounds.pairs("disk", "loop")
    limit = 1.5
    if shape == "chain":
        limit += sync_us * 1000 / 1e6 / statistics.median(pairs.b)
    put_pairs(table, "G2", f"1,000 {shape}, journal on disk / bare loop, at most {limit:.2f}; "
              f"fdatasync p50 {sync_us:.0f} us", pairs, pairs.ratio <= limit)
    put_pairs(table, "G2", f"1,000 {shape}, journal on tmpfs / bare loop", rounds.pairs("tmpfs", "loop"))
    for tool in ("ninja", "samu", "make", "uv"):
        if tool in rounds.times:
            pairs = rounds.pairs("disk", tool)
            put_pairs(table, "G2", f"1,000 {shape}, journal on disk / {tool}", pairs,
                      pairs.ratio < 1 if tool in ("ninja", "samu") else None)
            put_pairs(table, "G2", f"1,000 {shape}, journal on tmpfs / {tool}", rounds.pairs("tmpfs", tool))


def growth(table, build, work, memory, handicap):
    """The same ratio at ten times the length, on tmpfs so that the disk's mood is no part of it."""
    runners = {length: Runner(build, work, "independent", length, handicap) for length in (1000, 10000)}
    runs = {}
    for length, runner in runners.items():
        runs[f"{length}"], runs[f"loop {length}"] = runner.engine(memory), runner.other("spawn")
    rounds = bench.Rounds(runs, 3)
    few, many = (rounds.pairs(f"{length}", f"loop {length}") for length in runners)
    put_pairs(table, "G3", "10,000 independent, journal on tmpfs / bare loop", many)
    table.add("G3", "ratio at 10,000 / ratio at 1,000, at most 1.2", f"{many.ratio / few.ratio:.3f}",
              many.ratio / few.ratio <= 1.2)
    least, most = (max(runner.peaks) for runner in runners.values())
    table.add("G3", "peak memory at 1,000 and 10,000", f"{least} and {most} KiB, "
              f"{(most - least) / 9000:.2f} KiB per further step")
