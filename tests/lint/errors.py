#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that docs/errors.md and ATH_ERR_CODES agree: the same codes in the same order, the same exit status.

Usage: errors.py ROOT
"""
import pathlib
import re
import sys

CODE = re.compile(r'X\(\w+,\s*"([\w-]+)",\s*(\d+)\)')
ENTRY = re.compile(r"^## ([\w-]+)\n+(.*?)(?=^## |\Z)", re.M | re.S)


def compare(codes, entries):
    problems = []
    if [name for name, _ in codes] != [name for name, _ in entries]:
        missing = {name for name, _ in codes} - {name for name, _ in entries}
        unknown = {name for name, _ in entries} - {name for name, _ in codes}
        problems.append(f"docs/errors.md: missing {sorted(missing)}, unknown {sorted(unknown)}, or another order")
    texts = dict(entries)
    for name, status in codes:
        stated = re.search(r"Exit\s+status (\d+)\b", texts.get(name, ""))
        if name in texts and (not stated or stated.group(1) != status):
            problems.append(f"docs/errors.md: '{name}' must say 'Exit status {status}'")
    return problems


def main():
    root = pathlib.Path(sys.argv[1])
    codes = CODE.findall((root / "src/base/err.h").read_text())
    entries = ENTRY.findall((root / "docs/errors.md").read_text())
    problems = compare(codes, entries)
    print("\n".join([*problems, f"errors: {len(codes)} codes, {len(problems)} problems"]))
    return 1 if problems or not codes else 0


if __name__ == "__main__":
    sys.exit(main())
