#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that every header of src/ and steps/ compiles alone.

Usage: headers.py ROOT COMPILER...
"""
import concurrent.futures
import pathlib
import subprocess
import sys


def headers(root):
    return sorted(path for top in ("src", "steps") for path in (root / top).rglob("*.h"))


def compile_alone(root, compiler, path):
    """What the compiler says of a header, or nothing."""
    run = subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused", "-Werror",
                          "-fsyntax-only", f"-I{root / 'src'}", f"-I{root}", "-x", "c", str(path)],
                         capture_output=True, text=True)
    return (run.stderr or f"{path}: exit status {run.returncode}\n") if run.returncode else ""


def main():
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or ["cc"]
    paths = headers(root)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        faults = list(filter(None, pool.map(lambda path: compile_alone(root, compiler, path), paths)))
    print("".join(faults) + f"headers: {len(paths)}, {len(faults)} do not compile alone")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
