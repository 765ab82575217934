#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that every function of a header has its contract: a comment that ends directly above its prototype.

Usage: documented.py ROOT
Between the two only forward declarations ("struct x;") may stand.
"""
import pathlib
import re
import sys

PROTOTYPE = re.compile(r"^(?!typedef\b|#|\s|\*|/|return\b|static const)[A-Za-z_][\w \t*]*\b(ath_\w+)\(", re.M)
FORWARD = re.compile(r"struct \w+;$")


def undocumented(text):
    """Yield (line number, name) of every prototype without a comment."""
    lines = text.split("\n")
    for match in PROTOTYPE.finditer(text):
        number = text.count("\n", 0, match.start())
        above = number - 1
        while above >= 0 and FORWARD.match(lines[above]):
            above -= 1
        if above < 0 or not lines[above].rstrip().endswith("*/"):
            yield number + 1, match.group(1)


def main():
    root = pathlib.Path(sys.argv[1])
    seen, problems = 0, []
    for path in sorted(path for top in ("src", "steps") for path in (root / top).rglob("*.h")):
        text = path.read_text()
        seen += len(PROTOTYPE.findall(text))
        problems += [f"{path.relative_to(root)}:{line}: {name} has no comment directly above"
                     for line, name in undocumented(text)]
    print("\n".join([*problems, f"documented: {seen} functions, {len(problems)} without a comment"]))
    return 1 if problems or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
