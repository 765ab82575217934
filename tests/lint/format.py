#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that C files look as clang-format-14 writes them with the style in the tree.

Usage: format.py ROOT       (exit 77, which is a skip, without clang-format-14: other versions write other text)
"""
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    tool = shutil.which("clang-format-14")
    if not tool:
        print("format: skipped, clang-format-14 is not installed")
        return 77
    paths = sorted(path for top in ("src", "steps", "tests") for path in (root / top).rglob("*.[ch]")
                   if "corpus" not in path.parts)

    def differs(path):
        wanted = subprocess.run([tool, "--style=file", str(path)], capture_output=True, check=True).stdout
        return wanted != path.read_bytes()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        wrong = [path for path, is_wrong in zip(paths, pool.map(differs, paths)) if is_wrong]
    for path in wrong:
        print(f"{path.relative_to(root)}: not formatted; run: clang-format-14 --style=file -i {path.relative_to(root)}")
    print(f"format: {len(paths)} files, {len(wrong)} not formatted")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
