#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that no file names a place that exists on one machine only: somebody's home, a private package index.

Usage: places.py ROOT
"""
import pathlib
import re
import subprocess
import sys

# A bracket in each, so that this file does not find itself.
PLACES = re.compile(r"/h[o]me/\w+/|/U[s]ers/\w+/|/w[o]rk/\w+|/r[o]ot/\w+|art[i]factory|devp[i]\.|index[-_]url\s*=\s*http")
TEXT = {".c", ".h", ".py", ".md", ".sql", ".build", ".txt", ".yaml", ".yml", ".toml", ".json", ".ini", ".sh", ""}


def files(root):
    """Tracked files where there is a repository, else all but what was built."""
    run = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True)
    if run.returncode == 0:
        return [root / name for name in run.stdout.split("\0") if name]
    return [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] != "build"]


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    seen, problems = 0, []
    for path in sorted(files(root)):
        if path.suffix not in TEXT or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if "\0" in text:
            continue
        seen += 1
        for number, line in enumerate(text.split("\n"), 1):
            match = PLACES.search(line)
            if match:
                problems.append(f"{path.relative_to(root)}:{number}: {match.group()}")
    print("\n".join([*problems, f"places: {seen} files, {len(problems)} problems"]))
    return 1 if problems or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
