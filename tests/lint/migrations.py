#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that migrations/ is numbered 0001, 0002, ... without a gap, and that the build embeds every file in order.

Usage: migrations.py ROOT
"""
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    names = sorted(path.name for path in (root / "migrations").glob("*.sql"))
    problems = [f"migrations/{name}: must begin with {number:04}_" for number, name in enumerate(names, 1)
                if not re.fullmatch(rf"{number:04}_[a-z0-9_]+\.sql", name)]
    embedded = re.findall(r"migrations/(\w+\.sql)", (root / "src/journal/meson.build").read_text())
    if embedded != names:
        problems.append(f"src/journal/meson.build: embeds {embedded}, migrations/ has {names}")
    print("\n".join([*problems, f"migrations: {len(names)}, {len(problems)} problems"]))
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main())
